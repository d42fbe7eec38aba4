import type { AccessSide, Witness } from "./access.ts";
import type { ActionCatalogue } from "./action-catalogue.ts";
import { lowerCase } from "./canonical.ts";
import { contains, type Glob, glob } from "./glob.ts";
import { type Atom, atomsOf, type PatternSet, type Region, setContains, setIntersects } from "./regions.ts";
import { isTelling } from "./requests.ts";
import { findWitness, type Sides, sides } from "./witness.ts";

export interface ReachRule {
	/** Action patterns that must not be reached, as written. */
	readonly denyActions: readonly string[];
	/** ARN patterns where they may be. */
	readonly exceptResources?: readonly string[];
}

/** One statement x resource that reaches what a rule forbids. */
export interface Reach {
	/** Index into the side's documents. */
	readonly document: number;
	readonly statement: number;
	/** As written there; `not iam:*` stands for a NotAction. */
	readonly actions: readonly string[];
	/** As written; `not arn:…` stands for a NotResource. */
	readonly resource: string;
	/** Null: no example was found, but that it is out of reach is not proven. */
	readonly witness: Witness | null;
}

interface Forbidden {
	readonly actions: readonly Glob[];
	readonly except: readonly Glob[];
}

/**
 * Every Allow that reaches an action that the rule forbids, on a resource that it does not except, less what
 * unconditional Denies or the boundary take away. Not decided counts as reached; a condition on an Allow does not excuse it.
 * Patterns meet in both directions and without regard to case, or a guardrail could be walked around (aws-facts §1.4). What is
 * not known offline (`${account.id}`) is taken for excepted where some value of it would be.
 */
export function reaches(side: AccessSide, rule: ReachRule, catalogue: ActionCatalogue): readonly Reach[] {
	const all = sides(side);
	const forbidden: Forbidden = {
		actions: rule.denyActions.map((a) => glob(lowerCase(a), false)),
		except: (rule.exceptResources ?? []).map((r) => glob(r, true)),
	};
	const denies = [...all.identity, ...all.boundary].filter((r) => r.effect === "Deny" && r.clauses.length === 0);
	const found = new Map<string, { reach: Reach; atoms: Atom[]; actions: Set<string> }>();
	for (const region of all.identity) {
		if (region.effect !== "Allow" || !forbidden.actions.some((a) => setIntersects(region.actions, only(a)))) continue;
		for (const atom of atomsOf(region)) {
			if (!reached(atom, forbidden, denies, all)) continue;
			const key = `${region.document}/${region.index}/${atom.at.resource}`;
			const resource = region.words.resources[atom.at.resource] ?? "*";
			const entry = found.get(key) ?? {
				reach: { document: region.document, statement: region.index, actions: [], resource, witness: null },
				atoms: [],
				actions: new Set<string>(),
			};
			entry.atoms.push(atom);
			entry.actions.add(region.words.actions[atom.at.action] ?? "*");
			found.set(key, entry);
		}
	}
	return [...found.values()].map(({ reach, atoms, actions }) => ({
		...reach,
		actions: [...actions],
		witness: example(atoms, forbidden, all, catalogue),
	}));
}

function reached(atom: Atom, forbidden: Forbidden, denies: readonly Region[], all: Sides): boolean {
	if (excepted(atom.resource, forbidden.except)) return false;
	return forbidden.actions.some((action) => {
		const asked = only(action);
		if (!setIntersects(atom.action, asked)) return false;
		// A Deny of the whole of either takes away the whole of what they have in common.
		if (
			denies.some(
				(d) => (setContains(d.actions, atom.action) || setContains(d.actions, asked)) && deniesResource(d, atom, forbidden),
			)
		) {
			return false;
		}
		if (all.side.boundary === null || all.side.boundary === "unknown") return true;
		return all.boundary
			.filter((r) => r.effect === "Allow")
			.flatMap(atomsOf)
			.some(
				(b) =>
					setIntersects(b.action, asked) &&
					setIntersects(b.action, atom.action) &&
					setIntersects(b.resource, atom.resource) &&
					!excepted(b.resource, forbidden.except),
			);
	});
}

function only(action: Glob): PatternSet {
	return { not: false, globs: [action] };
}

/** Whether a Deny covers the atom's resources, but for those that are excepted anyway. */
function deniesResource(deny: Region, atom: Atom, forbidden: Forbidden): boolean {
	if (setContains(deny.resources, atom.resource)) return true;
	return deny.resources.not && excepted({ not: false, globs: deny.resources.globs }, forbidden.except);
}

function excepted(resource: PatternSet, except: readonly Glob[]): boolean {
	if (resource.not) return except.some((e) => e.text === "*");
	return except.length > 0 && resource.globs.every((r) => except.some((e) => contains(e, r, true)));
}

const MOST_SEARCHES = 8;

function example(atoms: readonly Atom[], forbidden: Forbidden, all: Sides, catalogue: ActionCatalogue): Witness | null {
	let first: Witness | null = null;
	for (const atom of atoms.slice(0, MOST_SEARCHES)) {
		for (const action of forbidden.actions) {
			if (!setIntersects(atom.action, only(action))) continue;
			const rule: Atom = {
				...atom,
				action: only(action),
				resource: { not: true, globs: forbidden.except },
				clauses: [],
			};
			const witness = findWitness([atom, rule], null, all, catalogue);
			if (witness !== null && isTelling(witness.action)) return witness;
			first ??= witness;
		}
	}
	return first;
}
