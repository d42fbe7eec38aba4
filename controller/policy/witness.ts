import type { AccessSide, Witness } from "./access.ts";
import type { ActionCatalogue } from "./action-catalogue.ts";
import { lowerCase } from "./canonical.ts";
import type { Context } from "./conditions.ts";
import { missing, satisfying, satisfyingAll } from "./contexts.ts";
import { applies, evaluate } from "./evaluate.ts";
import { glob } from "./glob.ts";
import { type Atom, boundaryRegions, type PatternSet, type Region, regionsOf, setContains } from "./regions.ts";
import { exampleActions, exampleResources } from "./requests.ts";

/** One side with its statements taken apart, made once for many questions. */
export interface Sides {
	readonly side: AccessSide;
	readonly identity: readonly Region[];
	readonly boundary: readonly Region[];
}

export function sides(side: AccessSide): Sides {
	return { side, identity: regionsOf(side.documents), boundary: boundaryRegions(side) };
}

/** Enough for every example met in practice; a search that fails costs some milliseconds, and its answer is `unknown`. */
const MOST_ACTIONS = 24;
const MOST_CONTEXTS = 16;
const MOST_TRIALS = 240;

/**
 * A request that lies in all the atoms, is allowed by `to` and, if given, not by `from`, both said by evaluate(). Null when
 * none was found, which proves nothing.
 */
export function findWitness(atoms: readonly Atom[], from: Sides | null, to: Sides, catalogue: ActionCatalogue): Witness | null {
	// Nothing is known to be allowed under a boundary that cannot be read.
	if (to.side.boundary === "unknown") return null;
	const starts = satisfyingAll(atoms);
	if (starts.length === 0) return null;
	const known = (from?.identity ?? []).filter((r) => r.effect === "Allow").map((r) => r.actions);
	let trials = 0;
	let actions = 0;
	for (const action of exampleActions(
		atoms.map((a) => a.action),
		known,
		catalogue,
	)) {
		if (++actions > MOST_ACTIONS) return null;
		const any = atoms.every((a) => isEverything(a.resource)) && everywhere(action, from, to);
		for (const start of starts) {
			for (const { resource, context } of resourcesFor(action, atoms, start, any, catalogue)) {
				const queue: Context[] = [context];
				for (let tried = 0; tried < MOST_CONTEXTS && queue.length > 0; tried++) {
					if (++trials > MOST_TRIALS) return null;
					const request: Witness = { action, resource, context: queue.shift() ?? {} };
					const verdict = attempt(request, from, to);
					if (verdict === true) return request;
					queue.push(...verdict);
				}
			}
		}
	}
	return null;
}

function* resourcesFor(action: string, atoms: readonly Atom[], context: Context, any: boolean, catalogue: ActionCatalogue) {
	if (any) yield { resource: "*", context };
	const sets = atoms.map((a) => a.resource);
	yield* exampleResources(action, sets, context, catalogue);
}

/** True: a witness. Otherwise other contexts worth a trial. */
function attempt(request: Witness, from: Sides | null, to: Sides): true | readonly Context[] {
	const after = evaluate(to.side, request);
	if (after === "unknown") return [];
	if (after === "explicitDeny") {
		const deny = [...to.identity, ...to.boundary].find(
			(r) => r.effect === "Deny" && applies(r.statement, request, r.variables) === true,
		);
		return deny === undefined ? [] : missing(deny, request.context);
	}
	if (after === "implicitDeny") {
		return to.boundary
			.filter((r) => r.effect === "Allow" && speaksOf(r, request))
			.map((r) => satisfying([r], request.context))
			.filter((c) => c !== null)
			.slice(0, 3);
	}
	if (from === null) return true;
	const before = evaluate(from.side, request);
	if (before === "explicitDeny" || before === "implicitDeny") return true;
	if (before === "unknown") return [];
	const allow = from.identity.find((r) => r.effect === "Allow" && applies(r.statement, request, r.variables) === true);
	return allow === undefined ? [] : missing(allow, request.context);
}

/** Conditions aside. */
function speaksOf(r: Region, request: Witness): boolean {
	const { Condition: _, ...statement } = r.statement;
	return applies(statement, request, r.variables) === true;
}

/** Whether no statement on either side tells one resource of the action from another: then `*` says it best. */
function everywhere(action: string, from: Sides | null, to: Sides): boolean {
	const one = { not: false, globs: [glob(lowerCase(action), false)] };
	return [from, to].every(
		(s) => s === null || [...s.identity, ...s.boundary].every((r) => isEverything(r.resources) || !setContains(r.actions, one)),
	);
}

function isEverything(resources: PatternSet): boolean {
	return resources.not ? resources.globs.length === 0 : resources.globs.some((g) => g.text === "*");
}
