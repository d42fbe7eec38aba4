import { CreateRoleCommand, DeleteRoleCommand, DeleteRolePolicyCommand, PutRolePolicyCommand } from "@aws-sdk/client-iam";
import { describe, expect, test } from "vitest";
import { createAws } from "../../controller/aws/process.ts";
import { beginToRemember } from "../../controller/engine/budget-use.ts";
import type { Store } from "../../controller/model/ports.ts";
import type { HistoryEntry } from "../../controller/model/status.ts";
import { acquireLease, type Lease } from "../../controller/store/lease.ts";
import { openStore } from "../../controller/store/sqlite.ts";
import { iamOf, liveRoles } from "../e2e/live.ts";
import { createFastClock } from "../fast-clock.ts";
import { ecsTasksTrust } from "../sandbox/seed-data.ts";
import { createStoreTable } from "../sandbox/store-table.ts";
import { useSandbox } from "../sandbox/use.ts";
import { isWrite } from "../sandbox/wire.ts";
import { type ControllerWorld, createControllerWorld } from "./controller-world.ts";
import { documentOf, policy } from "./world.ts";

/** One fault a test, and what becomes of the controller in it and after it. */

const sandbox = useSandbox();
const READS = { statements: [{ actions: ["s3:GetObject"], resources: ["arn:aws:s3:::catalogue/*"] }] };
const READS_AND_LISTS = { statements: [{ actions: ["s3:GetObject", "s3:ListBucket"], resources: ["arn:aws:s3:::catalogue/*"] }] };
const ANYTHING = JSON.stringify({ Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: "*", Resource: "*" }] });
const XRAY = "arn:aws:iam::aws:policy/AWSXRayDaemonWriteAccess";

async function worldOf(...names: readonly string[]): Promise<ControllerWorld> {
	const world = createControllerWorld(sandbox);
	await world.services(...names);
	for (const name of names) world.write(`${name}.yaml`, policy(name, READS, { accountRef: "prod" }));
	return world;
}

async function whole(iam: ControllerWorld["iam"]): Promise<readonly string[]> {
	const roles = Object.values(await liveRoles(iam));
	return roles
		.filter((r) => "ecs-access" in r.inline)
		.map((r) => r.name)
		.sort();
}

async function inline(world: ControllerWorld, role: string): Promise<readonly string[]> {
	return Object.keys((await liveRoles(world.iam))[role]?.inline ?? {}).sort();
}

/** Writes to IAM that came to AWS. */
async function iamWrites(account: string): Promise<Readonly<Record<string, number>>> {
	const counts = Object.entries(await sandbox.counts(account));
	return Object.fromEntries(counts.filter(([o]) => o.startsWith("iam:") && isWrite(o)));
}

/** Oldest first. */
async function historyOf(store: Store, ...events: readonly HistoryEntry["event"][]): Promise<readonly HistoryEntry[]> {
	return (await store.history({ limit: 1000 })).filter((h) => events.includes(h.event)).reverse();
}

/** Looks again and again, as the timer does, until it is so. */
async function resyncUntil<T>(world: ControllerWorld, state: () => Promise<T>, wanted: T): Promise<void> {
	const look = async (): Promise<T> => {
		await world.resync();
		return state();
	};
	await expect.poll(look, { timeout: 30_000 }).toEqual(wanted);
}

describe("a storm of throttling in one account", () => {
	test("leaves the other account as quick as ever, and is caught up with when it is over", async () => {
		const world = await worldOf("orders");
		const stormy = world.withAccount("dev");
		await world.commit();
		await world.resync();
		await sandbox.fault(stormy, { kind: "throttle" });
		world.write("both.yaml", policy("search", READS, { accountRefs: ["prod", "dev"] }));
		const committed = world.commit();
		await expect.poll(() => whole(world.iam), { timeout: 20_000 }).toEqual(["orders-task", "search-task"]);
		await world.iam.send(new DeleteRolePolicyCommand({ RoleName: "search-task", PolicyName: "ecs-access" }));
		world.manager().hint({ type: "iam.role", account: world.account, name: "search-task" });
		await expect.poll(() => whole(world.iam), { timeout: 20_000 }).toEqual(["orders-task", "search-task"]);
		expect(await iamWrites(stormy)).toEqual({});
		await sandbox.clearFaults(stormy);
		await committed;
		const dev = iamOf(sandbox, stormy);
		await resyncUntil(world, () => whole(dev), ["search-task"]);
	});
});

