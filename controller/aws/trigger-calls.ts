import type { Arn, Tags } from "../model/ids.ts";
import type { Target } from "../model/target.ts";
import type {
	EventRuleState,
	QueueAttributes,
	QueueState,
	RuleTarget,
	TriggerCall,
	TriggerState,
} from "../model/trigger-target.ts";
import { awsCode } from "./errors.ts";
import type { CallAws } from "./operations.ts";

/** As it was read. `tags` are null where it can bear none. */
export interface LiveTrigger {
	readonly arn: Arn;
	readonly state: TriggerState;
	readonly tags: Tags | null;
}

/** Null: there is no such queue. */
export async function readQueue(call: CallAws, { name, region }: Target, signal: AbortSignal): Promise<LiveTrigger | null> {
	try {
		const { QueueUrl } = await call("sqs:GetQueueUrl", region, { QueueName: name }, signal);
		const AttributeNames = ["QueueArn" as const, "Policy" as const, "RedrivePolicy" as const, "MessageRetentionPeriod" as const];
		const [{ Attributes = {} }, { Tags = {} }] = await Promise.all([
			call("sqs:GetQueueAttributes", region, { QueueUrl, AttributeNames }, signal),
			call("sqs:ListQueueTags", region, { QueueUrl }, signal),
		]);
		const redrive = json(Attributes.RedrivePolicy);
		const state: QueueState = {
			policy: json(Attributes.Policy),
			redrive: isRecord(redrive)
				? { deadLetter: String(redrive.deadLetterTargetArn), maxReceives: Number(redrive.maxReceiveCount) }
				: null,
			retentionSeconds: Number(Attributes.MessageRetentionPeriod),
			tags: Tags,
		};
		return { arn: Attributes.QueueArn ?? "", state, tags: Tags };
	} catch (error) {
		if (isMissing(error)) return null;
		throw error;
	}
}

/** Null: there is no such rule, or no such bus. */
export async function readRule(call: CallAws, target: Target, signal: AbortSignal): Promise<LiveTrigger | null> {
	const { region } = target;
	const [EventBusName, Name] = ruleOf(target);
	try {
		const rule = await call("events:DescribeRule", region, { Name, EventBusName }, signal);
		const [targets, { Tags = [] }] = await Promise.all([
			targetsOf(call, target, signal),
			call("events:ListTagsForResource", region, { ResourceARN: rule.Arn }, signal),
		]);
		const tags = Object.fromEntries(Tags.map((t) => [t.Key ?? "", t.Value ?? ""]));
		const state: EventRuleState = {
			pattern: json(rule.EventPattern),
			// One that AWS switched to all management events hears more than it need, and is as good.
			enabled: rule.State !== "DISABLED",
			targets,
			tags,
		};
		return { arn: rule.Arn ?? "", state, tags };
	} catch (error) {
		if (isMissing(error)) return null;
		throw error;
	}
}

async function targetsOf(call: CallAws, target: Target, signal: AbortSignal): Promise<Record<string, RuleTarget>> {
	const [EventBusName, Rule] = ruleOf(target);
	const found: Record<string, RuleTarget> = {};
	let NextToken: string | undefined;
	do {
		const page = await call("events:ListTargetsByRule", target.region, { Rule, EventBusName, NextToken }, signal);
		for (const { Id = "", Arn = "", RoleArn, DeadLetterConfig } of page.Targets ?? [])
			found[Id] = { arn: Arn, roleArn: RoleArn ?? null, deadLetter: DeadLetterConfig?.Arn ?? null };
		NextToken = page.NextToken;
	} while (NextToken !== undefined);
	return found;
}

/** Of its policy the statements that this program may have written. Null: there is no such bus. */
export async function readBus(call: CallAws, { name, region }: Target, signal: AbortSignal): Promise<LiveTrigger | null> {
	try {
		const { Arn: arn = "", Policy } = await call("events:DescribeEventBus", region, { Name: name }, signal);
		const policy = json(Policy);
		const statements = isRecord(policy) ? [policy.Statement].flat().filter(isRecord) : [];
		const allows = Object.fromEntries(
			statements.filter((s) => String(s.Sid).startsWith("ecs-access-")).map((s) => [String(s.Sid), allowed(s)]),
		);
		return { arn, state: { allows }, tags: null };
	} catch (error) {
		if (isMissing(error)) return null;
		throw error;
	}
}

