import { PutSecretValueCommand, RotateSecretCommand } from "@aws-sdk/client-secrets-manager";
import { describe, expect, test } from "vitest";
import { askRotation } from "../../controller/engine/rotation-asks.ts";
import { useSandbox } from "../sandbox/use.ts";
import { createRotationWorld, KEY, type RotationWorld } from "./rotation-world.ts";
import { calls, documentOf, findingIds, planOf, steps } from "./world.ts";

const sandbox = useSandbox();
const FUNCTION = "arn:aws:lambda:eu-west-1:123456789012:function:rotate";

async function withFunction(options: Parameters<typeof createRotationWorld>[1] = {}): Promise<RotationWorld> {
	const w = await createRotationWorld(sandbox, {
		services: ["api"],
		value: JSON.stringify({ username: "u", password: "old", host: "db" }),
		jsonKey: "password",
		spec: { strategy: { lambda: {} } },
		...options,
	});
	await w.secrets.send(
		new RotateSecretCommand({
			SecretId: "signing",
			RotationLambdaARN: FUNCTION,
			RotateImmediately: false,
			RotationRules: { AutomaticallyAfterDays: 90 },
		}),
	);
	// What was there before is rolled out first: nobody knows what the tasks hold.
	await w.go((v) => v.phase === "idle" || v.phase === "waiting", 80);
	await w.pass(86_400);
	await w.go((v) => v.phase === "idle", 80);
	return w;
}

describe("lambda: the secret's own function", () => {
	test("is asked, waited for, and the consumers follow", async () => {
		const w = await withFunction();
		await w.ask();
		expect((await w.go((v) => v.phase === "waiting", 80)).phase).toBe("waiting");
		expect(await w.version("AWSCURRENT")).toBe(w.next);
		expect(await w.held("api")).toEqual([w.next, w.next]);
	});

	test("that fails leaves everything as it is, and the stuck label is explained with the command that ends it", async () => {
		const w = await withFunction();
		const before = await w.version("AWSCURRENT");
		await sandbox.rotations(w.account, { outcome: "fail" });
		await w.ask();
		await w.go((v) => v.phase === "begun");
		await w.pass(16 * 60);
		const view = await w.go(() => false, 20);
		expect(view).toMatchObject({ phase: "failed", failure: expect.stringContaining("has not ended after 15 minutes") });
		expect(await w.version("AWSCURRENT")).toBe(before);
		const stuck = w.next;
		await w.pass(5 * 3_600);
		await w.ask("again");
		const [step] = steps(await w.plan());
		expect(step?.state).toMatchObject({
			waiting: "rollout",
			detail: expect.stringContaining("is AWSPENDING"),
			command: expect.stringContaining(`--remove-from-version-id ${stuck}`),
		});
	});

	test("whose rotation is abandoned by a value put by hand: the consumers follow the hand", async () => {
		const w = await withFunction();
		await sandbox.rotations(w.account, { seconds: 60 });
		await w.ask();
		await w.go((v) => v.phase === "begun");
		const theirs = "f".repeat(40);
		await w.secrets.send(
			new PutSecretValueCommand({
				SecretId: "signing",
				SecretString: '{"username":"u","password":"by-hand","host":"db"}',
				ClientRequestToken: theirs,
			}),
		);
		await w.go((v) => v.phase === "waiting" && v.id === theirs, 120);
		expect(await w.held("api")).toEqual([theirs, theirs]);
	});

	test("that is not there is said before anything begins", async () => {
		const w = await createRotationWorld(sandbox, { services: ["api"], spec: { strategy: { lambda: {} } } });
		await w.go((v) => v.phase === "idle" || v.phase === "waiting", 80);
		await w.pass(86_400);
		await w.go((v) => v.phase === "idle", 80);
		await w.ask();
		expect(steps(await w.plan())[0]?.state).toMatchObject({ waiting: "not-owned", detail: "it has no rotation function" });
	});
});

test("generate is refused for what looks like a database's secret", async () => {
	const w = await createRotationWorld(sandbox, {
		services: ["api"],
		value: JSON.stringify({ username: "u", signingKey: "x", host: "db" }),
	});
	await w.ask();
	await w.step();
	const { execution } = await w.step();
	expect(execution.runs[0]?.error).toMatchObject({ reason: "DatabaseSecret", fix: expect.stringContaining("strategy lambda") });
	expect(await w.version("AWSPENDING")).toBeUndefined();
});

test("external: a new version that somebody makes current rolls the consumers, and nobody is asked to make one", async () => {
	const w = await createRotationWorld(sandbox, { services: ["api", "web"], spec: { strategy: { external: {} } } });
	await w.go((v) => v.phase === "idle" || v.phase === "waiting", 80);
	await w.pass(86_400);
	await w.go((v) => v.phase === "idle", 80);
	const theirs = "a".repeat(40);
	await w.secrets.send(
		new PutSecretValueCommand({ SecretId: "signing", SecretString: '{"signingKey":"theirs"}', ClientRequestToken: theirs }),
	);
	expect((await w.go((v) => v.phase === "waiting", 80)).phase).toBe("waiting");
	for (const name of ["api", "web"]) expect(await w.held(name)).toEqual([theirs, theirs]);
});

