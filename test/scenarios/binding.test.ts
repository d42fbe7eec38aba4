import {
	DescribeServicesCommand,
	DescribeTaskDefinitionCommand,
	ECSClient,
	ListTaskDefinitionsCommand,
	RegisterTaskDefinitionCommand,
	type Service,
	UpdateServiceCommand,
} from "@aws-sdk/client-ecs";
import { describe, expect, test } from "vitest";
import { useSandbox } from "../sandbox/use.ts";
import { allow, calls, createWorld, documentOf, failures, findingIds, planOf, policy, steps } from "./world.ts";

const sandbox = useSandbox();

/** In `environment` of every task definition here; must be seen nowhere. */
const PLAIN = "hunter2-in-the-clear";
const ENFORCE = { binding: "Enforce" };
const READS = { statements: [allow("s3:GetObject")] };

/** Service `prod/orders` runs `orders:1` with a role by hand; a policy wants its own role and enforces it. */
async function shop(spec: object = {}, desiredCount = 2) {
	const world = createWorld(sandbox);
	const { account } = world;
	const legacy = `arn:aws:iam::${account}:role/legacy`;
	await world.seed({
		roles: [
			{ name: "legacy", trust: trust() },
			{ name: "execution", trust: trust() },
		],
		clusters: [{ name: "prod" }],
		taskDefinitions: [
			{
				family: "orders",
				taskRoleArn: legacy,
				containerDefinitions: [
					{
						name: "app",
						image: "registry.acme.example/orders:1",
						environment: [
							{ name: "DB_PASSWORD", value: PLAIN },
							{ name: "MODE", value: "fast" },
						],
						secrets: [{ name: "OTHER", valueFrom: `arn:aws:secretsmanager:eu-west-1:${account}:secret:other-AbCdEf` }],
					},
				],
				tags: { team: "orders" },
			},
		],
		services: [{ cluster: "prod", name: "orders", taskDefinition: "orders", desiredCount }],
	});
	world.write("orders.yaml", policy("orders", READS, { ...ENFORCE, ...spec }));
	const ecs = new ECSClient({ ...sandbox.config(account), maxAttempts: 1 });
	const service = async (): Promise<Service> => {
		const answer = await ecs.send(new DescribeServicesCommand({ cluster: "prod", services: ["orders"] }));
		return answer.services?.[0] as Service;
	};
	const definition = async (name: string) =>
		await ecs.send(new DescribeTaskDefinitionCommand({ taskDefinition: name, include: ["TAGS"] }));
	return {
		...world,
		ecs,
		legacy,
		service,
		definition,
		runs: async () => (await service()).taskDefinition?.split("/")[1],
		revisions: async () =>
			(await ecs.send(new ListTaskDefinitionsCommand({ familyPrefix: "orders" }))).taskDefinitionArns?.length,
		/** The clocks of both: AWS's and the controller's. */
		pass: async (seconds: number) => {
			world.clock.advance(seconds);
			await sandbox.tick(account, seconds);
		},
		/** A pipeline registers a revision by what it has, and rolls the service to it. */
		deploy: async (taskRoleArn: string) => {
			const { taskDefinition } = await definition("orders:1");
			const { containerDefinitions } = taskDefinition ?? {};
			await ecs.send(
				new RegisterTaskDefinitionCommand({ family: "orders", taskRoleArn, containerDefinitions, cpu: "256", memory: "512" }),
			);
			await ecs.send(new UpdateServiceCommand({ cluster: "prod", service: "orders", taskDefinition: "orders" }));
			await sandbox.tick(account, 0.1);
		},
		circuit: (rollback: boolean) =>
			ecs.send(
				new UpdateServiceCommand({
					cluster: "prod",
					service: "orders",
					deploymentConfiguration: { deploymentCircuitBreaker: { enable: true, rollback } },
				}),
			),
		status: () => world.store().getStatus("AccessPolicy/orders"),
	};
}

function trust(): { readonly Version: string; readonly Statement: unknown } {
	return {
		Version: "2012-10-17",
		Statement: [{ Effect: "Allow", Principal: { Service: "ecs-tasks.amazonaws.com" }, Action: "sts:AssumeRole" }],
	};
}

async function readyIn(world: Awaited<ReturnType<typeof shop>>): Promise<string | undefined> {
	return (await world.status())?.conditions.find((c) => c.type === "Stalled" && c.status === "True")?.reason;
}

