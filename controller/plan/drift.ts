import { digest } from "../model/digest.ts";
import { actorOf, type Drift, reconcileIdIn } from "../model/drift.ts";
import type { Culprit } from "../model/hint.ts";
import type { Digest, Instant } from "../model/ids.ts";
import type { Change, Plan, Step, StepCall } from "../model/plan.ts";
import type { HistoryEntry } from "../model/status.ts";
import { type Target, targetId } from "../model/target.ts";
import type { PlanContext } from "./input.ts";

/** What a plan finds changed by a hand: one part of one target. */
export interface DriftPart {
	readonly target: Target;
	readonly part: string;
	readonly live: Digest;
	/** As we left it, and as it is now; null where it is not there, or was only reported. */
	readonly wanted: unknown;
	readonly found: unknown;
	/** `inline policy "quick-fix" was added`. */
	readonly words: string;
	/** It is healed by this plan. */
	readonly heals: boolean;
}

/** Events carry whole seconds, and two clocks differ a little. */
const SKEW_MS = 15_000;
/** An event comes within minutes (aws-facts §5.1); one that comes later names nobody any more. */
export const LATE_MS = 15 * 60_000;

/** The parts that steps or, where the policy says drift: Report, findings say have changed. */
export function driftParts(plan: Plan, context: Pick<PlanContext, "account" | "observed">): readonly DriftPart[] {
	const parts = new Map<string, DriftPart>();
	for (const step of plan.steps) {
		const part = driftedPart(step);
		if (part === null) continue;
		const { target } = step;
		const known = parts.get(`${targetId(target)} ${part}`);
		if (known !== undefined) continue;
		parts.set(`${targetId(target)} ${part}`, {
			target,
			part,
			live: digest(step.before ?? null),
			wanted: step.after,
			found: step.before,
			words: changedWords(step.diff),
			heals: step.state === "ready",
		});
	}
	for (const f of plan.findings) {
		const { accountId } = context.account;
		const name = f.id === "Drifted" ? /^role (\S+)$/.exec(f.subject ?? "")?.[1] : undefined;
		if (name === undefined || accountId === null) continue;
		const target: Target = { type: "iam.role", account: accountId, region: "global", name };
		const live = context.observed.get(targetId(target));
		const print = live?.exists === true ? live.fingerprint : null;
		parts.set(`${targetId(target)} role`, {
			target,
			part: "role",
			live: digest([print, f.message]),
			wanted: null,
			found: null,
			words: f.message,
			heals: false,
		});
	}
	return [...parts.values()];
}

/** The part of its target that a step heals; null where it heals none. */
export function driftedPart({ why, call }: Pick<Step, "why" | "call">): string | null {
	return why === "drifted" ? partOf(call) : null;
}

function partOf(call: StepCall): string | null {
	switch (call.api) {
		case "iam:PutRolePolicy":
		case "iam:DeleteRolePolicy":
			return `inline policy "${call.input.PolicyName}"`;
		case "iam:AttachRolePolicy":
		case "iam:DetachRolePolicy":
			return `managed policy ${call.input.PolicyArn}`;
		case "iam:UpdateAssumeRolePolicy":
			return "trust policy";
		case "iam:PutRolePermissionsBoundary":
		case "iam:DeleteRolePermissionsBoundary":
			return "permissions boundary";
		case "iam:TagRole":
		case "iam:UntagRole":
			return "tags";
		case "ecs:UpdateService":
		case "ecs:RegisterTaskDefinition":
			return "binding";
		default:
			return null;
	}
}

/** The calls that can have changed a part; who made another one did not do it. */
function mayHaveChanged(part: string, action: string): boolean {
	if (part === "role") return action.startsWith("iam:");
	if (part === "binding") return action.startsWith("ecs:");
	const verb = action.replace(/^iam:/, "");
	if (part.startsWith("inline policy")) return /^(Put|Delete)RolePolicy$/.test(verb);
	if (part.startsWith("managed policy")) return /^(Attach|Detach)RolePolicy$/.test(verb);
	if (verb === "CreateRole") return true;
	if (part === "trust policy") return verb === "UpdateAssumeRolePolicy";
	return part === "tags" ? /^(Tag|Untag)Role$/.test(verb) : /^(Put|Delete)RolePermissionsBoundary$/.test(verb);
}

/** What healing takes away was added, and so on. */
const DONE: Readonly<Record<Change["op"], string>> = { "-": "was added", "+": "was removed", "~": "was changed" };

