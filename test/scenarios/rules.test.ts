import { ECSClient, UpdateServiceCommand } from "@aws-sdk/client-ecs";
import { PutRolePolicyCommand } from "@aws-sdk/client-iam";
import { describe, expect, test } from "vitest";
import { seedDocument, taskDefinitionSeed } from "../sandbox/seed-data.ts";
import { useSandbox } from "../sandbox/use.ts";
import { allow, calls, createWorld, documentOf, failures, findingIds, planOf, policy, steps, type World } from "./world.ts";

const sandbox = useSandbox();
const ecs = (world: World): ECSClient => new ECSClient(sandbox.config(world.account));
const S3 = allow("s3:GetObject");

async function worldOf(...names: readonly string[]): Promise<World> {
	const world = createWorld(sandbox);
	await world.services(...names);
	return world;
}

function inSeconds(world: World, seconds: number): string {
	return `${new Date(world.clock.millis() + seconds * 1000).toISOString().slice(0, 19)}Z`;
}

async function inlineText(world: World, role: string): Promise<string> {
	return JSON.stringify((await world.roles())[role]?.inline);
}

function approve(world: World, name: string, approvalId: unknown): void {
	world.write(
		`platform/approvals/${name}.yaml`,
		documentOf("Approval", name, { approvalId, reason: "seen", expiresAt: "2030-01-01T00:00:00Z" }),
	);
}

describe("an end in time", () => {
	test("of a statement ends the access by itself, and the statement goes on the first pass after it", async () => {
		const world = await worldOf("orders");
		const end = inSeconds(world, 3600);
		const statements = [S3, { ...allow("sqs:SendMessage", "*"), expiresAt: end }];
		world.write("orders.yaml", policy("orders", { statements }));
		await world.apply();
		expect(await inlineText(world, "orders-task")).toContain(`"DateLessThan":{"aws:CurrentTime":"${end}"}`);
		world.clock.advance(3_601);
		const { file } = await world.apply();
		expect(steps(file)).toMatchObject([{ why: "expired", effect: "narrows", state: "ready" }]);
		expect(findingIds(file)).toContain("Expired");
		expect(await inlineText(world, "orders-task")).not.toContain("sqs:SendMessage");
		expect(calls(await world.plan())).toEqual([]);
	});

	test("of a grant is the same, and a grant that has not begun gives nothing", async () => {
		const world = await worldOf("orders");
		world.write("orders.yaml", policy("orders", { statements: [S3] }));
		const grant = (startsAt: string, expiresAt: string): void =>
			world.write(
				"grant.yaml",
				documentOf("AccessGrant", "incident", {
					policyRef: "orders",
					startsAt,
					expiresAt,
					reason: "incident 4711",
					statements: [allow("sqs:ReceiveMessage", "*")],
				}),
			);
		grant(inSeconds(world, 600), inSeconds(world, 7200));
		await world.apply();
		expect(await inlineText(world, "orders-task")).not.toContain("sqs:ReceiveMessage");
		world.clock.advance(601);
		expect(calls((await world.apply()).file)).toEqual(["iam:PutRolePolicy"]);
		expect(await inlineText(world, "orders-task")).toContain("sqs:ReceiveMessage");
		expect(calls(await world.plan())).toEqual([]);
		world.clock.advance(7200);
		const { file } = await world.apply();
		expect(steps(file)).toMatchObject([{ why: "expired", state: "ready" }]);
		expect(await inlineText(world, "orders-task")).not.toContain("sqs:ReceiveMessage");
		expect(calls(await world.plan())).toEqual([]);
	});

	test("goes on also where everything else of the policy is refused", async () => {
		const world = await worldOf("orders");
		const end = inSeconds(world, 3600);
		const temporary = { ...allow("sqs:SendMessage", "*"), expiresAt: end };
		world.write("orders.yaml", policy("orders", { statements: [S3, temporary] }));
		await world.apply();
		world.write(
			"platform/g.yaml",
			documentOf("Guardrail", "base", { enforcement: "Deny", rules: [{ id: "no-iam", denyActions: ["iam:*"] }] }),
		);
		world.write("orders.yaml", policy("orders", { statements: [S3, temporary, allow("iam:CreateUser", "*")] }));
		world.clock.advance(3_601);
		const { file } = await world.apply();
		expect(calls(file)).toEqual(["iam:PutRolePolicy", "iam:PutRolePolicy waits: guardrail"]);
		const text = await inlineText(world, "orders-task");
		expect([text.includes("sqs:SendMessage"), text.includes("iam:CreateUser"), text.includes("s3:GetObject")]).toEqual([
			false,
			false,
			true,
		]);
	});
});

