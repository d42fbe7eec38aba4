import type { RegisterTaskDefinitionCommandInput, Tag, TaskDefinition } from "@aws-sdk/client-ecs";
import { bindTaskDefinition, type JsonObject } from "../model/bind-task-definition.ts";
import { bindingDifference, bindingTags, isBound, serviceFingerprint, type TaskPlace } from "../model/binding.ts";
import { ConflictError, TerminalError } from "../model/errors.ts";
import type { AccountId, Arn, Region } from "../model/ids.ts";
import { isBindingCall, type NewRevision, type Step } from "../model/plan.ts";
import type { Clock, Outcome, Provider } from "../model/ports.ts";
import type { Binding, Existing, Target } from "../model/target.ts";
import { lastSegment } from "./arn.ts";
import { AwsError } from "./errors.ts";
import type { CallAws } from "./operations.ts";
import { restartService } from "./restart.ts";
import type { RotationMemory } from "./rotation-memory.ts";
import { revisionParts, type TaskDefinitions } from "./task-definition.ts";
import { unknownFieldsOf } from "./unknown-fields.ts";

/** Carries out the steps on services and families: a new revision where one is missing, then the update. */
export interface BindingWriter {
	readonly service: (step: Step, signal: AbortSignal) => Promise<Outcome>;
	readonly family: (step: Step, signal: AbortSignal) => Promise<Outcome>;
}

export interface BindingWriterDeps {
	readonly call: CallAws;
	readonly clock: Clock;
	readonly account: AccountId;
	readonly taskDefinitions: TaskDefinitions;
	readonly memory: RotationMemory;
	readonly services: () => Provider<"ecs.service">;
	readonly families: () => Provider<"ecs.family">;
}

/** How many of the newest revisions are looked through for one that was made before its answer was lost. */
const LOOKED_THROUGH = 10;
/** A revision that was just registered, or a service just updated, may be read a moment late. */
const STALE_READS = 5;
const STALE_WAIT_MS = 1_000;

export function createBindingWriter(deps: BindingWriterDeps): BindingWriter {
	return {
		service: async (step, signal) => {
			const { call } = step;
			if (call.api === "none") return { result: "already", requestId: null };
			if (call.api === "ecs:ForceNewDeployment") {
				checkStep(step, `${call.input.cluster}/${call.input.service}`, deps.account);
				const seen = (s: AbortSignal) => existing(deps.services(), step.target as Target<"ecs.service">, s);
				return restartService(call.input, step.precondition, await seen(signal), seen, deps, signal);
			}
			if (call.api !== "ecs:UpdateService") throw refused(step, "it is a service");
			check(step, `${call.input.cluster}/${call.input.service}`, deps.account);
			const target = step.target as Target<"ecs.service">;
			const live = await existing(deps.services(), target, signal);
			const runs = live.state.taskDefinition;
			if (serviceFingerprint(live.state) !== step.precondition) {
				if (await isDone(call.input, runs, live.state, deps, target, signal)) return { result: "already", requestId: null };
				throw new ConflictError(
					`service ${target.name} has changed since it was planned (it runs ${lastSegment(runs)} now): plan again`,
				);
			}
			const region = target.region as Region;
			const to = "taskDefinition" in call.input ? call.input.taskDefinition : await revisionFor(call.input, region, deps, signal);
			const { cluster, service } = call.input;
			try {
				const input = { cluster, service, taskDefinition: to };
				const { $metadata } = await deps.call("ecs:UpdateService", region, input, signal);
				return { result: "applied", requestId: $metadata.requestId ?? null };
			} catch (error) {
				// The answer may have been lost: the service itself says whether the update was taken.
				if (!(error instanceof AwsError)) throw error;
				const now = await existing(deps.services(), target, signal);
				if (now.state.taskDefinition === to) return { result: "applied", requestId: null };
				throw error;
			}
		},
		family: async (step, signal) => {
			const { call } = step;
			if (call.api === "none") return { result: "already", requestId: null };
			if (call.api !== "ecs:RegisterTaskDefinition") throw refused(step, "it is a task family");
			check(step, call.input.family, deps.account);
			const target = step.target as Target<"ecs.family">;
			const live = await existing(deps.families(), target, signal);
			if (live.fingerprint !== step.precondition) {
				const place = { region: target.region, account: deps.account };
				if (isBound(call.input.binding, live.state, place)) return { result: "already", requestId: null };
				throw new ConflictError(
					`task family ${target.name} has a newer revision since it was planned (${lastSegment(live.state.taskDefinition)}): plan again`,
				);
			}
			const before = await find(call.input, target.region as Region, deps, signal);
			if (before !== null) return { result: "already", requestId: null };
			const { requestId } = await register(call.input, target.region as Region, deps, signal);
			return { result: "applied", requestId };
		},
	};
}

