import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { DescribeServicesCommand, ECSClient, UpdateServiceCommand } from "@aws-sdk/client-ecs";
import { expect, test } from "vitest";
import { stringify } from "yaml";
import { type Person, person } from "../e2e/cli.ts";
import { roleSeed, serviceSeed, taskDefinitionSeed } from "../sandbox/seed-data.ts";
import { useSandbox } from "../sandbox/use.ts";
import { policy } from "../scenarios/world.ts";

const sandbox = useSandbox();
const READS = { statements: [{ actions: ["s3:GetObject"], resources: ["arn:aws:s3:::catalogue/*"] }] };
const SECRET = "hunter2-in-the-clear";

/** The real program in front of a service whose policy says `binding: Enforce`. */
async function shop(breaker: { readonly enable: boolean; readonly rollback: boolean }) {
	const account = sandbox.newAccount();
	await sandbox.seed(account, {
		roles: [roleSeed("legacy")],
		clusters: [{ name: "prod" }],
		taskDefinitions: [
			taskDefinitionSeed("orders", { taskRoleArn: `arn:aws:iam::${account}:role/legacy`, environment: { DB_PASSWORD: SECRET } }),
		],
		services: [serviceSeed("prod", "orders", { desiredCount: 2 })],
	});
	const ecs = new ECSClient({ ...sandbox.config(account), maxAttempts: 1 });
	await ecs.send(
		new UpdateServiceCommand({
			cluster: "prod",
			service: "orders",
			deploymentConfiguration: { deploymentCircuitBreaker: breaker },
		}),
	);
	const who: Person = person(sandbox, account);
	who.write("policies/orders.yaml", stringify(policy("orders", READS, { binding: "Enforce" })));
	return {
		account,
		who,
		runs: async () => {
			const { services } = await ecs.send(new DescribeServicesCommand({ cluster: "prod", services: ["orders"] }));
			return services?.[0]?.taskDefinition?.split("/")[1];
		},
	};
}

test("apply --wait ends with 0 when the service runs as git says", async () => {
	const { who, runs } = await shop({ enable: true, rollback: true });
	const result = await who.run("apply", "--yes", "--wait", "--state-dir", "state");
	expect(result, result.stdout + result.stderr).toMatchObject({ code: 0 });
	expect(result.stdout).toContain("Restarts: prod/orders.");
	expect(result.stdout).toContain("prod/orders runs orders:2 as git says, 2 of 2 tasks running");
	expect(result.stdout + result.stderr).not.toContain(SECRET);
	const kept = readdirSync(join(who.cwd, "state"), { recursive: true, withFileTypes: true }).filter((f) => f.isFile());
	const texts = kept.map((f) => readFileSync(join(f.parentPath, f.name), "latin1"));
	expect(texts.some((text) => text.includes("task-definition/orders:1"))).toBe(true);
	expect(texts.filter((text) => text.includes(SECRET))).toEqual([]);
	expect(await runs()).toBe("orders:2");
	const get = await who.run("get", "accesspolicies", "--state-dir", "state");
	expect(get.stdout).toContain("as git says");
});

test("apply --wait takes back what fails, and ends with 1; the next apply leaves it", async () => {
	for (const rollback of [true, false]) {
		const { account, who, runs } = await shop({ enable: true, rollback });
		await sandbox.deployments(account, { fail: [{ taskDefinition: "orders:2" }] });
		const result = await who.run("apply", "--yes", "--wait", "--state-dir", "state");
		expect(result, result.stdout + result.stderr).toMatchObject({ code: 1 });
		expect(result.stdout).toContain("service prod/orders is back on orders:1: the rollout of orders:2 failed");
		expect(await runs()).toBe("orders:1");
		const get = await who.run("get", "accesspolicies", "--state-dir", "state");
		expect(get.stdout).toContain("waits: failed rollout");
		const again = await who.run("apply", "--yes", "--wait", "--state-dir", "state");
		expect(again).toMatchObject({ code: 2 });
		expect(await runs()).toBe("orders:1");
	}
});

test("apply --wait-for ends with 2 when the time is over first", async () => {
	const { account, who, runs } = await shop({ enable: false, rollback: false });
	await sandbox.deployments(account, { startSeconds: 1000 });
	const result = await who.run("apply", "--yes", "--wait-for", "4s", "--state-dir", "state");
	expect(result, result.stdout + result.stderr).toMatchObject({ code: 2 });
	expect(result.stdout).toContain("prod/orders is not there yet: orders:2 is being rolled out, 0 of 2 tasks running");
	expect(await runs()).toBe("orders:2");
	const wrong = await who.run("apply", "--yes", "--wait-for", "soon", "--state-dir", "state");
	expect(wrong).toMatchObject({ code: 1 });
	expect(wrong.stderr).toContain("--wait-for soon is no duration");
});
