import type { ImportOptions } from "../../../controller/engine/import.ts";
import { ownerOf } from "../../../controller/model/marks.ts";
import type { DiscoveredWorkload } from "../../../controller/model/ports.ts";
import type { Existing, RoleState } from "../../../controller/model/target.ts";
import type { PolicyDocument, Statement } from "../../../controller/policy/document.ts";
import { accountOf } from "../../account.ts";

export const ACCOUNT_ID = "123456789012";

export const account = accountOf(ACCOUNT_ID, { name: "default", regions: ["eu-west-1", "us-east-1"] });

export const options: ImportOptions = {
	account,
	accountRef: null,
	installation: "default",
	ownRole: null,
	inGit: { names: new Set(), roles: new Map(), workloads: new Map() },
	unmanaged: new Map(),
	omitted: new Map(),
};

export function roleArn(name: string, path = "/"): string {
	return `arn:aws:iam::${ACCOUNT_ID}:role${path}${name}`;
}

export function service(name: string, taskRole: string | null, more: Partial<DiscoveredWorkload> = {}): DiscoveredWorkload {
	return {
		kind: "service",
		region: "eu-west-1",
		cluster: "prod",
		name,
		taskRole: taskRole === null ? null : roleArn(taskRole),
		executionRole: null,
		secrets: {},
		unread: null,
		...more,
	};
}

export function role(name: string, state: Partial<RoleState> = {}): Existing<"iam.role"> {
	const path = state.path ?? "/";
	return {
		target: { type: "iam.role", account: ACCOUNT_ID, region: "global", name },
		exists: true,
		arn: roleArn(name, path),
		state: {
			path,
			trust: document({ Effect: "Allow", Principal: { Service: "ecs-tasks.amazonaws.com" }, Action: "sts:AssumeRole" }),
			inline: {},
			managedPolicies: [],
			permissionsBoundary: null,
			tags: {},
			...state,
		},
		fingerprint: "sha256:0",
		owner: ownerOf(state.tags ?? {}),
		holdUntil: null,
		lastUsed: null,
	};
}

export function roles(...all: readonly Existing<"iam.role">[]): ReadonlyMap<string, Existing<"iam.role">> {
	return new Map(all.map((r) => [r.target.name, r]));
}

export function document(...statements: readonly Statement[]): PolicyDocument {
	return { Version: "2012-10-17", Statement: statements };
}

export function allow(action: string, resource = "*"): Statement {
	return { Effect: "Allow", Action: action, Resource: resource };
}
