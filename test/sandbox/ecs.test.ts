import {
	CreateClusterCommand,
	CreateServiceCommand,
	DeleteServiceCommand,
	DeregisterTaskDefinitionCommand,
	DescribeClustersCommand,
	DescribeServicesCommand,
	DescribeTaskDefinitionCommand,
	ECSClient,
	ListServicesCommand,
	ListTaskDefinitionsCommand,
	UpdateServiceCommand,
} from "@aws-sdk/client-ecs";
import { expect, test } from "vitest";
import { serviceSeed, taskDefinitionSeed } from "./seed-data.ts";
import { useSandbox } from "./use.ts";

const sandbox = useSandbox();

async function shop(services: readonly string[] = []) {
	const account = sandbox.newAccount();
	const families = [...new Set(["web", ...services])];
	await sandbox.seed(account, {
		clusters: [{ name: "prod" }],
		taskDefinitions: [...families, "web"].map((family) => taskDefinitionSeed(family)),
		services: services.map((name) => serviceSeed("prod", name)),
	});
	const ecs = new ECSClient(sandbox.config(account));
	const arn = (revision: string) => `arn:aws:ecs:eu-west-1:${account}:task-definition/${revision}`;
	const describe = async (...names: string[]) =>
		(await ecs.send(new DescribeServicesCommand({ cluster: "prod", services: names, include: ["TAGS"] }))).services ?? [];
	return { account, ecs, arn, describe };
}

test("a service keeps the fields it was created with", async () => {
	const { ecs, describe } = await shop();
	const given = {
		enableExecuteCommand: true,
		healthCheckGracePeriodSeconds: 30,
		deploymentConfiguration: { maximumPercent: 150, minimumHealthyPercent: 50 },
		networkConfiguration: { awsvpcConfiguration: { subnets: ["subnet-1"], securityGroups: ["sg-1"] } },
	};
	await ecs.send(
		new CreateServiceCommand({ cluster: "prod", serviceName: "web", taskDefinition: "web", desiredCount: 2, ...given }),
	);
	expect(await describe("web")).toMatchObject([given]);
	await ecs.send(new UpdateServiceCommand({ cluster: "prod", service: "web", healthCheckGracePeriodSeconds: 60 }));
	expect(await describe("web")).toMatchObject([{ ...given, healthCheckGracePeriodSeconds: 60 }]);
});

test("a service comes to be stable, and its task definition is an ARN, after it is created, updated or scaled", async () => {
	const { ecs, arn, describe } = await shop(["web"]);
	const stable = (revision: string, count: number) => [
		{
			taskDefinition: arn(revision),
			runningCount: count,
			desiredCount: count,
			pendingCount: 0,
			deployments: [{ status: "PRIMARY", rolloutState: "COMPLETED", taskDefinition: arn(revision), runningCount: count }],
		},
	];
	expect(await describe("web")).toMatchObject(stable("web:2", 1));
	const becomes = (revision: string, count: number) =>
		expect.poll(() => describe("web"), { timeout: 20_000 }).toMatchObject(stable(revision, count));
	const before = (await describe("web"))[0]?.deployments?.[0]?.id;
	await ecs.send(new UpdateServiceCommand({ cluster: "prod", service: "web", taskDefinition: "web:1" }));
	await becomes("web:1", 1);
	expect((await describe("web"))[0]?.deployments?.[0]?.id).not.toBe(before);
	await ecs.send(new UpdateServiceCommand({ cluster: "prod", service: "web", desiredCount: 3 }));
	await becomes("web:1", 3);
	await ecs.send(new UpdateServiceCommand({ cluster: "prod", service: "web", desiredCount: 0 }));
	await becomes("web:1", 0);
	const clusters = await ecs.send(new DescribeClustersCommand({ clusters: ["prod"] }));
	expect(clusters.clusters).toMatchObject([{ runningTasksCount: 0, pendingTasksCount: 0, activeServicesCount: 1 }]);
});

test("a new deployment of the same task definition has a new id", async () => {
	const { ecs, describe } = await shop(["web"]);
	const before = (await describe("web"))[0]?.deployments?.[0]?.id;
	await ecs.send(new UpdateServiceCommand({ cluster: "prod", service: "web", forceNewDeployment: true }));
	expect((await describe("web"))[0]?.deployments?.[0]?.id).not.toBe(before);
});

