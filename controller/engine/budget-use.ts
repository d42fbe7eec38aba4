import type { Instant } from "../model/ids.ts";
import type { Clock, Store } from "../model/ports.ts";
import { countsAsNarrowing } from "../plan/budgets.ts";
import { deletes } from "../plan/step-kinds.ts";
import type { StepRun } from "./execute.ts";

/** What an account has used up, in the control state: one entry a role. */
interface Use {
	readonly at: Instant;
	readonly what: "deletions" | "narrowings";
	readonly role: string;
}

/** KINDS.md, Installation: a rolling 24 h. */
const WINDOW_MS = 24 * 3_600_000;
const keyOf = (account: string): string => `budget/${account}`;

export async function usedBudget(
	store: Store | null,
	account: string,
	nowMs: number,
): Promise<{ readonly deletions: number; readonly narrowings: number }> {
	const uses = recent((await store?.getControl(keyOf(account)))?.value, nowMs);
	return {
		deletions: uses.filter((u) => u.what === "deletions").length,
		narrowings: uses.filter((u) => u.what === "narrowings").length,
	};
}

/** Counts what was written just now, a role once. A plan that a person saw counts no narrowings. */
export async function recordBudget(
	runs: readonly StepRun[],
	options: { readonly shown: boolean; readonly store: Store; readonly clock: Clock },
): Promise<void> {
	const { shown, store, clock } = options;
	const written = runs.filter((r) => r.outcome?.result === "applied");
	for (const [account, own] of Map.groupBy(written, (r) => r.plan.account)) {
		const roles = (of: (r: StepRun) => boolean): string[] => [...new Set(own.filter(of).map((r) => r.step.target.name))];
		const at = clock.now();
		const uses: Use[] = [
			...roles((r) => deletes(r.step)).map((role): Use => ({ at, what: "deletions", role })),
			...(shown ? [] : roles((r) => countsAsNarrowing(r.step)).map((role): Use => ({ at, what: "narrowings", role }))),
		];
		if (uses.length === 0) continue;
		for (;;) {
			const before = await store.getControl(keyOf(account));
			const all = [...recent(before?.value, clock.millis()), ...uses];
			// Passes of one process run side by side, and each adds its own.
			if (await store.putControl(keyOf(account), all, before?.version ?? 0)) break;
		}
	}
}

function recent(value: unknown, nowMs: number): readonly Use[] {
	if (!Array.isArray(value)) return [];
	return (value as Use[]).filter((u) => Date.parse(u.at) > nowMs - WINDOW_MS);
}
