import type { Hint } from "./hint.ts";
import type { Region } from "./ids.ts";

/**
 * What we listen to: the one source of the EventBridge rules (plan/triggers.ts) and of the parser (model/parse-event.ts).
 * What stands here is delivered and understood; nothing else is either.
 */
export interface Trigger {
	/** The end of its rules' names. */
	readonly id: string;
	/** For people. */
	readonly what: string;
	readonly source: string;
	readonly detailTypes: readonly string[];
	/** Of an event that CloudTrail made: the calls that are told. */
	readonly eventNames?: readonly string[];
	/**
	 * Where AWS puts it: in the IAM region of the partition, in every region that is worked in, or only where we are
	 * (aws-facts §5.1).
	 */
	readonly where: "iam-region" | "every-region" | "home";
	/** What it points at. Throws an Error that says what is missing from an event that is not as documented. */
	readonly hints: (event: TriggerEvent) => readonly Hint[];
}

/** An event, its envelope checked. */
export interface TriggerEvent {
	readonly id: string;
	readonly source: string;
	readonly detailType: string;
	readonly account: string;
	readonly region: Region;
	readonly time: string;
	readonly resources: readonly string[];
	readonly detail: Readonly<Record<string, unknown>>;
}

/** The second as China's documentation prints it (aws-facts §10). */
const CALL = ["AWS API Call via CloudTrail", "Amazon API Call via CloudTrail"];
const SERVICE_EVENT = ["AWS Service Event via CloudTrail"];
/** Of events that come from CloudTrail: they name a call, and who made it. */
export const VIA_CLOUDTRAIL: ReadonlySet<string> = new Set([...CALL, ...SERVICE_EVENT]);

const ROLE_WRITES = [
	"CreateRole",
	"DeleteRole",
	"UpdateRole",
	"UpdateRoleDescription",
	"UpdateAssumeRolePolicy",
	"PutRolePolicy",
	"DeleteRolePolicy",
	"AttachRolePolicy",
	"DetachRolePolicy",
	"PutRolePermissionsBoundary",
	"DeleteRolePermissionsBoundary",
	"TagRole",
	"UntagRole",
];
const POLICY_WRITES = ["CreatePolicyVersion", "DeletePolicyVersion", "SetDefaultPolicyVersion", "DeletePolicy"];
const SERVICE_WRITES = ["CreateService", "UpdateService", "DeleteService"];
const TASK_DEFINITION_WRITES = ["RegisterTaskDefinition", "DeregisterTaskDefinition"];

/** Source of our own events, both those that ask something of us and those that tell what was done. */
export const OWN_SOURCE = "ecs-access";
/** Detail-types of `ecs-access` events that ask for something; every other one is told by us, and not for us. */
const REQUESTS = { push: "Push", rotate: "Rotate Requested", resync: "Resync Requested" } as const;

