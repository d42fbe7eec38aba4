import type { Sandbox } from "../sandbox/sandbox.ts";
import { serviceSeed, taskDefinitionSeed } from "../sandbox/seed-data.ts";
import { isWrite } from "../sandbox/wire.ts";
import { type Person, person } from "./cli.ts";
import { iamOf } from "./live.ts";

/** A fresh account with its alias, a service `prod/NAME` for each name, and somebody who acts in it. */
export async function accountWith(
	sandbox: Sandbox,
	...names: readonly string[]
): Promise<{ readonly account: string; readonly kim: Person; readonly iam: ReturnType<typeof iamOf> }> {
	const account = sandbox.newAccount();
	await sandbox.seed(account, {
		alias: "acme-prod",
		clusters: [{ name: "prod" }],
		taskDefinitions: names.map((name) =>
			taskDefinitionSeed(name, { taskRoleArn: `arn:aws:iam::${account}:role/ecs-access/${name}-task` }),
		),
		services: names.map((name) => serviceSeed("prod", name)),
	});
	return { account, kim: person(sandbox, account), iam: iamOf(sandbox, account) };
}

/** The text of a policy for service `prod/NAME`; `role` are more lines of its taskRole, `spec` of its spec. */
export function policyText(
	name: string,
	options: { readonly actions?: string; readonly role?: string; readonly spec?: string } = {},
): string {
	return `apiVersion: ecs-access.dev/v1alpha1
kind: AccessPolicy
metadata: { name: ${name} }
spec:
  workloads: [{ cluster: prod, services: [${name}] }]
${options.spec === undefined ? "" : `  ${options.spec}\n`}  taskRole:
${options.role === undefined ? "" : `    ${options.role}\n`}    statements:
      - { actions: [${options.actions ?? "s3:GetObject"}], resources: ["arn:aws:s3:::catalogue/*"] }
`;
}

export function documentText(kind: string, name: string, spec: string): string {
	return `apiVersion: ecs-access.dev/v1alpha1\nkind: ${kind}\nmetadata: { name: ${name} }\nspec: ${spec}\n`;
}

/** Writes that came to AWS, by operation. */
export async function writes(sandbox: Sandbox, account: string): Promise<Readonly<Record<string, number>>> {
	return Object.fromEntries(Object.entries(await sandbox.counts(account)).filter(([operation]) => isWrite(operation)));
}
