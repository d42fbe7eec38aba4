import { isRole } from "../model/desired.ts";
import type { Instant } from "../model/ids.ts";
import type { Plan, PlanFile } from "../model/plan.ts";
import type { Clock, Store } from "../model/ports.ts";
import type { Condition, ConditionType, InventoryEntry, Status } from "../model/status.ts";
import { targetId } from "../model/target.ts";
import { appliedRole } from "../plan/applied.ts";
import type { Execution } from "./execute.ts";
import type { Gathered, GatheredAccount } from "./gather.ts";

/** Says in one word what the last pass did. */
const DONE: Readonly<Record<Plan["summary"], string>> = {
	create: "created",
	update: "updated",
	heal: "healed",
	adopt: "adopted",
	rename: "renamed",
	delete: "removed",
	expire: "expired",
	wait: "waiting",
	unchanged: "as git says",
};

/**
 * Writes the status of every resource instance that was planned; the only writer of status (ARCHITECTURE.md, The one
 * idea). What was applied is remembered per target only where nothing of it failed, was left out or still waits, so that
 * the next plan can tell drift from intent.
 */
export function report(
	file: PlanFile,
	execution: Execution,
	gathered: ReadonlyMap<string, GatheredAccount>,
	deps: { readonly store: Store; readonly clock: Clock },
): void {
	const byKey = new Map<string, Gathered>();
	for (const account of gathered.values()) for (const g of account.instances) byKey.set(g.instance.key, g);
	for (const plan of file.plans) {
		const before = deps.store.getStatus(plan.key);
		const runs = execution.runs.filter((r) => r.plan === plan);
		const failed = runs.find((r) => r.error !== null);
		const left = execution.notRun.filter((r) => r.plan === plan).length;
		const waiting = execution.waiting.filter((w) => w.plan === plan);
		const complete = failed === undefined && left === 0;
		if (plan.summary === "delete" && complete && waiting.length === 0) {
			deps.store.deleteStatus(plan.key);
			continue;
		}
		const now = deps.clock.now();
		const undone = new Set(
			[...runs.filter((r) => r.error !== null), ...execution.notRun, ...waiting].map(({ step }) => targetId(step.target)),
		);
		const own = byKey.get(plan.key);
		const summary = summaryOf(plan, failed?.error ?? null, waiting.length > 0, left, runs.length);
		deps.store.putStatus({
			key: plan.key,
			account: plan.account,
			observedGeneration: own?.instance.resource.generation ?? before?.observedGeneration ?? "",
			lastAttemptedRevision: file.revision.id,
			lastAppliedRevision: complete && waiting.length === 0 ? file.revision.id : (before?.lastAppliedRevision ?? null),
			conditions: conditionsOf(
				plan,
				{ failed: failed?.error ?? null, waiting: waiting.length, left, wrote: runs.length > 0 },
				before,
				now,
			),
			inventory: inventoryOf(own, before, undone, now),
			summary,
			firstSeen: before?.firstSeen ?? now,
			updatedAt: now,
		} satisfies Status);
	}
}

function summaryOf(plan: Plan, error: Error | null, waits: boolean, left: number, wrote: number): string {
	if (error !== null) return `failed: ${error.message.split("\n")[0]}`;
	if (left > 0) return `interrupted, ${left} steps left`;
	if (waits) {
		const words = new Set(
			plan.steps.flatMap((s) => (s.state === "ready" ? [] : [waitWords(s.state.waiting, s.state.detail, plan)])),
		);
		return `waits: ${[...words].join(", ")}`;
	}
	return wrote === 0 ? "as git says" : DONE[plan.summary];
}

function waitWords(waiting: string, _detail: string, plan: Plan): string {
	return waiting === "approval" && plan.approvalId !== null
		? `approval ${plan.approvalId.replace("sha256:", "").slice(0, 8)}`
		: waiting;
}

function conditionsOf(
	plan: Plan,
	state: { readonly failed: Error | null; readonly waiting: number; readonly left: number; readonly wrote: boolean },
	before: Status | undefined,
	now: Instant,
): readonly Condition[] {
	const { failed, waiting, left, wrote } = state;
	const ready = failed === null && waiting === 0 && left === 0;
	const drift = plan.steps.find((s) => s.why === "drifted");
	const healed = drift !== undefined && ready;
	const waits = plan.steps.find((s) => s.state !== "ready")?.state;
	const detail = waits === undefined || waits === "ready" ? "" : waits.detail;
	const condition = (type: ConditionType, status: boolean, reason: string, message: string): Condition => {
		const old = before?.conditions.find((c) => c.type === type);
		const value = status ? "True" : "False";
		return { type, status: value, reason, message, lastTransitionTime: old?.status === value ? old.lastTransitionTime : now };
	};
	const stalled = failed !== null;
	return [
		condition(
			"Ready",
			ready,
			ready ? "AsGitSays" : stalled ? "ApplyFailed" : left > 0 ? "Interrupted" : "Waiting",
			failed?.message ?? detail,
		),
		condition("Reconciling", !ready && !stalled, ready ? "Idle" : "StepsLeft", `${waiting} waiting, ${left} not run`),
		condition("Stalled", stalled, stalled ? "ApplyFailed" : "Progressing", failed?.message ?? ""),
		condition("Drifted", drift !== undefined && !healed, drift === undefined ? "NoDrift" : healed ? "Healed" : "DriftSeen", ""),
		// Nothing can probe IAM's propagation (ARCHITECTURE.md, Applying safely): right after a write it is not yet so.
		condition("Propagated", !wrote, wrote ? "WrittenJustNow" : "NothingWritten", ""),
	];
}

function inventoryOf(
	own: Gathered | undefined,
	before: Status | undefined,
	undone: ReadonlySet<string>,
	now: Instant,
): readonly InventoryEntry[] {
	if (own === undefined) return before?.inventory ?? [];
	const entries = new Map((before?.inventory ?? []).map((e) => [targetId(e.target), e]));
	for (const d of own.desired) {
		if (!isRole(d)) continue;
		const id = targetId(d.target);
		if (undone.has(id)) {
			// An unknown outcome means "still ours": the target stays, with what was last known to be applied.
			if (!entries.has(id)) entries.set(id, { target: d.target, applied: null, appliedAt: null });
		} else {
			entries.set(id, { target: d.target, applied: appliedRole(d.wanted), appliedAt: now });
		}
	}
	return [...entries.values()];
}
