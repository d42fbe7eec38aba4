import type { Account } from "../model/account.ts";
import { durationMs } from "../model/duration.ts";
import { asError, TerminalError, WaitingError } from "../model/errors.ts";
import type { Pause } from "../model/halt.ts";
import type { Hint } from "../model/hint.ts";
import type { Instant, ResourceKey } from "../model/ids.ts";
import type { Plan } from "../model/plan.ts";
import type { Clock, Store } from "../model/ports.ts";
import type { ActionCatalogue } from "../policy/action-catalogue.ts";
import type { Admitted } from "./admission.ts";
import { createFollower, type FollowedSource, type Refused } from "./follower.ts";
import { changedKeys, type InForce } from "./in-force.ts";
import type { Pass, Passes, Scope } from "./pass.ts";
import { createWorkqueue, type PassEvent, type PassResult, type Urgency, type Workqueue } from "./workqueue.ts";

export interface ManagerDeps {
	readonly source: FollowedSource;
	readonly actions: ActionCatalogue;
	readonly passes: Passes;
	readonly store: Store;
	readonly clock: Clock;
	/** 0 to below 1, for jitter. */
	readonly random: () => number;
	/** Milliseconds between two looks at the source. */
	readonly pollMs: number;
	/** Seconds until a key must be passed over again because of what its last pass left under way; null: nothing is. */
	readonly again: (pass: Pass, key: ResourceKey) => number | null;
	/** The same, of what a run that ends must not leave half done; absent: nothing is. */
	readonly follow?: (pass: Pass, key: ResourceKey) => number | null;
	readonly observe: (event: ManagerEvent) => void;
}

/** For logs, metrics and announcements. */
export type ManagerEvent =
	| { readonly type: "admitted"; readonly revision: string; readonly keys: number; readonly changed: number }
	| ({ readonly type: "refused" } & Refused)
	| { readonly type: "fetchFailed"; readonly error: Error }
	| {
			readonly type: "resynced";
			readonly account: string;
			readonly keys: number;
			readonly withWork: number;
			readonly calls: number;
			readonly milliseconds: number;
	  }
	| { readonly type: "resyncFailed"; readonly account: string; readonly error: Error }
	| { readonly type: "pass"; readonly account: string; readonly pass: PassEvent }
	| { readonly type: "applied"; readonly pass: Pass }
	/** Part of a resync, with the plans that have nothing to carry out. */
	| { readonly type: "looked"; readonly pass: Pass };

export interface ManagerState {
	readonly admitted: Admitted | null;
	readonly refused: Refused | null;
	/** Why the source could not be read the last time; null: it could. */
	readonly sourceError: string | null;
	/** By account: when all of it was last looked at. */
	readonly resynced: ReadonlyMap<string, Instant>;
	/** By account: why it could not be looked at the last time. */
	readonly accountErrors: ReadonlyMap<string, string>;
	/** The pause that the last pass found; null: none. */
	readonly paused: Pause | null;
	readonly queue: ReturnType<Workqueue["depth"]>;
	readonly inForce: InForce | null;
}

export interface Manager {
	/** Reads the source where it moved, admits or refuses, and asks for what changed. */
	readonly poll: (signal: AbortSignal) => Promise<void>;
	/** Plans everything in bulk, each account by itself, and asks for a pass over each key that has something to do. */
	readonly resync: (signal: AbortSignal) => Promise<void>;
	/** One pass over everything, carried out; for a run that ends. */
	readonly once: (signal: AbortSignal) => Promise<Pass>;
	readonly hint: (hint: Hint) => void;
	/** Asks for a pass over a key, or over all of them. */
	readonly ask: (key: ResourceKey | null) => void;
	/** Polls and resyncs until aborted; then finishes what runs. */
	readonly run: (signal: AbortSignal) => Promise<void>;
	/** Resolves when no key waits or runs. */
	readonly idle: () => Promise<void>;
	readonly state: () => ManagerState;
}

/** Passes of one account at once; another account's trouble takes none of them. */
const CONCURRENCY = 8;
/** IAM's propagation waits stand within a pass. */
const PASS_TIMEOUT_MS = 10 * 60_000;
/** Events of one change come in bursts. */
const DEBOUNCE_MS = 500;
const DEFAULT_RESYNC_MS = 10 * 60_000;
/** A run that ends does not leave a rotation half done, nor stay for one that waits. */
const FOLLOW_MS = 30 * 60_000;
const FOLLOWED_SECONDS = 15;
/** Up to here a pass a key costs fewer calls than a plan of all that changed. */
const SINGLE_PASSES = 8;

/**
 * Keeps the accounts as the source says: a new revision is admitted or refused, the keys it changes are passed over, events
 * make it faster, the resync makes it right. One at a time holds the lease; the caller sees to that.
 */
