import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { PutRolePolicyCommand, TagRoleCommand } from "@aws-sdk/client-iam";
import { describe, expect, test } from "vitest";
import type { Plan } from "../../controller/model/plan.ts";
import { planFileId } from "../../controller/plan/plan-file.ts";
import { useSandbox } from "../sandbox/use.ts";
import { commitAll, gitIn, initRepository } from "../unit/source/repository.ts";
import type { Person } from "./cli.ts";
import { roleNames } from "./live.ts";
import { accountWith, policyText, writes } from "./world.ts";

/** A saved plan is applied exactly, or refused with what moved. */

const sandbox = useSandbox();
const NOTHING = `sha256:${"0".repeat(64)}`;

interface Saved {
	readonly account: string;
	readonly kim: Person;
	readonly iam: Awaited<ReturnType<typeof accountWith>>["iam"];
	readonly edit: (change: (file: PlanJson) => void) => void;
}

/** As much of a plan file as these tests change. */
interface PlanJson {
	id: string;
	digest: string;
	kind: string;
	request: { path?: string; prune: boolean };
	accounts: { account: { accountId: string; name: string } }[];
	plans: { key: string; steps: { call: { api: string; input: Record<string, unknown> }; state: unknown }[] }[];
}

async function saved(): Promise<Saved> {
	const { account, kim, iam } = await accountWith(sandbox, "orders");
	kim.write("policies/orders.yaml", policyText("orders"));
	const { code, stdout } = await kim.run("plan", "--out", "plan.json");
	expect([code, stdout]).toEqual([2, expect.stringContaining("ecs-access apply plan.json")]);
	const edit: Saved["edit"] = (change) => {
		const file = JSON.parse(readFileSync(join(kim.cwd, "plan.json"), "utf8")) as PlanJson;
		change(file);
		kim.write("plan.json", JSON.stringify(file));
	};
	return { account, kim, iam, edit };
}

async function refused({ account, kim }: Pick<Saved, "account" | "kim">, said: string | RegExp): Promise<void> {
	const before = await writes(sandbox, account);
	const { code, stderr } = await kim.run("apply", "plan.json", "--yes");
	expect([code, stderr]).toEqual([1, expect.stringMatching(said)]);
	expect(await writes(sandbox, account)).toEqual(before);
}

test("what was saved is what is applied, without a question, and only once", async () => {
	const world = await saved();
	const { account, kim, iam } = world;
	const { code, stdout } = await kim.run("apply", "plan.json");
	expect([code, stdout]).toEqual([0, expect.stringContaining(`default ${account} (acme-prod)`)]);
	expect(stdout).toContain("Applied 2 steps");
	expect(await roleNames(iam)).toEqual(["orders-task"]);
	await refused(world, /plan\.json is refused[\s\S]*orders: orders-task/);
});

describe("a forged plan is refused, and nothing is written:", () => {
	test.each<readonly [string, (file: PlanJson) => void]>([
		[
			"another document in a step",
			(f) => {
				const put = f.plans[0]?.steps.find((s) => s.call.api === "iam:PutRolePolicy");
				if (put === undefined) throw new Error("no such step");
				put.call.input.PolicyDocument = { Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: "*", Resource: "*" }] };
			},
		],
		["a step left out", (f) => void f.plans[0]?.steps.pop()],
		["another id", (f) => void Object.assign(f, { id: NOTHING })],
		["another digest", (f) => void Object.assign(f, { digest: NOTHING })],
		["another resource", (f) => void Object.assign(f.plans[0] ?? {}, { key: "AccessPolicy/other" })],
		[
			"a step left out, and the id made to fit",
			(f) => {
				f.plans[0]?.steps.pop();
				Object.assign(f, { id: planFileId(f.plans as unknown as readonly Plan[]) });
			},
		],
	])("%s", async (_what, change) => {
		const world = await saved();
		world.edit(change);
		await refused(world, /^error {2}plan\.json is refused: it is not what would be planned now$/m);
		expect(await roleNames(world.iam)).toEqual([]);
	});

	test.each([
		["no JSON", "{", /cannot read plan\.json/],
		[
			"something else",
			'{"kind":"List"}',
			/plan\.json is not a saved plan of this version[\s\S]*ecs-access plan --out plan\.json/,
		],
	])("%s", async (_what, text, said) => {
		const world = await saved();
		world.kim.write("plan.json", text);
		await refused(world, said);
	});
});

