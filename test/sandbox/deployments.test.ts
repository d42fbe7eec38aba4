import {
	ContinueServiceDeploymentCommand,
	CreateServiceCommand,
	DeleteServiceCommand,
	type DeploymentConfiguration,
	DescribeClustersCommand,
	DescribeServiceDeploymentsCommand,
	DescribeServiceRevisionsCommand,
	DescribeServicesCommand,
	ECSClient,
	ListServiceDeploymentsCommand,
	ListServicesCommand,
	ListTasksCommand,
	type Service,
	StopServiceDeploymentCommand,
	UpdateServiceCommand,
	type UpdateServiceCommandInput,
} from "@aws-sdk/client-ecs";
import fc from "fast-check";
import { expect, test } from "vitest";
import { serviceSeed, taskDefinitionSeed } from "./seed-data.ts";
import { useSandbox } from "./use.ts";

const sandbox = useSandbox();

/** Long enough that nothing happens unless a test lets it. */
const ORDER = { startSeconds: 1000, stopSeconds: 100 };

/** Service `web` runs `web:1`; `web:2` and `web:3` exist. Time passes by `pass` alone. */
async function shop(desiredCount = 2, deploymentController: "ECS" | "CODE_DEPLOY" | "EXTERNAL" = "ECS") {
	const account = sandbox.newAccount();
	const taskRoleArn = `arn:aws:iam::${account}:role/web-task`;
	await sandbox.seed(account, {
		clusters: [{ name: "prod" }],
		taskDefinitions: Array.from({ length: 3 }, () => taskDefinitionSeed("web", { taskRoleArn })),
		services: [serviceSeed("prod", "web", { taskDefinition: "web:1", desiredCount, deploymentController })],
	});
	await sandbox.deployments(account, ORDER);
	const ecs = new ECSClient({ ...sandbox.config(account), maxAttempts: 1 });
	const named = { cluster: "prod", service: "web" };
	const service = async (): Promise<Service> => {
		const answer = await ecs.send(new DescribeServicesCommand({ cluster: "prod", services: ["web"] }));
		return answer.services?.[0] as Service;
	};
	return {
		account,
		ecs,
		named,
		service,
		pass: (seconds: number) => sandbox.tick(account, seconds),
		/** Calls UpdateService and lets the scheduler look at it. */
		update: async (input: Omit<UpdateServiceCommandInput, "service">) => {
			await ecs.send(new UpdateServiceCommand({ ...named, ...input }));
			await sandbox.tick(account, 0.1);
		},
		/** `PRIMARY web:2 IN_PROGRESS 0/2+2` is: runs 0 of 2 desired, 2 are pending. */
		deployments: async () =>
			((await service()).deployments ?? []).map((one) => {
				const counts = `${one.runningCount}/${one.desiredCount}+${one.pendingCount}`;
				return `${one.status} ${one.taskDefinition?.split("/")[1]} ${one.rolloutState} ${counts}`;
			}),
		said: async () => ((await service()).events ?? []).map((event) => event.message?.replace(/[0-9a-f]{32}|\d{19}/g, "ID")),
		tasks: async () => (await ecs.send(new ListTasksCommand({ cluster: "prod", serviceName: "web" }))).taskArns ?? [],
		stories: async () => {
			const list = await ecs.send(new ListServiceDeploymentsCommand(named));
			const arns = (list.serviceDeployments ?? []).map((one) => one.serviceDeploymentArn ?? "");
			const full = await ecs.send(new DescribeServiceDeploymentsCommand({ serviceDeploymentArns: arns }));
			expect(full.serviceDeployments?.map((one) => one.status)).toEqual(list.serviceDeployments?.map((one) => one.status));
			return full.serviceDeployments ?? [];
		},
	};
}

const circuit = (enable: boolean, rollback: boolean): DeploymentConfiguration => ({
	deploymentCircuitBreaker: { enable, rollback },
});

