import type { AccessSide, Witness } from "./access.ts";
import type { ActionCatalogue } from "./action-catalogue.ts";
import { lowerCase } from "./canonical.ts";
import type { Context } from "./conditions.ts";
import { missing, satisfying, satisfyingAll } from "./contexts.ts";
import { applies, evaluate } from "./evaluate.ts";
import { glob } from "./glob.ts";
import { type Atom, boundaryRegions, type PatternSet, type Region, regionsOf, setContains } from "./regions.ts";
import { type ExampleResource, exampleActions, exampleResources } from "./requests.ts";

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
const MOST_ODD = 3;

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
	const sets = { actions: atoms.map((a) => a.action), resources: atoms.map((a) => a.resource) };
	let trials = 0;
	const search = (action: string, resources: (start: Context) => Iterable<ExampleResource>): Witness | null => {
		for (const start of starts) {
			for (const { resource, context } of resources(start)) {
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
		return null;
	};
	const tried: string[] = [];
	for (const action of exampleActions(sets.actions, known, catalogue)) {
		if (tried.push(action) > MOST_ACTIONS || trials > MOST_TRIALS) break;
		const any = sets.resources.every(isEverything) && everywhere(action, from, to);
		const found =
			(any ? search(action, (context) => [{ resource: "*", context }]) : null) ??
			search(action, (start) => exampleResources(action, sets.resources, start, catalogue));
		if (found !== null) return found;
	}
	// The catalogue may lag behind AWS: what the statement says is granted, whether or not it knows the pairing.
	for (const action of tried.slice(0, MOST_ODD)) {
		const found = search(action, (start) => exampleResources(action, sets.resources, start, null));
		if (found !== null) return found;
	}
	return null;
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
