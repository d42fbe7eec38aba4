import { serviceFingerprint } from "../../model/binding.ts";
import type { Change, Step, StepCall, StepState, Waiting, Why } from "../../model/plan.ts";
import type { OAuthStep, RotationMarks } from "../../model/rotation.ts";
import { ROTATION_MARK, type RotationMark } from "../../model/rotation-marks.ts";
import { type Target, targetId } from "../../model/target.ts";
import { change } from "../draft.ts";
import type { Rollee } from "./consumers.ts";
import type { Sight } from "./sight.ts";

/** Marks by their names. `at` get the time of the call. */
export function marks(of: {
	readonly set?: Partial<Record<RotationMark, string>>;
	readonly at?: readonly RotationMark[];
	readonly remove?: readonly string[];
}): RotationMarks {
	return {
		set: Object.fromEntries(Object.entries(of.set ?? {}).map(([m, v]) => [ROTATION_MARK[m as RotationMark], v])),
		at: (of.at ?? []).map((m) => ROTATION_MARK[m]),
		remove: of.remove ?? [],
	};
}

/** The next step on the secret itself. `words` say it in the plan: what is written, without a value. */
export function secretStep(s: Sight, call: StepCall, words: string, why: Why = "rotation"): Step {
	return stepOf(s, s.d.target, call, [change("~", "secret", words, { origin: s.d.origin })], s.secret.fingerprint, why);
}

/** Its tasks are replaced. */
export function restartStep(s: Sight, r: Rollee, why: Why): Step {
	const { target } = r.service;
	const slash = target.name.indexOf("/");
	const input = { cluster: target.name.slice(0, slash), service: target.name.slice(slash + 1) };
	const tasks = `${r.state.desiredCount} ${r.state.desiredCount === 1 ? "task" : "tasks"}`;
	const line: Change = change("~", "tasks", `restart ${tasks}`, { origin: s.d.origin });
	return stepOf(s, target, { api: "ecs:ForceNewDeployment", input }, [line], serviceFingerprint(r.state), why);
}

/** Nothing can be called yet. */
export function waitStep(
	s: Sight,
	waiting: Waiting,
	detail: string,
	more: { readonly advice?: string; readonly command?: string } = {},
): Step {
	const step = stepOf(s, s.d.target, { api: "none" }, [], null, "rotation");
	return { ...step, state: { waiting, detail, origin: s.d.origin, ...more } satisfies StepState };
}

function stepOf(
	s: Sight,
	target: Target,
	call: StepCall,
	diff: readonly Change[],
	precondition: Step["precondition"],
	why: Why,
): Step {
	return {
		id: `${targetId(target)}#1`,
		target,
		call,
		why,
		effect: "none",
		gains: [],
		losses: [],
		diff,
		before: null,
		after: null,
		precondition,
		after_: [],
		settle: 0,
		state: s.wanted.suspended ? { waiting: "suspended", detail: `${s.key} says suspend: true`, origin: s.d.origin } : "ready",
	};
}

/** What the calls to a provider need; only of the strategy `oauthClient`. */
export function oauthInput(s: Sight, id: string): OAuthStep {
	const { strategy, derive } = s.wanted;
	if (strategy.type !== "oauthClient") throw new Error(`${s.key} has no OAuth client`);
	return {
		secret: s.secret.arn,
		version: id,
		previous: s.mark("previous") ?? "",
		client: strategy.client,
		adminSecret: strategy.adminSecret,
		key: strategy.key,
		derive,
		began: s.mark("began") ?? s.now,
		providerId: s.mark("providerId"),
	};
}
