import type { ResourceKey } from "../model/ids.ts";
import type { PlanFile } from "../model/plan.ts";
import type { Clock } from "../model/ports.ts";
import { HttpError } from "./errors.ts";
import type { Served } from "./served.ts";

/** A plan reads AWS: whoever looks at a page, or reloads it, must not slow down what keeps the accounts. */
const KEPT_MS = 5_000;
const AT_ONCE = 2;
export const PLAN_TIMEOUT_MS = 60_000;

export interface Plans {
	/** Throws HttpError 429 where too many are made. */
	readonly plan: (served: Served, keys: readonly ResourceKey[]) => Promise<PlanFile>;
}

/** Plans for readers: few at once, those who ask for the same share one. `stopped`: ends those under way. */
export function createPlans(clock: Clock, stopped: AbortSignal): Plans {
	const made = new Map<string, { readonly served: Served["store"]; readonly plan: Promise<PlanFile>; at: number | null }>();
	let running = 0;
	return {
		plan: async (served, keys) => {
			const id = keys.join("\n");
			for (const [k, { at }] of made) if (at !== null && Math.abs(clock.millis() - at) >= KEPT_MS) made.delete(k);
			const known = made.get(id);
			if (known !== undefined && known.served === served.store) return await known.plan;
			if (running >= AT_ONCE) {
				throw new HttpError(429, "other plans are being made", "ask again in a few seconds", { "retry-after": "5" });
			}
			running += 1;
			const signal = AbortSignal.any([stopped, AbortSignal.timeout(PLAN_TIMEOUT_MS)]);
			const entry = { served: served.store, plan: served.plan(keys, signal), at: null as number | null };
			made.set(id, entry);
			try {
				const plan = await entry.plan;
				entry.at = clock.millis();
				return plan;
			} catch (error) {
				made.delete(id);
				if (signal.aborted) throw new HttpError(503, "the plan took too long", "ask again", { "retry-after": "10" });
				throw error;
			} finally {
				running -= 1;
			}
		},
	};
}
