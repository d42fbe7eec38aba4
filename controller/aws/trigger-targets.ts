import { isTriggerAlready, triggerFingerprint } from "../model/apply-trigger-call.ts";
import { ConflictError, TerminalError } from "../model/errors.ts";
import type { AccountId } from "../model/ids.ts";
import { ownerOf } from "../model/marks.ts";
import { isTriggerCall, type Step } from "../model/plan.ts";
import type { Clock, Outcome, Provider } from "../model/ports.ts";
import { type Existing, type Observed, type Target, targetId } from "../model/target.ts";
import type { TriggerCall, TriggerStates, TriggerTargetType } from "../model/trigger-target.ts";
import { AwsError } from "./errors.ts";
import type { CallAws } from "./operations.ts";
import { type LiveTrigger, readBus, readQueue, readRule, sendTrigger } from "./trigger-calls.ts";

export interface TriggerProviderDeps {
	readonly call: CallAws;
	readonly clock: Clock;
	readonly account: AccountId;
	/** Whose marks are ours. */
	readonly installation: string;
}

/** How long a read may lag behind our own write before it counts as somebody else's change. */
const STALE_READS = 5;
const STALE_WAIT_MS = 1_000;

/** Providers of what `triggers` keeps. They only make and set right: nothing is ever deleted by them. */
export function createTriggerProviders(deps: TriggerProviderDeps): { readonly [T in TriggerTargetType]: Provider<T> } {
	const written = new Set<string>();
	const read = (target: Target, signal: AbortSignal): Promise<LiveTrigger | null> => {
		switch (target.type) {
			case "sqs.queue":
				return readQueue(deps.call, target, signal);
			case "events.rule":
				return readRule(deps.call, target, signal);
			default:
				return readBus(deps.call, target, signal);
		}
	};
	const provider = <T extends TriggerTargetType>(type: T): Provider<T> => ({
		type,
		observe: (targets, signal) =>
			Promise.all(targets.map(async (target) => observed(target, await read(target, signal)) as Observed<T>)),
		// Found by their names alone: none is looked for by its marks.
		listOwned: async function* () {},
		apply: async (step, signal) => {
			const { call } = step;
			if (call.api === "none") return { result: "already", requestId: null };
			if (!isTriggerCall(call)) throw refused(step, "it is a queue, a rule or a bus");
			checkStep(step, call, deps);
			const live = await settled(step, (s) => read(step.target, s), written.has(targetId(step.target)), deps.clock, signal);
			if (fingerprintOf(live) !== step.precondition) {
				if (isTriggerAlready(live?.state ?? null, call)) return { result: "already", requestId: null };
				throw new ConflictError(`${step.target.name} has changed since it was planned: plan again`);
			}
			checkOwned(step, call, live, deps.installation);
			return send(step, call, deps, (s) => read(step.target, s), written, signal);
		},
	});
	return { "sqs.queue": provider("sqs.queue"), "events.rule": provider("events.rule"), "events.bus": provider("events.bus") };
}

async function send(
	step: Step,
	call: TriggerCall,
	deps: TriggerProviderDeps,
	read: (signal: AbortSignal) => Promise<LiveTrigger | null>,
	written: Set<string>,
	signal: AbortSignal,
): Promise<Outcome> {
	try {
		const requestId = await sendTrigger(deps.call, step.target, call, signal);
		written.add(targetId(step.target));
		return { result: "applied", requestId };
	} catch (error) {
		// The answer may have been lost: the thing itself says whether the write was done.
		if (!(error instanceof AwsError)) throw error;
		if (isTriggerAlready((await read(signal))?.state ?? null, call)) return { result: "applied", requestId: null };
		throw error;
	}
}

/** A read that still shows what was before our own last write is waited out; any other difference is a fact. */
async function settled(
	step: Step,
	read: (signal: AbortSignal) => Promise<LiveTrigger | null>,
	written: boolean,
	clock: Clock,
	signal: AbortSignal,
): Promise<LiveTrigger | null> {
	let live = await read(signal);
	for (let n = 0; written && n < STALE_READS && fingerprintOf(live) !== step.precondition; n++) {
		await clock.sleep(STALE_WAIT_MS, signal);
		live = await read(signal);
	}
	return live;
}

function fingerprintOf(live: LiveTrigger | null): string | null {
	return live === null ? null : triggerFingerprint(live.state);
}

function observed(target: Target, live: LiveTrigger | null): Observed {
	if (live === null) return { target, exists: false };
	const made: Existing<TriggerTargetType> = {
		target: target as Target<TriggerTargetType>,
		exists: true,
		arn: live.arn,
		state: live.state as TriggerStates[TriggerTargetType],
		fingerprint: triggerFingerprint(live.state),
		owner: live.tags === null ? null : ownerOf(live.tags),
		holdUntil: null,
		lastUsed: null,
	};
	return made;
}

/** What no plan of ours may ask for. A step that fails here comes from a forged plan or a mistake of this program. */
function checkStep(step: Step, call: TriggerCall, deps: TriggerProviderDeps): void {
	if (step.state !== "ready") throw refused(step, "the step waits");
	if (step.target.account !== deps.account) throw refused(step, `this is account ${deps.account}`);
	const { name, type } = step.target;
	const input = call.input;
	const named =
		"QueueName" in input
			? type === "sqs.queue" && input.QueueName === name
			: "StatementId" in input
				? type === "events.bus" && input.EventBusName === name
				: type === "events.rule" && `${input.EventBusName}/${"Rule" in input ? input.Rule : input.Name}` === name;
	if (!named) throw refused(step, "the call names another one");
	if ("Tags" in input && ownerOf(input.Tags ?? {})?.installation !== deps.installation) {
		throw refused(step, "it would be made without our mark");
	}
}

/** A bus bears no mark of ours: of its policy only statements of our name are written (plan/triggers.ts). */
function checkOwned(step: Step, call: TriggerCall, live: LiveTrigger | null, installation: string): void {
	if (live === null || live.tags === null) {
		const makes = call.api === "sqs:CreateQueue" || call.api === "events:PutRule" || call.api === "events:PutPermission";
		if (live === null && !makes) throw new ConflictError(`${step.target.name} is gone since it was planned: plan again`);
		return;
	}
	if (ownerOf(live.tags)?.installation === installation) return;
	throw new TerminalError("NotOurs", `${live.arn} does not bear the mark of installation "${installation}"`, {
		fix: "delete or rename it, or name another queue in spec.events of the Installation",
	});
}

function refused(step: Step, why: string): TerminalError {
	return new TerminalError("Refused", `will not ${step.call.api} on ${step.target.name} in ${step.target.account}: ${why}`);
}
