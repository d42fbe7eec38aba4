import { bindingDigest, isBound, isOurs, type TaskPlace } from "../model/binding.ts";
import type { Arn, Instant } from "../model/ids.ts";
import type { Fact, Revision } from "../model/reference.ts";
import type { Binding, Deployment, PastDeployment, ServiceState } from "../model/target.ts";

/**
 * Minutes after which a rollout of ours that does not end has failed, where ECS itself does not say so. A task of Fargate
 * starts within two or three, and its load balancer's draining of five comes after; what has not moved in half an hour
 * will not. A person's own bake time is added.
 */
const ROLLOUT_TIMEOUT_MINUTES = 30;
/** A large service may take longer, as long as more of its tasks start than fail; this is the end of patience. */
const ROLLOUT_LIMIT_MINUTES = 180;
/** Where the circuit breaker takes back by itself, it does so at once; after this it did not. */
const ROLLBACK_GRACE_MINUTES = 2;

export type Rollout = { readonly is: "done" } | { readonly is: "going" } | { readonly is: "failed"; readonly reason: string };

/** What came of rolling out what the service is to run. */
export function rolloutOf(state: ServiceState, now: Instant): Rollout {
	const primary = primaryOf(state);
	if (primary === null || isSettled(primary, state)) return { is: "done" };
	const since = (at: Instant): number => (Date.parse(now) - Date.parse(at)) / 60_000;
	if (primary.rollout === "FAILED") {
		if (state.rollouts?.rollsBack === true && since(primary.updatedAt) < ROLLBACK_GRACE_MINUTES) return { is: "going" };
		return { is: "failed", reason: primary.reason ?? "ECS gave it up" };
	}
	const bake = state.rollouts?.bakeMinutes ?? 0;
	const minutes = since(primary.createdAt) - bake;
	const stuck = minutes > ROLLOUT_TIMEOUT_MINUTES && primary.running <= primary.failed;
	if (!stuck && minutes <= ROLLOUT_LIMIT_MINUTES) return { is: "going" };
	return {
		is: "failed",
		reason: `not done after ${Math.floor(since(primary.createdAt))} minutes: ${taskWords(primary)}, ${primary.failed} failed to start or to stay`,
	};
}

export function primaryOf(state: ServiceState): Deployment | null {
	return state.rollouts?.deployments.find((d) => d.status === "PRIMARY") ?? null;
}

/** Where ECS keeps no rollout state, the tasks say it. */
function isSettled(primary: Deployment, state: ServiceState): boolean {
	if (primary.rollout !== null) return primary.rollout === "COMPLETED";
	return state.rollouts?.deployments.length === 1 && primary.running >= primary.desired;
}

/** Whose deployment is under way, if any is: never stack one on it (aws-facts §4.5). */
export function underWay(state: ServiceState): Deployment | null {
	const primary = primaryOf(state);
	return primary === null || primary.rollout === "FAILED" || isSettled(primary, state) ? null : primary;
}

export function taskWords({ running, desired }: Pick<Deployment, "running" | "desired">): string {
	return `${running} of ${desired} ${desired === 1 ? "task" : "tasks"} running`;
}

type Revisions = Extract<Fact, { type: "ecs.revisions" }>;

/**
 * The rollout of this very wish on this very base that was tried before: the service is back on the base, so it failed,
 * or somebody took it back; either way it is not tried again. ECS remembers deployments for 90 days.
 */
export function earlierTry(fact: Revisions, wanted: Partial<Binding>, base: Arn): PastDeployment | null {
	const digest = bindingDigest(wanted, base);
	const made = new Set(fact.revisions.filter((r) => r.bound?.digest === digest && r.bound.base === base).map((r) => r.arn));
	return fact.deployments.find((d) => made.has(d.taskDefinition)) ?? null;
}

/** Whether we have bound this before, for what git says now. */
export function boundBefore(fact: Revisions, wanted: Partial<Binding>, place: TaskPlace): boolean {
	return fact.revisions.some((r) => isOurs({ ...r.binding, bound: r.bound }, wanted, place));
}

/** Two overwrites of a binding in a row, and nothing of the pipeline's in between that had it right. */
const OVERWRITES = 2;

/**
 * The newest revision with which somebody has replaced our binding for the second time in a row; null: nobody has. What
 * failed and went back is no overwrite.
 */
export function rivalOf(fact: Revisions, wanted: Partial<Binding>, live: Arn, place: TaskPlace): Revision | null {
	const known = new Map(fact.revisions.map((r) => [r.arn, r]));
	const story = storyOf(fact, live);
	let overwritten = 0;
	for (const [n, { arn, status }] of story.entries()) {
		const revision = known.get(arn);
		const newer = story[n - 1];
		if (revision === undefined) continue;
		if (!isOurs({ ...revision.binding, bound: revision.bound }, wanted, place)) {
			if (isBound(wanted, revision.binding, place)) return null;
			continue;
		}
		const failed = status.startsWith("ROLLBACK") || newer?.arn === revision.bound?.base;
		if (newer !== undefined && !failed && !isOursAt(known.get(newer.arn), wanted, place)) overwritten += 1;
		if (overwritten >= OVERWRITES) return known.get(live) ?? null;
	}
	return null;
}

/** What ran one after the other, the newest first; of a family, what was registered. */
function storyOf(fact: Revisions, live: Arn): readonly { readonly arn: Arn; readonly status: string }[] {
	const past =
		fact.deployments.length === 0
			? fact.revisions.map((r) => ({ arn: r.arn, status: "" }))
			: fact.deployments.map((d) => ({ arn: d.taskDefinition, status: d.status }));
	return [{ arn: live, status: "" }, ...past].filter((one, n, all) => n === 0 || one.arn !== all[n - 1]?.arn);
}

function isOursAt(r: Revision | undefined, wanted: Partial<Binding>, place: TaskPlace): boolean {
	return r !== undefined && isOurs({ ...r.binding, bound: r.bound }, wanted, place);
}
