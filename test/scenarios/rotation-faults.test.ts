import { DeleteServiceCommand, UpdateServiceCommand } from "@aws-sdk/client-ecs";
import { PutSecretValueCommand, TagResourceCommand } from "@aws-sdk/client-secrets-manager";
import { describe, expect, test } from "vitest";
import { useSandbox } from "../sandbox/use.ts";
import { createRotationWorld, type RotationWorld } from "./rotation-world.ts";
import { calls, steps } from "./world.ts";

const sandbox = useSandbox();

/** All is well: one value for all, made by us, and the one of before is kept. */
async function expectRotated(w: RotationWorld, services: readonly string[] = ["api", "web", "jobs"]): Promise<void> {
	const current = await w.version("AWSCURRENT");
	expect(current).toMatch(/^[0-9a-f]{64}$/);
	for (const name of services) expect(new Set(await w.held(name))).toEqual(new Set([current]));
	const labels = await w.labels();
	expect(Object.keys(labels).sort()).toEqual([await w.version("AWSPREVIOUS"), current].sort());
	expect((await w.value()).signingKey).not.toBe("old-value");
}

/** All is as it was, and the version that failed is known as such. */
async function expectBack(w: RotationWorld, services: readonly string[] = ["api", "web", "jobs"]): Promise<void> {
	const current = await w.version("AWSCURRENT");
	expect(await w.value()).toEqual({ signingKey: "old-value", other: "kept" });
	for (const name of services) expect(await w.held(name)).toEqual([current, current]);
	expect(await w.version("AWSPENDING")).toBeUndefined();
}

describe("killed", () => {
	/** Each pass of a world begins with nothing but its store; here that is lost too, and what the process remembered of AWS. */
	test("between any two steps, it is gone on with by whoever comes next, and nothing is done twice", async () => {
		const w = await createRotationWorld(sandbox);
		await w.ask();
		const asked = w.store();
		let looks = 0;
		const view = await w.go((v) => {
			looks += 1;
			// The ask is remembered by the intent once that is marked.
			if (v.phase !== "due") w.loseStore();
			w.forget();
			return v.phase === "waiting";
		});
		void asked;
		expect(view.phase).toBe("waiting");
		expect(looks).toBeGreaterThan(8);
		await expectRotated(w);
		const counts = await sandbox.counts(w.account);
		expect(counts["secretsmanager:PutSecretValue"]).toBe(1);
		expect(counts["ecs:UpdateService"]).toBe(3);
	});

	const writes = [
		"secretsmanager:TagResource",
		"secretsmanager:PutSecretValue",
		"secretsmanager:UpdateSecretVersionStage",
		"ecs:UpdateService",
	];

	test.each(writes)("while %s is under way: carried out and the answer lost, or not carried out", async (operation) => {
		for (const kind of ["lostAnswer", "reset"] as const) {
			const w = await createRotationWorld(sandbox, { services: ["api", "web"] });
			await w.ask();
			// Each in its turn: every second one of them fails once.
			for (let after = 0; after < 4; after++) await sandbox.fault(w.account, { kind, operation, after: after * 3, times: 2 });
			const view = await w.go((v) => v.phase === "waiting");
			await sandbox.clearFaults(w.account);
			expect(view.phase).toBe("waiting");
			await expectRotated(w, ["api", "web"]);
		}
	});
});

test("throttled throughout, it takes longer and ends well", async () => {
	const w = await createRotationWorld(sandbox, { services: ["api"] });
	await w.ask();
	await sandbox.fault(w.account, { kind: "throttle", probability: 0.2 });
	const view = await w.go((v) => v.phase === "waiting", 120);
	await sandbox.clearFaults(w.account);
	expect(view.phase).toBe("waiting");
	await expectRotated(w, ["api"]);
});

