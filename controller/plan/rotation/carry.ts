import { OAUTH_CAPABILITIES } from "../../model/oauth-capabilities.ts";
import type { Step } from "../../model/plan.ts";
import type { RotationMarks } from "../../model/rotation.ts";
import { ROTATION_MARK, UNDER_WAY } from "../../model/rotation-marks.ts";
import { giveUp, hasWayBack } from "./back.ts";
import type { Aim, Sorted } from "./consumers.ts";
import { canaryRuns, notAllSeen, roll, ruleStep } from "./roll.ts";
import { causeOf, type Sight } from "./sight.ts";
import { marks, oauthInput, secretStep, waitStep } from "./steps.ts";

/** From the promotion to the verification: the copies, the first consumer, the rest, and the proof. */
export function carry(s: Sight, id: string, sorted: Sorted, aim: Aim): readonly Step[] {
	if (s.current !== id)
		return [giveUp(s, `ChangedByHand version ${s.current ?? "none"} was made current by somebody else meanwhile`)];
	if (s.consumers === null || s.unread !== null)
		return [waitStep(s, "reference", `who uses it cannot be read: ${s.unread ?? "not looked at"}`)];
	const rule = ruleStep(s, "rotation");
	if (rule !== null) return [rule];
	const canary = s.mark("canary") !== null;
	// One alone is the first and the last: what comes after all of them verifies it.
	if (!canary && sorted.rollees.length > 1 && canaryRuns(sorted, aim)) return [verify(s, "canary", sorted, aim)];
	const rolled = roll(s, sorted, aim, canary, "rotation");
	if (rolled.is === "failed") return [failed(s, `RollFailed ${rolled.reason}`)];
	if (rolled.is === "steps") return rolled.steps;
	return [notAllSeen(s) ?? verify(s, "verified", sorted, aim)];
}

function failed(s: Sight, reason: string): Step {
	if (s.wanted.onFailure === "Rollback" && hasWayBack(s)) return giveUp(s, reason);
	const why = s.wanted.onFailure === "Stop" ? "onFailure says Stop" : "only who made the value could take it back";
	return waitStep(s, "failed", `${reason.replace(/^\w+ /, "")}; ${why}`, {
		advice: "mend the service: the roll goes on by itself as soon as its tasks run",
	});
}

/** The last consumer had its time to start; after that the proof has the same again. */
function verify(s: Sight, mark: "canary" | "verified", sorted: Sorted, aim: Aim): Step {
	const { verify: check, timeoutMs } = s.wanted;
	const what = mark === "canary" ? "the first consumer works with it" : "all consumers have it";
	const done = marks({ at: [mark] });
	if (check === null) {
		const input = { secret: s.secret.arn, marks: done };
		return secretStep(s, { api: "secretsmanager:TagResource", input }, `mark that ${what}`);
	}
	const began = sorted.rollees.flatMap((r) => r.state.rollouts?.deployments.map((d) => Date.parse(d.updatedAt)) ?? []);
	const since = Math.max(aim.sinceMs, ...began.filter((at) => at > aim.sinceMs));
	if (s.nowMs > since + timeoutMs)
		return failed(
			s,
			`NotVerified ${check.url} did not answer ${check.expectStatus} within ${Math.round(timeoutMs / 60_000)} minutes`,
		);
	return secretStep(
		s,
		{ api: "https:Get", input: { secret: s.secret.arn, check, marks: done } },
		`verify at ${check.url} that ${what}`,
	);
}

/** When the old value may be retired; before that the way back is open. */
export function retiresAt(s: Sight): number {
	const verified = Date.parse(s.mark("verified") ?? s.now);
	const deactivated = s.mark("deactivated");
	return Math.max(verified, deactivated === null ? 0 : Date.parse(deactivated)) + s.wanted.retireAfterMs;
}

/**
 * After the verification: the old value stays for `retireAfter`, is switched off, and later deleted. Who asks for another
 * rotation meanwhile cuts that short. Null: it is not time yet, and nothing is wrong with that.
 */
export function retire(s: Sight, id: string): Step | null {
	const { strategy } = s.wanted;
	const early = causeOf({ ...s, id }) !== null;
	const at = retiresAt(s);
	const dual = strategy.type === "oauthClient" && OAUTH_CAPABILITIES[strategy.client.provider].overlap === "dual";
	if (!early && s.nowMs < at) return null;
	if (strategy.type === "oauthClient" && dual) {
		const input = oauthInput(s, id);
		const where = strategy.client.issuer;
		if (s.mark("deactivated") === null) {
			const call = { api: "oauth:DeactivateOld", input: { ...input, marks: marks({ at: ["deactivated"] }) } } as const;
			return secretStep(s, call, `switch the old secret off at ${where}`);
		}
		return secretStep(
			s,
			{ api: "oauth:RemoveOld", input: { ...input, marks: ended(s, id) } },
			`delete the old secret at ${where}`,
		);
	}
	return secretStep(
		s,
		{ api: "secretsmanager:TagResource", input: { secret: s.secret.arn, marks: ended(s, id) } },
		"mark that it has ended well",
	);
}

function ended(s: Sight, id: string): RotationMarks {
	const rotatedAt = s.mark("promotedAt") ?? s.now;
	return marks({ set: { rotatedAt, last: id }, remove: [...UNDER_WAY, ROTATION_MARK.failed] });
}
