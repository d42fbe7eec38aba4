import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { PutRolePolicyCommand } from "@aws-sdk/client-iam";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { roleSeed, taskDefinitionSeed } from "../sandbox/seed-data.ts";
import { useSandbox } from "../sandbox/use.ts";
import { liveRoles, roleNames } from "./live.ts";
import { accountWith, documentText, policyText, writes } from "./world.ts";

/** The verbs that write, as a person uses them: asked at a terminal, approved in git, handed over, looked at afterwards. */

const sandbox = useSandbox();

describe("apply at a terminal", () => {
	test("shows the plan, names the account last, and does nothing without a yes", async () => {
		const { account, kim, iam } = await accountWith(sandbox, "orders");
		kim.write("policies/orders.yaml", policyText("orders"));
		const no = await kim.answer(["apply", "--no-color"], "n");
		expect(no.code).toBe(2);
		expect(no.stdout).toContain("orders  will be created");
		expect(no.stdout).toMatch(new RegExp(`Apply 2 steps of plan [0-9a-f]{8} to default ${account} \\(acme-prod\\)\\? \\[y/N\\]`));
		expect(no.stdout).toContain("Nothing was applied.");
		expect(await roleNames(iam)).toEqual([]);

		const yes = await kim.answer(["apply", "--no-color"], "yes");
		expect([yes.code, yes.stdout]).toEqual([0, expect.stringContaining("Applied 2 steps")]);
		expect(await roleNames(iam)).toEqual(["orders-task"]);
		// Nothing to do: nothing is asked.
		const again = await kim.answer(["apply", "--no-color"], "yes");
		expect([again.code, again.stdout.includes("[y/N]")]).toEqual([0, false]);
	});

	test("looks again before it deletes: a role that came into use while the question stood is kept", async () => {
		const { account, kim, iam } = await accountWith(sandbox, "other");
		const tags = {
			"ecs-access.dev/installation": "default",
			"ecs-access.dev/owner": "AccessPolicy/orders",
			"ecs-access.dev/source": "directory",
			"ecs-access.dev/deletion": "delete:1d",
			"ecs-access.dev/retired-at": "2026-01-01T00:00:00Z",
		};
		await sandbox.seed(account, { roles: [roleSeed("orders-task", [], { tags })] });
		kim.write("policies/other.yaml", policyText("other"));
		// A state directory that is new lets nothing be deleted for a day, but by a person's word.
		const [, id = ""] = /ecs-access approve ([0-9a-f]{8})/.exec((await kim.run("plan", "--prune")).stdout) ?? [];
		expect((await kim.run("approve", id, "--prune", "--reason", "nobody uses it")).code).toBe(0);
		const taken = await kim.answer(["apply", "--prune", "--no-color"], "yes", async () => {
			const taskRoleArn = `arn:aws:iam::${account}:role/orders-task`;
			await sandbox.seed(account, { taskDefinitions: [taskDefinitionSeed("batch", { taskRoleArn })] });
		});
		expect([taken.code, taken.stdout]).toEqual([1, expect.stringMatching(/orders: orders-task: .*DeleteRole .*waits: in-use/)]);
		expect(await roleNames(iam)).toEqual(["orders-task"]);
		await sandbox.seed(account, { taskDefinitions: [taskDefinitionSeed("batch")] });
		expect((await kim.answer(["apply", "--prune"], "yes")).code).toBe(0);
		expect(await roleNames(iam)).toEqual(["other-task"]);
	});

	test("tells what moved in a role while the question stood, and leaves that role alone", async () => {
		const { kim, iam } = await accountWith(sandbox, "orders");
		kim.write("policies/orders.yaml", policyText("orders"));
		expect((await kim.run("apply", "--yes")).code).toBe(0);
		kim.write("policies/orders.yaml", policyText("orders", { actions: "s3:PutObject" }));
		const PolicyDocument = JSON.stringify({ Version: "2012-10-17", Statement: [{ Effect: "Deny", Action: "*", Resource: "*" }] });
		const { code, stdout } = await kim.answer(["apply", "--no-color"], "y", async () => {
			await iam.send(new PutRolePolicyCommand({ RoleName: "orders-task", PolicyName: "stop", PolicyDocument }));
		});
		expect([code, stdout]).toEqual([
			1,
			expect.stringMatching(/role .*orders-task has changed since it was planned \(inline policy "stop" added\)/),
		]);
		expect(JSON.stringify((await liveRoles(iam))["orders-task"]?.inline)).toContain("s3:GetObject");
	});

	test("without one is an error that says what to give", async () => {
		const { kim, iam } = await accountWith(sandbox, "orders");
		kim.write("policies/orders.yaml", policyText("orders"));
		const { code, stderr } = await kim.run("apply");
		expect([code, stderr]).toEqual([1, expect.stringMatching(/there is no terminal\n.*give --yes/)]);
		expect(await roleNames(iam)).toEqual([]);
	});
});

