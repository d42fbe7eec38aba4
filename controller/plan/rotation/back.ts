import { OAUTH_CAPABILITIES } from "../../model/oauth-capabilities.ts";
import type { Step } from "../../model/plan.ts";
import { ROTATION_MARK, tagText, UNDER_WAY } from "../../model/rotation-marks.ts";
import { FAILED_LABEL } from "../../model/secret-state.ts";
import { holderOf } from "./begin.ts";
import { backwardAim, type Sorted, sortConsumers } from "./consumers.ts";
import { notAllSeen, roll, ruleStep } from "./roll.ts";
import type { Sight } from "./sight.ts";
import { marks, oauthInput, secretStep, waitStep } from "./steps.ts";

/** Whether the old value can be what everybody uses again; else the new one stays, whatever becomes of the roll. */
export function hasWayBack(s: Sight): boolean {
	const { strategy } = s.wanted;
	if (strategy.type === "generate") return true;
	if (strategy.type !== "oauthClient") return false;
	const { overlap, restores } = OAUTH_CAPABILITIES[strategy.client.provider];
	return s.mark("set") === null || overlap === "dual" || restores;
}

/** What would be done, in words. */
export function wayBackWords(s: Sight): string {
	const { strategy, onFailure } = s.wanted;
	if (onFailure === "Stop") return "none: onFailure says Stop, so it stands still and says why";
	if (strategy.type === "lambda" || strategy.type === "external")
		return "none: only who makes the value could take it back; it stands still and says why";
	if (strategy.type === "generate") return "the labels go back to the old version, then the consumers are restarted with it";
	const { overlap, restores } = OAUTH_CAPABILITIES[strategy.client.provider];
	if (overlap === "dual")
		return "the labels go back, the consumers are restarted with the old secret, the new one is removed at the provider";
	if (restores) return "the labels go back, the provider gets the old secret again, the consumers are restarted with it";
	return s.mark("set") === null
		? "until the provider has made the new secret: give up; after that none, since the old one is dead"
		: "none: the provider has forgotten the old secret";
}

/**
 * The first step of the way back: why is marked, before anything is undone. `reason`: a word, then a few. Where the provider
 * has forgotten the old value there is nothing to go back to: a person must look.
 */
export function giveUp(s: Sight, reason: string): Step {
	if (s.wanted.strategy.type === "oauthClient" && !hasWayBack(s)) {
		return waitStep(
			s,
			"failed",
			`${reason.replace(/^\w+ /, "")}; the old value is dead at the provider, so there is no way back`,
			{
				advice: `see what the provider says; to have the new value asked for and tested again, remove the tag ${ROTATION_MARK.set} from the secret`,
			},
		);
	}
	const input = { secret: s.secret.arn, marks: marks({ set: { back: tagText(reason) } }) };
	return secretStep(s, { api: "secretsmanager:TagResource", input }, `go back: ${reason.replace(/^\w+ /, "")}`, "failed");
}

export interface BackPlan {
	readonly steps: readonly Step[];
	readonly sorted: Sorted | null;
}

/**
 * The next step of the way back: labels first, since whatever starts from then on reads the old value; then what holds a
 * copy, then the services, then the provider; and in the end the reason stays in a mark (aws-facts §4.5: ECS's own
 * rollback brings back neither secret nor IAM).
 */