export function createManager(deps: ManagerDeps): Manager {
	const { clock, passes, observe } = deps;
	const resynced = new Map<string, Instant>();
	const accountErrors = new Map<string, string>();
	const accountOf = new Map<ResourceKey, string>();
	/** What may leave a role behind: a pass over it also plans removals, which asks for all roles of the account. */
	const leaves = new Set<ResourceKey>();
	const resyncing = new Map<string, Promise<void>>();
	const queues = new Map<string, Workqueue>();
	const stopped = new AbortController();

	const queueOf = (account: string): Workqueue => {
		const queue =
			queues.get(account) ??
			createWorkqueue({
				pass: (key, signal) => passOver(key, account, AbortSignal.any([signal, stopped.signal])),
				clock,
				random: deps.random,
				concurrency: CONCURRENCY,
				passTimeoutMs: PASS_TIMEOUT_MS,
				observe: (pass) => observe({ type: "pass", account, pass }),
			});
		queues.set(account, queue);
		return queue;
	};
	const add = (key: ResourceKey, urgency: Urgency, delayMs = 0): void => {
		const account = accountOf.get(key);
		if (account !== undefined) queueOf(account).add(key, urgency, { delayMs });
	};

	const follower = createFollower({
		...deps,
		admitted: (before, next) => {
			for (const i of next.catalog.instances) accountOf.set(i.key, i.account.name);
			// The first revision of a process is read in bulk: a pass a key would cost many times the calls.
			const changed = before === null ? [] : changedKeys(before, next);
			observe({ type: "admitted", revision: next.summary.revision, keys: next.asks.size, changed: changed.length });
			if (changed.length <= SINGLE_PASSES) {
				for (const key of changed) {
					leaves.add(key);
					add(key, "commit");
				}
			} else for (const a of next.catalog.view.accounts) void resyncAccount(a, "commit", new Set(changed), stopped.signal);
		},
		refused: (refused) => observe({ type: "refused", ...refused }),
		failed: (error) => observe({ type: "fetchFailed", error }),
	});
	const { poll } = follower;

	const passOver = async (key: ResourceKey, account: string, signal: AbortSignal): Promise<PassResult> => {
		const inForce = follower.inForce();
		if (inForce === null) throw new WaitingError("NoRevision", "no revision is in force yet", 5);
		const scope: Scope = { keys: new Set([key]), accounts: new Set([account]), removals: leaves.has(key) };
		const pass = await passes.carryOut(inForce, scope, signal);
		const failure = pass.failures.get(account);
		if (failure !== undefined) throw failure;
		leaves.delete(key);
		observe({ type: "applied", pass });
		const failed = pass.execution.runs.find((r) => r.error !== null);
		if (failed?.error != null) throw failed.error;
		if (pass.execution.notRun.some((n) => !pass.mistaken.has(n.plan)))
			throw new Error(`steps of ${key} were left when the pass ended`);
		return { requeueAfterSeconds: deps.again(pass, key) };
	};

	const resyncAccount = async (
		account: Account,
		urgency: Urgency,
		keys: ReadonlySet<ResourceKey> | null,
		signal: AbortSignal,
	): Promise<void> => {
		const inForce = follower.inForce();
		if (inForce === null) return;
		const sum = { keys: 0, withWork: 0, calls: 0, milliseconds: 0 };
		try {
			const each = async (slice: Pass): Promise<void> => {
				const failure = slice.failures.get(account.name);
				if (failure !== undefined) throw failure;
				const busy = new Set(slice.file.plans.filter((p) => hasWork(p, slice)));
				await passes.record(slice, (p) => !busy.has(p), false);
				observe({
					type: "looked",
					pass: { ...slice, file: { ...slice.file, plans: slice.file.plans.filter((p) => !busy.has(p)) } },
				});
				for (const p of slice.file.plans) {
					const key = accountOf.has(p.key) ? p.key : goneKey(p, account.name);
					if (busy.has(p) && slice.removals) leaves.add(key);
					const again = busy.has(p) ? null : deps.again(slice, p.key);
					if (busy.has(p)) add(key, urgency);
					// Something is under way that an earlier process, or nobody, is told the end of.
					else if (again !== null) add(key, "retry", again * 1000);
				}
				sum.keys += slice.file.plans.length;
				sum.withWork += busy.size;
				// Of the account's access, which the slices share.
				sum.calls = slice.file.reads.calls;
				sum.milliseconds += slice.file.reads.milliseconds;
			};
			await passes.sweep(inForce, account.name, keys, each, signal);
			accountErrors.delete(account.name);
			if (keys === null) resynced.set(account.name, clock.now());
			observe({ type: "resynced", account: account.name, ...sum });
		} catch (error) {
			if (signal.aborted) return;
			const failure = asError(error);
			accountErrors.set(account.name, failure.message);
			observe({ type: "resyncFailed", account: account.name, error: failure });
		}
	};

	/** A removal is keyed by the owner mark, which names no account. */
	const goneKey = (plan: Plan, account: string): ResourceKey => {
		const key = `${plan.key}@${account}`;
		accountOf.set(key, account);
		return key;
	};

	const resync = async (signal: AbortSignal): Promise<void> => {
		const accounts = follower.inForce()?.catalog.view.accounts ?? [];
		await Promise.all(
			accounts.map((account) => {
				const running = resyncing.get(account.name);
				if (running !== undefined) return running;
				const mine = resyncAccount(account, "resync", null, signal).finally(() => resyncing.delete(account.name));
				resyncing.set(account.name, mine);
				return mine;
			}),
		);
	};

	/** Passes again over what is under way, until it is done or waits for longer than a moment. */
	const followUp = async (inForce: InForce, first: Pass, signal: AbortSignal): Promise<Pass> => {
		let last = first;
		const runs = [...first.execution.runs];
		const ends = clock.millis() + FOLLOW_MS;
		for (;;) {
			const soon = last.file.plans.flatMap((p) => {
				const seconds = deps.follow?.(last, p.key) ?? null;
				return seconds !== null && seconds <= FOLLOWED_SECONDS ? [{ plan: p, seconds }] : [];
			});
			if (soon.length === 0 || clock.millis() > ends || signal.aborted) break;
			await clock.sleep(Math.min(...soon.map((s) => s.seconds)) * 1000, signal).catch(() => {});
			if (signal.aborted) break;
			const keys = new Set(soon.map((s) => s.plan.key));
			last = await passes.carryOut(inForce, { keys, accounts: new Set(soon.map((s) => s.plan.account)) }, signal);
			observe({ type: "applied", pass: last });
			runs.push(...last.execution.runs);
		}
		if (last === first) return first;
		const again = new Set(last.file.plans.map((p) => p.key));
		const waiting = [...first.execution.waiting.filter((w) => !again.has(w.plan.key)), ...last.execution.waiting];
		return { ...first, execution: { ...last.execution, runs, waiting } };
	};

	const every = async (ms: () => number, work: () => Promise<void>, signal: AbortSignal): Promise<void> => {
		while (!signal.aborted) {
			await clock.sleep(ms() * (0.9 + deps.random() * 0.2), signal).catch(() => {});
			if (!signal.aborted) await work().catch((error: unknown) => observe({ type: "fetchFailed", error: asError(error) }));
		}
	};

	const ask = (key: ResourceKey | null): void => {
		if (key === null) void resync(stopped.signal);
		else add(key, "event");
	};
	return {
		poll,
		resync,
		once: async (signal) => {
			const inForce = follower.inForce();
			if (inForce === null) {
				const { refused, sourceError } = follower.state();
				throw new TerminalError("NoRevision", refused?.message ?? sourceError ?? "no revision is in force");
			}
			const pass = await passes.carryOut(inForce, {}, signal);
			observe({ type: "applied", pass });
			return followUp(inForce, pass, signal);
		},
		hint: (hint) => {
			if (hint.type === "source") void poll(stopped.signal).catch(() => {});
			else if (hint.type === "resync" && hint.key === null) ask(null);
			else for (const key of follower.inForce()?.referrers(hint) ?? []) add(key, "event", DEBOUNCE_MS);
		},
		ask,
		run: async (signal) => {
			const end = (): void => stopped.abort(signal.reason);
			signal.addEventListener("abort", end, { once: true });
			await poll(signal).catch(() => {});
			// Not awaited: one slow account must not hold the clock of the others.
			const resyncAll = async (): Promise<void> => void resync(signal);
			await resyncAll();
			await Promise.all([
				every(
					() => deps.pollMs,
					() => poll(signal),
					signal,
				),
				every(() => resyncMs(follower.inForce()), resyncAll, signal),
			]);
			await Promise.all([...queues.values()].map((q) => q.stop()));
		},
		idle: async () => {
			await Promise.all([...queues.values()].map((q) => q.idle()));
		},
		state: () => ({
			admitted: follower.inForce()?.summary ?? null,
			...follower.state(),
			resynced,
			accountErrors,
			paused: passes.paused(),
			queue: depthOf([...queues.values()]),
			inForce: follower.inForce(),
		}),
	};
}

function hasWork(plan: Plan, pass: Pass): boolean {
	return !pass.mistaken.has(plan) && plan.steps.some((s) => s.state === "ready");
}

function depthOf(queues: readonly Workqueue[]): ManagerState["queue"] {
	const sum = { waiting: 0, running: 0, scheduled: 0 };
	for (const q of queues) {
		const { waiting, running, scheduled } = q.depth();
		sum.waiting += waiting;
		sum.running += running;
		sum.scheduled += scheduled;
	}
	return sum;
}

function resyncMs(inForce: InForce | null): number {
	// Nothing is in force: look again soon.
	if (inForce === null) return 5_000;
	return durationMs(inForce.spec.resync ?? "") ?? DEFAULT_RESYNC_MS;
}