test("seeded services may be CodeDeploy's or Express", async () => {
	const { account, ecs, describe } = await shop();
	await sandbox.seed(account, {
		services: [
			serviceSeed("prod", "blue", { taskDefinition: "web", deploymentController: "CODE_DEPLOY" }),
			serviceSeed("prod", "express", { taskDefinition: "web", resourceManagementType: "ECS", tags: { team: "web" } }),
		],
	});
	expect(await describe("blue", "express")).toMatchObject([
		{ deploymentController: { type: "CODE_DEPLOY" }, runningCount: 1 },
		{ resourceManagementType: "ECS", tags: [{ key: "team", value: "web" }] },
	]);
	const update = ecs.send(new UpdateServiceCommand({ cluster: "prod", service: "blue", taskDefinition: "web:1" }));
	await expect(update).rejects.toMatchObject({
		name: "InvalidParameterException",
		message: expect.stringContaining("CODE_DEPLOY"),
	});
});

test("a service cannot be created twice, and a deleted one is no longer listed", async () => {
	const { ecs } = await shop(["web"]);
	const create = () => ecs.send(new CreateServiceCommand({ cluster: "prod", serviceName: "web", taskDefinition: "web" }));
	await expect(create()).rejects.toMatchObject({ name: "InvalidParameterException" });
	await ecs.send(new DeleteServiceCommand({ cluster: "prod", service: "web", force: true }));
	expect((await ecs.send(new ListServicesCommand({ cluster: "prod" }))).serviceArns).toEqual([]);
	// Its tasks stop first.
	await expect.poll(() => create().then(() => "created", String), { timeout: 20_000 }).toBe("created");
});

test("a family means its newest active revision", async () => {
	const { ecs, arn } = await shop();
	const newest = async () =>
		(await ecs.send(new DescribeTaskDefinitionCommand({ taskDefinition: "web" }))).taskDefinition?.taskDefinitionArn;
	expect(await newest()).toBe(arn("web:2"));
	await ecs.send(new DeregisterTaskDefinitionCommand({ taskDefinition: "web:2" }));
	expect(await newest()).toBe(arn("web:1"));
	await ecs.send(new DeregisterTaskDefinitionCommand({ taskDefinition: "web:1" }));
	await expect(newest()).rejects.toMatchObject({ name: "ClientException" });
});

test("task definitions are listed in pages, by family and revision, either way", async () => {
	const { account, ecs } = await shop();
	await sandbox.seed(account, { taskDefinitions: Array.from({ length: 10 }, () => taskDefinitionSeed("api")) });
	const list = async (sort: "ASC" | "DESC") => {
		const names: (string | undefined)[][] = [];
		let nextToken: string | undefined;
		do {
			const page = await ecs.send(
				new ListTaskDefinitionsCommand({ sort, maxResults: 5, ...(nextToken === undefined ? {} : { nextToken }) }),
			);
			names.push((page.taskDefinitionArns ?? []).map((one) => one.split("/")[1]));
			nextToken = page.nextToken;
		} while (nextToken !== undefined);
		return names;
	};
	const all = [...Array.from({ length: 10 }, (_, n) => `api:${n + 1}`), "web:1", "web:2"];
	expect(await list("ASC")).toEqual([all.slice(0, 5), all.slice(5, 10), all.slice(10)]);
	expect((await list("DESC")).flat()).toEqual(all.toReversed());
});

test("ten services are listed and described a call, and only those of the cluster", async () => {
	const names = Array.from({ length: 12 }, (_, n) => `svc-${n}`);
	const { ecs, describe } = await shop(names);
	await ecs.send(new CreateClusterCommand({ clusterName: "nonprod" }));
	await ecs.send(new CreateServiceCommand({ cluster: "nonprod", serviceName: "other", taskDefinition: "web" }));
	const first = await ecs.send(new ListServicesCommand({ cluster: "prod" }));
	const second = await ecs.send(new ListServicesCommand({ cluster: "prod", nextToken: first.nextToken }));
	expect([first.serviceArns?.length, second.serviceArns?.length, second.nextToken]).toEqual([10, 2, undefined]);
	expect((await ecs.send(new ListServicesCommand({ cluster: "prod", maxResults: 100 }))).serviceArns).toHaveLength(12);
	expect(await describe(...names.slice(0, 10))).toHaveLength(10);
	await expect(describe(...names.slice(0, 11))).rejects.toMatchObject({ name: "InvalidParameterException" });
});
