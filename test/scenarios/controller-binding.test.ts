import { DescribeServicesCommand, ECSClient, UpdateServiceCommand } from "@aws-sdk/client-ecs";
import { expect, test } from "vitest";
import { roleSeed, serviceSeed, taskDefinitionSeed } from "../sandbox/seed-data.ts";
import { useSandbox } from "../sandbox/use.ts";
import { createControllerWorld } from "./controller-world.ts";
import { allow, policy } from "./world.ts";

const sandbox = useSandbox();

/** A controller before a service that runs with another role than its policy says, which enforces it. */
async function shop() {
	const world = createControllerWorld(sandbox);
	const { account } = world;
	await sandbox.seed(account, {
		roles: [roleSeed("legacy")],
		clusters: [{ name: "prod" }],
		taskDefinitions: [taskDefinitionSeed("orders", { taskRoleArn: `arn:aws:iam::${account}:role/legacy` })],
		services: [serviceSeed("prod", "orders", { desiredCount: 2 })],
	});
	const ecs = new ECSClient({ ...sandbox.config(account), maxAttempts: 1 });
	await ecs.send(
		new UpdateServiceCommand({
			cluster: "prod",
			service: "orders",
			deploymentConfiguration: { deploymentCircuitBreaker: { enable: true, rollback: false } },
		}),
	);
	world.write(
		"orders.yaml",
		policy("orders", { statements: [allow("s3:GetObject")] }, { binding: "Enforce", accountRef: "prod" }),
	);
	return {
		...world,
		runs: async () => {
			const { services } = await ecs.send(new DescribeServicesCommand({ cluster: "prod", services: ["orders"] }));
			const [primary] = services?.[0]?.deployments ?? [];
			return `${services?.[0]?.taskDefinition?.split("/")[1]} ${primary?.rolloutState}`;
		},
		status: async () => (await world.store().getStatus("AccessPolicy/orders"))?.summary,
	};
}

test("a controller rolls a service, and comes back by itself until it runs", async () => {
	const w = await shop();
	await w.commit();
	await w.resync();
	await expect.poll(w.status, { timeout: 20_000 }).toBe("as git says");
	expect(await w.runs()).toBe("orders:2 COMPLETED");
});

test("a controller takes a failed rollout back, says so, and leaves it", async () => {
	const w = await shop();
	await sandbox.deployments(w.account, { fail: [{ taskDefinition: "orders:2" }] });
	await w.commit();
	await w.resync();
	await expect.poll(w.status, { timeout: 20_000 }).toBe("waits: failed rollout");
	await expect.poll(w.runs, { timeout: 20_000 }).toBe("orders:1 COMPLETED");
	const stalled = (await w.store().getStatus("AccessPolicy/orders"))?.conditions.find((c) => c.type === "Stalled");
	expect(stalled).toMatchObject({ status: "True", reason: "RolloutFailed" });
	await sandbox.resetCounts(w.account);
	await w.resync();
	expect(Object.keys(await sandbox.counts(w.account)).filter((op) => /Update|Register|Put|Create/.test(op))).toEqual([]);
});
