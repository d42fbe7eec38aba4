import type { Step, Why } from "../../model/plan.ts";
import { FAILED_LABEL } from "../../model/secret-state.ts";
import { type Aim, isCurrent, type Rollee, SETTLE_SECONDS, type Sorted } from "./consumers.ts";
import type { Sight } from "./sight.ts";
import { restartStep, secretStep, waitStep } from "./steps.ts";

/** Two secrets of one service that rotate together are one restart; the other gets this long to come along. */
const COALESCE_MS = 10 * 60_000;

/** What the roll of the consumers needs next. */
export type Roll =
	/** All of them have the value. */
	| { readonly is: "done" }
	| { readonly is: "steps"; readonly steps: readonly Step[] }
	| { readonly is: "failed"; readonly reason: string };

/**
 * The next step of a roll: one consumer first, and the rest, `maxParallel` at a time, once `canary` says that it works.
 * Never on top of a deployment in flight, which may well bring the new value by itself. Level-based: who has the value is
 * told by its tasks alone, so it goes on wherever it was left, and tasks that an autoscaler starts count by themselves.
 */
export function roll(s: Sight, sorted: Sorted, aim: Aim, canary: boolean, why: Why): Roll {
	const failed = sorted.rollees.filter((r) => r.failure !== null);
	const [first] = failed;
	if (first !== undefined) return { is: "failed", reason: `${first.service.target.name}: ${first.failure}` };
	if (sorted.rollees.some((r) => r.service.tasks === null)) return waits(s, "the tasks of its consumers were not looked at");
	const left = sorted.rollees.filter((r) => !isCurrent(r, aim));
	if (left.length === 0) return { is: "done" };
	const paused = left.filter((r) => r.paused);
	const flying = left.filter((r) => r.flight !== null);
	const slots = Math.max(0, (canary ? s.wanted.maxParallel : 1) - flying.length);
	const stale = left.filter((r) => r.flight === null);
	const free = stale.filter((r) => !awaits(r, aim, s));
	const settlesMs = aim.sinceMs + (SETTLE_SECONDS + 1) * 1000;
	if (s.nowMs < settlesMs) {
		return waits(s, `a task that starts within ${SETTLE_SECONDS} s of the move may still read the old value`, "propagation");
	}
	// Somebody's own deployment may have made one current already: that is as good a first one.
	const tried = canary || sorted.rollees.some((r) => isCurrent(r, aim) && r.current > 0);
	const chosen = (tried ? free : bySize(free)).slice(0, tried ? Math.max(0, slots) : Math.min(1, slots));
	if (chosen.length > 0) return { is: "steps", steps: chosen.map((r) => restartStep(s, r, why)) };
	if (paused.length > 0) {
		return waits(s, `${names(paused)} stands at a lifecycle hook of its deployment until somebody lets it go on`);
	}
	if (flying.length > 0) return waits(s, `${names(flying)} ${flying.length === 1 ? "is" : "are"} being restarted`);
	return waits(s, `${names(stale)} waits for another secret that rotates too: one restart for both`);
}

/** Those that are known are rolled all the same; but nobody has the value for sure before all were looked at. */
export function notAllSeen(s: Sight): Step | null {
	const unread = s.consumers?.unread ?? [];
	if (unread.length === 0) return null;
	return waitStep(s, "reference", `who uses it is not wholly known: ${unread.slice(0, 3).join("; ")}`);
}

/** Whether the first consumer has shown that the value works, so that it can be verified. */
export function canaryRuns(sorted: Sorted, aim: Aim): boolean {
	return sorted.rollees.some((r) => isCurrent(r, aim) && r.current > 0);
}

function awaits(r: Rollee, aim: Aim, s: Sight): boolean {
	return r.service.awaits.length > 0 && s.nowMs < aim.sinceMs + COALESCE_MS;
}

/** The one with the fewest tasks goes first: it breaks least. */
export function bySize(rollees: readonly Rollee[]): readonly Rollee[] {
	return rollees.toSorted((a, b) => a.state.desiredCount - b.state.desiredCount);
}

function waits(s: Sight, detail: string, waiting: "rollout" | "propagation" = "rollout"): Roll {
	return { is: "steps", steps: [waitStep(s, waiting, detail)] };
}

function names(rollees: readonly Rollee[]): string {
	const all = rollees.map((r) => r.service.target.name);
	return all.length <= 3 ? all.join(", ") : `${all.slice(0, 3).join(", ")} and ${all.length - 3} more`;
}

/** Rules of load balancers hold a copy each: they get the current value, one call after the other. Null: all have it. */
export function ruleStep(s: Sight, why: Why): Step | null {
	const { strategy } = s.wanted;
	const rule = s.consumers?.rules.find((r) => r.fault === null && r.version !== s.current);
	if (rule === undefined || strategy.type !== "oauthClient" || s.current === null) return null;
	const input = { secret: s.secret.arn, rule: rule.arn, version: s.current, key: strategy.key };
	return secretStep(s, { api: "elasticloadbalancing:ModifyRule", input }, `give the client secret to rule ${rule.arn}`, why);
}

/** The new version was rolled back before: it is never promoted again. */
export function isSpoiled(s: Sight, id: string): boolean {
	return s.state.labels[id]?.includes(FAILED_LABEL) === true;
}
