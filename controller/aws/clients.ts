import { Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import { iamRegion } from "../model/partition.ts";
import type { Input, Operation, OperationOf, Output, Place, Service } from "./operations.ts";

/** Temporary or long-lived keys. Never printed. */
export interface Credentials {
	readonly accessKeyId: string;
	readonly secretAccessKey: string;
	readonly sessionToken?: string;
	readonly expiration?: Date;
}

export interface ClientOptions {
	readonly credentials: () => Promise<Credentials>;
	readonly agents: Agents;
	/** The partition of the account: says where IAM is signed for. */
	readonly partition: string;
	/** Used where a call names no region of its own; null: the SDK's own chain (environment, profile). */
	readonly region: string | null;
	/** Appended to the SDK's user agent, which CloudTrail records: `ecs-access/0.1.0`, the reconcile id, the revision. */
	readonly userAgent: readonly (readonly [name: string, value: string])[];
	/** Milliseconds for one attempt of a call; default 10 s, three times that for a page of all roles. */
	readonly requestTimeout?: number;
}

/** Sockets, kept open between calls and passes. */
export interface Agents {
	readonly http: HttpAgent;
	readonly https: HttpsAgent;
	readonly close: () => void;
}

export function createAgents(): Agents {
	const http = new HttpAgent({ keepAlive: true, maxSockets: 50 });
	const https = new HttpsAgent({ keepAlive: true, maxSockets: 50 });
	return {
		http,
		https,
		close: () => {
			http.destroy();
			https.destroy();
		},
	};
}

interface SendOptions {
	readonly abortSignal: AbortSignal;
	readonly requestTimeout: number;
}
type Send<O extends Operation> = (input: Input<O>, options: SendOptions) => Promise<Output<O>>;
type Api<S extends Service> = { readonly [O in OperationOf<S>]: Send<O> };

/** Sends one operation with the SDK's own (low) retries; no pacing, no classified errors: that is call.ts. */
export interface Clients {
	readonly send: <O extends Operation>(op: O, place: Place, input: Input<O>, signal: AbortSignal) => Promise<Output<O>>;
}

/** The SDK's own retries; ours are above them (ARCHITECTURE.md, Applying safely). */
const MAX_ATTEMPTS = 2;
const CONNECT_TIMEOUT_MS = 5_000;
/** Twice this is well below what a write may take in all (call.ts), so that a call that hangs can still be looked into. */
const REQUEST_TIMEOUT_MS = 10_000;
/**
 * A full page of GetAccountAuthorizationDetails is several megabytes, and so is a transaction of a hundred items; a long
 * poll answers after 20 s.
 */
const SLOW_CALLS: ReadonlySet<Operation> = new Set([
	"iam:GetAccountAuthorizationDetails",
	"dynamodb:TransactWriteItems",
	"sqs:ReceiveMessage",
]);
const SLOW_FACTOR = 3;

/** One client a service and region, each SDK module loaded when it is first needed: together they cost about 250 ms. */
export function createClients(options: ClientOptions): Clients {
	const open = new Map<string, Promise<Partial<Record<Operation, unknown>>>>();
	const requestTimeout = options.requestTimeout ?? REQUEST_TIMEOUT_MS;
	const config = (region: string | null): Config => ({
		...(region !== null && { region }),
		credentials: options.credentials,
		retryMode: "standard",
		maxAttempts: MAX_ATTEMPTS,
		customUserAgent: options.userAgent.map(([name, value]): [string, string] => [name, value]),
		requestHandler: {
			connectionTimeout: CONNECT_TIMEOUT_MS,
			requestTimeout,
			// Without it a hanging request is only warned of (moto-facts §9).
			throwOnRequestTimeout: true,
			httpAgent: options.agents.http,
			httpsAgent: options.agents.https,
		},
	});
	return {
		send: async (op, place, input, signal) => {
			const service = op.slice(0, op.indexOf(":")) as Service;
			const region =
				service === "iam" ? iamRegion(options.partition) : place === "global" ? options.region : (place ?? options.region);
			const key = `${service}/${region ?? ""}`;
			let api = open.get(key);
			if (api === undefined) {
				api = SERVICES[service](config(region));
				open.set(key, api);
			}
			const send = (await api)[op] as Send<typeof op>;
			return send(input, {
				abortSignal: signal,
				requestTimeout: SLOW_CALLS.has(op) ? SLOW_FACTOR * requestTimeout : requestTimeout,
			});
		},
	};
}

interface Config {
	readonly region?: string;
	readonly credentials: () => Promise<Credentials>;
	readonly retryMode: "standard";
	readonly maxAttempts: number;
	readonly customUserAgent: [string, string][];
	readonly requestHandler: {
		readonly connectionTimeout: number;
		readonly requestTimeout: number;
		readonly throwOnRequestTimeout: boolean;
		readonly httpAgent: HttpAgent;
		readonly httpsAgent: HttpsAgent;
	};
}

const SERVICES: { readonly [S in Service]: (config: Config) => Promise<Api<S>> } = {
	sts,
	iam,
	ecs,
	events,
	scheduler,
	dynamodb,
	sqs,
	secretsmanager,
	elasticloadbalancing,
};

async function sts(config: Config): Promise<Api<"sts">> {
	const sdk = await import("@aws-sdk/client-sts");
	const c = new sdk.STSClient(config);
	return {
		"sts:GetCallerIdentity": (i, o) => c.send(new sdk.GetCallerIdentityCommand(i), o),
		"sts:AssumeRole": (i, o) => c.send(new sdk.AssumeRoleCommand(i), o),
	};
}

async function iam(config: Config): Promise<Api<"iam">> {
	const sdk = await import("@aws-sdk/client-iam");
	const c = new sdk.IAMClient(config);
	return {
		"iam:ListAccountAliases": (i, o) => c.send(new sdk.ListAccountAliasesCommand(i), o),
		"iam:GetAccountAuthorizationDetails": (i, o) => c.send(new sdk.GetAccountAuthorizationDetailsCommand(i), o),
		"iam:GetRole": (i, o) => c.send(new sdk.GetRoleCommand(i), o),
		"iam:ListRolePolicies": (i, o) => c.send(new sdk.ListRolePoliciesCommand(i), o),
		"iam:GetRolePolicy": (i, o) => c.send(new sdk.GetRolePolicyCommand(i), o),
		"iam:ListAttachedRolePolicies": (i, o) => c.send(new sdk.ListAttachedRolePoliciesCommand(i), o),
		"iam:GetPolicy": (i, o) => c.send(new sdk.GetPolicyCommand(i), o),
		"iam:GetPolicyVersion": (i, o) => c.send(new sdk.GetPolicyVersionCommand(i), o),
		"iam:CreateRole": (i, o) => c.send(new sdk.CreateRoleCommand(i), o),
		"iam:UpdateAssumeRolePolicy": (i, o) => c.send(new sdk.UpdateAssumeRolePolicyCommand(i), o),
		"iam:PutRolePolicy": (i, o) => c.send(new sdk.PutRolePolicyCommand(i), o),
		"iam:DeleteRolePolicy": (i, o) => c.send(new sdk.DeleteRolePolicyCommand(i), o),
		"iam:AttachRolePolicy": (i, o) => c.send(new sdk.AttachRolePolicyCommand(i), o),
		"iam:DetachRolePolicy": (i, o) => c.send(new sdk.DetachRolePolicyCommand(i), o),
		"iam:PutRolePermissionsBoundary": (i, o) => c.send(new sdk.PutRolePermissionsBoundaryCommand(i), o),
		"iam:DeleteRolePermissionsBoundary": (i, o) => c.send(new sdk.DeleteRolePermissionsBoundaryCommand(i), o),
		"iam:TagRole": (i, o) => c.send(new sdk.TagRoleCommand(i), o),
		"iam:UntagRole": (i, o) => c.send(new sdk.UntagRoleCommand(i), o),
		"iam:DeleteRole": (i, o) => c.send(new sdk.DeleteRoleCommand(i), o),
		"iam:GetAccountSummary": (i, o) => c.send(new sdk.GetAccountSummaryCommand(i), o),
	};
}

async function ecs(config: Config): Promise<Api<"ecs">> {
	const [sdk, { describeTaskDefinition }] = await Promise.all([import("@aws-sdk/client-ecs"), import("./unknown-fields.ts")]);
	const c = new sdk.ECSClient(config);
	// Sent again after a lost answer, it would register a second revision: the provider looks for the first.
	const once = new sdk.ECSClient({ ...config, maxAttempts: 1 });
	return {
		"ecs:DescribeServices": (i, o) => c.send(new sdk.DescribeServicesCommand(i), o),
		"ecs:DescribeTaskDefinition": (i, o) => describeTaskDefinition(c, sdk.DescribeTaskDefinitionCommand, i, o),
		"ecs:ListClusters": (i, o) => c.send(new sdk.ListClustersCommand(i), o),
		"ecs:ListServices": (i, o) => c.send(new sdk.ListServicesCommand(i), o),
		"ecs:ListTaskDefinitionFamilies": (i, o) => c.send(new sdk.ListTaskDefinitionFamiliesCommand(i), o),
		"ecs:ListTasks": (i, o) => c.send(new sdk.ListTasksCommand(i), o),
		"ecs:DescribeTasks": (i, o) => c.send(new sdk.DescribeTasksCommand(i), o),
		"ecs:ListServiceDeployments": (i, o) => c.send(new sdk.ListServiceDeploymentsCommand(i), o),
		"ecs:DescribeServiceDeployments": (i, o) => c.send(new sdk.DescribeServiceDeploymentsCommand(i), o),
		"ecs:DescribeServiceRevisions": (i, o) => c.send(new sdk.DescribeServiceRevisionsCommand(i), o),
		"ecs:RegisterTaskDefinition": (i, o) => once.send(new sdk.RegisterTaskDefinitionCommand(i), o),
		"ecs:UpdateService": (i, o) => c.send(new sdk.UpdateServiceCommand(i), o),
	};
}

async function events(config: Config): Promise<Api<"events">> {
	const sdk = await import("@aws-sdk/client-eventbridge");
	const c = new sdk.EventBridgeClient(config);
	return {
		"events:ListEventBuses": (i, o) => c.send(new sdk.ListEventBusesCommand(i), o),
		"events:ListRuleNamesByTarget": (i, o) => c.send(new sdk.ListRuleNamesByTargetCommand(i), o),
		"events:ListTargetsByRule": (i, o) => c.send(new sdk.ListTargetsByRuleCommand(i), o),
		"events:DescribeRule": (i, o) => c.send(new sdk.DescribeRuleCommand(i), o),
		"events:ListTagsForResource": (i, o) => c.send(new sdk.ListTagsForResourceCommand(i), o),
		"events:DescribeEventBus": (i, o) => c.send(new sdk.DescribeEventBusCommand(i), o),
		"events:PutRule": (i, o) => c.send(new sdk.PutRuleCommand(i), o),
		"events:PutTargets": (i, o) => c.send(new sdk.PutTargetsCommand(i), o),
		"events:PutPermission": (i, o) => c.send(new sdk.PutPermissionCommand(i), o),
		"events:PutEvents": (i, o) => c.send(new sdk.PutEventsCommand(i), o),
		"events:RemoveTargets": (i, o) => c.send(new sdk.RemoveTargetsCommand(i), o),
		"events:DeleteRule": (i, o) => c.send(new sdk.DeleteRuleCommand(i), o),
	};
}

async function scheduler(config: Config): Promise<Api<"scheduler">> {
	const sdk = await import("@aws-sdk/client-scheduler");
	const c = new sdk.SchedulerClient(config);
	return {
		"scheduler:ListSchedules": (i, o) => c.send(new sdk.ListSchedulesCommand(i), o),
		"scheduler:GetSchedule": (i, o) => c.send(new sdk.GetScheduleCommand(i), o),
	};
}

async function dynamodb(config: Config): Promise<Api<"dynamodb">> {
	const sdk = await import("@aws-sdk/client-dynamodb");
	const c = new sdk.DynamoDBClient(config);
	return {
		"dynamodb:GetItem": (i, o) => c.send(new sdk.GetItemCommand(i), o),
		"dynamodb:Query": (i, o) => c.send(new sdk.QueryCommand(i), o),
		"dynamodb:PutItem": (i, o) => c.send(new sdk.PutItemCommand(i), o),
		"dynamodb:DeleteItem": (i, o) => c.send(new sdk.DeleteItemCommand(i), o),
		"dynamodb:TransactWriteItems": (i, o) => c.send(new sdk.TransactWriteItemsCommand(i), o),
		"dynamodb:DescribeTable": (i, o) => c.send(new sdk.DescribeTableCommand(i), o),
	};
}

async function sqs(config: Config): Promise<Api<"sqs">> {
	const sdk = await import("@aws-sdk/client-sqs");
	const c = new sdk.SQSClient(config);
	return {
		"sqs:GetQueueUrl": (i, o) => c.send(new sdk.GetQueueUrlCommand(i), o),
		"sqs:ReceiveMessage": (i, o) => c.send(new sdk.ReceiveMessageCommand(i), o),
		"sqs:DeleteMessageBatch": (i, o) => c.send(new sdk.DeleteMessageBatchCommand(i), o),
		"sqs:GetQueueAttributes": (i, o) => c.send(new sdk.GetQueueAttributesCommand(i), o),
		"sqs:ListQueueTags": (i, o) => c.send(new sdk.ListQueueTagsCommand(i), o),
		"sqs:CreateQueue": (i, o) => c.send(new sdk.CreateQueueCommand(i), o),
		"sqs:SetQueueAttributes": (i, o) => c.send(new sdk.SetQueueAttributesCommand(i), o),
		"sqs:DeleteQueue": (i, o) => c.send(new sdk.DeleteQueueCommand(i), o),
	};
}

async function secretsmanager(config: Config): Promise<Api<"secretsmanager">> {
	const [sdk, { noteServerTime }] = await Promise.all([import("@aws-sdk/client-secrets-manager"), import("./answered-at.ts")]);
	const c = new sdk.SecretsManagerClient(config);
	noteServerTime(c);
	return {
		"secretsmanager:GetSecretValue": (i, o) => c.send(new sdk.GetSecretValueCommand(i), o),
		"secretsmanager:DescribeSecret": (i, o) => c.send(new sdk.DescribeSecretCommand(i), o),
		"secretsmanager:ListSecretVersionIds": (i, o) => c.send(new sdk.ListSecretVersionIdsCommand(i), o),
		"secretsmanager:GetRandomPassword": (i, o) => c.send(new sdk.GetRandomPasswordCommand(i), o),
		"secretsmanager:PutSecretValue": (i, o) => c.send(new sdk.PutSecretValueCommand(i), o),
		"secretsmanager:UpdateSecretVersionStage": (i, o) => c.send(new sdk.UpdateSecretVersionStageCommand(i), o),
		"secretsmanager:RotateSecret": (i, o) => c.send(new sdk.RotateSecretCommand(i), o),
		"secretsmanager:TagResource": (i, o) => c.send(new sdk.TagResourceCommand(i), o),
		"secretsmanager:UntagResource": (i, o) => c.send(new sdk.UntagResourceCommand(i), o),
	};
}

async function elasticloadbalancing(config: Config): Promise<Api<"elasticloadbalancing">> {
	const sdk = await import("@aws-sdk/client-elastic-load-balancing-v2");
	const c = new sdk.ElasticLoadBalancingV2Client(config);
	return {
		"elasticloadbalancing:DescribeRules": (i, o) => c.send(new sdk.DescribeRulesCommand(i), o),
		"elasticloadbalancing:DescribeTags": (i, o) => c.send(new sdk.DescribeTagsCommand(i), o),
		"elasticloadbalancing:ModifyRule": (i, o) => c.send(new sdk.ModifyRuleCommand(i), o),
		"elasticloadbalancing:AddTags": (i, o) => c.send(new sdk.AddTagsCommand(i), o),
	};
}