test("a new task definition is a second deployment: the new tasks start, then the old ones stop, then it is completed", async () => {
	const { pass, update, deployments, service, said, stories } = await shop();
	expect(await deployments()).toEqual(["PRIMARY web:1 COMPLETED 2/2+0"]);
	await update({ taskDefinition: "web:2" });
	expect(await deployments()).toEqual(["PRIMARY web:2 IN_PROGRESS 0/2+2", "ACTIVE web:1 COMPLETED 2/2+0"]);
	expect(await service()).toMatchObject({ runningCount: 2, pendingCount: 2, desiredCount: 2 });
	expect((await stories())[0]).toMatchObject({ status: "IN_PROGRESS", targetServiceRevision: { pendingTaskCount: 2 } });
	expect((await service()).currentServiceDeployment).toBe((await stories())[0]?.serviceDeploymentArn);
	await pass(1001);
	expect(await deployments()).toEqual(["PRIMARY web:2 IN_PROGRESS 2/2+0", "ACTIVE web:1 COMPLETED 0/0+0"]);
	await pass(101);
	expect(await deployments()).toEqual(["PRIMARY web:2 COMPLETED 2/2+0"]);
	expect((await said()).slice(0, 4)).toEqual([
		"(service web) has reached a steady state.",
		"(service web) (deployment ecs-svc/ID) deployment completed.",
		"(service web) has stopped 2 running tasks: (task ID) (task ID).",
		"(service web) has started 2 tasks: (task ID) (task ID).",
	]);
	expect((await stories()).map((one) => one.status)).toEqual(["SUCCESSFUL", "SUCCESSFUL"]);
	expect((await service()).currentServiceDeployment).toBeUndefined();
});

test("an update is answered before the scheduler has looked at it", async () => {
	const { account, ecs, named, pass, deployments } = await shop();
	await sandbox.deployments(account, { hold: true });
	const { service } = await ecs.send(new UpdateServiceCommand({ ...named, taskDefinition: "web:2" }));
	expect(service?.deployments?.map((one) => [one.status, one.pendingCount])).toEqual([
		["PRIMARY", 0],
		["ACTIVE", 0],
	]);
	await pass(5000);
	expect(await deployments()).toEqual(["PRIMARY web:2 IN_PROGRESS 0/2+0", "ACTIVE web:1 COMPLETED 2/2+0"]);
	await sandbox.deployments(account, { hold: false });
	await pass(5000);
	expect(await deployments()).toEqual(["PRIMARY web:2 COMPLETED 2/2+0"]);
});

test("a deployment never runs fewer tasks than minimumHealthyPercent nor has more than maximumPercent, and ends", async () => {
	const settings = fc.record({
		desired: fc.integer({ min: 1, max: 7 }),
		minimumHealthyPercent: fc.integer({ min: 0, max: 100 }),
		maximumPercent: fc.integer({ min: 100, max: 250 }),
	});
	await fc.assert(
		fc.asyncProperty(settings, async ({ desired, minimumHealthyPercent, maximumPercent }) => {
			const least = Math.ceil((desired * minimumHealthyPercent) / 100);
			const most = Math.floor((desired * maximumPercent) / 100);
			// No room either way: it would never end, as in ECS.
			fc.pre(most > desired || least < desired);
			const { pass, update, service } = await shop(desired);
			await update({ taskDefinition: "web:2", deploymentConfiguration: { minimumHealthyPercent, maximumPercent } });
			for (let step = 0; step < 40; step++) {
				const { runningCount = 0, pendingCount = 0, deployments } = await service();
				expect(runningCount).toBeGreaterThanOrEqual(least);
				expect(runningCount + pendingCount).toBeLessThanOrEqual(most);
				if (deployments?.[0]?.rolloutState === "COMPLETED") return;
				await pass(101);
				await pass(900);
			}
			expect.unreachable("it did not end");
		}),
		{ numRuns: 12 },
	);
});

