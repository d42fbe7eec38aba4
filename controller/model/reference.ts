import type { PolicyDocument } from "../policy/document.ts";
import type { AccountId, Arn, Region } from "./ids.ts";
import type { RoleState } from "./target.ts";

/** What a resource points to in AWS without owning it. */
export type Reference =
	| { readonly type: "iam.role"; readonly account: AccountId; readonly name: string }
	| { readonly type: "iam.managedPolicy"; readonly account: AccountId; readonly arn: Arn }
	| {
			readonly type: "passers";
			readonly account: AccountId;
			readonly regions: readonly Region[];
			readonly deployers: readonly Arn[];
	  };

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
	| { readonly type: "absent" }
	| { readonly type: "unknown"; readonly reason: string };

/** `referenceId(ref)` -> fact; `now` is the clock of the pass. */
export interface Facts {
	readonly now: string;
	readonly get: (ref: Reference) => Fact | undefined;
}

export function referenceId(ref: Reference): string {
	switch (ref.type) {
		case "iam.role":
			return `iam.role/${ref.account}/${ref.name.toLowerCase()}`;
		case "iam.managedPolicy":
			return `iam.managedPolicy/${ref.account}/${ref.arn}`;
		case "passers":
			return `passers/${ref.account}/${[...ref.regions].sort().join(",")}/${[...ref.deployers].sort().join(",")}`;
	}
}
