import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, test } from "vitest";
import { roleSeed } from "../sandbox/seed-data.ts";
import { useSandbox } from "../sandbox/use.ts";
import { type Person, person } from "./cli.ts";
import { liveRoles, roleNames } from "./live.ts";
import { accountWith, documentText, policyText, writes } from "./world.ts";

/** What goes wrong between us and AWS: what is said, how the program ends, and that the next run finishes the work. */

const sandbox = useSandbox();
const XRAY = "arn:aws:iam::aws:policy/AWSXRayDaemonWriteAccess";

/** Done, and nothing is left to do. */
async function finishes(kim: Person): Promise<void> {
	const again = await kim.run("apply", "--yes");
	expect([again.code, again.stderr]).toEqual([0, expect.not.stringContaining("error")]);
	const plan = await kim.run("plan");
	expect([plan.code, plan.stdout]).toEqual([0, expect.stringContaining("Nothing to do")]);
}

describe("credentials", () => {
	const asking = async (kim: Person): Promise<string> => {
		kim.write("policies/orders.yaml", policyText("orders"));
		const { code, stderr, stdout } = await kim.run("apply", "--yes");
		expect([code, stdout]).toEqual([1, ""]);
		expect(stderr).not.toContain("    at ");
		return stderr;
	};

	test("that are missing are told with how to get some", async () => {
		const kim = person(sandbox, sandbox.newAccount(), { AWS_ACCESS_KEY_ID: "", AWS_SECRET_ACCESS_KEY: "" });
		const said = await asking(kim);
		expect(said).toContain("no usable AWS credentials");
		expect(said).toContain("sign in (aws sso login, or AWS_PROFILE, or AWS_ACCESS_KEY_ID)");
	});

	test("that have expired are told so", async () => {
		const { account, kim } = await accountWith(sandbox, "orders");
		await sandbox.fault(account, { kind: "expiredToken" });
		const said = await asking(kim);
		expect(said).toContain("AWS: ExpiredToken");
		expect(said).toContain("sign in again");
	});

	test("of another account than the declared one write nothing there", async () => {
		const { account, kim } = await accountWith(sandbox, "orders");
		kim.write(
			"policies/platform/accounts.yaml",
			documentText("Account", "prod", '{ accountId: "111122223333", region: eu-west-1 }'),
		);
		const said = await asking(kim);
		expect(said).toContain(`account prod is declared as 111122223333, but these credentials are of ${account}`);
		expect(said).toContain("AWS_PROFILE, or assumeRole");
		expect(Object.keys(await sandbox.counts(account))).toEqual(["sts:GetCallerIdentity"]);
	});
});

