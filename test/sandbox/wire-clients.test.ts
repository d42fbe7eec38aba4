import {
	CreateTableCommand,
	DynamoDBClient,
	GetItemCommand,
	PutItemCommand,
	QueryCommand,
	UpdateItemCommand,
} from "@aws-sdk/client-dynamodb";
import { EventBridgeClient, ListRulesCommand, PutRuleCommand } from "@aws-sdk/client-eventbridge";
import {
	CreateQueueCommand,
	DeleteMessageCommand,
	GetQueueAttributesCommand,
	ReceiveMessageCommand,
	SendMessageCommand,
	SetQueueAttributesCommand,
	SQSClient,
} from "@aws-sdk/client-sqs";
import { expect, test } from "vitest";
import { useSandbox } from "./use.ts";

const sandbox = useSandbox();

function fresh(maxAttempts = 1) {
	const account = sandbox.newAccount();
	const config = { ...sandbox.config(account), maxAttempts };
	return { account, sqs: new SQSClient(config), dynamo: new DynamoDBClient(config), events: new EventBridgeClient(config) };
}

const times = <T>(n: number, make: (n: number) => Promise<T>) =>
	Promise.all(Array.from({ length: n }, (_, index) => make(index)));

async function queue(sqs: SQSClient, name: string, Attributes: Record<string, string> = {}): Promise<string> {
	return (await sqs.send(new CreateQueueCommand({ QueueName: name, Attributes }))).QueueUrl ?? "";
}

async function table(dynamo: DynamoDBClient): Promise<void> {
	await dynamo.send(
		new CreateTableCommand({
			TableName: "state",
			BillingMode: "PAY_PER_REQUEST",
			AttributeDefinitions: [
				{ AttributeName: "pk", AttributeType: "S" },
				{ AttributeName: "sk", AttributeType: "S" },
			],
			KeySchema: [
				{ AttributeName: "pk", KeyType: "HASH" },
				{ AttributeName: "sk", KeyType: "RANGE" },
			],
		}),
	);
}

test("of twenty conditional writes at once exactly one wins, and a counter counts all", async () => {
	const { dynamo } = fresh();
	await table(dynamo);
	const outcomes = await times(20, (n) =>
		dynamo
			.send(
				new PutItemCommand({
					TableName: "state",
					Item: { pk: { S: "lease" }, sk: { S: "lease" }, owner: { S: String(n) } },
					ConditionExpression: "attribute_not_exists(pk)",
				}),
			)
			.then(
				() => "won",
				(error: Error) => error.name,
			),
	);
	expect(outcomes.filter((one) => one === "won")).toHaveLength(1);
	expect(outcomes.filter((one) => one === "ConditionalCheckFailedException")).toHaveLength(19);
	const key = { pk: { S: "count" }, sk: { S: "count" } };
	await times(100, () =>
		dynamo.send(
			new UpdateItemCommand({
				TableName: "state",
				Key: key,
				UpdateExpression: "ADD n :one",
				ExpressionAttributeValues: { ":one": { N: "1" } },
			}),
		),
	);
	expect((await dynamo.send(new GetItemCommand({ TableName: "state", Key: key, ConsistentRead: true }))).Item?.n).toEqual({
		N: "100",
	});
	await times(60, (n) =>
		dynamo.send(new PutItemCommand({ TableName: "state", Item: { pk: { S: "log" }, sk: { S: String(n) } } })),
	);
	const log = await dynamo.send(
		new QueryCommand({
			TableName: "state",
			KeyConditionExpression: "pk = :log",
			ExpressionAttributeValues: { ":log": { S: "log" } },
		}),
	);
	expect(log.Items).toHaveLength(60);
});

test("twenty clients send, receive and delete five hundred messages, each received once", async () => {
	const { sqs } = fresh();
	const QueueUrl = await queue(sqs, "work");
	await times(20, async (client) => {
		for (let n = 0; n < 25; n++) await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: `${client}-${n}` }));
	});
	const received: string[] = [];
	await times(20, async () => {
		for (;;) {
			const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 }));
			if (Messages.length === 0) return;
			for (const { Body = "", ReceiptHandle } of Messages) {
				received.push(Body);
				await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
			}
		}
	});
	expect(received).toHaveLength(500);
	expect(new Set(received).size).toBe(500);
});