describe("a plan of a world that moved is refused, with what moved:", () => {
	test("another account than it was made for", async () => {
		const { kim } = await saved();
		const other = await accountWith(sandbox, "orders");
		other.kim.write("policies/orders.yaml", policyText("orders"));
		other.kim.write("plan.json", readFileSync(join(kim.cwd, "plan.json"), "utf8"));
		await refused(other, /plan\.json is refused/);
		expect(await roleNames(other.iam)).toEqual([]);
	});

	test("the policies", async () => {
		const world = await saved();
		world.kim.write("policies/orders.yaml", policyText("orders", { actions: "s3:PutObject" }));
		await refused(world, /the policies have changed since/);
	});

	test("the role in AWS", async () => {
		const { account, kim, iam } = await saved();
		await kim.run("apply", "plan.json");
		kim.write("policies/orders.yaml", policyText("orders", { actions: "s3:PutObject" }));
		expect((await kim.run("plan", "--out", "plan.json")).code).toBe(2);
		const rogue = JSON.stringify({ Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: "*", Resource: "*" }] });
		await iam.send(new PutRolePolicyCommand({ RoleName: "orders-task", PolicyName: "quick-fix", PolicyDocument: rogue }));
		await refused({ account, kim }, /orders: orders-task: .*[\s\S]*plan again: ecs-access plan --out plan\.json/);
	});

	test("flags that contradict how it was asked for", async () => {
		const { kim } = await saved();
		const { code, stderr } = await kim.run("apply", "plan.json", "--prune");
		expect([code, stderr]).toEqual([1, expect.stringContaining("--prune and a saved plan contradict each other")]);
	});
});

test("what does not matter does not refuse it: another revision with the same policies, somebody's tag elsewhere", async () => {
	const { account, kim, iam } = await accountWith(sandbox, "orders");
	initRepository(kim.cwd);
	kim.write("policies/orders.yaml", policyText("orders"));
	commitAll(kim.cwd, "orders");
	expect((await kim.run("plan", "--out", "plan.json")).code).toBe(2);
	kim.write("README.md", "hello");
	gitIn(kim.cwd, "add", "README.md");
	gitIn(kim.cwd, "commit", "-q", "-m", "say hello");
	await sandbox.seed(account, { roles: [{ name: "elsewhere", trust: { Statement: [] } }] });
	await iam.send(new TagRoleCommand({ RoleName: "elsewhere", Tags: [{ Key: "a", Value: "b" }] }));
	const { code, stdout } = await kim.run("apply", "plan.json");
	expect([code, stdout]).toEqual([0, expect.stringContaining("Applied 2 steps")]);
	// History names the commit that was applied.
	const { stdout: history } = await kim.run("history", "orders");
	expect(history).toContain(`revision ${gitIn(kim.cwd, "rev-parse", "HEAD").slice(0, 7)}`);
});

test("what waits is saved as waiting: applying the file does what is ready and ends with 2", async () => {
	const { kim } = await accountWith(sandbox, "orders");
	kim.write("policies/a.yaml", [policyText("orders"), policyText("later", { spec: "suspend: true" })].join("---\n"));
	expect((await kim.run("plan", "--out", "plan.json")).code).toBe(2);
	const { code, stdout } = await kim.run("apply", "plan.json");
	expect(code).toBe(2);
	expect(stdout).toMatch(/Applied 2 steps .* wait.*: .*later \(suspended/);
});

test("a plan is written for its owner's eyes only", async () => {
	const { kim } = await saved();
	expect(statSync(join(kim.cwd, "plan.json")).mode & 0o077).toBe(0);
});
