import type { Contest } from "../model/drift.ts";
import type { Finding } from "../model/finding.ts";
import type { Instant } from "../model/ids.ts";
import { instantAt } from "../model/instant.ts";
import type { Plan, Step, StepState } from "../model/plan.ts";
import type { HistoryEntry } from "../model/status.ts";
import { type Target, targetId } from "../model/target.ts";
import { driftedPart, isSeen } from "./drift.ts";
import type { PlanContext } from "./input.ts";
import { rechain } from "./rechain.ts";

/** So often within so long it is changed back after it was healed: then somebody means it, and does it by a machine. */
const ROUNDS = 3;
const WITHIN_MS = 10 * 60_000;
/**
 * It is healed once more when so long nothing was changed; and when it is then changed back, the contest goes on at once.
 * For ever would be too long: what was left in a role by somebody who is gone would stay there until a person looks.
 */
const QUIET_MS = 60 * 60_000;

/** These write what git says anew: whoever wrote that to git has looked. */
const ANEW: ReadonlySet<string> = new Set(["spec-changed", "missing", "adopted", "renamed"]);

/** What of a history says who changed what, and what was done about it. */
export type SeenEntry = Pick<HistoryEntry, "at" | "event" | "why" | "target" | "drift" | "culprit">;

/**
 * Whether somebody keeps changing `target` back, as the history of its resource has it (newest first). It ends when a
 * person applies, when git says something else and that was applied, and when nothing was changed for an hour. Pure.
 */
export function contestOf(target: Target, entries: readonly SeenEntry[], now: Instant): Contest | null {
	const id = targetId(target);
	const own = entries.filter((e) => e.target !== null && targetId(e.target) === id).toReversed();
	const parts = new Set(own.flatMap((e) => (e.drift === undefined ? [] : [e.drift.part])));
	for (const part of parts) {
		const contest = contestOver(part, target, own, Date.parse(now));
		if (contest !== null) return contest;
	}
	return null;
}

function contestOver(part: string, target: Target, entries: readonly SeenEntry[], now: number): Contest | null {
	/** When it was healed after it was last seen changed; null: it was not. */
	let healed: number | null = null;
	let returns: number[] = [];
	/** Since the third return; `last` is the last change that was seen. */
	let held: { readonly since: number; readonly rounds: number; readonly last: number } | null = null;
	let rival: Contest["rival"] = null;
	for (const e of entries) {
		const at = Date.parse(e.at);
		if (e.event === "applied" && ANEW.has(e.why)) {
			[healed, returns, held] = [null, [], null];
			continue;
		}
		if (e.drift?.part !== part) continue;
		if (e.event === "drifted" && e.culprit !== undefined) rival = e.culprit;
		if (e.event === "applied") {
			// Nobody but a person heals what is contested.
			if (held !== null && at - held.last < QUIET_MS) [returns, held] = [[], null];
			healed = at;
		} else if (isSeen(e)) {
			if (healed !== null) {
				// What stayed healed for so long was given up.
				if (at - healed >= QUIET_MS) held = null;
				returns = [...returns.filter((t) => at - t <= WITHIN_MS), at];
			}
			if (held !== null) held = { since: held.since, rounds: held.rounds + (healed === null ? 0 : 1), last: at };
			else if (returns.length >= ROUNDS) held = { since: returns[0] ?? at, rounds: returns.length, last: at };
			healed = null;
		}
	}
	if (held === null || now - held.last >= QUIET_MS) return null;
	const { since, last, rounds } = held;
	return { target, part, rounds, since: instantAt(since), last: instantAt(last), rival, until: instantAt(last + QUIET_MS) };
}

/**
 * A plan with what is contested left as it is: its healing waits, and the rival is named. What a person applies goes on:
 * that is their word. A Deny, a hold or an approval that is waited for already says more.
 */
export function contested(plan: Plan, contests: readonly Contest[], context: PlanContext): Plan {
	const by = new Map(contests.map((c) => [targetId(c.target), c]));
	if (by.size === 0) return plan;
	const findings = contests.map((c) => findingOf(c, plan));
	const asks = (s: Step): Contest | undefined => (driftedPart(s) === null ? undefined : by.get(targetId(s.target)));
	if (context.person || !plan.steps.some((s) => s.state === "ready" && asks(s) !== undefined)) {
		return { ...plan, findings: [...plan.findings, ...findings] };
	}
	const waiting = (s: Step): StepState => {
		const contest = asks(s);
		return contest === undefined ? "ready" : waitingFor(contest, plan);
	};
	const made = rechain(plan, context, { decide: waiting });
	return { ...made, findings: [...made.findings, ...findings] };
}

function waitingFor(contest: Contest, plan: Plan): StepState {
	return {
		waiting: "contested",
		detail: `${contestWords(contest)}; it is not healed again before ${contest.until}`,
		advice: "stop what changes it, or write it into the policy; to heal it now all the same:",
		command: `ecs-access apply --only ${plan.key.replace(/@.*$/, "")}`,
	};
}

function findingOf(contest: Contest, plan: Plan): Finding {
	return {
		id: "Contested",
		severity: "warning",
		message: `role ${contest.target.name}: ${contestWords(contest)}`,
		fix: "stop what changes it, or write into the policy what it is to be",
		origin: plan.origin,
		key: plan.key,
		subject: `role ${contest.target.name}`,
		since: contest.since,
	};
}

/** `arn:… has changed inline policy "quick-fix" back 3 times since …, the last time at …`. */
function contestWords({ rival, part, rounds, since, last }: Contest): string {
	const who = rival === null ? "somebody whom no event names" : rival.arn;
	return `${who} has changed ${part} back ${rounds} times since ${since}, the last time at ${last}`;
}
