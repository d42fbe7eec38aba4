import { rmSync } from "node:fs";
import { PutRolePolicyCommand } from "@aws-sdk/client-iam";
import { afterEach, describe, expect, test } from "vitest";
import { createStoreTable } from "../sandbox/store-table.ts";
import { useSandbox } from "../sandbox/use.ts";
import { commitAll, initRepository, tempFolder } from "../unit/source/repository.ts";
import { type Person, person, type Running } from "./cli.ts";
import { type iamOf, liveRoles } from "./live.ts";
import { accountWith, documentText, policyText, writes } from "./world.ts";

/** Pauses and freezes as people meet them: at the real command line, and with a controller at work. */

const sandbox = useSandbox();
const running: Running[] = [];
afterEach(async () => {
	for (const r of running) r.kill("SIGKILL");
	await Promise.all(running.splice(0).map((r) => r.ended));
});

const EVERYTHING = JSON.stringify({ Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: "*", Resource: "*" }] });
/** Frozen at any moment, with no end in sight. */
const ALWAYS = '[{ kind: Deny, cron: "0 * * * *", duration: 2h }]';

function installation(who: Person, spec: string): void {
	who.write("policies/platform/installation.yaml", documentText("Installation", "main", spec));
}

async function iamWrites(account: string): Promise<readonly string[]> {
	return Object.keys(await writes(sandbox, account)).filter((o) => o.startsWith("iam:"));
}

async function inline(iam: ReturnType<typeof iamOf>, role: string): Promise<readonly string[]> {
	return Object.keys((await liveRoles(iam))[role]?.inline ?? {});
}

async function quickFix(iam: ReturnType<typeof iamOf>): Promise<void> {
	await iam.send(new PutRolePolicyCommand({ RoleName: "orders-task", PolicyName: "quick-fix", PolicyDocument: EVERYTHING }));
}

async function events(who: Person): Promise<readonly string[]> {
	const { items } = JSON.parse((await who.run("history", "Installation/main", "-o", "json")).stdout) as {
		readonly items: readonly { readonly event: string; readonly why: string; readonly actor: string }[];
	};
	return items.map((e) => `${e.event}: ${e.why}, by ${e.actor.replace(/@.*$/, "")}`);
}

