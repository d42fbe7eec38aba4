import { DisableRuleCommand, EventBridgeClient, PutRuleCommand } from "@aws-sdk/client-eventbridge";
import { CreateQueueCommand, SQSClient } from "@aws-sdk/client-sqs";
import { describe, expect, test } from "vitest";
import { applyTriggerCall, triggerFingerprint } from "../../../controller/model/apply-trigger-call.ts";
import { ConflictError, TerminalError } from "../../../controller/model/errors.ts";
import type { Step } from "../../../controller/model/plan.ts";
import { type Target, targetId } from "../../../controller/model/target.ts";
import type { TriggerCall, TriggerState, TriggerTargetType } from "../../../controller/model/trigger-target.ts";
import { accountOf } from "../../account.ts";
import { OUR_MARKS } from "../../conformance/provider.ts";
import { useSandbox } from "../../sandbox/use.ts";
import { accessTo } from "./access.ts";

/** What every provider promises (model/ports.ts), of queues, rules and buses. */

const sandbox = useSandbox();
const signal = AbortSignal.timeout(55_000);

function arn(account: string, name: string): string {
	return `arn:aws:sqs:eu-west-1:${account}:${name}`;
}

function targetOf(account: string, call: TriggerCall): Target<TriggerTargetType> {
	const at = { account, region: "eu-west-1" };
	switch (call.api) {
		case "sqs:CreateQueue":
		case "sqs:SetQueueAttributes":
			return { type: "sqs.queue", ...at, name: call.input.QueueName };
		case "events:PutRule":
			return { type: "events.rule", ...at, name: `${call.input.EventBusName}/${call.input.Name}` };
		case "events:PutTargets":
			return { type: "events.rule", ...at, name: `${call.input.EventBusName}/${call.input.Rule}` };
		case "events:PutPermission":
			return { type: "events.bus", ...at, name: call.input.EventBusName };
	}
}

function stepOf(account: string, call: TriggerCall, before: TriggerState | null, more: Partial<Step> = {}): Step {
	const target = targetOf(account, call);
	return {
		id: `${targetId(target)}#1`,
		target,
		call,
		why: "missing",
		effect: "none",
		gains: [],
		losses: [],
		diff: [],
		before: null,
		after: null,
		precondition: before === null ? null : triggerFingerprint(before),
		after_: [],
		settle: 0,
		state: "ready",
		...more,
	};
}

function provider(account: string, type: TriggerTargetType) {
	return accessTo(sandbox, accountOf(account)).provider(type);
}

async function stateOf(account: string, call: TriggerCall): Promise<TriggerState | null> {
	const target = targetOf(account, call);
	const [o] = await provider(account, target.type).observe([target], signal);
	return o?.exists === true ? o.state : null;
}

async function apply(account: string, call: TriggerCall, before: TriggerState | null, more: Partial<Step> = {}) {
	return provider(account, targetOf(account, call).type).apply(stepOf(account, call, before, more), signal);
}

/** The calls that bring a queue, a rule and a bus from nothing to what is wanted, one after the other. */
function life(account: string): readonly TriggerCall[] {
	const lets = { Effect: "Allow", Principal: { Service: "events.amazonaws.com" }, Action: "sqs:SendMessage" };
	const policy = { Version: "2012-10-17", Statement: [{ Sid: "s", ...lets, Resource: arn(account, "q") }] };
	return [
		{
			api: "sqs:CreateQueue",
			input: {
				QueueName: "dead",
				Attributes: { Policy: null, RedrivePolicy: null, MessageRetentionPeriod: 1_209_600 },
				Tags: OUR_MARKS,
			},
		},
		{
			api: "sqs:CreateQueue",
			input: {
				QueueName: "q",
				Attributes: {
					Policy: policy,
					RedrivePolicy: { deadLetter: arn(account, "dead"), maxReceives: 5 },
					MessageRetentionPeriod: 345_600,
				},
				Tags: OUR_MARKS,
			},
		},
		{ api: "sqs:SetQueueAttributes", input: { QueueName: "q", Attributes: { MessageRetentionPeriod: 60 } } },
		{
			api: "events:PutRule",
			input: {
				Name: "r",
				EventBusName: "default",
				Description: "d",
				EventPattern: { source: ["aws.iam"] },
				State: "ENABLED",
				Tags: OUR_MARKS,
			},
		},
		{
			api: "events:PutTargets",
			input: {
				Rule: "r",
				EventBusName: "default",
				Targets: { t: { arn: arn(account, "q"), roleArn: null, deadLetter: arn(account, "dead") } },
			},
		},
		{
			api: "events:PutPermission",
			input: {
				EventBusName: "default",
				StatementId: "ecs-access-main-210987654321",
				Action: "events:PutEvents",
				Principal: "210987654321",
			},
		},
	];
}

