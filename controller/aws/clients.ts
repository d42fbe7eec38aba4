import { Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import { iamRegion } from "./arn.ts";
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

type Send<O extends Operation> = (input: Input<O>, signal: AbortSignal) => Promise<Output<O>>;
type Api<S extends Service> = { readonly [O in OperationOf<S>]: Send<O> };

/** Sends one operation with the SDK's own (low) retries; no pacing, no classified errors: that is call.ts. */
export interface Clients {
	readonly send: <O extends Operation>(op: O, place: Place, input: Input<O>, signal: AbortSignal) => Promise<Output<O>>;
}

/** The SDK's own retries; ours are above them (ARCHITECTURE.md, Applying safely). */
const MAX_ATTEMPTS = 2;
const CONNECT_TIMEOUT_MS = 5_000;
/** A full page of GetAccountAuthorizationDetails is several megabytes; nothing else comes near this. */
const REQUEST_TIMEOUT_MS = 30_000;

/** One client a service and region, each SDK module loaded when it is first needed: together they cost about 250 ms. */
export function createClients(options: ClientOptions): Clients {
	const open = new Map<string, Promise<Partial<Record<Operation, unknown>>>>();
	const config = (region: string | null): Config => ({
		...(region !== null && { region }),
		credentials: options.credentials,
		retryMode: "standard",
		maxAttempts: MAX_ATTEMPTS,
		customUserAgent: options.userAgent.map(([name, value]): [string, string] => [name, value]),
		requestHandler: {
			connectionTimeout: CONNECT_TIMEOUT_MS,
			requestTimeout: REQUEST_TIMEOUT_MS,
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
			return send(input, signal);
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

const SERVICES: { readonly [S in Service]: (config: Config) => Promise<Api<S>> } = { sts, iam, ecs, events, scheduler };

async function sts(config: Config): Promise<Api<"sts">> {
	const sdk = await import("@aws-sdk/client-sts");
	const c = new sdk.STSClient(config);
	return {
		"sts:GetCallerIdentity": (i, abortSignal) => c.send(new sdk.GetCallerIdentityCommand(i), { abortSignal }),
		"sts:AssumeRole": (i, abortSignal) => c.send(new sdk.AssumeRoleCommand(i), { abortSignal }),
	};
}

async function iam(config: Config): Promise<Api<"iam">> {
	const sdk = await import("@aws-sdk/client-iam");
	const c = new sdk.IAMClient(config);
	return {
		"iam:ListAccountAliases": (i, abortSignal) => c.send(new sdk.ListAccountAliasesCommand(i), { abortSignal }),
		"iam:GetAccountAuthorizationDetails": (i, abortSignal) =>
			c.send(new sdk.GetAccountAuthorizationDetailsCommand(i), { abortSignal }),
		"iam:GetRole": (i, abortSignal) => c.send(new sdk.GetRoleCommand(i), { abortSignal }),
		"iam:ListRolePolicies": (i, abortSignal) => c.send(new sdk.ListRolePoliciesCommand(i), { abortSignal }),
		"iam:GetRolePolicy": (i, abortSignal) => c.send(new sdk.GetRolePolicyCommand(i), { abortSignal }),
		"iam:ListAttachedRolePolicies": (i, abortSignal) => c.send(new sdk.ListAttachedRolePoliciesCommand(i), { abortSignal }),
		"iam:GetPolicy": (i, abortSignal) => c.send(new sdk.GetPolicyCommand(i), { abortSignal }),
		"iam:GetPolicyVersion": (i, abortSignal) => c.send(new sdk.GetPolicyVersionCommand(i), { abortSignal }),
		"iam:CreateRole": (i, abortSignal) => c.send(new sdk.CreateRoleCommand(i), { abortSignal }),
		"iam:UpdateAssumeRolePolicy": (i, abortSignal) => c.send(new sdk.UpdateAssumeRolePolicyCommand(i), { abortSignal }),
		"iam:PutRolePolicy": (i, abortSignal) => c.send(new sdk.PutRolePolicyCommand(i), { abortSignal }),
		"iam:DeleteRolePolicy": (i, abortSignal) => c.send(new sdk.DeleteRolePolicyCommand(i), { abortSignal }),
		"iam:AttachRolePolicy": (i, abortSignal) => c.send(new sdk.AttachRolePolicyCommand(i), { abortSignal }),
		"iam:DetachRolePolicy": (i, abortSignal) => c.send(new sdk.DetachRolePolicyCommand(i), { abortSignal }),
		"iam:PutRolePermissionsBoundary": (i, abortSignal) => c.send(new sdk.PutRolePermissionsBoundaryCommand(i), { abortSignal }),
		"iam:DeleteRolePermissionsBoundary": (i, abortSignal) =>
			c.send(new sdk.DeleteRolePermissionsBoundaryCommand(i), { abortSignal }),
		"iam:TagRole": (i, abortSignal) => c.send(new sdk.TagRoleCommand(i), { abortSignal }),
		"iam:UntagRole": (i, abortSignal) => c.send(new sdk.UntagRoleCommand(i), { abortSignal }),
		"iam:DeleteRole": (i, abortSignal) => c.send(new sdk.DeleteRoleCommand(i), { abortSignal }),
	};
}

async function ecs(config: Config): Promise<Api<"ecs">> {
	const sdk = await import("@aws-sdk/client-ecs");
	const c = new sdk.ECSClient(config);
	return {
		"ecs:DescribeServices": (i, abortSignal) => c.send(new sdk.DescribeServicesCommand(i), { abortSignal }),
		"ecs:DescribeTaskDefinition": (i, abortSignal) => c.send(new sdk.DescribeTaskDefinitionCommand(i), { abortSignal }),
		"ecs:ListClusters": (i, abortSignal) => c.send(new sdk.ListClustersCommand(i), { abortSignal }),
		"ecs:ListServices": (i, abortSignal) => c.send(new sdk.ListServicesCommand(i), { abortSignal }),
		"ecs:ListTaskDefinitionFamilies": (i, abortSignal) => c.send(new sdk.ListTaskDefinitionFamiliesCommand(i), { abortSignal }),
		"ecs:ListTasks": (i, abortSignal) => c.send(new sdk.ListTasksCommand(i), { abortSignal }),
		"ecs:DescribeTasks": (i, abortSignal) => c.send(new sdk.DescribeTasksCommand(i), { abortSignal }),
	};
}

async function events(config: Config): Promise<Api<"events">> {
	const sdk = await import("@aws-sdk/client-eventbridge");
	const c = new sdk.EventBridgeClient(config);
	return {
		"events:ListEventBuses": (i, abortSignal) => c.send(new sdk.ListEventBusesCommand(i), { abortSignal }),
		"events:ListRuleNamesByTarget": (i, abortSignal) => c.send(new sdk.ListRuleNamesByTargetCommand(i), { abortSignal }),
		"events:ListTargetsByRule": (i, abortSignal) => c.send(new sdk.ListTargetsByRuleCommand(i), { abortSignal }),
	};
}

async function scheduler(config: Config): Promise<Api<"scheduler">> {
	const sdk = await import("@aws-sdk/client-scheduler");
	const c = new sdk.SchedulerClient(config);
	return {
		"scheduler:ListSchedules": (i, abortSignal) => c.send(new sdk.ListSchedulesCommand(i), { abortSignal }),
		"scheduler:GetSchedule": (i, abortSignal) => c.send(new sdk.GetScheduleCommand(i), { abortSignal }),
	};
}
