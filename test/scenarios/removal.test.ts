import {
	DeleteServiceCommand,
	DeregisterTaskDefinitionCommand,
	ECSClient,
	RegisterTaskDefinitionCommand,
	RunTaskCommand,
	StopTaskCommand,
	UpdateServiceCommand,
} from "@aws-sdk/client-ecs";
import { AttachRolePolicyCommand, PutRolePolicyCommand, TagRoleCommand, UntagRoleCommand } from "@aws-sdk/client-iam";
import { describe, expect, test } from "vitest";
import { roleSeed, seedDocument } from "../sandbox/seed-data.ts";
import { useSandbox } from "../sandbox/use.ts";
import { allow, calls, createWorld, documentOf, failures, planOf, policy, steps, type World } from "./world.ts";

const sandbox = useSandbox();
const ROLE = "orders-task";
const KEY = "AccessPolicy/orders";
const XRAY = "arn:aws:iam::aws:policy/AWSXRayDaemonWriteAccess";
const ecs = (world: World): ECSClient => new ECSClient(sandbox.config(world.account));

/** A role that ran for nobody, made by a policy that says Delete and is gone from git; another policy is still there. */
async function abandoned(management: object = { deletion: "Delete", retainFor: "1d" }): Promise<World> {
	const world = createWorld(sandbox);
	await world.services("other");
	world.write("other.yaml", policy("other", { statements: [allow("s3:GetObject")] }));
	world.write(
		"orders.yaml",
		documentOf("AccessPolicy", "orders", {
			workloads: [],
			taskRole: { statements: [allow("s3:GetObject")], managedPolicies: [XRAY] },
			management,
		}),
	);
	expect(failures((await world.apply()).execution)).toEqual([]);
	world.files.delete("orders.yaml");
	return world;
}

async function retired(): Promise<World> {
	const world = await abandoned();
	expect(calls((await world.apply({ prune: true })).file)).toEqual(["iam:TagRole"]);
	return world;
}

async function reasonOf(world: World): Promise<string> {
	const states = steps(await world.plan({ prune: true })).map((s) =>
		s.state === "ready" ? "ready" : `${s.state.waiting}: ${s.state.detail}`,
	);
	expect(new Set(states).size).toBeLessThanOrEqual(2);
	return states.find((s) => !s.includes("after a step that waits")) ?? "nothing";
}

