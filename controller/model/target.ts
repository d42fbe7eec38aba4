import type { PolicyDocument } from "../policy/document.ts";
import type { AccountId, Arn, Digest, Instant, Region, Tags } from "./ids.ts";
import type { SecretState } from "./secret-state.ts";
import type { TriggerStates } from "./trigger-target.ts";

/** One container's environment variable that is injected: the `valueFrom` of the task definition, as written there. */
export type SecretRef = string;

/** What a service or family is bound to. Secrets by `container/NAME`. */
export interface Binding {
	readonly taskRole: Arn | null;
	readonly executionRole: Arn | null;
	readonly secrets: Readonly<Record<string, SecretRef>>;
}

/** A variable of `environment` that looks like a secret. The value is never kept. */
export interface PlaintextSecret {
	readonly container: string;
	readonly name: string;
	/** Which rule spoke: the name, or the entropy of the value. */
	readonly rule: "name" | "entropy";
}

export interface RoleState {
	readonly path: string;
	readonly trust: PolicyDocument;
	readonly inline: Readonly<Record<string, PolicyDocument>>;
	/** Sorted. */
	readonly managedPolicies: readonly Arn[];
	readonly permissionsBoundary: Arn | null;
	readonly tags: Tags;
}

/** What our tags on a task definition say: we made it of `base` (model/binding.ts). */
export interface Bound {
	readonly digest: Digest;
	readonly base: Arn;
}

/** One deployment of a service, as DescribeServices tells of it (aws-facts §4.5). */
export interface Deployment {
	readonly id: string;
	readonly status: "PRIMARY" | "ACTIVE" | "INACTIVE";
	/** Null: ECS does not say, as behind a Classic load balancer. */
	readonly rollout: "IN_PROGRESS" | "COMPLETED" | "FAILED" | null;
	readonly reason: string | null;
	readonly taskDefinition: Arn;
	readonly desired: number;
	readonly running: number;
	readonly pending: number;
	/** Tasks that did not start or did not stay. */
	readonly failed: number;
	readonly createdAt: Instant;
	readonly updatedAt: Instant;
}

/** A deployment of a service that was, or is (ListServiceDeployments). */
export interface PastDeployment {
	readonly taskDefinition: Arn;
	/** PENDING, SUCCESSFUL, STOPPED, ROLLBACK_SUCCESSFUL, … as ECS says it. */
	readonly status: string;
	readonly reason: string | null;
	readonly at: Instant;
	/** It stands at a hook until somebody lets it go on. */
	readonly paused: boolean;
}

/** What is rolled out, and who else has a say in it. */
export interface Rollouts {
	readonly deployments: readonly Deployment[];
	/** The circuit breaker or an alarm takes a failed deployment back by itself. */
	readonly rollsBack: boolean;
	/** Minutes that a deployment stands still by its own settings: to bake, or between its parts. */
	readonly bakeMinutes: number;
	/** The CloudFormation stack that owns the service. */
	readonly stack: string | null;
}

export interface ServiceState extends Binding {
	readonly bound?: Bound | null;
	/** Absent: not looked at. */
	readonly rollouts?: Rollouts;
	/** The task definition the service runs, or will run when its deployment ends. */
	readonly taskDefinition: Arn;
	readonly controller: "ECS" | "CODE_DEPLOY" | "EXTERNAL";
	/** resourceManagementType=ECS: an Express service (aws-facts §4.5). */
	readonly express: boolean;
	readonly desiredCount: number;
	readonly runningCount: number;
	readonly plaintext: readonly PlaintextSecret[];
	readonly containers: readonly string[];
}

export interface FamilyState extends Binding {
	readonly bound?: Bound | null;
	/** Newest ACTIVE revision. */
	readonly taskDefinition: Arn;
	readonly plaintext: readonly PlaintextSecret[];
	readonly containers: readonly string[];
}

/** Canonical states; one line a target type, and the compiler names every place that must learn a new one. */
export interface TargetStates {
	readonly "iam.role": RoleState;
	readonly "ecs.service": ServiceState;
	readonly "ecs.family": FamilyState;
	readonly "sqs.queue": TriggerStates["sqs.queue"];
	readonly "events.rule": TriggerStates["events.rule"];
	readonly "events.bus": TriggerStates["events.bus"];
	readonly "secretsmanager.secret": SecretState;
}
export type TargetType = keyof TargetStates;

/** One thing in AWS that exactly one resource owns. IAM is global, so two Accounts of one id collide here. */
export interface Target<T extends TargetType = TargetType> {
	readonly type: T;
	readonly account: AccountId;
	readonly region: Region | "global";
	/** Role name; `cluster/service`; family; queue; bus; `bus/rule`; a secret's name. */
	readonly name: string;
}

/** The ownership marks read from a target's tags (ARCHITECTURE.md, Ownership). */
export interface Owner {
	readonly installation: string;
	/** `Kind/name` of the resource, without the account. */
	readonly owner: string;
	readonly source: string;
	readonly deletion: string;
	readonly adopted: boolean;
	readonly retiredAt: Instant | null;
}

export type Observed<T extends TargetType = TargetType> =
	| { readonly target: Target<T>; readonly exists: false }
	| {
			readonly target: Target<T>;
			readonly exists: true;
			readonly arn: Arn;
			readonly state: TargetStates[T];
			/** Over names and documents of what we may write; see model/fingerprint.ts. */
			readonly fingerprint: Digest;
			/** Null: nobody's mark. */
			readonly owner: Owner | null;
			/** `ecs-access.dev/hold-until`, whoever set it, also without our mark. */
			readonly holdUntil: Instant | null;
			/** RoleLastUsed, for roles; null when never or not known. */
			readonly lastUsed: Instant | null;
			/**
			 * Why a part of it cannot be read (a document that IAM holds and no parser takes). The state is then not the
			 * whole truth: nothing may be planned from it, and apply refuses to write.
			 */
			readonly unreadable?: string;
	  };

export type Existing<T extends TargetType = TargetType> = Extract<Observed<T>, { exists: true }>;

/** `account/region/type/name`: the identity of a target; role names are unique case-insensitively (aws-facts §2). */
export function targetId(t: Target): string {
	const name = t.type === "iam.role" ? t.name.toLowerCase() : t.name;
	return `${t.account}/${t.region}/${t.type}/${name}`;
}
