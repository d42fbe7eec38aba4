import type { AccessSide } from "./access.ts";
import { list, lowerCase } from "./canonical.ts";
import { clauses } from "./conditions.ts";
import type { Effect, PolicyDocument, Statement } from "./document.ts";
import { hasVariables } from "./evaluate.ts";
import { contains, type Glob, glob, intersects } from "./glob.ts";
import { type Conditions, conditionsImply } from "./implies.ts";

/** The union of patterns, or with `not` all that none of them matches. */
export interface PatternSet {
	readonly not: boolean;
	readonly globs: readonly Glob[];
}

/** What one statement speaks of: actions x resources under conditions. */
export interface Region extends Conditions {
	readonly effect: Effect;
	readonly statement: Statement;
	/** Index of the document within its side, and of the statement within the document. */
	readonly document: number;
	readonly index: number;
	readonly actions: PatternSet;
	readonly resources: PatternSet;
	/** As written, for a person. */
	readonly words: { readonly actions: readonly string[]; readonly resources: readonly string[] };
}

/** One action pattern x one resource pattern of a region; a NotAction or NotResource is not taken apart. */
export interface Atom extends Conditions {
	readonly of: Region;
	readonly action: PatternSet;
	readonly resource: PatternSet;
	/** Positions in `of.words`. */
	readonly at: { readonly action: number; readonly resource: number };
}

export function regionsOf(docs: readonly PolicyDocument[]): readonly Region[] {
	return docs.flatMap((doc, document) => {
		const variables = hasVariables(doc);
		return doc.Statement.map((statement, index) => ({ ...spoken(statement, variables), document, index }));
	});
}

type Spoken = Omit<Region, "document" | "index">;

/** A statement is taken apart again and again: by each guardrail and each step, a boundary's by each role under it. */
const known = { 2008: new WeakMap<Statement, Spoken>(), 2012: new WeakMap<Statement, Spoken>() };

function spoken(statement: Statement, variables: boolean): Spoken {
	const of = known[variables ? 2012 : 2008];
	const before = of.get(statement);
	if (before !== undefined) return before;
	const made: Spoken = {
		effect: statement.Effect,
		statement,
		actions: patternSet(statement.Action, statement.NotAction, (p) => glob(lowerCase(p), false)),
		// A statement without resources (a trust policy's) speaks of whatever it is attached to.
		resources: patternSet(
			statement.Resource ?? (statement.NotResource === undefined ? "*" : undefined),
			statement.NotResource,
			(p) => glob(p, variables),
		),
		words: {
			actions: words(statement.Action, statement.NotAction),
			resources: words(statement.Resource, statement.NotResource),
		},
		clauses: clauses(statement.Condition),
		variables,
	};
	of.set(statement, made);
	return made;
}

/** The boundary's regions; empty without one, or when it cannot be read. */
export function boundaryRegions(side: AccessSide): readonly Region[] {
	return side.boundary === null || side.boundary === "unknown" ? [] : regionsOf([side.boundary]);
}

export function atomsOf(region: Region): readonly Atom[] {
	const { clauses, variables } = region;
	return parts(region.actions).flatMap((action, i) =>
		parts(region.resources).map((resource, j) => ({
			of: region,
			action,
			resource,
			at: { action: i, resource: j },
			clauses,
			variables,
		})),
	);
}

/** Proven: every request of the atom is one of the region. */
export function covers(region: Region, atom: Atom): boolean {
	return (
		setContains(region.actions, atom.action) && setContains(region.resources, atom.resource) && conditionsImply(atom, region)
	);
}

/** Perhaps: some request is one of both. False is proven. */
export function touches(
	a: { readonly action: PatternSet; readonly resource: PatternSet },
	b: { readonly action: PatternSet; readonly resource: PatternSet },
): boolean {
	return setIntersects(a.action, b.action) && setIntersects(a.resource, b.resource);
}

export function setContains(outer: PatternSet, inner: PatternSet): boolean {
	if (outer.not && inner.not) return outer.globs.every((o) => inner.globs.some((i) => contains(i, o)));
	if (outer.not) return inner.globs.every((i) => !outer.globs.some((o) => intersects(o, i)));
	if (inner.not) return outer.globs.some((o) => o.text === "*");
	return inner.globs.every((i) => outer.globs.some((o) => contains(o, i)));
}

export function setIntersects(a: PatternSet, b: PatternSet): boolean {
	if (a.not && b.not) return ![...a.globs, ...b.globs].some((g) => g.text === "*");
	if (a.not) return b.globs.some((p) => !a.globs.some((n) => contains(n, p)));
	if (b.not) return setIntersects(b, a);
	return a.globs.some((p) => b.globs.some((q) => intersects(p, q)));
}

function parts(set: PatternSet): readonly PatternSet[] {
	return set.not ? [set] : set.globs.map((g) => ({ not: false, globs: [g] }));
}

function patternSet(
	yes: string | readonly string[] | undefined,
	no: string | readonly string[] | undefined,
	compile: (pattern: string) => Glob,
): PatternSet {
	return { not: yes === undefined, globs: list(yes ?? no).map(compile) };
}

function words(yes: string | readonly string[] | undefined, no: string | readonly string[] | undefined): readonly string[] {
	return yes !== undefined ? list(yes) : no === undefined ? ["*"] : [`not ${list(no).join(", ")}`];
}
