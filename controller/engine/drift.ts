import type { Drift, DriftMemory } from "../model/drift.ts";
import { targetOfHint } from "../model/drift.ts";
import type { Culprit, Hint } from "../model/hint.ts";
import type { ResourceKey } from "../model/ids.ts";
import type { Plan, PlanFile } from "../model/plan.ts";
import { type Clock, MOST_ENTRIES, type Store } from "../model/ports.ts";
import type { HistoryEntry } from "../model/status.ts";
import { targetId } from "../model/target.ts";
import { contested, contestOf, type SeenEntry } from "../plan/contest.ts";
import { type DriftPart, driftedPart, driftParts, driftsFrom, LATE_MS, namedLate } from "../plan/drift.ts";
import type { PlanContext } from "../plan/input.ts";
import type { GatheredAccount } from "./gather.ts";

/** Changes that are remembered for a target, and targets: a role of ours is changed by others a few times, if at all. */
const EVENTS = 16;
const TARGETS = 2_000;
/** Entries of one resource: a hundred rounds of a contest. */
const ENTRIES = 400;
/** Up to so many resources each is asked for by itself; beyond, the newest entries of all are read at once. */
const SINGLE_QUERIES = 20;
const NEWEST = 5_000;

/** What events told of changes, for as long as the process runs; what was made of it stands in the history. */
export interface Drifts extends DriftMemory {
	/** Keeps who did something, of a hint that points at a target of ours. */
	readonly note: (hint: Hint, culprit: Culprit | null) => void;
	/** What of a resource has drifted and stays so. */
	readonly tell: (key: ResourceKey, drifts: readonly Drift[]) => void;
}

export function createDriftMemory(): Drifts {
	const heard = new Map<string, readonly Culprit[]>();
	const told = new Map<ResourceKey, readonly Drift[]>();
	return {
		heard,
		told,
		note: (hint, culprit) => {
			const target = culprit === null ? null : targetOfHint(hint);
			if (culprit === null || target === null) return;
			const id = targetId(target);
			const before = heard.get(id) ?? [];
			if (before.some((c) => c.eventId === culprit.eventId)) return;
			// Set anew, so that the target that was not spoken of for longest is the first.
			heard.delete(id);
			heard.set(id, [...before, culprit].slice(-EVENTS));
			for (const oldest of heard.keys()) {
				if (heard.size <= TARGETS) break;
				heard.delete(oldest);
			}
		},
		tell: (key, drifts) => {
			if (drifts.length === 0) told.delete(key);
			else told.set(key, drifts);
		},
	};
}

/**
 * Plans with what is known of their drift: since when, and by whom; and with the healing of what is contested left to a
 * person. The history is read for resources that have drift, and for no other.
 */
export async function withDrifts(plans: readonly Plan[], context: PlanContext, store: Store | null): Promise<readonly Plan[]> {
	const found = new Map(plans.map((plan) => [plan, driftParts(plan, context)] as const));
	const asked = plans.filter((p) => !isTold(p, found.get(p) ?? [], context.drifts));
	const histories = await historiesOf(
		asked.map((p) => p.key),
		store,
	);
	return plans.map((plan) => {
		const parts = found.get(plan) ?? [];
		if (parts.length === 0) return plan;
		const entries = histories.get(plan.key);
		if (entries === undefined) return { ...plan, drifts: context.drifts?.told.get(plan.key) ?? [] };
		const drifts = driftsFrom(parts, entries, context.drifts?.heard ?? new Map(), context.now);
		// Who overwrites bindings is known by the revisions of the task definition: plan/binding.ts.
		const roles = new Map(parts.filter((p) => p.target.type === "iam.role").map((p) => [targetId(p.target), p.target]));
		const now = drifts.filter((d) => !d.recorded).map((d) => asEntry(d, context));
		const contests = [...roles.values()].flatMap((target) => contestOf(target, [...now, ...entries], context.now) ?? []);
		return { ...contested(plan, contests, context), drifts };
	});
}

/** As it will be recorded: what was just seen counts. */
function asEntry(d: Drift, { now }: PlanContext): SeenEntry {
	return {
		at: now,
		event: "drifted",
		why: "drifted",
		target: d.target,
		drift: { part: d.part, live: d.live },
		...(d.culprit !== null && { culprit: d.culprit }),
	};
}