function changedWords(diff: readonly Change[]): string {
	return diff
		.map(
			(c) =>
				`${c.what}${c.name === "" || c.what === "trust" ? "" : c.what === "inline policy" ? ` "${c.name}"` : ` ${c.name}`} ${DONE[c.op]}`,
		)
		.join(", ");
}

/**
 * Since when parts have changed, and who did it: from the history of their resource (newest first), and from what events
 * told that is not in it yet. Whom no event names is not guessed at: an event counts for a part that its call can have
 * changed, after we last healed it, once, and never where it is the echo of our own call.
 */
export function driftsFrom(
	parts: readonly DriftPart[],
	entries: readonly HistoryEntry[],
	heard: ReadonlyMap<string, readonly Culprit[]>,
	now: Instant,
): readonly Drift[] {
	return parts.map((p): Drift => {
		const id = targetId(p.target);
		const own = entries.filter((e) => e.target !== null && targetId(e.target) === id);
		const mine = own.filter((e) => e.drift?.part === p.part);
		const heal = mine.findIndex((e) => e.event === "applied");
		const standing = mine.find((e, n) => isSeen(e) && (heal === -1 || n < heal));
		const base = { target: p.target, part: p.part, live: p.live };
		const same = standing?.drift?.live === p.live ? standing : undefined;
		if (same?.culprit != null) return { ...base, since: same.since ?? same.at, culprit: same.culprit, recorded: true };
		const healedAt = heal === -1 ? Number.NEGATIVE_INFINITY : Date.parse(mine[heal]?.at ?? "");
		const culprit = fresh(heard.get(id) ?? [], own)
			.filter((c) => mayHaveChanged(p.part, c.action) && Date.parse(c.at) >= healedAt - SKEW_MS)
			.at(-1);
		if (culprit !== undefined) return { ...base, since: culprit.at, culprit, recorded: false };
		if (same !== undefined) return { ...base, since: same.since ?? same.at, culprit: null, recorded: true };
		return { ...base, since: now, culprit: null, recorded: false };
	});
}

/** That a part was seen changed; not that somebody was named for it later. */
export function isSeen(e: Pick<HistoryEntry, "event" | "why">): boolean {
	return e.event === "drifted" && e.why === "drifted";
}

/**
 * Entries that name who did what was seen, and healed, before the event that tells it came. `targets` are those that have
 * no drift now.
 */
export function namedLate(
	targets: readonly Target[],
	entries: readonly HistoryEntry[],
	heard: ReadonlyMap<string, readonly Culprit[]>,
	now: Instant,
): readonly HistoryEntry[] {
	return targets.flatMap((target) => {
		const id = targetId(target);
		const own = entries.filter((e) => e.target !== null && targetId(e.target) === id);
		const named = new Set<string>();
		return fresh(heard.get(id) ?? [], own).flatMap((culprit): HistoryEntry[] => {
			const at = Date.parse(culprit.at);
			const seen = own.find(
				(e) =>
					isSeen(e) &&
					e.culprit === undefined &&
					e.drift !== undefined &&
					mayHaveChanged(e.drift.part, culprit.action) &&
					Date.parse(e.at) >= at - SKEW_MS &&
					Date.parse(e.at) - at < LATE_MS,
			);
			const part = seen?.drift?.part;
			const isNamed = own.some((e) => e.why === NAMED && e.drift?.part === part && e.since === seen?.since);
			if (seen === undefined || part === undefined || named.has(part) || isNamed) return [];
			named.add(part);
			return [{ ...seen, at: now, why: NAMED, culprit }];
		});
	});
}

/** `why` of an entry that names who did what an earlier one saw. */
const NAMED = "named";

/** Events that no entry has used yet and that are not of our own calls, the oldest first. */
function fresh(heard: readonly Culprit[], own: readonly HistoryEntry[]): readonly Culprit[] {
	const used = new Set(own.flatMap((e) => (e.culprit === undefined ? [] : [e.culprit.eventId])));
	return heard.filter((c) => !used.has(c.eventId) && !isEcho(c, own)).toSorted((a, b) => Date.parse(a.at) - Date.parse(b.at));
}

/**
 * An event of a call of our own: it bears the id of a pass that the history knows to have written this target, and was
 * made by whom that pass acted as. A user agent can be forged by anybody, so it does not hide who acts as somebody else.
 */
function isEcho(culprit: Culprit, entries: readonly HistoryEntry[]): boolean {
	const id = reconcileIdIn(culprit.userAgent);
	if (id === null) return false;
	const actor = actorOf(culprit.arn);
	return entries.some((e) => e.reconcileId === id && e.api !== null && actorOf(e.actor) === actor);
}