describe("answers that are lost after the write", () => {
	test("in three of ten writes lead to the same end, and the history holds each step as applied once", async () => {
		const names = ["a", "b", "c", "d", "e", "f", "g", "h"];
		const world = await worldOf(...names);
		await sandbox.fault(world.account, { kind: "lostAnswer", writes: true, operation: "iam:*", probability: 0.3 });
		await world.commit();
		await resyncUntil(
			world,
			() => whole(world.iam),
			names.map((n) => `${n}-task`),
		);
		await sandbox.clearFaults(world.account);
		await world.resync();
		const applied = (await historyOf(world.store(), "applied")).map((h) => `${h.api} ${h.target?.name}`).sort();
		expect(applied).toEqual(names.flatMap((n) => [`iam:CreateRole ${n}-task`, `iam:PutRolePolicy ${n}-task`]).sort());
		await sandbox.resetCounts(world.account);
		await world.resync();
		expect(await iamWrites(world.account)).toEqual({});
	});
});

describe("credentials that expire in the middle of a pass", () => {
	test("stop their account between two writes and no other; renewed, it goes on with the next one", async () => {
		const world = await worldOf("orders", "billing");
		const other = world.withAccount("dev");
		world.write("dev.yaml", policy("search", READS, { accountRef: "dev" }));
		await sandbox.fault(world.account, { kind: "expiredToken", writes: true, operation: "iam:*", after: 1 });
		await world.commit();
		await world.resync();
		const dev = iamOf(sandbox, other);
		await resyncUntil(world, () => whole(dev), ["search-task"]);
		expect(await whole(world.iam)).toEqual([]);
		const made = Object.keys(await liveRoles(world.iam));
		expect(made).toHaveLength(1);
		const said = (await world.store().listStatus()).filter((s) => made.includes(`${s.key.slice("AccessPolicy/".length)}-task`));
		expect(said.map((s) => s.conditions.find((c) => c.type === "Stalled")?.message)).toEqual([expect.stringMatching(/expired/i)]);
		await sandbox.clearFaults(world.account);
		await sandbox.resetCounts(world.account);
		await resyncUntil(world, () => whole(world.iam), ["billing-task", "orders-task"]);
		// The one that was made before is not made again.
		expect(await iamWrites(world.account)).toEqual({ "iam:CreateRole": 1, "iam:PutRolePolicy": 2 });
	});
});

describe("a clock that jumps", () => {
	test("a day back between a grant and what it replaces does not make the controller wait for a day", async () => {
		const world = createControllerWorld(sandbox);
		await world.services("orders");
		world.write("orders.yaml", policy("orders", { managedPolicies: [XRAY] }, { accountRef: "prod" }));
		await world.commit();
		await world.resync();
		world.write("orders.yaml", policy("orders", READS, { accountRef: "prod" }));
		await sandbox.fault(world.account, { kind: "serverError", operation: "iam:DetachRolePolicy" });
		await world.commit();
		await world.resync();
		expect(await inline(world, "orders-task")).toEqual(["ecs-access"]);
		expect((await liveRoles(world.iam))["orders-task"]?.attached).toEqual([XRAY]);
		await sandbox.clearFaults(world.account);
		world.clock.ahead(-86_400);
		const attached = async () => (await liveRoles(world.iam))["orders-task"]?.attached;
		void world.resync();
		await expect.poll(attached, { timeout: 20_000 }).toEqual([]);
	});

	test("an hour ahead ends what ends within it, and an hour back brings nothing back that has left git", async () => {
		const world = await worldOf("orders");
		const until = new Date(world.clock.millis() + 3_600_000).toISOString().slice(0, 19);
		world.write(
			"incident.yaml",
			documentOf("AccessGrant", "incident", {
				policyRef: "orders",
				expiresAt: `${until}Z`,
				reason: "INC-1",
				statements: [{ actions: ["s3:ListBucket"], resources: ["arn:aws:s3:::catalogue"] }],
			}),
		);
		await world.commit();
		await world.resync();
		const granted = async () => JSON.stringify((await liveRoles(world.iam))["orders-task"]?.inline).includes("ListBucket");
		expect(await granted()).toBe(true);
		world.clock.ahead(3_600);
		await resyncUntil(world, granted, false);
		await sandbox.resetCounts(world.account);
		world.remove("incident.yaml");
		world.clock.ahead(-3_600);
		await world.commit();
		await world.resync();
		expect(await iamWrites(world.account)).toEqual({});
	});
});

