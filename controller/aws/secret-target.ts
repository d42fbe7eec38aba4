import { ConflictError, TerminalError, WaitingError } from "../model/errors.ts";
import type { AccountId, Arn, Tags } from "../model/ids.ts";
import { instantAt } from "../model/instant.ts";
import type { Outside } from "../model/oauth-client.ts";
import { isRotationCall, type Step } from "../model/plan.ts";
import type { Clock, Outcome, Provider } from "../model/ports.ts";
import type { RotationCall, RotationMarks } from "../model/rotation.ts";
import { markOf } from "../model/rotation-marks.ts";
import type { SecretState } from "../model/secret-state.ts";
import type { Existing, Observed, Target } from "../model/target.ts";
import { answeredAt } from "./answered-at.ts";
import { AwsError, awsCode } from "./errors.ts";
import { giveToRule } from "./listener-rule.ts";
import type { CallAws } from "./operations.ts";
import type { RotationMemory } from "./rotation-memory.ts";
import { isOAuthCall, runOAuth } from "./secret-oauth.ts";
import { observeSecret } from "./secret-read.ts";
import { generateValue, putPending, regionOf } from "./secret-value.ts";

export interface SecretProviderDeps {
	readonly call: CallAws;
	readonly clock: Clock;
	readonly account: AccountId;
	readonly outside: Outside;
	readonly memory: RotationMemory;
}

type SecretTarget = Target<"secretsmanager.secret">;

/** Between two looks at an address that does not answer as it should yet. */
const VERIFY_AGAIN_SECONDS = 5;

/** Secrets that are rotated: what they are like, and each step of a rotation. Values live within a step alone. */
export function createSecretProvider(deps: SecretProviderDeps): Provider<"secretsmanager.secret"> {
	const observe = async (target: SecretTarget, signal: AbortSignal): Promise<Observed<"secretsmanager.secret">> => {
		const seen = await observeSecret(target, deps.call, signal);
		if (seen.exists) remember(seen, deps.memory);
		return seen;
	};
	return {
		type: "secretsmanager.secret",
		observe: (targets, signal) => Promise.all(targets.map((t) => observe(t, signal))),
		// A secret bears marks only while it moves, and none of them says that it is ours.
		listOwned: async function* () {},
		apply: async (step, signal) => {
			const { call } = step;
			if (call.api === "none") return { result: "already", requestId: null };
			if (!isRotationCall(call)) throw refused(step, "it is a secret");
			if (step.state !== "ready") throw refused(step, "the step waits");
			if (step.target.account !== deps.account) throw refused(step, `this is account ${deps.account}`);
			const live = await observe(step.target as SecretTarget, signal);
			if (!live.exists) throw new ConflictError(`secret ${step.target.name} is gone since it was planned: plan again`);
			if (live.unreadable !== undefined) throw new TerminalError("Unreadable", live.unreadable);
			if (call.input.secret !== live.arn) throw refused(step, `the call names ${call.input.secret}`);
			if (live.fingerprint !== step.precondition && !isDone(call, live.state))
				throw new ConflictError(`secret ${step.target.name} has changed since it was planned: plan again`);
			return run(call, live, deps, signal);
		},
	};
}

/** One whose new value is not current yet: a service that takes it, too, is restarted once for both. */
function remember({ arn, state }: Existing<"secretsmanager.secret">, { moving }: RotationMemory): void {
	const id = markOf(state.tags, "id");
	const waits = id !== null && markOf(state.tags, "back") === null && markOf(state.tags, "promotedVersion") !== id;
	if (waits) moving.add(arn);
	else moving.delete(arn);
}

async function run(
	call: RotationCall,
	live: Existing<"secretsmanager.secret">,
	deps: SecretProviderDeps,
	signal: AbortSignal,
): Promise<Outcome> {
	const done = isDone(call, live.state);
	const secret = live.arn;
	if (isOAuthCall(call)) {
		if (done) return { result: "already", requestId: null };
		const more = await runOAuth(call, deps, signal);
		const base: RotationMarks = call.api === "oauth:CreateSecret" ? SET : call.input.marks;
		await mark(secret, { ...base, set: { ...base.set, ...more } }, deps, signal);
		return { result: "applied", requestId: null };
	}
	switch (call.api) {
		case "secretsmanager:TagResource":
			return done
				? { result: "already", requestId: null }
				: { result: "applied", requestId: await mark(secret, call.input.marks, deps, signal) };
		case "secretsmanager:PutSecretValue": {
			if (done) return { result: "already", requestId: null };
			const value = await generateValue(call.input, deps.call, signal);
			return { result: "applied", requestId: await putPending(secret, call.input.version, value, deps.call, signal) };
		}
		case "secretsmanager:UpdateSecretVersionStage": {
			const moved = done ? null : await moveLabel(call.input, deps, signal);
			await mark(secret, call.input.marks, deps, signal, moved?.at ?? null);
			return { result: done ? "already" : "applied", requestId: moved?.requestId ?? null };
		}
		case "secretsmanager:RotateSecret": {
			if (done) return { result: "already", requestId: null };
			const input = { SecretId: secret, ClientRequestToken: call.input.version };
			const { $metadata } = await deps.call("secretsmanager:RotateSecret", regionOf(secret), input, signal);
			return { result: "applied", requestId: $metadata.requestId ?? null };
		}
		case "https:Get": {
			if (done) return { result: "already", requestId: null };
			const fault = await deps.outside.checkHttp(call.input.check, signal);
			if (fault !== null) throw new WaitingError("NotVerifiedYet", fault, VERIFY_AGAIN_SECONDS);
			return { result: "applied", requestId: await mark(secret, call.input.marks, deps, signal) };
		}
		case "elasticloadbalancing:ModifyRule":
			return { result: "applied", requestId: await giveToRule(call.input, deps.call, signal) };
	}
}