describe("consumers", () => {
	test("that a restart does not help are told, and left alone", async () => {
		const w = await createRotationWorld(sandbox, {
			services: ["api", "pinned", "other", "self", "log"],
			injected: {
				pinned: { KEY: "SECRET:signingKey::11111111-2222-3333-4444-555555555555" },
				other: { KEY: "SECRET:other::" },
				self: { KEY: "SECRET:signingKey::" },
			},
			spec: {
				consumers: ["api", "pinned", "other", "log"]
					.map((service) => ({ cluster: "prod", service }))
					.concat([{ cluster: "prod", service: "self", refresh: "Self" } as never]),
			},
		});
		await w.ask();
		const plan = await w.plan();
		expect(w.view(plan).consumers.map((c) => [c.name, c.state, c.wave])).toEqual([
			["prod/api", "restart", 1],
			["prod/log", "restart", 2],
			["prod/other", "unaffected", null],
			["prod/pinned", "pinned", null],
			["prod/self", "self", null],
		]);
		expect(findingIds(plan)).toEqual(["RotationConsumer", "RotationConsumer"]);
		await sandbox.resetCounts(w.account);
		await w.go((v) => v.phase === "waiting");
		expect((await sandbox.counts(w.account))["ecs:UpdateService"]).toBe(2);
	});

	test("of two secrets that rotate together are restarted once for both", async () => {
		const w = await createRotationWorld(sandbox, {
			services: ["api"],
		});
		const second = `arn:aws:secretsmanager:eu-west-1:${w.account}:secret:second-AbCdEf`;
		await w.seed({
			secrets: [{ name: "second", suffix: "AbCdEf", value: '{"token":"old"}' }],
			taskDefinitions: [
				{
					family: "both",
					containerDefinitions: [
						{
							name: "app",
							image: "a:1",
							secrets: [
								{ name: "KEY", valueFrom: `${w.secret}:signingKey::` },
								{ name: "TOKEN", valueFrom: `${second}:token::` },
							],
						},
					],
				},
			],
			services: [{ cluster: "prod", name: "both", taskDefinition: "both", desiredCount: 2 }],
		});
		w.write(
			"second.yaml",
			documentOf("SecretRotation", "second", { secret: "second", strategy: { generate: { keys: ["token"] } } }),
		);
		await askRotation(w.store(), "SecretRotation/second", { at: w.clock.now(), by: "kim", reason: null });
		await w.ask();
		const ended = async (): Promise<boolean> => {
			const file = await w.plan();
			return ["signing", "second"].every((n) => planOf(file, `SecretRotation/${n}`).rotation?.phase === "waiting");
		};
		for (let n = 0; n < 60 && !(await ended()); n++) {
			await w.step();
			await w.pass(2);
		}
		expect(await ended()).toBe(true);
		const started = (await sandbox.tasks(w.account)).filter((t) => t.group === "service:both");
		// Two of before, and two with both new values.
		expect(started.length).toBe(4);
	});
});

describe("time", () => {
	test("a rotation that is due begins in its window, once, and the next is a period later", async () => {
		const w = await createRotationWorld(sandbox, {
			services: ["api"],
			spec: { schedule: { every: "1d", window: "daily 02:00-04:00 UTC" } },
		});
		expect(calls(await w.plan())).toEqual([]);
		// To a time at which it is due and its window is shut.
		const noon = Math.ceil((w.clock.millis() + 2 * 86_400_000) / 86_400_000) * 86_400_000 + 12 * 3_600_000;
		await w.pass((noon - w.clock.millis()) / 1000);
		expect(calls(await w.plan())).toEqual(["none waits: freeze"]);
		await w.pass(15.9 * 3_600);
		expect((await w.go((v) => v.phase === "waiting")).phase).toBe("waiting");
		const made = await w.version("AWSCURRENT");
		expect(made).toMatch(/^[0-9a-f]{64}$/);
		await w.pass(86_401);
		await w.go((v) => v.phase === "idle" || v.phase === "due");
		expect(await w.version("AWSCURRENT")).toBe(made);
	});

	test("what was asked for once is done once, whatever rotates after it", async () => {
		const w = await createRotationWorld(sandbox, { services: ["api"], spec: { schedule: { every: "3d" } } });
		await w.ask();
		await w.go((v) => v.phase === "waiting");
		const asked = w.next;
		expect(await w.version("AWSCURRENT")).toBe(asked);
		await w.pass(86_401);
		expect((await w.go()).phase).toBe("idle");
		// The next one is due, at most an hour of jitter later.
		await w.pass(2 * 86_400 + 3_600);
		await w.go((v) => v.phase === "waiting");
		const due = await w.version("AWSCURRENT");
		expect(due).not.toBe(asked);
		await w.pass(86_401);
		expect(await w.go()).toMatchObject({ phase: "idle", because: "" });
		expect(await w.version("AWSCURRENT")).toBe(due);
	});

	test("a freeze lets what has begun go on, and nothing begin", async () => {
		const w = await createRotationWorld(sandbox, { services: ["api"] });
		await w.ask();
		await w.go((v) => v.phase === "pending");
		const always = { kind: "Deny", cron: "* * * * *", duration: "1h" };
		w.write("platform/installation.yaml", documentOf("Installation", "default", { windows: [always] }));
		expect((await w.go((v) => v.phase === "waiting")).phase).toBe("waiting");
		await w.pass(86_400);
		await w.ask("again");
		await w.step();
		expect(calls(await w.plan())).toEqual(["secretsmanager:TagResource waits: freeze"]);
	});

	test("no more often than Secrets Manager allows", async () => {
		const w = await createRotationWorld(sandbox, { services: ["api"], spec: { retireAfter: "10m" } });
		await w.ask();
		await w.go((v) => v.phase === "waiting");
		await w.ask("at once again");
		await w.step();
		expect(steps(await w.plan())[0]?.state).toMatchObject({
			waiting: "budget",
			detail: expect.stringContaining("at most every 10 minutes"),
		});
		expect(planOf(await w.plan(), KEY).rotation?.phase).toBe("due");
	});
});