describe("a paused installation", () => {
	test("plans and says so, writes nothing whoever applies, and goes on when a person has seen what will be done", async () => {
		const { account, kim, iam } = await accountWith(sandbox, "orders");
		installation(kim, "{}");
		kim.write("policies/orders.yaml", policyText("orders"));
		expect(await kim.run("apply", "--yes")).toMatchObject({ code: 0 });
		await quickFix(iam);
		await sandbox.counts(account);
		const paused = await kim.run("pause", "--until", "2h", "--reason", "incident 4711");
		expect(paused).toMatchObject({ code: 0, stdout: expect.stringMatching(/^Paused until .* UTC: incident 4711\n/) });
		expect(paused.stderr).toContain("holds for who uses that");

		const plan = await kim.run("plan");
		expect(plan.code).toBe(2);
		expect(plan.stdout).toMatch(/^PAUSED by kim@\S+ since \S+ until \S+: incident 4711\. Nothing is written\.$/m);
		expect(plan.stdout).toContain("waits: paused by kim@");
		expect(plan.stdout).toContain("Next: ecs-access resume");
		const before = await writes(sandbox, account);
		expect(await kim.run("apply", "--yes", "--during-freeze", "now")).toMatchObject({ code: 2 });
		expect(await kim.run("forget", "AccessPolicy/orders", "--yes")).toMatchObject({ code: 2 });
		expect(await writes(sandbox, account)).toEqual(before);
		for (const verb of [["get"], ["describe", "orders"]]) {
			expect((await kim.run(...verb)).stderr).toMatch(
				/^paused until .* by kim@\S+: incident 4711; to end it: ecs-access resume/m,
			);
		}

		const no = await kim.answer(["resume"], "n");
		expect(no).toMatchObject({ code: 2, stdout: expect.stringContaining("Still paused.") });
		expect(no.stdout).toContain('inline policy "quick-fix"');
		expect(no.stdout).toContain("1 to heal");
		expect(no.stdout).not.toContain("waits:");
		const yes = await kim.answer(["resume", "--reason", "it is over"], "y");
		expect(yes).toMatchObject({ code: 0, stdout: expect.stringContaining("Resumed.") });
		expect(await kim.run("apply", "--yes")).toMatchObject({ code: 0 });
		expect(await inline(iam, "orders-task")).toEqual(["ecs-access"]);
		expect(await events(kim)).toEqual(["resumed: it is over, by kim", "paused: incident 4711, by kim"]);
		expect(await kim.run("resume")).toMatchObject({ code: 0, stdout: "Installation main is not paused.\n" });
	});

	test("is paused for all who use a shared store, also on a machine that has lost its disk, and by the last word", async () => {
		const { account, kim } = await accountWith(sandbox, "orders");
		await createStoreTable(sandbox, account);
		const lee = person(sandbox, account, { USER: "lee" });
		for (const who of [kim, lee]) {
			installation(who, "{ store: dynamodb://ecs-access }");
			who.write("policies/orders.yaml", policyText("orders"));
		}
		expect(await kim.run("pause", "--until", "2h", "--reason", "incident 4711")).toMatchObject({ code: 0, stderr: "" });
		rmSync(kim.home, { recursive: true, force: true });
		for (const who of [kim, lee]) expect(await who.run("apply", "--yes")).toMatchObject({ code: 2 });
		expect(await iamWrites(account)).toEqual([]);
		const again = await lee.run("pause", "--until", "1d", "--reason", "lee takes over");
		expect(again.stdout).toMatch(/^Was paused until .* by kim@\S+: incident 4711\.\nPaused until .*: lee takes over\n/);
		expect((await kim.run("get")).stderr).toContain("lee takes over");
		expect(await kim.run("resume", "--yes")).toMatchObject({ code: 0 });
		expect(await lee.run("apply", "--yes")).toMatchObject({ code: 0 });
	});

	test("keeps its shared store without a memory as it is: a lost one is still told from a new one", async () => {
		const { account, kim } = await accountWith(sandbox, "orders");
		installation(kim, "{}");
		kim.write("policies/orders.yaml", policyText("orders"));
		expect(await kim.run("apply", "--yes")).toMatchObject({ code: 0 });
		await createStoreTable(sandbox, account);
		installation(kim, "{ store: dynamodb://ecs-access }");
		kim.write("policies/orders.yaml", policyText("orders", { actions: "s3:PutObject" }));
		expect(await kim.run("pause", "--until", "2h", "--reason", "moving")).toMatchObject({ code: 0 });
		expect(await kim.run("resume", "--yes")).toMatchObject({ code: 0 });
		const refused = await kim.run("apply", "--yes");
		expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining("remembers nothing") });
	});

	test.each([
		[["--until", "8d", "--reason", "x"], "is longer than 7 days"],
		[["--until", "2020-01-01T00:00:00Z", "--reason", "x"], "is over already"],
		[["--until", "tomorrow", "--reason", "x"], '--until "tomorrow" is no time'],
		[["--until", "2026-11-30T18:00:00", "--reason", "x"], "is no time"],
		[["--until", "2h", "--reason", " "], "--reason is empty"],
		[["--until", "2h"], "--reason"],
		[["--reason", "x"], "--until"],
	])("is not made of %j", async (args, words) => {
		const { kim } = await accountWith(sandbox);
		installation(kim, "{}");
		expect(await kim.run("pause", ...args)).toMatchObject({ code: 1, stderr: expect.stringContaining(words) });
		expect(await kim.run("resume")).toMatchObject({ code: 0, stdout: "Installation main is not paused.\n" });
	});
});

