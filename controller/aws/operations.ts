import type * as DynamoDb from "@aws-sdk/client-dynamodb";
import type * as Ecs from "@aws-sdk/client-ecs";
import type * as Elb from "@aws-sdk/client-elastic-load-balancing-v2";
import type * as Events from "@aws-sdk/client-eventbridge";
import type * as Iam from "@aws-sdk/client-iam";
import type * as Scheduler from "@aws-sdk/client-scheduler";
import type * as SecretsManager from "@aws-sdk/client-secrets-manager";
import type * as Sqs from "@aws-sdk/client-sqs";
import type * as Sts from "@aws-sdk/client-sts";
import type { Region } from "../model/ids.ts";
import type { PermittedAction } from "../model/permissions.ts";

interface Call<I, O> {
	readonly input: I;
	readonly output: O;
}

/** Every operation that is called, with what goes in and comes out. Nothing else can be called from this program. */
interface Operations {
	"sts:GetCallerIdentity": Call<Sts.GetCallerIdentityCommandInput, Sts.GetCallerIdentityCommandOutput>;
	"sts:AssumeRole": Call<Sts.AssumeRoleCommandInput, Sts.AssumeRoleCommandOutput>;
	"iam:ListAccountAliases": Call<Iam.ListAccountAliasesCommandInput, Iam.ListAccountAliasesCommandOutput>;
	"iam:GetAccountAuthorizationDetails": Call<
		Iam.GetAccountAuthorizationDetailsCommandInput,
		Iam.GetAccountAuthorizationDetailsCommandOutput
	>;
	"iam:GetRole": Call<Iam.GetRoleCommandInput, Iam.GetRoleCommandOutput>;
	"iam:ListRolePolicies": Call<Iam.ListRolePoliciesCommandInput, Iam.ListRolePoliciesCommandOutput>;
	"iam:GetRolePolicy": Call<Iam.GetRolePolicyCommandInput, Iam.GetRolePolicyCommandOutput>;
	"iam:ListAttachedRolePolicies": Call<Iam.ListAttachedRolePoliciesCommandInput, Iam.ListAttachedRolePoliciesCommandOutput>;
	"iam:GetPolicy": Call<Iam.GetPolicyCommandInput, Iam.GetPolicyCommandOutput>;
	"iam:GetPolicyVersion": Call<Iam.GetPolicyVersionCommandInput, Iam.GetPolicyVersionCommandOutput>;
	"iam:CreateRole": Call<Iam.CreateRoleCommandInput, Iam.CreateRoleCommandOutput>;
	"iam:UpdateAssumeRolePolicy": Call<Iam.UpdateAssumeRolePolicyCommandInput, Iam.UpdateAssumeRolePolicyCommandOutput>;
	"iam:PutRolePolicy": Call<Iam.PutRolePolicyCommandInput, Iam.PutRolePolicyCommandOutput>;
	"iam:DeleteRolePolicy": Call<Iam.DeleteRolePolicyCommandInput, Iam.DeleteRolePolicyCommandOutput>;
	"iam:AttachRolePolicy": Call<Iam.AttachRolePolicyCommandInput, Iam.AttachRolePolicyCommandOutput>;
	"iam:DetachRolePolicy": Call<Iam.DetachRolePolicyCommandInput, Iam.DetachRolePolicyCommandOutput>;
	"iam:PutRolePermissionsBoundary": Call<Iam.PutRolePermissionsBoundaryCommandInput, Iam.PutRolePermissionsBoundaryCommandOutput>;
	"iam:DeleteRolePermissionsBoundary": Call<
		Iam.DeleteRolePermissionsBoundaryCommandInput,
		Iam.DeleteRolePermissionsBoundaryCommandOutput
	>;
	"iam:TagRole": Call<Iam.TagRoleCommandInput, Iam.TagRoleCommandOutput>;
	"iam:UntagRole": Call<Iam.UntagRoleCommandInput, Iam.UntagRoleCommandOutput>;
	"iam:DeleteRole": Call<Iam.DeleteRoleCommandInput, Iam.DeleteRoleCommandOutput>;
	"ecs:DescribeServices": Call<Ecs.DescribeServicesCommandInput, Ecs.DescribeServicesCommandOutput>;
	"ecs:DescribeTaskDefinition": Call<Ecs.DescribeTaskDefinitionCommandInput, Ecs.DescribeTaskDefinitionCommandOutput>;
	"ecs:ListClusters": Call<Ecs.ListClustersCommandInput, Ecs.ListClustersCommandOutput>;
	"ecs:ListServices": Call<Ecs.ListServicesCommandInput, Ecs.ListServicesCommandOutput>;
	"ecs:ListTaskDefinitionFamilies": Call<Ecs.ListTaskDefinitionFamiliesCommandInput, Ecs.ListTaskDefinitionFamiliesCommandOutput>;
	"ecs:ListTasks": Call<Ecs.ListTasksCommandInput, Ecs.ListTasksCommandOutput>;
	"ecs:DescribeTasks": Call<Ecs.DescribeTasksCommandInput, Ecs.DescribeTasksCommandOutput>;
	"ecs:ListServiceDeployments": Call<Ecs.ListServiceDeploymentsCommandInput, Ecs.ListServiceDeploymentsCommandOutput>;
	"ecs:DescribeServiceDeployments": Call<Ecs.DescribeServiceDeploymentsCommandInput, Ecs.DescribeServiceDeploymentsCommandOutput>;
	"ecs:DescribeServiceRevisions": Call<Ecs.DescribeServiceRevisionsCommandInput, Ecs.DescribeServiceRevisionsCommandOutput>;
	"ecs:RegisterTaskDefinition": Call<Ecs.RegisterTaskDefinitionCommandInput, Ecs.RegisterTaskDefinitionCommandOutput>;
	"ecs:UpdateService": Call<Ecs.UpdateServiceCommandInput, Ecs.UpdateServiceCommandOutput>;
	"events:ListEventBuses": Call<Events.ListEventBusesCommandInput, Events.ListEventBusesCommandOutput>;
	"events:ListRuleNamesByTarget": Call<Events.ListRuleNamesByTargetCommandInput, Events.ListRuleNamesByTargetCommandOutput>;
	"events:ListTargetsByRule": Call<Events.ListTargetsByRuleCommandInput, Events.ListTargetsByRuleCommandOutput>;
	"scheduler:ListSchedules": Call<Scheduler.ListSchedulesCommandInput, Scheduler.ListSchedulesCommandOutput>;
	"scheduler:GetSchedule": Call<Scheduler.GetScheduleCommandInput, Scheduler.GetScheduleCommandOutput>;
	"dynamodb:GetItem": Call<DynamoDb.GetItemCommandInput, DynamoDb.GetItemCommandOutput>;
	"dynamodb:Query": Call<DynamoDb.QueryCommandInput, DynamoDb.QueryCommandOutput>;
	"dynamodb:PutItem": Call<DynamoDb.PutItemCommandInput, DynamoDb.PutItemCommandOutput>;
	"dynamodb:DeleteItem": Call<DynamoDb.DeleteItemCommandInput, DynamoDb.DeleteItemCommandOutput>;
	"dynamodb:TransactWriteItems": Call<DynamoDb.TransactWriteItemsCommandInput, DynamoDb.TransactWriteItemsCommandOutput>;
	"dynamodb:DescribeTable": Call<DynamoDb.DescribeTableCommandInput, DynamoDb.DescribeTableCommandOutput>;
	"sqs:GetQueueUrl": Call<Sqs.GetQueueUrlCommandInput, Sqs.GetQueueUrlCommandOutput>;
	"sqs:ReceiveMessage": Call<Sqs.ReceiveMessageCommandInput, Sqs.ReceiveMessageCommandOutput>;
	"sqs:DeleteMessageBatch": Call<Sqs.DeleteMessageBatchCommandInput, Sqs.DeleteMessageBatchCommandOutput>;
	"sqs:GetQueueAttributes": Call<Sqs.GetQueueAttributesCommandInput, Sqs.GetQueueAttributesCommandOutput>;
	"sqs:ListQueueTags": Call<Sqs.ListQueueTagsCommandInput, Sqs.ListQueueTagsCommandOutput>;
	"sqs:CreateQueue": Call<Sqs.CreateQueueCommandInput, Sqs.CreateQueueCommandOutput>;
	"sqs:SetQueueAttributes": Call<Sqs.SetQueueAttributesCommandInput, Sqs.SetQueueAttributesCommandOutput>;
	"events:DescribeRule": Call<Events.DescribeRuleCommandInput, Events.DescribeRuleCommandOutput>;
	"events:ListTagsForResource": Call<Events.ListTagsForResourceCommandInput, Events.ListTagsForResourceCommandOutput>;
	"events:DescribeEventBus": Call<Events.DescribeEventBusCommandInput, Events.DescribeEventBusCommandOutput>;
	"events:PutRule": Call<Events.PutRuleCommandInput, Events.PutRuleCommandOutput>;
	"events:PutTargets": Call<Events.PutTargetsCommandInput, Events.PutTargetsCommandOutput>;
	"events:PutPermission": Call<Events.PutPermissionCommandInput, Events.PutPermissionCommandOutput>;
	"events:PutEvents": Call<Events.PutEventsCommandInput, Events.PutEventsCommandOutput>;
	"secretsmanager:GetSecretValue": Call<SecretsManager.GetSecretValueCommandInput, SecretsManager.GetSecretValueCommandOutput>;
	"secretsmanager:DescribeSecret": Call<SecretsManager.DescribeSecretCommandInput, SecretsManager.DescribeSecretCommandOutput>;
	"secretsmanager:ListSecretVersionIds": Call<
		SecretsManager.ListSecretVersionIdsCommandInput,
		SecretsManager.ListSecretVersionIdsCommandOutput
	>;
	"secretsmanager:GetRandomPassword": Call<
		SecretsManager.GetRandomPasswordCommandInput,
		SecretsManager.GetRandomPasswordCommandOutput
	>;
	"secretsmanager:PutSecretValue": Call<SecretsManager.PutSecretValueCommandInput, SecretsManager.PutSecretValueCommandOutput>;
	"secretsmanager:UpdateSecretVersionStage": Call<
		SecretsManager.UpdateSecretVersionStageCommandInput,
		SecretsManager.UpdateSecretVersionStageCommandOutput
	>;
	"secretsmanager:RotateSecret": Call<SecretsManager.RotateSecretCommandInput, SecretsManager.RotateSecretCommandOutput>;
	"secretsmanager:TagResource": Call<SecretsManager.TagResourceCommandInput, SecretsManager.TagResourceCommandOutput>;
	"secretsmanager:UntagResource": Call<SecretsManager.UntagResourceCommandInput, SecretsManager.UntagResourceCommandOutput>;
	"elasticloadbalancing:DescribeRules": Call<Elb.DescribeRulesCommandInput, Elb.DescribeRulesCommandOutput>;
	"elasticloadbalancing:DescribeTags": Call<Elb.DescribeTagsCommandInput, Elb.DescribeTagsCommandOutput>;
	"elasticloadbalancing:ModifyRule": Call<Elb.ModifyRuleCommandInput, Elb.ModifyRuleCommandOutput>;
	"elasticloadbalancing:AddTags": Call<Elb.AddTagsCommandInput, Elb.AddTagsCommandOutput>;
	"iam:GetAccountSummary": Call<Iam.GetAccountSummaryCommandInput, Iam.GetAccountSummaryCommandOutput>;
	"events:RemoveTargets": Call<Events.RemoveTargetsCommandInput, Events.RemoveTargetsCommandOutput>;
	"events:DeleteRule": Call<Events.DeleteRuleCommandInput, Events.DeleteRuleCommandOutput>;
	"sqs:DeleteQueue": Call<Sqs.DeleteQueueCommandInput, Sqs.DeleteQueueCommandOutput>;
}

/** `never`, and so an error at every use, when the two lists differ. */
type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? A : never) : never;
export type Operation = Same<keyof Operations, PermittedAction>;

export type Service =
	| "sts"
	| "iam"
	| "ecs"
	| "events"
	| "scheduler"
	| "dynamodb"
	| "sqs"
	| "secretsmanager"
	| "elasticloadbalancing";
export type OperationOf<S extends Service> = Extract<Operation, `${S}:${string}`>;

/** `global`: IAM, in the partition's own region. Null: whatever region the environment says. */
export type Place = Region | "global" | null;

export type Input<O extends Operation> = Operations[O]["input"];
export type Output<O extends Operation> = Operations[O]["output"];

/** One call to AWS in one account: paced, retried, counted, its errors classified. */
export type CallAws = <O extends Operation>(op: O, place: Place, input: Input<O>, signal: AbortSignal) => Promise<Output<O>>;
