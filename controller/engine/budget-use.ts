import type { Instant } from "../model/ids.ts";
import type { Clock, Store } from "../model/ports.ts";
import { countsAsNarrowing } from "../plan/budgets.ts";
import type { StepRun } from "./execute.ts";

/** What an account has used up, in the control state: one entry a role. */
interface Use {
	readonly at: Instant;
	readonly what: "deletions" | "narrowings";
	readonly role: string;
}

/** KINDS.md, Installation: a rolling 24 h. */
const WINDOW_MS = 24 * 3_600_000;
/** Control-state key of when this store began to remember. */
const SINCE = "budget-since";
const keyOf = (account: string): string => `budget/${account}`;

/** From now on, where nothing was remembered before. */
export async function beginToRemember(store: Store, clock: Clock): Promise<void> {
	// Who loses the race for it found it made by another.
	if ((await store.getControl(SINCE)) === undefined) await store.putControl(SINCE, clock.now() satisfies Instant, 0);
}

/**
 * What was used up. In a store that is younger than the window, or not there, nobody knows: then no role is deleted
 * (ARCHITECTURE.md, Applying safely: an absent private store is a fresh one, and deletions wait 24 h).
 */
export async function usedBudget(
	store: Store | null,
	account: string,
	nowMs: number,
): Promise<{ readonly deletions: number; readonly narrowings: number; readonly rememberedFrom: Instant | null }> {
	const uses = recent((await store?.getControl(keyOf(account)))?.value, nowMs);
	const since = (await store?.getControl(SINCE))?.value;
	const from = typeof since === "string" ? Date.parse(since) + WINDOW_MS : null;
	const remembers = from !== null && from <= nowMs;
	return {
		deletions: remembers ? uses.filter((u) => u.what === "deletions").length : Number.POSITIVE_INFINITY,
		narrowings: uses.filter((u) => u.what === "narrowings").length,
		rememberedFrom: from === null ? null : new Date(from).toISOString().replace(/\.\d+Z$/, "Z"),
	};
}

/** Counts what was written just now, a role once in 24 h. A plan that a person saw counts no narrowings. */
export async function recordBudget(
	runs: readonly StepRun[],
	options: { readonly shown: boolean; readonly store: Store; readonly clock: Clock },
): Promise<void> {
	const { shown, store, clock } = options;
	await beginToRemember(store, clock);
	const written = runs.filter((r) => r.outcome !== null);
	for (const [account, own] of Map.groupBy(written, (r) => r.plan.account)) {
		for (;;) {
			const before = await store.getControl(keyOf(account));
			const old = recent(before?.value, clock.millis());
			const at = clock.now();
			const uses = (what: Use["what"], of: (r: StepRun) => boolean): Use[] =>
				[...new Set(own.filter(of).map((r) => r.step.target.name))]
					.filter((role) => !old.some((u) => u.what === what && u.role === role))
					.map((role) => ({ at, what, role }));
			const fresh = [
				// The last step is the deletion: one that was cut short may be finished, and is charged for then.
				...uses("deletions", (r) => r.step.call.api === "iam:DeleteRole"),
				...(shown ? [] : uses("narrowings", (r) => countsAsNarrowing(r.step))),
			];
			// Passes of one process run side by side, and each adds its own.
			if (fresh.length === 0 || (await store.putControl(keyOf(account), [...old, ...fresh], before?.version ?? 0))) break;
		}
	}
}

function recent(value: unknown, nowMs: number): readonly Use[] {
	if (!Array.isArray(value)) return [];
	return (value as Use[]).filter((u) => Date.parse(u.at) > nowMs - WINDOW_MS);
}
