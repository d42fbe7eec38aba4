import { OAUTH_CAPABILITIES } from "../../model/oauth-capabilities.ts";
import type { Step } from "../../model/plan.ts";
import { ASIDE_LABEL } from "../../model/secret-state.ts";
import type { Sorted } from "./consumers.ts";
import { type Cause, type Sight, windowOpensAt } from "./sight.ts";
import { marks, secretStep, waitStep } from "./steps.ts";

/** Put at most every 10 minutes, RotateSecret at most every 4 hours (aws-facts §6.2). */
const MIN_INTERVAL_MS = { put: 10 * 60_000, lambda: 4 * 3_600_000 } as const;

/** Preflight, then the mark of the intent: what must be so before anything is made. One step. */
export function begin(s: Sight, cause: Cause, sorted: Sorted): Step {
	const opens = cause.scheduled ? windowOpensAt(s) : null;
	if (opens !== null) return waitStep(s, "freeze", `its window opens at ${opens}`);
	const soon = cause.made ? null : tooSoon(s);
	if (soon !== null) return waitStep(s, "budget", soon);
	const elsewhere = cause.made ? null : rotatedElsewhere(s);
	if (elsewhere !== null) return waitStep(s, "not-owned", elsewhere.detail, { advice: elsewhere.advice });
	if (s.unread !== null || s.consumers === null)
		return waitStep(s, "reference", `who uses it cannot be read: ${s.unread ?? "not looked at"}`);
	if (s.consumers.unread.length > 0)
		return waitStep(s, "reference", `who uses it is not wholly known: ${s.consumers.unread.slice(0, 3).join("; ")}`);
	const lost = sorted.views.find((v) => v.kind === "rule" && v.state === "blocked");
	if (lost !== undefined) return waitStep(s, "reference", `rule ${lost.name}: ${lost.note}`);
	if (!cause.made) {
		const ill = unhealthy(sorted);
		if (ill !== null) return waitStep(s, "rollout", ill, { advice: "a rotation begins when its consumers are well" });
		const aside = setAside(s);
		if (aside !== null) return aside;
	}
	return cause.made ? adopt(s, cause) : mark(s, cause);
}

function mark(s: Sight, cause: Cause): Step {
	const set = { id: cause.id, owner: s.owner, previous: s.current ?? "", ...(cause.asked && { asked: cause.at }) };
	const input = { secret: s.secret.arn, marks: marks({ set, at: ["began"], remove: [] }) };
	return secretStep(s, { api: "secretsmanager:TagResource", input }, "mark that it begins");
}

/** Somebody else made the new value current: what is left is to roll the consumers. */
function adopt(s: Sight, cause: Cause): Step {
	const previous = Object.entries(s.state.labels).find(([, labels]) => labels.includes("AWSPREVIOUS"))?.[0] ?? "";
	const set = { id: cause.id, owner: s.owner, previous, promotedVersion: cause.id };
	// Seen for the first time, it is current since it was made at the earliest: a task from before that is stale for sure.
	const known = s.mark("promotedVersion") === null ? s.state.currentMadeAt : null;
	const all =
		known === null ? marks({ set, at: ["began", "promotedAt"] }) : marks({ set: { ...set, promotedAt: known }, at: ["began"] });
	const input = { secret: s.secret.arn, marks: all };
	return secretStep(s, { api: "secretsmanager:TagResource", input }, "mark that its consumers are to be rolled");
}

function tooSoon(s: Sight): string | null {
	const last = s.mark("promotedAt");
	if (last === null) return null;
	const lambda = s.wanted.strategy.type === "lambda";
	const until = Date.parse(last) + (lambda ? MIN_INTERVAL_MS.lambda : MIN_INTERVAL_MS.put);
	if (s.nowMs >= until) return null;
	const often = lambda ? "4 hours" : "10 minutes";
	return `Secrets Manager takes a new value at most every ${often}: ${Math.ceil((until - s.nowMs) / 1000)} s are left`;
}

