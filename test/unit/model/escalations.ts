/** What leads from some access to more: sets of actions that do so together (aws-facts §9.1; pathfinding.cloud, Apache-2.0). */
export interface Escalation {
	readonly id: string;
	readonly actions: readonly string[];
	/** Why the controller may hold all of them, where it does; each is bound by a condition that a test shows. */
	readonly justified?: string;
}

const BOUND = "only on roles below its path, only under the workload boundary, which denies all of IAM";

export const ESCALATIONS: readonly Escalation[] = [
	...[
		"CreatePolicyVersion",
		"SetDefaultPolicyVersion",
		"PutUserPolicy",
		"AttachUserPolicy",
		"PutGroupPolicy",
		"AttachGroupPolicy",
		"AddUserToGroup",
		"CreateAccessKey",
		"DeleteAccessKey",
		"CreateLoginProfile",
		"UpdateLoginProfile",
		"DeleteRolePermissionsBoundary",
		"CreateOpenIDConnectProvider",
		"AddClientIDToOpenIDConnectProvider",
		"UpdateSAMLProvider",
		"CreatePolicy",
	].map((name) => ({ id: `iam-${name}`, actions: [`iam:${name}`] })),
	...[
		"PutRolePolicy",
		"AttachRolePolicy",
		"DeleteRolePolicy",
		"DetachRolePolicy",
		"UpdateAssumeRolePolicy",
		"PutRolePermissionsBoundary",
		"CreateRole",
	].map((name) => ({ id: `iam-${name}`, actions: [`iam:${name}`], justified: BOUND })),
	{ id: "iam-TagRole", actions: ["iam:TagRole"], justified: "only its own keys and those that it was told of, below its path" },
	{ id: "put-and-assume", actions: ["iam:PutRolePolicy", "sts:AssumeRole"] },
	{ id: "attach-and-assume", actions: ["iam:AttachRolePolicy", "sts:AssumeRole"] },
	{ id: "trust-and-assume", actions: ["iam:UpdateAssumeRolePolicy", "sts:AssumeRole"] },
	{ id: "pass-and-register", actions: ["iam:PassRole", "ecs:RegisterTaskDefinition", "ecs:RunTask"] },
	{ id: "pass-and-run", actions: ["iam:PassRole", "ecs:RunTask"] },
	{ id: "pass-and-start", actions: ["iam:PassRole", "ecs:RegisterTaskDefinition", "ecs:StartTask"] },
	{ id: "pass-and-serve", actions: ["iam:PassRole", "ecs:RegisterTaskDefinition", "ecs:CreateService"] },
	{
		id: "pass-and-update",
		actions: ["iam:PassRole", "ecs:RegisterTaskDefinition", "ecs:UpdateService"],
		justified:
			"this is what binding: Enforce does; only roles below its path, only to ECS tasks, each under the workload boundary",
	},
	{ id: "task-set", actions: ["iam:PassRole", "ecs:CreateTaskSet"] },
	{ id: "express", actions: ["iam:PassRole", "ecs:CreateExpressGatewayService"] },
	{ id: "exec", actions: ["ecs:ExecuteCommand"] },
	...[
		"lambda:CreateFunction",
		"ec2:RunInstances",
		"cloudformation:CreateStack",
		"codebuild:CreateProject",
		"glue:CreateJob",
		"sagemaker:CreateNotebookInstance",
		"apprunner:CreateService",
		"scheduler:CreateSchedule",
		"states:CreateStateMachine",
		"batch:RegisterJobDefinition",
		"events:PutTargets",
	].map((action) => ({ id: `pass-${action}`, actions: ["iam:PassRole", action] })),
	...[
		"lambda:UpdateFunctionCode",
		"ssm:StartSession",
		"ssm:SendCommand",
		"ec2-instance-connect:SendSSHPublicKey",
		"codebuild:StartBuild",
		"cloudformation:UpdateStack",
		"glue:UpdateDevEndpoint",
		"kms:CreateGrant",
		"kms:PutKeyPolicy",
		"s3:PutObject",
		"ecr:PutImage",
		"ssm:GetParameter",
	].map((action) => ({ id: action, actions: [action] })),
	{ id: "read-secrets", actions: ["secretsmanager:GetSecretValue"], justified: "only the secrets that it rotates, and its own" },
	{ id: "put-secrets", actions: ["secretsmanager:PutSecretValue"], justified: "only the secrets that it rotates" },
	{
		id: "assume-anything",
		actions: ["sts:AssumeRole"],
		justified: "only the roles that Accounts name; none where there is but one account",
	},
];
