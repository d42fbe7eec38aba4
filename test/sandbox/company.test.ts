import { DescribeServicesCommand, DescribeTaskDefinitionCommand, ECSClient, ListClustersCommand } from "@aws-sdk/client-ecs";
import { EventBridgeClient, ListTargetsByRuleCommand } from "@aws-sdk/client-eventbridge";
import { GetAccountAuthorizationDetailsCommand, IAMClient } from "@aws-sdk/client-iam";
import { ListSchedulesCommand, SchedulerClient } from "@aws-sdk/client-scheduler";
import { GetSecretValueCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { expect, test } from "vitest";
import { company } from "./company.ts";
import { generateFleet } from "./fleet.ts";
import { serviceSeed, taskDefinitionSeed } from "./seed-data.ts";
import { useSandbox } from "./use.ts";

const sandbox = useSandbox();

async function detailsOf(account: string) {
	const iam = new IAMClient(sandbox.config(account));
	return iam.send(new GetAccountAuthorizationDetailsCommand({ Filter: ["Role", "LocalManagedPolicy"], MaxItems: 1000 }));
}

test("every role that the demo company's task definitions, rule and documents name exists", async () => {
	const account = sandbox.newAccount();
	const seed = company(account);
	await sandbox.seed(account, seed);
	const roles = new Set((await detailsOf(account)).RoleDetailList?.map((role) => role.Arn));
	expect(roles.size).toBe(seed.roles?.length);
	const named = JSON.stringify(seed).match(new RegExp(`arn:aws:iam::${account}:role/[\\w/-]+`, "g")) ?? [];
	expect(named.filter((arn) => !roles.has(arn))).toEqual([]);
});

test("the secrets that the demo company injects can be read by the ARNs in its task definitions", async () => {
	const account = sandbox.newAccount();
	const { secrets } = await sandbox.seed(account, company(account));
	const ecs = new ECSClient(sandbox.config(account));
	const client = new SecretsManagerClient(sandbox.config(account));
	const { taskDefinition } = await ecs.send(new DescribeTaskDefinitionCommand({ taskDefinition: "orders-api" }));
	const [password, stripe] = taskDefinition?.containerDefinitions?.[0]?.secrets ?? [];
	expect(password?.valueFrom).toBe(`${secrets[0]}:password::`);
	expect(stripe?.valueFrom).toBe(secrets[1]);
	expect(await client.send(new GetSecretValueCommand({ SecretId: stripe?.valueFrom }))).toMatchObject({ Name: "prod/stripe" });
});

test("the demo company runs: clusters, services of every kind, and a nightly task", async () => {
	const account = sandbox.newAccount();
	await sandbox.seed(account, company(account));
	const ecs = new ECSClient(sandbox.config(account));
	expect((await ecs.send(new ListClustersCommand({}))).clusterArns).toHaveLength(2);
	const { services } = await ecs.send(new DescribeServicesCommand({ cluster: "prod", services: ["web", "checkout", "billing"] }));
	expect(services).toMatchObject([
		{ deploymentController: { type: "CODE_DEPLOY" } },
		{ resourceManagementType: "ECS" },
		{ deploymentController: { type: "ECS" }, runningCount: 2 },
	]);
	const events = new EventBridgeClient(sandbox.config(account));
	const { Targets } = await events.send(new ListTargetsByRuleCommand({ Rule: "orders-nightly" }));
	expect(Targets).toMatchObject([{ RoleArn: `arn:aws:iam::${account}:role/ecsEventsRole` }]);
});

test("a schedule of EventBridge Scheduler can be seeded", async () => {
	const account = sandbox.newAccount();
	const target = { Arn: `arn:aws:ecs:eu-west-1:${account}:cluster/prod`, RoleArn: `arn:aws:iam::${account}:role/scheduler` };
	await sandbox.seed(account, { schedules: [{ name: "hourly", scheduleExpression: "rate(1 hour)", target }] });
	const { Schedules } = await new SchedulerClient(sandbox.config(account)).send(new ListSchedulesCommand({}));
	expect(Schedules).toMatchObject([{ Name: "hourly", Target: { Arn: target.Arn } }]);
});

test("a seed that names a policy or task definition that is not there is refused", async () => {
	const account = sandbox.newAccount();
	const attached = ["arn:aws:iam::aws:policy/NoSuchPolicy"];
	const role = { name: "r", trust: "{}", attached };
	await expect(sandbox.seed(account, { roles: [role] })).rejects.toThrow("no such policy: arn:aws:iam::aws:policy/NoSuchPolicy");
	const seed = { clusters: [{ name: "prod" }], taskDefinitions: [taskDefinitionSeed("a")], services: [serviceSeed("prod", "b")] };
	await expect(sandbox.seed(account, seed)).rejects.toThrow("task definition");
});

test("a fleet has two roles and one service for each name", async () => {
	const account = sandbox.newAccount();
	const fleet = generateFleet(account, 300, "/ecs-access/");
	await sandbox.seed(account, fleet);
	expect((await detailsOf(account)).RoleDetailList).toHaveLength(600);
	const ecs = new ECSClient(sandbox.config(account));
	expect(fleet.clusters).toEqual([{ name: "fleet-a" }, { name: "fleet-b" }]);
	const { services } = await ecs.send(new DescribeServicesCommand({ cluster: "fleet-b", services: ["fleet-0299"] }));
	const taskDefinition = services?.[0]?.taskDefinition;
	const described = await ecs.send(new DescribeTaskDefinitionCommand({ taskDefinition }));
	expect(described.taskDefinition?.taskRoleArn).toBe(`arn:aws:iam::${account}:role/ecs-access/fleet-0299-task`);
});