/** What no plan of ours may ask for. */
function check(step: Step, named: string, account: AccountId): void {
	if (!isBindingCall(step.call)) throw refused(step, "it is a workload");
	checkStep(step, named, account);
}

function checkStep(step: Step, named: string, account: AccountId): void {
	if (step.state !== "ready") throw refused(step, "the step waits");
	if (step.target.account !== account) throw refused(step, `this is account ${account}`);
	if (step.target.name !== named) throw refused(step, `the call names ${named}`);
}

function refused(step: Step, why: string): TerminalError {
	return new TerminalError("Refused", `will not ${step.call.api} on ${step.target.name} in ${step.target.account}: ${why}`);
}

async function existing<T extends "ecs.service" | "ecs.family">(
	provider: Provider<T>,
	target: Target<T>,
	signal: AbortSignal,
): Promise<Existing<T>> {
	const [live] = await provider.observe([target], signal);
	if (live?.exists !== true) throw new ConflictError(`${target.name} is gone since it was planned: plan again`);
	if (live.unreadable !== undefined) throw new TerminalError("Unreadable", live.unreadable);
	return live as Existing<T>;
}

/** Whether the service is already on its way to what the step wants. */
async function isDone(
	input: { readonly taskDefinition: Arn } | NewRevision,
	runs: Arn,
	live: Binding,
	deps: BindingWriterDeps,
	target: Target,
	signal: AbortSignal,
): Promise<boolean> {
	if ("taskDefinition" in input) return runs === input.taskDefinition;
	const view = await deps.taskDefinitions.get(runs, target.region, signal);
	const place: TaskPlace = { region: target.region, account: target.account };
	return view?.bound?.digest === input.digest && isBound(input.binding, live, place);
}

/** The revision that the step asks for: the one that was made before, or a new one. */
async function revisionFor(wanted: NewRevision, region: Region, deps: BindingWriterDeps, signal: AbortSignal): Promise<Arn> {
	const before = await find(wanted, region, deps, signal);
	if (before !== null) return before;
	return (await register(wanted, region, deps, signal)).arn;
}

/** An ACTIVE revision with this very tag, among the newest of the family; null: there is none. */
async function find(wanted: NewRevision, region: Region, deps: BindingWriterDeps, signal: AbortSignal): Promise<Arn | null> {
	const { prefix, family, number } = revisionParts(wanted.base);
	const newest = await deps.taskDefinitions.newest(family, region, signal);
	if (newest === undefined) return null;
	const last = revisionParts(newest.arn).number;
	for (let n = last; n > number && n > last - LOOKED_THROUGH; n--) {
		const view = n === last ? newest : await deps.taskDefinitions.get(`${prefix}:${n}`, region, signal);
		if (view?.bound?.digest !== wanted.digest || view.bound.base !== wanted.base) continue;
		const { taskDefinition } = await deps.call("ecs:DescribeTaskDefinition", region, { taskDefinition: view.arn }, signal);
		if (taskDefinition?.status === "ACTIVE") return view.arn;
	}
	return null;
}

/**
 * Registers `base` with the binding in it. Every other field goes along as it was read, values of `environment` among
 * them: they live in this call alone, and in no message.
 */
