import { setTimeout as delay } from "node:timers/promises";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { PutRolePolicyCommand } from "@aws-sdk/client-iam";
import { afterEach, describe, expect, test } from "vitest";
import { createStoreTable } from "../sandbox/store-table.ts";
import { useSandbox } from "../sandbox/use.ts";
import { commitAll, initRepository, tempFolder } from "../unit/source/repository.ts";
import { type Person, person, type Running } from "./cli.ts";
import { liveRoles } from "./live.ts";
import { accountWith, documentText, policyText, writes } from "./world.ts";

/** The controller as a process of its own: signals, leases, a repository that moves, and people beside it. */

const sandbox = useSandbox();
const running: Running[] = [];
afterEach(async () => {
	for (const r of running) r.kill("SIGKILL");
	await Promise.all(running.splice(0).map((r) => r.ended));
});

/** An account, a repository with an Installation that enforces, and somebody who runs the controller over it. */
async function company(options: { readonly store?: string; readonly mode?: string } = {}) {
	const { account, kim, iam } = await accountWith(sandbox, "orders", "billing");
	const folder = tempFolder();
	const path = folder.at("access");
	initRepository(path);
	const write = (file: string, text: string): void => folder.write(`access/policies/${file}`, text);
	const commit = (message: string): string => commitAll(path, message);
	const store = options.store === undefined ? "" : `, store: "${options.store}"`;
	write(
		"platform/installation.yaml",
		documentText("Installation", "main", `{ mode: ${options.mode ?? "Enforce"}, resync: 5s${store} }`),
	);
	write("platform/prod.yaml", documentText("Account", "prod", `{ accountId: "${account}", region: eu-west-1 }`));
	write("orders.yaml", policyText("orders"));
	commit("orders");
	return { account, kim, iam, write, commit, from: ["--git", path, "--subdir", "policies"] as const };
}

function controller(who: Person, from: readonly string[], ...more: readonly string[]): Running {
	const started = who.start("run", ...from, "--poll", "1", ...more);
	running.push(started);
	return started;
}

async function inline(iam: Parameters<typeof liveRoles>[0], role: string): Promise<readonly string[]> {
	return Object.keys((await liveRoles(iam))[role]?.inline ?? {});
}

