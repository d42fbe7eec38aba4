import {
	DescribeTasksCommand,
	ECSClient,
	ListTagsForResourceCommand,
	ListTasksCommand,
	RegisterTaskDefinitionCommand,
	RunTaskCommand,
	StopTaskCommand,
	UpdateServiceCommand,
	waitUntilServicesStable,
} from "@aws-sdk/client-ecs";
import { PutSecretValueCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { expect, test } from "vitest";
import { serviceSeed, taskDefinitionSeed } from "./seed-data.ts";
import { useSandbox } from "./use.ts";

const sandbox = useSandbox();

async function shop(desiredCount = 1) {
	const account = sandbox.newAccount();
	const secret = `arn:aws:secretsmanager:eu-west-1:${account}:secret:prod/db-AbCdEf`;
	await sandbox.seed(account, {
		secrets: [{ name: "prod/db", suffix: "AbCdEf", value: "one" }],
		clusters: [{ name: "prod" }, { name: "nonprod" }],
		taskDefinitions: [taskDefinitionSeed("web", { secrets: { PASSWORD: `${secret}:password::` } })],
		services: [serviceSeed("prod", "web", { desiredCount })],
	});
	const ecs = new ECSClient({ ...sandbox.config(account), maxAttempts: 1 });
	const list = async (more: Partial<ConstructorParameters<typeof ListTasksCommand>[0]> = {}) =>
		(await ecs.send(new ListTasksCommand({ cluster: "prod", ...more }))).taskArns ?? [];
	const describe = async (...tasks: string[]) =>
		(await ecs.send(new DescribeTasksCommand({ cluster: "prod", tasks }))).tasks ?? [];
	const stable = () =>
		waitUntilServicesStable({ client: ecs, maxWaitTime: 30, minDelay: 1, maxDelay: 1 }, { cluster: "prod", services: ["web"] });
	return { account, secret, ecs, list, describe, stable };
}

test("a seeded service has its tasks, found by service, family and status", async () => {
	const { account, ecs, list, describe } = await shop(2);
	const arns = await list({ serviceName: "web" });
	expect(arns).toHaveLength(2);
	expect(await list({ family: "web" })).toEqual(arns);
	expect(await list({ family: "we" })).toEqual([]);
	expect(await list({ desiredStatus: "STOPPED" })).toEqual([]);
	expect(await list({ cluster: "nonprod" })).toEqual([]);
	const [task] = await describe(...arns);
	expect(task).toMatchObject({
		group: "service:web",
		lastStatus: "RUNNING",
		desiredStatus: "RUNNING",
		launchType: "FARGATE",
		startedBy: expect.stringMatching(/^ecs-svc\/\d+$/),
		taskDefinitionArn: `arn:aws:ecs:eu-west-1:${account}:task-definition/web:1`,
		containers: [{ name: "web", lastStatus: "RUNNING" }],
		version: 2,
	});
	expect(task?.startedAt?.getTime()).toBeGreaterThanOrEqual(task?.createdAt?.getTime() ?? Number.POSITIVE_INFINITY);
	const missing = await ecs.send(new DescribeTasksCommand({ cluster: "nonprod", tasks: arns.slice(0, 1) }));
	expect(missing).toMatchObject({ tasks: [], failures: [{ reason: "MISSING" }] });
	await expect(list({ serviceName: "nobody" })).rejects.toMatchObject({ name: "ServiceNotFoundException" });
});

test("in real time, too, the tasks of a new deployment start and the service becomes stable", async () => {
	const { ecs, list, stable } = await shop();
	const before = await list({ serviceName: "web" });
	await ecs.send(new UpdateServiceCommand({ cluster: "prod", service: "web", forceNewDeployment: true }));
	await stable();
	await expect.poll(() => list({ serviceName: "web" }), { timeout: 20_000 }).toHaveLength(1);
	expect(await list({ serviceName: "web" })).not.toEqual(before);
});

test("a task that is stopped says by whom, and the scheduler replaces it", async () => {
	const { account, ecs, list, describe } = await shop();
	const [before = ""] = await list();
	const { task } = await ecs.send(new StopTaskCommand({ cluster: "prod", task: before, reason: "by hand" }));
	expect(task).toMatchObject({ desiredStatus: "STOPPED", lastStatus: "DEACTIVATING" });
	await sandbox.tick(account, 10);
	expect(await describe(before)).toMatchObject([
		{ lastStatus: "STOPPED", stopCode: "UserInitiated", stoppedReason: "by hand", containers: [{ exitCode: 0 }] },
	]);
	const after = await list({ serviceName: "web" });
	expect([after.length, after[0] === before]).toEqual([1, false]);
	expect(await list({ desiredStatus: "STOPPED" })).toEqual([before]);
	await sandbox.tick(account, 3600);
	expect(await describe(before)).toEqual([]);
	await expect(ecs.send(new StopTaskCommand({ cluster: "prod", task: before }))).rejects.toMatchObject({
		name: "InvalidParameterException",
	});
});

test("a task that fails to start, and one whose container exits, say how", async () => {
	const { account, ecs, list, describe } = await shop();
	const stopped = async () => {
		await ecs.send(new UpdateServiceCommand({ cluster: "prod", service: "web", forceNewDeployment: true }));
		await sandbox.tick(account, 60);
		const tasks = await describe(...(await list({ desiredStatus: "STOPPED" })));
		await sandbox.tick(account, 3700);
		return tasks.find((task) => task.stopCode !== "ServiceSchedulerInitiated");
	};
	await sandbox.deployments(account, { fail: [{ reason: "CannotPullContainerError: no such image", times: 1 }] });
	const failed = await stopped();
	expect(failed).toMatchObject({
		stopCode: "TaskFailedToStart",
		stoppedReason: "CannotPullContainerError: no such image",
	});
	expect([failed?.startedAt, failed?.containers?.[0]?.exitCode]).toEqual([undefined, undefined]);
	await sandbox.deployments(account, { fail: [{ taskDefinition: "web:*", stage: "exit", exitCode: 137, times: 1 }] });
	expect(await stopped()).toMatchObject({
		stopCode: "EssentialContainerExited",
		stoppedReason: "Essential container in task exited",
		startedAt: expect.any(Date),
		containers: [{ exitCode: 137 }],
	});
});

test("RunTask takes task-level memory, wants a network, and its task goes through PENDING to RUNNING", async () => {
	const { account, ecs, describe } = await shop();
	await ecs.send(
		new RegisterTaskDefinitionCommand({
			family: "job",
			requiresCompatibilities: ["FARGATE"],
			networkMode: "awsvpc",
			cpu: "256",
			memory: "512",
			containerDefinitions: [{ name: "job", image: "registry.acme.example/job:1" }],
		}),
	);
	const run = { cluster: "prod", taskDefinition: "job", launchType: "FARGATE", startedBy: "me" } as const;
	await expect(ecs.send(new RunTaskCommand(run))).rejects.toThrow("Network Configuration must be provided");
	const overrides = { taskRoleArn: `arn:aws:iam::${account}:role/other` };
	const networkConfiguration = { awsvpcConfiguration: { subnets: ["subnet-1"] } };
	const tags = [{ key: "team", value: "web" }];
	const { tasks = [] } = await ecs.send(new RunTaskCommand({ ...run, count: 2, overrides, networkConfiguration, tags }));
	expect(tasks).toHaveLength(2);
	const arn = tasks[0]?.taskArn ?? "";
	expect(await ecs.send(new ListTagsForResourceCommand({ resourceArn: arn }))).toMatchObject({ tags });
	expect(tasks[0]).toMatchObject({ lastStatus: "PENDING", group: "family:job", startedBy: "me", overrides, memory: "512" });
	await sandbox.tick(account, 10);
	expect(await describe(arn)).toMatchObject([{ lastStatus: "RUNNING" }]);
	// Looking at it does not end it.
	expect(await describe(arn)).toMatchObject([{ lastStatus: "RUNNING" }]);
});

test("a task keeps the secret versions that were current when it was made", async () => {
	const { account, secret, ecs } = await shop();
	await sandbox.deployments(account, { startSeconds: 100, stopSeconds: 10 });
	const secrets = new SecretsManagerClient(sandbox.config(account));
	const versions = async () =>
		(await sandbox.tasks(account)).filter((one) => one.lastStatus !== "STOPPED").map((one) => one.secretVersions[0]?.versionId);
	const put = async (value: string) =>
		(await secrets.send(new PutSecretValueCommand({ SecretId: secret, SecretString: value }))).VersionId ?? "";
	const roll = async (seconds: number) => {
		await ecs.send(new UpdateServiceCommand({ cluster: "prod", service: "web", forceNewDeployment: true }));
		await sandbox.tick(account, seconds);
	};
	const [one] = await versions();
	expect((await sandbox.tasks(account))[0]?.secretVersions).toEqual([
		{ container: "web", name: "PASSWORD", secretName: "prod/db", secretArn: secret, versionId: one },
	]);
	await roll(1);
	const two = await put("two");
	await sandbox.tick(account, 200);
	// Made before the label moved, started after it: the old value.
	expect(await versions()).toEqual([one]);
	await roll(200);
	expect(await versions()).toEqual([two]);
	const three = await put("three");
	await sandbox.deployments(account, { fail: [{ secret: { id: "prod/db", version: three } }] });
	await roll(5000);
	expect(await versions()).toContain(two);
	const failed = (await sandbox.tasks(account)).filter(
		(one) => one.lastStatus === "STOPPED" && one.secretVersions[0]?.versionId === three,
	);
	expect(failed.length).toBeGreaterThan(3);
});
