import { arnParts, type Clause } from "./conditions.ts";
import { contains, glob } from "./glob.ts";
import { inNetwork, instantOf, networkOf, numberOf, type Operator } from "./operators.ts";

/** The conditions of a statement; `variables`: whether `${…}` means anything in its document. */
export interface Conditions {
	readonly clauses: readonly Clause[];
	readonly variables: boolean;
}

/**
 * Whether every request that meets `strong` meets `weak`. Conservative: false where it is not seen at once, clause by
 * clause.
 */
export function conditionsImply(strong: Conditions, weak: Conditions): boolean {
	return weak.clauses.every((w) =>
		strong.clauses.some((s) => {
			if (s.key !== w.key) return false;
			const literal = ![...s.values, ...w.values].some((v) => v.includes("${"));
			return (literal || strong.variables === weak.variables) && clauseImplies(s, w, strong.variables);
		}),
	);
}

function clauseImplies(s: Clause, w: Clause, variables: boolean): boolean {
	if (s.written === w.written && s.values.every((v) => w.values.includes(v)) && w.values.every((v) => s.values.includes(v)))
		return true;
	const [strong, weak] = [s.operator, w.operator];
	if (strong === null || weak === null) return false;
	if (weak.test === "null") {
		// A value that was found equal to something was there.
		const present = strong.test !== "null" && !strong.negated && !strong.ifExists && strong.each !== "all";
		return present && w.values.length > 0 && w.values.every((v) => v === "false");
	}
	if (strong.each !== weak.each || strong.negated !== weak.negated) return false;
	const missing = strong.ifExists && !weak.ifExists;
	if (missing && !(strong.negated && strong.each === null)) return false;
	const inside = within(strong, weak, variables);
	if (inside === null) return false;
	// Alternatives: each of the stronger lies within one of the weaker. Forbidden values: the other way round.
	return strong.negated
		? w.values.every((v) => s.values.some((by) => inside(v, by)))
		: s.values.every((v) => w.values.some((by) => inside(v, by)));
}

/** Whether what matches the first value of the policy also matches the second; null: the operators are not comparable. */
function within(strong: Operator, weak: Operator, variables: boolean): ((value: string, by: string) => boolean) | null {
	if (strong.test !== weak.test) {
		// Without wildcards or variables of its own, the value that must be equal is one string.
		const literal = strong.test === "equals" && weak.test === "like" && !strong.negated;
		return literal ? (v, by) => !/[*?]|\$\{/.test(v) && contains(glob(by, variables), glob(v, variables)) : null;
	}
	switch (strong.test) {
		case "equals":
		case "binary":
			return (v, by) => v === by;
		case "equalsIgnoreCase":
		case "bool":
			return (v, by) => v.toLowerCase() === by.toLowerCase();
		case "like":
			return (v, by) => contains(glob(by, variables), glob(v, variables));
		case "arn":
			return (v, by) => {
				const [inner, outer] = [arnParts(v), arnParts(by)];
				if (inner === null || outer === null) return v === by;
				return outer.every((part, i) => contains(glob(part, variables), glob(inner[i] ?? "", variables)));
			};
		case "number":
			return ordered(strong, weak, numberOf);
		case "date":
			return ordered(strong, weak, instantOf);
		case "ip":
			return (v, by) => {
				const [inner, outer] = [networkOf(v), networkOf(by)];
				return inner === null || outer === null ? v === by : inNetwork(outer, inner);
			};
		case "null":
			return null;
	}
}

/** `< 5` lies within `< 7` and `<= 7`, `<= 5` within `< 7` but not within `< 5`. */
function ordered(
	strong: Operator,
	weak: Operator,
	read: (text: string) => number | null,
): ((v: string, by: string) => boolean) | null {
	const [direction, other] = [strong.order.charAt(0), weak.order.charAt(0)];
	if (direction !== other) return null;
	const strict = weak.order.length === 1 && strong.order.length === 2;
	return (v, by) => {
		const [a, b] = [read(v), read(by)];
		if (a === null || b === null) return false;
		if (direction === "=") return a === b;
		const less = direction === "<" ? b - a : a - b;
		return strict ? less > 0 : less >= 0;
	};
}
