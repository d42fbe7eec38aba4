import { DescribeServicesCommand, ECSClient, RegisterTaskDefinitionCommand, UpdateServiceCommand } from "@aws-sdk/client-ecs";
import { CreateSecretCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { describe, expect, test } from "vitest";
import { liveRoles } from "../e2e/live.ts";
import { useSandbox } from "../sandbox/use.ts";
import { createControllerWorld } from "./controller-world.ts";
import { calls, createWorld, documentOf, failures, policy, steps } from "./world.ts";

const sandbox = useSandbox();

const READS = { mode: "Derived" };

/** Service `prod/orders` runs `orders:1`, of one image and one log group; a policy derives its execution role. */
async function shop(executionRole: object = READS, service = true) {
	const world = createWorld(sandbox);
	const { account } = world;
	const ecs = new ECSClient({ ...sandbox.config(account), maxAttempts: 1 });
	const image = (name: string) => `${account}.dkr.ecr.eu-west-1.amazonaws.com/${name}`;
	const repository = (name: string) => `arn:aws:ecr:eu-west-1:${account}:repository/${name}`;
	const secret = (name: string) => `arn:aws:secretsmanager:eu-west-1:${account}:secret:${name}`;
	const executionRoleArn = `arn:aws:iam::${account}:role/ecs-access/orders-execution`;
	await world.seed({
		clusters: [{ name: "prod" }],
		...(service && {
			taskDefinitions: [
				{ family: "orders", executionRoleArn, containerDefinitions: [{ name: "app", image: `${image("orders")}:1` }] },
			],
			services: [{ cluster: "prod", name: "orders", taskDefinition: "orders", desiredCount: 1 }],
		}),
	});
	const orders = (role: object, spec: object = {}): void =>
		world.write("orders.yaml", policy("orders", { statements: [] }, { executionRole: role, ...spec }));
	orders(executionRole);
	const register = async (name: string, more: { readonly secrets?: readonly string[]; readonly group?: string } = {}) => {
		await ecs.send(
			new RegisterTaskDefinitionCommand({
				family: "orders",
				executionRoleArn,
				cpu: "256",
				memory: "512",
				containerDefinitions: [
					{
						name: "app",
						image: image(name),
						secrets: (more.secrets ?? []).map((valueFrom, n) => ({ name: `S${n}`, valueFrom })),
						...(more.group !== undefined && {
							logConfiguration: {
								logDriver: "awslogs",
								options: { "awslogs-group": more.group, "awslogs-region": "eu-west-1", "awslogs-create-group": "true" },
							},
						}),
					},
				],
			}),
		);
	};
	/** The clocks of both: AWS's and the controller's. */
	const pass = async (seconds: number) => {
		world.clock.advance(seconds);
		await sandbox.tick(account, seconds);
	};
	return {
		...world,
		ecs,
		repository,
		secret,
		orders,
		register,
		pass,
		deploy: async () => {
			await ecs.send(new UpdateServiceCommand({ cluster: "prod", service: "orders", taskDefinition: "orders" }));
			await sandbox.tick(account, 0.1);
		},
		/** By statement, what the role grants in AWS. */
		granted: async (): Promise<Readonly<Record<string, readonly string[]>>> => {
			const { inline = {} } = (await world.roles())["orders-execution"] ?? {};
			const documents = Object.values(inline) as unknown as readonly {
				readonly Statement: readonly { readonly Sid: string; readonly Resource: string | readonly string[] }[];
			}[];
			return Object.fromEntries(documents.flatMap((d) => d.Statement).map((s) => [s.Sid, [s.Resource].flat()]));
		},
		status: () => world.store().getStatus("AccessPolicy/orders"),
	};
}

const DAY = 86_400;

describe("a derived execution role", () => {
	test("pulls and logs what the service runs, and reads what git names; then there is nothing to do", async () => {
		const w = await shop();
		w.orders(READS, { secrets: [{ container: "app", name: "S0", secret: "prod/orders" }] });
		await w.register("orders:2", { group: "/ecs/orders", secrets: [w.secret("prod/orders-AbCdEf")] });
		const { file, execution } = await w.apply();
		expect(failures(execution)).toEqual([]);
		expect(findingsOf(file)).not.toContain("UndeclaredAccess");
		expect(calls(file)).toContain("iam:CreateRole");
		const log = `arn:aws:logs:eu-west-1:${w.account}:log-group:/ecs/orders`;
		expect(await w.granted()).toEqual({
			LogInToRegistries: ["*"],
			PullImages: [w.repository("orders")],
			CreateLogGroups: [log, `${log}:*`],
			WriteLogs: [`${log}:*`],
			ReadSecrets: [w.secret("prod/orders-??????")],
		});
		const again = await w.apply();
		expect(calls(again.file)).toEqual([]);
	});

	test("gets no secret that a task definition asks for and git does not allow; and gets it once git does", async () => {
		const w = await shop();
		await w.apply();
		await w.register("orders:2", { secrets: [`${w.secret("prod/billing-AbCdEf")}:key::`] });
		await w.deploy();
		const { file } = await w.apply();
		expect(calls(file)).toEqual([]);
		const found = file.plans.flatMap((p) => p.findings).find((f) => f.id === "UndeclaredAccess");
		expect(found).toMatchObject({
			severity: "warning",
			subject: "service prod/orders",
			message: `service prod/orders asks in orders:2 for ${w.secret("prod/billing-AbCdEf")}, which git does not allow: role orders-execution does not get it`,
		});
		expect(await w.granted()).not.toHaveProperty("ReadSecrets");

		w.orders({ mode: "Derived", allow: [w.secret("prod/billing")] });
		const { file: allowed } = await w.apply();
		expect(findingsOf(allowed)).not.toContain("UndeclaredAccess");
		expect((await w.granted()).ReadSecrets).toEqual([w.secret("prod/billing-AbCdEf")]);
		expect(steps(allowed).map((s) => s.effect)).toEqual(["broadens"]);

		w.orders(READS);
		await w.apply();
		expect(await w.granted()).not.toHaveProperty("ReadSecrets");
	});

	test("grows with a revision before it is deployed, keeps the old one, and shrinks after seven days", async () => {
		const w = await shop();
		await w.apply();
		expect((await w.granted()).PullImages).toEqual([w.repository("orders")]);
		await w.register("shop:1");
		await w.apply();
		expect((await w.granted()).PullImages).toEqual([w.repository("orders"), w.repository("shop")]);

		await w.deploy();
		await w.pass(60);
		expect(calls((await w.apply()).file)).toEqual([]);
		const unused = `image ${w.repository("orders")}`;
		expect((await w.status())?.derived?.["orders-execution"]).toEqual({
			[unused]: w.clock.now(),
			[`image ${w.repository("shop")}`]: null,
		});
		await w.pass(6.9 * DAY);
		expect(calls((await w.apply()).file)).toEqual([]);
		await w.pass(0.1 * DAY);
		const { file } = await w.apply();
		expect(steps(file).map((s) => [s.call.api, s.effect])).toEqual([["iam:PutRolePolicy", "narrows"]]);
		expect((await w.granted()).PullImages).toEqual([w.repository("shop")]);
		expect((await w.status())?.derived?.["orders-execution"]).toEqual({ [`image ${w.repository("shop")}`]: null });
	});

	test("keeps what ECS goes back to while a deployment is under way, however old it is", async () => {
		const w = await shop();
		await w.apply();
		await sandbox.deployments(w.account, { startSeconds: 30 * DAY });
		await w.register("shop:1");
		await w.deploy();
		await w.register("shop:2");
		await w.deploy();
		const { services = [] } = await w.ecs.send(new DescribeServicesCommand({ cluster: "prod", services: ["orders"] }));
		expect(services[0]?.deployments?.find((d) => d.status === "PRIMARY")?.rolloutState).toBe("IN_PROGRESS");
		await w.apply();
		w.clock.advance(8 * DAY);
		await w.apply();
		w.clock.advance(8 * DAY);
		await w.apply();
		expect((await w.granted()).PullImages).toEqual([w.repository("orders"), w.repository("shop")]);
	});

	test("remembers nothing after its store was lost, and so takes away nothing for seven days", async () => {
		const w = await shop();
		await w.apply();
		await w.register("shop:1");
		await w.deploy();
		await w.pass(60);
		await w.apply();
		await w.pass(6 * DAY);
		w.loseStore();
		await w.apply();
		expect((await w.granted()).PullImages).toHaveLength(2);
		await w.pass(6 * DAY);
		expect(calls((await w.apply()).file)).toEqual([]);
		await w.pass(2 * DAY);
		await w.apply();
		expect((await w.granted()).PullImages).toEqual([w.repository("shop")]);
	});

	test("of a service that does not exist yet gets what git alone says, and the rest when it does", async () => {
		const w = await shop(READS, false);
		w.orders(READS, { secrets: [{ container: "app", name: "S0", parameter: "orders/flags" }] });
		await w.apply();
		expect(await w.granted()).toEqual({ ReadParameters: [`arn:aws:ssm:eu-west-1:${w.account}:parameter/orders/flags`] });
		await w.register("orders:1");
		await w.seed({ services: [{ cluster: "prod", name: "orders", taskDefinition: "orders" }] });
		await w.apply();
		expect((await w.granted()).PullImages).toEqual([w.repository("orders")]);
	});

	test("decrypts by the key of its secret, and by that alone", async () => {
		const w = await shop();
		const secrets = new SecretsManagerClient(sandbox.config(w.account));
		const KmsKeyId = `arn:aws:kms:eu-west-1:${w.account}:key/0a1b2c3d-1111-2222-3333-444455556666`;
		await secrets.send(new CreateSecretCommand({ Name: "prod/orders", SecretString: "x", KmsKeyId }));
		w.orders(READS, { secrets: [{ container: "app", name: "S0", secret: "prod/orders" }] });
		await w.apply();
		expect((await w.granted()).DecryptSecrets).toEqual([KmsKeyId]);
	});

	test("is held by guardrails as any role is", async () => {
		const w = await shop();
		await w.apply();
		const rules = [{ id: "no-new-groups", denyActions: ["logs:CreateLogGroup"] }];
		w.write("platform/guardrails.yaml", documentOf("Guardrail", "base", { enforcement: "Deny", rules }));
		await w.register("orders:2", { group: "/ecs/orders" });
		const { file } = await w.apply();
		expect(calls(file)).toEqual(["iam:PutRolePolicy waits: guardrail"]);
		expect(Object.keys(await w.granted())).toEqual(["LogInToRegistries", "PullImages"]);
	});

	test("costs three reads a pass: the service, its newest revision, and the key of its secret", async () => {
		const w = await shop();
		const count = async () => {
			await sandbox.resetCounts(w.account);
			await w.apply();
			return sandbox.counts(w.account);
		};
		const secrets = [{ container: "app", name: "S0", secret: "prod/orders" }];
		w.orders(READS, { secrets });
		await w.apply();
		w.orders({ mode: "Unmanaged", name: "orders-execution", path: "/ecs-access/" }, { secrets });
		await w.apply();
		const without = await count();
		w.orders(READS, { secrets });
		await w.apply();
		const derived = await count();
		const more = Object.fromEntries(
			Object.entries(derived)
				.map(([op, n]): [string, number] => [op, n - (without[op] ?? 0)])
				.filter(([, n]) => n !== 0),
		);
		expect(more).toEqual({ "ecs:DescribeServices": 1, "ecs:DescribeTaskDefinition": 1, "secretsmanager:DescribeSecret": 1 });
	});
});

test("a controller lets it grow when a revision is registered, and shrink a week after nothing needs the old one", async () => {
	const w = createControllerWorld(sandbox);
	const { account } = w;
	const image = (name: string) => `${account}.dkr.ecr.eu-west-1.amazonaws.com/${name}:1`;
	const ecs = new ECSClient({ ...sandbox.config(account), maxAttempts: 1 });
	await sandbox.seed(account, {
		clusters: [{ name: "prod" }],
		taskDefinitions: [{ family: "orders", containerDefinitions: [{ name: "app", image: image("old") }] }],
		services: [{ cluster: "prod", name: "orders", taskDefinition: "orders" }],
	});
	w.write("orders.yaml", policy("orders", { statements: [] }, { executionRole: READS, accountRef: "prod" }));
	const pulls = async (): Promise<readonly string[]> => {
		const text = JSON.stringify((await liveRoles(w.iam))["orders-execution"]?.inline ?? {});
		return [...text.matchAll(/repository\/([a-z]+)/g)].map(([, name = ""]) => name);
	};
	await w.commit();
	await w.resync();
	expect(await pulls()).toEqual(["old"]);
	const containerDefinitions = [{ name: "app", image: image("new") }];
	await ecs.send(new RegisterTaskDefinitionCommand({ family: "orders", cpu: "256", memory: "512", containerDefinitions }));
	w.manager().hint({ type: "ecs.family", account, region: "eu-west-1", name: "orders" });
	// Events of one moment are waited for a little.
	await expect.poll(pulls, { timeout: 20_000 }).toEqual(["new", "old"]);

	await ecs.send(new UpdateServiceCommand({ cluster: "prod", service: "orders", taskDefinition: "orders" }));
	await sandbox.tick(account, 0.1);
	await sandbox.tick(account, 60);
	await w.resync();
	w.clock.ahead(6.5 * DAY);
	await w.resync();
	expect(await pulls()).toEqual(["new", "old"]);
	w.clock.ahead(0.5 * DAY);
	await w.resync();
	expect(await pulls()).toEqual(["new"]);
});

function findingsOf(file: Awaited<ReturnType<ReturnType<typeof createWorld>["plan"]>>): readonly string[] {
	return file.plans.flatMap((p) => p.findings.map((f) => f.id));
}