describe("binding: Enforce", () => {
	test("makes the role, binds it in a new revision of all that was there, and rolls the service", async () => {
		const w = await shop();
		const { file, execution } = await w.apply();
		expect(failures(execution)).toEqual([]);
		expect(calls(file)).toEqual(["iam:CreateRole", "iam:PutRolePolicy", "ecs:UpdateService"]);
		expect(findingIds(file)).not.toContain("BindingMismatch");
		const { taskDefinition, tags } = await w.definition("orders:2");
		const before = (await w.definition("orders:1")).taskDefinition;
		expect(taskDefinition?.taskRoleArn).toBe(`arn:aws:iam::${w.account}:role/ecs-access/orders-task`);
		expect(taskDefinition?.containerDefinitions).toEqual(before?.containerDefinitions);
		expect({ cpu: taskDefinition?.cpu, networkMode: taskDefinition?.networkMode }).toEqual({
			cpu: before?.cpu,
			networkMode: before?.networkMode,
		});
		expect(tags?.map((t) => t.key).sort()).toEqual(["ecs-access.dev/binding", "ecs-access.dev/binding-base", "team"]);
		expect(await w.runs()).toBe("orders:2");

		const during = await w.apply();
		expect(calls(during.file)).toEqual(["none waits: rollout"]);
		expect((await w.status())?.summary).toBe("waits: rollout");
		await w.pass(60);
		const after = await w.apply();
		expect(calls(after.file)).toEqual([]);
		expect((await w.status())?.summary).toBe("as git says");
	});

	test("injects the secrets that git says, and leaves the others", async () => {
		const secret = { container: "app", name: "DATABASE_URL", secret: "prod/orders/database", jsonKey: "url" };
		const w = await shop({ secrets: [secret] });
		await w.apply();
		const { taskDefinition } = await w.definition("orders:2");
		expect(taskDefinition?.containerDefinitions?.[0]?.secrets?.map((s) => s.name)).toEqual(["OTHER", "DATABASE_URL"]);
		await w.pass(60);
		expect(calls(await w.plan())).toEqual([]);
	});

	test("of a failed rollout that ECS takes back says so, stalls, and is not tried again until git or the base changes", async () => {
		const w = await shop();
		await w.circuit(true);
		await sandbox.deployments(w.account, { fail: [{ taskDefinition: "orders:2", reason: "CannotPullContainerError" }] });
		await w.apply();
		await w.pass(120);
		expect(await w.runs()).toBe("orders:1");
		for (const _ of [1, 2]) {
			const { file } = await w.apply();
			expect(calls(file)).toEqual(["none waits: failed"]);
			expect(findingIds(file)).toContain("BindingFailed");
			expect(await readyIn(w)).toBe("RolloutFailed");
		}
		// The disk is lost: AWS knows it still.
		w.loseStore();
		expect(calls(await w.plan())).toEqual(["none waits: failed"]);
		expect(await w.revisions()).toBe(2);
		await sandbox.deployments(w.account, { fail: [] });
		w.write("orders.yaml", policy("orders", READS, { ...ENFORCE, executionRole: { mode: "Unmanaged", name: "execution" } }));
		expect(calls((await w.apply()).file)).toEqual(["ecs:UpdateService"]);
		await w.pass(60);
		expect(await w.runs()).toBe("orders:3");
		expect(calls(await w.plan())).toEqual([]);
		expect(await readyIn(w)).toBeUndefined();
	});

	test("of a failed rollout that ECS leaves, takes the service back to what it ran", async () => {
		const w = await shop();
		await w.circuit(false);
		await sandbox.deployments(w.account, { fail: [{ taskDefinition: "orders:2" }] });
		await w.apply();
		await w.pass(120);
		const back = await w.apply();
		expect(calls(back.file)).toEqual(["ecs:UpdateService"]);
		expect(steps(back.file)[0]).toMatchObject({ why: "failed", effect: "narrows" });
		expect(planOf(back.file, "AccessPolicy/orders").summary).toBe("update");
		expect(findingIds(back.file)).toContain("BindingFailed");
		await w.pass(60);
		expect(await w.runs()).toBe("orders:1");
		expect((await w.service()).deployments).toHaveLength(1);
		expect(calls((await w.apply()).file)).toEqual(["none waits: failed"]);
	});

	test("without a circuit breaker, gives a rollout that does not end half an hour", async () => {
		const w = await shop();
		await sandbox.deployments(w.account, { fail: [{ taskDefinition: "orders:2" }] });
		await w.apply();
		await w.pass(20 * 60);
		expect(calls(await w.plan())).toEqual(["none waits: rollout"]);
		await w.pass(11 * 60);
		expect(calls((await w.apply()).file)).toEqual(["ecs:UpdateService"]);
		await w.pass(60);
		expect(await w.runs()).toBe("orders:1");
		expect(calls(await w.plan())).toEqual(["none waits: failed"]);
	});

	test("takes no deployment that stands at a hook for one that hangs", async () => {
		const w = await shop();
		const lifecycleHooks = [{ targetType: "PAUSE" as const, lifecycleStages: ["PRE_SCALE_UP" as const] }];
		await w.ecs.send(
			new UpdateServiceCommand({ cluster: "prod", service: "orders", deploymentConfiguration: { lifecycleHooks } }),
		);
		await w.apply();
		await w.pass(45 * 60);
		const [step] = steps((await w.apply()).file);
		expect(step?.state).toMatchObject({ waiting: "rollout", detail: expect.stringContaining("stands at a hook") });
		expect(await w.runs()).toBe("orders:2");
	});

	test("never puts a deployment on one that is under way", async () => {
		const w = await shop();
		await sandbox.deployments(w.account, { startSeconds: 1000 });
		await w.deploy(w.legacy);
		const { file } = await w.apply();
		expect(calls(file)).toEqual(["iam:CreateRole", "iam:PutRolePolicy", "none waits: rollout"]);
		expect(await w.runs()).toBe("orders:2");
		await w.pass(3000);
		expect(calls((await w.apply()).file)).toEqual(["ecs:UpdateService"]);
		expect(await w.runs()).toBe("orders:3");
	});

	test("refuses to update a service that has changed since the plan", async () => {
		const w = await shop();
		const file = await w.plan();
		await w.deploy(w.legacy);
		const execution = await w.execute(file);
		expect(failures(execution)).toEqual([expect.stringContaining("ecs:UpdateService: service prod/orders has changed")]);
		expect(await w.runs()).toBe("orders:2");
	});

	test("binds again what a pipeline has overwritten once, and stops at the second time, naming who", async () => {
		const w = await shop();
		await w.apply();
		await w.pass(60);
		await w.deploy(w.legacy);
		await w.pass(60);
		const again = await w.apply();
		expect(steps(again.file).map((s) => [s.call.api, s.why])).toEqual([["ecs:UpdateService", "drifted"]]);
		await w.pass(60);
		await w.deploy(w.legacy);
		await w.pass(60);
		const { file } = await w.apply();
		expect(calls(file)).toEqual(["none waits: contested"]);
		const finding = planOf(file, "AccessPolicy/orders").findings.find((f) => f.id === "BindingContested");
		expect(finding?.message).toContain("orders:5");
		expect(finding?.message).toContain(`arn:aws:sts::${w.account}:assumed-role/Admin/kim`);
		w.loseStore();
		expect(calls(await w.plan())).toEqual(["none waits: contested"]);
		// The pipeline registers what git says: peace.
		await w.deploy(`arn:aws:iam::${w.account}:role/ecs-access/orders-task`);
		await w.pass(60);
		expect(calls(await w.plan())).toEqual([]);
		await w.deploy(w.legacy);
		await w.pass(60);
		expect(calls(await w.plan())).toEqual(["ecs:UpdateService"]);
	});

	test("registers once, however the process ends between the two calls, or the answer is lost", async () => {
		for (const fault of [
			{ kind: "reset", operation: "ecs:UpdateService" },
			{ kind: "lostAnswer", operation: "ecs:RegisterTaskDefinition", times: 1 },
			{ kind: "lostAnswer", operation: "ecs:UpdateService", times: 2 },
		] as const) {
			const w = await shop();
			await sandbox.fault(w.account, fault);
			const { execution } = await w.apply();
			await sandbox.clearFaults(w.account);
			expect([failures(execution).length, await w.runs(), await w.revisions()], fault.kind).toEqual(
				fault.kind === "reset" ? [1, "orders:1", 2] : [0, "orders:2", 2],
			);
			await w.apply();
			expect(await w.revisions(), fault.kind).toBe(2);
			expect(await w.runs()).toBe("orders:2");
		}
	});

	test("shows a value of environment nowhere", async () => {
		const w = await shop();
		const { file } = await w.apply();
		await w.pass(60);
		await w.apply();
		const store = w.store();
		const kept = JSON.stringify([file, await store.listStatus(), await store.history({ limit: 100 })]);
		expect(kept).toContain("orders:1");
		expect(kept).not.toContain(PLAIN);
		expect(JSON.stringify((await w.definition("orders:2")).taskDefinition)).toContain(PLAIN);
	});

	test("registers a revision of a family, and starts nothing", async () => {
		const w = await shop();
		w.write("orders.yaml", policy("orders", READS, { ...ENFORCE, workloads: [{ taskFamilies: ["orders"] }] }));
		const { file, execution } = await w.apply();
		expect(failures(execution)).toEqual([]);
		expect(calls(file)).toEqual(["iam:CreateRole", "iam:PutRolePolicy", "ecs:RegisterTaskDefinition"]);
		expect(await w.runs()).toBe("orders:1");
		expect((await w.definition("orders")).taskDefinition?.revision).toBe(2);
		expect(calls(await w.plan())).toEqual([]);
	});

	test("only looks at what another owns, and says why", async () => {
		const w = await shop();
		await w.seed({
			services: [
				{ cluster: "prod", name: "deployed", taskDefinition: "orders", deploymentController: "CODE_DEPLOY" },
				{ cluster: "prod", name: "external", taskDefinition: "orders", deploymentController: "EXTERNAL" },
				{ cluster: "prod", name: "express", taskDefinition: "orders", resourceManagementType: "ECS" },
				{ cluster: "prod", name: "stacked", taskDefinition: "orders", tags: { "aws:cloudformation:stack-name": "shop" } },
			],
		});
		const names = ["deployed", "external", "express", "stacked"];
		w.write("orders.yaml", policy("orders", READS, { ...ENFORCE, workloads: [{ cluster: "prod", services: names }] }));
		const { file } = await w.apply();
		expect(calls(file)).toEqual(["iam:CreateRole", "iam:PutRolePolicy"]);
		const why = planOf(file, "AccessPolicy/orders").findings.filter((f) => f.id === "BindingNotEnforced");
		expect(why.map((f) => f.message)).toEqual([
			expect.stringContaining("CodeDeploy owns"),
			expect.stringContaining("external controller"),
			expect.stringContaining("Express service"),
			expect.stringContaining("stack shop"),
		]);
		expect(findingIds(file).filter((id) => id === "BindingMismatch")).toHaveLength(4);
	});

	test("waits for what its role waits for, and for a person where a guardrail asks", async () => {
		const w = await shop();
		w.write(
			"platform/rail.yaml",
			documentOf("Guardrail", "asks", { enforcement: "Deny", rules: [{ id: "ask", requireApprovalFor: ["broadens"] }] }),
		);
		expect(calls(await w.plan())).toEqual([
			"iam:CreateRole",
			"iam:PutRolePolicy waits: approval",
			"ecs:UpdateService waits: approval",
		]);
		const { approvalId } = planOf(await w.plan(), "AccessPolicy/orders");
		w.write("platform/approval.yaml", documentOf("Approval", "orders", { approvalId, reason: "reviewed" }));
		expect(calls((await w.apply()).file)).toEqual(["iam:CreateRole", "iam:PutRolePolicy", "ecs:UpdateService"]);
		expect(await w.runs()).toBe("orders:2");
	});

	test("reports what a pipeline has overwritten where drift is to be reported", async () => {
		const w = await shop({ management: { drift: "Report" } });
		await w.apply();
		await w.pass(60);
		await w.deploy(w.legacy);
		await w.pass(60);
		const file = await w.plan();
		expect(calls(file)).toEqual([]);
		expect(findingIds(file)).toContain("BindingMismatch");
	});

	test("leaves a suspended policy's service alone", async () => {
		const w = await shop({ suspend: true });
		expect(calls(await w.plan()).filter((c) => c.startsWith("ecs"))).toEqual(["ecs:UpdateService waits: suspended"]);
	});
});
