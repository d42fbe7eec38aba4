import { conditionValues, lowerCase } from "./canonical.ts";
import type { ConditionBlock } from "./document.ts";
import { glob, matches } from "./glob.ts";
import { inNetwork, instantOf, networkOf, numberOf, type Operator, operator } from "./operators.ts";

/** Null: cannot be said. */
export type Truth = boolean | null;

/** Condition keys of a request, lower-case, with their values. */
export type Context = Readonly<Record<string, readonly string[]>>;

/** One line of a Condition: `StringEquals aws:SourceAccount [123456789012]`. The lines of a statement must all hold. */
export interface Clause {
	readonly written: string;
	/** Null: unknown to us. */
	readonly operator: Operator | null;
	/** Lower-case. */
	readonly key: string;
	readonly values: readonly string[];
}

const NO_CLAUSES: readonly Clause[] = [];
const known = new WeakMap<ConditionBlock, readonly Clause[]>();

export function clauses(block: ConditionBlock | undefined): readonly Clause[] {
	if (block === undefined) return NO_CLAUSES;
	let made = known.get(block);
	if (made === undefined) {
		made = Object.entries(block).flatMap(([written, keys]) =>
			Object.entries(keys).map(([key, values]) => ({
				written,
				operator: operator(written),
				key: lowerCase(key),
				values: conditionValues(values),
			})),
		);
		known.set(block, made);
	}
	return made;
}

export function allHold(all: readonly Clause[], context: Context, variables: boolean): Truth {
	let result: Truth = true;
	for (const c of all) {
		const held = holds(c, context, variables);
		if (held === false) return false;
		if (held === null) result = null;
	}
	return result;
}

/**
 * IAM User Guide, "Condition operators" and "Conditions with multiple context keys or values": several values of a policy
 * are alternatives, or for a negated operator all of them forbidden; a missing key makes a negated operator, …IfExists and
 * ForAllValues true, all else false.
 */
export function holds(clause: Clause, context: Context, variables: boolean): Truth {
	const op = clause.operator;
	if (op === null) return null;
	const given = Object.hasOwn(context, clause.key) ? (context[clause.key] ?? []) : [];
	if (op.test === "null") {
		return some(clause.values.map((v): Truth => (v === "true" ? given.length === 0 : v === "false" ? given.length > 0 : null)));
	}
	if (given.length === 0) {
		// ForAnyValue wants one value, …IfExists none: which wins is not documented.
		if (op.ifExists && op.each === "any") return null;
		if (op.ifExists || op.each === "all") return true;
		return op.each === "any" ? false : op.negated;
	}
	// What IAM makes of several values without ForAllValues or ForAnyValue is not documented.
	if (op.each === null && given.length > 1) return null;
	const verdicts = given.map((value): Truth => {
		const found = some(clause.values.map((wanted) => compare(op, wanted, value, context, variables)));
		return op.negated && found !== null ? !found : found;
	});
	return op.each === "any" ? some(verdicts) : every(verdicts);
}

function compare(op: Operator, wanted: string, value: string, context: Context, variables: boolean): Truth {
	switch (op.test) {
		case "equals":
			return literally(wanted, value, context, variables);
		case "equalsIgnoreCase":
			return literally(wanted.toLowerCase(), value.toLowerCase(), context, variables);
		case "like":
			return matches(glob(wanted, variables), value, variableIn(context));
		case "arn":
			return arnMatches(wanted, value, context, variables);
		case "number":
			return ordered(op, numberOf(wanted), numberOf(value));
		case "date":
			return ordered(op, instantOf(wanted), instantOf(value));
		case "bool":
			return lowerCase(wanted) === lowerCase(value);
		case "binary":
			return wanted === value;
		case "ip": {
			const [outer, inner] = [networkOf(wanted), networkOf(value)];
			return outer === null || inner === null ? null : inNetwork(outer, inner);
		}
		case "null":
			return null;
	}
}

/** StringEquals knows policy variables, but no wildcards. */
function literally(wanted: string, value: string, context: Context, variables: boolean): Truth {
	if (!variables || !wanted.includes("${")) return wanted === value;
	return matches(glob(wanted.replace(/[*?](?![^{]*\})/g, "${$&}"), true), value, variableIn(context));
}

/** "Each of the six colon-delimited components is checked separately, and each can include wildcards"; colons beyond belong to the sixth. */
function arnMatches(wanted: string, value: string, context: Context, variables: boolean): Truth {
	const [outer, inner] = [arnParts(wanted), arnParts(value)];
	if (outer === null || inner === null)
		return matches(glob(wanted, variables), value, variableIn(context)) === false ? false : null;
	return every(outer.map((part, i) => matches(glob(part, variables), inner[i] ?? "", variableIn(context))));
}

/** Colons inside `${…}` do not count; null: no ARN. */
export function arnParts(arn: string): readonly string[] | null {
	const parts = arn.match(/(?:\$\{[^}]*\}|[^:])*(?::|$)/g)?.filter((p, i, all) => p !== "" || i < all.length - 1) ?? [];
	const plain = parts.map((p) => p.replace(/:$/, ""));
	return plain.length < 6 ? null : [...plain.slice(0, 5), plain.slice(5).join(":")];
}

function ordered(op: Operator, wanted: number | null, value: number | null): Truth {
	if (wanted === null || value === null) return null;
	switch (op.order) {
		case "=":
			return value === wanted;
		case "<":
			return value < wanted;
		case "<=":
			return value <= wanted;
		case ">":
			return value > wanted;
		case ">=":
			return value >= wanted;
	}
}

/** `${aws:PrincipalTag/team, 'none'}` has a default. A key of several values has no single one to put in. */
export function variableIn(context: Context): (name: string) => string | undefined {
	return (name) => {
		const [, key = name, fallback] = /^([^,]*?)\s*(?:,\s*'(.*)'\s*)?$/.exec(name) ?? [];
		const values = Object.hasOwn(context, lowerCase(key)) ? context[lowerCase(key)] : undefined;
		return values?.length === 1 ? values[0] : (values?.length ?? 0) === 0 ? fallback : undefined;
	};
}

export function some(truths: readonly Truth[]): Truth {
	return truths.includes(true) ? true : truths.includes(null) ? null : false;
}

export function every(truths: readonly Truth[]): Truth {
	return truths.includes(false) ? false : truths.includes(null) ? null : true;
}
