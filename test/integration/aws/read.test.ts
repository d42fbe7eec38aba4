import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { MARK } from "../../../controller/model/marks.ts";
import type { Existing, Target } from "../../../controller/model/target.ts";
import { accountOf } from "../../account.ts";
import { roleSeed, serviceSeed, taskDefinitionSeed } from "../../sandbox/seed-data.ts";
import { useSandbox } from "../../sandbox/use.ts";
import { isWrite } from "../../sandbox/wire.ts";
import { accessTo } from "./access.ts";

const sandbox = useSandbox();
const signal = AbortSignal.timeout(50_000);
const cacheDir = mkdtempSync(join(tmpdir(), "ecs-access-cache-"));
afterAll(() => rmSync(cacheDir, { recursive: true, force: true }));

const role = (account: string, name: string): Target<"iam.role"> => ({ type: "iam.role", account, region: "global", name });
const service = (account: string, name: string): Target<"ecs.service"> => ({
	type: "ecs.service",
	account,
	region: "eu-west-1",
	name,
});

/** `%7B` inside, which a second decoding would break, and every way of reading must give alike. */
const ODD = { Effect: "Allow", Action: ["s3:GetObject"], Resource: ["arn:aws:s3:::b/100%25/%7B"] } as const;

async function fleet(size: number): Promise<string> {
	const account = sandbox.newAccount();
	const names = Array.from({ length: size }, (_, n) => `svc-${n}`);
	await sandbox.seed(account, {
		alias: "acme",
		roles: names.flatMap((n) => [
			roleSeed(`${n}-task`, [ODD], {
				path: "/ecs-access/",
				tags: { [MARK.installation]: "main", [MARK.owner]: `AccessPolicy/${n}` },
			}),
			roleSeed(`${n}-exec`, [], { attached: ["arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"] }),
		]),
		clusters: [{ name: "prod" }],
		taskDefinitions: names.map((n) =>
			taskDefinitionSeed(n, {
				taskRoleArn: `arn:aws:iam::${account}:role/ecs-access/${n}-task`,
				executionRoleArn: `${n}-exec`,
				environment: { DB_PASSWORD: "hunter2-very-secret", LOG_LEVEL: "info" },
				secrets: { API_KEY: `arn:aws:secretsmanager:eu-west-1:${account}:secret:prod/${n}-AbCdEf` },
			}),
		),
		services: names.map((n) => serviceSeed("prod", n)),
	});
	return account;
}

describe("reading an account", () => {
	test("a single read and a sweep give the same states and fingerprints", async () => {
		const account = await fleet(12);
		const targets = Array.from({ length: 12 }, (_, n) => role(account, `svc-${n}-task`));
		const swept = await accessTo(sandbox, accountOf(account)).provider("iam.role").observe(targets, signal);
		const counts = await sandbox.counts(account);
		expect(counts["iam:GetAccountAuthorizationDetails"]).toBe(1);
		expect(counts["iam:GetRole"]).toBeUndefined();
		const single = await accessTo(sandbox, accountOf(account)).provider("iam.role").observe(targets.slice(0, 1), signal);
		expect((await sandbox.counts(account))["iam:GetAccountAuthorizationDetails"]).toBe(1);
		expect(single[0]).toEqual(swept[0]);
		const observed = single[0] as Existing<"iam.role">;
		expect(observed.state.inline.policy?.Statement).toEqual([ODD]);
		expect(observed.owner).toMatchObject({ installation: "main", owner: "AccessPolicy/svc-0" });
	});

	test("a role, service, cluster or family that does not exist is said not to exist", async () => {
		const account = await fleet(1);
		const access = accessTo(sandbox, accountOf(account));
		const [gone] = await access.provider("iam.role").observe([role(account, "nobody")], signal);
		expect(gone?.exists).toBe(false);
		const services = ["prod/none", "nowhere/none", "prod/svc-0"].map((n) => service(account, n));
		const observed = await access.provider("ecs.service").observe(services, signal);
		expect(observed.map((o) => o.exists)).toEqual([false, false, true]);
		const families = await access
			.provider("ecs.family")
			.observe([{ type: "ecs.family", account, region: "eu-west-1", name: "none" }], signal);
		expect(families.map((o) => o.exists)).toEqual([false]);
	});

	test("a service shows its binding, with short role names resolved, and its plain-text secrets without their values", async () => {
		const account = await fleet(1);
		const [observed] = await accessTo(sandbox, accountOf(account))
			.provider("ecs.service")
			.observe([service(account, "prod/svc-0")], signal);
		expect(observed).toMatchObject({
			exists: true,
			state: {
				taskRole: `arn:aws:iam::${account}:role/ecs-access/svc-0-task`,
				executionRole: `arn:aws:iam::${account}:role/svc-0-exec`,
				secrets: { "svc-0/API_KEY": `arn:aws:secretsmanager:eu-west-1:${account}:secret:prod/svc-0-AbCdEf` },
				plaintext: [{ container: "svc-0", name: "DB_PASSWORD", rule: "name" }],
				controller: "ECS",
				express: false,
			},
		});
		expect(JSON.stringify(observed)).not.toContain("hunter2");
	});

	test("task definitions are read once, are no more asked for once cached, and a broken cache costs only calls", async () => {
		const account = await fleet(25);
		const targets = Array.from({ length: 25 }, (_, n) => service(account, `prod/svc-${n}`));
		const look = () => accessTo(sandbox, accountOf(account), { cacheDir }).provider("ecs.service").observe(targets, signal);
		const first = await look();
		expect((await sandbox.counts(account))["ecs:DescribeTaskDefinition"]).toBe(25);
		await sandbox.resetCounts(account);
		expect(await look()).toEqual(first);
		const counts = await sandbox.counts(account);
		expect(counts["ecs:DescribeTaskDefinition"]).toBeUndefined();
		expect(counts["ecs:DescribeServices"]).toBe(3);
		const folder = join(cacheDir, "task-definitions");
		const files = readdirSync(folder).map((f) => join(folder, f));
		for (const file of files) {
			expect(readFileSync(file, "utf8")).not.toContain("hunter2");
			appendFileSync(file, '["arn:x",{"version":1}]\n["torn');
		}
		expect(await look()).toEqual(first);
	});

	test("nothing that reads ever writes", async () => {
		const account = await fleet(3);
		await sandbox.resetCounts(account);
		const access = accessTo(sandbox, accountOf(account));
		await access.caller(signal);
		for await (const _ of access.provider("iam.role").listOwned("main", signal));
		await access.resolve(
			[
				{ type: "iam.role", account, name: "svc-0-exec" },
				{ type: "iam.managedPolicy", account, arn: "arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy" },
				{ type: "passers", account, regions: ["eu-west-1"], deployers: [`arn:aws:iam::${account}:role/svc-1-task`] },
			],
			signal,
		);
		await access.inUse("svc-0-task", signal);
		await access.discover({ clusters: [], services: [] }, signal);
		const counts = await sandbox.counts(account);
		expect(Object.keys(counts).filter(isWrite)).toEqual([]);
		// What we count is what went over the wire.
		expect(access.counts().calls).toBe(Object.values(counts).reduce((a, b) => a + b, 0));
	});
});

