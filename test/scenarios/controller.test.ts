import { CreateRoleCommand, DeleteRoleCommand, DeleteRolePolicyCommand, PutRolePolicyCommand } from "@aws-sdk/client-iam";
import { describe, expect, test } from "vitest";
import { liveRoles } from "../e2e/live.ts";
import { useSandbox } from "../sandbox/use.ts";
import { isWrite } from "../sandbox/wire.ts";
import { createControllerWorld } from "./controller-world.ts";
import { documentOf, policy } from "./world.ts";

const sandbox = useSandbox();
const READS = { statements: [{ actions: ["s3:GetObject"], resources: ["arn:aws:s3:::catalogue/*"] }] };
const READS_AND_LISTS = { statements: [{ actions: ["s3:GetObject", "s3:ListBucket"], resources: ["arn:aws:s3:::catalogue/*"] }] };
const ANYTHING = JSON.stringify({ Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: "*", Resource: "*" }] });

/** As long as the controller's passes need; a state is polled for, never a time. */
async function started(...names: readonly string[]) {
	const world = createControllerWorld(sandbox);
	await world.services(...names);
	for (const name of names) world.write(`${name}.yaml`, policy(name, READS, { accountRef: "prod" }));
	await world.commit();
	await world.resync();
	return world;
}

describe("a controller", () => {
	test("brings the first revision into force, and then plans nothing", async () => {
		const world = await started("orders", "billing");
		expect(Object.keys(await liveRoles(world.iam)).sort()).toEqual(["billing-task", "orders-task"]);
		await sandbox.resetCounts(world.account);
		await world.resync();
		expect(Object.keys(await sandbox.counts(world.account)).filter(isWrite)).toEqual([]);
		expect((await world.store().listStatus()).map((s) => [s.key, s.summary])).toEqual([
			["AccessPolicy/billing", "as git says"],
			["AccessPolicy/orders", "as git says"],
		]);
	});

	test("passes over what a commit changed, and over nothing else", async () => {
		const world = await started("orders", "billing");
		world.events.length = 0;
		world.write("orders.yaml", policy("orders", READS_AND_LISTS, { accountRef: "prod" }));
		await world.commit();
		expect(world.events.flatMap((e) => (e.type === "pass" ? [e.pass.key] : []))).toEqual(["AccessPolicy/orders"]);
		const role = (await liveRoles(world.iam))["orders-task"];
		expect(JSON.stringify(role?.inline)).toContain("s3:ListBucket");
	});

	test("heals what a hand changed when an event points at it, in at most ten calls", async () => {
		// By the machine's own clock: a read counts for a write for five seconds.
		const world = createControllerWorld(sandbox, {}, 1);
		await world.services("orders");
		world.write("orders.yaml", policy("orders", READS, { accountRef: "prod" }));
		await world.commit();
		await world.resync();
		await world.iam.send(
			new PutRolePolicyCommand({ RoleName: "orders-task", PolicyName: "quick-fix", PolicyDocument: ANYTHING }),
		);
		await sandbox.resetCounts(world.account);
		world.events.length = 0;
		world.manager().hint({ type: "iam.role", account: world.account, name: "orders-task" });
		await expect.poll(() => world.events.filter((e) => e.type === "applied" && e.pass.execution.runs.length > 0)).toHaveLength(1);
		await world.idle();
		const counts = await sandbox.counts(world.account);
		expect(counts).toMatchObject({ "iam:DeleteRolePolicy": 1 });
		expect(
			Object.values(counts).reduce((sum, n) => sum + n, 0),
			JSON.stringify(counts),
		).toBeLessThanOrEqual(10);
		expect(Object.keys((await liveRoles(world.iam))["orders-task"]?.inline ?? {})).toEqual(["ecs-access"]);
	});

	test("goes on with the last good revision when the next is not valid, and says why", async () => {
		const world = await started("orders");
		world.write("bad.yaml", "kind: [");
		world.write("orders.yaml", policy("orders", READS_AND_LISTS, { accountRef: "prod" }));
		await world.commit();
		expect(world.manager().state().refused).toMatchObject({ reason: "InvalidYaml" });
		await world.iam.send(new DeleteRolePolicyCommand({ RoleName: "orders-task", PolicyName: "ecs-access" }));
		await world.resync();
		expect(JSON.stringify((await liveRoles(world.iam))["orders-task"]?.inline)).not.toContain("ListBucket");
		expect(Object.keys((await liveRoles(world.iam))["orders-task"]?.inline ?? {})).toEqual(["ecs-access"]);
		world.remove("bad.yaml");
		await world.commit();
		expect(world.manager().state().refused).toBeNull();
		expect(JSON.stringify((await liveRoles(world.iam))["orders-task"]?.inline)).toContain("ListBucket");
	});

	test("stalls one bad document alone: the others go on, and nothing of it is removed", async () => {
		const world = await started("orders", "billing");
		world.write("orders.yaml", policy("orders", { statments: [] }, { accountRef: "prod" }));
		world.write("billing.yaml", policy("billing", READS_AND_LISTS, { accountRef: "prod" }));
		await world.commit();
		await world.resync();
		const roles = await liveRoles(world.iam);
		expect(roles["orders-task"]?.tags["ecs-access.dev/owner"]).toBe("AccessPolicy/orders");
		expect(JSON.stringify(roles["billing-task"]?.inline)).toContain("ListBucket");
		const status = await world.store().getStatus("AccessPolicy/orders");
		expect(status?.conditions.find((c) => c.type === "Stalled")).toMatchObject({ status: "True", reason: "InvalidDocument" });
		expect(status?.summary).toContain("statments");
	});

	test("takes a document that left git for an order, and gives its role up", async () => {
		const world = await started("orders", "billing");
		world.remove("orders.yaml");
		await world.commit();
		await world.resync();
		const roles = await liveRoles(world.iam);
		expect(Object.keys(roles["orders-task"]?.tags ?? {}).filter((k) => k.startsWith("ecs-access.dev/"))).toEqual([]);
		expect(roles["billing-task"]?.tags["ecs-access.dev/owner"]).toBe("AccessPolicy/billing");
		expect((await world.store().listStatus()).map((s) => s.key)).toEqual(["AccessPolicy/billing"]);
	});

	test("gives up the role that a policy had under another name, at once after a commit and else by the resync", async () => {
		const world = await started("orders", "billing");
		const ours = async (): Promise<readonly string[]> =>
			Object.values(await liveRoles(world.iam)).flatMap((r) => ("ecs-access.dev/owner" in r.tags ? [r.name] : []));
		world.write("orders.yaml", policy("orders", { ...READS, name: "orders-next" }, { accountRef: "prod" }));
		await world.commit();
		expect((await ours()).toSorted()).toEqual(["billing-task", "orders-next"]);
		// A process that did not see the commit: the resync finds the role, and its owner's pass gives it up.
		world.write("billing.yaml", policy("billing", { ...READS, name: "billing-next" }, { accountRef: "prod" }));
		await world.commit({ unseen: true });
		world.restart();
		await world.commit();
		await world.resync();
		await world.resync();
		expect((await ours()).toSorted()).toEqual(["billing-next", "orders-next"]);
		expect((await world.store().listStatus()).map((s) => [s.key, s.inventory.map((e) => e.target.name)])).toEqual([
			["AccessPolicy/billing", ["billing-next"]],
			["AccessPolicy/orders", ["orders-next"]],
		]);
	});

	test("never takes the loss of platform, or a rewritten history, for an order", async () => {
		const world = await started("orders");
		world.remove("orders.yaml");
		await world.commit({ rewritten: true });
		expect(world.manager().state().refused).toMatchObject({ reason: "NotDescendant" });
		world.remove("platform/prod.yaml");
		world.remove("platform/installation.yaml");
		await world.commit();
		expect(world.manager().state().refused).toMatchObject({ reason: "PlatformLost" });
		await world.resync();
		expect((await liveRoles(world.iam))["orders-task"]?.tags["ecs-access.dev/owner"]).toBe("AccessPolicy/orders");
	});

	test("goes on without its memory, and rewrites nothing", async () => {
		const world = await started("orders");
		await sandbox.resetCounts(world.account);
		world.restart("lost");
		await world.commit();
		await world.resync();
		expect(Object.keys(await sandbox.counts(world.account)).filter(isWrite)).toEqual([]);
		expect((await world.store().listStatus()).map((s) => s.summary)).toEqual(["as git says"]);
	});

	test("keeps what is in force while git cannot be reached, also after a restart", async () => {
		const world = await started("orders");
		world.unreachable(true);
		await world.iam.send(new DeleteRolePolicyCommand({ RoleName: "orders-task", PolicyName: "ecs-access" }));
		await world.manager().poll(AbortSignal.timeout(10_000));
		expect(world.manager().state().sourceError).toContain("cannot be reached");
		await world.resync();
		expect(Object.keys((await liveRoles(world.iam))["orders-task"]?.inline ?? {})).toEqual(["ecs-access"]);
		world.unreachable(false);
		await world.manager().poll(AbortSignal.timeout(10_000));
		expect(world.manager().state().sourceError).toBeNull();
	});

	test("in mode Observe plans, says so, and writes nothing", async () => {
		const world = createControllerWorld(sandbox, { mode: "Observe" });
		world.write("orders.yaml", policy("orders", READS, { accountRef: "prod" }));
		await world.commit();
		await world.resync();
		expect(await liveRoles(world.iam)).toEqual({});
		expect((await world.store().listStatus()).map((s) => s.summary)).toEqual(["waits: paused, binding"]);
	});

	test("lets one account's trouble slow no other", async () => {
		const world = await started("orders");
		const other = world.withAccount("dev");
		await sandbox.fault(other, { kind: "throttle" });
		world.write("both.yaml", policy("search", READS, { accountRefs: ["prod", "dev"] }));
		await world.commit();
		await expect.poll(async () => Object.keys(await liveRoles(world.iam)).sort()).toEqual(["orders-task", "search-task"]);
		await sandbox.clearFaults(other);
	});

	test("takes a clock that jumps for what it is: nothing is written because of it", async () => {
		const world = await started("a");
		await sandbox.resetCounts(world.account);
		for (const seconds of [3_600, -7_200, 86_400]) {
			world.clock.ahead(seconds);
			await world.resync();
		}
		expect(Object.keys(await sandbox.counts(world.account)).filter(isWrite)).toEqual([]);
	});

	test("leaves a role alone that somebody made anew under the name of its own", async () => {
		const world = await started("a");
		await world.iam.send(new DeleteRolePolicyCommand({ RoleName: "a-task", PolicyName: "ecs-access" }));
		await world.iam.send(new DeleteRoleCommand({ RoleName: "a-task" }));
		const trust = JSON.stringify({
			Version: "2012-10-17",
			Statement: [{ Effect: "Allow", Principal: { Service: "ecs-tasks.amazonaws.com" }, Action: "sts:AssumeRole" }],
		});
		await world.iam.send(new CreateRoleCommand({ RoleName: "a-task", Path: "/ecs-access/", AssumeRolePolicyDocument: trust }));
		await world.resync();
		expect((await liveRoles(world.iam))["a-task"]?.inline).toEqual({});
		expect((await world.store().getStatus("AccessPolicy/a"))?.summary).toContain("not ours");
	});

	test("lets one bad file among a thousand stall itself alone", async () => {
		const world = createControllerWorld(sandbox);
		for (let n = 0; n < 1_000; n++) {
			const name = `s${n}`;
			world.write(`${name}.yaml`, policy(name, n === 500 ? { statments: [] } : READS, { accountRef: "prod" }));
		}
		await world.commit();
		const { inForce, refused } = world.manager().state();
		expect(refused).toBeNull();
		expect([inForce?.asks.size, [...(inForce?.stalled.keys() ?? [])]]).toEqual([999, ["AccessPolicy/s500"]]);
	});

	test("refuses to act in an account whose id git does not say", async () => {
		const world = createControllerWorld(sandbox);
		world.remove("platform/prod.yaml");
		world.write("orders.yaml", policy("orders", READS));
		await world.commit();
		expect(world.manager().state().refused).toMatchObject({ reason: "AccountUndeclared" });
		expect(await liveRoles(world.iam)).toEqual({});
	});
});

test("documents of other kinds own nothing", async () => {
	const world = await started("orders");
	world.write(
		"set.yaml",
		documentOf("PermissionSet", "logs", { statements: [{ actions: ["logs:PutLogEvents"], resources: ["*"] }] }),
	);
	await world.commit();
	expect(world.manager().state().inForce?.asks.size).toBe(1);
});
