import type { Account } from "../model/account.ts";
import type { DoctorAccount, Quotas, TriedCall } from "../model/doctor.ts";
import type { PermittedAction } from "../model/permissions.ts";
import type { Clock } from "../model/ports.ts";
import type { Credentials } from "./clients.ts";
import { createCanaryRole } from "./doctor-canary.ts";
import { createCanaryListener } from "./doctor-listener.ts";
import { awsCode } from "./errors.ts";
import type { CallAws } from "./operations.ts";
import { outcomeOf } from "./outcome.ts";
import { serverTime } from "./server-time.ts";

export interface DoctorAccountDeps {
	readonly call: CallAws;
	readonly account: Account;
	readonly clock: Clock;
	/** The environment's own: what the clock is asked by. */
	readonly credentials: () => Promise<Credentials>;
}

export function createDoctorAccount(deps: DoctorAccountDeps): DoctorAccount {
	const { call, account, clock } = deps;
	return {
		serverTime: (signal) => serverTime(account.region, deps.credentials, signal),
		tryReads: (signal) => tryReads(call, account, signal),
		quotas: async (signal) => quotasOf((await call("iam:GetAccountSummary", "global", {}, signal)).SummaryMap ?? {}),
		queue: async (name, signal) => {
			try {
				const { QueueUrl } = await call("sqs:GetQueueUrl", account.region, { QueueName: name }, signal);
				const AttributeNames = [
					"ApproximateNumberOfMessages" as const,
					"ApproximateNumberOfMessagesNotVisible" as const,
					"KmsMasterKeyId" as const,
				];
				const { Attributes = {} } = await call("sqs:GetQueueAttributes", account.region, { QueueUrl, AttributeNames }, signal);
				return {
					messages:
						Number(Attributes.ApproximateNumberOfMessages ?? 0) + Number(Attributes.ApproximateNumberOfMessagesNotVisible ?? 0),
					kmsKey: Attributes.KmsMasterKeyId || null,
				};
			} catch (error) {
				if (/NonExistentQueue|QueueDoesNotExist/.test(awsCode(error) ?? "")) return null;
				throw error;
			}
		},
		canary: createCanaryRole(call, account),
		listener: createCanaryListener(call, clock),
	};
}

/** Names of the summary's entries: https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccountSummary.html */
function quotasOf(summary: Readonly<Record<string, number | undefined>>): Quotas {
	return {
		roles: summary.Roles,
		rolesQuota: summary.RolesQuota,
		inlineSize: summary.RolePolicySizeQuota,
		trustSize: summary.AssumeRolePolicySizeQuota,
		attachments: summary.AttachedPoliciesPerRoleQuota,
	};
}

/** What is asked for where a name is needed and none is known: AWS refuses before it looks. */
const NOBODY = "ecs-access-doctor";

/** One page, one name at a time: seeing whether it is allowed must cost next to nothing. */
async function tryReads(call: CallAws, account: Account, signal: AbortSignal): Promise<readonly TriedCall[]> {
	const region = account.region;
	const tried: TriedCall[] = [];
	const attempt = async <T>(action: PermittedAction, work: () => Promise<T>): Promise<T | null> => {
		try {
			const answer = await work();
			tried.push({ action, outcome: "allowed", said: null });
			return answer;
		} catch (error) {
			if (signal.aborted) throw error;
			tried.push({ action, ...outcomeOf(error) });
			return null;
		}
	};
	const iam = async (): Promise<void> => {
		await attempt("iam:ListAccountAliases", () => call("iam:ListAccountAliases", "global", { MaxItems: 1 }, signal));
		const details = await attempt("iam:GetAccountAuthorizationDetails", () =>
			call("iam:GetAccountAuthorizationDetails", "global", { Filter: ["Role"], MaxItems: 100 }, signal),
		);
		// A permission may be for what lies below the role path only: a role there, if there is any.
		const roles = details?.RoleDetailList ?? [];
		const RoleName = (roles.find((r) => r.Path === account.rolePath) ?? roles[0])?.RoleName ?? NOBODY;
		await attempt("iam:GetRole", () => call("iam:GetRole", "global", { RoleName }, signal));
		await attempt("iam:ListRolePolicies", () => call("iam:ListRolePolicies", "global", { RoleName, MaxItems: 1 }, signal));
		await attempt("iam:GetRolePolicy", () => call("iam:GetRolePolicy", "global", { RoleName, PolicyName: NOBODY }, signal));
		await attempt("iam:ListAttachedRolePolicies", () =>
			call("iam:ListAttachedRolePolicies", "global", { RoleName, MaxItems: 1 }, signal),
		);
		const PolicyArn = `arn:${account.partition}:iam::aws:policy/AWSDenyAll`;
		await attempt("iam:GetPolicy", () => call("iam:GetPolicy", "global", { PolicyArn }, signal));
		await attempt("iam:GetPolicyVersion", () => call("iam:GetPolicyVersion", "global", { PolicyArn, VersionId: "v1" }, signal));
	};
	const ecs = async (): Promise<void> => {
		const found = await attempt("ecs:ListClusters", () => call("ecs:ListClusters", region, { maxResults: 1 }, signal));
		await attempt("ecs:ListTaskDefinitionFamilies", () =>
			call("ecs:ListTaskDefinitionFamilies", region, { maxResults: 1 }, signal),
		);
		await attempt("ecs:DescribeTaskDefinition", () =>
			call("ecs:DescribeTaskDefinition", region, { taskDefinition: `${NOBODY}:1` }, signal),
		);
		const cluster = found?.clusterArns?.[0];
		if (cluster === undefined) return;
		const listed = await attempt("ecs:ListServices", () => call("ecs:ListServices", region, { cluster, maxResults: 1 }, signal));
		await attempt("ecs:DescribeServices", () => call("ecs:DescribeServices", region, { cluster, services: [NOBODY] }, signal));
		await attempt("ecs:ListTasks", () => call("ecs:ListTasks", region, { cluster, maxResults: 1 }, signal));
		await attempt("ecs:DescribeTasks", () => call("ecs:DescribeTasks", region, { cluster, tasks: [NO_TASK] }, signal));
		const service = listed?.serviceArns?.[0];
		if (service === undefined) return;
		await attempt("ecs:ListServiceDeployments", () =>
			call("ecs:ListServiceDeployments", region, { cluster, service, maxResults: 1 }, signal),
		);
	};
	const starters = async (): Promise<void> => {
		await attempt("events:ListEventBuses", () => call("events:ListEventBuses", region, { Limit: 1 }, signal));
		await attempt("events:DescribeEventBus", () => call("events:DescribeEventBus", region, { Name: "default" }, signal));
		await attempt("events:ListRuleNamesByTarget", () =>
			call("events:ListRuleNamesByTarget", region, { TargetArn: clusterArn(account), Limit: 1 }, signal),
		);
		await attempt("scheduler:ListSchedules", () => call("scheduler:ListSchedules", region, { MaxResults: 1 }, signal));
		await attempt("scheduler:GetSchedule", () => call("scheduler:GetSchedule", region, { Name: NOBODY }, signal));
	};
	await Promise.all([iam(), ecs(), starters()]);
	return tried;
}

/** As long as a task's id is. */
const NO_TASK = "0".repeat(32);

function clusterArn({ partition, region, accountId }: Account): string {
	return `arn:${partition}:ecs:${region}:${accountId}:cluster/${NOBODY}`;
}
