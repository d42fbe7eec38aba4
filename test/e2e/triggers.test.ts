import {
	DisableRuleCommand,
	EventBridgeClient,
	ListRulesCommand,
	PutEventsCommand,
	PutRuleCommand,
	RemoveTargetsCommand,
} from "@aws-sdk/client-eventbridge";
import { PutRolePolicyCommand, TagRoleCommand } from "@aws-sdk/client-iam";
import {
	CreateQueueCommand,
	DeleteMessageBatchCommand,
	DeleteQueueCommand,
	GetQueueUrlCommand,
	ReceiveMessageCommand,
	SQSClient,
} from "@aws-sdk/client-sqs";
import { afterEach, describe, expect, test } from "vitest";
import { type ParsedEvent, parseEvent } from "../../controller/model/parse-event.ts";
import { roleSeed } from "../sandbox/seed-data.ts";
import { useSandbox } from "../sandbox/use.ts";
import type { Person, Running } from "./cli.ts";
import { liveRoles } from "./live.ts";
import { accountWith, documentText, policyText, writes } from "./world.ts";

/** Rules and queue made by the real command, filled by the sandbox's CloudTrail and EventBridge, read as `run` reads them. */

const sandbox = useSandbox();
const running: Running[] = [];
afterEach(async () => {
	for (const r of running) r.kill("SIGKILL");
	await Promise.all(running.splice(0).map((r) => r.ended));
});

const TRUST = { Version: "2012-10-17", Statement: [{ Effect: "Allow", Principal: { AWS: "*" }, Action: "sts:AssumeRole" }] };

/** An account that has a trail. At home in the IAM region, nothing is forwarded, and no new role is waited for. */
async function company(regions: readonly string[] = ["us-east-1"]) {
	const { account, kim, iam } = await accountWith(sandbox, "orders");
	await sandbox.configure(account, { trail: true });
	const spec = `{ accountId: "${account}", region: ${regions[0]}, regions: [${regions.join(", ")}] }`;
	kim.write("policies/platform/installation.yaml", documentText("Installation", "main", "{ mode: Enforce, resync: 1h }"));
	kim.write("policies/platform/prod.yaml", documentText("Account", "prod", spec));
	const at = (region = regions[0] ?? "") => ({ ...sandbox.config(account), region, maxAttempts: 1 });
	const sqs = new SQSClient(at());
	/** What has come to the queue, as the controller would take it. */
	const heard = async (): Promise<readonly ParsedEvent[]> => {
		await sandbox.tick(account, 1);
		const { QueueUrl } = await sqs.send(new GetQueueUrlCommand({ QueueName: "ecs-access-main" }));
		const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 }));
		const Entries = Messages.map((m, n) => ({ Id: String(n), ReceiptHandle: m.ReceiptHandle }));
		if (Entries.length > 0) await sqs.send(new DeleteMessageBatchCommand({ QueueUrl, Entries }));
		return Messages.map((m) => parseEvent(m.Body ?? ""));
	};
	return { account, kim, iam, sqs, heard, events: (region?: string) => new EventBridgeClient(at(region)) };
}

async function made(kim: Person): Promise<void> {
	const { code, stderr } = await kim.run("triggers", "apply", "--yes");
	expect(code, stderr).toBe(0);
}

