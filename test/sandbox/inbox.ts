import { type EventBridgeClient, PutRuleCommand, PutTargetsCommand, type Target } from "@aws-sdk/client-eventbridge";
import {
	CreateQueueCommand,
	DeleteMessageBatchCommand,
	GetQueueAttributesCommand,
	type Message,
	ReceiveMessageCommand,
	SetQueueAttributesCommand,
	SQSClient,
} from "@aws-sdk/client-sqs";
import { expect } from "vitest";
import type { Sandbox } from "./sandbox.ts";

/** An event as a queue gets it. */
interface Delivered {
	readonly id: string;
	readonly source: string;
	readonly account: string;
	readonly region: string;
	readonly resources: readonly string[];
	readonly "detail-type": string;
	readonly detail: Readonly<Record<string, unknown>>;
}

/** A queue that events come into. */
export interface Inbox {
	readonly arn: string;
	readonly url: string;
	/** Waits until so many messages have come, and lets come what is due; removes and returns them. Fails when there are more. */
	take(count: number): Promise<Message[]>;
	/** The same, as events. */
	events(count: number): Promise<Delivered[]>;
	/** What has come once everything due was delivered. */
	rest(): Promise<Message[]>;
}

/** Makes a queue whose policy lets EventBridge in; `policy` changes its statement, null leaves it without. */
export async function createInbox(
	sandbox: Sandbox,
	account: string,
	name = "events",
	policy: object | null = {},
): Promise<Inbox> {
	const sqs = new SQSClient(sandbox.config(account));
	const { QueueUrl: url = "" } = await sqs.send(new CreateQueueCommand({ QueueName: name }));
	const { Attributes } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: ["QueueArn"] }));
	const arn = Attributes?.QueueArn ?? "";
	const statement = { Effect: "Allow", Principal: { Service: "events.amazonaws.com" }, Action: "sqs:SendMessage", Resource: arn };
	if (policy !== null) {
		const Policy = JSON.stringify({ Version: "2012-10-17", Statement: [{ ...statement, ...policy }] });
		await sqs.send(new SetQueueAttributesCommand({ QueueUrl: url, Attributes: { Policy } }));
	}
	async function receive(): Promise<Message[]> {
		const input = { QueueUrl: url, MaxNumberOfMessages: 10, MessageAttributeNames: ["All"] };
		const { Messages = [] } = await sqs.send(new ReceiveMessageCommand(input));
		if (Messages.length > 0) {
			const Entries = Messages.map(({ ReceiptHandle }, index) => ({ Id: String(index), ReceiptHandle }));
			await sqs.send(new DeleteMessageBatchCommand({ QueueUrl: url, Entries }));
		}
		return Messages;
	}
	async function rest(): Promise<Message[]> {
		await sandbox.tick(account, 1);
		const all: Message[] = [];
		for (;;) {
			const more = await receive();
			if (more.length === 0) return all;
			all.push(...more);
		}
	}
	async function take(count: number): Promise<Message[]> {
		const all: Message[] = [];
		await expect.poll(async () => all.push(...(await receive())), { timeout: 10_000 }).toBeGreaterThanOrEqual(count);
		all.push(...(await rest()));
		expect(all).toHaveLength(count);
		return all;
	}
	return { arn, url, take, rest, events: async (count) => (await take(count)).map(({ Body = "" }) => JSON.parse(Body)) };
}

/** Makes `rule`, whose events go to `target`, an ARN or more. @returns its ARN */
export async function putRule(
	events: EventBridgeClient,
	pattern: object,
	target: string | Omit<Target, "Id">,
	bus?: string,
): Promise<string> {
	const { RuleArn = "" } = await events.send(
		new PutRuleCommand({ Name: "rule", EventPattern: JSON.stringify(pattern), EventBusName: bus }),
	);
	const one = typeof target === "string" ? { Arn: target } : target;
	await events.send(new PutTargetsCommand({ Rule: "rule", EventBusName: bus, Targets: [{ Id: "target", ...one }] }));
	return RuleArn;
}
