import type { ConsumerService, ConsumerTask, SecretUse } from "../../model/rotation.ts";
import type { ConsumerView } from "../../model/rotation-view.ts";
import type { Deployment, ServiceState } from "../../model/target.ts";
import { primaryOf, rolloutOf, taskWords, underWay } from "../rollout.ts";
import type { Sight } from "./sight.ts";

/** A service that must be restarted, is being, or was. */
export interface Rollee {
	readonly service: ConsumerService;
	readonly state: ServiceState;
	readonly current: number;
	readonly stale: number;
	readonly flight: Deployment | null;
	/** It stands at a lifecycle hook until somebody lets it go on: no hang (aws-facts §4.5). */
	readonly paused: boolean;
	/** Why its roll failed; null: it did not. */
	readonly failure: string | null;
}

/** The consumers, told apart. */
export interface Sorted {
	readonly rollees: readonly Rollee[];
	/** All of them, in the order of their names; waves are given by whoever rolls. */
	readonly views: readonly ConsumerView[];
}

/** Which value a task must hold. */
export interface Aim {
	/** Milliseconds since the epoch; work that began before is not of this roll. */
	readonly sinceMs: number;
	readonly isFresh: (task: ConsumerTask) => boolean;
}

/** ECS fetches a secret between a task's creation and its start, so one made just after the move may hold the old value (aws-facts §6.5). */
export const SETTLE_SECONDS = 10;

/** A task that was made well after the labels moved. Times are to the second, so the next full one counts. */
export function forwardAim(promotedAt: string): Aim {
	const sinceMs = Date.parse(promotedAt);
	return { sinceMs, isFresh: (t) => Date.parse(t.createdAt) > sinceMs + SETTLE_SECONDS * 1000 };
}

/**
 * On the way back: a task that was made well after the labels went back, or before this rotation made anything. What was
 * made in between may hold the value that failed.
 */
export function backwardAim(revertedAt: string, began: string): Aim {
	const sinceMs = Date.parse(revertedAt);
	const fresh = forwardAim(revertedAt);
	return { sinceMs, isFresh: (t) => fresh.isFresh(t) || Date.parse(t.createdAt) < Date.parse(began) };
}

/** Tells who must be restarted, and says of everybody else why not. `aim` null: nothing moved yet, so no task is counted. */
export function sortConsumers(s: Sight, aim: Aim | null, ownRoles: ReadonlySet<string> | undefined): Sorted {
	const rollees: Rollee[] = [];
	const views: ConsumerView[] = [];
	for (const service of s.consumers?.services ?? []) {
		const why = whyNotRestarted(s, service, ownRoles);
		if (why !== null) {
			views.push({ kind: "service", name: service.target.name, wave: null, current: null, stale: null, ...why });
			continue;
		}
		const rollee = rolleeOf(service, service.state as ServiceState, aim, s);
		rollees.push(rollee);
		views.push(viewOf(rollee, aim, s.mark("verified") !== null));
	}
	for (const f of s.consumers?.families ?? []) {
		const name = f.cluster === null ? f.family : `${f.cluster}/${f.family}`;
		const pinned = f.uses.length > 0 && f.uses.every((u) => u.versionId !== null);
		const said = pinned
			? ({ state: "pinned", note: pinnedNote(f.uses) } as const)
			: ({ state: "next run", note: "its next task reads the new value" } as const);
		views.push({ kind: "family", name, wave: null, current: null, stale: null, ...said });
	}
	for (const r of s.consumers?.rules ?? []) {
		const state =
			r.fault !== null
				? "blocked"
				: (aim !== null || s.mark("verified") !== null) && r.version === s.current
					? "current"
					: "restart";
		views.push({ kind: "rule", name: r.arn, wave: null, current: null, stale: null, state, note: r.fault });
	}
	const byName = (a: { readonly name: string }, b: { readonly name: string }) => (a.name < b.name ? -1 : 1);
	return {
		rollees: rollees.toSorted((a, b) => byName(a.service.target, b.service.target)),
		views: views.toSorted(byName),
	};
}

type Said = Pick<ConsumerView, "state" | "note">;

