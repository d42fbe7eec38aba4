/**
 * What an account holds before a test or the demo begins. Written straight into moto's models: nothing is validated, no quota
 * applies, so that a test can start from a bad state. Documents may be given as text, where the bytes matter.
 */
export interface SeedData {
	/** Of clusters, services, secrets and rules. Default `eu-west-1`. */
	readonly region?: string;
	readonly alias?: string;
	/** A CloudTrail trail that logs management events; see `SandboxSettings`. */
	readonly trail?: boolean;
	/** ARN that GetCallerIdentity answers. Default `arn:aws:sts::ACCOUNT:assumed-role/Admin/kim`; the role need not exist. */
	readonly caller?: string;
	/** Customer managed policies. */
	readonly policies?: readonly PolicySeed[];
	readonly roles?: readonly RoleSeed[];
	readonly secrets?: readonly SecretSeed[];
	/** Rules of a load balancer, each with an authenticate-oidc action. */
	readonly listenerRules?: readonly { readonly issuer: string; readonly clientId: string; readonly clientSecret: string }[];
	readonly clusters?: readonly ClusterSeed[];
	/** Registered in this order: the second of a family is its revision 2. */
	readonly taskDefinitions?: readonly TaskDefinitionSeed[];
	/** Stable at once: running as many tasks as desired, deployment completed. */
	readonly services?: readonly ServiceSeed[];
	/** EventBridge rules on the default bus. */
	readonly rules?: readonly RuleSeed[];
	/** EventBridge Scheduler. */
	readonly schedules?: readonly ScheduleSeed[];
}

type Document = string | { readonly Statement: unknown };
type Tags = Readonly<Record<string, string>>;

interface PolicySeed {
	readonly name: string;
	readonly path?: string;
	readonly description?: string;
	readonly document: Document;
	readonly tags?: Tags;
}

export interface RoleSeed {
	readonly name: string;
	readonly path?: string;
	readonly description?: string;
	readonly trust: Document;
	readonly inline?: Readonly<Record<string, Document>>;
	/** ARNs of managed policies; they must be AWS's or in `policies`. */
	readonly attached?: readonly string[];
	readonly boundary?: string;
	readonly tags?: Tags;
	/** Seconds. */
	readonly maxSessionDuration?: number;
}

interface SecretSeed {
	readonly name: string;
	/** The six characters that AWS appends to the name in the ARN; random when absent. */
	readonly suffix?: string;
	readonly value?: string;
	readonly description?: string;
	readonly tags?: Tags;
}

interface ClusterSeed {
	readonly name: string;
	readonly tags?: Tags;
}

interface ContainerSeed {
	readonly name: string;
	readonly image: string;
	readonly environment?: readonly { readonly name: string; readonly value: string }[];
	readonly secrets?: readonly { readonly name: string; readonly valueFrom: string }[];
}

export interface TaskDefinitionSeed {
	readonly family: string;
	readonly taskRoleArn?: string;
	readonly executionRoleArn?: string;
	readonly containerDefinitions: readonly ContainerSeed[];
	readonly tags?: Tags;
}

export interface ServiceSeed {
	readonly cluster: string;
	readonly name: string;
	/** Family (its newest revision), `family:revision` or ARN. */
	readonly taskDefinition: string;
	/** Default 1. */
	readonly desiredCount?: number;
	readonly deploymentController?: "ECS" | "CODE_DEPLOY" | "EXTERNAL";
	/** `ECS` makes it an Express service. */
	readonly resourceManagementType?: "CUSTOMER" | "ECS";
	readonly tags?: Tags;
}

interface RuleSeed {
	readonly name: string;
	readonly scheduleExpression?: string;
	readonly eventPattern?: unknown;
	/** As PutTargets takes them. */
	readonly targets: readonly {
		readonly Id: string;
		readonly Arn: string;
		readonly RoleArn?: string;
		readonly EcsParameters?: unknown;
	}[];
}

interface ScheduleSeed {
	readonly name: string;
	readonly group?: string;
	readonly scheduleExpression: string;
	/** As CreateSchedule takes it. */
	readonly target: { readonly Arn: string; readonly RoleArn: string; readonly EcsParameters?: unknown };
}

/** The trust policy of a role that ECS tasks assume. */
export const ecsTasksTrust = {
	Version: "2012-10-17",
	Statement: [{ Effect: "Allow", Principal: { Service: "ecs-tasks.amazonaws.com" }, Action: "sts:AssumeRole" }],
} as const;

/** A statement as the builders take it. */
export interface SeedStatement {
	readonly Sid?: string;
	readonly Effect: "Allow" | "Deny";
	readonly Action: string | readonly string[];
	readonly Resource: string | readonly string[];
	readonly Condition?: Readonly<Record<string, Readonly<Record<string, string | readonly string[]>>>>;
}

/** A policy document of these statements. */
export function seedDocument(...statements: readonly SeedStatement[]): { readonly Version: string; readonly Statement: unknown } {
	return { Version: "2012-10-17", Statement: statements };
}

/** A role that ECS tasks assume, with one inline document `policy` when `statements` are given; `more` wins. */
export function roleSeed(name: string, statements: readonly SeedStatement[] = [], more: Partial<RoleSeed> = {}): RoleSeed {
	return {
		name,
		trust: ecsTasksTrust,
		...(statements.length > 0 ? { inline: { policy: seedDocument(...statements) } } : {}),
		...more,
	};
}

interface WorkloadSeed {
	readonly taskRoleArn?: string;
	readonly executionRoleArn?: string;
	readonly environment?: Readonly<Record<string, string>>;
	/** Variable -> secret reference (`valueFrom`). */
	readonly secrets?: Readonly<Record<string, string>>;
}

/** A task definition of one container. */
export function taskDefinitionSeed(family: string, workload: WorkloadSeed = {}): TaskDefinitionSeed {
	const { environment = {}, secrets = {}, ...roles } = workload;
	return {
		family,
		...roles,
		containerDefinitions: [
			{
				name: family,
				image: `registry.acme.example/${family}:1`,
				environment: Object.entries(environment).map(([name, value]) => ({ name, value })),
				secrets: Object.entries(secrets).map(([name, valueFrom]) => ({ name, valueFrom })),
			},
		],
	};
}

/** A service `name` in `cluster` that runs the newest revision of the family of the same name; `more` wins. */
export function serviceSeed(cluster: string, name: string, more: Partial<ServiceSeed> = {}): ServiceSeed {
	return { cluster, name, taskDefinition: name, ...more };
}
