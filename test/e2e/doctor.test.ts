import { readFileSync } from "node:fs";
import { join } from "node:path";
import { DisableRuleCommand, EventBridgeClient, ListRulesCommand } from "@aws-sdk/client-eventbridge";
import { DeleteQueueCommand, GetQueueUrlCommand, ListQueuesCommand, SendMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { Ajv } from "ajv";
import { describe, expect, test } from "vitest";
import { roleSeed } from "../sandbox/seed-data.ts";
import { createStoreTable } from "../sandbox/store-table.ts";
import { useSandbox } from "../sandbox/use.ts";
import { type Person, person } from "./cli.ts";
import { liveRoles, roleNames } from "./live.ts";
import { accountWith, documentText, policyText, writes } from "./world.ts";

/** What somebody sees who asks whether an installation is well: everything in order, and one thing broken at a time. */

const sandbox = useSandbox();

interface Options {
	readonly trail?: boolean;
	readonly region?: string;
	readonly spec?: string;
	/** Whether rules and queue are made. */
	readonly triggers?: boolean;
}

async function company(options: Options = {}) {
	const { account, kim, iam } = await accountWith(sandbox, "orders");
	const region = options.region ?? "us-east-1";
	await sandbox.configure(account, { trail: options.trail ?? true });
	const write = (name: string, text: string): void => kim.write(`policies/${name}`, text);
	write("platform/installation.yaml", documentText("Installation", "main", `{ mode: Enforce${options.spec ?? ""} }`));
	write("platform/prod.yaml", documentText("Account", "prod", `{ accountId: "${account}", region: ${region} }`));
	write("orders.yaml", policyText("orders"));
	const at = { ...sandbox.config(account), region, maxAttempts: 1 };
	if (options.triggers !== false) {
		const made = await kim.run("triggers", "apply", "--yes");
		expect(made.code, made.stderr).toBe(0);
	}
	await sandbox.resetCounts(account);
	return { account, kim, iam, write, sqs: new SQSClient(at), events: new EventBridgeClient(at) };
}

interface Report {
	readonly installation: string | null;
	readonly counts: Readonly<Record<string, number>>;
	readonly checks: readonly {
		readonly id: string;
		readonly account: string | null;
		readonly result: string;
		readonly message: string;
		readonly fix?: string;
	}[];
}

const schema = JSON.parse(readFileSync(join(import.meta.dirname, "../../docs/schemas/doctor-report.json"), "utf8"));
const isReport = new Ajv({ strict: false, validateFormats: false }).compile(schema);

async function report(who: Person, ...args: readonly string[]): Promise<Report & { readonly code: number | null }> {
	const { code, stdout, stderr } = await who.run("doctor", "-o", "json", ...args);
	const read = (): unknown => {
		try {
			return JSON.parse(stdout);
		} catch {
			throw new Error(`no JSON: ${stdout}\n${stderr}`);
		}
	};
	const value = read();
	expect(isReport(value), JSON.stringify(isReport.errors)).toBe(true);
	return { ...(value as Report), code };
}

function found(r: Report, id: string, account: string | null = null) {
	const check = r.checks.find((c) => c.id === id && (account === null || c.account === account));
	if (check === undefined) throw new Error(`no check ${id} among ${r.checks.map((c) => c.id).join(", ")}`);
	return check;
}

/** What is not as it should be, by id. */
function unwell(r: Report): Readonly<Record<string, string>> {
	return Object.fromEntries(r.checks.filter((c) => !["ok", "skipped"].includes(c.result)).map((c) => [c.id, c.result]));
}

describe("doctor", () => {
	test("finds all well where all is, and writes nothing", async () => {
		const { account, kim } = await company();
		const r = await report(kim);
		expect(unwell(r)).toEqual({});
		expect(r).toMatchObject({ code: 0, installation: "main" });
		expect(found(r, "credentials")).toMatchObject({
			account: "prod",
			message: expect.stringContaining(`${account} (acme-prod) as arn:`),
		});
		expect(found(r, "permissions").message).toMatch(/^\d\d reads tried, all allowed/);
		expect(found(r, "triggers").message).toMatch(/^all \d+ queues, rules and roles are there$/);
		expect(found(r, "quotas").message).toMatch(/^\d+ of 1000 roles used/);
		expect(found(r, "events")).toMatchObject({ result: "skipped", fix: expect.stringContaining("doctor --canary") });
		expect(await writes(sandbox, account)).toEqual({});
		const text = await kim.run("doctor");
		expect(text.code).toBe(0);
		expect(text.stdout).toMatch(/^ok +clock +this machine's clock/m);
		expect(text.stdout).toMatch(/\d+ checks: \d+ ok, \d+ skipped\.\n$/);
	});

	test("sends a canary whose event comes back, also from the IAM region to a home elsewhere, and leaves nothing behind", async () => {
		const { kim, iam, sqs, events } = await company({ region: "eu-west-1" });
		const before = await roleNames(iam);
		const r = await report(kim, "--canary", "--yes", "--wait", "60");
		expect(unwell(r)).toEqual({});
		expect(found(r, "events")).toMatchObject({
			result: "ok",
			message: expect.stringMatching(
				/ecs-access-canary-main was changed, and its event was on the bus in eu-west-1 (less than 1|\d+) s later/,
			),
		});
		expect(found(r, "writes").message).toContain("iam:CreateRole, iam:TagRole, iam:UpdateAssumeRolePolicy");
		expect(await roleNames(iam)).toEqual(before);
		const { Rules = [] } = await events.send(new ListRulesCommand({ NamePrefix: "ecs-access-main-canary" }));
		expect(Rules).toEqual([]);
		const { QueueUrls = [] } = await sqs.send(new ListQueuesCommand({ QueueNamePrefix: "ecs-access-main-canary" }));
		expect(QueueUrls).toEqual([]);
	});

	test("sends one to another account as well, whose event is forwarded home", async () => {
		const { kim, write } = await company({ triggers: false });
		kim.remove("policies/orders.yaml");
		const spoke = await accountWith(sandbox, "billing");
		const trust = { Version: "2012-10-17", Statement: [{ Effect: "Allow", Principal: { AWS: "*" }, Action: "sts:AssumeRole" }] };
		await sandbox.seed(spoke.account, { roles: [roleSeed("spoke", [], { trust })] });
		await sandbox.configure(spoke.account, { trail: true });
		const assumeRole = `assumeRole: { roleArn: "arn:aws:iam::${spoke.account}:role/spoke" }`;
		write(
			"platform/spoke.yaml",
			documentText("Account", "spoke", `{ accountId: "${spoke.account}", region: us-east-1, ${assumeRole} }`),
		);
		expect((await kim.run("triggers", "apply", "--yes")).code).toBe(0);
		const r = await report(kim, "--canary", "--yes", "--wait", "60");
		expect(unwell(r)).toEqual({});
		expect(found(r, "credentials", "spoke").message).toMatch(new RegExp(`^${spoke.account} .*by assumeRole$`));
		expect(found(r, "events", "prod").result).toBe("ok");
		expect(found(r, "events", "spoke").result).toBe("ok");
		expect(await roleNames(spoke.iam)).not.toContain("ecs-access-canary-main");
	});

	test("says without a trail that no event came, how long it waited, and where to look; it still cleans up", async () => {
		const { account, kim, iam } = await company({ trail: false });
		const before = await roleNames(iam);
		const r = await report(kim, "--canary", "--yes", "--wait", "3");
		expect(r.code).toBe(1);
		expect(unwell(r)).toEqual({ events: "failed" });
		expect(found(r, "events")).toMatchObject({
			message: expect.stringContaining("no event of it came to us-east-1 in 3 s"),
			fix: expect.stringContaining(`a CloudTrail trail of account ${account} that logs management events (write) in us-east-1`),
		});
		expect(await roleNames(iam)).toEqual(before);
	});

	test("keeps a canary that nobody can assume and no plan takes for its own, where it is asked to", async () => {
		const { kim, iam } = await company({ region: "eu-west-1" });
		await report(kim, "--canary", "--yes", "--keep", "--wait", "30");
		const canary = (await liveRoles(iam))["ecs-access-canary-main"];
		expect(canary).toMatchObject({ path: "/ecs-access/", inline: {}, attached: [] });
		expect(JSON.stringify(canary?.trust)).not.toContain("Allow");
		const applied = await kim.run("apply", "--yes", "--prune");
		expect(applied.code, applied.stdout + applied.stderr).toBe(0);
		expect(await roleNames(iam)).toContain("ecs-access-canary-main");
		const again = await report(kim, "--canary", "--yes", "--wait", "30");
		expect(found(again, "events").result).toBe("ok");
		expect(await roleNames(iam)).not.toContain("ecs-access-canary-main");
	});

	test("touches no role that has the canary's name and is somebody else's", async () => {
		const { account, kim, iam } = await company();
		await sandbox.seed(account, { roles: [roleSeed("ecs-access-canary-main", [])] });
		const before = (await liveRoles(iam))["ecs-access-canary-main"];
		const r = await report(kim, "--canary", "--yes", "--wait", "5");
		expect(found(r, "writes")).toMatchObject({ result: "failed", message: expect.stringContaining("bears no mark of doctor") });
		expect((await liveRoles(iam))["ecs-access-canary-main"]).toEqual(before);
	});

	test("asks before it sends a canary, and does nothing without an answer", async () => {
		const { account, kim } = await company();
		const shown = await kim.answer(["doctor", "--canary"], "n");
		expect(shown).toMatchObject({ code: 2, stdout: expect.stringContaining("Make a role that nobody can assume in prod") });
		expect(await writes(sandbox, account)).toEqual({});
	});

	test("sends no canary while somebody has paused", async () => {
		const { account, kim } = await company();
		expect((await kim.run("pause", "--until", "1h", "--reason", "incident 4711")).code).toBe(0);
		const r = await report(kim, "--canary", "--yes");
		expect(found(r, "pause")).toMatchObject({ result: "warning", fix: expect.stringContaining("ecs-access resume") });
		expect(found(r, "events")).toMatchObject({ result: "skipped", message: expect.stringContaining("incident 4711") });
		expect(await writes(sandbox, account)).toEqual({});
	});

	test("names credentials of another account, and asks nothing more of that one", async () => {
		const { kim, write } = await company({ triggers: false });
		write("platform/prod.yaml", documentText("Account", "prod", '{ accountId: "999999999999", region: us-east-1 }'));
		const r = await report(kim, "--canary", "--yes", "--wait", "3");
		expect(r.code).toBe(1);
		expect(found(r, "credentials")).toMatchObject({
			result: "failed",
			message: expect.stringContaining("declared as 999999999999"),
			fix: expect.stringContaining("AWS_PROFILE"),
		});
		for (const id of ["permissions", "quotas", "triggers", "queue", "events"]) {
			expect(found(r, id)).toMatchObject({ result: "skipped", message: "needs credentials" });
		}
	});

	test("finds the queue missing and a rule switched off, and says what makes them", async () => {
		const { kim, sqs, events } = await company();
		const { QueueUrl } = await sqs.send(new GetQueueUrlCommand({ QueueName: "ecs-access-main" }));
		await sqs.send(new DeleteQueueCommand({ QueueUrl }));
		await events.send(new DisableRuleCommand({ Name: "ecs-access-main-iam" }));
		const r = await report(kim);
		expect(r.code).toBe(1);
		expect(unwell(r)).toEqual({ triggers: "failed", queue: "failed" });
		expect(found(r, "triggers")).toMatchObject({
			message: expect.stringContaining("queue ecs-access-main in us-east-1, rule ecs-access-main-iam in us-east-1"),
			fix: "run ecs-access triggers apply",
		});
		expect(found(r, "queue").message).toContain("there is no event queue ecs-access-main in us-east-1");
	});

	test("counts what lies in the dead-letter queue", async () => {
		const { kim, sqs } = await company();
		const { QueueUrl } = await sqs.send(new GetQueueUrlCommand({ QueueName: "ecs-access-main-dead" }));
		await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: "{}" }));
		const r = await report(kim);
		expect(r.code).toBe(0);
		expect(found(r, "dead-letters")).toMatchObject({
			result: "warning",
			message: expect.stringContaining("1 message in ecs-access-main-dead"),
		});
	});

	test("notices a clock that goes wrong", async () => {
		const { account, kim } = await company();
		const ahead = "const now = Date.now; Date.now = () => now() + 300_000;";
		const late = person(sandbox, account, { NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(ahead)}` });
		const r = await report(late, "--path", join(kim.cwd, "policies"));
		expect(r.code).toBe(1);
		expect(found(r, "clock")).toMatchObject({
			result: "failed",
			message: expect.stringMatching(/clock is (299|30\d) s ahead of AWS/),
			fix: expect.stringContaining("synchronise"),
		});
	});

	test("looks at the table of a shared store and at who holds the lease", async () => {
		const { account, kim } = await company({ spec: ', store: "dynamodb://ecs-access"', triggers: false });
		const without = await report(kim);
		expect(found(without, "store")).toMatchObject({ result: "failed", message: expect.stringContaining("ecs-access") });
		expect(found(without, "lease")).toMatchObject({ result: "skipped", message: "needs store" });
		await createStoreTable(sandbox, account);
		const run = kim.start("run", "--poll", "600");
		try {
			await run.says("step applied");
			const r = await report(kim);
			expect(found(r, "store")).toMatchObject({
				result: "ok",
				message: expect.stringContaining("status and history can be read"),
			});
			expect(found(r, "lease").message).toMatch(/^held by kim@.*ecs-access run/);
		} finally {
			run.kill("SIGKILL");
			await run.ended;
		}
	});

	test("tries the repository that the Installation names, and its documents", async () => {
		const { kim, write } = await company({ spec: ', git: { url: "https://127.0.0.1:1/access.git" }' });
		write("orders.yaml", policyText("orders").replace("statements:", "statments:"));
		const r = await report(kim);
		expect(r.code).toBe(1);
		expect(unwell(r)).toEqual({ git: "failed", policies: "failed" });
		expect(found(r, "policies")).toMatchObject({
			message: expect.stringContaining("orders.yaml"),
			fix: expect.stringContaining("validate"),
		});
		expect(found(r, "triggers")).toMatchObject({ result: "skipped", message: "needs policies" });
	});

	test("says what it can where there is no source", async () => {
		const { account } = await accountWith(sandbox);
		const lee = person(sandbox, account);
		const r = await report(lee);
		expect(r).toMatchObject({ code: 1, installation: null });
		expect(unwell(r)).toEqual({ source: "failed" });
		expect(found(r, "credentials").message).toContain(account);
	});
});