describe("a freeze by a window", () => {
	test("keeps apply from writing, names the window, and a person goes on by a word that is recorded", async () => {
		const { account, kim } = await accountWith(sandbox, "orders");
		installation(kim, `{ windows: ${ALWAYS} }`);
		kim.write("policies/orders.yaml", policyText("orders"));
		const frozen = await kim.run("apply", "--yes");
		expect(frozen.code).toBe(2);
		expect(frozen.stdout).toMatch(/^FROZEN, with no end in sight, by the window Deny "0 \* \* \* \*" of 2h, UTC\./m);
		expect(frozen.stdout).toContain("policies/platform/installation.yaml:4");
		expect(frozen.stdout).toContain("waits: frozen, with no end in sight");
		expect(frozen.stdout).toContain('ecs-access apply --during-freeze "…"');
		expect(await iamWrites(account)).toEqual([]);
		expect(await kim.run("apply", "--yes", "--during-freeze", " ")).toMatchObject({ code: 1 });
		const going = await kim.run("apply", "--yes", "--during-freeze", "orders is down");
		expect(going).toMatchObject({ code: 0, stdout: expect.stringContaining("Going on all the same: orders is down") });
		expect((await events(kim))[0]).toMatch(/^overridden: orders is down, by arn:aws/);
	});

	test("lets a plan be saved with the word, and applied by it, and by no other", async () => {
		const { kim, iam } = await accountWith(sandbox, "orders");
		installation(kim, `{ windows: ${ALWAYS} }`);
		kim.write("policies/orders.yaml", policyText("orders"));
		expect((await kim.run("plan", "--during-freeze", "orders is down", "--out", "plan.json")).stdout).toContain("1 to create");
		expect(await kim.run("apply", "plan.json", "--during-freeze", "another")).toMatchObject({ code: 1 });
		expect(await kim.run("apply", "plan.json")).toMatchObject({ code: 0 });
		expect(await inline(iam, "orders-task")).toEqual(["ecs-access"]);
		expect((await events(kim))[0]).toMatch(/^overridden: orders is down/);
	});
});

/** A repository with an Installation that enforces, and a controller over it that hears of nothing but the clock. */
async function controlled(spec: string, orders: string) {
	const { account, kim, iam } = await accountWith(sandbox, "orders");
	await createStoreTable(sandbox, account);
	const folder = tempFolder();
	initRepository(folder.at("access"));
	const write = (file: string, text: string): void => {
		folder.write(`access/policies/${file}`, text);
		kim.write(`policies/${file}`, text);
	};
	write("platform/installation.yaml", documentText("Installation", "main", spec));
	write("platform/prod.yaml", documentText("Account", "prod", `{ accountId: "${account}", region: eu-west-1 }`));
	write("orders.yaml", orders);
	commitAll(folder.at("access"), "orders");
	const begin = (): Running => {
		const run = kim.start("run", "--git", folder.at("access"), "--subdir", "policies", "--poll", "1", "--log-level", "debug");
		running.push(run);
		return run;
	};
	return { account, kim, iam, begin };
}

describe("a controller", () => {
	test("that finds a pause in its store heals nothing, and heals when somebody resumes, long before the next resync", async () => {
		const { account, kim, iam, begin } = await controlled(
			"{ mode: Enforce, resync: 1h, source: acme, store: dynamodb://ecs-access }",
			policyText("orders"),
		);
		expect(await kim.run("apply", "--yes")).toMatchObject({ code: 0 });
		await quickFix(iam);
		expect(await kim.run("pause", "--until", "1h", "--reason", "incident 4711")).toMatchObject({ code: 0 });
		const before = await iamWrites(account);
		const run = begin();
		await run.says('"msg":"resynced"');
		expect(await inline(iam, "orders-task")).toEqual(["ecs-access", "quick-fix"]);
		expect(await iamWrites(account)).toEqual(before);
		expect(await kim.run("resume", "--yes", "--no-plan")).toMatchObject({ code: 0 });
		await expect.poll(() => inline(iam, "orders-task"), { timeout: 40_000 }).toEqual(["ecs-access"]);
	});

	test("takes away what ends at its time, in a freeze too, with nothing but the clock to tell it", async () => {
		const ends = new Date(Date.now() + 15_000).toISOString().replace(/\.\d+Z$/, "Z");
		const lasting = policyText("orders");
		const { iam, kim, begin } = await controlled(
			`{ mode: Enforce, resync: 1h, source: acme, store: dynamodb://ecs-access, windows: ${ALWAYS} }`,
			`${lasting}      - { actions: [s3:PutObject], resources: ["arn:aws:s3:::catalogue/*"], expiresAt: "${ends}" }\n`,
		);
		expect(await kim.run("apply", "--yes", "--during-freeze", "the beginning")).toMatchObject({ code: 0 });
		const documents = async (): Promise<string> => JSON.stringify((await liveRoles(iam))["orders-task"]?.inline);
		expect(await documents()).toContain("s3:PutObject");
		begin();
		await expect.poll(documents, { timeout: 45_000 }).not.toContain("s3:PutObject");
		expect(Date.now()).toBeGreaterThanOrEqual(Date.parse(ends));
		expect(await documents()).toContain("s3:GetObject");
	});
});
