import type { AccessEffect, AccessLine } from "../policy/access.ts";
import type { PolicyDocument } from "../policy/document.ts";
import type { Account, Caller } from "./account.ts";
import type { Drift } from "./drift.ts";
import type { Finding } from "./finding.ts";
import type { Halt } from "./halt.ts";
import type { Arn, Digest, Instant, ResourceKey, StepId, Tags } from "./ids.ts";
import type { Origin, Revision } from "./resource.ts";
import type { RestartCall, RotationCall } from "./rotation.ts";
import type { RotationView } from "./rotation-view.ts";
import type { Binding, Target } from "./target.ts";
import type { TriggerCall } from "./trigger-target.ts";

export type Why =
	| "missing"
	| "spec-changed"
	| "drifted"
	| "expired"
	| "removed-from-git"
	| "adopted"
	| "renamed"
	| "rotation"
	/** What was rolled out before has failed, and is taken back. */
	| "failed";

export type Waiting =
	| "approval"
	| "budget"
	| "guardrail"
	| "freeze"
	| "paused"
	| "suspended"
	| "hold"
	| "lease"
	| "not-owned"
	| "contested"
	| "reference"
	| "propagation"
	| "rollout"
	/** It was tried and failed: a commit, or another task definition, must come first. */
	| "failed"
	| "in-use"
	| "retention";

/** One call, with its whole input: execution decides nothing. Documents are minified and encoded by the provider. */
export type StepCall = RoleCall | TriggerCall | BindingCall | RotationCall | RestartCall;

/** Of a role, or none. */
export type RoleCall =
	| {
			readonly api: "iam:CreateRole";
			readonly input: {
				readonly RoleName: string;
				readonly Path: string;
				readonly AssumeRolePolicyDocument: PolicyDocument;
				readonly PermissionsBoundary?: Arn;
				readonly Tags: Tags;
			};
	  }
	| {
			readonly api: "iam:UpdateAssumeRolePolicy";
			readonly input: { readonly RoleName: string; readonly PolicyDocument: PolicyDocument };
	  }
	| {
			readonly api: "iam:PutRolePolicy";
			readonly input: { readonly RoleName: string; readonly PolicyName: string; readonly PolicyDocument: PolicyDocument };
	  }
	| { readonly api: "iam:DeleteRolePolicy"; readonly input: { readonly RoleName: string; readonly PolicyName: string } }
	| { readonly api: "iam:AttachRolePolicy"; readonly input: { readonly RoleName: string; readonly PolicyArn: Arn } }
	| { readonly api: "iam:DetachRolePolicy"; readonly input: { readonly RoleName: string; readonly PolicyArn: Arn } }
	| {
			readonly api: "iam:PutRolePermissionsBoundary";
			readonly input: { readonly RoleName: string; readonly PermissionsBoundary: Arn };
	  }
	| { readonly api: "iam:DeleteRolePermissionsBoundary"; readonly input: { readonly RoleName: string } }
	| { readonly api: "iam:TagRole"; readonly input: { readonly RoleName: string; readonly Tags: Tags } }
	| { readonly api: "iam:UntagRole"; readonly input: { readonly RoleName: string; readonly TagKeys: readonly string[] } }
	| { readonly api: "iam:DeleteRole"; readonly input: { readonly RoleName: string } }
	/** Nothing to call yet: the step stands for what waits (a service that does not exist, a role that is not ours). */
	| { readonly api: "none" };

/**
 * Of a workload. A new revision is the task definition `base` with `binding` in it, made by RegisterTaskDefinition within
 * the step, so that nothing else of a task definition ever stands in a plan.
 */
export type BindingCall =
	| {
			readonly api: "ecs:UpdateService";
			readonly input: { readonly cluster: string; readonly service: string } & (
				| NewRevision
				/** Back to a revision that is there. */
				| { readonly taskDefinition: Arn }
			);
	  }
	| { readonly api: "ecs:RegisterTaskDefinition"; readonly input: { readonly family: string } & NewRevision };

export interface NewRevision {
	readonly base: Arn;
	readonly binding: Partial<Binding>;
	/** The tag of the new revision, by which it is found again. */
	readonly digest: Digest;
}

export function isBindingCall(call: StepCall): call is BindingCall {
	return call.api === "ecs:UpdateService" || call.api === "ecs:RegisterTaskDefinition";
}

export function isRoleCall(call: StepCall): call is RoleCall {
	return call.api === "none" || call.api.startsWith("iam:");
}

export function isTriggerCall(call: StepCall): call is TriggerCall {
	return call.api.startsWith("sqs:") || call.api.startsWith("events:");
}

/** Of a rotation: on the secret, at its provider, or on what holds a copy. */
export function isRotationCall(call: StepCall): call is RotationCall {
	return /^(secretsmanager|oauth|https|elasticloadbalancing):/.test(call.api);
}

