import { CreateRoleCommand, DeleteRoleCommand, DeleteRolePolicyCommand, ListRolePoliciesCommand } from "@aws-sdk/client-iam";
import { describe, expect, test } from "vitest";
import { createWorkqueue } from "../../controller/engine/workqueue.ts";
import { liveRoles } from "../e2e/live.ts";
import { useSandbox } from "../sandbox/use.ts";
import { isWrite } from "../sandbox/wire.ts";
import { createFakeClock } from "../unit/engine/fake-clock.ts";
import { createControllerWorld } from "./controller-world.ts";
import { policy } from "./world.ts";

/** Faults that come in numbers, and what the controller makes of them. */

const sandbox = useSandbox();
const READS = { statements: [{ actions: ["s3:GetObject"], resources: ["arn:aws:s3:::catalogue/*"] }] };

async function fleet(names: readonly string[]) {
	const world = createControllerWorld(sandbox);
	await world.services(...names);
	for (const name of names) world.write(`${name}.yaml`, policy(name, READS, { accountRef: "prod" }));
	return world;
}
const whole = async (world: Awaited<ReturnType<typeof fleet>>): Promise<readonly string[]> =>
	Object.values(await liveRoles(world.iam))
		.filter((r) => "ecs-access" in r.inline)
		.map((r) => r.name)
		.sort();

describe("a controller", () => {
	test("converges though 30 % of the answers are lost after the write, and no step is done twice", async () => {
		const names = ["a", "b", "c", "d", "e", "f"];
		const world = await fleet(names);
		await sandbox.fault(world.account, { kind: "lostAnswer", writes: true, operation: "iam:*", probability: 0.3 });
		await world.commit();
		await expect
			.poll(
				async () => {
					await world.resync();
					return whole(world);
				},
				{ timeout: 40_000 },
			)
			.toEqual(names.map((n) => `${n}-task`));
		await sandbox.clearFaults(world.account);
		await sandbox.resetCounts(world.account);
		await world.resync();
		expect(Object.keys(await sandbox.counts(world.account)).filter(isWrite)).toEqual([]);
		for (const { name } of Object.values(await liveRoles(world.iam))) {
			const { PolicyNames } = await world.iam.send(new ListRolePoliciesCommand({ RoleName: name }));
			expect(PolicyNames).toEqual(["ecs-access"]);
		}
	});

	test("outlives a throttle storm in its account, and is done when it is over", async () => {
		const world = await fleet(["a", "b"]);
		await sandbox.fault(world.account, { kind: "throttle", times: 25 });
		await world.commit();
		await expect
			.poll(
				async () => {
					await world.resync();
					return whole(world);
				},
				{ timeout: 40_000 },
			)
			.toEqual(["a-task", "b-task"]);
	});

	test("stops in an account whose credentials expire in the middle, and goes on when they are renewed", async () => {
		const world = await fleet(["a"]);
		await sandbox.fault(world.account, { kind: "expiredToken", writes: true });
		await world.commit();
		await world.resync();
		expect(await whole(world)).toEqual([]);
		expect((await world.store().getStatus("AccessPolicy/a"))?.conditions.find((c) => c.type === "Ready")?.status).toBe("False");
		await sandbox.clearFaults(world.account);
		await expect
			.poll(
				async () => {
					await world.resync();
					return whole(world);
				},
				{ timeout: 20_000 },
			)
			.toEqual(["a-task"]);
	});

	test("takes a clock that jumps for what it is: nothing is written because of it", async () => {
		const world = await fleet(["a"]);
		await world.commit();
		await world.resync();
		await sandbox.resetCounts(world.account);
		for (const seconds of [3_600, -7_200, 86_400]) {
			world.clock.ahead(seconds);
			await world.resync();
		}
		expect(Object.keys(await sandbox.counts(world.account)).filter(isWrite)).toEqual([]);
	});

	test("makes a role again that somebody deleted and made anew under its name only when that is its own", async () => {
		const world = await fleet(["a"]);
		await world.commit();
		await world.resync();
		await world.iam.send(new DeleteRolePolicyCommand({ RoleName: "a-task", PolicyName: "ecs-access" }));
		await world.iam.send(new DeleteRoleCommand({ RoleName: "a-task" }));
		const trust = JSON.stringify({
			Version: "2012-10-17",
			Statement: [{ Effect: "Allow", Principal: { Service: "ecs-tasks.amazonaws.com" }, Action: "sts:AssumeRole" }],
		});
		await world.iam.send(new CreateRoleCommand({ RoleName: "a-task", Path: "/ecs-access/", AssumeRolePolicyDocument: trust }));
		await world.resync();
		expect(await whole(world)).toEqual([]);
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
});

test("5,000 events for 500 keys in a burst: every key is passed over after its last event, and none twice at once", async () => {
	const clock = createFakeClock();
	const running = new Set<string>();
	const passed = new Map<string, number>();
	const asked = new Map<string, number>();
	let twice = 0;
	const queue = createWorkqueue({
		pass: async (key) => {
			if (running.has(key)) twice += 1;
			running.add(key);
			const seen = asked.get(key) ?? 0;
			await new Promise((resolve) => setImmediate(resolve));
			passed.set(key, seen);
			running.delete(key);
			return { requeueAfterSeconds: null };
		},
		clock,
		random: () => 0.5,
		concurrency: 16,
		passTimeoutMs: 60_000,
	});
	for (let n = 1; n <= 5_000; n++) {
		const key = `AccessPolicy/s${(n * 7919) % 500}`;
		asked.set(key, n);
		queue.add(key, "event");
		if (n % 500 === 0) await new Promise((resolve) => setImmediate(resolve));
	}
	await queue.idle();
	expect(twice).toBe(0);
	expect(passed.size).toBe(500);
	expect([...passed].filter(([key, seen]) => seen !== asked.get(key))).toEqual([]);
	expect(queue.depth()).toEqual({ waiting: 0, running: 0, scheduled: 0 });
});