describe("a role whose policy says Delete", () => {
	test("is marked first and deleted when its time is over, with all that hangs on it", async () => {
		const world = await retired();
		const marked = (await world.roles())[ROLE];
		expect(marked?.tags["ecs-access.dev/retired-at"]).toBe(world.clock.now());
		expect(marked?.attached).toEqual([XRAY]);
		expect(await world.store().getStatus(KEY)).toMatchObject({ summary: "retired", inventory: [{ target: { name: ROLE } }] });

		world.clock.advance(86_000);
		const waits = await world.apply({ prune: true });
		expect(new Set(calls(waits.file))).toEqual(
			new Set([
				"iam:DetachRolePolicy waits: retention",
				"iam:DeleteRolePolicy waits: retention",
				"iam:DeleteRole waits: retention",
			]),
		);
		expect(waits.execution.runs).toEqual([]);
		world.clock.advance(401);
		const { file, execution } = await world.apply({ prune: true });
		expect(failures(execution)).toEqual([]);
		expect(calls(file).at(-1)).toBe("iam:DeleteRole");
		expect(Object.keys(await world.roles())).toEqual(["other-task"]);
		expect(await world.store().getStatus(KEY)).toBeUndefined();
		expect(calls(await world.plan({ prune: true }))).toEqual([]);
	});

	test("comes back to life when its policy does, losing only the mark of its retirement", async () => {
		const world = await retired();
		const before = (await world.roles())[ROLE];
		world.write(
			"orders.yaml",
			documentOf("AccessPolicy", "orders", {
				workloads: [],
				taskRole: { statements: [allow("s3:GetObject")], managedPolicies: [XRAY] },
				management: { deletion: "Delete", retainFor: "1d" },
			}),
		);
		expect(calls((await world.apply({ prune: true })).file)).toEqual(["iam:UntagRole"]);
		const { "ecs-access.dev/retired-at": _, ...tags } = before?.tags ?? {};
		expect((await world.roles())[ROLE]).toEqual({ ...before, tags });
		expect(calls(await world.plan({ prune: true }))).toEqual([]);
	});

	test("waits for a person where a guardrail asks before deletions", async () => {
		const world = await retired();
		world.write(
			"platform/g.yaml",
			documentOf("Guardrail", "base", { enforcement: "Deny", rules: [{ id: "ask", requireApprovalFor: ["deletes"] }] }),
		);
		world.clock.advance(86_401);
		const { file, execution } = await world.apply({ prune: true });
		expect(calls(file)).toContain("iam:DeleteRole waits: approval");
		expect(execution.runs).toEqual([]);
		const { approvalId } = planOf(file, KEY);
		world.write(
			"platform/approvals/a.yaml",
			documentOf("Approval", "a", { approvalId, reason: "gone", expiresAt: "2030-01-01T00:00:00Z" }),
		);
		expect(failures((await world.apply({ prune: true })).execution)).toEqual([]);
		expect(Object.keys(await world.roles())).toEqual(["other-task"]);
	});

	test("waits while it is held, and while the one mark cannot be read as a time", async () => {
		const world = await retired();
		world.clock.advance(86_401);
		await world.iam.send(
			new TagRoleCommand({ RoleName: ROLE, Tags: [{ Key: "ecs-access.dev/hold-until", Value: "2030-01-01T00:00:00Z" }] }),
		);
		expect(await reasonOf(world)).toContain("hold: held until 2030-01-01T00:00:00Z");
		await world.iam.send(new UntagRoleCommand({ RoleName: ROLE, TagKeys: ["ecs-access.dev/hold-until"] }));
		await world.iam.send(
			new TagRoleCommand({ RoleName: ROLE, Tags: [{ Key: "ecs-access.dev/retired-at", Value: "yesterday" }] }),
		);
		expect(await reasonOf(world)).toContain("retention");
	});

	test("is not deleted when it was changed between plan and write", async () => {
		const world = await retired();
		world.clock.advance(86_401);
		const file = await world.plan({ prune: true });
		const RoleName = ROLE;
		await world.iam.send(
			new PutRolePolicyCommand({
				RoleName,
				PolicyName: "new",
				PolicyDocument: JSON.stringify(seedDocument({ Effect: "Deny", Action: "*", Resource: "*" })),
			}),
		);
		await world.iam.send(new AttachRolePolicyCommand({ RoleName, PolicyArn: "arn:aws:iam::aws:policy/ReadOnlyAccess" }));
		const before = await world.roles();
		const execution = await world.execute(file);
		expect(execution.runs.map((r) => r.error?.name)).toEqual(["ConflictError"]);
		expect(await world.roles()).toEqual(before);
	});
});