describe("a guardrail", () => {
	const guardrail = (world: World, rules: readonly object[], more: object = {}): void =>
		world.write("platform/guardrails.yaml", documentOf("Guardrail", "base", { enforcement: "Deny", rules, ...more }));

	test("refuses what a policy asks for, whatever spells it, and an exception lets one policy through until its end", async () => {
		const world = await worldOf("orders", "billing");
		const rules = [{ id: "no-iam", denyActions: ["iam:*"] }];
		guardrail(world, rules);
		world.write("orders.yaml", policy("orders", { statements: [S3, { notActions: ["s3:*"], resources: ["*"] }] }));
		world.write("billing.yaml", policy("billing", { statements: [S3] }));
		const { file } = await world.apply();
		expect(planOf(file, "AccessPolicy/orders").steps.map((s) => s.state)).toEqual(
			expect.arrayContaining([
				expect.objectContaining({ waiting: "guardrail", detail: expect.stringContaining("guardrail base/no-iam") }),
			]),
		);
		const roles = await world.roles();
		expect([Object.keys(roles["orders-task"]?.inline ?? {}), Object.keys(roles["billing-task"]?.inline ?? {})]).toEqual([
			[],
			["ecs-access"],
		]);

		guardrail(world, rules, {
			exceptions: [{ policy: "orders", rule: "no-iam", reason: "gone in Q1", expiresAt: inSeconds(world, 3600) }],
		});
		await world.apply();
		expect(await inlineText(world, "orders-task")).toContain("NotAction");
		expect(calls(await world.plan())).toEqual([]);

		// After the exception's end what is there stays; what would broaden waits again.
		world.clock.advance(3_601);
		expect(calls(await world.plan())).toEqual([]);
		world.write(
			"orders.yaml",
			policy("orders", { statements: [S3, { notActions: ["s3:*"], resources: ["*"] }, allow("s3:PutObject")] }),
		);
		expect(calls((await world.apply()).file)).toEqual(["iam:PutRolePolicy waits: guardrail"]);
		world.write("orders.yaml", policy("orders", { statements: [S3] }));
		expect(calls((await world.apply()).file)).toEqual(["iam:PutRolePolicy"]);
	});

	test("that asks for approval has it by an Approval in git, for exactly what was shown", async () => {
		const world = await worldOf("orders");
		guardrail(world, [{ id: "ask", requireApprovalFor: ["broadens"] }]);
		world.write("orders.yaml", policy("orders", { statements: [S3] }));
		const { file } = await world.apply();
		expect(calls(file)).toContain("iam:PutRolePolicy waits: approval");
		expect(await inlineText(world, "orders-task")).not.toContain("s3:GetObject");
		const plan = planOf(file, "AccessPolicy/orders");
		const now = await world.plan();
		// That the rest was applied does not void it.
		expect(planOf(now, "AccessPolicy/orders").approvalId).toBe(plan.approvalId);
		approve(world, "orders-1", plan.approvalId);

		world.write("orders.yaml", policy("orders", { statements: [S3, allow("s3:PutObject")] }));
		expect(calls(await world.plan())).toEqual(["iam:PutRolePolicy waits: approval"]);
		world.write("orders.yaml", policy("orders", { statements: [S3] }));
		const { execution } = await world.apply();
		expect(failures(execution)).toEqual([]);
		expect(await inlineText(world, "orders-task")).toContain("s3:GetObject");
		expect(calls(await world.plan())).toEqual([]);
	});

	test("is heard before drift is healed in its favour: what heals broader waits, what heals narrower does not", async () => {
		const world = await worldOf("orders");
		world.write("orders.yaml", policy("orders", { statements: [S3] }));
		await world.apply();
		guardrail(world, [{ id: "ask", requireApprovalFor: ["broadens"] }]);
		const rogue = JSON.stringify(seedDocument({ Effect: "Allow", Action: "*", Resource: "*" }));
		await world.iam.send(new PutRolePolicyCommand({ RoleName: "orders-task", PolicyName: "quick-fix", PolicyDocument: rogue }));
		expect(calls((await world.apply()).file)).toEqual(["iam:DeleteRolePolicy"]);
		expect(calls(await world.plan())).toEqual([]);
	});
});

