import type { Usage } from "../model/derived.ts";
import { isRole } from "../model/desired.ts";
import { shortDigest } from "../model/digest.ts";
import { WaitingError } from "../model/errors.ts";
import type { Finding } from "../model/finding.ts";
import type { Instant, ResourceKey } from "../model/ids.ts";
import { MARK } from "../model/marks.ts";
import type { Plan, PlanFile, Step, Waiting } from "../model/plan.ts";
import type { Clock, StatusChange, Store } from "../model/ports.ts";
import type { RotationView } from "../model/rotation-view.ts";
import type { Condition, ConditionType, InventoryEntry, Status } from "../model/status.ts";
import { targetId } from "../model/target.ts";
import { appliedRole, wantedOf } from "../plan/applied.ts";
import { driftWords } from "../plan/render/drift-words.ts";
import { rotationStatus } from "../plan/render/rotation-words.ts";
import { waitingWord } from "../plan/render/words.ts";
import type { Execution } from "./execute.ts";
import type { Gathered, GatheredAccount } from "./gather.ts";
import { workloadsOf } from "./workload-status.ts";

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

/** Between a read of a status and its write somebody else may write it; nobody does so for long. */
const ROUNDS = 5;

/**
 * Writes the status of every resource instance that was planned; the only writer of status (ARCHITECTURE.md, The one
 * idea). What was applied is remembered per target only where nothing of it failed, was left out or still waits, so that
 * the next plan can tell drift from intent.
 */
export async function report(
	file: PlanFile,
	execution: Execution,
	gathered: ReadonlyMap<string, GatheredAccount>,
	deps: {
		readonly store: Store;
		readonly clock: Clock;
		readonly whole: boolean;
		/** All that was recorded, where it has been read just now: it is not read again. */
		readonly recorded?: ReadonlyMap<ResourceKey, Status>;
	},
): Promise<void> {
	const { store } = deps;
	const byKey = new Map<string, Gathered>();
	for (const account of gathered.values()) for (const g of account.instances) byKey.set(g.instance.key, g);
	const seen = new Set<string>();
	let plans = file.plans;
	for (let round = 1; plans.length > 0; round++) {
		const keys = plans.flatMap((p) => (byKey.has(p.key) ? [p.key] : [p.key, `${p.key}@${p.account}`]));
		const recorded = round === 1 && deps.recorded !== undefined ? deps.recorded : await store.getStatuses(keys);
		const next = new Map(recorded);
		const plansOf = new Map<ResourceKey, Plan[]>();
		for (const plan of plans) {
			const own = byKey.get(plan.key);
			const key = own === undefined ? recordedKey(plan, recorded) : plan.key;
			// Of one owner several roles may go, each by a plan of its own.
			plansOf.set(key, [...(plansOf.get(key) ?? []), plan]);
			const account = gathered.get(plan.account);
			const after = statusAfter(key, plan, { file, execution, own, account, before: next.get(key), now: deps.clock.now() });
			if (after === undefined) next.delete(key);
			else next.set(key, after);
			if (after !== undefined) seen.add(key);
		}
		const changes = [...plansOf.keys()].map((key) => ({ key, before: recorded.get(key), after: next.get(key) }));
		const refused = await store.putStatus(changes.filter((c) => saysMore(c, deps.clock)));
		if (refused.length > 0 && round === ROUNDS) throw busy(refused);
		plans = refused.flatMap((key) => plansOf.get(key) ?? []);
	}
	if (deps.whole) await forgetMoved(seen, gathered, store);
}

/** A look that found all as it was is recorded once in so long: of a thousand resources most are so, every ten minutes. */
const LOOKED_MS = 3_600_000;

function saysMore({ before, after }: StatusChange, clock: Clock): boolean {
	if (before === undefined || after === undefined) return true;
	if (clock.millis() - Date.parse(before.updatedAt) > LOOKED_MS) return true;
	const timeless = (s: Status): string =>
		JSON.stringify({ ...s, updatedAt: null, inventory: s.inventory.map((e) => ({ ...e, appliedAt: null })) });
	return timeless(before) !== timeless(after);
}

function busy(keys: readonly ResourceKey[]): Error {
	return new Error(`status of ${keys.slice(0, 3).join(", ")} is being written by somebody else again and again`);
}

