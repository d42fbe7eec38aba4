import type { PolicyDocument, Statement } from "../policy/document.ts";
import type { Usage } from "./derived.ts";
import type { Arn, Instant, Region, ResourceKey, Tags } from "./ids.ts";
import type { Origin } from "./resource.ts";
import type { RotationWanted } from "./rotation.ts";
import type { Binding, Target } from "./target.ts";

/** A statement that git asks for, compiled, with where it stands and until when it holds. */
export interface WantedStatement {
	readonly statement: Statement;
	readonly origin: Origin;
	/** The earliest `expiresAt`; the compiled statement carries the same date as a condition. */
	readonly expiresAt: Instant | null;
	/** `AccessGrant/incident-4711` or `PermissionSet/…` where it does not come from the policy itself. */
	readonly from: ResourceKey | null;
}

/** What git says of one role. What is absent (null) is not ours and is not compared. */
export interface RoleWanted {
	readonly path: string;
	/** Null: Preserve, nothing is said of the trust. */
	readonly trust: PolicyDocument | null;
	/** Git says nothing of the trust itself: then that of a role with the adopted tag stays as it is (see wantedOf). */
	readonly trustIsDefault?: boolean;
	/** In order; those in force now. */
	readonly statements: readonly WantedStatement[];
	/** Expired by `now`: must be gone; each its own `expired` step when live still has it. */
	readonly expired: readonly WantedStatement[];
	readonly managedPolicies: readonly { readonly arn: Arn; readonly origin: Origin }[];
	/** Null: not ours. `none`: remove it, by a person's apply only. */
	readonly permissionsBoundary: Arn | "none" | null;
	/** Declared tags, without our marks. */
	readonly tags: Tags;
	readonly adopt: boolean;
	readonly drift: "Enforce" | "Report";
	/** Of a derived role: what it grants, to be remembered. */
	readonly usage?: Usage;
	/** Undefined in git: true, or false where the role bears the adopted tag. */
	readonly exclusive: boolean | null;
	readonly ignore: { readonly inlinePolicies: readonly string[]; readonly managedPolicies: readonly string[] };
	/** As the tag says it: `orphan` or `delete:14d`. */
	readonly deletion: string;
	readonly suspended: boolean;
	/** Owner mark that may be taken over without touching the role (`renamed-from`), as `AccessPolicy/old`. */
	readonly renamedFrom: ResourceKey | null;
}

/** What git says of a service or family. A null field of the binding means "none"; an absent one is not checked. */
export interface BindingWanted {
	readonly mode: "Verify" | "Enforce";
	/** `suspend: true` in git: nothing is written. */
	readonly suspended?: boolean;
	/** Where it is enforced: whether what others change is put back; absent: it is. */
	readonly drift?: "Enforce" | "Report";
	readonly binding: Partial<Binding>;
	readonly workloadRegion: Region;
}

export interface WantedStates {
	readonly "iam.role": RoleWanted;
	readonly "ecs.service": BindingWanted;
	readonly "ecs.family": BindingWanted;
	readonly "secretsmanager.secret": RotationWanted;
}

/** What documents ask for; the rest of the target types is the installation's own. */
export type WantedType = keyof WantedStates;

/** What one resource asks of one target. `owner` is the key of the resource instance: `AccessPolicy/orders-api@prod`. */
export interface Desired<T extends WantedType = WantedType> {
	readonly target: Target<T>;
	readonly wanted: WantedStates[T];
	readonly origin: Origin;
}
export type AnyDesired = { [T in WantedType]: Desired<T> }[WantedType];
export type AnyObserved = { [T in WantedType]: import("./target.ts").Observed<T> }[WantedType];

export function isRole(d: AnyDesired): d is Desired<"iam.role"> {
	return d.target.type === "iam.role";
}

export function isRotation(d: AnyDesired): d is Desired<"secretsmanager.secret"> {
	return d.target.type === "secretsmanager.secret";
}
