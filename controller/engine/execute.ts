import PQueue from "p-queue";
import { shortDigest } from "../model/digest.ts";
import { asError, TerminalError } from "../model/errors.ts";
import type { Halt } from "../model/halt.ts";
import type { Instant, StepId } from "../model/ids.ts";
import type { Plan, PlanFile, Step } from "../model/plan.ts";
import type { AccountAccess, Clock, Outcome, Store } from "../model/ports.ts";
import type { HistoryEntry } from "../model/status.ts";
import { targetId } from "../model/target.ts";
import { driftedPart } from "../plan/drift.ts";
import { SETTLE_SECONDS } from "../plan/order.ts";
import { recentGrants, replacedAt } from "./recent-grants.ts";

/** One step that was tried. */
export interface StepRun {
	readonly plan: Plan;
	readonly step: Step;
	readonly outcome: Outcome | null;
	readonly error: Error | null;
}

export interface Execution {
	readonly runs: readonly StepRun[];
	/** Ready, and not tried: a step before it failed, or we were interrupted. */
	readonly notRun: readonly { readonly plan: Plan; readonly step: Step }[];
	readonly waiting: readonly { readonly plan: Plan; readonly step: Step }[];
	readonly interrupted: boolean;
}

export type Progress =
	| { readonly phase: "step"; readonly done: number; readonly total: number; readonly plan: Plan; readonly step: Step }
	| { readonly phase: "settle"; readonly seconds: number; readonly plan: Plan; readonly step: Step };

export interface ExecuteDeps {
	readonly access: (account: string) => AccountAccess;
	/** Caller ARN of an account, for the history. */
	readonly actor: (account: string) => string;
	readonly store: Store;
	readonly clock: Clock;
	readonly reconcileId: string;
	readonly progress: (p: Progress) => void;
	/** Milliseconds in which a write may still start; at 0 nothing new does (ARCHITECTURE.md, one writer by lease). */
	readonly leaseRemaining: () => number;
	/** Of that lease, into the history: store/lease.ts. */
	readonly leaseFence?: number;
	/** Asked before each write: what has come to stand against it since the plan was made. */
	readonly halted?: () => Promise<Halt | null>;
}

/** Roles are independent, so their plans run side by side; IAM's own pace is kept by the limiter below the port. */
const PLANS_AT_ONCE = 8;
/** A single AWS call, with its retries, has ended by then; a write in flight gets this long after an interrupt. */
export const WRITE_TIMEOUT_MS = 60_000;

/**
 * Carries out the ready steps of every plan, in their order, and decides nothing. The intent is recorded before each
 * write and the outcome after it. A failed step stops the rest of its own plan; a credential that no longer works stops
 * its account. An abort of `signal` lets the writes in flight finish and starts no other.
 */
export async function execute(file: PlanFile, deps: ExecuteDeps, signal: AbortSignal): Promise<Execution> {
	const total = file.plans.reduce((n, p) => n + p.steps.filter((s) => s.state === "ready").length, 0);
	const runs: StepRun[] = [];
	const notRun: { plan: Plan; step: Step }[] = [];
	const waiting: { plan: Plan; step: Step }[] = [];
	const stops = new Map(file.plans.map((p) => [p.account, new AbortController()]));

	const runPlan = async (plan: Plan): Promise<void> => {
		const stop = stops.get(plan.account);
		const stopped = stop === undefined ? signal : AbortSignal.any([signal, stop.signal]);
		const writtenAt = new Map<StepId, number>();
		let grants: readonly HistoryEntry[] = [];
		let failed = false;
		let unread: Error | null = null;
		try {
			grants = await recentGrants(plan, deps.store);
		} catch (error) {
			unread = asError(error);
		}
		for (const step of plan.steps) {
			if (step.state !== "ready") {
				waiting.push({ plan, step });
				continue;
			}
			if (!failed) failed = !(await settle(plan, step, { writtenAt, grants }, stopped));
			if (failed || stopped.aborted || !step.after_.every((id) => writtenAt.has(id))) {
				notRun.push({ plan, step });
				continue;
			}
			const halt = unread === null ? await haltNow(deps) : null;
			if (halt instanceof Error) unread = halt;
			else if (halt !== null) {
				waiting.push({ plan, step: { ...step, state: halt } });
				continue;
			}
			const run = unread === null ? await runStep(file, plan, step, deps) : { plan, step, outcome: null, error: unread };
			runs.push(run);
			if (run.error === null) {
				writtenAt.set(step.id, deps.clock.millis());
				deps.progress({ phase: "step", done: runs.length, total, plan, step });
			} else {
				failed = true;
				if (run.error instanceof TerminalError && STOPS_ACCOUNT.has(run.error.reason)) stop?.abort();
			}
		}
	};

	/** False when the wait was interrupted. */
	const settle = async (
		plan: Plan,
		step: Step,
		times: { readonly writtenAt: ReadonlyMap<StepId, number>; readonly grants: readonly HistoryEntry[] },
		stopped: AbortSignal,
	): Promise<boolean> => {
		const now = deps.clock.millis();
		// A write that lies ahead was made before the clock was set back: it is no younger than now.
		const madeAt = (at: number): number => Math.min(at, now);
		const written = Math.max(...step.after_.map((id) => times.writtenAt.get(id) ?? 0));
		const mine = step.settle === 0 ? 0 : madeAt(written) + step.settle * 1000;
		const earlier = madeAt(replacedAt(step, times.grants)) + SETTLE_SECONDS * 1000;
		const left = Math.max(mine, earlier) - now;
		if (left <= 0) return true;
		deps.progress({ phase: "settle", seconds: Math.ceil(left / 1000), plan, step });
		try {
			await deps.clock.sleep(left, stopped);
			return true;
		} catch {
			return false;
		}
	};

	const queue = new PQueue({ concurrency: PLANS_AT_ONCE });
	await Promise.all(file.plans.map((plan) => queue.add(() => runPlan(plan))));
	return { runs, notRun, waiting, interrupted: signal.aborted };
}