/** What is to be recorded; undefined when nothing of the resource is left. */
function statusAfter(
	key: ResourceKey,
	plan: Plan,
	pass: {
		readonly file: PlanFile;
		readonly execution: Execution;
		readonly own: Gathered | undefined;
		readonly account: GatheredAccount | undefined;
		readonly before: Status | undefined;
		readonly now: Instant;
	},
): Status | undefined {
	const { file, execution, own, account, before, now } = pass;
	const runs = execution.runs.filter((r) => r.plan === plan);
	const failed = runs.find((r) => r.error !== null);
	const left = execution.notRun.filter((r) => r.plan === plan).length;
	const waiting = execution.waiting.filter((w) => w.plan === plan);
	const complete = failed === undefined && left === 0;
	const letGo = complete && waiting.length === 0 ? targetsLetGo(plan) : new Set<string>();
	const kept = (before?.inventory ?? []).filter((e) => !letGo.has(targetId(e.target)));
	if (own === undefined && letGo.size > 0 && kept.length === 0) return undefined;
	const undone = new Set(
		[...runs.filter((r) => r.error !== null), ...execution.notRun, ...waiting].map(({ step }) => targetId(step.target)),
	);
	// What could not be planned has not become what git says.
	for (const f of plan.findings) if (f.severity === "error" && f.guardrail === undefined) refuse(f, own, undone);
	return {
		key,
		account: plan.account,
		observedGeneration: own?.instance.resource.generation ?? before?.observedGeneration ?? "",
		lastAttemptedRevision: file.revision.id,
		lastAppliedRevision: complete && waiting.length === 0 ? file.revision.id : (before?.lastAppliedRevision ?? null),
		...labelsOf(own?.instance.resource.metadata.labels ?? before?.labels),
		conditions: conditionsOf(
			plan,
			{ ...failureOf(failed?.error ?? null), waiting: waiting.length, left, wrote: runs.length > 0 },
			before,
			now,
		),
		...workloadStatus(own, account, before),
		...derivedStatus(own, before),
		...(plan.rotation !== undefined && { rotation: seldom(plan.rotation, before?.rotation) }),
		inventory: inventoryOf(own, kept, undone, account?.observed ?? new Map(), now),
		summary: summaryOf(plan, failed?.error ?? null, waiting.length > 0, left, runs.length),
		firstSeen: before?.firstSeen ?? now,
		updatedAt: now,
	};
}

function refuse({ subject }: Finding, own: Gathered | undefined, undone: Set<string>): void {
	for (const d of own?.desired ?? []) if (subject === `role ${d.target.name}`) undone.add(targetId(d.target));
}

/** A removal is keyed by the owner mark, which names no account; its status was recorded under the instance. */
function recordedKey(plan: Plan, recorded: ReadonlyMap<ResourceKey, Status>): ResourceKey {
	const instance = `${plan.key}@${plan.account}`;
	return !recorded.has(plan.key) && recorded.has(instance) ? instance : plan.key;
}

/** Roles that bear no mark of ours, or are not there, after the plan: deleted, or given up. A retired one is still ours. */
function targetsLetGo(plan: Plan): ReadonlySet<string> {
	const last = plan.steps.filter(
		({ call }) =>
			call.api === "iam:DeleteRole" ||
			(call.api === "iam:UntagRole" && call.input.TagKeys.some((k) => k.toLowerCase() === MARK.installation)),
	);
	return new Set(last.map((s) => targetId(s.target)));
}

/**
 * What is in git no more and owns nothing that another does not own now is forgotten: it was renamed, or never had a role
 * of its own. What still owns a role is kept until that is removed.
 */
async function forgetMoved(seen: ReadonlySet<string>, read: ReadonlyMap<string, unknown>, store: Store): Promise<void> {
	for (let round = 1; ; round++) {
		const all = await store.listStatus();
		const owned = new Set(all.filter((s) => seen.has(s.key)).flatMap((s) => s.inventory.map((e) => targetId(e.target))));
		const changes = all.flatMap((before): StatusChange[] => {
			if (seen.has(before.key) || !read.has(before.account)) return [];
			const inventory = before.inventory.filter((e) => !owned.has(targetId(e.target)));
			if (inventory.length === before.inventory.length && inventory.length > 0) return [];
			return [{ key: before.key, before, after: inventory.length === 0 ? undefined : { ...before, inventory } }];
		});
		const refused = await store.putStatus(changes);
		if (refused.length === 0) return;
		if (round === ROUNDS) throw busy(refused);
	}
}

function labelsOf(labels: Status["labels"]): Pick<Status, "labels"> {
	return labels === undefined ? {} : { labels };
}

function workloadStatus(
	own: Gathered | undefined,
	account: GatheredAccount | undefined,
	before: Status | undefined,
): Pick<Status, "workloads"> {
	if (own !== undefined && account !== undefined) return { workloads: workloadsOf(own, account.observed) };
	return before?.workloads === undefined ? {} : { workloads: before.workloads };
}

/** Of derived roles what was seen is remembered, whatever became of the plan: it says nothing of what was written. */
function derivedStatus(own: Gathered | undefined, before: Status | undefined): Pick<Status, "derived"> {
	if (own === undefined) return before?.derived === undefined ? {} : { derived: before.derived };
	const usages = own.desired.flatMap((d): [string, Usage][] =>
		isRole(d) && d.wanted.usage !== undefined ? [[d.target.name.toLowerCase(), d.wanted.usage]] : [],
	);
	return usages.length === 0 ? {} : { derived: Object.fromEntries(usages) };
}

/** What only has to be asked again has not failed: it is left to do. */
function failureOf(error: Error | null): { readonly failed: Error | null; readonly again: boolean } {
	return error instanceof WaitingError ? { failed: null, again: true } : { failed: error, again: false };
}

