import type { ConditionBlock, ConditionValue, PolicyDocument, PrincipalMap, Statement } from "./document.ts";

/** What an absent Version means: no policy variables (aws-facts §1.3). */
const OLD_VERSION = "2008-10-17";

/** JSON with object keys sorted at every depth: equal values give equal text. */
export function canonicalText(value: unknown): string {
	if (Array.isArray(value)) return `[${value.map(canonicalText).join(",")}]`;
	if (value !== null && typeof value === "object") {
		const entries = Object.entries(value)
			.filter(([, v]) => v !== undefined)
			.sort(([a], [b]) => byCodeUnit(a, b));
		return `{${entries.map(([k, v]) => `${JSON.stringify(k)}:${canonicalText(v)}`).join(",")}}`;
	}
	return JSON.stringify(value) ?? "null";
}

/**
 * The canonical form of a document: two documents of one canonical form mean the same (aws-facts §1.3). Meaning the same
 * does not imply one form: redundant patterns (`s3:*` beside `s3:GetObject`) and split statements stay as they are.
 * `partition` is the account's own: a bare account id stands for the root ARN of that partition and of no other.
 */
export function canonicalDocument(doc: PolicyDocument, partition = "aws"): PolicyDocument {
	return {
		Version: doc.Version ?? OLD_VERSION,
		Statement: [...canonicalStatements(doc, partition)].sort(([a], [b]) => byCodeUnit(a, b)).map(([, s]) => s),
	};
}

/** Whether two documents have one canonical form. */
export function sameCanonically(a: PolicyDocument, b: PolicyDocument, partition = "aws"): boolean {
	if ((a.Version ?? OLD_VERSION) !== (b.Version ?? OLD_VERSION)) return false;
	const [one, other] = [canonicalStatements(a, partition), canonicalStatements(b, partition)];
	return one.size === other.size && [...one.keys()].every((text) => other.has(text));
}

function canonicalStatements(doc: PolicyDocument, partition: string): ReadonlyMap<string, Statement> {
	return new Map(
		doc.Statement.map((s) => {
			const { text, canonical } = inCanonicalForm(s, partition);
			return [text, canonical];
		}),
	);
}

/**
 * The union of the statements of several documents, by canonical text: names and splits are cosmetic (KINDS.md,
 * AccessPolicy). The first spelling of each wins. Version counts only where it changes the meaning: a statement with
 * `${` is literal text in a document of 2008 and a policy variable in one of 2012.
 */
export function statementSet(docs: readonly PolicyDocument[], partition = "aws"): ReadonlyMap<string, Statement> {
	const union = new Map<string, Statement>();
	for (const doc of docs) {
		const version = doc.Version ?? OLD_VERSION;
		for (const s of doc.Statement) {
			const { text } = inCanonicalForm(s, partition);
			const key = version !== "2012-10-17" && text.includes("${") ? `${version} ${text}` : text;
			if (!union.has(key)) union.set(key, s);
		}
	}
	return union;
}

interface InCanonicalForm {
	readonly partition: string;
	readonly text: string;
	readonly canonical: Statement;
}

/** A statement is compared again and again: by plan, fingerprint and effect. */
const known = new WeakMap<Statement, InCanonicalForm>();

function inCanonicalForm(s: Statement, partition: string): InCanonicalForm {
	const before = known.get(s);
	if (before?.partition === partition) return before;
	const canonical = canonicalStatement(s, partition);
	const made = { partition, text: canonicalText(canonical), canonical };
	known.set(s, made);
	return made;
}

function canonicalStatement(s: Statement, partition: string): Statement {
	const condition = s.Condition === undefined ? undefined : canonicalCondition(s.Condition);
	return {
		Effect: s.Effect,
		...(s.Principal !== undefined && { Principal: canonicalPrincipal(s.Principal, partition) }),
		...(s.NotPrincipal !== undefined && { NotPrincipal: canonicalPrincipal(s.NotPrincipal, partition) }),
		...(s.Action !== undefined && { Action: asSet(list(s.Action).map(lowerCase)) }),
		...(s.NotAction !== undefined && { NotAction: asSet(list(s.NotAction).map(lowerCase)) }),
		...(s.Resource !== undefined && { Resource: asSet(list(s.Resource)) }),
		...(s.NotResource !== undefined && { NotResource: asSet(list(s.NotResource)) }),
		...(condition !== undefined && { Condition: condition }),
	};
}

/** `"*"` is `{"AWS": "*"}` (aws-facts §1.2). An empty map or list stays what it is: it is not "everybody". */
function canonicalPrincipal(p: "*" | PrincipalMap, partition: string): PrincipalMap {
	if (typeof p === "string") return { AWS: [p] };
	return Object.fromEntries(
		Object.entries(p).map(([type, ids]) => [
			type,
			asSet(list(ids).map((id) => (type === "AWS" && /^[0-9]{12}$/.test(id) ? `arn:${partition}:iam::${id}:root` : id))),
		]),
	);
}

/** Operators stay as written: that their case does not count is documented nowhere (aws-facts §1.3). */
function canonicalCondition(block: ConditionBlock): ConditionBlock | undefined {
	const operators = Object.entries(block).flatMap(([operator, keys]): [string, Readonly<Record<string, ConditionValue>>][] => {
		const entries = Object.entries(keys);
		if (entries.length === 0) return [];
		// Two spellings of one key: what IAM makes of them is not documented, so they stay apart.
		const distinct = new Set(entries.map(([key]) => lowerCase(key))).size === entries.length;
		return [
			[
				operator,
				Object.fromEntries(
					entries.map(([key, values]) => [
						distinct ? lowerCase(key) : key,
						asSet(conditionValues(values).map(normalised(operator))),
					]),
				),
			],
		];
	});
	return operators.length === 0 ? undefined : Object.fromEntries(operators);
}

/** Quotes are optional for numbers and booleans; a number compared as a number has many spellings (`3600`, `3600.0`). */
function normalised(operator: string): (text: string) => string {
	return /(^|:)Numeric/.test(operator) ? decimal : (text) => text;
}

function decimal(text: string): string {
	const m = /^(-?)0*([0-9]+?)(?:\.([0-9]*?)0*)?$/.exec(text);
	if (m === null) return text;
	const [, sign = "", whole = "0", fraction = ""] = m;
	const magnitude = fraction === "" ? whole : `${whole}.${fraction}`;
	return magnitude === "0" ? "0" : sign + magnitude;
}

export function conditionValues(values: ConditionValue): readonly string[] {
	return (Array.isArray(values) ? values : [values]).map(String);
}

export function list(value: string | readonly string[] | undefined): readonly string[] {
	if (value === undefined) return [];
	return typeof value === "string" ? [value] : value;
}

/** ASCII only: the names of actions and condition keys are ASCII, and `K` (U+212A) must not become `k`. */
export function lowerCase(text: string): string {
	if (!/[^ -~]/.test(text)) return text.toLowerCase();
	return text.replace(/[A-Z]+/g, (upper) => upper.toLowerCase());
}

function asSet(values: readonly string[]): readonly string[] {
	return values.length < 2 ? values : [...new Set(values)].sort(byCodeUnit);
}

function byCodeUnit(a: string, b: string): number {
	return a < b ? -1 : a > b ? 1 : 0;
}
