import {
	CreateClusterCommand,
	CreateServiceCommand,
	type CreateServiceCommandInput,
	ECSClient,
	RegisterTaskDefinitionCommand,
} from "@aws-sdk/client-ecs";
import { EventBridgeClient, PutRuleCommand, PutTargetsCommand, type Target } from "@aws-sdk/client-eventbridge";
import {
	AttachRolePolicyCommand,
	CreateAccountAliasCommand,
	CreatePolicyCommand,
	CreateRoleCommand,
	DeleteRolePolicyCommand,
	IAMClient,
	ListRolePoliciesCommand,
	ListRoleTagsCommand,
	PutRolePolicyCommand,
	UntagRoleCommand,
} from "@aws-sdk/client-iam";
import { CreateSecretCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import type { SeedData } from "../sandbox/seed-data.ts";

/**
 * Fills an AWS endpoint over its public API, so that the demo works with any emulator. What is there already stays as it
 * is, but for the company's own roles: what an earlier demo left on them is taken off. What an emulator does not know (AWS's own managed policies, say) is left out, and told.
 */
export async function fill(endpoint: string, seed: SeedData): Promise<readonly string[]> {
	const config = { endpoint, maxAttempts: 2, ...(seed.region === undefined ? {} : { region: seed.region }) };
	const [iam, ecs, secrets, events] = [
		new IAMClient(config),
		new ECSClient(config),
		new SecretsManagerClient(config),
		new EventBridgeClient(config),
	];
	const leftOut: string[] = [];
	const make = async (what: string, call: () => Promise<unknown>): Promise<void> => {
		try {
			await call();
		} catch (error) {
			if (!(error instanceof Error)) throw error;
			if (THERE.test(error.name) || THERE.test(error.message)) return;
			if (!("$metadata" in error) || error.name === "TimeoutError") throw error;
			leftOut.push(`${what}: ${error.name}`);
		}
	};
	if (seed.alias !== undefined) {
		const { alias } = seed;
		await make("account alias", () => iam.send(new CreateAccountAliasCommand({ AccountAlias: alias })));
	}
	for (const p of seed.policies ?? []) {
		await make(`policy ${p.name}`, () =>
			iam.send(new CreatePolicyCommand({ PolicyName: p.name, PolicyDocument: text(p.document) })),
		);
	}
	for (const r of seed.roles ?? []) {
		const role = { RoleName: r.name };
		await make(`role ${r.name}`, () =>
			iam.send(new CreateRoleCommand({ ...role, Path: r.path ?? "/", AssumeRolePolicyDocument: text(r.trust) })),
		);
		await make(`a fresh ${r.name}`, () => takeOffLeftovers(iam, r.name, Object.keys(r.inline ?? {})));
		for (const [name, document] of Object.entries(r.inline ?? {})) {
			await make(`policy ${name} of ${r.name}`, () =>
				iam.send(new PutRolePolicyCommand({ ...role, PolicyName: name, PolicyDocument: text(document) })),
			);
		}
		for (const arn of r.attached ?? []) {
			await make(`${arn} of ${r.name}`, () => iam.send(new AttachRolePolicyCommand({ ...role, PolicyArn: arn })));
		}
	}
	for (const s of seed.secrets ?? []) {
		await make(`secret ${s.name}`, () =>
			secrets.send(new CreateSecretCommand({ Name: s.name, SecretString: s.value ?? "sandbox" })),
		);
	}
	for (const c of seed.clusters ?? [])
		await make(`cluster ${c.name}`, () => ecs.send(new CreateClusterCommand({ clusterName: c.name })));
	for (const t of seed.taskDefinitions ?? []) {
		await make(`task definition ${t.family}`, () =>
			ecs.send(
				new RegisterTaskDefinitionCommand({
					family: t.family,
					taskRoleArn: t.taskRoleArn,
					executionRoleArn: t.executionRoleArn,
					containerDefinitions: t.containerDefinitions.map((c) => ({
						name: c.name,
						image: c.image,
						memory: 128,
						environment: [...(c.environment ?? [])],
						secrets: [...(c.secrets ?? [])],
					})),
				}),
			),
		);
	}
	for (const s of seed.services ?? []) {
		const input: CreateServiceCommandInput = {
			cluster: s.cluster,
			serviceName: s.name,
			taskDefinition: s.taskDefinition,
			desiredCount: s.desiredCount ?? 1,
			...(s.deploymentController === undefined ? {} : { deploymentController: { type: s.deploymentController } }),
		};
		await make(`service ${s.name}`, () => ecs.send(new CreateServiceCommand(input)));
	}
	for (const r of seed.rules ?? []) {
		await make(`rule ${r.name}`, () =>
			events.send(new PutRuleCommand({ Name: r.name, ScheduleExpression: r.scheduleExpression })),
		);
		await make(`targets of ${r.name}`, () =>
			events.send(new PutTargetsCommand({ Rule: r.name, Targets: r.targets as Target[] })),
		);
	}
	return leftOut;
}

/** So that the film can be shown twice on one endpoint: no marks, and no inline policy that the company does not have. */
async function takeOffLeftovers(iam: IAMClient, role: string, inline: readonly string[]): Promise<void> {
	const { Tags = [] } = await iam.send(new ListRoleTagsCommand({ RoleName: role }));
	const marks = Tags.flatMap(({ Key = "" }) => (Key.startsWith("ecs-access.dev/") ? [Key] : []));
	if (marks.length > 0) await iam.send(new UntagRoleCommand({ RoleName: role, TagKeys: marks }));
	const { PolicyNames = [] } = await iam.send(new ListRolePoliciesCommand({ RoleName: role }));
	for (const name of PolicyNames.filter((n) => !inline.includes(n)))
		await iam.send(new DeleteRolePolicyCommand({ RoleName: role, PolicyName: name }));
}

const THERE = /AlreadyExists|EntityAlreadyExists|ResourceExists|not idempotent/i;

function text(document: string | { readonly Statement: unknown }): string {
	return typeof document === "string" ? document : JSON.stringify(document);
}
