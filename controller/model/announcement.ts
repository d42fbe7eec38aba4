import type { AccessEffect } from "../policy/access.ts";
import type { Culprit } from "./hint.ts";
import type { AccountId, Arn, Instant, ResourceKey } from "./ids.ts";
import type { Target } from "./target.ts";

/**
 * Detail-types of the events that tell what was done and seen. `Push`, `Rotate Requested` and `Resync Requested` are those
 * that ask something of us (model/triggers.ts); none is ever sent by us.
 */
export type AnnouncementType =
	| "Step Applied"
	| "Step Failed"
	| "Drift Detected"
	| "Resource Stalled"
	| "Resource Contested"
	| "Access Expired"
	| "Revision Admitted"
	| "Revision Refused"
	| "Paused"
	| "Resumed";

/**
 * The detail of such an event: always all fields, null where it has nothing to say, so that a pattern or a template never
 * meets a missing one. Never a policy document or a value, only names: see docs/schemas/announcement.json.
 */
export interface AnnouncementDetail {
	readonly installation: string;
	/** One line for a person. Parts of it are text of others. */
	readonly message: string;
	readonly key: ResourceKey | null;
	/** Name of the Account. */
	readonly account: string | null;
	readonly accountId: AccountId | null;
	readonly target: Target | null;
	/** What of the target: `inline policy "quick-fix"`. */
	readonly part: string | null;
	readonly api: string | null;
	readonly why: string | null;
	readonly effect: AccessEffect | null;
	/** Stable CamelCase: why it failed, stalls, or was refused. */
	readonly reason: string | null;
	/** When it was changed, or has been so. */
	readonly since: Instant | null;
	/** When it ends by itself. */
	readonly until: Instant | null;
	readonly revision: string | null;
	readonly reconcileId: string | null;
	readonly planId: string | null;
	/** As whom we act; of a pause, who asked for it. */
	readonly actor: string | null;
	readonly culprit: Culprit | null;
}

export interface Announcement {
	readonly type: AnnouncementType;
	readonly at: Instant;
	/** ARNs of what it speaks of, where they are known. */
	readonly resources: readonly Arn[];
	readonly detail: AnnouncementDetail;
}
