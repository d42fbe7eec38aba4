import type { PolicyDocument } from "../policy/document.ts";
import type { Usages } from "./derived.ts";
import type { AccountId, Arn, Region, ResourceKey } from "./ids.ts";
import type { Consumers, ConsumersReference } from "./rotation.ts";
import type { Binding, Bound, PastDeployment, RoleState } from "./target.ts";

/** What a resource points to in AWS without owning it. */
export type Reference =
	| { readonly type: "iam.role"; readonly account: AccountId; readonly name: string }
	| { readonly type: "iam.managedPolicy"; readonly account: AccountId; readonly arn: Arn }
	| {
			readonly type: "passers";
			readonly account: AccountId;
			readonly regions: readonly Region[];
			readonly deployers: readonly Arn[];
	  }
	| RevisionsReference
	| WorkloadReference
	| { readonly type: "secret.key"; readonly account: AccountId; readonly arn: Arn }
	| ConsumersReference;

/** What a service or family needs of its execution role; of a service as `cluster/service`. */
export interface WorkloadReference {
	readonly type: "ecs.workload";
	readonly account: AccountId;
	readonly region: Region;
	readonly workload: "service" | "family";
	readonly name: string;
}

/** What the containers of one revision of a task definition need before they start, as written there. */
export interface RevisionNeeds {
	readonly arn: Arn;
	readonly images: readonly string[];
	readonly logs: readonly LogTarget[];
	/** `valueFrom` of variables, log drivers, private registries and file systems. */
	readonly secrets: readonly string[];
	/** ARNs of S3 objects: environment files, and configuration of log routers. */
	readonly files: readonly string[];
}

/** A log group that the awslogs driver writes to; region null: that of the task. */
export interface LogTarget {
	readonly group: string;
	readonly region: Region | null;
	/** The driver makes the group where there is none. */
	readonly create: boolean;
}

/** What was registered and rolled out lately: of a service that is to be bound, or of a family. */
export interface RevisionsReference {
	readonly type: "ecs.revisions";
	readonly account: AccountId;
	readonly region: Region;
	/** What runs, or the newest of a family. */
	readonly taskDefinition: Arn;
	/** `cluster/service`; null: of a family. */
	readonly service: string | null;
}

/** A revision of a task definition, as far as binding goes. */
export interface Revision {
	readonly arn: Arn;
	readonly binding: Binding;
	readonly bound: Bound | null;
	readonly registeredBy: Arn | null;
}

/** A principal that deploys, with what it may do (aws-facts §4.6). */
export interface Passer {
	readonly arn: Arn;
	/** `the caller`, `Scheduler schedule nightly`, `EventBridge rule orders-nightly`, `Account prod deployers`. */
	readonly as: string;
	/** Null: its policies cannot be read from here. */
	readonly documents: readonly PolicyDocument[] | null;
	readonly boundary: PolicyDocument | null;
	/** Task families it starts; null: it may start any. */
	readonly families: readonly string[] | null;
}

/** What a reference resolved to. `absent` is a fact; what could not be read is `unknown`, with the reason. */
export type Fact =
	| { readonly type: "iam.role"; readonly arn: Arn; readonly state: RoleState }
	| { readonly type: "iam.managedPolicy"; readonly arn: Arn; readonly document: PolicyDocument }
	| { readonly type: "passers"; readonly passers: readonly Passer[]; readonly unread: readonly string[] }
	/** Both the newest first. */
	| { readonly type: "ecs.revisions"; readonly revisions: readonly Revision[]; readonly deployments: readonly PastDeployment[] }
	/** Of all revisions that run, may run next, or may be gone back to. */
	| { readonly type: "ecs.workload"; readonly revisions: readonly RevisionNeeds[] }
	/** The key as Secrets Manager names it; null: the one of AWS's own. */
	| { readonly type: "secret.key"; readonly key: string | null }
	| { readonly type: "secret.consumers"; readonly consumers: Consumers }
	| { readonly type: "absent" }
	| { readonly type: "unknown"; readonly reason: string };

/** `referenceId(ref)` -> fact; `now` is the clock of the pass. */
export interface Facts {
	readonly now: string;
	readonly get: (ref: Reference) => Fact | undefined;
	/** What is remembered of an instance's derived roles; undefined: nothing is. */
	readonly used?: (key: ResourceKey) => Usages | undefined;
}

export function referenceId(ref: Reference): string {
	switch (ref.type) {
		case "iam.role":
			return `iam.role/${ref.account}/${ref.name.toLowerCase()}`;
		case "iam.managedPolicy":
			return `iam.managedPolicy/${ref.account}/${ref.arn}`;
		case "ecs.revisions":
			return `ecs.revisions/${ref.account}/${ref.region}/${ref.service ?? ""}/${ref.taskDefinition}`;
		case "ecs.workload":
			return `ecs.workload/${ref.account}/${ref.region}/${ref.workload}/${ref.name}`;
		case "secret.key":
			return `secret.key/${ref.account}/${ref.arn}`;
		case "secret.consumers":
			return `secret.consumers/${ref.account}/${ref.secret}/${ref.since ?? ""}`;
		case "passers":
			return `passers/${ref.account}/${[...ref.regions].sort().join(",")}/${[...ref.deployers].sort().join(",")}`;
	}
}
