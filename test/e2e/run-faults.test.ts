import { execFileSync } from "node:child_process";
import { closeSync, openSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { DeleteRolePolicyCommand, PutRolePolicyCommand } from "@aws-sdk/client-iam";
import {
	DeleteQueueCommand,
	GetQueueAttributesCommand,
	GetQueueUrlCommand,
	ReceiveMessageCommand,
	SendMessageCommand,
	SetQueueAttributesCommand,
	SQSClient,
} from "@aws-sdk/client-sqs";
import { describe, type TestContext, test } from "vitest";
import type { HistoryEntry } from "../../controller/model/status.ts";
import { createStoreTable } from "../sandbox/store-table.ts";
import { useSandbox } from "../sandbox/use.ts";
import { type Person, person, type Running } from "./cli.ts";
import { liveRoles } from "./live.ts";
import { accountWith, documentText, policyText, writes } from "./world.ts";

/** Faults around a process of its own: its disk, its memory, its queue, and another one like it. */

const sandbox = useSandbox();
const EVERYTHING = JSON.stringify({ Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: "*", Resource: "*" }] });

/** Tests run beside each other: what ends with one of them hangs on its own context. */
async function company({ onTestFinished }: TestContext, installation = "resync: 2s", region = "eu-west-1") {
	const { account, kim, iam } = await accountWith(sandbox, "orders", "billing");
	const everybody: Person[] = [];
	const write = (path: string, text: string): void => {
		for (const who of everybody) who.write(path, text);
	};
	const joins = (who: Person): Person => {
		everybody.push(who);
		who.write("policies/platform/installation.yaml", documentText("Installation", "main", `{ mode: Enforce, ${installation} }`));
		who.write(
			"policies/platform/prod.yaml",
			documentText("Account", "prod", `{ accountId: "${account}", region: ${region}, regions: [${region}] }`),
		);
		who.write("policies/orders.yaml", policyText("orders"));
		return who;
	};
	joins(kim);
	const start = (who = kim, ...more: readonly string[]): Running => {
		const run = who.start("run", "--path", "policies", "--poll", "1", "--http", "off", "--state-dir", "state", ...more);
		onTestFinished(async () => {
			run.kill("SIGKILL");
			await run.ended;
		});
		return run;
	};
	const inline = async (role = "orders-task") => Object.keys((await liveRoles(iam))[role]?.inline ?? {}).sort();
	const breakIt = () => iam.send(new DeleteRolePolicyCommand({ RoleName: "orders-task", PolicyName: "ecs-access" }));
	const iamWrites = async (): Promise<Readonly<Record<string, number>>> =>
		Object.fromEntries(Object.entries(await writes(sandbox, account)).filter(([o]) => o.startsWith("iam:")));
	return { account, kim, iam, start, inline, breakIt, iamWrites, write, joins, state: join(kim.cwd, "state") };
}

/** Oldest first. */
async function historyOf(who: Person): Promise<readonly HistoryEntry[]> {
	const { stdout, stderr } = await who.run("history", "--state-dir", "state", "--limit", "1000", "-o", "json");
	if (stderr.includes("error")) throw new Error(stderr);
	return (JSON.parse(stdout) as { readonly items: readonly HistoryEntry[] }).items.toReversed();
}

describe.concurrent("a disk that is full", () => {
	test("stops all writes to AWS, since none is made whose intent is not recorded; with space again it goes on", async (t) => {
		const { expect } = t;
		const { account, kim, start, inline, breakIt, iamWrites } = await company(t);
		const run = start();
		await run.says("iam:PutRolePolicy");
		const limit = (bytes: string): void => void execFileSync("prlimit", ["--pid", String(run.pid), `--fsize=${bytes}:`]);
		limit("1");
		await breakIt();
		await sandbox.resetCounts(account);
		await run.says("cannot be read or written");
		await expect.poll(async () => (await sandbox.counts(account))["iam:GetAccountAuthorizationDetails"] ?? 0).toBeGreaterThan(0);
		expect(await iamWrites()).toEqual({});
		limit("unlimited");
		await expect.poll(inline, { timeout: 40_000 }).toEqual(["ecs-access"]);
		run.kill("SIGTERM");
		await run.ended;
		const told = await historyOf(kim);
		const intended = told.filter((h) => h.event === "intended").length;
		const written = Object.values(await iamWrites()).reduce((sum, n) => sum + n, 0);
		expect([written, intended]).toEqual([1, 3]);
	}, 90_000);
});

describe.concurrent("a private store", () => {
	test("that is damaged while run works stops all writes until it is restored", async (t) => {
		const { expect } = t;
		const { account, start, inline, breakIt, iamWrites, state } = await company(t);
		const run = start();
		await run.says("iam:PutRolePolicy");
		const files = readdirSync(state)
			.filter((f) => /^state\.sqlite(-wal)?$/.test(f))
			.map((f) => join(state, f));
		const backup = files.map((f) => [f, readFileSync(f)] as const);
		for (const file of files) {
			const open = openSync(file, "r+");
			writeSync(open, Buffer.alloc(statSync(file).size, "damaged "));
			closeSync(open);
		}
		await sandbox.resetCounts(account);
		await breakIt();
		await run.says("cannot work yet");
		expect(run.said()).toContain("state.sqlite is damaged");
		expect(await inline()).toEqual([]);
		expect(await iamWrites()).toEqual({ "iam:DeleteRolePolicy": 1 });
		for (const f of readdirSync(state)) if (f.startsWith("state.sqlite-")) rmSync(join(state, f));
		for (const [file, bytes] of backup) writeFileSync(file, bytes);
		await expect.poll(inline, { timeout: 40_000 }).toEqual(["ecs-access"]);
	}, 90_000);
});