describe("a write to the way of events", () => {
	test("leaves what the call says, and says so when it was so already", async () => {
		const account = sandbox.newAccount();
		for (const call of life(account)) {
			const before = await stateOf(account, call);
			expect(await apply(account, call, before), call.api).toMatchObject({ result: "applied" });
			const after = await stateOf(account, call);
			expect(after, call.api).toEqual(applyTriggerCall(before, call));
			expect(await apply(account, call, before), call.api).toMatchObject({ result: "already" });
		}
	});

	test("is done also where its answers are lost", async () => {
		const account = sandbox.newAccount();
		for (const call of life(account)) {
			const before = await stateOf(account, call);
			await sandbox.fault(account, { kind: "lostAnswer", operation: call.api, times: 2 });
			expect(["applied", "already"]).toContain((await apply(account, call, before)).result);
			expect(await stateOf(account, call), call.api).toEqual(applyTriggerCall(before, call));
			await sandbox.clearFaults(account);
		}
	});

	test("is refused when the thing has changed since it was planned, and nothing is written", async () => {
		const account = sandbox.newAccount();
		const [dead, queue, set, rule, targets] = life(account);
		for (const call of [dead, queue, rule]) if (call !== undefined) await apply(account, call, null);
		if (set === undefined || targets === undefined) throw new Error("no calls");
		const planned = await stateOf(account, targets);
		await new EventBridgeClient(sandbox.config(account)).send(new DisableRuleCommand({ Name: "r" }));
		await expect(apply(account, targets, planned)).rejects.toThrow(ConflictError);
		await expect(apply(account, set, null)).rejects.toThrow(ConflictError);
		expect((await sandbox.counts(account))["events:PutTargets"]).toBeUndefined();
	});

	test("never touches what lacks our mark, nor makes anything without it", async () => {
		const account = sandbox.newAccount();
		const [, queue, set, rule, targets] = life(account);
		if (queue === undefined || set === undefined || rule === undefined || targets === undefined) throw new Error("no calls");
		await new SQSClient(sandbox.config(account)).send(new CreateQueueCommand({ QueueName: "q" }));
		await new EventBridgeClient(sandbox.config(account)).send(
			new PutRuleCommand({ Name: "r", EventPattern: '{"source":["aws.s3"]}' }),
		);
		await sandbox.resetCounts(account);
		for (const call of [set, rule, targets]) {
			await expect(apply(account, call, await stateOf(account, call)), call.api).rejects.toMatchObject({ reason: "NotOurs" });
		}
		const bare = { ...queue, input: { ...queue.input, QueueName: "other", Tags: {} } } as TriggerCall;
		await expect(apply(account, bare, null)).rejects.toThrow(TerminalError);
		const elsewhere = { ...stepOf(account, set, null).target, name: "other" };
		await expect(apply(account, set, null, { target: elsewhere })).rejects.toMatchObject({ reason: "Refused" });
		const counts = Object.keys(await sandbox.counts(account));
		expect(counts.filter((c) => /Create|Put|Set/.test(c))).toEqual([]);
	});
});

describe("the event queue", () => {
	test("is not confused with one that is not there", async () => {
		const { createAws } = await import("../../../controller/aws/process.ts");
		const account = sandbox.newAccount();
		Object.assign(process.env, sandbox.env(account));
		const aws = createAws({
			clock: { now: () => new Date().toISOString(), millis: () => Date.now(), sleep: async () => {} },
			cacheDir: null,
			version: "0.0.0",
			reconcileId: "test",
			installation: () => "main",
			revision: () => "none",
		});
		const queue = aws.eventQueue({ queue: "events", region: "eu-west-1" });
		await expect(queue.receive(0, signal)).rejects.toMatchObject({ reason: "QueueMissing" });
		await new SQSClient(sandbox.config(account)).send(new CreateQueueCommand({ QueueName: "events" }));
		expect(await queue.receive(0, signal)).toEqual([]);
		aws.close();
	});
});