export const TRIGGERS: readonly Trigger[] = [
	{
		id: "iam",
		what: "writes to roles and to managed policies",
		source: "aws.iam",
		detailTypes: CALL,
		eventNames: [...ROLE_WRITES, ...POLICY_WRITES],
		where: "iam-region",
		hints: ({ account, detail }) => {
			const asked = record(detail.requestParameters, "requestParameters");
			return POLICY_WRITES.includes(String(detail.eventName))
				? [{ type: "iam.managedPolicy", account, arn: text(asked.policyArn, "requestParameters.policyArn") }]
				: [{ type: "iam.role", account, name: text(asked.roleName, "requestParameters.roleName") }];
		},
	},
	{
		id: "ecs-state",
		what: "what becomes of services and deployments",
		source: "aws.ecs",
		detailTypes: ["ECS Service Action", "ECS Deployment State Change"],
		where: "every-region",
		hints: ({ account, region, resources }) => resources.flatMap((arn) => serviceOf(arn, account, region)),
	},
	{
		id: "ecs-calls",
		what: "writes to services and task definitions",
		source: "aws.ecs",
		detailTypes: CALL,
		eventNames: [...SERVICE_WRITES, ...TASK_DEFINITION_WRITES],
		where: "every-region",
		hints: ({ account, region, detail }) => {
			const asked = record(detail.requestParameters, "requestParameters");
			const at = (name: string) => `requestParameters.${name}`;
			switch (detail.eventName) {
				case "RegisterTaskDefinition":
					return [{ type: "ecs.family", account, region, name: text(asked.family, at("family")) }];
				case "DeregisterTaskDefinition": {
					const name = lastOf(text(asked.taskDefinition, at("taskDefinition"))).replace(/:\d+$/, "");
					return [{ type: "ecs.family", account, region, name }];
				}
				case "CreateService":
					return [serviceNamed(asked.cluster, text(asked.serviceName, at("serviceName")), account, region)];
				default:
					return [serviceNamed(asked.cluster, text(asked.service, at("service")), account, region)];
			}
		},
	},
	{
		id: "secret-labels",
		what: "secrets with a new current version",
		source: "aws.secretsmanager",
		detailTypes: ["Secret Label Updated"],
		where: "every-region",
		hints: ({ account, region, resources: [arn] }) => [{ type: "secret", account, region, arn: text(arn, "resources[0]") }],
	},
	{
		id: "secret-rotations",
		what: "rotations that begin and end",
		source: "aws.secretsmanager",
		detailTypes: SERVICE_EVENT,
		eventNames: ["RotationStarted", "RotationSucceeded", "RotationFailed", "RotationAbandoned"],
		where: "every-region",
		hints: ({ account, region, detail }) => {
			const more = record(detail.additionalEventData, "additionalEventData");
			return [{ type: "secret", account, region, arn: text(more.SecretId, "additionalEventData.SecretId") }];
		},
	},
	{
		id: "requests",
		what: "requests: look at git, resync, rotate",
		source: OWN_SOURCE,
		detailTypes: Object.values(REQUESTS),
		where: "home",
		hints: ({ detailType, detail }) => {
			switch (detailType) {
				case REQUESTS.push:
					return [{ type: "source" }];
				case REQUESTS.rotate:
					return [
						{ type: "rotate", name: text(detail.name, "name"), reason: typeof detail.reason === "string" ? detail.reason : null },
					];
				default:
					return [{ type: "resync", key: detail.key === undefined || detail.key === null ? null : text(detail.key, "key") }];
			}
		},
	},
];

/**
 * The pattern of a trigger's rule. Failed calls change nothing, so they are not even delivered (aws-facts §5.1); read-only
 * ones never are, in a rule that does not ask for them.
 */
export function patternOf(trigger: Trigger): Readonly<Record<string, unknown>> {
	const { source, detailTypes, eventNames } = trigger;
	return {
		source: [source],
		"detail-type": detailTypes,
		...(eventNames !== undefined && { detail: { eventName: eventNames, errorCode: [{ exists: false }] } }),
	};
}

/** `cluster` as a name, an ARN, or left out, which means `default`; `service` as a name or an ARN. */
function serviceNamed(cluster: unknown, service: string, account: string, region: Region): Hint {
	const [byArn] = service.startsWith("arn:") ? serviceOf(service, account, region) : [];
	if (byArn !== undefined) return byArn;
	const name = typeof cluster === "string" && cluster !== "" ? lastOf(cluster) : "default";
	return { type: "ecs.service", account, region, cluster: name, name: lastOf(service) };
}

/** `arn:aws:ecs:REGION:ACCOUNT:service/CLUSTER/NAME`; the old form without a cluster says too little. */
function serviceOf(arn: string, account: string, region: Region): readonly Hint[] {
	const [kind, cluster, name] = arn.split(":").slice(5).join(":").split("/");
	return kind === "service" && cluster !== undefined && name !== undefined
		? [{ type: "ecs.service", account, region, cluster, name }]
		: [];
}

function lastOf(arnOrName: string): string {
	return arnOrName.slice(arnOrName.lastIndexOf("/") + 1);
}

function text(value: unknown, name: string): string {
	if (typeof value !== "string" || value === "") throw new Error(`${name} is missing`);
	return value;
}

function record(value: unknown, name: string): Readonly<Record<string, unknown>> {
	if (typeof value !== "object" || value === null || Array.isArray(value)) throw new Error(`${name} is missing`);
	return value as Readonly<Record<string, unknown>>;
}