async function register(
	wanted: NewRevision,
	region: Region,
	deps: BindingWriterDeps,
	signal: AbortSignal,
): Promise<{ readonly arn: Arn; readonly requestId: string | null }> {
	const read = { taskDefinition: wanted.base, include: ["TAGS" as const] };
	const answer = await deps.call("ecs:DescribeTaskDefinition", region, read, signal);
	const { taskDefinition, tags } = answer;
	const unknown = unknownFieldsOf(answer);
	if (unknown.length > 0) {
		throw new TerminalError(
			"UnknownFields",
			`will not register task definition ${lastSegment(wanted.base)} anew: it has what this version does not know and would lose (${unknown.slice(0, 5).join(", ")})`,
			{ fix: "use a newer version, or write binding: Verify and let the pipeline register it" },
		);
	}
	if (taskDefinition === undefined) throw new ConflictError(`task definition ${wanted.base} is gone: plan again`);
	const view = await deps.taskDefinitions.get(wanted.base, region, signal);
	const [live] = await deps.taskDefinitions.bindings([view], signal);
	// A reference that already means what git says stays as it is written: it may be the full ARN.
	const missing =
		live === undefined ? wanted.binding : bindingDifference(wanted.binding, live, { region, account: deps.account });
	const input = inputOf(taskDefinition, tags ?? [], { ...wanted, binding: missing });
	try {
		const made = await deps.call("ecs:RegisterTaskDefinition", region, input, signal);
		const arn = made.taskDefinition?.taskDefinitionArn;
		if (arn === undefined) throw new Error("ECS registered a task definition and did not say which");
		return { arn, requestId: made.$metadata.requestId ?? null };
	} catch (error) {
		if (!(error instanceof AwsError)) throw error;
		// It may be there all the same: without an answer nothing is registered again before that is known.
		for (let n = 0; n < (error.status === null ? STALE_READS : 1); n++) {
			const arn = await find(wanted, region, deps, signal);
			if (arn !== null) return { arn, requestId: null };
			await deps.clock.sleep(STALE_WAIT_MS, signal);
		}
		throw quotes(error, taskDefinition) ? withheld(wanted.base, error) : error;
	}
}

/** Whether a message of AWS holds something that only the task definition may hold. */
function quotes(error: Error, { containerDefinitions = [] }: TaskDefinition): boolean {
	const values = containerDefinitions.flatMap((c) => [
		...(c.environment ?? []).map((e) => e.value ?? ""),
		...(c.command ?? []),
		...(c.entryPoint ?? []),
	]);
	return values.some((v) => v.length >= SHORTEST_VALUE && error.message.includes(v));
}

/** Shorter ones are in any message by chance. */
const SHORTEST_VALUE = 5;

function withheld(base: Arn, error: AwsError): Error {
	return new TerminalError(
		"RegistrationRefused",
		`could not register a new revision of ${lastSegment(base)}: ${error.code}; what AWS said quotes a value of the task definition and is not shown (request ${error.requestId ?? "unknown"})`,
		{ fix: "look the request up in CloudTrail, or register the revision by hand" },
	);
}

/** What DescribeTaskDefinition answers and RegisterTaskDefinition does not take (aws-facts §4.2). */
const OUTPUT_ONLY = [
	"compatibilities",
	"deleteRequestedAt",
	"deregisteredAt",
	"registeredAt",
	"registeredBy",
	"requiresAttributes",
	"revision",
	"status",
	"taskDefinitionArn",
] as const satisfies readonly (keyof TaskDefinition)[];

function inputOf(base: TaskDefinition, tags: readonly Tag[], wanted: NewRevision): RegisterTaskDefinitionCommandInput {
	const kept = Object.fromEntries(
		Object.entries(base).filter(([key, value]) => value !== undefined && !(OUTPUT_ONLY as readonly string[]).includes(key)),
	);
	const filled = bindTaskDefinition(kept as unknown as JsonObject, wanted.binding, `task definition ${lastSegment(wanted.base)}`);
	const ours = bindingTags(wanted);
	// AWS's own tags cannot be given.
	const others = tags.filter((t) => !(t.key ?? "").startsWith("aws:") && !((t.key ?? "") in ours));
	return {
		...(filled as unknown as RegisterTaskDefinitionCommandInput),
		tags: [...others, ...Object.entries(ours).map(([key, value]) => ({ key, value }))],
	};
}