test("a long poll gets what is sent while it waits, and stops nobody", async () => {
	const { sqs, dynamo } = fresh();
	const QueueUrl = await queue(sqs, "work");
	const polls = times(5, () => sqs.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 20 })));
	await table(dynamo);
	for (let n = 0; n < 5; n++) await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: String(n) }));
	const bodies = (await polls).map(({ Messages = [] }) => Messages.map(({ Body }) => Body));
	expect(bodies.flat().sort()).toEqual(["0", "1", "2", "3", "4"]);
});

test("a poll whose caller has gone takes no message", async () => {
	const { account, sqs } = fresh();
	const QueueUrl = await queue(sqs, "work");
	const left = new AbortController();
	const poll = sqs.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 20 }), { abortSignal: left.signal });
	await expect.poll(async () => (await sandbox.counts(account))["sqs:ReceiveMessage"], { timeout: 10_000 }).toBe(1);
	left.abort();
	await expect(poll).rejects.toMatchObject({ name: "AbortError" });
	const next = sqs.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 20 }));
	await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: "for the living" }));
	expect((await next).Messages?.map(({ Body }) => Body)).toEqual(["for the living"]);
});

test("a message that is not deleted comes again, and goes to the dead-letter queue in the end", async () => {
	const { sqs } = fresh();
	const dead = await queue(sqs, "dead");
	const { Attributes } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl: dead, AttributeNames: ["QueueArn"] }));
	const QueueUrl = await queue(sqs, "work", {
		RedrivePolicy: JSON.stringify({ deadLetterTargetArn: Attributes?.QueueArn, maxReceiveCount: 2 }),
		VisibilityTimeout: "0",
	});
	await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: "poison" }));
	const receive = async (url: string) =>
		(await sqs.send(new ReceiveMessageCommand({ QueueUrl: url, MessageSystemAttributeNames: ["ApproximateReceiveCount"] })))
			.Messages ?? [];
	const counts: (string | undefined)[] = [];
	await expect
		.poll(
			async () => {
				for (const { Attributes: own } of await receive(QueueUrl)) counts.push(own?.ApproximateReceiveCount);
				return (await receive(dead)).map(({ Body }) => Body);
			},
			{ timeout: 10_000 },
		)
		.toEqual(["poison"]);
	expect(counts).toEqual(["1", "2"]);
});

test("a queue keeps its policy when another attribute is set", async () => {
	const { sqs } = fresh();
	const policy = { Version: "2012-10-17", Statement: [{ Effect: "Allow", Principal: "*", Action: "sqs:*" }] };
	const url = await queue(sqs, "jobs", { Policy: JSON.stringify(policy) });
	await sqs.send(new SetQueueAttributesCommand({ QueueUrl: url, Attributes: { MessageRetentionPeriod: "60" } }));
	const { Attributes } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: ["All"] }));
	expect(Attributes?.MessageRetentionPeriod).toBe("60");
	expect(JSON.parse(Attributes?.Policy ?? "null")).toEqual(policy);
});

test("calls of SQS, DynamoDB and EventBridge are counted and faulted by name; a poll is no write", async () => {
	const { account, sqs, dynamo, events } = fresh();
	const QueueUrl = await queue(sqs, "work");
	await table(dynamo);
	await sandbox.resetCounts(account);
	await sandbox.fault(account, { kind: "unavailable", writes: true });
	await sqs.send(new ReceiveMessageCommand({ QueueUrl }));
	await events.send(new ListRulesCommand({}));
	const Item = { pk: { S: "a" }, sk: { S: "a" } };
	await expect(dynamo.send(new PutItemCommand({ TableName: "state", Item }))).rejects.toMatchObject({
		name: "ServiceUnavailableException",
	});
	await expect(events.send(new PutRuleCommand({ Name: "r", EventPattern: "{}" }))).rejects.toMatchObject({
		name: "ServiceUnavailableException",
	});
	await sandbox.clearFaults(account);
	await sandbox.fault(account, { kind: "throttle", operation: "sqs:ReceiveMessage" });
	await expect(sqs.send(new ReceiveMessageCommand({ QueueUrl }))).rejects.toMatchObject({ name: "ThrottlingException" });
	expect(await sandbox.counts(account)).toEqual({
		"sqs:ReceiveMessage": 2,
		"events:ListRules": 1,
		"dynamodb:PutItem": 1,
		"events:PutRule": 1,
	});
});
