import { OAUTH_CAPABILITIES } from "../../model/oauth-capabilities.ts";
import type { Step } from "../../model/plan.ts";
import { giveUp } from "./back.ts";
import { holderOf } from "./begin.ts";
import { isSpoiled } from "./roll.ts";
import type { Sight } from "./sight.ts";
import { marks, oauthInput, secretStep, waitStep } from "./steps.ts";

/** A provider says 30 s, and some take longer; nothing of the running consumers hangs on it meanwhile. */
const ACCEPT_MS = 120_000;

/** From the intent to the promotion: the next step before the new value is current. */
export function make(s: Sight, id: string): Step {
	if (isSpoiled(s, id)) return giveUp(s, "Spoiled this version failed before and is never promoted again");
	if (s.current !== s.mark("previous"))
		return giveUp(s, `ChangedByHand version ${s.current ?? "none"} was made current by somebody else meanwhile`);
	const { strategy } = s.wanted;
	switch (strategy.type) {
		case "generate":
			return s.pending === id ? promote(s, id) : put(s, id, strategy.keys, strategy.length, strategy.excludeCharacters, true);
		case "oauthClient":
			return makeAtProvider(s, id);
		case "lambda":
			return askFunction(s, id);
		case "external":
			// Begun under another strategy, which git has changed since.
			return giveUp(s, "StrategyChanged the strategy is external now");
	}
}

function put(s: Sight, id: string, keys: readonly string[], length: number, exclude: string, refuseDatabase: boolean): Step {
	const taken = otherPending(s, id);
	if (taken !== null) return taken;
	const { derive } = s.wanted;
	const input = { secret: s.secret.arn, version: id, keys, length, excludeCharacters: exclude, derive, refuseDatabase };
	const what = keys.length === 0 ? "the whole value" : [...keys, ...Object.keys(derive)].join(", ");
	return secretStep(s, { api: "secretsmanager:PutSecretValue", input }, `make a new version as AWSPENDING: ${what}`);
}

/** Somebody put a version of theirs as AWSPENDING since we began. */
function otherPending(s: Sight, id: string): Step | null {
	if (s.pending === null || s.pending === id || s.pending === s.current) return null;
	return giveUp(s, `PendingTaken version ${s.pending} was put as AWSPENDING by somebody else meanwhile`);
}

/** What a client secret of OAuth looks like where we may choose: long, and safe in a header and a form. */
const CLIENT_SECRET = { length: 48, exclude: "\"'`\\/@:;,%&=+?#<>{}[]()|^~$!*. " } as const;

function makeAtProvider(s: Sight, id: string): Step {
	const { strategy } = s.wanted;
	if (strategy.type !== "oauthClient") throw new Error(`${s.key} has no OAuth client`);
	const { chooses, propagationSeconds } = OAUTH_CAPABILITIES[strategy.client.provider];
	const taken = otherPending(s, id);
	if (taken !== null) return taken;
	if (chooses === "caller" && s.pending !== id)
		return put(s, id, [strategy.key], CLIENT_SECRET.length, CLIENT_SECRET.exclude, false);
	const set = s.mark("set");
	const where = `client ${strategy.client.clientId} at ${strategy.client.issuer}`;
	if (set === null || s.pending !== id) {
		const words =
			chooses === "caller" ? `give the new value to ${where}` : `ask ${where} for a new value, and keep it as AWSPENDING`;
		return secretStep(s, { api: "oauth:CreateSecret", input: oauthInput(s, id) }, words);
	}
	if (s.mark("tested") !== null) return promote(s, id);
	const patience = ACCEPT_MS + propagationSeconds * 2000;
	if (s.nowMs > Date.parse(set) + patience)
		return giveUp(s, `NotAccepted the provider refuses the new value ${Math.round(patience / 1000)} s after it got it`);
	const call = { api: "oauth:TestSecret", input: { ...oauthInput(s, id), marks: marks({ at: ["tested"] }) } } as const;
	return secretStep(s, call, `ask ${where} for a token with the new value`);
}

function askFunction(s: Sight, id: string): Step {
	const began = s.mark("began") ?? s.now;
	if (s.state.labels[id] === undefined && s.pending !== null && s.pending !== s.current)
		return giveUp(s, `PendingTaken version ${s.pending} is AWSPENDING already`);
	if (s.state.labels[id] === undefined) {
		const input = { secret: s.secret.arn, version: id };
		return secretStep(s, { api: "secretsmanager:RotateSecret", input }, "ask its rotation function for a new value");
	}
	if (s.nowMs > Date.parse(began) + s.wanted.timeoutMs)
		return giveUp(
			s,
			`FunctionTimedOut the rotation function has not ended after ${Math.round(s.wanted.timeoutMs / 60_000)} minutes`,
		);
	return waitStep(s, "rollout", "the rotation function is at work");
}

function promote(s: Sight, id: string): Step {
	const input = {
		secret: s.secret.arn,
		label: "AWSCURRENT",
		to: id,
		from: holderOf(s, "AWSCURRENT"),
		marks: marks({ set: { promotedVersion: id }, at: ["promotedAt"] }),
	};
	return secretStep(s, { api: "secretsmanager:UpdateSecretVersionStage", input }, "make the new version current");
}