/** Nothing else in the account can succeed after one of these; another account may have credentials of its own. */
const STOPS_ACCOUNT: ReadonlySet<string> = new Set(["NoCredentials", "ExpiredToken", "AccountMismatch", "LeaseLost"]);

async function runStep(file: PlanFile, plan: Plan, step: Step, deps: ExecuteDeps): Promise<StepRun> {
	const entry = (event: HistoryEntry["event"], outcome: string): HistoryEntry => ({
		at: deps.clock.now() satisfies Instant,
		key: plan.key,
		account: plan.account,
		reconcileId: deps.reconcileId,
		revision: file.revision.id,
		planId: plan.id,
		actor: deps.actor(plan.account),
		event,
		why: step.why,
		api: step.call.api,
		target: step.target,
		before: step.before,
		after: step.after,
		outcome,
		...driftFields(plan, step),
		...(deps.leaseFence === undefined ? {} : { lease: deps.leaseFence }),
	});
	try {
		checkLease(deps);
		await deps.store.append([entry("intended", `plan ${shortDigest(plan.id)}`)]);
		// A shared store may have taken its time.
		checkLease(deps);
		const provider = deps.access(plan.account).provider(step.target.type);
		// Not the caller's signal: an interrupt lets the write in flight finish.
		const outcome = await provider.apply(step, AbortSignal.timeout(WRITE_TIMEOUT_MS));
		await deps.store.append([
			entry("applied", outcome.requestId === null ? outcome.result : `${outcome.result}, request ${outcome.requestId}`),
		]);
		return { plan, step, outcome, error: null };
	} catch (cause) {
		const error = asError(cause);
		await recordFailure(deps.store, entry("failed", error.message));
		return { plan, step, outcome: null, error };
	}
}

/** Of a healing: what it heals, and who had changed it. */
function driftFields(plan: Plan, step: Step): Pick<HistoryEntry, "drift" | "culprit"> {
	const part = driftedPart(step);
	const id = targetId(step.target);
	const found = part === null ? undefined : plan.drifts?.find((d) => d.part === part && targetId(d.target) === id);
	if (found === undefined) return {};
	return { drift: { part: found.part, live: found.live }, ...(found.culprit !== null && { culprit: found.culprit }) };
}

/** An Error: nobody knows, so nothing is written. */
async function haltNow(deps: ExecuteDeps): Promise<Halt | Error | null> {
	try {
		return (await deps.halted?.()) ?? null;
	} catch (error) {
		return asError(error);
	}
}

function checkLease(deps: ExecuteDeps): void {
	if (deps.leaseRemaining() > 0) return;
	throw new TerminalError("LeaseLost", "the lease ends before this write could", { fix: "run apply again" });
}

/** The step's own error is the one to show; a store that failed too has already said so on its own account. */
async function recordFailure(store: Store, entry: HistoryEntry): Promise<void> {
	try {
		await store.append([entry]);
	} catch {}
}