describe("a consumer that does not start with the new value", () => {
	const failing = (w: RotationWorld, name: string) =>
		sandbox.deployments(w.account, {
			fail: [{ taskDefinition: `${name}:*`, secret: { id: "signing", version: w.next } }],
		});

	test("the first one: labels back first, then the service, and the others never saw it", async () => {
		const w = await createRotationWorld(sandbox);
		await w.ask();
		await w.go((v) => v.phase === "pending");
		await failing(w, "api");
		const order: string[] = [];
		const view = await w.go((v) => {
			if (v.phase === "reverting") order.push(...v.lines.map((l) => l.words));
			return false;
		}, 120);
		expect(view.phase).toBe("failed");
		expect(view.failure).toContain("prod/api");
		await expectBack(w);
		expect(order[0]).toMatch(/^go back: prod\/api|^make the old version current again$/);
		expect(order.indexOf("make the old version current again")).toBeLessThan(order.indexOf("restart 2 tasks"));
		// Not tried again by itself, and never with that version.
		expect(calls(await w.plan())).toEqual([]);
		expect(Object.values(await w.labels()).flat()).toContain("ecs-access-failed");
		const tasks = await sandbox.tasks(w.account);
		const saw = new Set(tasks.filter((t) => t.secretVersions.some((v) => v.versionId === w.next)).map((t) => t.group));
		expect([...saw]).toEqual(["service:api"]);
	});

	test("the last one, where the roll is half done: all go back", async () => {
		const w = await createRotationWorld(sandbox);
		await w.ask();
		await w.go((v) => v.phase === "pending");
		await failing(w, "web");
		const view = await w.go(() => false, 120);
		expect(view.phase).toBe("failed");
		await expectBack(w);
		// Asked again, and mended: it goes through.
		await sandbox.deployments(w.account, { fail: [] });
		await w.pass(700);
		await w.ask("once more");
		expect((await w.go((v) => v.phase === "waiting")).phase).toBe("waiting");
		await expectRotatedAgain(w);
	});

	test("under a circuit breaker that rolls back", async () => {
		const w = await createRotationWorld(sandbox, { services: ["api", "web"] });
		for (const service of ["api", "web"])
			await w.ecs.send(
				new UpdateServiceCommand({
					cluster: "prod",
					service,
					deploymentConfiguration: { deploymentCircuitBreaker: { enable: true, rollback: true } },
				}),
			);
		await w.ask();
		await w.go((v) => v.phase === "pending");
		await failing(w, "api");
		const view = await w.go(() => false, 120);
		expect(view.phase).toBe("failed");
		await expectBack(w, ["api", "web"]);
	});

	test("where git says Stop, everything stands still and says why", async () => {
		const w = await createRotationWorld(sandbox, { services: ["api"], spec: { rollout: { onFailure: "Stop" } } });
		await w.ask();
		await w.go((v) => v.phase === "pending");
		await failing(w, "api");
		await expect(w.go(() => false, 30)).rejects.toThrow(/has not ended/);
		const [step] = steps(await w.plan());
		expect(step?.state).toMatchObject({ waiting: "failed", detail: expect.stringContaining("onFailure says Stop") });
		expect(await w.version("AWSCURRENT")).toBe(w.next);
		// Mended, it goes on by itself.
		await sandbox.deployments(w.account, { fail: [] });
		await w.pass(120);
		expect((await w.go((v) => v.phase === "waiting", 120)).phase).toBe("waiting");
	});

	async function expectRotatedAgain(w: RotationWorld): Promise<void> {
		const current = await w.version("AWSCURRENT");
		expect(current).toMatch(/^[0-9a-f]{64}$/);
		for (const name of ["api", "web", "jobs"]) expect(await w.held(name)).toEqual([current, current]);
	}
});