describe("approve", () => {
	test("writes the document that lets through exactly what waits", async () => {
		const { kim, iam } = await accountWith(sandbox, "orders");
		kim.write("policies/orders.yaml", policyText("orders"));
		kim.write(
			"policies/platform/g.yaml",
			documentText("Guardrail", "base", "{ enforcement: Deny, rules: [{ id: ask, requireApprovalFor: [broadens] }] }"),
		);
		const waits = await kim.run("apply", "--yes");
		expect(waits.code).toBe(2);
		const [, id = ""] = /ecs-access approve ([0-9a-f]{8}) --reason/.exec(waits.stdout) ?? [];
		expect(id).not.toBe("");
		expect((await kim.run("get")).stdout).toContain(`waits: approval ${id}`);

		expect((await kim.run("approve", id)).stderr).toContain("--reason");
		const unknown = await kim.run("approve", "00000000", "--reason", "x");
		expect([unknown.code, unknown.stderr]).toEqual([1, expect.stringContaining(`what waits: ${id} (AccessPolicy/orders)`)]);
		const done = await kim.run("approve", id, "--reason", "reviewed with security");
		expect([done.code, done.stdout]).toEqual([0, expect.stringContaining("policies/platform/approvals/orders-")]);
		const folder = join(kim.cwd, "policies/platform/approvals");
		const [file = ""] = readdirSync(folder);
		expect(parse(readFileSync(join(folder, file), "utf8"))).toMatchObject({
			kind: "Approval",
			spec: { approvalId: expect.stringMatching(new RegExp(`^sha256:${id}[0-9a-f]{56}$`)), reason: "reviewed with security" },
		});
		expect((await kim.run("validate", "--strict")).code).toBe(0);
		expect((await kim.run("apply", "--yes")).code).toBe(0);
		expect((await liveRoles(iam))["orders-task"]?.inline).toHaveProperty("ecs-access");
		expect((await kim.run("plan")).code).toBe(0);
	});
});

describe("forget", () => {
	test("takes our marks from the roles of a policy and nothing else, also when it is gone from git", async () => {
		const { account, kim, iam } = await accountWith(sandbox, "orders", "billing");
		kim.write("policies/a.yaml", [policyText("orders", { role: "tags: { team: orders }" }), policyText("billing")].join("---\n"));
		expect((await kim.run("apply", "--yes")).code).toBe(0);
		const before = (await liveRoles(iam))["orders-task"];
		kim.write("policies/a.yaml", policyText("billing"));
		const asked = await kim.run("forget", "AccessPolicy/orders");
		expect([asked.code, asked.stderr]).toEqual([1, expect.stringContaining("give --yes")]);
		expect((await kim.run("forget", "AccessPolicy/orders", "--yes")).code).toBe(0);
		expect((await liveRoles(iam))["orders-task"]).toEqual({ ...before, tags: { team: "orders" } });
		expect((await kim.run("plan", "--prune")).code).toBe(0);
		expect((await kim.run("get")).stdout).not.toContain("orders");
		const wrong = await kim.run("forget", "AccessPolicy/orders", "--yes");
		expect([wrong.code, wrong.stderr]).toEqual([1, expect.stringContaining("marked: AccessPolicy/billing")]);
		expect(await writes(sandbox, account)).toMatchObject({ "iam:UntagRole": 1 });
	});
});

describe("afterwards", () => {
	test("get, describe and history say what is, who did what, when, why, before and after", async () => {
		const { account, kim, iam } = await accountWith(sandbox, "orders");
		kim.write("policies/orders.yaml", policyText("orders"));
		expect((await kim.run("apply", "--yes")).code).toBe(0);
		const PolicyDocument = JSON.stringify({
			Version: "2012-10-17",
			Statement: [{ Effect: "Allow", Action: "*", Resource: "*" }],
		});
		await iam.send(new PutRolePolicyCommand({ RoleName: "orders-task", PolicyName: "quick-fix", PolicyDocument }));
		const plan = await kim.run("plan");
		expect(plan.stdout).toMatch(/! orders +has changed/);
		expect(plan.stdout).toMatch(/- inline policy "quick-fix"/);
		expect(plan.stdout).toMatch(/everything/);
		expect((await kim.run("apply", "--yes")).code).toBe(0);

		expect((await kim.run("get", "accesspolicies")).stdout).toMatch(/^orders +default +True +healed /m);
		const described = (await kim.run("describe", "orders")).stdout;
		expect(described).toMatch(/Drifted +False .*Healed/);
		expect(described).toMatch(/applied iam:DeleteRolePolicy on role orders-task \(drifted\)/);
		const history = (await kim.run("history", "AccessPolicy/orders")).stdout;
		expect(history).toContain(`by arn:aws:sts::${account}:assumed-role/Admin/kim`);
		expect(history).toMatch(/applied iam:DeleteRolePolicy on role orders-task \(drifted\)[\s\S]*- [\s\S]*"\*"/);
		expect(history).toMatch(/applied iam:CreateRole on role orders-task \(missing\)/);
		const entries = JSON.parse((await kim.run("history", "orders", "-o", "json", "--limit", "50")).stdout).items;
		expect(entries.map((e: { event: string; api: string }) => `${e.event} ${e.api}`)).toEqual([
			"applied iam:DeleteRolePolicy",
			"intended iam:DeleteRolePolicy",
			"drifted null",
			"applied iam:PutRolePolicy",
			"intended iam:PutRolePolicy",
			"applied iam:CreateRole",
			"intended iam:CreateRole",
		]);
		expect(history).toMatch(/drifted role orders-task( since [0-9: -]+ UTC)?: inline policy "quick-fix" was added/);
	});

	test("a lost state directory loses the history, and nothing else", async () => {
		const { kim } = await accountWith(sandbox, "orders");
		kim.write("policies/orders.yaml", policyText("orders"));
		expect((await kim.run("apply", "--yes")).code).toBe(0);
		expect((await kim.run("plan", "--state-dir", join(kim.home, "new"))).code).toBe(0);
		expect((await kim.run("apply", "--yes", "--state-dir", join(kim.home, "new"))).code).toBe(0);
		expect((await kim.run("get", "--state-dir", join(kim.home, "new"))).stdout).toMatch(/orders +default +True/);
	});
});

