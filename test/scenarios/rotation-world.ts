import { DescribeServicesCommand, ECSClient, type Service } from "@aws-sdk/client-ecs";
import { DescribeSecretCommand, GetSecretValueCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { askRotation } from "../../controller/engine/rotation-asks.ts";
import type { Outside } from "../../controller/model/oauth-client.ts";
import type { PlanFile } from "../../controller/model/plan.ts";
import { rotationId } from "../../controller/model/rotation-marks.ts";
import type { RotationView } from "../../controller/model/rotation-view.ts";
import type { Sandbox } from "../sandbox/sandbox.ts";
import { type Applied, createWorld, documentOf, type World } from "./world.ts";

export const KEY = "SecretRotation/signing";
const GENERATE = { generate: { keys: ["signingKey"] } };
const SUFFIX = "AbCdEf";

/** Secret `signing`, injected by services of cluster `prod` with two tasks each, and a rotation of it. */
export interface RotationWorld extends World {
	readonly ecs: ECSClient;
	readonly secrets: SecretsManagerClient;
	/** ARN of the secret. */
	readonly secret: string;
	/** Time passes for both: for AWS and for us. */
	readonly pass: (seconds: number) => Promise<void>;
	/** What git says of it from now on. */
	readonly rotates: (spec: object) => void;
	readonly ask: (reason?: string | null) => Promise<void>;
	/** One look, and its step. */
	readonly step: () => Promise<Applied>;
	/** Looks as often as the plan says, until `until` says so or nothing is under way; at most `most` times. */
	readonly go: (until?: (view: RotationView) => boolean, most?: number) => Promise<RotationView>;
	readonly view: (file: PlanFile) => RotationView;
	/** The version of the rotation that was asked for last. */
	readonly next: string;
	readonly labels: () => Promise<Readonly<Record<string, readonly string[]>>>;
	readonly tags: () => Promise<Readonly<Record<string, string>>>;
	readonly value: (stage?: string) => Promise<Readonly<Record<string, string>>>;
	readonly version: (label: string) => Promise<string | undefined>;
	readonly service: (name: string) => Promise<Service>;
	/** Which versions the running tasks of a service hold. */
	readonly held: (name: string) => Promise<readonly string[]>;
}

export interface RotationOptions {
	readonly services?: readonly string[];
	readonly spec?: object;
	readonly value?: string;
	readonly outside?: Outside;
	/** Of each service: its secrets, by variable; default SIGNING_KEY from the key `signingKey`. */
	readonly injected?: Readonly<Record<string, Readonly<Record<string, string>>>>;
	readonly jsonKey?: string;
}

export async function createRotationWorld(sandbox: Sandbox, options: RotationOptions = {}): Promise<RotationWorld> {
	const world = createWorld(sandbox, undefined, options.outside);
	const { account } = world;
	const { services = ["api", "web", "jobs"], spec = {}, injected = {} } = options;
	const arn = `arn:aws:secretsmanager:eu-west-1:${account}:secret:signing-${SUFFIX}`;
	await world.seed({
		secrets: [
			{ name: "signing", suffix: SUFFIX, value: options.value ?? JSON.stringify({ signingKey: "old-value", other: "kept" }) },
		],
		clusters: [{ name: "prod" }],
		taskDefinitions: services.map((name) => ({
			family: name,
			containerDefinitions: [
				{
					name: "app",
					image: "registry.acme.example/app:1",
					secrets: Object.entries(injected[name] ?? { SIGNING_KEY: `${arn}:${options.jsonKey ?? "signingKey"}::` }).map(
						([variable, valueFrom]) => ({ name: variable, valueFrom: valueFrom.replace("SECRET", arn) }),
					),
				},
			],
		})),
		services: services.map((name) => ({ cluster: "prod", name, taskDefinition: name, desiredCount: 2 })),
	});
	const rotates = (more: object): void =>
		world.write("signing.yaml", documentOf("SecretRotation", "signing", { secret: "signing", strategy: GENERATE, ...more }));
	rotates(spec);
	const ecs = new ECSClient({ ...sandbox.config(account), maxAttempts: 1 });
	const secrets = new SecretsManagerClient({ ...sandbox.config(account), maxAttempts: 1 });
	const described = () => secrets.send(new DescribeSecretCommand({ SecretId: "signing" }));
	const labels = async () => (await described()).VersionIdsToStages ?? {};
	const viewOf = (file: PlanFile): RotationView => {
		const view = file.plans.find((p) => p.key === KEY)?.rotation;
		if (view === undefined) throw new Error("the plan has no rotation");
		return view;
	};
	const pass = async (seconds: number): Promise<void> => {
		world.clock.advance(seconds);
		await sandbox.tick(account, seconds);
	};
	let next = "";
	return {
		...world,
		get next() {
			return next;
		},
		ecs,
		secrets,
		secret: arn,
		pass,
		rotates,
		ask: async (reason = "a test") => {
			const at = world.clock.now();
			next = rotationId({ installation: "default", key: KEY, secret: arn, at });
			await askRotation(world.store(), KEY, { at, by: "kim", reason });
		},
		step: () => world.apply(),
		go: async (until = () => false, most = 60) => {
			let view = viewOf(await world.plan());
			for (let n = 0; n < most; n++) {
				const { file, execution } = await world.apply();
				view = viewOf(file);
				if (until(view)) return view;
				if (view.phase === "idle" || view.phase === "failed") return view;
				const ran = execution.runs.some((r) => r.error === null);
				if (!ran && view.phase === "waiting") return view;
				await pass(ran ? 1 : 5);
			}
			throw new Error(`it has not ended after ${most} looks: ${JSON.stringify(view, null, 1)}`);
		},
		view: viewOf,
		labels,
		tags: async () =>
			Object.fromEntries(
				((await described()).Tags ?? []).map((t) => [t.Key?.replace("ecs-access.dev/", "") ?? "", t.Value ?? ""]),
			),
		value: async (VersionStage = "AWSCURRENT") =>
			JSON.parse((await secrets.send(new GetSecretValueCommand({ SecretId: "signing", VersionStage }))).SecretString ?? "{}"),
		version: async (label) => Object.entries(await labels()).find(([, all]) => all.includes(label))?.[0],
		service: async (name) => {
			const answer = await ecs.send(new DescribeServicesCommand({ cluster: "prod", services: [name] }));
			return answer.services?.[0] as Service;
		},
		held: async (name) =>
			(await sandbox.tasks(account))
				.filter((t) => t.group === `service:${name}` && t.lastStatus === "RUNNING")
				.flatMap((t) => t.secretVersions.map((v) => v.versionId)),
	};
}
