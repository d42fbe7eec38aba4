import type { AccountId, Arn, Region } from "./ids.ts";

/**
 * What an event points at: a thing in AWS that may have changed, or a wish. Never what happened to it: the pass looks for
 * itself (ARCHITECTURE.md, The one idea). `account` is where it happened, as the event's envelope says.
 */
export type Hint =
	| { readonly type: "iam.role"; readonly account: AccountId; readonly name: string }
	| { readonly type: "iam.managedPolicy"; readonly account: AccountId; readonly arn: Arn }
	| {
			readonly type: "ecs.service";
			readonly account: AccountId;
			readonly region: Region;
			readonly cluster: string;
			readonly name: string;
	  }
	| { readonly type: "ecs.family"; readonly account: AccountId; readonly region: Region; readonly name: string }
	| { readonly type: "secret"; readonly account: AccountId; readonly region: Region; readonly arn: Arn }
	/** A push to the repository: look at the source now. */
	| { readonly type: "source" }
	/** One resource, or all. */
	| { readonly type: "resync"; readonly key: string | null }
	/** The secret of this resource is to be rotated now. */
	| { readonly type: "rotate"; readonly name: string; readonly reason: string | null };

/** Who did it, when an event says so (aws-facts §5.1). Text of others: escape before it is shown. */
export interface Culprit {
	readonly arn: Arn;
	readonly at: string;
	readonly sourceIp: string | null;
	readonly userAgent: string | null;
	/** `iam:PutRolePolicy`. */
	readonly action: string;
	readonly eventId: string;
}