/** When it looks again is told anew with each look, and says nothing new. */
function seldom(view: RotationView, before: RotationView | undefined): RotationView {
	const same = before !== undefined && JSON.stringify({ ...view, lookAt: null }) === JSON.stringify({ ...before, lookAt: null });
	return same ? before : view;
}

function summaryOf(plan: Plan, error: Error | null, waits: boolean, left: number, wrote: number): string {
	// What a provider or an address does not say yet is no failure of the rotation.
	if (plan.rotation !== undefined && (error === null || error instanceof WaitingError)) return rotationStatus(plan.rotation);
	if (error !== null) return `failed: ${error.message.split("\n")[0]}`;
	if (left > 0) return `interrupted, ${left} steps left`;
	if (waits) {
		const words = new Set(plan.steps.flatMap((s) => (s.state === "ready" ? [] : [waitWords(s.state.waiting, s, plan)])));
		return `waits: ${[...words].join(", ")}`;
	}
	if (wrote === 0) return "as git says";
	return plan.summary === "delete" && targetsLetGo(plan).size === 0 ? "retired" : DONE[plan.summary];
}

function waitWords(waiting: Waiting, step: Step, plan: Plan): string {
	return waiting === "approval" && plan.approvalId !== null
		? `approval ${shortDigest(plan.approvalId)}`
		: waitingWord(waiting, step.target);
}

function conditionsOf(
	plan: Plan,
	state: {
		readonly failed: Error | null;
		readonly again: boolean;
		readonly waiting: number;
		readonly left: number;
		readonly wrote: boolean;
	},
	before: Status | undefined,
	now: Instant,
): readonly Condition[] {
	const { failed, waiting, left, wrote } = state;
	const ready = failed === null && !state.again && waiting === 0 && left === 0 && plan.rotation?.phase !== "failed";
	const leftSo = plan.findings.some((f) => f.id === "Drifted");
	const drift = leftSo || plan.steps.some((s) => s.why === "drifted");
	const healed = drift && ready && !leftSo;
	const waits = plan.steps.find((s) => s.state !== "ready")?.state;
	const detail = waits === undefined || waits === "ready" ? "" : waits.detail;
	const condition = (type: ConditionType, status: boolean, reason: string, message: string): Condition => {
		const old = before?.conditions.find((c) => c.type === type);
		const value = status ? "True" : "False";
		return { type, status: value, reason, message, lastTransitionTime: old?.status === value ? old.lastTransitionTime : now };
	};
	// A rollout that failed is not tried again by itself, as little as a write that was refused, or what somebody contests.
	const stuck = (waiting: Waiting): string | null => {
		const found = plan.steps.find((s) => s.state !== "ready" && s.state.waiting === waiting)?.state;
		return found === undefined || found === "ready" ? null : found.detail;
	};
	const [rollout, contest] = [stuck("failed"), stuck("contested")];
	const wentBack = plan.rotation?.phase === "failed" ? (plan.rotation.failure ?? "it went back") : null;
	const gaveUp = rollout ?? contest ?? wentBack;
	const stalled = failed !== null || gaveUp !== null;
	const reason =
		failed !== null ? "ApplyFailed" : rollout !== null ? "RolloutFailed" : wentBack !== null ? "RotationFailed" : "Contested";
	return [
		condition(
			"Ready",
			ready,
			ready ? "AsGitSays" : stalled ? reason : left > 0 ? "Interrupted" : "Waiting",
			failed?.message ?? detail,
		),
		condition("Reconciling", !ready && !stalled, ready ? "Idle" : "StepsLeft", `${waiting} waiting, ${left} not run`),
		condition("Stalled", stalled, stalled ? reason : "Progressing", failed?.message ?? gaveUp ?? ""),
		condition(
			"Drifted",
			drift && !healed,
			!drift ? "NoDrift" : healed ? "Healed" : leftSo ? "LeftSo" : "DriftSeen",
			driftWords(plan),
		),
		// Nothing can probe IAM's propagation (ARCHITECTURE.md, Applying safely): right after a write it is not yet so.
		condition("Propagated", !wrote, wrote ? "WrittenJustNow" : "NothingWritten", ""),
	];
}

function inventoryOf(
	own: Gathered | undefined,
	kept: readonly InventoryEntry[],
	undone: ReadonlySet<string>,
	observed: GatheredAccount["observed"],
	now: Instant,
): readonly InventoryEntry[] {
	if (own === undefined) return kept;
	const entries = new Map(kept.map((e) => [targetId(e.target), e]));
	for (const d of own.desired) {
		if (!isRole(d)) continue;
		const id = targetId(d.target);
		if (undone.has(id)) {
			// An unknown outcome means "still ours": the target stays, with what was last known to be applied.
			if (!entries.has(id)) entries.set(id, { target: d.target, applied: null, appliedAt: null });
		} else {
			const live = observed.get(id);
			const wanted = wantedOf(d.wanted, live?.exists === true && live.owner?.adopted === true);
			entries.set(id, { target: d.target, applied: appliedRole(wanted), appliedAt: now });
		}
	}
	return [...entries.values()];
}
