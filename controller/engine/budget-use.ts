import type { Account } from "../model/account.ts";
import type { Instant } from "../model/ids.ts";
import { instantAt } from "../model/instant.ts";
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
/** By its id: whatever git calls it, and however often it is called anew, an account may lose only so much. */
const keyOf = ({ accountId, name }: BudgetAccount): string => `budget/${accountId ?? name}`;
/** As an older version kept it, which counted by the account's name in git. */
const oldKeyOf = ({ name }: BudgetAccount): string => `budget/${name}`;

type BudgetAccount = Pick<Account, "name" | "accountId">;

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
	account: BudgetAccount,
	nowMs: number,
): Promise<{ readonly deletions: number; readonly narrowings: number; readonly rememberedFrom: Instant | null }> {
	const [uses, since] =
		store === null
			? [[], undefined]
			: await Promise.all([
					usesOf(store, account, nowMs).then((u) => u.uses),
					store.getControl(SINCE).then((found) => found?.value),
				]);
	const from = typeof since === "string" ? Date.parse(since) + WINDOW_MS : null;
	const remembers = from !== null && from <= nowMs;
	return {
		deletions: remembers ? uses.filter((u) => u.what === "deletions").length : Number.POSITIVE_INFINITY,
		narrowings: uses.filter((u) => u.what === "narrowings").length,
		rememberedFrom: from === null ? null : instantAt(from),
	};
}

/** Counts what was written just now, a role once in 24 h. A plan that a person saw counts no narrowings. */
export async function recordBudget(
	runs: readonly StepRun[],
	options: {
		readonly shown: boolean;
		/** Those of the plan file. */
		readonly accounts: readonly { readonly account: BudgetAccount }[];
		readonly store: Store;
		readonly clock: Clock;
	},
): Promise<void> {
	const { shown, accounts, store, clock } = options;
	await beginToRemember(store, clock);
	const written = runs.filter((r) => r.outcome !== null);
	const counts = (r: StepRun): boolean => r.step.call.api === "iam:DeleteRole" || (!shown && countsAsNarrowing(r.step));
	for (const [name, own] of Map.groupBy(written.filter(counts), (r) => r.plan.account)) {
		const account = accounts.find((a) => a.account.name === name)?.account ?? { name, accountId: null };
		for (;;) {
			const { uses: old, version } = await usesOf(store, account, clock.millis());
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
			if (fresh.length === 0 || (await store.putControl(keyOf(account), [...old, ...fresh], version))) break;
		}
	}
}

/** All that is remembered of an account, once each; `version` is that of what stands under its id. */
async function usesOf(
	store: Store,
	account: BudgetAccount,
	nowMs: number,
): Promise<{ readonly uses: readonly Use[]; readonly version: number }> {
	const [own, older] = await Promise.all([
		store.getControl(keyOf(account)),
		oldKeyOf(account) === keyOf(account) ? undefined : store.getControl(oldKeyOf(account)),
	]);
	const all = [...recent(own?.value, nowMs), ...recent(older?.value, nowMs)];
	const once = new Map(all.map((u) => [`${u.what} ${u.role}`, u]));
	return { uses: [...once.values()], version: own?.version ?? 0 };
}

function recent(value: unknown, nowMs: number): readonly Use[] {
	if (!Array.isArray(value)) return [];
	return (value as Use[]).filter((u) => Date.parse(u.at) > nowMs - WINDOW_MS);
}