describe("a budget", () => {
	const NAMES = ["a", "b", "c", "d", "e", "f"] as const;
	const budgets = (world: World, spec: object): void =>
		world.write(
			"platform/installation.yaml",
			documentOf("Installation", "main", { budgets: { deletions: 2, narrowings: 2, percent: 100, ...spec } }),
		);

	async function six(management: object = {}): Promise<World> {
		const world = await worldOf(...NAMES);
		budgets(world, {});
		for (const n of NAMES) world.write(`${n}.yaml`, policy(n, { statements: [S3, allow("s3:PutObject")] }, { management }));
		expect(failures((await world.apply()).execution)).toEqual([]);
		return world;
	}

	test("bounds what --yes takes away in a day, over several runs, and says so", async () => {
		const world = await six();
		for (const n of NAMES) world.write(`${n}.yaml`, policy(n, { statements: [S3] }));
		const first = await world.apply({ shown: false });
		expect(first.execution.runs).toHaveLength(2);
		expect(calls(first.file).filter((c) => c.endsWith("waits: budget"))).toHaveLength(4);
		const again = await world.apply({ shown: false });
		expect(again.execution.runs).toHaveLength(0);
		expect(steps(again.file)[0]?.state).toMatchObject({ waiting: "budget", detail: expect.stringContaining("2 were used") });
		// The day goes by.
		world.clock.advance(24 * 3600 + 1);
		expect((await world.apply({ shown: false })).execution.runs).toHaveLength(2);
		// An Approval releases one of them; a person who has seen the plan, all.
		const left = await world.plan({ shown: false });
		const [waiting] = left.plans.filter((p) => p.approvalId !== null);
		approve(world, "one", waiting?.approvalId);
		expect((await world.apply({ shown: false })).execution.runs).toHaveLength(1);
		expect((await world.apply({ shown: true })).execution.runs).toHaveLength(1);
		expect(calls(await world.plan())).toEqual([]);
	});

	test("of deletions holds also for what a person has seen", async () => {
		const world = await six({ deletion: "Delete", retainFor: "1m" });
		// Nothing runs with them any more.
		for (const n of NAMES) {
			await world.seed({ taskDefinitions: [taskDefinitionSeed(n)] });
			await ecs(world).send(new UpdateServiceCommand({ cluster: "prod", service: n, taskDefinition: n }));
			world.files.delete(`${n}.yaml`);
		}
		await sandbox.tick(world.account, 600);
		expect(calls((await world.apply({ prune: true })).file)).toEqual(NAMES.map(() => "iam:TagRole"));
		world.clock.advance(61);
		const { file, execution } = await world.apply({ prune: true });
		expect(calls(file).filter((c) => c === "iam:DeleteRole")).toHaveLength(2);
		expect(calls(file).filter((c) => c === "iam:DeleteRole waits: budget")).toHaveLength(4);
		expect(failures(execution)).toEqual([]);
		expect(Object.keys(await world.roles())).toHaveLength(4);
		expect((await world.apply({ prune: true })).execution.runs).toHaveLength(0);
		world.clock.advance(24 * 3600 + 1);
		await world.apply({ prune: true });
		expect(Object.keys(await world.roles())).toHaveLength(2);
	});

	test("of deletions is not known to a store that is new, and waits for a day or an Approval", async () => {
		const world = await six({ deletion: "Delete", retainFor: "1m" });
		for (const n of NAMES) {
			await world.seed({ taskDefinitions: [taskDefinitionSeed(n)] });
			await ecs(world).send(new UpdateServiceCommand({ cluster: "prod", service: n, taskDefinition: n }));
			world.files.delete(`${n}.yaml`);
		}
		await sandbox.tick(world.account, 600);
		await world.apply({ prune: true });
		world.clock.advance(61);
		world.loseStore();
		const { file, execution } = await world.apply({ prune: true });
		expect(execution.runs).toHaveLength(0);
		expect(calls(file).filter((c) => c === "iam:DeleteRole waits: budget")).toHaveLength(6);
		expect(steps(file)[0]?.state).toMatchObject({
			detail: expect.stringContaining("deletions go on 24 h after the first apply"),
		});
		const tomorrow = new Date(world.clock.millis() + 86_400_000).toISOString().slice(0, 16);
		expect(steps(await world.plan({ prune: true }))[0]?.state).toMatchObject({
			detail: expect.stringContaining(`deletions go on at ${tomorrow}`),
		});
		const [waiting] = file.plans.filter((p) => p.approvalId !== null);
		approve(world, "one", waiting?.approvalId);
		await world.apply({ prune: true });
		expect(Object.keys(await world.roles())).toHaveLength(5);
		world.clock.advance(24 * 3600 + 1);
		await world.apply({ prune: true });
		expect(Object.keys(await world.roles())).toHaveLength(3);
	});
});
