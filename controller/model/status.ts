import type { Usages } from "./derived.ts";
import type { Culprit } from "./hint.ts";
import type { Arn, Digest, Instant, ResourceKey } from "./ids.ts";
import type { RotationView } from "./rotation-view.ts";
import type { Binding, Target } from "./target.ts";

export type ConditionType = "Ready" | "Reconciling" | "Stalled" | "Drifted" | "Propagated";

export interface Condition {
	readonly type: ConditionType;
	readonly status: "True" | "False" | "Unknown";
	/** Stable CamelCase. */
	readonly reason: string;
	readonly message: string;
	readonly lastTransitionTime: Instant;
}

/** One target that a resource owns, and what was last written to it by us (what git said, not what AWS had). */
export interface InventoryEntry {
	readonly target: Target;
	/** The wanted state as last fully applied, canonical; null while it never was. Lets drift be told from intent. */
	readonly applied: unknown;
	readonly appliedAt: Instant | null;
}

/** A service or family that a resource names, as the last pass saw it. References only, never a value. */
export interface WorkloadStatus {
	readonly target: Target;
	/** What git asks of it; what is absent is not checked. */
	readonly wanted: Partial<Binding>;
	/** Null: not there. `tasks` is null for a family, which runs when something starts it. */
	readonly live:
		| (Binding & {
				readonly taskDefinition: Arn;
				readonly tasks: { readonly running: number; readonly desired: number } | null;
		  })
		| null;
}

export interface Status {
	readonly key: ResourceKey;
	readonly account: string;
	/** Of the resource, for `get --selector`. */
	readonly labels?: Readonly<Record<string, string>>;
	readonly observedGeneration: Digest;
	readonly lastAttemptedRevision: string;
	readonly lastAppliedRevision: string | null;
	readonly conditions: readonly Condition[];
	readonly inventory: readonly InventoryEntry[];
	/** Absent: recorded by a version that did not. */
	readonly workloads?: readonly WorkloadStatus[];
	/** Of its derived execution roles; absent: there is none, or it was recorded by a version that knew of none. */
	readonly derived?: Usages;
	/** Of a SecretRotation: where it stands. */
	readonly rotation?: RotationView;
	/** The STATUS column: `healed 2 min ago` is made from what stands here. */
	readonly summary: string;
	readonly firstSeen: Instant;
	readonly updatedAt: Instant;
}

/** Append-only. One entry a step applied, refused or failed, one a drift seen, one a command that changed control state. */
export interface HistoryEntry {
	readonly at: Instant;
	readonly key: ResourceKey;
	readonly account: string;
	/** Ties the entry to the user agent of the AWS calls. */
	readonly reconcileId: string;
	readonly revision: string;
	readonly planId: Digest | null;
	/** Caller ARN. */
	readonly actor: string;
	readonly event:
		| "intended"
		| "applied"
		| "failed"
		| "drifted"
		| "stalled"
		| "forgotten"
		| "approved"
		| "admitted"
		| "paused"
		| "resumed"
		| "overridden";
	readonly why: string;
	readonly api: string | null;
	readonly target: Target | null;
	readonly before: unknown;
	readonly after: unknown;
	readonly outcome: string;
	/** Of a drift, and of its healing: which part of the target, and what it was like when it was found. */
	readonly drift?: { readonly part: string; readonly live: Digest };
	/** Who changed it, where an event says so. Text of others. */
	readonly culprit?: Culprit;
	/** Of a drift: when it was changed, as an event says it; else when it was first seen. */
	readonly since?: Instant;
	/** The fence of the lease it was written under: a later writer's is greater. */
	readonly lease?: number;
}
