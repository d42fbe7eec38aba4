import type { Arn, Instant, Tags } from "./ids.ts";

/** A secret as DescribeSecret tells of it, never its value. */
export interface SecretState {
	/** By version id, those that have labels. */
	readonly labels: Readonly<Record<string, readonly string[]>>;
	readonly tags: Tags;
	/** Who rotates it beside us: a Lambda of its own, or the service that owns it (aws-facts §6.3). */
	readonly rotationEnabled: boolean;
	readonly rotationLambda: Arn | null;
	readonly managedBy: string | null;
	readonly createdAt: Instant | null;
	/** When the current version was made; read only where no mark of ours says since when it is current. */
	readonly currentMadeAt: Instant | null;
	/** When this was told, by AWS's clock, by which tasks are told of too; null: it did not say. */
	readonly toldAt: Instant | null;
	/** It waits for its deletion. */
	readonly deletedAt: Instant | null;
}

/** The version that has a label; null: none has. */
export function versionWith(state: SecretState, label: string): string | null {
	return Object.entries(state.labels).find(([, labels]) => labels.includes(label))?.[0] ?? null;
}

/** A version that was rolled back keeps this label and is never promoted again. */
export const FAILED_LABEL = "ecs-access-failed";
/** A version that stood in the way as AWSPENDING, kept from being purged. */
export const ASIDE_LABEL = "ecs-access-set-aside";
