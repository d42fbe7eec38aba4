import type { ActionCatalogue } from "../policy/action-catalogue.ts";
import type { Account } from "./account.ts";
import type { AnyDesired } from "./desired.ts";
import type { Finding } from "./finding.ts";
import type { Instant, ResourceKey } from "./ids.ts";
import type { Facts, Reference } from "./reference.ts";
import type { Resource } from "./resource.ts";

/** The resources in force, as a Kind may look at them. Pure. */
export interface CatalogView {
	readonly installation: string;
	readonly source: string;
	readonly resources: readonly Resource[];
	readonly get: (key: ResourceKey) => Resource | undefined;
	readonly ofKind: <S>(kind: string) => readonly Resource<S>[];
	readonly accounts: readonly Account[];
	/** Documents that are there and not valid: what refers to one is not wrong for that. */
	readonly broken: ReadonlySet<ResourceKey>;
	readonly actions: ActionCatalogue;
	/** The clock of the pass: expiry is judged by it. */
	readonly now: Instant;
}

/** One resource in one account: what is planned, reported and approved as a unit. */
export interface Instance<S = unknown> {
	/** `AccessPolicy/orders-api`, with `@account` where the document selects accounts by accountRefs or accountSelector. */
	readonly key: ResourceKey;
	readonly resource: Resource<S>;
	readonly account: Account;
}

export interface Expansion {
	readonly desired: readonly AnyDesired[];
	readonly findings: readonly Finding[];
}

/** Pure and deterministic: the same arguments give the same answer, and nothing is read or written. */
export interface Kind<S = unknown> {
	readonly kind: string;
	readonly plural: string;
	/** Counts only below `platform/` (KINDS.md, Two owners of one repository). */
	readonly platform: boolean;
	/** Everything that can be said of one document, and of it among the others, without AWS. */
	readonly check: (r: Resource<S>, c: CatalogView) => readonly Finding[];
	/** One instance an account it applies to; none for kinds that own nothing in AWS. */
	readonly instances: (r: Resource<S>, c: CatalogView) => readonly Instance<S>[];
	/** Asked again with what is known until nothing new appears, 4 rounds at most. */
	readonly references: (i: Instance<S>, c: CatalogView, known: Facts) => readonly Reference[];
	readonly expand: (i: Instance<S>, c: CatalogView, f: Facts) => Expansion;
}