describe.concurrent("the event queue", () => {
	const QUEUE = "ecs-access-main";

	test("loses a message that is no event to the dead-letter queue, and the events beside it are heard", async (t) => {
		const { expect } = t;
		const { account, kim, iam, start, inline } = await company(t, "resync: 1h", "us-east-1");
		await sandbox.configure(account, { trail: true });
		expect(await kim.run("triggers", "apply", "--yes", "--path", "policies")).toMatchObject({ code: 0 });
		const sqs = new SQSClient({ ...sandbox.config(account), region: "us-east-1" });
		const urlOf = async (name: string) => (await sqs.send(new GetQueueUrlCommand({ QueueName: name }))).QueueUrl;
		const QueueUrl = await urlOf(QUEUE);
		// What was received comes again after a second, and not after half a minute.
		await sqs.send(new SetQueueAttributesCommand({ QueueUrl, Attributes: { VisibilityTimeout: "1" } }));
		const run = start();
		await run.says("iam:PutRolePolicy");
		const poison = `{"source": "aws.iam", "detail": `;
		await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: poison }));
		await iam.send(new PutRolePolicyCommand({ RoleName: "orders-task", PolicyName: "quick-fix", PolicyDocument: EVERYTHING }));
		await expect.poll(inline, { timeout: 30_000 }).toEqual(["ecs-access"]);
		const dead = await urlOf(`${QUEUE}-dead`);
		const letters = async (): Promise<readonly (string | undefined)[]> => {
			const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl: dead, VisibilityTimeout: 0 }));
			return Messages.map((m) => m.Body);
		};
		await expect.poll(letters, { timeout: 40_000, interval: 200 }).toEqual([poison]);
		expect(run.said().split("message left for the dead-letter queue")).toHaveLength(2);
		const { Attributes } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ["All"] }));
		expect(Attributes?.ApproximateNumberOfMessages).toBe("0");
	}, 90_000);

	test("that is deleted is missed and told, and what a hand did is healed by the resync without it", async (t) => {
		const { expect } = t;
		const { account, kim, start, inline, breakIt } = await company(t, "resync: 2s", "us-east-1");
		expect(await kim.run("triggers", "apply", "--yes", "--path", "policies")).toMatchObject({ code: 0 });
		const run = start();
		await run.says("iam:PutRolePolicy");
		const sqs = new SQSClient({ ...sandbox.config(account), region: "us-east-1" });
		const { QueueUrl } = await sqs.send(new GetQueueUrlCommand({ QueueName: QUEUE }));
		await sqs.send(new DeleteQueueCommand({ QueueUrl }));
		await run.says("events not heard");
		for (let round = 0; round < 2; round++) {
			await breakIt();
			await expect.poll(inline, { timeout: 30_000 }).toEqual(["ecs-access"]);
		}
		expect(run.said()).not.toContain("events heard again");
	}, 90_000);
});

describe.concurrent("two controllers at once", () => {
	/** By fence, in the order in which it was written; and each step once. */
	const neverTwoWriters = (told: readonly HistoryEntry[], { expect }: TestContext): void => {
		const fences = told.flatMap((h) => (h.event === "intended" || h.event === "applied" ? [h.lease ?? 0] : []));
		expect(fences).toEqual([...fences].sort((a, b) => a - b));
		expect(new Set(fences).size).toBe(2);
	};

	test("on one machine are one writer: when that is killed, the other takes over at once", async (t) => {
		const { expect } = t;
		const { kim, start, inline, write, iamWrites } = await company(t);
		const [one, two] = [start(), start()];
		const first = await Promise.race([one, two].map((run) => run.says("step applied").then(() => run)));
		const second = first === one ? two : one;
		await second.says("standing by");
		expect(second.said()).not.toContain("lease taken");
		first.kill("SIGKILL");
		await first.ended;
		write("policies/billing.yaml", policyText("billing"));
		await second.says("lease taken");
		await expect.poll(() => inline("billing-task"), { timeout: 30_000 }).toEqual(["ecs-access"]);
		second.kill("SIGTERM");
		await second.ended;
		neverTwoWriters(await historyOf(kim), t);
		expect(await iamWrites()).toEqual({ "iam:CreateRole": 2, "iam:PutRolePolicy": 2 });
	}, 90_000);

	test("on two machines over a shared store are one writer, whoever began, and each step is done once", async (t) => {
		const { expect } = t;
		const { account, kim, start, inline, write, joins, iamWrites } = await company(
			t,
			"resync: 2s, store: 'dynamodb://ecs-access'",
		);
		await createStoreTable(sandbox, account);
		const lee = joins(person(sandbox, account, { USER: "lee" }));
		const [one, two] = [start(kim), start(lee)];
		const first = await Promise.race([one, two].map((run) => run.says("step applied").then(() => run)));
		const second = first === one ? two : one;
		await second.says("standing by");
		await expect.poll(() => inline(), { timeout: 30_000 }).toEqual(["ecs-access"]);
		first.kill("SIGTERM");
		await first.ended;
		write("policies/billing.yaml", policyText("billing"));
		await second.says("lease taken");
		await expect.poll(() => inline("billing-task"), { timeout: 30_000 }).toEqual(["ecs-access"]);
		second.kill("SIGTERM");
		await second.ended;
		neverTwoWriters(await historyOf(lee), t);
		expect(await iamWrites()).toEqual({ "iam:CreateRole": 2, "iam:PutRolePolicy": 2 });
	}, 90_000);
});