describe("a git server that cannot be reached for an hour", () => {
	test("leaves the last good revision in force and healed, and the commits of that hour come in when it can", async () => {
		const world = await worldOf("orders");
		await world.commit();
		await world.resync();
		world.unreachable(true);
		world.write("orders.yaml", policy("orders", READS_AND_LISTS, { accountRef: "prod" }));
		await world.commit();
		for (let minutes = 0; minutes < 60; minutes += 10) {
			world.clock.ahead(600);
			await world.manager().poll(AbortSignal.timeout(10_000));
			await world.iam.send(new DeleteRolePolicyCommand({ RoleName: "orders-task", PolicyName: "ecs-access" }));
			await world.resync();
			expect(await inline(world, "orders-task")).toEqual(["ecs-access"]);
		}
		expect(world.manager().state()).toMatchObject({ sourceError: expect.stringContaining("cannot be reached"), refused: null });
		expect(JSON.stringify((await liveRoles(world.iam))["orders-task"]?.inline)).not.toContain("ListBucket");
		// A process that begins in that hour knows of nothing that is in force, and takes that for no order.
		await sandbox.resetCounts(world.account);
		world.restart();
		await world.manager().poll(AbortSignal.timeout(10_000));
		await world.resync();
		expect(world.manager().state().inForce).toBeNull();
		expect(await iamWrites(world.account)).toEqual({});
		world.unreachable(false);
		await world.manager().poll(AbortSignal.timeout(10_000));
		await world.resync();
		expect(JSON.stringify((await liveRoles(world.iam))["orders-task"]?.inline)).toContain("ListBucket");
	});
});

describe("a store that is a fresh one", () => {
	test("deletes no role for a day, and says until when; a hand's change is healed meanwhile", async () => {
		const world = await worldOf("orders");
		world.write(
			"left.yaml",
			documentOf("AccessPolicy", "left", {
				accountRef: "prod",
				workloads: [],
				taskRole: READS,
				management: { deletion: "Delete", retainFor: "1d" },
			}),
		);
		await world.commit();
		await world.resync();
		world.remove("left.yaml");
		await world.commit();
		await world.resync();
		world.clock.ahead(90_000);
		world.restart("lost");
		await world.commit();
		await world.resync();
		await world.iam.send(
			new PutRolePolicyCommand({ RoleName: "orders-task", PolicyName: "quick-fix", PolicyDocument: ANYTHING }),
		);
		await resyncUntil(world, () => inline(world, "orders-task"), ["ecs-access"]);
		expect(Object.keys(await liveRoles(world.iam)).sort()).toEqual(["left-task", "orders-task"]);
		expect((await world.store().getStatus("AccessPolicy/left"))?.summary).toContain("budget");
		world.clock.ahead(90_000);
		await resyncUntil(world, async () => Object.keys(await liveRoles(world.iam)), ["orders-task"]);
	});
});

describe("a store that takes nothing more between two writes", () => {
	test("stops the plan there: no write is made whose intent is not recorded, and what is left is done when it can be", async () => {
		const account = sandbox.newAccount();
		const memory = openStore({ path: ":memory:" });
		let [taken, most] = [0, 1];
		const store: Store = {
			...memory,
			append: async (entries) => {
				if (entries.some((e) => e.event === "intended") && ++taken > most) throw new Error("the store cannot be reached");
				await memory.append(entries);
			},
		};
		const world = createControllerWorld(sandbox, {}, 100, { account, store, clock: createFastClock(), fence: 1 });
		await world.services("orders");
		world.write("orders.yaml", policy("orders", { ...READS, managedPolicies: [XRAY] }, { accountRef: "prod" }));
		await world.commit();
		await world.resync();
		expect(await iamWrites(account)).toEqual({ "iam:CreateRole": 1 });
		expect((await historyOf(memory, "intended", "applied")).map((h) => `${h.event} ${h.api}`)).toEqual([
			"intended iam:CreateRole",
			"applied iam:CreateRole",
		]);
		most = Number.POSITIVE_INFINITY;
		await resyncUntil(world, () => inline(world, "orders-task"), ["ecs-access"]);
		expect(await iamWrites(account)).toEqual({ "iam:CreateRole": 1, "iam:AttachRolePolicy": 1, "iam:PutRolePolicy": 1 });
	});
});