describe("in the middle of an apply", () => {
	test("a denial says what, on what, what AWS said, who was refused and what is needed, what was done and what was not", async () => {
		const { account, kim, iam } = await accountWith(sandbox, "orders");
		kim.write("policies/orders.yaml", policyText("orders", { role: `managedPolicies: [${XRAY}]` }));
		await sandbox.fault(account, { kind: "denied", operation: "iam:PutRolePolicy" });
		const { code, stdout } = await kim.run("apply", "--yes");
		expect(code).toBe(1);
		const told = stdout.slice(stdout.indexOf("error  "));
		expect(told).toMatch(/^error {2}orders: could not write the policy "ecs-access" of role orders-task in \d{12}\n/);
		expect(told).toContain("AWS: AccessDenied, not authorized to perform iam:PutRolePolicy");
		expect(told).toContain("(request 5a4db0c5-");
		expect(told).toContain(`caller: arn:aws:sts::${account}:assumed-role/Admin/kim`);
		expect(told).toContain("what this command needs: iam:PutRolePolicy on role/ecs-access/*");
		expect(told).toContain("Applied 2 of 3 steps");
		expect(told).toContain("ecs-access plan");
		expect(await roleNames(iam)).toEqual(["orders-task"]);

		const get = await kim.run("get");
		expect(get.stdout).toMatch(/orders +default +False +failed: could not write/);
		const history = await kim.run("history", "orders");
		expect(history.stdout).toContain("failed iam:PutRolePolicy");
		await sandbox.clearFaults(account);
		await finishes(kim);
	});

	test("a throttling storm is waited out", async () => {
		const { account, kim } = await accountWith(sandbox, "orders", "billing");
		kim.write("policies/a.yaml", [policyText("orders"), policyText("billing")].join("---\n"));
		await sandbox.fault(account, { kind: "throttle", times: 12, probability: 0.6 });
		const { code } = await kim.run("apply", "--yes");
		expect(code).toBe(0);
		expect(await writes(sandbox, account)).toMatchObject({ "iam:CreateRole": expect.any(Number) });
		await finishes(kim);
	});

	test("an answer that is lost is looked for, and nothing is done twice", async () => {
		const { account, kim, iam } = await accountWith(sandbox, "orders");
		kim.write("policies/orders.yaml", policyText("orders"));
		await sandbox.fault(account, { kind: "lostAnswer", operation: "iam:CreateRole", times: 2 });
		await sandbox.fault(account, { kind: "lostAnswer", operation: "iam:PutRolePolicy", times: 2 });
		const { code, stdout } = await kim.run("apply", "--yes");
		expect([code, stdout]).toEqual([0, expect.stringContaining("Applied 2 steps")]);
		expect(await roleNames(iam)).toEqual(["orders-task"]);
		await finishes(kim);
	});

	test("an account that breaks down is told as such, and left where it is", async () => {
		const { account, kim } = await accountWith(sandbox, "orders");
		kim.write("policies/orders.yaml", policyText("orders"));
		await sandbox.fault(account, { kind: "serverError", writes: true });
		const { code, stdout } = await kim.run("apply", "--yes");
		expect([code, stdout]).toEqual([
			1,
			expect.stringMatching(/AWS: ServiceFailure[\s\S]*Not done[\s\S]*iam:PutRolePolicy orders-task[\s\S]*Applied 0 of 2 steps/),
		]);
		await sandbox.clearFaults(account);
		await finishes(kim);
	});
});

const WRITES = 5;

/** One role is made, another is changed. */
async function fiveWrites() {
	const world = await accountWith(sandbox, "orders", "search");
	const { account, kim } = world;
	const marks = {
		"ecs-access.dev/installation": "default",
		"ecs-access.dev/owner": "AccessPolicy/search",
		"ecs-access.dev/source": "directory",
		"ecs-access.dev/deletion": "orphan",
	};
	const trust = {
		Version: "2012-10-17",
		Statement: [
			{
				Effect: "Allow",
				Principal: { Service: "ecs-tasks.amazonaws.com" },
				Action: "sts:AssumeRole",
				Condition: {
					StringEquals: { "aws:SourceAccount": account },
					ArnLike: { "aws:SourceArn": `arn:aws:ecs:eu-west-1:${account}:*` },
				},
			},
		],
	};
	await sandbox.seed(account, { roles: [roleSeed("search-task", [], { path: "/ecs-access/", trust, tags: marks })] });
	const role = `managedPolicies: [${XRAY}]`;
	kim.write(
		"policies/a.yaml",
		[policyText("orders", { role }), policyText("search", { role: "tags: { team: search }" })].join("---\n"),
	);
	return world;
}

