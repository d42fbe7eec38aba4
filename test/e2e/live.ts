import {
	GetAccountAuthorizationDetailsCommand,
	GetRoleCommand,
	IAMClient,
	ListRolesCommand,
	type RoleDetail,
} from "@aws-sdk/client-iam";
import type { Sandbox } from "../sandbox/sandbox.ts";

/** A role as AWS has it, read through the SDK alone: nothing of the product looks at it. */
export interface LiveRole {
	readonly name: string;
	readonly path: string;
	readonly trust: unknown;
	readonly inline: Readonly<Record<string, unknown>>;
	readonly attached: readonly string[];
	readonly boundary: string | null;
	readonly tags: Readonly<Record<string, string>>;
}

export function iamOf(sandbox: Sandbox, account: string): IAMClient {
	return new IAMClient({ ...sandbox.config(account), maxAttempts: 1 });
}

/** Every role of the account by name. */
export async function liveRoles(iam: IAMClient): Promise<Readonly<Record<string, LiveRole>>> {
	const { RoleDetailList = [] } = await iam.send(new GetAccountAuthorizationDetailsCommand({ Filter: ["Role"], MaxItems: 1000 }));
	const roles = await Promise.all(RoleDetailList.map((r) => liveRole(iam, r)));
	return Object.fromEntries(roles.map((r) => [r.name, r]));
}

export async function roleNames(iam: IAMClient): Promise<readonly string[]> {
	const { Roles = [] } = await iam.send(new ListRolesCommand({ MaxItems: 1000 }));
	return Roles.map((r) => r.RoleName ?? "").sort();
}

/** The details lack the boundary (moto-facts, IAM). */
async function liveRole(iam: IAMClient, detail: RoleDetail): Promise<LiveRole> {
	const { Role } = await iam.send(new GetRoleCommand({ RoleName: detail.RoleName }));
	return {
		name: detail.RoleName ?? "",
		path: detail.Path ?? "",
		trust: document(detail.AssumeRolePolicyDocument),
		inline: Object.fromEntries((detail.RolePolicyList ?? []).map((p) => [p.PolicyName ?? "", document(p.PolicyDocument)])),
		attached: (detail.AttachedManagedPolicies ?? []).map((p) => p.PolicyArn ?? "").sort(),
		boundary: Role?.PermissionsBoundary?.PermissionsBoundaryArn ?? null,
		tags: Object.fromEntries((Role?.Tags ?? []).map((t) => [t.Key ?? "", t.Value ?? ""])),
	};
}

function document(encoded: string | undefined): unknown {
	return JSON.parse(decodeURIComponent(encoded ?? "null"));
}