describe("several accounts", () => {
	const TRUST = { Version: "2012-10-17", Statement: [{ Effect: "Allow", Principal: { AWS: "*" }, Action: "sts:AssumeRole" }] };

	async function two() {
		const hub = await accountWith(sandbox, "orders");
		const spoke = await accountWith(sandbox, "orders");
		await sandbox.seed(spoke.account, { roles: [roleSeed("spoke", [], { trust: TRUST })] });
		const accounts = [
			documentText("Account", "dev", `{ accountId: "${hub.account}", region: eu-west-1 }`),
			documentText(
				"Account",
				"prod",
				`{ accountId: "${spoke.account}", region: eu-west-1, assumeRole: { roleArn: "arn:aws:iam::${spoke.account}:role/spoke" } }`,
			),
		];
		hub.kim.write("policies/platform/accounts.yaml", accounts.join("---\n"));
		hub.kim.write("policies/orders.yaml", policyText("orders", { spec: "accountRefs: [dev, prod]" }));
		return { hub, spoke, kim: hub.kim };
	}

	test("are written each by its own credentials, one instance an account", async () => {
		const { hub, spoke, kim } = await two();
		const { code, stdout } = await kim.run("apply", "--yes");
		expect([code, stdout]).toEqual([0, expect.stringContaining("Applied 4 steps")]);
		for (const { iam } of [hub, spoke]) expect(await roleNames(iam)).toContain("orders-task");
		const trust = JSON.stringify((await liveRoles(spoke.iam))["orders-task"]?.trust);
		expect([trust.includes(spoke.account), trust.includes(hub.account)]).toEqual([true, false]);
		expect((await kim.run("get", "-o", "name")).stdout).toBe("AccessPolicy/orders@dev\nAccessPolicy/orders@prod\n");
		expect((await kim.run("plan")).code).toBe(0);
		// Both leave git, both are given up, and both are forgotten.
		kim.write(
			"policies/orders.yaml",
			documentText("PermissionSet", "unused", '{ statements: [{ actions: [s3:GetObject], resources: ["*"] }] }'),
		);
		expect((await kim.run("apply", "--prune", "--yes")).code).toBe(0);
		for (const { iam } of [hub, spoke]) expect((await liveRoles(iam))["orders-task"]?.tags).toEqual({});
		expect((await kim.run("get", "-o", "name")).stdout).toBe("");
	});

	test("do not stop one another: one that cannot be read is told, the other is done, and the exit code is 1", async () => {
		const { hub, spoke, kim } = await two();
		await sandbox.fault(spoke.account, { kind: "denied", operation: "iam:GetAccountAuthorizationDetails" });
		await sandbox.fault(spoke.account, { kind: "denied", operation: "iam:GetRole" });
		const { code, stdout } = await kim.run("apply", "--yes");
		expect(code).toBe(1);
		expect(stdout).toContain("AccessDenied");
		expect(stdout).toContain("Applied 2 steps");
		expect(await roleNames(hub.iam)).toEqual(["orders-task"]);
		expect(await roleNames(spoke.iam)).toEqual(["spoke"]);
		await sandbox.clearFaults(spoke.account);
		expect((await kim.run("apply", "--yes")).code).toBe(0);
		expect(await roleNames(spoke.iam)).toEqual(["orders-task", "spoke"]);
	});

	test("that a role of another account was to be assumed in are refused before they are read", async () => {
		const { hub, spoke, kim } = await two();
		const other = sandbox.newAccount();
		const text = readFileSync(join(kim.cwd, "policies/platform/accounts.yaml"), "utf8");
		kim.write("policies/platform/accounts.yaml", text.replace(`accountId: "${spoke.account}"`, `accountId: "${other}"`));
		const { code, stdout, stderr } = await kim.run("apply", "--yes");
		expect(code).toBe(1);
		expect(stdout + stderr).toMatch(new RegExp(`${other}`));
		expect(await roleNames(spoke.iam)).toEqual(["spoke"]);
		expect(await writes(sandbox, other)).toEqual({});
		expect(hub.account).not.toBe(other);
	});
});