describe("run", () => {
	test("follows a repository, heals what a hand did at the next resync, and ends at once when asked", async () => {
		const { kim, iam, write, commit, from } = await company();
		const run = controller(kim, from);
		await run.says("step applied");
		await expect.poll(() => inline(iam, "orders-task"), { timeout: 20_000 }).toEqual(["ecs-access"]);
		write("billing.yaml", policyText("billing"));
		const second = commit("billing");
		await run.says(second);
		await expect.poll(() => inline(iam, "billing-task"), { timeout: 20_000 }).toEqual(["ecs-access"]);
		const everything = JSON.stringify({ Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: "*", Resource: "*" }] });
		await iam.send(new PutRolePolicyCommand({ RoleName: "orders-task", PolicyName: "quick-fix", PolicyDocument: everything }));
		await expect.poll(() => inline(iam, "orders-task"), { timeout: 20_000 }).toEqual(["ecs-access"]);
		run.kill("SIGTERM");
		const { code, stderr } = await run.ended;
		expect(code).toBe(0);
		expect(stderr).toContain('"msg":"stopped"');
		const history = await kim.run("history", "orders", "--path", "/nowhere", "--installation", "main");
		expect(history.stdout).toContain("drifted");
	});

	test("keeps a person's apply out while it runs, and says who holds the lease", async () => {
		const { kim, from, write, commit } = await company();
		const run = controller(kim, from, "--poll", "600");
		await run.says("iam:PutRolePolicy");
		write("billing.yaml", policyText("billing"));
		commit("billing");
		const apply = await kim.run("apply", ...from, "--yes");
		expect(apply.code).toBe(1);
		expect(apply.stderr).toMatch(/another writer is at work: kim@.*ecs-access run/);
	});

	test("in mode Observe lets people apply beside it; a commit that says Enforce makes it take the lease", async () => {
		const { account, kim, from, write, commit } = await company({ mode: "Observe" });
		const run = controller(kim, from);
		await run.says("observing");
		expect(await kim.run("apply", ...from, "--yes")).toMatchObject({ code: 0 });
		write("platform/installation.yaml", documentText("Installation", "main", "{ mode: Enforce, resync: 5s }"));
		write("billing.yaml", policyText("billing"));
		commit("it may write now");
		await run.says("lease taken");
		await run.says("step applied");
		expect(await writes(sandbox, account)).toMatchObject({ "iam:CreateRole": 2 });
	});

	test("stands by while another replica works, and takes over when that is killed", async () => {
		const { account, kim, iam, write, commit, from } = await company({ store: "dynamodb://ecs-access" });
		await createStoreTable(sandbox, account);
		expect(new DynamoDBClient(sandbox.config(account))).toBeDefined();
		const first = controller(kim, from);
		await first.says("step applied");
		const lee = person(sandbox, account, { USER: "lee" });
		const second = controller(lee, from);
		await second.says("standing by");
		expect(second.said()).not.toContain("lease taken");
		write("billing.yaml", policyText("billing"));
		commit("billing");
		await expect.poll(() => inline(iam, "billing-task"), { timeout: 20_000 }).toEqual(["ecs-access"]);
		expect(second.said()).not.toContain("step applied");
		first.kill("SIGTERM");
		await first.ended;
		await second.says("lease taken");
	});

	test("in mode Observe plans, and writes nothing", async () => {
		const { account, kim, from } = await company({ mode: "Observe" });
		const run = controller(kim, from, "--log-level", "debug");
		await run.says("resynced");
		// What it saw is told on the event bus.
		const { "events:PutEvents": _, ...made } = await writes(sandbox, account);
		expect(made).toEqual({});
	});

	test("asks AWS for nothing between two resyncs but whether there are events", async () => {
		const { account, kim, from, write, commit } = await company();
		write("platform/installation.yaml", documentText("Installation", "main", "{ mode: Enforce, resync: 10m }"));
		commit("look seldom");
		expect(await kim.run("triggers", "apply", "--yes", ...from)).toMatchObject({ code: 0 });
		const run = controller(kim, from, "--log-level", "debug");
		await run.says("iam:PutRolePolicy");
		await run.says("resynced");
		// So long that several looks at the repository, and an event's way through the queue, lie in it.
		await delay(3_000);
		await sandbox.resetCounts(account);
		await delay(5_000);
		expect(Object.keys(await sandbox.counts(account)).filter((o) => o !== "sqs:ReceiveMessage")).toEqual([]);
	});

	test.each(["abc", "0", "-1", "1.5"])("refuses to look at the source every %s seconds", async (seconds) => {
		const { kim } = await accountWith(sandbox);
		const { code, stderr } = await kim.run("run", "--poll", seconds);
		expect([code, stderr]).toEqual([1, expect.stringContaining("it is a whole number, 1 or more")]);
	});

	test("does not begin without an Installation, and says what to write", async () => {
		const { kim } = await accountWith(sandbox, "orders");
		kim.write("policies/orders.yaml", policyText("orders"));
		const run = controller(kim, ["--path", "policies"]);
		await run.says("platform/installation.yaml");
		run.kill("SIGTERM");
		expect((await run.ended).code).toBe(0);
	});
});

describe("reconcile --once", () => {
	test("does all there is, ends, and says by its exit code whether anything is left", async () => {
		const { kim, iam, write, commit, from } = await company();
		expect(await kim.run("reconcile", "--once", ...from)).toMatchObject({ code: 0, stdout: expect.stringContaining("Applied") });
		expect(await inline(iam, "orders-task")).toEqual(["ecs-access"]);
		expect(await kim.run("reconcile", "--once", ...from)).toMatchObject({ code: 0 });
		write("search.yaml", policyText("search"));
		commit("a service that is not there yet");
		expect(await kim.run("reconcile", "--once", ...from)).toMatchObject({
			code: 2,
			stdout: expect.stringContaining("search (binding)"),
		});
		write("bad.yaml", "kind: [");
		const bad = commit("a bad file");
		const refused = await kim.run("reconcile", "--once", ...from);
		expect(refused.code).toBe(2);
		expect(refused.stderr).toContain(`revision ${bad} is refused`);
		expect((await kim.run("get", "--installation", "main", "--path", "/nowhere")).stderr).toContain(
			`revision ${bad.slice(0, 7)} is refused (InvalidYaml)`,
		);
	});
});
