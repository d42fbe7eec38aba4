import type { ConditionBlock, PolicyDocument, Statement } from "../policy/document.ts";
import type { AccountId, Arn } from "./ids.ts";
import { ownNames } from "./own-names.ts";
import { PERMISSIONS } from "./permissions.ts";

/** In which account, and on what, the installation acts. */
export interface OwnScope {
	readonly partition: string;
	readonly accountId: AccountId;
	readonly installation: string;
	/** Path of the roles that it writes. */
	readonly rolePath: string;
	/** ARN of the boundary that every role it writes must bear. */
	readonly workloadBoundary: Arn;
	/** Roles outside of the path that were taken over. */
	readonly adopted: readonly Arn[];
	/** Secrets that it rotates, and those of its own, as ARN patterns. */
	readonly secrets: readonly Arn[];
	/** Tag keys, patterns too, that it may write on roles beside its marks. */
	readonly tagKeys: readonly string[];
	/** Table of a shared store; null: there is none. */
	readonly table: string | null;
	/** Roles of other accounts that it works by. */
	readonly spokes: readonly Arn[];
}

type Permission = (typeof PERMISSIONS)[number];

interface Grant {
	readonly sid: string;
	readonly resource: readonly string[];
	readonly condition?: ConditionBlock;
}

/**
 * What the controller may do, made from the list of what it calls, in two documents: each fits a managed policy (aws-facts
 * §2: 6,144 characters). What only a person's command calls (`triggers`, `doctor`, lifting a boundary) is not in it.
 * Source of the conditions: aws-facts §9.2, §9.3.
 */
export function controllerPolicies(scope: OwnScope): { readonly read: PolicyDocument; readonly write: PolicyDocument } {
	const mine = PERMISSIONS.filter((p) => !isPersons(p));
	return {
		read: documentOf(
			statements(
				mine.filter((p) => p.access === "read"),
				scope,
			),
		),
		write: documentOf([
			...statements(
				mine.filter((p) => p.access === "write"),
				scope,
			),
			...denials(scope),
		]),
	};
}

/** For pull requests: everything that `plan` reads, no value of a secret, and no write. */
export function planOnlyPolicy(scope: OwnScope): PolicyDocument {
	const reads = PERMISSIONS.filter(
		(p) =>
			p.access === "read" &&
			!isPersons(p) &&
			p.on !== "queue" &&
			p.action !== "secretsmanager:GetSecretValue" &&
			p.action !== "secretsmanager:GetRandomPassword",
	);
	return documentOf(statements(reads, scope));
}

/**
 * The most that a workload's role may do, whatever a policy gives it: anything but what leads beyond itself (aws-facts §9.1)
 * or to the installation's own.
 */
export function workloadBoundary(scope: Pick<OwnScope, "partition" | "accountId" | "installation">): PolicyDocument {
	const own = ownArns(scope);
	return documentOf([
		{ Sid: "Workloads", Effect: "Allow", Action: ["*"], Resource: ["*"] },
		{
			Sid: "NoWayBeyond",
			Effect: "Deny",
			Action: [
				"iam:*",
				"organizations:*",
				"account:*",
				"sts:AssumeRoot",
				"cloudformation:*",
				"ecs:ExecuteCommand",
				"ecs:RegisterTaskDefinition",
				"ecs:RunTask",
				"ecs:StartTask",
			],
			Resource: ["*"],
		},
		{ Sid: "NotTheController", Effect: "Deny", Action: ["sts:AssumeRole"], Resource: [own.roles] },
	]);
}

/** Only a person's command calls it: the controller does without. */
function isPersons({ why, action }: Permission): boolean {
	return /(triggers|triggers apply|doctor|import) only$/.test(why) || action === "iam:DeleteRolePermissionsBoundary";
}

/** IAM's own gate on what may be written to a role; the rest of the writes it does not speak of (aws-facts §9.3). */
const GATED: ReadonlySet<string> = new Set([
	"iam:AttachRolePolicy",
	"iam:CreateRole",
	"iam:DeleteRole",
	"iam:DeleteRolePolicy",
	"iam:DetachRolePolicy",
	"iam:PutRolePermissionsBoundary",
	"iam:PutRolePolicy",
	"iam:UpdateAssumeRolePolicy",
]);
/** Actions of ECS for which IAM knows no resource (Service Authorization Reference). */
const ECS_ANY: ReadonlySet<string> = new Set([
	"ecs:ListServices",
	"ecs:ListTasks",
	"ecs:DescribeServiceRevisions",
	"ecs:DescribeServiceDeployments",
]);

function statements(permissions: readonly Permission[], scope: OwnScope): readonly Statement[] {
	const groups = new Map<string, { readonly grant: Grant; readonly actions: Set<string> }>();
	for (const p of permissions) {
		for (const action of "grantedBy" in p ? p.grantedBy : [p.action]) {
			const grant = grantOf(action, p, scope);
			if (grant.resource.length === 0) continue;
			const group = groups.get(grant.sid) ?? { grant, actions: new Set() };
			groups.set(grant.sid, group);
			group.actions.add(action);
		}
	}
	return [...groups.values()].map(({ grant, actions }) => ({
		Sid: grant.sid,
		Effect: "Allow",
		Action: [...actions].sort(),
		Resource: grant.resource,
		...(grant.condition !== undefined && { Condition: grant.condition }),
	}));
}