/** Nothing has drifted, or what has waits as it did and was told. */
function isTold(plan: Plan, parts: readonly DriftPart[], memory: DriftMemory | undefined): boolean {
	if (parts.length === 0) return true;
	const told = memory?.told.get(plan.key) ?? [];
	return (
		told.length === parts.length &&
		parts.every((p) => {
			const drift = told.find((d) => d.part === p.part && targetId(d.target) === targetId(p.target));
			return !p.heals && drift?.live === p.live && (drift.culprit !== null || !memory?.heard.has(targetId(p.target)));
		})
	);
}

async function historiesOf(
	keys: readonly ResourceKey[],
	store: Store | null,
): Promise<ReadonlyMap<ResourceKey, readonly HistoryEntry[]>> {
	if (store === null) return new Map(keys.map((key) => [key, []]));
	if (keys.length <= SINGLE_QUERIES) {
		return new Map(await Promise.all(keys.map(async (key) => [key, await store.history({ key, limit: ENTRIES })] as const)));
	}
	const all = Map.groupBy(await store.history({ limit: NEWEST }), (e) => e.key);
	return new Map(keys.map((key) => [key, all.get(key) ?? []]));
}

export interface RecordDriftDeps {
	readonly store: Store;
	readonly clock: Clock;
	readonly reconcileId: string;
	readonly leaseFence?: number;
	readonly memory?: Drifts;
	/** By account name; with `memory`, who is named by an event that came too late for the plan is told as well. */
	readonly gathered?: ReadonlyMap<string, GatheredAccount>;
}

/**
 * Records each drift that was not recorded yet, once. To be called before a plan is carried out, so that what was found
 * stands before what was done about it.
 */
export async function recordDrift(file: PlanFile, deps: RecordDriftDeps): Promise<void> {
	const { store, memory } = deps;
	const seen = file.plans.flatMap((plan) => seenIn(plan, file, deps));
	const entries = [...seen, ...(await lateNames(file.plans, deps))];
	for (let n = 0; n < entries.length; n += MOST_ENTRIES) await store.append(entries.slice(n, n + MOST_ENTRIES));
	for (const plan of file.plans) {
		const heals = new Set(plan.steps.flatMap((s) => (s.state === "ready" ? [`${targetId(s.target)} ${driftedPart(s)}`] : [])));
		const stands = (plan.drifts ?? []).filter((d) => !heals.has(`${targetId(d.target)} ${d.part}`));
		memory?.tell(
			plan.key,
			stands.map((d) => ({ ...d, recorded: true })),
		);
	}
}

function seenIn(plan: Plan, file: PlanFile, deps: RecordDriftDeps): readonly HistoryEntry[] {
	const drifts = (plan.drifts ?? []).filter((d) => !d.recorded);
	const found = file.accounts.find((a) => a.account.name === plan.account);
	if (drifts.length === 0 || found === undefined) return [];
	const parts = driftParts(plan, { account: found.account, observed: new Map() });
	return drifts.flatMap((d): HistoryEntry[] => {
		const part = parts.find((p) => p.part === d.part && targetId(p.target) === targetId(d.target));
		if (part === undefined) return [];
		return [
			{
				at: deps.clock.now(),
				key: plan.key,
				account: plan.account,
				reconcileId: deps.reconcileId,
				revision: file.revision.id,
				planId: plan.id,
				actor: found.caller?.arn ?? "unknown",
				event: "drifted",
				why: "drifted",
				api: null,
				target: d.target,
				before: part.wanted,
				after: part.found,
				outcome: part.words,
				since: d.since,
				drift: { part: d.part, live: d.live },
				...(d.culprit !== null && { culprit: d.culprit }),
				...(deps.leaseFence !== undefined && { lease: deps.leaseFence }),
			},
		];
	});
}

async function lateNames(
	plans: readonly Plan[],
	{ memory, gathered, store, clock }: RecordDriftDeps,
): Promise<readonly HistoryEntry[]> {
	if (memory === undefined || gathered === undefined || memory.heard.size === 0) return [];
	const asks = plans.flatMap((plan) => {
		const drifted = new Set((plan.drifts ?? []).map((d) => targetId(d.target)));
		const own = gathered.get(plan.account)?.instances.find((g) => g.instance.key === plan.key);
		const targets = (own?.desired ?? [])
			.map((d) => d.target)
			.filter((t) => {
				const heard = memory.heard.get(targetId(t)) ?? [];
				return !drifted.has(targetId(t)) && heard.some((c) => clock.millis() - Date.parse(c.at) < LATE_MS);
			});
		return targets.length === 0 ? [] : [{ key: plan.key, targets }];
	});
	const histories = await historiesOf(
		asks.map((a) => a.key),
		store,
	);
	return asks.flatMap((a) => namedLate(a.targets, histories.get(a.key) ?? [], memory.heard, clock.now()));
}
