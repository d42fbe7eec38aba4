import { lowerCase } from "./canonical.ts";
import { allHold, type Clause, type Context, holds } from "./conditions.ts";
import { glob, instance } from "./glob.ts";
import type { Conditions } from "./implies.ts";
import { instantOf, networkOf, numberOf } from "./operators.ts";

/** Conditions of several statements at once, and a request's condition keys that meet or miss them. */

const OTHER = "other";
const DAY = 86_400_000;
/** Of one condition. A search tries many combinations, so it takes few of each. */
const MOST_VALUES = 12;

/** The context, extended so that all conditions hold; null when no such one is seen. */
export function satisfying(all: readonly Conditions[], context: Context): Context | null {
	const one = all.flatMap(({ clauses, variables }) => clauses.map((clause) => ({ clause, variables })));
	let made = context;
	for (const { clause, variables } of one.toSorted((a, b) => rank(a.clause) - rank(b.clause))) {
		if (holds(clause, made, variables) === true) continue;
		// That a key is there at all is asked beside what it must be.
		const beside = clause.operator?.test === "null" ? one.filter((o) => o.clause.key === clause.key && o.clause !== clause) : [];
		const next = [{ clause, variables }, ...beside]
			.flatMap((o) => proposals(o.clause, made, o.variables))
			.toSorted((a, b) => failures(one, a) - failures(one, b))
			.find((c) => holds(clause, c, variables) === true);
		if (next === undefined) return null;
		made = next;
	}
	// A key given for one condition may have spoilt another.
	return all.every(({ clauses, variables }) => allHold(clauses, made, variables) === true) ? made : null;
}

/** What says plainly what a key must be comes before what speaks of it by a variable, or only wants it there. */
function rank(clause: Clause): number {
	if (clause.operator?.test === "null") return 2;
	return clause.values.some((v) => v.includes("${")) ? 1 : 0;
}

function failures(all: readonly { readonly clause: Clause; readonly variables: boolean }[], context: Context): number {
	return all.filter((o) => holds(o.clause, context, o.variables) === false).length;
}

/** The contexts, each extended by one key, in which the conditions do not all hold. */
export function missing({ clauses, variables }: Conditions, context: Context): readonly Context[] {
	return clauses.flatMap((clause) => {
		if (Object.hasOwn(context, clause.key) && clause.operator?.test !== "null") return [];
		const values = clause.operator?.negated === true ? examples(clause, context, variables) : [OTHER, ...beyond(clause)];
		return [context, ...values.map((v) => ({ ...context, [clause.key]: [v] }))]
			.filter((c) => holds(clause, c, variables) === false)
			.slice(0, MOST_VALUES);
	});
}

/** Contexts that meet all conditions, one for each value that a condition lets choose; the plainest first. */
export function satisfyingAll(all: readonly Conditions[]): readonly Context[] {
	const first = satisfying(all, {});
	const chosen = all.flatMap(({ clauses, variables }) =>
		clauses.flatMap((clause) =>
			proposals(clause, {}, variables)
				.slice(1, MOST_VALUES)
				.map((c) => satisfying(all, c)),
		),
	);
	return [first, ...chosen].filter((c) => c !== null);
}

function proposals(clause: Clause, context: Context, variables: boolean): readonly Context[] {
	const op = clause.operator;
	// A key that is there already was given for another condition.
	if (op === null || Object.hasOwn(context, clause.key)) return [];
	const values = op.test === "null" || op.negated ? [OTHER] : examples(clause, context, variables);
	const named = variables && !op.negated ? variablesIn(clause.values, context) : {};
	return values.map((v) => ({ ...named, ...context, [clause.key]: [v] }));
}

/** Values for the policy variables. */
export function variablesIn(texts: readonly string[], context: Context): Context {
	const names = texts.flatMap((text) =>
		glob(text, true).tokens.flatMap((t) => (t.is === "unknown" && t.variable ? [t.name] : [])),
	);
	return Object.fromEntries(names.map((name) => [lowerCase(name.replace(/\s*,.*$/, "")), [example(name, context)]]));
}

/** Values that the clause's own match. */
function examples(clause: Clause, context: Context, variables: boolean): readonly string[] {
	const fill = (name: string | null) => (name === null ? "x" : example(name, context));
	return clause.values.flatMap((value) => {
		switch (clause.operator?.test) {
			case "like":
			case "arn":
				return [instance(glob(value, variables), fill)];
			case "equals":
			case "equalsIgnoreCase":
				return [variables && value.includes("${") ? instance(glob(value, true), fill) : value];
			case "number": {
				const n = numberOf(value);
				return n === null ? [] : [String(n + step(clause))];
			}
			case "date": {
				const ms = instantOf(value);
				return ms === null ? [] : [new Date(ms + step(clause) * DAY).toISOString().replace(".000Z", "Z")];
			}
			case "ip": {
				const network = networkOf(value);
				return network === null ? [] : [value.replace(/\/.*$/, "")];
			}
			default:
				return [value];
		}
	});
}

/** For numbers and dates, values on the other side of the limit. */
function beyond(clause: Clause): readonly string[] {
	const [value = ""] = clause.values;
	const away = step(clause) === 0 ? 1 : -step(clause);
	if (clause.operator?.test === "number") return [String((numberOf(value) ?? 0) + away)];
	if (clause.operator?.test === "date")
		return [new Date((instantOf(value) ?? 0) + away * DAY).toISOString().replace(".000Z", "Z")];
	if (clause.operator?.test === "bool") return [value.toLowerCase() === "true" ? "false" : "true"];
	if (clause.operator?.test === "ip") return ["198.51.100.7", "2001:db8::7"];
	return [];
}

function step(clause: Clause): number {
	const order = clause.operator?.order ?? "=";
	return order.startsWith("<") ? -1 : order.startsWith(">") ? 1 : 0;
}

/** What stands for a policy variable or for a value that is not known offline. */
export function example(name: string, context: Context): string {
	const key = name.replace(/\s*,.*$/, "").toLowerCase();
	const given = Object.hasOwn(context, key) ? context[key]?.[0] : undefined;
	if (given !== undefined) return given;
	if (/account(\.?id)?$/.test(key)) return "123456789012";
	if (/region$/.test(key)) return "eu-west-1";
	return key === "account.partition" ? "aws" : "x";
}
