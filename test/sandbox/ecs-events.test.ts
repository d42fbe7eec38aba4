import { DescribeServicesCommand, ECSClient, UpdateServiceCommand } from "@aws-sdk/client-ecs";
import { EventBridgeClient } from "@aws-sdk/client-eventbridge";
import { expect, test } from "vitest";
import { createInbox, putRule } from "./inbox.ts";
import { serviceSeed, taskDefinitionSeed } from "./seed-data.ts";
import { useSandbox } from "./use.ts";

const sandbox = useSandbox();

/** Rolls `web` to `web:2`, which fails as `fail` says, and returns the events of `detailType` that this makes. */
async function roll(detailType: string, count: number, fail: boolean) {
	const account = sandbox.newAccount();
	const inbox = await createInbox(sandbox, account);
	const pattern = { source: ["aws.ecs"], "detail-type": [detailType] };
	await putRule(new EventBridgeClient(sandbox.config(account)), pattern, inbox.arn);
	// What is seeded has no events.
	await sandbox.seed(account, {
		clusters: [{ name: "prod" }],
		taskDefinitions: [taskDefinitionSeed("web"), taskDefinitionSeed("web")],
		services: [serviceSeed("prod", "web", { taskDefinition: "web:1" })],
	});
	await sandbox.deployments(account, { fail: fail ? [{ taskDefinition: "web:2" }] : [] });
	const ecs = new ECSClient(sandbox.config(account));
	const deploymentConfiguration = { deploymentCircuitBreaker: { enable: true, rollback: true } };
	await ecs.send(new UpdateServiceCommand({ cluster: "prod", service: "web", taskDefinition: "web:2", deploymentConfiguration }));
	await sandbox.tick(account, 60);
	const { services } = await ecs.send(new DescribeServicesCommand({ cluster: "prod", services: ["web"] }));
	const events = await inbox.events(count);
	for (const event of events) expect(event).toMatchObject({ account, region: "eu-west-1", source: "aws.ecs" });
	return { events, service: services?.[0] };
}

test("a deployment tells its beginning, its end, and its rollback", async () => {
	const well = await roll("ECS Deployment State Change", 2, false);
	expect(well.events.map((event) => event.detail)).toMatchObject([
		{ eventName: "SERVICE_DEPLOYMENT_IN_PROGRESS", eventType: "INFO" },
		{ eventName: "SERVICE_DEPLOYMENT_COMPLETED", eventType: "INFO", deploymentId: well.service?.deployments?.[0]?.id },
	]);
	expect(well.events[0]?.resources).toEqual([well.service?.serviceArn]);

	const badly = await roll("ECS Deployment State Change", 4, true);
	expect(badly.events.map((event) => [event.detail.eventType, event.detail.eventName])).toEqual([
		["INFO", "SERVICE_DEPLOYMENT_IN_PROGRESS"],
		["ERROR", "SERVICE_DEPLOYMENT_FAILED"],
		["INFO", "SERVICE_DEPLOYMENT_IN_PROGRESS"],
		["INFO", "SERVICE_DEPLOYMENT_COMPLETED"],
	]);
	const id = badly.service?.deployments?.[0]?.id;
	expect(badly.events[2]?.detail).toMatchObject({
		deploymentId: id,
		reason: `ECS deployment circuit breaker: rolling back to deploymentId ${id}.`,
	});
});

test("a service tells that it is steady, and that its tasks do not start", async () => {
	const names = async (count: number, fail: boolean) =>
		(await roll("ECS Service Action", count, fail)).events.map((event) => event.detail.eventName);
	expect(await names(1, false)).toEqual(["SERVICE_STEADY_STATE"]);
	expect(await names(2, true)).toEqual(["SERVICE_TASK_START_IMPAIRED", "SERVICE_STEADY_STATE"]);
});

test("each change of a task's status is an event, with a version that grows", async () => {
	const { events, service } = await roll("ECS Task State Change", 4, false);
	expect(events.map(({ detail }) => [detail.lastStatus, detail.version, detail.group])).toEqual([
		["PENDING", 1, "service:web"],
		["RUNNING", 2, "service:web"],
		["DEACTIVATING", 3, "service:web"],
		["STOPPED", 4, "service:web"],
	]);
	expect(events[0]?.detail).toMatchObject({
		taskDefinitionArn: service?.taskDefinition,
		startedBy: service?.deployments?.[0]?.id,
	});
	expect(events[3]?.detail).toMatchObject({ stopCode: "ServiceSchedulerInitiated", desiredStatus: "STOPPED" });
	expect(events[3]?.resources).toEqual([events[3]?.detail.taskArn]);
});
