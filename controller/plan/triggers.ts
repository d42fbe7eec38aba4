import { applyTriggerCall, attributesOf, triggerFingerprint } from "../model/apply-trigger-call.ts";
import { stableJson } from "../model/digest.ts";
import type { Finding } from "../model/finding.ts";
import type { ResourceKey, StepId, Tags } from "../model/ids.ts";
import type { Change, Plan, Step, StepState, Why } from "../model/plan.ts";
import type { Origin } from "../model/resource.ts";
import { type Existing, type Observed, type Target, targetId } from "../model/target.ts";
import type { EventRuleState, TriggerCall, TriggerState, TriggerTargetType } from "../model/trigger-target.ts";
import { change } from "./draft.ts";
import { sealed } from "./rechain.ts";
import { type BusWanted, type QueueWanted, type RuleWanted, TARGET_ID, type TriggersWanted } from "./trigger-wanted.ts";

export interface TriggersPlanInput {
	readonly key: ResourceKey;
	readonly account: string;
	readonly origin: Origin;
	readonly installation: string;
	/** What our marks say. */
	readonly marks: Tags;
	readonly wanted: TriggersWanted;
	/** By targetId. */
	readonly observed: ReadonlyMap<string, Observed>;
	/** The plan of the role that forwards; null where nothing is forwarded. */
	readonly role: Plan | null;
}

/** A new role is not yet known everywhere (aws-facts §3.3), and EventBridge asks for it when a target names it. */
const ROLE_SECONDS = 10;

/** A call before its place is known. */
interface Draft {
	readonly call: TriggerCall;
	readonly why: Why;
	readonly diff: readonly Change[];
}

/**
 * What one account lacks so that its events come to the queue: the role and the dead-letter queue first, rules last. Pure.
 * What carries a name of ours and not our mark is left as it is, and what depends on it waits with it.
 */
export function planTriggers(input: TriggersPlanInput): Plan {
	const { wanted, role } = input;
	const steps: Step[] = [...(role?.steps ?? [])];
	/** Last, so that a new role is waited for once and not with each of them. */
	const forwards: Step[] = [];
	const busy = new Set(steps.map((s) => targetId(s.target)));
	const add = (target: Target, drafts: readonly Draft[], needs: readonly Target[], refusal: StepState | null): void => {
		const made = placed(target, drafts, refusal, steps, needs, input);
		if (made.length > 0) busy.add(targetId(target));
		for (const step of made) (step.settle > 0 ? forwards : steps).push(step);
	};
	const roleTarget = role?.steps[0]?.target;
	for (const [n, queue] of wanted.queues.entries()) {
		const dead = wanted.queues.slice(0, n).map((q) => q.target);
		const live = existing(input, queue.target);
		add(queue.target, queueDrafts(queue, live, input), dead, refusalOf(queue.target, live, input));
	}
	if (wanted.bus !== null) {
		const live = existing(input, wanted.bus.target);
		add(wanted.bus.target, busDrafts(wanted.bus, live), [], null);
	}
	for (const rule of wanted.rules) {
		const live = existing(input, rule.target);
		const needs = rule.to.roleArn === null ? wanted.queues.map((q) => q.target) : roleTarget === undefined ? [] : [roleTarget];
		add(rule.target, ruleDrafts(rule, live, input), needs, refusalOf(rule.target, live, input));
	}
	steps.push(...forwards);
	const all = wanted.queues.length + wanted.rules.length + (wanted.bus === null ? 0 : 1) + (role === null ? 0 : 1);
	return sealed({
		key: input.key,
		account: input.account,
		origin: input.origin,
		summary: summaryOf(steps, input),
		steps,
		findings: [...(role?.findings ?? []), ...strangers(input)],
		roles: role === null ? 0 : 1,
		workloads: 0,
		unchanged: all - busy.size,
	});
}

/** New where there is no queue, or of an account that only forwards, no rule. */
function summaryOf(steps: readonly Step[], input: TriggersPlanInput): Plan["summary"] {
	if (steps.length === 0) return "unchanged";
	if (steps.every((s) => s.call.api === "none")) return "wait";
	const targets = [...input.wanted.queues, ...input.wanted.rules].map((w) => w.target);
	if (targets.every((t) => existing(input, t) === null)) return "create";
	return steps.every((s) => s.why === "drifted" || s.call.api === "none") ? "heal" : "update";
}

function existing(input: TriggersPlanInput, target: Target): Existing<TriggerTargetType> | null {
	const observed = input.observed.get(targetId(target));
	if (observed === undefined) throw new Error(`${targetId(target)} was not observed`);
	return observed.exists ? (observed as Existing<TriggerTargetType>) : null;
}

