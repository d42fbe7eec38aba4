import { statementSet } from "../policy/canonical.ts";
import type { PolicyDocument, Statement } from "../policy/document.ts";

export type Keys = ReadonlySet<string>;

/** The statements of documents by canonical text; the plan compares these and never names or splits. */
export function keysOf(docs: readonly (PolicyDocument | null)[], partition: string): Keys {
	return new Set(statementSet(present(docs), partition).keys());
}

/** Statements of `a` that `b` has not; null is an absent document. */
export function missingFrom(a: PolicyDocument | null, b: PolicyDocument | null, partition: string): readonly Statement[] {
	const other = keysOf([b], partition);
	return [...statementSet(present([a]), partition)].filter(([key]) => !other.has(key)).map(([, s]) => s);
}

/** The document with the statements of these keys taken out; its own spelling, order and version stay. */
export function without(doc: PolicyDocument, keys: Keys, partition: string): PolicyDocument {
	return { ...doc, Statement: doc.Statement.filter((s) => keysOf([{ ...doc, Statement: [s] }], partition).isDisjointFrom(keys)) };
}

export function sameKeys(a: Keys, b: Keys): boolean {
	return a.size === b.size && a.isSubsetOf(b);
}

export function byName(docs: Readonly<Record<string, PolicyDocument>>): readonly [string, PolicyDocument][] {
	return Object.entries(docs).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
}

function present(docs: readonly (PolicyDocument | null)[]): readonly PolicyDocument[] {
	return docs.filter((d) => d !== null);
}