/** Null: it is restarted. */
function whyNotRestarted(s: Sight, service: ConsumerService, ownRoles: ReadonlySet<string> | undefined): Said | null {
	const { state, uses, target } = service;
	const named = s.wanted.consumers.named.find((c) => "service" in c && `${c.cluster}/${c.service}` === target.name);
	if (state === null) return { state: "blocked", note: "there is no such service" };
	if (named !== undefined && "refresh" in named && named.refresh === "Self")
		return { state: "self", note: "it fetches the value itself" };
	const followed = uses.filter((u) => u.versionId === null && (u.versionStage ?? "AWSCURRENT") === "AWSCURRENT");
	if (uses.length > 0 && followed.length === 0) return notFollowed(uses);
	if (followed.length > 0 && !followed.some((u) => changes(s, u.jsonKey))) {
		const keys = [...new Set(followed.map((u) => u.jsonKey))].join(", ");
		return { state: "unaffected", note: `it injects ${keys}, which neither changes nor is derived` };
	}
	if (state.controller !== "ECS")
		return { state: "blocked", note: `its deployment controller is ${state.controller}: deploy it yourself` };
	if (state.express) return { state: "blocked", note: "it is an Express service: deploy it yourself" };
	const role = state.taskRole?.replace(/^.*\//, "").toLowerCase();
	if (role !== undefined && ownRoles?.has(role) === true)
		return { state: "blocked", note: "it runs this program: restart it yourself" };
	return null;
}

function notFollowed(uses: readonly SecretUse[]): Said {
	if (uses.every((u) => u.versionId !== null)) return { state: "pinned", note: pinnedNote(uses) };
	const stages = [...new Set(uses.flatMap((u) => u.versionStage ?? []))].join(", ");
	return { state: "unaffected", note: `it reads the stage ${stages}` };
}

function pinnedNote(uses: readonly SecretUse[]): string {
	return `${uses.map((u) => u.place).join(", ")} names a version: a restart brings nothing new`;
}

/** Whether a restart brings a new value under this key; null: the whole secret is injected. */
function changes(s: Sight, jsonKey: string | null): boolean {
	const { strategy, derive } = s.wanted;
	if (jsonKey === null || strategy.type === "lambda" || strategy.type === "external") return true;
	const made = strategy.type === "generate" ? strategy.keys : [strategy.key];
	return made.includes(jsonKey) || jsonKey in derive;
}

function rolleeOf(service: ConsumerService, state: ServiceState, aim: Aim | null, s: Sight): Rollee {
	const tasks = service.tasks ?? [];
	const current = aim === null ? 0 : tasks.filter(aim.isFresh).length;
	const past = service.past ?? [];
	const flight = underWay(state);
	const paused = flight !== null && past[0]?.paused === true;
	const failure = aim === null || paused ? null : failureOf(service, state, aim, s);
	return { service, state, current, stale: tasks.length - current, flight, paused, failure };
}

/** A second is lost where times are written to the second. */
const CLOCK_MS = 1_000;
/** Without a circuit breaker ECS starts the same broken task for ever; its own breaker gives up after three at least. */
const FAILED_TASKS = 3;

/** Why what was rolled out since the labels moved did not stay (aws-facts §4.5). */
function failureOf({ past }: ConsumerService, state: ServiceState, aim: Aim, s: Sight): string | null {
	const ofThis = (at: string): boolean => Date.parse(at) >= aim.sinceMs - CLOCK_MS;
	const last = past?.find((p) => ofThis(p.at));
	if (last?.status.startsWith("ROLLBACK") === true)
		return last.reason ?? "ECS rolled its deployment back (circuit breaker or alarm)";
	const primary = primaryOf(state);
	if (primary === null || !ofThis(primary.createdAt)) return null;
	const rollout = rolloutOf(state, s.now);
	if (rollout.is === "failed") return rollout.reason;
	if (rollout.is === "done") return null;
	const fails = primary.failed >= Math.max(FAILED_TASKS, Math.ceil(primary.desired / 2)) && primary.running === 0;
	if (fails && state.rollouts?.rollsBack !== true) return `${primary.failed} tasks failed to start or to stay`;
	const bakeMs = (state.rollouts?.bakeMinutes ?? 0) * 60_000;
	if (s.nowMs - Date.parse(primary.createdAt) <= s.wanted.timeoutMs + bakeMs) return null;
	return `not done after ${Math.floor((s.nowMs - Date.parse(primary.createdAt)) / 60_000)} minutes: ${taskWords(primary)}`;
}

function viewOf(r: Rollee, aim: Aim | null, verified: boolean): ConsumerView {
	const counted = aim !== null && r.service.tasks !== null;
	const state = stateOf(r, aim, verified);
	return {
		kind: "service",
		name: r.service.target.name,
		wave: null,
		current: counted ? r.current : null,
		stale: counted ? r.stale : null,
		state,
		note: r.failure ?? (r.paused ? "its deployment stands at a hook until somebody lets it go on" : null),
	};
}

function stateOf(r: Rollee, aim: Aim | null, verified: boolean): ConsumerView["state"] {
	if (r.failure !== null) return "failed";
	if (verified || isCurrent(r, aim)) return "current";
	return r.flight !== null && aim !== null ? "rolling" : "restart";
}

/** No task of it holds another value, and nothing of it moves. */
export function isCurrent(r: Rollee, aim: Aim | null): boolean {
	return aim !== null && r.service.tasks !== null && r.stale === 0 && r.flight === null && r.failure === null;
}