export function back(s: Sight, id: string, ownRoles: ReadonlySet<string> | undefined): BackPlan {
	const only = (step: Step): BackPlan => ({ steps: [step], sorted: null });
	if (!hasWayBack(s)) return only(end(s, id));
	const labels = labelsBack(s, id);
	if (labels !== null) return only(labels);
	const reverted = s.mark("reverted");
	const early = restoresFirst(s) ? clear(s, id) : null;
	if (early !== null) return only(early);
	const rule = ruleStep(s, "failed");
	if (rule !== null) return only(rule);
	let sorted: Sorted | null = null;
	if (reverted !== null) {
		const aim = backwardAim(reverted, s.mark("began") ?? reverted);
		sorted = sortConsumers(s, aim, ownRoles);
		if (s.consumers === null || s.unread !== null)
			return only(waitStep(s, "reference", `who uses it cannot be read: ${s.unread ?? "not looked at"}`));
		// One by one is for what may be wrong; the old value is known to work.
		const rolled = roll(s, sorted, aim, true, "failed");
		if (rolled.is === "failed") {
			const detail = `the old value is back, and ${rolled.reason}`;
			return {
				steps: [waitStep(s, "failed", detail, { advice: "look at the service itself: it fails with the value it ran with" })],
				sorted,
			};
		}
		if (rolled.is === "steps") return { steps: rolled.steps, sorted };
		const unseen = notAllSeen(s);
		if (unseen !== null) return { steps: [unseen], sorted };
	}
	return { steps: [clear(s, id) ?? end(s, id)], sorted };
}

/** Null: no label says any more that this version is wanted. */
function labelsBack(s: Sight, id: string): Step | null {
	const previous = s.mark("previous");
	const none = marks({});
	if (s.current === id && previous !== null && previous !== "") {
		const input = {
			secret: s.secret.arn,
			label: "AWSCURRENT",
			to: previous,
			from: id,
			marks: marks({ set: { promotedVersion: previous }, at: ["reverted", "promotedAt"] }),
		};
		return secretStep(
			s,
			{ api: "secretsmanager:UpdateSecretVersionStage", input },
			"make the old version current again",
			"failed",
		);
	}
	// Moved, and the mark was lost: from now on is late, and never early.
	if (s.mark("promotedVersion") === id && s.mark("reverted") === null && s.current === previous && previous !== null) {
		const input = { secret: s.secret.arn, marks: marks({ set: { promotedVersion: previous }, at: ["reverted", "promotedAt"] }) };
		return secretStep(s, { api: "secretsmanager:TagResource", input }, "mark that the old version is current again", "failed");
	}
	const labels = s.state.labels[id];
	if (labels === undefined) return null;
	if (!labels.includes(FAILED_LABEL)) {
		const input = { secret: s.secret.arn, label: FAILED_LABEL, to: id, from: holderOf(s, FAILED_LABEL), marks: none };
		return secretStep(
			s,
			{ api: "secretsmanager:UpdateSecretVersionStage", input },
			`label the new version ${FAILED_LABEL}`,
			"failed",
		);
	}
	if (!labels.includes("AWSPENDING")) return null;
	const input = { secret: s.secret.arn, label: "AWSPENDING", to: null, from: id, marks: none };
	return secretStep(s, { api: "secretsmanager:UpdateSecretVersionStage", input }, "take the label AWSPENDING from it", "failed");
}

/** Where only one secret is good at a time, the old one must be it before anything starts with it. */
function restoresFirst(s: Sight): boolean {
	const { strategy } = s.wanted;
	return strategy.type === "oauthClient" && OAUTH_CAPABILITIES[strategy.client.provider].overlap !== "dual";
}

/** The provider forgets the new value, or gets the old one back. Null: it has, or never had to. */
function clear(s: Sight, id: string): Step | null {
	const { strategy } = s.wanted;
	if (strategy.type !== "oauthClient" || s.mark("cleared") !== null) return null;
	// An answer may have been lost: what was made since it began is looked for.
	if (s.mark("set") === null && s.state.labels[id] === undefined) return null;
	const { overlap } = OAUTH_CAPABILITIES[strategy.client.provider];
	const words = overlap === "dual" ? "remove the new secret" : "put the old secret back";
	const call = { api: "oauth:RemoveNew", input: { ...oauthInput(s, id), marks: marks({ at: ["cleared"] }) } } as const;
	return secretStep(s, call, `${words} at ${strategy.client.issuer}`, "failed");
}

/** It has ended, and why stays to be read. */
function end(s: Sight, id: string): Step {
	const failed = s.mark("back") ?? "Failed";
	const set = { failed, last: id };
	const input = { secret: s.secret.arn, marks: marks({ set, remove: UNDER_WAY }) };
	return secretStep(s, { api: "secretsmanager:TagResource", input }, "mark that it has gone back", "failed");
}