describe("a principal that was made anew under its name", () => {
	test("is let in again: the id that its ARN became in a trust policy is drift, and is written anew", async () => {
		const world = createControllerWorld(sandbox);
		await world.services("orders");
		const caller = { RoleName: "caller", AssumeRolePolicyDocument: JSON.stringify(ecsTasksTrust) };
		await world.iam.send(new CreateRoleCommand(caller));
		const arn = `arn:aws:iam::${world.account}:role/caller`;
		const trust = { mode: "Generated", additional: [{ principals: { AWS: [arn] } }] };
		world.write("orders.yaml", policy("orders", { ...READS, trust }, { accountRef: "prod" }));
		await world.commit();
		await world.resync();
		const trusted = async () => JSON.stringify((await liveRoles(world.iam))["orders-task"]?.trust);
		expect(await trusted()).toContain(arn);
		await world.iam.send(new DeleteRoleCommand({ RoleName: "caller" }));
		await world.iam.send(new CreateRoleCommand(caller));
		expect(await trusted()).toMatch(/AROA/);
		expect(await trusted()).not.toContain(arn);
		await resyncUntil(world, async () => (await trusted()).includes(arn), true);
		const drifts = await historyOf(world.store(), "drifted");
		expect(drifts.map((d) => d.drift?.part)).toEqual(["trust policy"]);
	});

	test("that is still gone is told, and holds up no other role", async () => {
		const world = createControllerWorld(sandbox);
		await world.services("orders", "billing");
		await world.iam.send(new CreateRoleCommand({ RoleName: "caller", AssumeRolePolicyDocument: JSON.stringify(ecsTasksTrust) }));
		const trust = { mode: "Generated", additional: [{ principals: { AWS: [`arn:aws:iam::${world.account}:role/caller`] } }] };
		world.write("orders.yaml", policy("orders", { ...READS, trust }, { accountRef: "prod" }));
		world.write("billing.yaml", policy("billing", READS, { accountRef: "prod" }));
		await world.commit();
		await world.resync();
		await world.iam.send(new DeleteRoleCommand({ RoleName: "caller" }));
		await world.iam.send(new DeleteRolePolicyCommand({ RoleName: "billing-task", PolicyName: "ecs-access" }));
		await resyncUntil(world, () => inline(world, "billing-task"), ["ecs-access"]);
		await expect
			.poll(
				async () => {
					const status = await world.store().getStatus("AccessPolicy/orders");
					return status?.conditions.find((c) => c.type === "Stalled")?.message;
				},
				{ timeout: 20_000 },
			)
			.toMatch(/principal/i);
	});
});

describe("two controllers over one shared store", () => {
	test("are never two writers: one that stalls between two writes is succeeded, and writes nothing when it wakes", async () => {
		const account = sandbox.newAccount();
		Object.assign(process.env, sandbox.env(account));
		await createStoreTable(sandbox, account);
		const clock = createFastClock(60);
		const aws = createAws({
			clock,
			cacheDir: null,
			version: "0.0.0",
			reconcileId: "test",
			installation: () => "main",
			revision: () => "none",
		});
		const signal = AbortSignal.timeout(50_000);
		const store = await aws.openStore({ table: "ecs-access", region: null }, { make: true }, signal);
		if (store === null) throw new Error("not made");
		await beginToRemember(store, clock);
		const take = (holder: string) =>
			acquireLease(store, { name: "lease", holder, ttlSeconds: 180, callTimeoutSeconds: 60, watchSeconds: 45, clock }, signal);
		const replica = (lease: Lease, over: Store): ControllerWorld => {
			const world = createControllerWorld(sandbox, {}, 60, { account, store: over, clock, fence: lease.fence });
			world.lease = lease.remaining;
			for (const name of ["orders", "billing"]) world.write(`${name}.yaml`, policy(name, READS, { accountRef: "prod" }));
			return world;
		};

		const first = await take("first");
		if ("heldBy" in first) throw new Error(`held by ${first.heldBy}`);
		const [stalls, wakes] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
		let intents = 0;
		const sleepy: Store = {
			...store,
			append: async (entries) => {
				if (entries[0]?.event === "intended" && ++intents > 1) {
					stalls.resolve();
					await wakes.promise;
				}
				await store.append(entries);
			},
		};
		const one = replica(first, sleepy);
		await one.services("orders", "billing");
		await one.commit();
		const working = one.resync();
		await stalls.promise;
		expect(await take("second")).toMatchObject({ heldBy: "first" });
		await expect.poll(() => first.remaining(), { timeout: 20_000 }).toBe(0);
		const awaited = async (): Promise<Lease> => {
			for (;;) {
				const lease = await take("second");
				if (!("heldBy" in lease)) return lease;
				await clock.sleep(5_000, signal);
			}
		};
		const second = await awaited();
		expect(second.fence).toBeGreaterThan(first.fence);
		const two = replica(second, store);
		const renewing = setInterval(() => void second.renew(), 300);
		try {
			await two.commit();
			await resyncUntil(two, () => whole(two.iam), ["billing-task", "orders-task"]);
			await sandbox.resetCounts(account);
			wakes.resolve();
			await working;
			await one.resync();
			expect(await iamWrites(account)).toEqual({});
		} finally {
			clearInterval(renewing);
		}
		const failed = (await historyOf(store, "failed")).map((h) => [h.lease, h.outcome]);
		expect(failed).toContainEqual([first.fence, expect.stringContaining("the lease ends before this write could")]);
		const applied = await historyOf(store, "applied");
		const fences = applied.map((h) => h.lease ?? 0);
		expect(new Set(fences)).toEqual(new Set([first.fence, second.fence]));
		expect(fences).toEqual([...fences].sort((a, b) => a - b));
		expect(applied.map((h) => `${h.api} ${h.target?.name}`).sort()).toEqual([
			"iam:CreateRole billing-task",
			"iam:CreateRole orders-task",
			"iam:PutRolePolicy billing-task",
			"iam:PutRolePolicy orders-task",
		]);
		aws.close();
	});
});
