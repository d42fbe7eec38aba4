import type { StatementSpec } from "../model/generated/specs.ts";
import type { Instant } from "../model/ids.ts";
import { instantAt } from "../model/instant.ts";
import { type InterpolationFault, interpolate, type Scope } from "../model/interpolate.ts";
import type { FieldPath } from "../model/resource.ts";
import type { ConditionBlock, ConditionValue, Statement } from "../policy/document.ts";
import { resourceProblem } from "./statement-check.ts";

/** What is wrong once the values are in, with where in the statement. */
export interface CompileFault {
	readonly path: FieldPath;
	readonly fault:
		| InterpolationFault
		| { readonly text: string; readonly kind: "resource" | "date"; readonly message: string; readonly fix?: string };
}

export interface Compiled {
	readonly statement: Statement;
	readonly expiresAt: Instant | null;
	readonly faults: readonly CompileFault[];
}

/** From what a person writes to what IAM takes: values in place, and an end that IAM itself keeps. */
export function compileStatement(s: StatementSpec, scope: Scope, until: Instant | null = null): Compiled {
	const faults: CompileFault[] = [];
	const fill = (text: string, path: FieldPath) => {
		if (!text.includes("${")) return text;
		const { text: out, faults: wrong } = interpolate(text, scope);
		for (const fault of wrong) faults.push({ path, fault });
		return out;
	};
	const arns = (field: "resources" | "notResources") =>
		s[field]?.map((text, n) => {
			const out = fill(text, [field, n]);
			// What begins with a value could not be judged as it was written.
			const wrong = text.startsWith("${") && !out.startsWith("${") ? resourceProblem(out) : null;
			if (wrong !== null) faults.push({ path: [field, n], fault: { text, kind: "resource", ...wrong } });
			return out;
		});
	// A Deny that ends would fail open; the check refuses it, and it must not end here either.
	const expiresAt = s.effect === "Deny" ? null : earliest(s.expiresAt, until);
	let condition = fillConditions(s.conditions, fill);
	if (expiresAt !== null) {
		const limited = untilCondition(condition, expiresAt);
		if (limited === null) {
			const fix = "write a time, or leave the key to expiresAt";
			faults.push({
				path: ["conditions"],
				fault: { text: "", kind: "date", message: "DateLessThan aws:CurrentTime is not a time", fix },
			});
		} else condition = limited;
	}
	const statement: Statement = {
		...(s.sid === undefined || s.sid === "" ? {} : { Sid: s.sid }),
		Effect: s.effect ?? "Allow",
		...named("Action", s.actions),
		...named("NotAction", s.notActions),
		...named("Resource", arns("resources")),
		...named("NotResource", arns("notResources")),
		...(condition === undefined || Object.keys(condition).length === 0 ? {} : { Condition: condition }),
	};
	return { statement, expiresAt, faults };
}

/** A list of one is written as one: it counts less against the quota. */
function named<K extends string>(
	name: K,
	values: readonly string[] | undefined,
): { readonly [P in K]?: string | readonly string[] } {
	if (values === undefined) return {};
	const [only] = values;
	return { [name]: values.length === 1 && only !== undefined ? only : values } as { [P in K]?: string | readonly string[] };
}

export function fillConditions(
	block: ConditionBlock | undefined,
	fill: (text: string, path: FieldPath) => string,
): ConditionBlock | undefined {
	if (block === undefined) return undefined;
	const out: Record<string, Record<string, ConditionValue>> = {};
	for (const [operator, keys] of Object.entries(block)) {
		const filled: Record<string, ConditionValue> = {};
		for (const [key, value] of Object.entries(keys)) {
			const path = ["conditions", operator, key];
			if (typeof value === "string") filled[key] = fill(value, path);
			else if (Array.isArray(value)) filled[key] = value.map((v, n) => (typeof v === "string" ? fill(v, [...path, n]) : v));
			else filled[key] = value;
		}
		out[operator] = filled;
	}
	return out;
}

/** Seconds, in UTC, as the rest of the program writes times. */
export function instant(text: string): Instant {
	return instantAt(Date.parse(text));
}

function earliest(a: string | undefined, b: Instant | null): Instant | null {
	if (a === undefined) return b;
	const own = instant(a);
	return b === null || own < b ? own : b;
}

/**
 * Adds the end. Where the author wrote that key himself the earliest wins: of several values any may match, so theirs is
 * the latest of them. Null: what stands there is not a time.
 */
function untilCondition(block: ConditionBlock | undefined, end: Instant): ConditionBlock | null {
	const own = block?.DateLessThan ?? {};
	const key = Object.keys(own).find((k) => k.toLowerCase() === "aws:currenttime") ?? "aws:CurrentTime";
	const written = own[key];
	if (written === undefined) return { ...block, DateLessThan: { ...own, [key]: end } };
	const times = (Array.isArray(written) ? written : [written]).map((v) => dateOf(v));
	if (times.some(Number.isNaN)) return null;
	const latest = Math.max(...times);
	return latest <= Date.parse(end) ? (block ?? {}) : { ...block, DateLessThan: { ...own, [key]: end } };
}

/** IAM takes ISO 8601 and seconds since the epoch. */
function dateOf(value: unknown): number {
	if (typeof value === "number") return value * 1000;
	const text = String(value);
	return /^\d{9,}$/.test(text) ? Number(text) * 1000 : Date.parse(text);
}