function grantOf(action: string, p: Permission, scope: OwnScope): Grant {
	const { partition, accountId } = scope;
	const arn = (service: string, resource: string, region = "*"): Arn =>
		`arn:${partition}:${service}:${region}:${accountId}:${resource}`;
	const managed = [arn("iam", `role${scope.rolePath}*`, ""), ...scope.adopted];
	if (action === "iam:PassRole")
		return {
			sid: "PassToTasks",
			resource: managed,
			condition: { StringEquals: { "iam:PassedToService": "ecs-tasks.amazonaws.com" } },
		};
	if (action === "ecs:TagResource")
		return {
			sid: "TagRevisions",
			resource: [arn("ecs", "task-definition/*")],
			condition: { StringEquals: { "ecs:CreateAction": "RegisterTaskDefinition" } },
		};
	if (action === "ecs:RegisterTaskDefinition") return { sid: "RegisterRevisions", resource: [arn("ecs", "task-definition/*")] };
	if (p.on === "role" && GATED.has(action))
		return {
			sid: "WriteRolesUnderTheBoundary",
			resource: managed,
			condition: { StringEquals: { "iam:PermissionsBoundary": scope.workloadBoundary } },
		};
	switch (p.on) {
		case "*":
			return { sid: p.access === "read" ? "ReadAll" : "WriteAll", resource: ["*"] };
		case "role":
			return {
				sid: "TagRoles",
				resource: managed,
				condition: { "ForAllValues:StringLike": { "aws:TagKeys": ["ecs-access.dev/*", ...scope.tagKeys] } },
			};
		case "any role":
			return { sid: "ReadRoles", resource: [arn("iam", "role/*", "")] };
		case "managed policy":
			return { sid: "ReadPolicies", resource: [arn("iam", "policy/*", ""), `arn:${partition}:iam::aws:policy/*`] };
		case "spoke role":
			return { sid: "WorkInOtherAccounts", resource: scope.spokes };
		case "cluster":
			if (p.access === "write") return { sid: "RollServices", resource: [arn("ecs", "service/*")] };
			return ECS_ANY.has(action) ? { sid: "ReadAll", resource: ["*"] } : { sid: "ReadEcs", resource: [arn("ecs", "*")] };
		case "schedule":
			return { sid: "ReadSchedules", resource: [arn("scheduler", "schedule/*")] };
		case "rule":
			return { sid: "ReadRules", resource: [arn("events", "rule/*")] };
		case "bus":
			return { sid: "TellEvents", resource: [arn("events", "event-bus/*")] };
		case "table":
			return {
				sid: p.access === "read" ? "ReadStore" : "WriteStore",
				resource:
					scope.table === null ? [] : [arn("dynamodb", `table/${scope.table}`), arn("dynamodb", `table/${scope.table}/index/*`)],
			};
		case "queue":
			return {
				sid: p.access === "read" ? "HearEvents" : "BeDoneWithEvents",
				resource: [arn("sqs", `ecs-access-${scope.installation}*`)],
			};
		case "secret":
			// Which key encrypts one and how far its rotation is: of any, never a value.
			if (p.access === "read" && action !== "secretsmanager:GetSecretValue")
				return { sid: "LookAtSecrets", resource: [arn("secretsmanager", "secret:*")] };
			return { sid: p.access === "read" ? "ReadSecrets" : "RotateSecrets", resource: scope.secrets };
		case "listener rule":
			return { sid: "GiveRulesTheClientSecret", resource: [arn("elasticloadbalancing", "listener-rule/app/*")] };
	}
}

/** What it must not do even if somebody gives it more: touch itself, or lift what holds its roles. */
function denials(scope: OwnScope): readonly Statement[] {
	const own = ownArns(scope);
	return [
		{ Sid: "NeverItself", Effect: "Deny", Action: ["iam:*"], Resource: [own.roles, own.policies] },
		{ Sid: "NeverLiftABoundary", Effect: "Deny", Action: ["iam:DeleteRolePermissionsBoundary"], Resource: ["*"] },
		{
			Sid: "NeverAnotherBoundary",
			Effect: "Deny",
			Action: ["iam:CreateRole", "iam:PutRolePermissionsBoundary"],
			Resource: ["*"],
			Condition: { StringNotEquals: { "iam:PermissionsBoundary": scope.workloadBoundary } },
		},
		{
			Sid: "NeverAPolicyOfOthers",
			Effect: "Deny",
			Action: [
				"iam:CreatePolicy",
				"iam:CreatePolicyVersion",
				"iam:DeletePolicy",
				"iam:DeletePolicyVersion",
				"iam:SetDefaultPolicyVersion",
			],
			Resource: ["*"],
		},
		{
			Sid: "NeverAsAWorkload",
			Effect: "Deny",
			Action: ["sts:AssumeRole"],
			Resource: [`arn:${scope.partition}:iam::${scope.accountId}:role${scope.rolePath}*`],
		},
	];
}

function ownArns({ partition, accountId, installation }: Pick<OwnScope, "partition" | "accountId" | "installation">) {
	const { path } = ownNames(installation);
	return {
		roles: `arn:${partition}:iam::${accountId}:role${path}*`,
		policies: `arn:${partition}:iam::${accountId}:policy${path}*`,
	};
}

function documentOf(all: readonly Statement[]): PolicyDocument {
	return { Version: "2012-10-17", Statement: all };
}