describe("reading while AWS has trouble", () => {
	test("goes on through throttling, broken connections and server errors", async () => {
		const account = await fleet(30);
		for (const kind of ["throttle", "serverError", "unavailable", "reset"] as const) {
			await sandbox.fault(account, { kind, probability: 0.15, times: 12 });
		}
		const access = accessTo(sandbox, accountOf(account));
		const observed = await access.provider("ecs.service").observe(
			Array.from({ length: 30 }, (_, n) => service(account, `prod/svc-${n}`)),
			signal,
		);
		expect(observed.filter((o) => o.exists && o.unreadable === undefined)).toHaveLength(30);
	});

	test("reads roles singly where all of them may not be read at once", async () => {
		const account = await fleet(12);
		await sandbox.fault(account, { kind: "denied", operation: "iam:GetAccountAuthorizationDetails" });
		const provider = accessTo(sandbox, accountOf(account)).provider("iam.role");
		const observed = await provider.observe(
			Array.from({ length: 12 }, (_, n) => role(account, `svc-${n}-task`)),
			signal,
		);
		expect(observed.every((o) => o.exists)).toBe(true);
		const listing = async () => {
			for await (const _ of provider.listOwned("main", signal));
		};
		await expect(listing()).rejects.toMatchObject({ reason: "AccessDenied" });
	});

	test("shows how far it is", async () => {
		const account = await fleet(12);
		const seen: string[] = [];
		const access = accessTo(sandbox, accountOf(account), { progress: (p) => seen.push(`${p.reading} ${p.done}`) });
		await access.provider("iam.role").observe(
			Array.from({ length: 12 }, (_, n) => role(account, `svc-${n}-task`)),
			signal,
		);
		await access.provider("ecs.service").observe([service(account, "prod/svc-0")], signal);
		expect(seen).toEqual(["roles 24", "services 1"]);
	});
});

describe("who we are", () => {
	test("the caller has the account's id, alias and partition", async () => {
		const account = await fleet(1);
		expect(await accessTo(sandbox, accountOf(account)).caller(signal)).toMatchObject({
			accountId: account,
			alias: "acme",
			partition: "aws",
		});
	});

	test("an alias that may not be read is no alias", async () => {
		const account = await fleet(1);
		await sandbox.fault(account, { kind: "denied", operation: "iam:ListAccountAliases" });
		expect(await accessTo(sandbox, accountOf(account)).caller(signal)).toMatchObject({ accountId: account, alias: null });
	});

	test("credentials of another account stop everything before anything else is read", async () => {
		const mine = await fleet(1);
		const other = await fleet(1);
		await sandbox.resetCounts(other);
		const access = accessTo(sandbox, accountOf(mine), { as: other });
		await expect(access.provider("iam.role").observe([role(mine, "svc-0-task")], signal)).rejects.toMatchObject({
			name: "TerminalError",
			reason: "AccountMismatch",
			message: expect.stringContaining(other),
		});
		expect(await sandbox.counts(other)).toEqual({ "sts:GetCallerIdentity": 1 });
	});

	test("a spoke account is read with the role that its Account names", async () => {
		const hub = await fleet(1);
		const spoke = await fleet(2);
		const account = accountOf(spoke, { assumeRole: { roleArn: `arn:aws:iam::${spoke}:role/svc-0-task`, externalId: "7f0c" } });
		const access = accessTo(sandbox, account, { as: hub });
		expect((await access.caller(signal)).arn).toContain("assumed-role/svc-0-task/ecs-access-test");
		const [observed] = await access.provider("iam.role").observe([role(spoke, "svc-1-task")], signal);
		expect(observed?.exists).toBe(true);
	});
});