test("only what changes the tasks starts a deployment", async () => {
	const { update, service } = await shop();
	const id = async () => (await service()).deployments?.[0]?.id;
	const network = (subnet: string) => ({ awsvpcConfiguration: { subnets: [subnet], securityGroups: ["sg-1"] } });
	const started = async (input: Omit<UpdateServiceCommandInput, "service">) => {
		const before = await id();
		await update(input);
		return (await id()) !== before;
	};
	expect(await started({ networkConfiguration: network("subnet-1") })).toBe(true);
	expect(await started({ networkConfiguration: network("subnet-1") })).toBe(false);
	expect(await started({ taskDefinition: "web:1" })).toBe(false);
	expect(await started({ enableExecuteCommand: true, desiredCount: 3, deploymentConfiguration: { maximumPercent: 150 } })).toBe(
		false,
	);
	expect(await started({ platformVersion: "1.4.0" })).toBe(true);
	expect(await started({ taskDefinition: "web:2" })).toBe(true);
	expect(await started({ forceNewDeployment: true })).toBe(true);
});

test("without a circuit breaker a deployment whose tasks do not start goes on trying, and the old tasks serve", async () => {
	const { account, pass, update, deployments, service, said } = await shop();
	await sandbox.deployments(account, { fail: [{ taskDefinition: "web:2", reason: "CannotPullContainerError: not found" }] });
	await update({ taskDefinition: "web:2" });
	await pass(20_000);
	const [primary, old] = await deployments();
	expect([primary?.slice(0, 27), old]).toEqual(["PRIMARY web:2 IN_PROGRESS 0", "ACTIVE web:1 COMPLETED 2/2+0"]);
	expect((await service()).deployments?.[0]?.failedTasks).toBeGreaterThan(10);
	expect(await said()).toContain(
		"(service web) is unable to consistently start tasks successfully. For more information, see the Troubleshooting section.",
	);
	await sandbox.deployments(account, { fail: [] });
	await pass(2500);
	expect(await deployments()).toEqual(["PRIMARY web:2 COMPLETED 2/2+0"]);
});

test("a circuit breaker fails the deployment after half of the desired count, three at least", async () => {
	for (const [desired, threshold] of [
		[1, 3],
		[7, 4],
	] as const) {
		const { account, pass, update, deployments, service, stories } = await shop(desired);
		await sandbox.deployments(account, { fail: [{ taskDefinition: "web:2" }] });
		await update({ taskDefinition: "web:2", deploymentConfiguration: circuit(true, false) });
		await pass(10_000);
		expect((await deployments())[1]).toBe(`ACTIVE web:1 COMPLETED ${desired}/${desired}+0`);
		expect((await service()).deployments?.[0]).toMatchObject({
			rolloutState: "FAILED",
			rolloutStateReason: "ECS deployment circuit breaker: tasks failed to start.",
		});
		const [story] = await stories();
		expect(story).toMatchObject({ status: "STOPPED", deploymentCircuitBreaker: { status: "TRIGGERED", threshold } });
		// A failed deployment starts no more tasks.
		const failed = (await service()).deployments?.[0]?.failedTasks;
		await sandbox.deployments(account, { fail: [] });
		await pass(10_000);
		expect((await service()).deployments?.[0]).toMatchObject({ failedTasks: failed, runningCount: 0, pendingCount: 0 });
	}
});

test("a circuit breaker with rollback takes the service back to the revision that was completed last", async () => {
	const { account, ecs, pass, update, deployments, service, said, stories } = await shop();
	await sandbox.deployments(account, { fail: [{ taskDefinition: "web:2" }] });
	const before = (await service()).deployments?.[0]?.id;
	await update({ taskDefinition: "web:2", deploymentConfiguration: circuit(true, true) });
	await pass(2000);
	await pass(10_000);
	expect(await deployments()).toEqual(["PRIMARY web:1 COMPLETED 2/2+0"]);
	expect(await service()).toMatchObject({ deployments: [{ id: before }], runningCount: 2 });
	expect((await service()).taskDefinition).toMatch(/web:1$/);
	const [story, first] = await stories();
	expect(story).toMatchObject({
		status: "ROLLBACK_SUCCESSFUL",
		rollback: { serviceRevisionArn: first?.targetServiceRevision?.arn },
		deploymentCircuitBreaker: { status: "TRIGGERED" },
	});
	const lines = await said();
	expect(lines).toContain("(service web) (deployment ecs-svc/ID) deployment failed: tasks failed to start.");
	expect(lines).toContain("(service web) rolling back to deployment ecs-svc/ID.");
	const arns = [story, first].map((one) => one?.targetServiceRevision?.arn ?? "");
	const { serviceRevisions } = await ecs.send(new DescribeServiceRevisionsCommand({ serviceRevisionArns: arns }));
	expect(serviceRevisions?.map((one) => one.taskDefinition?.split("/")[1])).toEqual(["web:2", "web:1"]);
});