function queueDrafts(wanted: QueueWanted, live: Existing<TriggerTargetType> | null, input: TriggersPlanInput): readonly Draft[] {
	const { target, attributes } = wanted;
	const { RedrivePolicy: redrive } = attributes;
	const policy = (op: Change["op"]): Change => change(op, "queue policy", "", { to: wanted.lets });
	const dead = (op: Change["op"]): readonly Change[] =>
		redrive === null
			? []
			: [change(op, "dead-letter queue", lastOf(redrive.deadLetter), { to: `after ${redrive.maxReceives} receives` })];
	const kept = (op: Change["op"]): Change =>
		change(op, "retention", "", { to: `${attributes.MessageRetentionPeriod / 86_400} days` });
	if (live === null) {
		const input_ = { QueueName: target.name, Attributes: attributes, Tags: input.marks };
		const diff = [policy("+"), ...dead("+"), kept("+"), ...markChanges(input.marks)];
		return [{ call: { api: "sqs:CreateQueue", input: input_ }, why: "missing", diff }];
	}
	if (!("redrive" in live.state)) return [];
	const now = attributesOf(live.state);
	const draft = (name: keyof typeof now, why: Why, diff: readonly Change[]): readonly Draft[] => {
		if (stableJson(now[name]) === stableJson(attributes[name])) return [];
		const Attributes = { [name]: attributes[name] };
		return [{ call: { api: "sqs:SetQueueAttributes", input: { QueueName: target.name, Attributes } }, why, diff }];
	};
	// Of a policy that differs nobody knows whether a hand changed it or a version of this program that had other rules.
	return [
		...draft("Policy", "spec-changed", [policy(now.Policy === null ? "+" : "~")]),
		...draft(
			"RedrivePolicy",
			"drifted",
			redrive === null ? [change("-", "dead-letter queue", "")] : dead(now.RedrivePolicy === null ? "+" : "~"),
		),
		...draft("MessageRetentionPeriod", "drifted", [kept("~")]),
	];
}

function ruleDrafts(wanted: RuleWanted, live: Existing<TriggerTargetType> | null, input: TriggersPlanInput): readonly Draft[] {
	const { bus, name, trigger, to } = wanted;
	const put = (tags: Tags | null): TriggerCall => ({
		api: "events:PutRule",
		input: {
			Name: name,
			EventBusName: bus,
			Description: `ecs-access hears ${trigger.what}`,
			EventPattern: wanted.pattern,
			State: "ENABLED",
			...(tags !== null && { Tags: tags }),
		},
	});
	const target = (op: Change["op"], why: Why): Draft => ({
		call: { api: "events:PutTargets", input: { Rule: name, EventBusName: bus, Targets: { [TARGET_ID]: to } } },
		why,
		diff: [change(op, "target", targetWords(to.arn))],
	});
	if (live === null) {
		const diff = [change("+", "event pattern", "", { to: trigger.what })];
		return [{ call: put(input.marks), why: "missing", diff }, target("+", "missing")];
	}
	if (!("pattern" in live.state)) return [];
	const state: EventRuleState = live.state;
	const drafts: Draft[] = [];
	const other = stableJson(state.pattern) !== stableJson(wanted.pattern);
	if (other || !state.enabled) {
		const pattern = other ? [change("~", "event pattern", "", { to: trigger.what })] : [];
		const disabled = state.enabled ? [] : [change("~", "rule", "", { from: "disabled", to: "enabled" })];
		drafts.push({ call: put(null), why: other ? "spec-changed" : "drifted", diff: [...pattern, ...disabled] });
	}
	const now = state.targets[TARGET_ID];
	if (now === undefined) drafts.push(target("+", "drifted"));
	else if (stableJson(now) !== stableJson(to)) drafts.push(target("~", "drifted"));
	return drafts;
}

function busDrafts(wanted: BusWanted, live: Existing<TriggerTargetType> | null): readonly Draft[] {
	const allows = live !== null && "allows" in live.state ? live.state.allows : {};
	return Object.entries(wanted.allows)
		.filter(([id, account]) => allows[id] !== account)
		.map(([id, account]) => ({
			call: {
				api: "events:PutPermission",
				input: { EventBusName: wanted.target.name, StatementId: id, Action: "events:PutEvents", Principal: account },
			},
			why: id in allows ? "drifted" : "missing",
			diff: [change(id in allows ? "~" : "+", "bus permission", "", { to: `account ${account} may send events` })],
		}));
}