describe("a retired role in use", () => {
	const arn = (world: World): string => `arn:aws:iam::${world.account}:role/ecs-access/${ROLE}`;
	const container = { name: "app", image: "app:1", memory: 64 };

	test("is kept: by a service at rest, by the newest task definition, and goes when both are gone", async () => {
		const world = await retired();
		world.clock.advance(86_401);
		await world.services("orders");
		await ecs(world).send(new UpdateServiceCommand({ cluster: "prod", service: "orders", desiredCount: 0 }));
		await sandbox.tick(world.account, 1);
		expect(await reasonOf(world)).toContain(
			"in-use: role orders-task is in use by 2 users: service prod/orders, task family orders",
		);
		await ecs(world).send(new DeleteServiceCommand({ cluster: "prod", service: "orders", force: true }));
		expect(await reasonOf(world)).toContain("1 user: task family orders");
		await ecs(world).send(new DeregisterTaskDefinitionCommand({ taskDefinition: "orders:1" }));
		expect(await reasonOf(world)).toBe("ready");
	});

	test("is kept: by a running task, also where only an override names it", async () => {
		const world = await retired();
		world.clock.advance(86_401);
		await ecs(world).send(new RegisterTaskDefinitionCommand({ family: "batch", containerDefinitions: [container] }));
		const { tasks = [] } = await ecs(world).send(
			new RunTaskCommand({
				cluster: "prod",
				taskDefinition: "batch",
				launchType: "FARGATE",
				overrides: { taskRoleArn: arn(world) },
				networkConfiguration: { awsvpcConfiguration: { subnets: ["subnet-1"] } },
			}),
		);
		expect(tasks).toHaveLength(1);
		expect(await reasonOf(world)).toContain("in use by 1 user: running task prod/");
		await ecs(world).send(new StopTaskCommand({ cluster: "prod", task: tasks[0]?.taskArn ?? "" }));
	});

	test("is kept: by a schedule and by a rule that start tasks with it", async () => {
		const world = await retired();
		world.clock.advance(86_401);
		const cluster = `arn:aws:ecs:eu-west-1:${world.account}:cluster/prod`;
		const trusting = (Service: string): object => ({
			Version: "2012-10-17",
			Statement: [{ Effect: "Allow", Principal: { Service }, Action: "sts:AssumeRole" }],
		});
		await world.seed({
			roles: [roleSeed("scheduler", [], { trust: JSON.stringify(trusting("scheduler.amazonaws.com")) })],
			taskDefinitions: [
				{ family: "nightly", taskRoleArn: arn(world), containerDefinitions: [container] },
				{ family: "nightly", containerDefinitions: [container] },
			],
			schedules: [
				{
					name: "nightly",
					scheduleExpression: "rate(1 day)",
					target: {
						Arn: cluster,
						RoleArn: `arn:aws:iam::${world.account}:role/scheduler`,
						EcsParameters: { TaskDefinitionArn: `arn:aws:ecs:eu-west-1:${world.account}:task-definition/nightly:1` },
					},
				},
			],
		});
		expect(await reasonOf(world)).toMatch(/in use by 1 user: .*schedule .*nightly/);
	});

	test.each([
		"ecs:ListServices",
		"ecs:ListTasks",
		"scheduler:ListSchedules",
		"events:ListRules*",
		"ecs:ListTaskDefinitionFamilies",
	])("may be so where %s is denied, and is kept", async (operation) => {
		const world = await retired();
		world.clock.advance(86_401);
		await sandbox.fault(world.account, { kind: "denied", operation });
		await sandbox.fault(world.account, { kind: "denied", operation: operation.replace("ListRules", "ListRuleNamesByTarget") });
		const reason = await reasonOf(world);
		expect(reason).toMatch(/^in-use: could not see whether role orders-task is in use: .*AccessDenied/);
		expect((await world.apply({ prune: true })).execution.runs).toEqual([]);
	});
});

describe("absence from the source is no order to delete", () => {
	test.each([
		["without --prune", { prune: false }, "--prune was not given"],
		[
			"from another branch",
			{ prune: true, partial: "branch feature is checked out, not main" },
			"branch feature is checked out, not main",
		],
		["when only some policies were asked for", { prune: true, only: ["AccessPolicy/other"] }, null],
	])("%s", async (_when, options, reason) => {
		const world = await abandoned({});
		const { file, execution } = await world.apply(options);
		expect([calls(file), execution.runs, file.unpruned?.reason ?? null]).toEqual([[], [], reason]);
		expect((await world.roles())[ROLE]?.tags).toHaveProperty("ecs-access.dev/owner", KEY);
		// Nor is it forgotten.
		expect((await world.store().getStatus(KEY))?.inventory).toHaveLength(1);
	});

	test.each([
		["an emptied folder", []],
		["files that say nothing", ["# all gone\n", ""]],
	])("from %s", async (_what, files) => {
		const world = await abandoned({});
		world.files.clear();
		files.forEach((text, n) => void world.files.set(`${n}.yaml`, text));
		const { file, execution } = await world.apply({ prune: true });
		expect([calls(file), execution.runs]).toEqual([[], []]);
		expect(file.unpruned).toMatchObject({ count: 2, reason: expect.stringContaining("no") });
	});

	test("by another source, or another installation: their roles are not even looked at", async () => {
		const world = await abandoned({});
		await world.seed({
			roles: [
				roleSeed("theirs", [], {
					tags: {
						"ecs-access.dev/installation": "default",
						"ecs-access.dev/owner": "AccessPolicy/x",
						"ecs-access.dev/source": "github.com/acme/b",
					},
				}),
				roleSeed("others", [], {
					tags: {
						"ecs-access.dev/installation": "staging",
						"ecs-access.dev/owner": "AccessPolicy/y",
						"ecs-access.dev/source": "directory",
					},
				}),
			],
		});
		const { file } = await world.apply({ prune: true });
		expect(steps(file).map((s) => s.target.name)).toEqual([ROLE]);
	});
});