/** Who else rotates it, or nobody who should (aws-facts §6.3). */
function rotatedElsewhere(s: Sight): { readonly detail: string; readonly advice: string } | null {
	const { strategy } = s.wanted;
	const { managedBy, rotationEnabled, rotationLambda } = s.state;
	if (managedBy !== null && strategy.type !== "external")
		return {
			detail: `${managedBy} owns and rotates it`,
			advice: "write strategy: { external: {} }: its consumers are then rolled",
		};
	if (strategy.type === "lambda") {
		if (rotationLambda === null)
			return { detail: "it has no rotation function", advice: "give it one, or choose another strategy" };
		if (strategy.functionArn !== "" && strategy.functionArn !== rotationLambda)
			return { detail: `its rotation function is ${rotationLambda}`, advice: "correct functionArn, or the secret" };
		return null;
	}
	if (rotationEnabled && strategy.type !== "external")
		return {
			detail: `Secrets Manager rotates it already${rotationLambda === null ? "" : ` by ${rotationLambda}`}`,
			advice: "write strategy: { lambda: {} } or { external: {} }, or turn that off",
		};
	return null;
}

function unhealthy({ rollees, views }: Sorted): string | null {
	const gone = views.find((v) => v.kind === "service" && v.note === "there is no such service");
	if (gone !== undefined) return `there is no service ${gone.name}`;
	for (const { state, service, flight, paused } of rollees) {
		const { name } = service.target;
		if (paused) return `the deployment of ${name} stands at a hook until somebody lets it go on`;
		if (flight !== null) return `a deployment of ${name} is under way`;
		if (state.runningCount < state.desiredCount) return `${name} runs ${state.runningCount} of ${state.desiredCount} tasks`;
	}
	return null;
}

/**
 * A version that stands as AWSPENDING and is nobody's rotation would make every other fail as "in progress" (aws-facts
 * §6.1). It keeps its value under a label of ours; its own label is taken away.
 */
function setAside(s: Sight): Step | null {
	if (s.pending === null || s.pending === s.current) return null;
	if (s.state.rotationEnabled || s.wanted.strategy.type === "lambda")
		return waitStep(s, "rollout", `a rotation by Secrets Manager is under way or got stuck: version ${s.pending} is AWSPENDING`, {
			advice: "look at the rotation function's log; then take the label away",
			command: `aws secretsmanager update-secret-version-stage --secret-id ${s.secret.arn} --version-stage AWSPENDING --remove-from-version-id ${s.pending}`,
		});
	const { pending, secret } = s;
	const kept = s.state.labels[pending]?.includes(ASIDE_LABEL) === true;
	const none = marks({});
	const input = kept
		? { secret: secret.arn, label: "AWSPENDING", to: null, from: pending, marks: none }
		: { secret: secret.arn, label: ASIDE_LABEL, to: pending, from: holderOf(s, ASIDE_LABEL), marks: none };
	const words = kept
		? `take the label AWSPENDING from version ${pending}, which is no rotation's`
		: `keep version ${pending}, which stands in the way as AWSPENDING, under the label ${ASIDE_LABEL}`;
	return secretStep(s, { api: "secretsmanager:UpdateSecretVersionStage", input }, words);
}

/** Who has a label now: it is on one version only, and a move must say from where. */
export function holderOf(s: Sight, label: string): string | null {
	return Object.entries(s.state.labels).find(([, labels]) => labels.includes(label))?.[0] ?? null;
}

/** What a person should know before: where the old value is dead as soon as the provider has the new one. */
export function overlapWords(s: Sight): string | null {
	const { strategy } = s.wanted;
	if (strategy.type !== "oauthClient") return null;
	const { overlap, restores } = OAUTH_CAPABILITIES[strategy.client.provider];
	if (overlap === "dual") return null;
	const back = restores ? "" : ", and there is no way back to it";
	return overlap === "grace"
		? `${strategy.client.provider} accepts the old secret only for as long as its own policy says`
		: `${strategy.client.provider} has one secret a client: from the moment it has the new one the old one is refused${back}, so until its consumers are rolled they cannot sign anybody in`;
}
