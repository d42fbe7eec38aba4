/**
 * Every AWS action this program calls, with why: its own IAM permission list as data. aws/operations.ts is checked
 * against it by its types, so a call that is not listed here does not compile, nor does an entry that nobody calls.
 */

interface Permission {
	/** Name of the API operation, and but for `grantedBy` the IAM action too. */
	readonly action: `${string}:${string}`;
	/** The IAM actions that allow it, where it is none of its own. */
	readonly grantedBy?: readonly `${string}:${string}`[];
	readonly access: "read" | "write";
	/**
	 * What it must be allowed on. `role`: the roles below the Account's role path; `any role`: those that policies,
	 * deployers and schedules name; `*`: the action has no resource type (aws-facts §9.3, §4.2).
	 */
	readonly on:
		| "*"
		| "role"
		| "any role"
		| "managed policy"
		| "spoke role"
		| "cluster"
		| "schedule"
		| "rule"
		| "bus"
		| "table"
		| "queue"
		| "secret"
		| "listener rule";
	readonly why: string;
}

export const PERMISSIONS = [
	{ action: "sts:GetCallerIdentity", access: "read", on: "*", why: "to know which account this is, before anything else" },
	{ action: "sts:AssumeRole", access: "read", on: "spoke role", why: "to act in an Account that names assumeRole" },
	{ action: "iam:ListAccountAliases", access: "read", on: "*", why: "to show the account's alias; optional" },
	{ action: "iam:GetAccountAuthorizationDetails", access: "read", on: "*", why: "to read all roles in few calls" },
	{ action: "iam:GetRole", access: "read", on: "any role", why: "to read one role" },
	{ action: "iam:ListRolePolicies", access: "read", on: "any role", why: "to read one role" },
	{ action: "iam:GetRolePolicy", access: "read", on: "any role", why: "to read one role" },
	{ action: "iam:ListAttachedRolePolicies", access: "read", on: "any role", why: "to read one role" },
	{ action: "iam:GetPolicy", access: "read", on: "managed policy", why: "to know what an attached policy grants" },
	{ action: "iam:GetPolicyVersion", access: "read", on: "managed policy", why: "to know what an attached policy grants" },
	{ action: "iam:CreateRole", access: "write", on: "role", why: "to create a role" },
	{ action: "iam:UpdateAssumeRolePolicy", access: "write", on: "role", why: "to write a trust policy" },
	{ action: "iam:PutRolePolicy", access: "write", on: "role", why: "to write the inline policy" },
	{ action: "iam:DeleteRolePolicy", access: "write", on: "role", why: "to remove an inline policy" },
	{ action: "iam:AttachRolePolicy", access: "write", on: "role", why: "to attach a managed policy" },
	{ action: "iam:DetachRolePolicy", access: "write", on: "role", why: "to detach a managed policy" },
	{ action: "iam:PutRolePermissionsBoundary", access: "write", on: "role", why: "to set the boundary" },
	{
		action: "iam:DeleteRolePermissionsBoundary",
		access: "write",
		on: "role",
		why: "to remove a boundary, by a person's apply only",
	},
	{ action: "iam:TagRole", access: "write", on: "role", why: "to write tags and ownership marks" },
	{ action: "iam:UntagRole", access: "write", on: "role", why: "to remove tags and ownership marks" },
	{ action: "iam:DeleteRole", access: "write", on: "role", why: "to delete a retired role" },
	{ action: "ecs:DescribeServices", access: "read", on: "cluster", why: "to see which task definition a service runs" },
	{ action: "ecs:DescribeTaskDefinition", access: "read", on: "*", why: "to see roles and secrets of a task definition" },
	{ action: "ecs:ListClusters", access: "read", on: "*", why: "to find what uses a role, and for import" },
	{ action: "ecs:ListServices", access: "read", on: "cluster", why: "to find what uses a role, and for import" },
	{ action: "ecs:ListTaskDefinitionFamilies", access: "read", on: "*", why: "to find what uses a role before it is deleted" },
	{ action: "ecs:ListTasks", access: "read", on: "cluster", why: "to find what uses a role, and which tasks hold an old secret" },
	{
		action: "ecs:DescribeTasks",
		access: "read",
		on: "cluster",
		why: "to find what uses a role, and which tasks hold an old secret",
	},
	{
		action: "ecs:ListServiceDeployments",
		access: "read",
		on: "cluster",
		why: "to see whether a binding was tried before, or what ECS goes back to; Derived and binding: Enforce only",
	},
	{
		action: "ecs:DescribeServiceDeployments",
		access: "read",
		on: "cluster",
		why: "to see whether a rollout stands at a hook; binding: Enforce only",
	},
	{
		action: "ecs:DescribeServiceRevisions",
		access: "read",
		on: "cluster",
		why: "to see which task definition was rolled out; Derived and binding: Enforce only",
	},
	{
		action: "ecs:RegisterTaskDefinition",
		grantedBy: ["ecs:RegisterTaskDefinition", "ecs:TagResource", "iam:PassRole"],
		access: "write",
		on: "*",
		why: "to register a revision with the roles and secrets that git says, and our tag; binding: Enforce only",
	},
	{
		action: "ecs:UpdateService",
		access: "write",
		on: "cluster",
		why: "to roll a service to that revision, and back, and to restart it with a new secret; binding: Enforce and SecretRotation only",
	},
	{ action: "events:ListEventBuses", access: "read", on: "*", why: "to find rules that start tasks" },
	{ action: "events:ListRuleNamesByTarget", access: "read", on: "*", why: "to find rules that start tasks" },
	{ action: "events:ListTargetsByRule", access: "read", on: "rule", why: "to see which role a rule starts tasks with" },
	{ action: "scheduler:ListSchedules", access: "read", on: "*", why: "to find schedules that start tasks" },
	{ action: "scheduler:GetSchedule", access: "read", on: "schedule", why: "to see which role a schedule starts tasks with" },
	{ action: "dynamodb:GetItem", access: "read", on: "table", why: "to read status and control state of a shared store" },
	{ action: "dynamodb:Query", access: "read", on: "table", why: "to list status and history of a shared store, its index too" },
	{
		action: "dynamodb:PutItem",
		access: "write",
		on: "table",
		why: "to write status, history and control state of a shared store",
	},
	{ action: "dynamodb:DeleteItem", access: "write", on: "table", why: "to forget the status of what is gone" },
	{
		action: "dynamodb:TransactWriteItems",
		grantedBy: ["dynamodb:PutItem", "dynamodb:DeleteItem"],
		access: "write",
		on: "table",
		why: "to write the status of many resources at once",
	},
	{ action: "dynamodb:DescribeTable", access: "read", on: "table", why: "to check the table of a shared store; doctor only" },
	{ action: "sqs:GetQueueUrl", access: "read", on: "queue", why: "to find the event queue; the controller only" },
	{ action: "sqs:ReceiveMessage", access: "read", on: "queue", why: "to hear what happened; the controller only" },
	{
		action: "sqs:DeleteMessageBatch",
		grantedBy: ["sqs:DeleteMessage"],
		access: "write",
		on: "queue",
		why: "to be done with what was heard; the controller only",
	},
	{ action: "sqs:GetQueueAttributes", access: "read", on: "queue", why: "to see how the event queue is set up; triggers only" },
	{ action: "sqs:ListQueueTags", access: "read", on: "queue", why: "to see whose the event queue is; triggers only" },
	{
		action: "sqs:CreateQueue",
		grantedBy: ["sqs:CreateQueue", "sqs:TagQueue"],
		access: "write",
		on: "queue",
		why: "to make the event queue, with our marks; triggers apply only",
	},
	{ action: "sqs:SetQueueAttributes", access: "write", on: "queue", why: "to set the event queue right; triggers apply only" },
	{ action: "events:DescribeRule", access: "read", on: "rule", why: "to see what a rule of ours hears; triggers only" },
	{ action: "events:ListTagsForResource", access: "read", on: "rule", why: "to see whose a rule is; triggers only" },
	{ action: "events:DescribeEventBus", access: "read", on: "bus", why: "to see who may send events here; triggers only" },
	{
		action: "events:PutRule",
		grantedBy: ["events:PutRule", "events:TagResource"],
		access: "write",
		on: "rule",
		why: "to make a rule, with our marks, and to set it right; triggers apply only",
	},
	{
		action: "events:PutTargets",
		grantedBy: ["events:PutTargets", "iam:PassRole"],
		access: "write",
		on: "rule",
		why: "to send events to the queue, or by the role of ours for it to another bus; triggers apply only",
	},
	{
		action: "events:PutPermission",
		access: "write",
		on: "bus",
		why: "to let other Accounts send events here; triggers apply only",
	},
	{ action: "events:PutEvents", access: "write", on: "bus", why: "to tell what was done and seen; the controller only" },
	{
		action: "secretsmanager:GetSecretValue",
		access: "read",
		on: "secret",
		why: "to read git credentials and the webhook's secret, where the Installation names them, and what a SecretRotation makes anew",
	},
	{
		action: "secretsmanager:DescribeSecret",
		access: "read",
		on: "secret",
		why: "to see which key encrypts a secret and how far its rotation is, never its value; Derived and SecretRotation only",
	},
	{
		action: "secretsmanager:ListSecretVersionIds",
		access: "read",
		on: "secret",
		why: "to see when the current version was made; SecretRotation only",
	},
	{
		action: "secretsmanager:GetRandomPassword",
		access: "read",
		on: "*",
		why: "to make a new value; SecretRotation with generate or a provider that lets us choose",
	},
	{
		action: "secretsmanager:PutSecretValue",
		access: "write",
		on: "secret",
		why: "to keep a new value as a version that is not current yet; SecretRotation only",
	},
	{
		action: "secretsmanager:UpdateSecretVersionStage",
		access: "write",
		on: "secret",
		why: "to make a version current, and to go back; SecretRotation only",
	},
	{
		action: "secretsmanager:RotateSecret",
		access: "write",
		on: "secret",
		why: "to ask the secret's own rotation function; SecretRotation with lambda only",
	},
	{
		action: "secretsmanager:TagResource",
		access: "write",
		on: "secret",
		why: "to mark how far a rotation is; SecretRotation only",
	},
	{
		action: "secretsmanager:UntagResource",
		access: "write",
		on: "secret",
		why: "to take these marks away again; SecretRotation only",
	},
	{
		action: "elasticloadbalancing:DescribeRules",
		access: "read",
		on: "*",
		why: "to see the listener rules that hold a client secret; SecretRotation with listenerRule only",
	},
	{
		action: "elasticloadbalancing:DescribeTags",
		access: "read",
		on: "*",
		why: "to see which version such a rule was given; SecretRotation with listenerRule only",
	},
	{
		action: "elasticloadbalancing:ModifyRule",
		access: "write",
		on: "listener rule",
		why: "to give such a rule the new client secret; SecretRotation with listenerRule only",
	},
	{
		action: "elasticloadbalancing:AddTags",
		access: "write",
		on: "listener rule",
		why: "to mark which version such a rule was given; SecretRotation with listenerRule only",
	},
	{ action: "iam:GetAccountSummary", access: "read", on: "*", why: "to see what is left of IAM's quotas; doctor only" },
	{ action: "events:RemoveTargets", access: "write", on: "rule", why: "to remove the rule of a canary; doctor only" },
	{ action: "events:DeleteRule", access: "write", on: "rule", why: "to remove the rule of a canary; doctor only" },
	{ action: "sqs:DeleteQueue", access: "write", on: "queue", why: "to remove the queue of a canary; doctor only" },
] as const satisfies readonly Permission[];

export type PermittedAction = (typeof PERMISSIONS)[number]["action"];

export function permissionFor(action: PermittedAction): Permission {
	const found = PERMISSIONS.find((p) => p.action === action);
	if (found === undefined) throw new RangeError(`expected a permitted action, got "${action}"`);
	return found;
}