describe("somebody else in the middle", () => {
	test("puts a new current value before ours is: theirs stays, and the consumers are rolled to it", async () => {
		const w = await createRotationWorld(sandbox, { services: ["api"] });
		await w.ask();
		await w.go((v) => v.phase === "pending");
		await w.secrets.send(
			new PutSecretValueCommand({
				SecretId: "signing",
				SecretString: '{"signingKey":"by-hand","other":"kept"}',
				ClientRequestToken: "c".repeat(40),
			}),
		);
		const back = await w.go((v) => v.phase === "due" || v.phase === "idle" || v.phase === "failed");
		expect(back.phase === "due" || back.phase === "failed").toBe(true);
		const view = await w.go((v) => v.phase === "waiting" || v.phase === "idle", 120);
		expect(["waiting", "idle"]).toContain(view.phase);
		expect(await w.value()).toEqual({ signingKey: "by-hand", other: "kept" });
		await sandboxHolds(w, "api", "c".repeat(40));
	});

	test("moves the label away while the consumers are rolled: nothing of ours is put over it", async () => {
		const w = await createRotationWorld(sandbox);
		await w.ask();
		await w.go((v) => v.phase === "rolling");
		const theirs = "d".repeat(40);
		await w.secrets.send(
			new PutSecretValueCommand({
				SecretId: "signing",
				SecretString: '{"signingKey":"by-hand","other":"kept"}',
				ClientRequestToken: theirs,
			}),
		);
		const view = await w.go((v) => v.phase === "waiting", 150);
		expect(view.phase).toBe("waiting");
		expect(await w.version("AWSCURRENT")).toBe(theirs);
		for (const name of ["api", "web", "jobs"]) await sandboxHolds(w, name, theirs);
	});

	test("left a version as AWSPENDING: it is set aside under a label, its value kept", async () => {
		const w = await createRotationWorld(sandbox, { services: ["api"] });
		const stuck = "e".repeat(40);
		await w.secrets.send(
			new PutSecretValueCommand({
				SecretId: "signing",
				SecretString: "stuck",
				ClientRequestToken: stuck,
				VersionStages: ["AWSPENDING"],
			}),
		);
		await w.ask();
		expect((await w.go((v) => v.phase === "waiting")).phase).toBe("waiting");
		expect((await w.labels())[stuck]).toEqual(["ecs-access-set-aside"]);
	});

	test("rotates the same secret for another installation: one waits and names the other", async () => {
		const w = await createRotationWorld(sandbox, { services: ["api"] });
		await w.ask();
		await w.go((v) => v.phase === "pending");
		w.write("platform/installation.yaml", {
			apiVersion: "ecs-access.dev/v1alpha1",
			kind: "Installation",
			metadata: { name: "other" },
			spec: {},
		});
		const [step] = steps(await w.plan());
		expect(step?.state).toMatchObject({
			waiting: "not-owned",
			detail: expect.stringContaining("default/SecretRotation/signing"),
		});
	});

	test("deploys a consumer: its deployment is not stacked on, and brings the value by itself", async () => {
		const w = await createRotationWorld(sandbox, { services: ["api"] });
		await w.ask();
		await w.go((v) => v.phase === "promoted");
		await w.pass(30);
		await w.ecs.send(new UpdateServiceCommand({ cluster: "prod", service: "api", forceNewDeployment: true }));
		await sandbox.resetCounts(w.account);
		expect((await w.go((v) => v.phase === "waiting")).phase).toBe("waiting");
		expect((await sandbox.counts(w.account))["ecs:UpdateService"]).toBeUndefined();
		await expectRotated(w, ["api"]);
	});
});

test("an autoscaler starts tasks during the roll: they count by themselves", async () => {
	const w = await createRotationWorld(sandbox);
	await w.ask();
	let scaled = false;
	const view = await w.go((v) => v.phase === "waiting" || (!scaled && v.phase === "rolling"), 120);
	expect(view.phase).toBe("rolling");
	scaled = true;
	await w.ecs.send(new UpdateServiceCommand({ cluster: "prod", service: "web", desiredCount: 4 }));
	await w.pass(5);
	expect((await w.go((v) => v.phase === "waiting", 120)).phase).toBe("waiting");
	await expectRotated(w);
	expect(await w.held("web")).toHaveLength(4);
});

test("a consumer that is deleted on the way is waited for no more", async () => {
	const w = await createRotationWorld(sandbox);
	await w.ask();
	await w.go((v) => v.phase === "rolling");
	await w.ecs.send(new DeleteServiceCommand({ cluster: "prod", service: "web", force: true }));
	await w.pass(5);
	expect((await w.go((v) => v.phase === "waiting", 120)).phase).toBe("waiting");
	await expectRotated(w, ["api", "jobs"]);
});

test("a hold that a responder set on the secret stops it where it stands", async () => {
	const w = await createRotationWorld(sandbox, { services: ["api"] });
	await w.ask();
	await w.go((v) => v.phase === "begun");
	await w.secrets.send(
		new TagResourceCommand({ SecretId: "signing", Tags: [{ Key: "ecs-access.dev/hold-until", Value: "2099-01-01T00:00:00Z" }] }),
	);
	expect(calls(await w.plan())).toEqual(["secretsmanager:UpdateSecretVersionStage waits: hold"]);
});

async function sandboxHolds(w: RotationWorld, name: string, version: string): Promise<void> {
	expect(new Set(await w.held(name))).toEqual(new Set([version]));
}