/** The account that a statement of PutPermission lets in; null where it says anything else. */
function allowed(s: Readonly<Record<string, unknown>>): string | null {
	const principal = isRecord(s.Principal) ? s.Principal.AWS : s.Principal;
	const account = /^(?:arn:[^:]+:iam::)?(\d{12})(?::root)?$/.exec(String(principal))?.[1];
	return s.Effect === "Allow" && s.Action === "events:PutEvents" && s.Condition === undefined ? (account ?? null) : null;
}

/** Carries out one call as the step gives it. The request id, where AWS gave one. */
export async function sendTrigger(
	call: CallAws,
	{ region }: Target,
	step: TriggerCall,
	signal: AbortSignal,
): Promise<string | null> {
	switch (step.api) {
		case "sqs:CreateQueue": {
			const { QueueName, Attributes, Tags } = step.input;
			return idOf(await call(step.api, region, { QueueName, Attributes: attributes(Attributes), tags: { ...Tags } }, signal));
		}
		case "sqs:SetQueueAttributes": {
			const { QueueName, Attributes } = step.input;
			const { QueueUrl } = await call("sqs:GetQueueUrl", region, { QueueName }, signal);
			return idOf(await call(step.api, region, { QueueUrl, Attributes: attributes(Attributes) }, signal));
		}
		case "events:PutRule": {
			const { EventPattern, Tags, ...input } = step.input;
			const more = Tags === undefined ? {} : { Tags: Object.entries(Tags).map(([Key, Value]) => ({ Key, Value })) };
			return idOf(await call(step.api, region, { ...input, ...more, EventPattern: JSON.stringify(EventPattern) }, signal));
		}
		case "events:PutTargets": {
			const { Targets, ...input } = step.input;
			const list = Object.entries(Targets).map(([Id, t]) => ({
				Id,
				Arn: t.arn,
				...(t.roleArn !== null && { RoleArn: t.roleArn }),
				...(t.deadLetter !== null && { DeadLetterConfig: { Arn: t.deadLetter } }),
			}));
			const output = await call(step.api, region, { ...input, Targets: list }, signal);
			const [failed] = output.FailedEntries ?? [];
			if (failed === undefined) return idOf(output);
			throw new Error(`could not write the target of rule ${input.Rule}\nAWS: ${failed.ErrorCode}, ${failed.ErrorMessage}`);
		}
		case "events:PutPermission":
			return idOf(await call(step.api, region, step.input, signal));
	}
}

function attributes(a: Partial<QueueAttributes>): Record<string, string> {
	const { Policy, RedrivePolicy, MessageRetentionPeriod } = a;
	return {
		...(Policy !== undefined && { Policy: Policy === null ? "" : JSON.stringify(Policy) }),
		...(RedrivePolicy !== undefined && {
			RedrivePolicy:
				RedrivePolicy === null
					? ""
					: JSON.stringify({ deadLetterTargetArn: RedrivePolicy.deadLetter, maxReceiveCount: RedrivePolicy.maxReceives }),
		}),
		...(MessageRetentionPeriod !== undefined && { MessageRetentionPeriod: String(MessageRetentionPeriod) }),
	};
}

/** That there is none, in the words of either service. */
function isMissing(error: unknown): boolean {
	return /^ResourceNotFound$|NonExistentQueue|QueueDoesNotExist/.test(awsCode(error) ?? "");
}

/** Bus and rule of `bus/rule`; a bus of a partner has slashes in its name. */
function ruleOf({ name }: Target): readonly [bus: string, rule: string] {
	const slash = name.lastIndexOf("/");
	return [name.slice(0, slash), name.slice(slash + 1)];
}

function idOf(output: { readonly $metadata: { readonly requestId?: string | undefined } }): string | null {
	return output.$metadata.requestId ?? null;
}

/** Null where there is none; the text itself where it is not JSON: then it is not as it should be. */
function json(text: string | undefined): unknown {
	if (text === undefined || text === "") return null;
	try {
		return JSON.parse(text);
	} catch {
		return text;
	}
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
	return typeof value === "object" && value !== null && !Array.isArray(value);
}