/** One line of what changes, ready to be rendered: `+ inline policy "quick-fix"`. */
export interface Change {
	readonly op: "+" | "-" | "~";
	readonly what:
		| "role"
		| "trust"
		| "inline policy"
		| "managed policy"
		| "permissions boundary"
		| "tag"
		| "ownership mark"
		| "binding"
		| "queue"
		| "queue policy"
		| "dead-letter queue"
		| "retention"
		| "rule"
		| "event pattern"
		| "target"
		| "bus permission"
		| "secret"
		| "tasks";
	/** Policy name, ARN, tag key. */
	readonly name: string;
	/** Short old and new values where they are short (boundary ARN, tag value); null for documents. */
	readonly from: string | null;
	readonly to: string | null;
	/** Where git asks for it; null where a hand did it. */
	readonly origin: Origin | null;
}

export type StepState =
	| "ready"
	| {
			readonly waiting: Waiting;
			readonly detail: string;
			/** The line to type, or to write into a document, that ends it. */
			readonly command?: string;
			/** What to do, before the line. */
			readonly advice?: string;
			/** Where the rule or the line stands that makes it wait. */
			readonly origin?: Origin;
	  };

export interface Step {
	/** Unique in its Plan and stable: `<targetId>#<n>`. */
	readonly id: StepId;
	readonly target: Target;
	/** Of a role, to show `/ecs-access/orders-api-task` where the target has the name alone. */
	readonly path?: string;
	readonly call: StepCall;
	readonly why: Why;
	/** Of the role as a whole, between the state before and after this step (inline, attachments, boundary together). */
	readonly effect: AccessEffect;
	readonly gains: readonly AccessLine[];
	readonly losses: readonly AccessLine[];
	readonly diff: readonly Change[];
	/** The part of the state this step writes, before and after; null where it does not exist. Documents in canonical form. */
	readonly before: unknown;
	readonly after: unknown;
	/**
	 * Of a step that waits for a person's word: what its access stands under once all of the plan is done. A part of what is
	 * approved, because a gain is another one under another boundary, or for somebody else.
	 */
	readonly under?: { readonly trust: Digest; readonly permissionsBoundary: Arn | null };
	/** Fingerprint the target must have immediately before the call; null: must not exist. */
	readonly precondition: Digest | null;
	/** Steps that must have succeeded before. */
	readonly after_: readonly StepId[];
	/** Seconds that must have passed since the last of `after_` was written (IAM propagation, aws-facts §3.3). */
	readonly settle: number;
	readonly state: StepState;
}

/** What one resource instance wants done. Plain JSON: save it, hash it, render it, apply it later. */
export interface Plan {
	/** Hash of the steps. */
	readonly id: Digest;
	/** `AccessPolicy/orders-api`, `AccessPolicy/orders-api@prod`; for a removed one the key of its owner mark. */
	readonly key: ResourceKey;
	readonly account: string;
	readonly origin: Origin | null;
	readonly summary: "create" | "update" | "heal" | "adopt" | "rename" | "delete" | "expire" | "wait" | "unchanged";
	readonly steps: readonly Step[];
	readonly findings: readonly Finding[];
	/** Since when, and by whom, what its drifted steps heal was changed; absent: nothing has drifted. */
	readonly drifts?: readonly Drift[];
	/** Of a SecretRotation: where it stands, and what it will do. */
	readonly rotation?: RotationView;
	/** Set when steps wait that an Approval can release; hash of those only (KINDS.md, Approval). */
	readonly approvalId: Digest | null;
	/** Roles and workloads looked at, and how many of them need nothing. */
	readonly roles: number;
	readonly workloads: number;
	readonly unchanged: number;
}

/** How a plan was asked for; `apply plan.json` asks again the same way. */
export interface PlanRequest {
	readonly path?: string;
	readonly git?: { readonly url: string; readonly ref?: string; readonly subdir?: string };
	readonly only?: readonly ResourceKey[];
	readonly prune: boolean;
	readonly requireSignatures?: boolean;
	readonly allowedSigners?: string;
	/** A person's reason to write though a window of the Installation says that changes are frozen. */
	readonly duringFreeze?: string;
}

/** What `plan` shows and saves: the plans of all resources under one id, the hash of all their steps. */
export interface PlanFile {
	readonly apiVersion: "ecs-access.dev/v1alpha1";
	readonly kind: "PlanFile";
	readonly id: Digest;
	readonly createdAt: Instant;
	readonly request: PlanRequest;
	readonly revision: Revision;
	/** Of the artifact's content: a saved plan is for this content only. */
	readonly digest: Digest;
	/** As shown to a person: `policies @ 3f2a91c`. */
	readonly sourceLabel: string;
	readonly installation: string;
	/** Why nothing may be written now, where something holds. */
	readonly halt?: Halt;
	readonly accounts: readonly { readonly account: Account; readonly caller: Caller | null; readonly error: string | null }[];
	readonly plans: readonly Plan[];
	/** Of the source and of the accounts as a whole; a plan's own are in the plan. */
	readonly findings: readonly Finding[];
	/** Owned, and in git no more, but not looked at because `--prune` was not given (or the source was partial: why). */
	readonly unpruned: { readonly count: number; readonly reason: string } | null;
	readonly reads: { readonly roles: number; readonly services: number; readonly calls: number; readonly milliseconds: number };
	/** The plan of `triggers`, which is carried out by `triggers apply`; absent: of the policies. */
	readonly of?: "triggers";
}
