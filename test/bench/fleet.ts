import { applyCall } from "../../controller/model/apply-call.ts";
import type { Plan } from "../../controller/model/plan.ts";
import type { RoleState } from "../../controller/model/target.ts";
import { fleetCluster, fleetName, fleetStatement, generateFleet } from "../sandbox/fleet.ts";
import { type RoleSeed, roleSeed, type SeedData, seedDocument } from "../sandbox/seed-data.ts";

/** Where the policies of a fleet put their roles. */
export const ROLE_PATH = "/ecs-access/";
const BOUNDARY = "workload-boundary";

/**
 * The source of a large account, by path: `n` policies of one service each, a file a policy, both roles Managed, over one
 * permission set, two guardrails and a boundary. What a company of that size would have, not the least that parses.
 */
export function fleetSource(account: string, n: number): ReadonlyMap<string, string> {
	return new Map([
		["platform/installation.yaml", INSTALLATION],
		["platform/account.yaml", accountDocument(account)],
		["platform/guardrails.yaml", GUARDRAILS],
		["platform/permission-sets.yaml", PERMISSION_SET],
		...Array.from({ length: n }, (_, index): [string, string] => [`teams/${fleetName(index)}.yaml`, policyDocument(index)]),
	]);
}

/** The account that `fleetSource` describes, as it is before anything was applied: no role of ours. */
export function fleetWithoutRoles(account: string, n: number): SeedData {
	const { roles: _, ...rest } = generateFleet(account, n, ROLE_PATH);
	const everything = seedDocument({ Effect: "Allow", Action: "*", Resource: "*" });
	return {
		...rest,
		caller: `arn:aws:sts::${account}:assumed-role/deploy/bench`,
		policies: [{ name: BOUNDARY, document: everything }],
		roles: [roleSeed("deploy", [{ Effect: "Allow", Action: ["iam:PassRole", "ecs:*"], Resource: "*" }])],
	};
}

/** The roles that `plans` would leave behind, by name: for an account in which nothing is left to do. */
export function rolesAfter(plans: readonly Pick<Plan, "steps">[]): ReadonlyMap<string, RoleState> {
	const roles = new Map<string, RoleState>();
	for (const { steps } of plans) {
		for (const { call, target } of steps) {
			const state = call.api === "none" ? null : applyCall(roles.get(target.name) ?? null, call);
			if (state !== null) roles.set(target.name, state);
		}
	}
	return roles;
}

/** A role in exactly this state. */
export function seedOf(name: string, state: RoleState): RoleSeed {
	return {
		name,
		path: state.path,
		trust: state.trust,
		inline: state.inline,
		attached: state.managedPolicies,
		tags: state.tags,
		...(state.permissionsBoundary === null ? {} : { boundary: state.permissionsBoundary }),
	};
}

const HEAD = "apiVersion: ecs-access.dev/v1alpha1";
const INSTALLATION = `${HEAD}
kind: Installation
metadata:
  name: fleet
spec:
  source: github.com/acme/access//policies
`;

function accountDocument(account: string): string {
	return `${HEAD}
kind: Account
metadata:
  name: prod
  labels: { env: prod }
spec:
  accountId: "${account}"
  region: eu-west-1
  rolePath: ${ROLE_PATH}
  permissionsBoundary: arn:aws:iam::${account}:policy/${BOUNDARY}
  vars: { env: prod }
`;
}

const GUARDRAILS = `${HEAD}
kind: Guardrail
metadata:
  name: baseline
spec:
  enforcement: Deny
  rules:
    - id: no-iam
      denyActions: ["iam:*", "organizations:*", "account:*"]
    - id: no-foreign-secrets
      denyActions: ["secretsmanager:GetSecretValue"]
      exceptResources: ["arn:aws:secretsmanager:*:*:secret:prod/\${policy.name}/*"]
    - id: boundary
      requirePermissionsBoundary: ["arn:aws:iam::*:policy/${BOUNDARY}"]
---
${HEAD}
kind: Guardrail
metadata:
  name: review
spec:
  enforcement: Deny
  rules:
    - id: ask-before-broadening
      requireApprovalFor: [broadens, deletes]
`;

const PERMISSION_SET = `${HEAD}
kind: PermissionSet
metadata:
  name: dynamodb-table-rw
spec:
  params:
    table: { type: string, pattern: "^[a-zA-Z0-9_.-]+$" }
  statements:
    - actions: [dynamodb:GetItem, dynamodb:PutItem, dynamodb:UpdateItem, dynamodb:Query]
      resources: ["arn:\${account.partition}:dynamodb:\${account.region}:\${account.id}:table/\${param.table}"]
`;

function policyDocument(n: number): string {
	const name = fleetName(n);
	const { Action, Resource } = fleetStatement(n);
	const cluster = fleetCluster(n);
	return `# What ${name} may do, and with which roles it runs.
${HEAD}
kind: AccessPolicy
metadata:
  name: ${name}
  labels: { team: team-${n % 20} }
spec:
  accountRef: prod
  workloads:
    - { cluster: ${cluster}, services: [${name}] }
  taskRole:
    permissionSets:
      - { name: dynamodb-table-rw, params: { table: ${name} } }
    statements:
      - sid: Data
        actions: [${Action.join(", ")}]
        resources: ["${Resource.join('", "')}"]
      - sid: Queue
        actions: [sqs:SendMessage, sqs:ReceiveMessage, sqs:DeleteMessage]
        resources: ["arn:aws:sqs:\${account.region}:\${account.id}:\${policy.name}-*"]
        conditions: { Bool: { "aws:SecureTransport": "true" } }
  executionRole:
    mode: Managed
    managedPolicies: [arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy]
`;
}