/** Whether a thing of our name may be touched (ARCHITECTURE.md, Ownership); null: it may. */
function refusalOf(target: Target, live: Existing<TriggerTargetType> | null, input: TriggersPlanInput): StepState | null {
	if (live === null || !("tags" in live.state)) return null;
	const stack = live.state.tags["aws:cloudformation:stack-name"];
	const name = lastOf(target.name);
	const advice = "delete or rename it there, or write another name into spec.events.queue of the Installation";
	const refuse = (detail: string): StepState => ({ waiting: "not-owned", detail, advice, origin: input.origin });
	if (stack !== undefined) return refuse(`${name} belongs to the CloudFormation stack ${stack}, which would set it back`);
	if (live.owner?.installation === input.installation) return null;
	if (live.owner === null) return refuse(`${name} carries our name and not our mark: somebody else made it`);
	return refuse(`${name} belongs to installation ${live.owner.installation}`);
}

function placed(
	target: Target,
	drafts: readonly Draft[],
	refusal: StepState | null,
	before: readonly Step[],
	needs: readonly Target[],
	input: TriggersPlanInput,
): readonly Step[] {
	const id = targetId(target);
	if (refusal !== null) return [{ ...stepOf(target, `${id}#1`, null, null), state: refusal }];
	const asked = new Set(needs.map(targetId));
	const first = before.filter((s) => asked.has(targetId(s.target)));
	const waits = first.find((s) => s.state !== "ready")?.state;
	const fresh = first.some((s) => s.call.api === "iam:CreateRole");
	const steps: Step[] = [];
	let state = existing(input, target)?.state ?? null;
	for (const [n, draft] of drafts.entries()) {
		const after = applyTriggerCall(state, draft.call);
		// A rule can be written before what it sends to is there; its target cannot.
		const depends = draft.call.api !== "events:PutRule";
		const after_: StepId[] = [...(depends ? first.map((s) => s.id) : []), ...steps.map((s) => s.id)];
		steps.push({
			...stepOf(target, `${id}#${n + 1}`, draft, { before: state, after }),
			after_,
			settle: depends && fresh ? ROLE_SECONDS : 0,
			state:
				waits === undefined || waits === "ready" ? "ready" : { ...waits, detail: `after a step that waits: ${waits.detail}` },
		});
		state = after;
	}
	return steps;
}

function stepOf(
	target: Target,
	id: StepId,
	draft: Draft | null,
	states: { readonly before: TriggerState | null; readonly after: TriggerState | null } | null,
): Step {
	const before = states?.before ?? null;
	return {
		id,
		target,
		call: draft?.call ?? { api: "none" },
		why: draft?.why ?? "missing",
		effect: "none",
		gains: [],
		losses: [],
		diff: draft?.diff ?? [],
		before: partOf(before),
		after: partOf(states?.after ?? null),
		precondition: before === null ? null : triggerFingerprint(before),
		after_: [],
		settle: 0,
		state: "ready",
	};
}

/** Without tags: those of others are not ours to record. */
function partOf(state: TriggerState | null): unknown {
	if (state === null || !("tags" in state)) return state;
	const { tags: _tags, ...part } = state;
	return part;
}

/** Targets that a hand added to a rule of ours get all that we get: left as they are, and said. */
function strangers(input: TriggersPlanInput): readonly Finding[] {
	return input.wanted.rules.flatMap(({ target, name }) => {
		const state = existing(input, target)?.state;
		if (state === undefined || !("pattern" in state)) return [];
		return Object.entries(state.targets)
			.filter(([id]) => id !== TARGET_ID)
			.map(
				([id, t]): Finding => ({
					id: "StrangeTarget",
					severity: "warning",
					message: `rule ${name} in ${target.region} has a target that is not ours: ${id}, ${t.arn}`,
					fix: "give it a rule of its own",
					origin: input.origin,
					key: input.key,
					subject: `rule ${name}`,
				}),
			);
	});
}

function markChanges(marks: Tags): readonly Change[] {
	return Object.entries(marks).map(([key, to]) => change("+", "ownership mark", key, { to }));
}

/** `queue ecs-access-main`, `event bus default of 123456789012 in eu-west-1`. */
function targetWords(arn: string): string {
	const [, , service, region, account, ...rest] = arn.split(":");
	const name = lastOf(rest.join(":"));
	return service === "sqs" ? `queue ${name}` : `event bus ${name} of ${account} in ${region}`;
}

function lastOf(name: string): string {
	return name.slice(Math.max(name.lastIndexOf("/"), name.lastIndexOf(":")) + 1);
}