describe("triggers", () => {
	test("are planned without writing anything, made on request, and then there is nothing to do", async () => {
		const { account, kim } = await company();
		const plan = await kim.run("triggers", "plan");
		expect(plan.code).toBe(2);
		expect(plan.stdout).toContain("+ Triggers/main  will be created");
		expect(plan.stdout).toContain("queue ecs-access-main in us-east-1");
		expect(plan.stdout).toContain("Next: ecs-access triggers apply ");
		expect(await writes(sandbox, account)).toEqual({});
		await made(kim);
		const again = await kim.run("triggers", "plan");
		expect(again).toMatchObject({ code: 0, stdout: expect.stringContaining("Nothing to do") });
		const history = await kim.run("history", "Triggers/main", "--path", "/nowhere", "--installation", "main", "--limit", "100");
		expect(history.stdout).toContain("applied sqs:CreateQueue on queue ecs-access-main-dead");
	});

	test("bring a hand's change of a role in any region's IAM to the queue, with who did it, and leave out what failed", async () => {
		const { account, kim, iam, heard, events } = await company(["eu-west-1", "eu-central-1"]);
		kim.write("policies/orders.yaml", policyText("orders"));
		expect((await kim.run("apply", "--yes")).code).toBe(0);
		await made(kim);
		await heard();
		await iam.send(new TagRoleCommand({ RoleName: "orders-task", Tags: [{ Key: "team", Value: "a" }] }));
		await iam.send(new TagRoleCommand({ RoleName: "nobody", Tags: [{ Key: "team", Value: "a" }] })).catch(() => {});
		const cluster = `arn:aws:ecs:eu-central-1:${account}`;
		await sandbox.emit(account, [
			{
				region: "eu-central-1",
				source: "aws.ecs",
				detailType: "ECS Deployment State Change",
				detail: { eventName: "SERVICE_DEPLOYMENT_FAILED" },
				resources: [`${cluster}:service/prod/far`],
			},
		]);
		await events().send(
			new PutEventsCommand({ Entries: [{ Source: "ecs-access", DetailType: "Resync Requested", Detail: "{}" }] }),
		);
		const got: ParsedEvent[] = [];
		await expect.poll(async () => got.push(...(await heard())), { timeout: 20_000 }).toBeGreaterThanOrEqual(3);
		const hints = got.flatMap((e) => (e.kind === "hints" ? e.hints : []));
		expect(hints).toHaveLength(3);
		expect(hints).toEqual(
			expect.arrayContaining([
				{ type: "iam.role", account, name: "orders-task" },
				{ type: "ecs.service", account, region: "eu-central-1", cluster: "prod", name: "far" },
				{ type: "resync", key: null },
			]),
		);
		const [told] = got.flatMap((e) => (e.kind === "hints" && e.hints[0]?.type === "iam.role" ? [e.culprit] : []));
		expect(told).toMatchObject({ action: "iam:TagRole", arn: expect.stringContaining(account) });
	});

	test("do not touch the role that forwards when policies are applied and what is gone is removed", async () => {
		const { kim, iam } = await company(["eu-west-1"]);
		await made(kim);
		kim.write("policies/orders.yaml", policyText("orders"));
		expect((await kim.run("apply", "--yes", "--prune")).code).toBe(0);
		const roles = await liveRoles(iam);
		expect(roles["ecs-access-main-events"]?.tags).toMatchObject({ "ecs-access.dev/installation": "main" });
		expect(await kim.run("triggers", "plan")).toMatchObject({ code: 0 });
	});

	test("are healed where a hand disabled a rule, took its target, changed its pattern, or deleted the queue", async () => {
		const { kim, events, sqs } = await company();
		await made(kim);
		const e = events();
		await e.send(new DisableRuleCommand({ Name: "ecs-access-main-iam" }));
		await e.send(new RemoveTargetsCommand({ Rule: "ecs-access-main-ecs-state", Ids: ["ecs-access"] }));
		await e.send(new PutRuleCommand({ Name: "ecs-access-main-ecs-calls", EventPattern: '{"source":["aws.s3"]}' }));
		const { QueueUrl } = await sqs.send(new GetQueueUrlCommand({ QueueName: "ecs-access-main" }));
		await sqs.send(new DeleteQueueCommand({ QueueUrl }));
		const plan = await kim.run("triggers", "plan");
		expect(plan.code).toBe(2);
		expect(plan.stdout).toContain("disabled -> enabled");
		await made(kim);
		expect((await kim.run("triggers", "plan")).code).toBe(0);
		const { Rules = [] } = await e.send(new ListRulesCommand({ NamePrefix: "ecs-access-main-" }));
		expect(Rules.map((r) => r.State)).toEqual(Array.from({ length: 6 }, () => "ENABLED"));
	});

	test("leave alone a queue and a rule that carry our name and not our mark, and say so", async () => {
		const { account, kim, events, sqs } = await company();
		await sqs.send(new CreateQueueCommand({ QueueName: "ecs-access-main", tags: { "aws:cloudformation:stack-name": "infra" } }));
		await events().send(new PutRuleCommand({ Name: "ecs-access-main-iam", EventPattern: '{"source":["aws.s3"]}' }));
		await sandbox.resetCounts(account);
		const { code, stdout } = await kim.run("triggers", "apply", "--yes");
		expect(code).toBe(2);
		expect(stdout).toContain("belongs to the CloudFormation stack infra");
		expect(stdout).toContain("ecs-access-main-iam carries our name and not our mark");
		// The dead-letter queue alone: no rule is of use without a queue of ours.
		expect(await writes(sandbox, account)).toEqual({ "sqs:CreateQueue": 1 });
	});

	test("of another account forward to the bus at home, which lets it in", async () => {
		const { account, kim, heard } = await company();
		const spoke = await accountWith(sandbox, "billing");
		await sandbox.seed(spoke.account, { roles: [roleSeed("spoke", [], { trust: TRUST })] });
		await sandbox.configure(spoke.account, { trail: true });
		const assumeRole = `assumeRole: { roleArn: "arn:aws:iam::${spoke.account}:role/spoke" }`;
		kim.write(
			"policies/platform/spoke.yaml",
			documentText("Account", "spoke", `{ accountId: "${spoke.account}", region: us-east-1, ${assumeRole} }`),
		);
		await made(kim);
		expect((await kim.run("triggers", "plan")).code).toBe(0);
		await spoke.iam.send(new TagRoleCommand({ RoleName: "spoke", Tags: [{ Key: "team", Value: "a" }] }));
		const got: ParsedEvent[] = [];
		await expect
			.poll(
				async () => {
					await sandbox.tick(spoke.account, 1);
					got.push(...(await heard()));
					return got.flatMap((e) => (e.kind === "hints" ? e.hints : []));
				},
				{ timeout: 20_000 },
			)
			.toContainEqual({ type: "iam.role", account: spoke.account, name: "spoke" });
		expect(account).not.toBe(spoke.account);
	});
});

describe("run", () => {
	test("heals what a hand did when its event comes, and not an hour later, also when the queue was gone meanwhile", async () => {
		const { kim, iam, sqs } = await company();
		kim.write("policies/orders.yaml", policyText("orders"));
		await made(kim);
		const run = kim.start("run", "--poll", "600");
		running.push(run);
		await run.says("iam:PutRolePolicy");
		const everything = JSON.stringify({ Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: "*", Resource: "*" }] });
		const change = { RoleName: "orders-task", PolicyName: "quick-fix", PolicyDocument: everything };
		const policies = async () => Object.keys((await liveRoles(iam))["orders-task"]?.inline ?? {});
		await iam.send(new PutRolePolicyCommand(change));
		await expect.poll(policies, { timeout: 20_000 }).toEqual(["ecs-access"]);
		const { QueueUrl } = await sqs.send(new GetQueueUrlCommand({ QueueName: "ecs-access-main" }));
		await sqs.send(new DeleteQueueCommand({ QueueUrl }));
		await run.says("events not heard");
		await made(kim);
		await run.says("events heard again");
		await iam.send(new PutRolePolicyCommand(change));
		await expect.poll(policies, { timeout: 20_000 }).toEqual(["ecs-access"]);
	}, 120_000);
});