test("a rollback whose tasks fail too has failed", async () => {
	const { account, pass, update, stories, deployments } = await shop();
	await sandbox.deployments(account, { fail: [{}] });
	// Half of the old tasks leave before the new ones are tried.
	const room = { minimumHealthyPercent: 0, maximumPercent: 100 };
	await update({ taskDefinition: "web:2", deploymentConfiguration: { ...circuit(true, true), ...room } });
	await pass(30_000);
	expect((await stories())[0]?.status).toBe("ROLLBACK_FAILED");
	expect((await deployments())[0]).toBe("PRIMARY web:1 FAILED 0/2+0");
});

test("a task that cannot be made is told by the service's events, in the words of ECS", async () => {
	const { account, pass, update, tasks, said } = await shop(1);
	await sandbox.deployments(account, { fail: [{ taskDefinition: "web:2", stage: "launch", times: 1 }] });
	await update({ taskDefinition: "web:2" });
	expect(await tasks()).toHaveLength(1);
	expect((await said())[0]).toContain(
		`failed to launch a task with (error ECS was unable to assume the role 'arn:aws:iam::${account}:role/web-task' that was provided for this task.`,
	);
	await pass(5000);
	expect((await said())[0]).toBe("(service web) has reached a steady state.");
});

test("a container that exits after start-up lets the deployment be completed, and is replaced", async () => {
	const { account, pass, update, deployments, said } = await shop(1);
	await sandbox.deployments(account, { fail: [{ taskDefinition: "web:2", stage: "exit", times: 1 }] });
	await update({ taskDefinition: "web:2", deploymentConfiguration: circuit(true, true) });
	await pass(1500);
	expect(await deployments()).toEqual(["PRIMARY web:2 COMPLETED 1/1+0"]);
	await pass(520);
	expect(await deployments()).toEqual(["PRIMARY web:2 COMPLETED 0/1+0"]);
	await pass(3000);
	expect(await deployments()).toEqual(["PRIMARY web:2 COMPLETED 1/1+0"]);
	expect((await said()).filter((line) => line?.endsWith("has reached a steady state."))).toHaveLength(3);
});

test("a deployment on top of another replaces it", async () => {
	const { pass, update, deployments, stories } = await shop(1);
	await update({ taskDefinition: "web:2" });
	await update({ taskDefinition: "web:3" });
	expect((await stories()).map((one) => one.status)).toEqual(["IN_PROGRESS", "STOPPED", "SUCCESSFUL"]);
	await pass(10_000);
	expect(await deployments()).toEqual(["PRIMARY web:3 COMPLETED 1/1+0"]);
});

test("a deployment that is stopped goes back, and one that has ended cannot be stopped", async () => {
	const { ecs, pass, update, deployments, stories } = await shop();
	await update({ taskDefinition: "web:2" });
	const stop = async () => {
		const serviceDeploymentArn = (await stories())[0]?.serviceDeploymentArn;
		return ecs.send(new StopServiceDeploymentCommand({ serviceDeploymentArn, stopType: "ROLLBACK" }));
	};
	await stop();
	expect((await stories())[0]?.status).toMatch(/^ROLLBACK_(REQUESTED|IN_PROGRESS)$/);
	await pass(5000);
	expect((await stories())[0]?.status).toBe("ROLLBACK_SUCCESSFUL");
	expect(await deployments()).toEqual(["PRIMARY web:1 COMPLETED 2/2+0"]);
	await expect(stop()).rejects.toMatchObject({ name: "ConflictException" });
});

