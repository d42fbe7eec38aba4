import type { AccessChange, AccessEffect, AccessLine, AccessSide } from "./access.ts";
import type { ActionCatalogue } from "./action-catalogue.ts";
import { conditionValues, sameCanonically, statementSet } from "./canonical.ts";
import type { ConditionBlock } from "./document.ts";
import { type Atom, atomsOf, covers, type Region, touches } from "./regions.ts";
import { findWitness, type Sides, sides } from "./witness.ts";

/**
 * What a change lets the principal do that it could not, and no longer do that it could. Conservative: no gain is said only
 * where containment is proven, statement by statement; what is neither proven nor shown by a witness is a line without
 * one. `narrows` with a loss that has no witness means: not broader, perhaps narrower.
 */
export function accessChange(before: AccessSide, after: AccessSide, catalogue: ActionCatalogue): AccessChange {
	const boundaries = sameBoundary(before, after);
	if (boundaries && sameStatements(before, after)) return { effect: "none", gains: [], losses: [] };
	const [from, to] = [sides(before), sides(after)];
	const gains = gained(from, to, boundaries, catalogue);
	const losses = gained(to, from, boundaries, catalogue);
	return { effect: effectOf(gains, losses), gains, losses };
}

function effectOf(gains: readonly AccessLine[], losses: readonly AccessLine[]): AccessEffect {
	if (gains.length === 0) return losses.length === 0 ? "none" : "narrows";
	if (gains.every((g) => g.witness === null)) return "unknown";
	return losses.length === 0 ? "broadens" : "both";
}

function sameStatements(a: AccessSide, b: AccessSide): boolean {
	const [one, other] = [statementSet(a.documents), statementSet(b.documents)];
	return one.size === other.size && [...one.keys()].every((key) => other.has(key));
}

/** Two boundaries that cannot be read are the same only when their ARNs are known to be. */
function sameBoundary(a: AccessSide, b: AccessSide): boolean {
	if (a === b) return true;
	if (a.boundary === null || b.boundary === null) return a.boundary === b.boundary;
	if (a.boundary === "unknown" || b.boundary === "unknown") {
		return a.boundary === b.boundary && a.boundaryArn !== undefined && a.boundaryArn === b.boundaryArn;
	}
	return sameCanonically(a.boundary, b.boundary);
}

interface Found {
	readonly region: Region;
	readonly atom: Atom;
	/** Where a witness must lie: in the atom, and for a Deny that is gone also in an Allow. */
	readonly within: readonly (readonly Atom[])[];
}

/** What `to` allows and `from` does not: first by its Allows, then by what `from` denies and `to` no longer does. */
function gained(from: Sides, to: Sides, sameBoundaries: boolean, catalogue: ActionCatalogue): readonly AccessLine[] {
	const denies = [...to.identity, ...to.boundary].filter((r) => r.effect === "Deny");
	const allowedBefore = from.identity.filter((r) => r.effect === "Allow");
	const lifted = [...from.identity, ...from.boundary]
		.filter((r) => r.effect === "Deny")
		.flatMap(atomsOf)
		.filter((d) => !denies.some((r) => covers(r, d)));
	const bounded = boundedBy(from, to, sameBoundaries);
	const fresh: Found[] = [];
	const freed = new Map<Atom, Atom[]>();
	for (const region of to.identity) {
		if (region.effect !== "Allow") continue;
		for (const atom of atomsOf(region)) {
			if (denies.some((d) => covers(d, atom)) || outside(to, atom)) continue;
			if (!allowedBefore.some((r) => covers(r, atom)) || !bounded(atom)) fresh.push({ region, atom, within: [[atom]] });
			else for (const d of lifted) if (touches(d, atom)) freed.set(d, [...(freed.get(d) ?? []), atom]);
		}
	}
	const released = lifted.flatMap((d): Found[] => {
		const by = freed.get(d);
		return by === undefined ? [] : [{ region: d.of, atom: d, within: by.map((a) => [d, a]) }];
	});
	return [...grouped(fresh), ...grouped(released)].map((group) => line(group, from, to, catalogue));
}

/** Whether the boundary of `from` let an atom of `to` through: proven, or false. */
function boundedBy(from: Sides, to: Sides, same: boolean): (atom: Atom) => boolean {
	if (same || from.side.boundary === null) return () => true;
	if (from.side.boundary === "unknown") return () => false;
	const before = from.boundary.filter((r) => r.effect === "Allow");
	const now = to.boundary.filter((r) => r.effect === "Allow").flatMap(atomsOf);
	return (atom) => {
		if (before.some((r) => covers(r, atom))) return true;
		// What the new boundary lets through of it, the old one did too.
		return to.boundary.length > 0 && now.every((b) => !touches(b, atom) || before.some((r) => covers(r, b)));
	};
}

function outside(to: Sides, atom: Atom): boolean {
	if (to.side.boundary === null || to.side.boundary === "unknown") return false;
	return !to.boundary.some((r) => r.effect === "Allow" && touches({ action: r.actions, resource: r.resources }, atom));
}

/** One group a statement and set of resources, so that a line says no more than what is meant. */
function grouped(found: readonly Found[]): readonly (readonly Found[])[] {
	const resources = new Map<string, number[]>();
	const key = (f: Found) => `${f.region.document}/${f.region.index}/${f.region.effect}/${f.atom.at.action}`;
	for (const f of found) resources.set(key(f), [...(resources.get(key(f)) ?? []), f.atom.at.resource]);
	const groups = new Map<Region, Map<string, Found[]>>();
	for (const f of found) {
		const ofRegion = groups.get(f.region) ?? new Map<string, Found[]>();
		groups.set(f.region, ofRegion);
		const set = (resources.get(key(f)) ?? []).join();
		ofRegion.set(set, [...(ofRegion.get(set) ?? []), f]);
	}
	return [...groups.values()].flatMap((g) => [...g.values()]);
}

/** A failed search costs most, so few are made: a line of many atoms without a witness in the first eight has none. */
const MOST_SEARCHES = 8;

function line(group: readonly Found[], from: Sides, to: Sides, catalogue: ActionCatalogue): AccessLine {
	const [first] = group;
	const witnesses = group.flatMap((f) => f.within).slice(0, MOST_SEARCHES);
	let witness: AccessLine["witness"] = null;
	for (const atoms of witnesses) {
		witness = findWitness(atoms, from, to, catalogue);
		if (witness !== null) break;
	}
	return {
		actions: distinct(group.map((f) => f.region.words.actions[f.atom.at.action] ?? "*")),
		resources: distinct(group.map((f) => f.region.words.resources[f.atom.at.resource] ?? "*")),
		when: first === undefined ? null : conditionWords(first.region.statement.Condition),
		witness,
	};
}

function distinct(values: readonly string[]): readonly string[] {
	return [...new Set(values)];
}

/** `StringEquals aws:ResourceAccount 123456789012 and Bool …`, or null without conditions. */
function conditionWords(block: ConditionBlock | undefined): string | null {
	const words = Object.entries(block ?? {}).flatMap(([operator, keys]) =>
		Object.entries(keys).map(([key, values]) => `${key} ${operator} ${conditionValues(values).join(" or ")}`),
	);
	return words.length === 0 ? null : words.join(" and ");
}