describe("who uses a role", () => {
	test("services, families and schedules are named; a role that nobody names is free", async () => {
		const account = await fleet(2);
		await sandbox.seed(account, {
			roles: [roleSeed("free-task"), roleSeed("cron-task"), roleSeed("ecs-events")],
			taskDefinitions: [taskDefinitionSeed("nightly", { taskRoleArn: `arn:aws:iam::${account}:role/cron-task` })],
			rules: [
				{
					name: "at-night",
					scheduleExpression: "rate(1 day)",
					targets: [
						{
							Id: "1",
							Arn: `arn:aws:ecs:eu-west-1:${account}:cluster/prod`,
							RoleArn: `arn:aws:iam::${account}:role/ecs-events`,
							EcsParameters: { TaskDefinitionArn: `arn:aws:ecs:eu-west-1:${account}:task-definition/nightly:1` },
						},
					],
				},
			],
			schedules: [
				{
					name: "hourly",
					scheduleExpression: "rate(1 hour)",
					target: {
						Arn: `arn:aws:ecs:eu-west-1:${account}:cluster/prod`,
						RoleArn: `arn:aws:iam::${account}:role/ecs-events`,
						EcsParameters: { TaskDefinitionArn: `arn:aws:ecs:eu-west-1:${account}:task-definition/nightly` },
					},
				},
			],
		});
		const access = accessTo(sandbox, accountOf(account));
		const task = expect.stringMatching(/^running task prod\/[0-9a-f]{32}$/);
		expect(await access.inUse("svc-0-task", signal)).toEqual({
			by: [task, "service prod/svc-0", "task family svc-0"],
			unread: [],
		});
		expect(await access.inUse("SVC-1-exec", signal)).toEqual({
			by: [task, "service prod/svc-1", "task family svc-1"],
			unread: [],
		});
		expect(await access.inUse("cron-task", signal)).toEqual({
			by: ["EventBridge rule at-night", "Scheduler schedule hourly", "task family nightly"],
			unread: [],
		});
		expect((await access.inUse("ecs-events", signal)).by).toEqual(["EventBridge rule at-night", "Scheduler schedule hourly"]);
		expect(await access.inUse("free-task", signal)).toEqual({ by: [], unread: [] });

		const [passers] = await access.resolve([{ type: "passers", account, regions: ["eu-west-1"], deployers: [] }], signal);
		expect(passers).toMatchObject({ type: "passers", unread: [] });
		const found = passers?.type === "passers" ? passers.passers : [];
		expect(found.map((p) => [p.as, p.families, p.documents === null])).toEqual([
			["the caller", null, true],
			["Scheduler schedule hourly", ["nightly"], false],
			["EventBridge rule at-night", ["nightly"], false],
		]);

		const workloads = await access.discover({ clusters: [], services: [] }, signal);
		expect(workloads.map((w) => [w.kind, w.cluster, w.name, w.taskRole, w.unread])).toEqual([
			["service", "prod", "svc-0", `arn:aws:iam::${account}:role/ecs-access/svc-0-task`, null],
			["service", "prod", "svc-1", `arn:aws:iam::${account}:role/ecs-access/svc-1-task`, null],
			["family", "prod", "nightly", `arn:aws:iam::${account}:role/cron-task`, null],
		]);
		const named = await access.discover({ clusters: ["prod"], services: ["svc-1", "typo"] }, signal);
		expect(named.map((w) => [w.name, w.unread])).toEqual([
			["svc-1", null],
			["typo", "no such service"],
		]);
	});

	test("what may not be looked at is said, and fails nothing", async () => {
		const account = await fleet(1);
		for (const operation of ["ecs:ListTasks", "scheduler:ListSchedules", "events:ListEventBuses"]) {
			await sandbox.fault(account, { kind: "denied", operation });
		}
		const access = accessTo(sandbox, accountOf(account));
		expect(await access.inUse("free-task", signal)).toEqual({
			by: [],
			unread: [
				"EventBridge rules of eu-west-1 (AccessDenied on events:ListEventBuses)",
				"Scheduler schedules of eu-west-1 (AccessDenied on scheduler:ListSchedules)",
				"running tasks of prod (AccessDenied on ecs:ListTasks)",
			],
		});
		const [passers] = await access.resolve([{ type: "passers", account, regions: ["eu-west-1"], deployers: [] }], signal);
		expect(passers?.type === "passers" ? passers.unread : []).toHaveLength(2);
	});
});