test("a deployment waits at its pause hooks", async () => {
	for (const action of ["CONTINUE", "ROLLBACK"] as const) {
		const { ecs, pass, update, deployments, stories } = await shop();
		const lifecycleHooks = [{ targetType: "PAUSE" as const, lifecycleStages: ["POST_SCALE_UP" as const] }];
		await update({ taskDefinition: "web:2", deploymentConfiguration: { lifecycleHooks } });
		await pass(10_000);
		expect(await deployments()).toEqual(["PRIMARY web:2 IN_PROGRESS 2/2+0", "ACTIVE web:1 COMPLETED 2/2+0"]);
		const [story] = await stories();
		expect(story).toMatchObject({ status: "IN_PROGRESS", lifecycleStage: "POST_SCALE_UP" });
		expect(story?.lifecycleHookDetails).toMatchObject([{ targetType: "PAUSE", status: "AWAITING_ACTION" }]);
		const { hookId } = story?.lifecycleHookDetails?.[0] ?? {};
		const { serviceDeploymentArn } = story ?? {};
		await ecs.send(new ContinueServiceDeploymentCommand({ serviceDeploymentArn, hookId, action }));
		await pass(10_000);
		expect((await stories())[0]?.status).toBe(action === "CONTINUE" ? "SUCCESSFUL" : "ROLLBACK_SUCCESSFUL");
		expect(await deployments()).toEqual([`PRIMARY web:${action === "CONTINUE" ? 2 : 1} COMPLETED 2/2+0`]);
	}
});

test("a desired count is reached by starting and stopping tasks, without a deployment", async () => {
	const { ecs, pass, update, service, stories } = await shop(1);
	const counts = async () => {
		const { clusters } = await ecs.send(new DescribeClustersCommand({ clusters: ["prod"] }));
		const { runningCount, pendingCount } = await service();
		expect([clusters?.[0]?.runningTasksCount, clusters?.[0]?.pendingTasksCount]).toEqual([runningCount, pendingCount]);
		return [runningCount, pendingCount];
	};
	await update({ desiredCount: 3 });
	expect(await counts()).toEqual([1, 2]);
	await pass(1001);
	expect(await counts()).toEqual([3, 0]);
	await update({ desiredCount: 1 });
	expect(await counts()).toEqual([1, 0]);
	expect(await stories()).toHaveLength(1);
});

test("a new service has its tasks after a while; a deleted one drains, then is inactive", async () => {
	const { ecs, pass } = await shop();
	const api = { cluster: "prod", service: "api" };
	const status = async () => {
		const { services } = await ecs.send(new DescribeServicesCommand({ cluster: "prod", services: ["api"] }));
		return `${services?.[0]?.status} ${services?.[0]?.runningCount}`;
	};
	await ecs.send(new CreateServiceCommand({ cluster: "prod", serviceName: "api", taskDefinition: "web", desiredCount: 1 }));
	expect(await status()).toBe("ACTIVE 0");
	await pass(1001);
	expect(await status()).toBe("ACTIVE 1");
	await ecs.send(new DeleteServiceCommand({ ...api, force: true }));
	expect(await status()).toBe("DRAINING 0");
	expect((await ecs.send(new ListServicesCommand({ cluster: "prod" }))).serviceArns).toHaveLength(1);
	await pass(101);
	expect(await status()).toBe("INACTIVE 0");
	await expect(ecs.send(new UpdateServiceCommand({ ...api, desiredCount: 1 }))).rejects.toMatchObject({
		name: "ServiceNotActiveException",
	});
	for (const call of [new ListServiceDeploymentsCommand(api), new ListTasksCommand({ cluster: "prod", serviceName: "api" })]) {
		await expect(ecs.send(call as ListTasksCommand)).rejects.toMatchObject({ name: "ServiceNotFoundException" });
	}
});

test("other deployment controllers have tasks, scale, and take no deployment from ECS", async () => {
	for (const controller of ["CODE_DEPLOY", "EXTERNAL"] as const) {
		const { ecs, named, pass, update, service, tasks } = await shop(1, controller);
		expect(await tasks()).toHaveLength(1);
		await update({ desiredCount: 2 });
		await pass(1001);
		expect(await service()).toMatchObject({ runningCount: 2, deployments: [] });
		expect((await ecs.send(new ListServiceDeploymentsCommand(named))).serviceDeployments).toEqual([]);
		await expect(update({ forceNewDeployment: true })).rejects.toThrow(controller);
	}
});
