import type { RegisterTaskDefinitionCommandInput, TaskDefinition } from "@aws-sdk/client-ecs";
import { expect, test } from "vitest";
import { createBindingWriter } from "../../../controller/aws/binding-write.ts";
import { AwsError } from "../../../controller/aws/errors.ts";
import type { CallAws } from "../../../controller/aws/operations.ts";
import { createRotationMemory } from "../../../controller/aws/rotation-memory.ts";
import type { TaskDefinitions, TaskDefinitionView } from "../../../controller/aws/task-definition.ts";
import { bindingDigest, serviceFingerprint } from "../../../controller/model/binding.ts";
import { ConflictError, TerminalError } from "../../../controller/model/errors.ts";
import type { Step } from "../../../controller/model/plan.ts";
import type { Provider } from "../../../controller/model/ports.ts";
import type { Binding, ServiceState, Target } from "../../../controller/model/target.ts";

const ACCOUNT = "123456789012";
const VALUE = "hunter2-in-the-clear";
const arn = (n: number): string => `arn:aws:ecs:eu-west-1:${ACCOUNT}:task-definition/orders:${n}`;
const secret = (name: string): string => `arn:aws:secretsmanager:eu-west-1:${ACCOUNT}:secret:${name}`;
const TASK = `arn:aws:iam::${ACCOUNT}:role/ecs-access/orders-task`;
const WANTED: Partial<Binding> = { taskRole: TASK, secrets: { "app/URL": secret("db"), "app/KEY": secret("key") } };
const LIVE: Binding = { taskRole: null, executionRole: null, secrets: { "app/URL": secret("db-AbCdEf") } };
const TARGET: Target<"ecs.service"> = { type: "ecs.service", account: ACCOUNT, region: "eu-west-1", name: "prod/orders" };
const STATE: ServiceState = {
	...LIVE,
	taskDefinition: arn(7),
	controller: "ECS",
	express: false,
	desiredCount: 1,
	runningCount: 1,
	plaintext: [],
	containers: ["app"],
};

const BASE: TaskDefinition = {
	taskDefinitionArn: arn(7),
	family: "orders",
	revision: 7,
	status: "ACTIVE",
	requiresAttributes: [{ name: "x" }],
	compatibilities: ["FARGATE"],
	registeredAt: new Date(0),
	registeredBy: "arn:aws:iam::123456789012:user/ci",
	cpu: "256",
	memory: "512",
	networkMode: "awsvpc",
	runtimePlatform: { cpuArchitecture: "ARM64" },
	ephemeralStorage: { sizeInGiB: 30 },
	volumes: [{ name: "data" }],
	containerDefinitions: [
		{
			name: "app",
			image: "orders:1",
			environment: [
				{ name: "PASSWORD", value: VALUE },
				{ name: "KEY", value: "was in the clear" },
			],
			secrets: [{ name: "URL", valueFrom: secret("db-AbCdEf") }],
		},
	],
};

function step(over: Partial<Step> = {}): Step {
	const base = arn(7);
	return {
		id: "s#1",
		target: TARGET,
		call: {
			api: "ecs:UpdateService",
			input: { cluster: "prod", service: "orders", base, binding: WANTED, digest: bindingDigest(WANTED, base) },
		},
		why: "spec-changed",
		effect: "none",
		gains: [],
		losses: [],
		diff: [],
		before: null,
		after: null,
		precondition: serviceFingerprint(STATE),
		after_: [],
		settle: 0,
		state: "ready",
		...over,
	};
}

