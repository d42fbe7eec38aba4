import { digest, stableJson } from "../model/digest.ts";
import type { Digest } from "../model/ids.ts";
import { MARK } from "../model/marks.ts";
import type { Plan, Step } from "../model/plan.ts";

/**
 * What two plans of one moment and the next must agree in. The time of a retirement is the pass's own, so it is not in a
 * hash: a plan saved now and asked for again in a minute is the same plan.
 */
export function timeless(value: unknown): unknown {
	if (Array.isArray(value)) return value.map(timeless);
	if (value === null || typeof value !== "object") return value;
	const retires = "what" in value && "name" in value && value.name === MARK.retiredAt;
	return Object.fromEntries(
		Object.entries(value).map(([k, v]) => [
			k,
			typeof v === "string" && (k === MARK.retiredAt || (retires && k === "to")) ? "now" : timeless(v),
		]),
	);
}

/** Hash of the steps of one plan. */
export function planId(steps: readonly Step[]): Digest {
	return digest(stableJson(timeless(steps)));
}

/** Hash of all steps of all plans, in the order of their keys. */
export function planFileId(plans: readonly Plan[]): Digest {
	const all = plans.map((p) => ({ key: p.key, account: p.account, steps: timeless(p.steps) }));
	const order = (p: { readonly key: string; readonly account: string }): string => `${p.account}\n${p.key}`;
	return digest(stableJson(all.sort((a, b) => (order(a) < order(b) ? -1 : order(a) > order(b) ? 1 : 0))));
}