/** The provider has the new value since now. */
const SET: RotationMarks = { set: {}, at: ["ecs-access.dev/rotation-set"], remove: [] };

/** Whether what the call is to bring about is so already: its answer was lost, or the read was late. */
function isDone(call: RotationCall, state: SecretState): boolean {
	switch (call.api) {
		case "secretsmanager:TagResource":
			return hasMarks(call.input.marks, state);
		case "secretsmanager:PutSecretValue":
		case "secretsmanager:RotateSecret":
			return state.labels[call.input.version] !== undefined;
		case "secretsmanager:UpdateSecretVersionStage": {
			const { label, to, from } = call.input;
			if (to !== null) return state.labels[to]?.includes(label) === true;
			return from !== null && state.labels[from]?.includes(label) !== true;
		}
		case "oauth:CreateSecret":
			return hasMarks(SET, state) && state.labels[call.input.version] !== undefined;
		case "oauth:TestSecret":
		case "oauth:DeactivateOld":
		case "oauth:RemoveOld":
		case "oauth:RemoveNew":
			return hasMarks(call.input.marks, state);
		case "https:Get":
			return hasMarks(call.input.marks, state);
		case "elasticloadbalancing:ModifyRule":
			return false;
	}
}

function hasMarks({ set, at, remove }: RotationMarks, { tags }: SecretState): boolean {
	return (
		Object.entries(set).every(([key, value]) => tags[key] === value) &&
		at.every((key) => tags[key] !== undefined) &&
		remove.every((key) => tags[key] === undefined)
	);
}

async function moveLabel(
	{ secret, label, to, from }: Extract<RotationCall, { api: "secretsmanager:UpdateSecretVersionStage" }>["input"],
	{ call }: SecretProviderDeps,
	signal: AbortSignal,
): Promise<{ readonly requestId: string | null; readonly at: number | null } | null> {
	const input = {
		SecretId: secret,
		VersionStage: label,
		...(to !== null && { MoveToVersionId: to }),
		...(from !== null && { RemoveFromVersionId: from }),
	};
	try {
		const answer = await call("secretsmanager:UpdateSecretVersionStage", regionOf(secret), input, signal);
		return { requestId: answer.$metadata.requestId ?? null, at: answeredAt(answer) };
	} catch (error) {
		// The label is no longer where it was: moved by us before an answer got lost, or by somebody else.
		if (!(error instanceof AwsError) && awsCode(error) === undefined) throw error;
		const now = await call("secretsmanager:DescribeSecret", regionOf(secret), { SecretId: secret }, signal);
		const labels = now.VersionIdsToStages ?? {};
		const moved = to !== null ? labels[to]?.includes(label) === true : from !== null && labels[from]?.includes(label) !== true;
		if (moved) return null;
		throw error;
	}
}

/**
 * Writes and removes marks; what is there already is written over. Times are AWS's own, since tasks are compared with them,
 * whose times are too: `at`, when the call that is marked was answered, or else what AWS says right now.
 */
async function mark(
	secret: Arn,
	marks: RotationMarks,
	deps: SecretProviderDeps,
	signal: AbortSignal,
	at: number | null = null,
): Promise<string | null> {
	const region = regionOf(secret);
	const time = marks.at.length === 0 ? "" : instantAt(at ?? (await awsNow(secret, deps, signal)));
	const tags: Tags = { ...marks.set, ...Object.fromEntries(marks.at.map((key) => [key, time])) };
	let requestId: string | null = null;
	if (Object.keys(tags).length > 0) {
		const input = { SecretId: secret, Tags: Object.entries(tags).map(([Key, Value]) => ({ Key, Value })) };
		requestId = (await deps.call("secretsmanager:TagResource", region, input, signal)).$metadata.requestId ?? null;
	}
	if (marks.remove.length > 0) {
		const input = { SecretId: secret, TagKeys: [...marks.remove] };
		requestId = (await deps.call("secretsmanager:UntagResource", region, input, signal)).$metadata.requestId ?? null;
	}
	return requestId;
}

async function awsNow(secret: Arn, { call, clock }: SecretProviderDeps, signal: AbortSignal): Promise<number> {
	return (
		answeredAt(await call("secretsmanager:DescribeSecret", regionOf(secret), { SecretId: secret }, signal)) ?? clock.millis()
	);
}

function refused(step: Step, why: string): TerminalError {
	return new TerminalError("Refused", `will not ${step.call.api} on ${step.target.name} in ${step.target.account}: ${why}`);
}