/** ECS with one service, whose RegisterTaskDefinition answers as told. */
function ecs(register: () => string | Error = () => arn(8)) {
	const calls: [string, unknown][] = [];
	const call = (async (op: string, _place: unknown, input: unknown) => {
		calls.push([op, input]);
		if (op === "ecs:DescribeTaskDefinition") {
			return {
				taskDefinition: BASE,
				tags: [
					{ key: "team", value: "orders" },
					{ key: "aws:x", value: "y" },
				],
				$metadata: {},
			};
		}
		if (op === "ecs:UpdateService") return { $metadata: { requestId: "r-1" } };
		const answer = register();
		if (answer instanceof Error) throw answer;
		return { taskDefinition: { taskDefinitionArn: answer }, $metadata: {} };
	}) as unknown as CallAws;
	const view = { arn: arn(7), bound: null } as TaskDefinitionView;
	const taskDefinitions: TaskDefinitions = {
		get: async () => view,
		newest: async () => view,
		bindings: async (views) => views.map(() => LIVE),
	};
	const services = {
		observe: async () => [
			{
				target: TARGET,
				exists: true,
				arn: "",
				state: STATE,
				fingerprint: serviceFingerprint(STATE),
				owner: null,
				holdUntil: null,
				lastUsed: null,
			},
		],
	} as unknown as Provider<"ecs.service">;
	const writer = createBindingWriter({
		call,
		clock: { now: () => "2026-11-24T12:00:00Z", millis: () => 0, sleep: async () => {} },
		account: ACCOUNT,
		taskDefinitions,
		services: () => services,
		memory: createRotationMemory(),
		families: () => {
			throw new Error("no family here");
		},
	});
	const sent = (op: string): unknown => calls.find(([name]) => name === op)?.[1];
	return { writer, sent, calls };
}

const signal = AbortSignal.timeout(10_000);

function refusal(said: string): AwsError {
	const details = { code: "Client", said, requestId: "r-2", operation: "ecs:RegisterTaskDefinition", status: 400 } as const;
	return new AwsError(`could not register: ${said}`, details);
}

test("a new revision has all that the old one had, but for what ECS alone says, and what git says", async () => {
	const { writer, sent } = ecs();
	expect(await writer.service(step(), signal)).toEqual({ result: "applied", requestId: "r-1" });
	const { tags, containerDefinitions, ...rest } = sent("ecs:RegisterTaskDefinition") as RegisterTaskDefinitionCommandInput;
	expect(rest).toEqual({
		family: "orders",
		cpu: "256",
		memory: "512",
		networkMode: "awsvpc",
		runtimePlatform: { cpuArchitecture: "ARM64" },
		ephemeralStorage: { sizeInGiB: 30 },
		volumes: [{ name: "data" }],
		taskRoleArn: TASK,
	});
	expect(containerDefinitions).toEqual([
		{
			name: "app",
			image: "orders:1",
			environment: [{ name: "PASSWORD", value: VALUE }],
			secrets: [
				{ name: "URL", valueFrom: secret("db-AbCdEf") },
				{ name: "KEY", valueFrom: secret("key") },
			],
		},
	]);
	expect(tags).toEqual([
		{ key: "team", value: "orders" },
		{ key: "ecs-access.dev/binding", value: bindingDigest(WANTED, arn(7)) },
		{ key: "ecs-access.dev/binding-base", value: arn(7) },
	]);
	expect(sent("ecs:UpdateService")).toEqual({ cluster: "prod", service: "orders", taskDefinition: arn(8) });
});

test("a refusal that quotes a value of the task definition is not shown, another is", async () => {
	const quoting = ecs(() => refusal(`Invalid value '${VALUE}' for PASSWORD`));
	const error = await quoting.writer.service(step(), signal).catch((e: unknown) => e);
	expect(error).toBeInstanceOf(TerminalError);
	expect(String(error)).not.toContain(VALUE);
	expect(String(error)).toContain("r-2");
	expect(quoting.sent("ecs:UpdateService")).toBeUndefined();
	const plain = ecs(() => refusal("Role is not valid"));
	await expect(plain.writer.service(step(), signal)).rejects.toThrow("Role is not valid");
});

test("nothing is written for what has moved, waits, or is another's", async () => {
	for (const [forged, error] of [
		[{ precondition: "sha256:0" }, ConflictError],
		[{ state: { waiting: "approval", detail: "" } }, TerminalError],
		[{ target: { ...TARGET, account: "999999999999" } }, TerminalError],
		[{ target: { ...TARGET, name: "prod/other" } }, TerminalError],
		[{ call: { api: "iam:DeleteRole", input: { RoleName: "x" } } }, TerminalError],
	] as const) {
		const { writer, calls } = ecs();
		await expect(writer.service(step(forged), signal)).rejects.toBeInstanceOf(error);
		expect(calls.map(([op]) => op).filter((op) => !op.startsWith("ecs:Describe"))).toEqual([]);
	}
});
