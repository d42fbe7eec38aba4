import {
	CreateEventBusCommand,
	DeleteRuleCommand,
	DisableRuleCommand,
	EventBridgeClient,
	PutEventsCommand,
	PutPermissionCommand,
	PutRuleCommand,
	PutTargetsCommand,
	RemoveTargetsCommand,
} from "@aws-sdk/client-eventbridge";
import { DeleteQueueCommand, SQSClient } from "@aws-sdk/client-sqs";
import { expect, test } from "vitest";
import { createInbox, putRule } from "./inbox.ts";
import { roleSeed } from "./seed-data.ts";
import { useSandbox } from "./use.ts";

const sandbox = useSandbox();
const REGION = "eu-west-1";

function fresh() {
	const account = sandbox.newAccount();
	return { account, events: eventsOf(account) };
}

function eventsOf(account: string, region = REGION): EventBridgeClient {
	return new EventBridgeClient({ ...sandbox.config(account), region });
}
const put = (events: EventBridgeClient, detail: object, more: object = {}) =>
	events.send(
		new PutEventsCommand({ Entries: [{ Source: "acme", DetailType: "Order", Detail: JSON.stringify(detail), ...more }] }),
	);

test("an event reaches the queue of its rule whole, also ten at once", async () => {
	const { account, events } = fresh();
	const inbox = await createInbox(sandbox, account);
	await putRule(events, { source: ["acme"] }, inbox.arn);
	const answer = await put(events, { n: 1 }, { Resources: ["arn:x"], Time: new Date("2026-11-24T22:58:00Z") });
	expect(await inbox.events(1)).toEqual([
		{
			version: "0",
			id: answer.Entries?.[0]?.EventId,
			"detail-type": "Order",
			source: "acme",
			account,
			time: "2026-11-24T22:58:00Z",
			region: REGION,
			resources: ["arn:x"],
			detail: { n: 1 },
		},
	]);
	await Promise.all(Array.from({ length: 10 }, (_, n) => put(events, { n })));
	expect((await inbox.events(10)).map((one) => one.detail.n).sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
});

test("a rule that is disabled, gone, or does not match delivers nothing", async () => {
	const { account, events } = fresh();
	const inbox = await createInbox(sandbox, account);
	await putRule(events, { source: ["other"] }, inbox.arn);
	await put(events, {});
	// An event meets the rules that are there when it is delivered, a little later.
	expect(await inbox.rest()).toEqual([]);
	await putRule(events, { source: ["acme"] }, inbox.arn);
	await events.send(new DisableRuleCommand({ Name: "rule" }));
	await put(events, {});
	expect(await inbox.rest()).toEqual([]);
	await putRule(events, { source: ["acme"] }, inbox.arn);
	await put(events, { heard: true });
	expect((await inbox.events(1))[0]?.detail).toEqual({ heard: true });
	await events.send(new RemoveTargetsCommand({ Rule: "rule", Ids: ["target"] }));
	await events.send(new DeleteRuleCommand({ Name: "rule" }));
	await put(events, {});
	expect(await inbox.rest()).toEqual([]);
});

test("nobody but AWS puts events of aws sources", async () => {
	const { account, events } = fresh();
	const inbox = await createInbox(sandbox, account);
	await putRule(events, { source: [{ prefix: "aws." }] }, inbox.arn);
	const answer = await put(events, {}, { Source: "aws.iam" });
	expect(answer).toMatchObject({ FailedEntryCount: 1, Entries: [{ ErrorCode: "NotAuthorizedForSourceException" }] });
	await sandbox.emit(account, [{ source: "aws.health", detailType: "AWS Health Event", detail: { a: 1 }, resources: ["arn:x"] }]);
	expect(await inbox.events(1)).toMatchObject([{ source: "aws.health", account, region: REGION, resources: ["arn:x"] }]);
});

test.each([
	["a queue without policy", null],
	["a policy for another rule", { Condition: { ArnEquals: { "aws:SourceArn": "arn:aws:events:eu-west-1:1:rule/other" } } }],
	["a policy for another service", { Principal: { Service: "sns.amazonaws.com" } }],
	["a denial", { Effect: "Deny" }],
])("%s: the event goes to the dead-letter queue of the target, with the reason, and PutEvents succeeds", async (_, policy) => {
	const { account, events } = fresh();
	const [inbox, dead] = [await createInbox(sandbox, account, "events", policy), await createInbox(sandbox, account, "dead")];
	const arn = await putRule(events, { source: ["acme"] }, { Arn: inbox.arn, DeadLetterConfig: { Arn: dead.arn } });
	expect((await put(events, { n: 1 })).FailedEntryCount).toBe(0);
	const [message] = await dead.take(1);
	expect(JSON.parse(message?.Body ?? "")).toMatchObject({ detail: { n: 1 }, account });
	expect(message?.MessageAttributes).toMatchObject({
		ERROR_CODE: { StringValue: "NO_PERMISSIONS" },
		RULE_ARN: { StringValue: arn },
		TARGET_ARN: { StringValue: inbox.arn },
	});
	expect(await inbox.rest()).toEqual([]);
});

test("a policy for exactly this rule lets its events in", async () => {
	const { account, events } = fresh();
	const SourceArn = `arn:aws:events:${REGION}:${account}:rule/rule`;
	const inbox = await createInbox(sandbox, account, "events", { Condition: { ArnEquals: { "aws:SourceArn": SourceArn } } });
	expect(await putRule(events, { source: ["acme"] }, inbox.arn)).toBe(SourceArn);
	await put(events, {});
	await inbox.take(1);
});

test("when the queue is deleted, events go to the dead-letter queue, or are dropped", async () => {
	const { account, events } = fresh();
	const [inbox, dead] = [await createInbox(sandbox, account), await createInbox(sandbox, account, "dead")];
	await putRule(events, { source: ["acme"] }, { Arn: inbox.arn, DeadLetterConfig: { Arn: dead.arn } });
	await new SQSClient(sandbox.config(account)).send(new DeleteQueueCommand({ QueueUrl: inbox.url }));
	await put(events, { n: 1 });
	expect((await dead.take(1))[0]?.MessageAttributes).toMatchObject({ ERROR_CODE: { StringValue: "NO_RESOURCE" } });
	await putRule(events, { source: ["acme"] }, inbox.arn);
	expect((await put(events, { n: 2 })).FailedEntryCount).toBe(0);
	expect(await dead.rest()).toEqual([]);
});

test("a target receives what its input says", async () => {
	const { account, events } = fresh();
	const inbox = await createInbox(sandbox, account);
	const Arn = inbox.arn;
	await events.send(new PutRuleCommand({ Name: "rule", EventPattern: JSON.stringify({ source: ["acme"] }) }));
	const InputTransformer = {
		InputPathsMap: { name: "$.detail.name", all: "$.detail", first: "$.resources[0]" },
		InputTemplate: '{"text":"<name> of <first>","name":<name>,"all":<all>,"rule":"<aws.events.rule-name>"}',
	};
	const Targets = [
		{ Id: "constant", Arn, Input: '{"constant":true}' },
		{ Id: "path", Arn, InputPath: "$.detail" },
		{ Id: "transformed", Arn, InputTransformer },
	];
	await events.send(new PutTargetsCommand({ Rule: "rule", Targets }));
	await put(events, { name: 'a "b"' }, { Resources: ["arn:x"] });
	const bodies = (await inbox.take(3)).map(({ Body = "" }) => JSON.parse(Body));
	expect(bodies).toContainEqual({ constant: true });
	expect(bodies).toContainEqual({ name: 'a "b"' });
	expect(bodies).toContainEqual({ text: 'a "b" of arn:x', name: 'a "b"', all: { name: 'a "b"' }, rule: "rule" });
});

test("a bus of another region gets events through a rule with a role, as they were", async () => {
	const { account } = fresh();
	const [there, home] = [eventsOf(account, "us-east-1"), eventsOf(account)];
	await sandbox.seed(account, { roles: [roleSeed("forward")] });
	const inbox = await createInbox(sandbox, account);
	await home.send(new CreateEventBusCommand({ Name: "home" }));
	await putRule(home, { source: ["acme"] }, inbox.arn, "home");
	const Arn = `arn:aws:events:${REGION}:${account}:event-bus/home`;
	await putRule(there, { source: ["acme"] }, { Arn });
	await put(there, { role: false });
	expect(await inbox.rest()).toEqual([]);
	await putRule(there, { source: ["acme"] }, { Arn, RoleArn: `arn:aws:iam::${account}:role/forward` });
	const answer = await put(there, { role: true }, { Resources: ["arn:x"] });
	expect(await inbox.events(1)).toMatchObject([
		{ id: answer.Entries?.[0]?.EventId, region: "us-east-1", account, resources: ["arn:x"], detail: { role: true } },
	]);
});

test("a bus of another account takes events if its policy says so", async () => {
	const [here, there] = [fresh(), fresh()];
	await sandbox.seed(here.account, { roles: [roleSeed("forward")] });
	const inbox = await createInbox(sandbox, there.account);
	await putRule(there.events, { account: [here.account] }, inbox.arn);
	const Arn = `arn:aws:events:${REGION}:${there.account}:event-bus/default`;
	await putRule(here.events, { source: ["acme"] }, { Arn, RoleArn: `arn:aws:iam::${here.account}:role/forward` });
	await put(here.events, { allowed: false });
	await sandbox.tick(here.account, 1);
	expect(await inbox.rest()).toEqual([]);
	await there.events.send(
		new PutPermissionCommand({ StatementId: "forward", Action: "events:PutEvents", Principal: here.account }),
	);
	await put(here.events, { allowed: true });
	expect(await inbox.events(1)).toMatchObject([{ account: here.account, detail: { allowed: true } }]);
});