describe("a process that is killed", async () => {
	const undisturbed = (async () => {
		const { account, kim, iam } = await fiveWrites();
		expect((await kim.run("apply", "--yes")).code).toBe(0);
		const made = Object.values(await writes(sandbox, account)).reduce((a, b) => a + b, 0);
		return { made, end: JSON.stringify(await liveRoles(iam)).replaceAll(account, "ACCOUNT") };
	})();
	const positions = Array.from({ length: WRITES }, (_, n) => [
		{ after: n, when: "before" as const },
		{ after: n, when: "after" as const },
	]).flat();

	test("is killed at every write there is", async () => {
		expect((await undisturbed).made).toBe(WRITES);
	});

	test.concurrent.each(positions)(
		"$when write $after leaves what the next run finishes",
		{ timeout: 120_000 },
		async ({ after, when }) => {
			const { account, kim, iam } = await fiveWrites();
			const hold = await sandbox.hold(account, { writes: true, after, when });
			const running = kim.start("apply", "--yes");
			await hold.reached(AbortSignal.timeout(30_000));
			running.kill("SIGKILL");
			expect((await running.ended).code).toBeNull();
			await hold.drop();
			// What was still on its way has arrived by now, as it would have in a new process's first second.
			const before = Object.values(await writes(sandbox, account)).reduce((a, b) => a + b, 0);
			expect(before).toBeGreaterThan(after);

			await finishes(kim);
			expect(JSON.stringify(await liveRoles(iam)).replaceAll(account, "ACCOUNT")).toBe((await undisturbed).end);
			// What was meant stands in the history from before the kill; what it came to, from after it.
			const store = new DatabaseSync(join(kim.home, ".local/state/ecs-access/default/state.sqlite"), { readOnly: true });
			const events = store
				.prepare("SELECT body FROM history ORDER BY id")
				.all()
				.map((row) => JSON.parse(String(row.body)));
			const statuses = store
				.prepare("SELECT body FROM status")
				.all()
				.map((row) => JSON.parse(String(row.body)));
			store.close();
			expect(events.filter((e) => e.event === "intended").length).toBeGreaterThanOrEqual(WRITES);
			expect(statuses.map((s) => s.conditions.find((c: { type: string }) => c.type === "Ready")?.status)).toEqual([
				"True",
				"True",
			]);
		},
	);
});

describe("Ctrl-C", () => {
	test("finishes the write in flight, says what was done and what was not, ends with 130; the next run goes on", async () => {
		const { account, kim, iam } = await accountWith(sandbox, "orders");
		kim.write("policies/orders.yaml", policyText("orders", { role: `managedPolicies: [${XRAY}]` }));
		const hold = await sandbox.hold(account, { operation: "iam:AttachRolePolicy" });
		const running = kim.start("apply", "--yes");
		await hold.reached(AbortSignal.timeout(30_000));
		const asked = running.says("interrupted: finishing what is in flight");
		running.kill("SIGINT");
		await asked;
		await hold.release();
		const { code, stdout, stderr } = await running.ended;
		expect(code).toBe(130);
		expect(stderr).toContain("interrupted: finishing what is in flight");
		expect(stdout).toContain("Not done (interrupted):\n  orders: iam:PutRolePolicy orders-task");
		expect(stdout).toContain("Applied 2 of 3 steps");
		const role = (await liveRoles(iam))["orders-task"];
		expect([role?.attached, role?.inline]).toEqual([[XRAY], {}]);
		expect((await kim.run("get")).stdout).toMatch(/orders +default +False +interrupted, 1 steps? left/);
		await finishes(kim);
	});

	test("while AWS is read ends with 130, and nothing was written", async () => {
		const { account, kim } = await accountWith(sandbox, "orders");
		kim.write("policies/orders.yaml", policyText("orders"));
		const hold = await sandbox.hold(account, { operation: "iam:GetAccountAuthorizationDetails" });
		const running = kim.start("apply", "--yes");
		await hold.reached(AbortSignal.timeout(30_000));
		running.kill("SIGINT");
		expect((await running.ended).code).toBe(130);
		expect(await writes(sandbox, account)).toEqual({});
		await sandbox.clearFaults(account);
		await finishes(kim);
	});
});

describe("two writers at once", () => {
	test("are one: the second is told who writes, and is let in when that one is done", async () => {
		const { account, kim } = await accountWith(sandbox, "orders");
		kim.write("policies/orders.yaml", policyText("orders"));
		const hold = await sandbox.hold(account, { operation: "iam:CreateRole" });
		const first = kim.start("apply", "--yes");
		await hold.reached(AbortSignal.timeout(30_000));
		const second = await kim.run("apply", "--yes");
		expect(second.code).toBe(1);
		expect(second.stderr).toMatch(/another writer is at work: kim@.* \(ecs-access apply, pid \d+\), until \d{4}-/);
		expect(second.stderr).toContain("wait for it to end, then run apply again");
		await hold.release();
		expect((await first.ended).code).toBe(0);
		await finishes(kim);
		expect(await writes(sandbox, account)).toEqual({ "iam:CreateRole": 1, "iam:PutRolePolicy": 1 });
	});
});
