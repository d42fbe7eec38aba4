import { lastSegment } from "./arn.ts";
import type { Input, Operation } from "./operations.ts";

type Wording = { readonly [O in Operation]: (input: Input<O>) => string };

/** What a call wants, after "could not …". */
const WORDING: Wording = {
	"sts:GetCallerIdentity": () => "find out who we are",
	"sts:AssumeRole": (i) => `assume role ${i.RoleArn}`,
	"iam:ListAccountAliases": () => "read the account's alias",
	"iam:GetAccountAuthorizationDetails": () => "read all roles",
	"iam:GetRole": (i) => `read role ${i.RoleName}`,
	"iam:ListRolePolicies": (i) => `read the policies of role ${i.RoleName}`,
	"iam:GetRolePolicy": (i) => `read the policy "${i.PolicyName}" of role ${i.RoleName}`,
	"iam:ListAttachedRolePolicies": (i) => `read the attachments of role ${i.RoleName}`,
	"iam:GetPolicy": (i) => `read policy ${i.PolicyArn}`,
	"iam:GetPolicyVersion": (i) => `read policy ${i.PolicyArn}`,
	"iam:CreateRole": (i) => `create role ${i.Path ?? "/"}${i.RoleName}`,
	"iam:UpdateAssumeRolePolicy": (i) => `write the trust of role ${i.RoleName}`,
	"iam:PutRolePolicy": (i) => `write the policy "${i.PolicyName}" of role ${i.RoleName}`,
	"iam:DeleteRolePolicy": (i) => `remove the policy "${i.PolicyName}" of role ${i.RoleName}`,
	"iam:AttachRolePolicy": (i) => `attach ${i.PolicyArn} to role ${i.RoleName}`,
	"iam:DetachRolePolicy": (i) => `detach ${i.PolicyArn} from role ${i.RoleName}`,
	"iam:PutRolePermissionsBoundary": (i) => `set the boundary of role ${i.RoleName}`,
	"iam:DeleteRolePermissionsBoundary": (i) => `remove the boundary of role ${i.RoleName}`,
	"iam:TagRole": (i) => `tag role ${i.RoleName}`,
	"iam:UntagRole": (i) => `remove tags of role ${i.RoleName}`,
	"iam:DeleteRole": (i) => `delete role ${i.RoleName}`,
	"ecs:DescribeServices": (i) => `read services of cluster ${lastSegment(i.cluster ?? "default")}`,
	"ecs:DescribeTaskDefinition": (i) => `read task definition ${i.taskDefinition}`,
	"ecs:ListClusters": () => "list clusters",
	"ecs:ListServices": (i) => `list services of cluster ${lastSegment(i.cluster ?? "default")}`,
	"ecs:ListTaskDefinitionFamilies": () => "list task families",
	"ecs:ListTasks": (i) => `list tasks of cluster ${lastSegment(i.cluster ?? "default")}`,
	"ecs:DescribeTasks": (i) => `read tasks of cluster ${lastSegment(i.cluster ?? "default")}`,
	"ecs:ListServiceDeployments": (i) => `list the deployments of service ${lastSegment(i.service ?? "")}`,
	"ecs:DescribeServiceDeployments": () => "read deployments of a service",
	"ecs:DescribeServiceRevisions": () => "read what was deployed to a service",
	"ecs:RegisterTaskDefinition": (i) => `register a new revision of task family ${i.family}`,
	"ecs:UpdateService": (i) =>
		i.forceNewDeployment === true
			? `restart service ${lastSegment(i.cluster ?? "default")}/${i.service}`
			: `update service ${lastSegment(i.cluster ?? "default")}/${i.service} to ${lastSegment(i.taskDefinition ?? "")}`,
	"events:ListEventBuses": () => "list event buses",
	"events:ListRuleNamesByTarget": (i) => `list rules for ${i.TargetArn}`,
	"events:ListTargetsByRule": (i) => `read the targets of rule ${i.Rule}`,
	"scheduler:ListSchedules": () => "list schedules",
	"scheduler:GetSchedule": (i) => `read schedule ${i.Name}`,
	"dynamodb:GetItem": (i) => `read the store in table ${i.TableName}`,
	"dynamodb:Query": (i) => `read the store in table ${i.TableName}`,
	"dynamodb:PutItem": (i) => `write to the store in table ${i.TableName}`,
	"dynamodb:DeleteItem": (i) => `write to the store in table ${i.TableName}`,
	"dynamodb:TransactWriteItems": (i) => `write to the store in table ${tableOf(i)}`,
	"dynamodb:DescribeTable": (i) => `look at table ${i.TableName}`,
	"sqs:GetQueueUrl": (i) => `find queue ${i.QueueName}`,
	"sqs:ReceiveMessage": (i) => `receive from queue ${lastSegment(i.QueueUrl ?? "")}`,
	"sqs:DeleteMessageBatch": (i) => `remove messages from queue ${lastSegment(i.QueueUrl ?? "")}`,
	"sqs:GetQueueAttributes": (i) => `look at queue ${lastSegment(i.QueueUrl ?? "")}`,
	"sqs:ListQueueTags": (i) => `read the tags of queue ${lastSegment(i.QueueUrl ?? "")}`,
	"sqs:CreateQueue": (i) => `make queue ${i.QueueName}`,
	"sqs:SetQueueAttributes": (i) => `set up queue ${lastSegment(i.QueueUrl ?? "")}`,
	"secretsmanager:GetSecretValue": (i) => `read secret ${i.SecretId}`,
	"secretsmanager:DescribeSecret": (i) => `look at secret ${i.SecretId}`,
	"secretsmanager:ListSecretVersionIds": (i) => `list the versions of secret ${i.SecretId}`,
	"secretsmanager:GetRandomPassword": () => "have a random value made",
	"secretsmanager:PutSecretValue": (i) => `put a new version of secret ${i.SecretId}`,
	"secretsmanager:UpdateSecretVersionStage": (i) => `move the label ${i.VersionStage} of secret ${i.SecretId}`,
	"secretsmanager:RotateSecret": (i) => `ask for a rotation of secret ${i.SecretId}`,
	"secretsmanager:TagResource": (i) => `tag secret ${i.SecretId}`,
	"secretsmanager:UntagResource": (i) => `remove tags of secret ${i.SecretId}`,
	"elasticloadbalancing:DescribeRules": (i) => `read listener rule ${i.RuleArns?.[0] ?? ""}`,
	"elasticloadbalancing:DescribeTags": () => "read the tags of listener rules",
	"elasticloadbalancing:ModifyRule": (i) => `change listener rule ${i.RuleArn}`,
	"elasticloadbalancing:AddTags": () => "tag a listener rule",
	"events:DescribeRule": (i) => `read rule ${i.Name}`,
	"events:ListTagsForResource": (i) => `read the tags of rule ${lastSegment(i.ResourceARN ?? "")}`,
	"events:DescribeEventBus": (i) => `read event bus ${i.Name}`,
	"events:PutRule": (i) => `write rule ${i.Name}`,
	"events:PutTargets": (i) => `write the targets of rule ${i.Rule}`,
	"iam:GetAccountSummary": () => "read the account's quotas",
	"events:RemoveTargets": (i) => `remove the targets of rule ${i.Rule}`,
	"events:DeleteRule": (i) => `delete rule ${i.Name}`,
	"sqs:DeleteQueue": (i) => `delete queue ${lastSegment(i.QueueUrl ?? "")}`,
	"events:PutEvents": (i) => `put events on bus ${i.Entries?.[0]?.EventBusName ?? "default"}`,
	"events:PutPermission": (i) => `let account ${i.Principal} send to event bus ${i.EventBusName}`,
};

export function wanted<O extends Operation>(op: O, input: Input<O>): string {
	return WORDING[op](input);
}

function tableOf(i: Input<"dynamodb:TransactWriteItems">): string {
	const [first] = i.TransactItems ?? [];
	return first?.Put?.TableName ?? first?.Delete?.TableName ?? "";
}
