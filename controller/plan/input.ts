import type { Account } from "../model/account.ts";
import type { AnyDesired, AnyObserved } from "../model/desired.ts";
import type { DriftMemory } from "../model/drift.ts";
import type { Finding } from "../model/finding.ts";
import type { Halt } from "../model/halt.ts";
import type { Instant, ResourceKey } from "../model/ids.ts";
import type { CatalogView } from "../model/kind.ts";
import type { Facts } from "../model/reference.ts";
import type { Origin, Resource } from "../model/resource.ts";
import type { Asks } from "../model/rotation-ask.ts";
import type { InventoryEntry } from "../model/status.ts";
import type { ActionCatalogue } from "../policy/action-catalogue.ts";
import type { Quotas } from "./quotas.ts";

/** What every plan of one account is made with. */
export interface PlanContext {
	readonly account: Account;
	readonly view: CatalogView;
	readonly installation: string;
	readonly source: string;
	/** Sources this repository had before: marks of these are ours and are re-marked. */
	readonly previousSources: readonly string[];
	/** By targetId. */
	readonly observed: ReadonlyMap<string, AnyObserved>;
	/** Among them the documents of what roles have attached and of their boundaries: see role-references.ts. */
	readonly facts: Facts;
	/** By targetId: what we last applied; may be empty, then less is claimed of who did what. */
	readonly last: ReadonlyMap<string, InventoryEntry>;
	/** The roles that this program acts as in the account, in lower case; they are left alone. */
	readonly ownRoles?: ReadonlySet<string>;
	/** Nothing, or nearly nothing, may be written now; absent: nothing is known against it. */
	readonly halt?: Halt | null;
	/** What a running controller heard and told of drift; absent: the history alone says it. */
	readonly drifts?: DriftMemory;
	/** Rotations that somebody asked for, by the key of their instance. */
	readonly asked?: Asks;
	/** A person applies this, so what only a person may do is ready. */
	readonly person: boolean;
	/** Two revisions are compared: what only AWS knows is not known, as in validate, and workloads are not looked at. */
	readonly offline?: true;
	readonly now: Instant;
	readonly actions: ActionCatalogue;
	/** The account's, where they are known; else IAM's defaults. */
	readonly quotas?: Quotas;
}

/** One resource instance. */
export interface PlanInput extends PlanContext {
	readonly key: ResourceKey;
	readonly resource: Resource;
	readonly origin: Origin;
	readonly desired: readonly AnyDesired[];
	/** Of the expansion. */
	readonly findings: readonly Finding[];
}
