import type { Account, Caller } from "../model/account.ts";
import type { Usages } from "../model/derived.ts";
import type { DriftMemory } from "../model/drift.ts";
import { asError, TerminalError } from "../model/errors.ts";
import type { Finding } from "../model/finding.ts";
import type { InstallationSpec } from "../model/generated/specs.ts";
import type { Halt, Pause } from "../model/halt.ts";
import type { ResourceKey } from "../model/ids.ts";
import type { Instance } from "../model/kind.ts";
import type { PlanFile, PlanRequest } from "../model/plan.ts";
import type { AccountAccess, Clock, Store } from "../model/ports.ts";
import type { Artifact } from "../model/resource.ts";
import type { Asks } from "../model/rotation-ask.ts";
import type { InventoryEntry, Status } from "../model/status.ts";
import { targetId } from "../model/target.ts";
import { haltAt } from "../plan/halt.ts";
import type { PlanContext } from "../plan/input.ts";
import { ownRoles } from "../plan/own-role.ts";
import type { ActionCatalogue } from "../policy/action-catalogue.ts";
import type { Catalog } from "./catalog.ts";
import { type GatheredAccount, gather } from "./gather.ts";
import { readPause } from "./pause.ts";
import { type AccountPlans, planAccountResources } from "./plan-account.ts";
import { planFileOf } from "./plan-file.ts";
import { readAsks } from "./rotation-asks.ts";

export interface CatalogPlanDeps {
	readonly actions: ActionCatalogue;
	/** Access to one account for the length of one pass. */
	readonly access: (account: Account) => AccountAccess;
	/** What is remembered; null where nothing is yet. */
	readonly store: Store | null;
	readonly clock: Clock;
	readonly progress: (words: string) => void;
}

export interface CatalogPlanInput {
	readonly artifact: Artifact;
	readonly catalog: Catalog;
	readonly request: PlanRequest;
	/** A person will have seen the plan before it is applied (KINDS.md, Installation budgets). */
	readonly shown: boolean;
	/** A person applies it: then what only a person may do is ready. */
	readonly person: boolean;
	/** As it will be once no pause is in force any more. */
	readonly resuming?: true;
	/** Only these accounts, by name. */
	readonly accounts?: ReadonlySet<string>;
	/** Only these: one that the catalog does not hold was removed from git. Who deploys is then not looked at. */
	readonly keys?: ReadonlySet<ResourceKey>;
	/** Plan what may be removed also where the part that is planned is all there. */
	readonly removals?: boolean;
	/** Documents that are there and cannot be planned: nothing of theirs was removed. */
	readonly stalled?: ReadonlySet<ResourceKey>;
	/** All that was recorded, where it has been read just now: it is not read again. */
	readonly recorded?: ReadonlyMap<ResourceKey, Status>;
	/** Rotations that are asked for; absent: those that the store remembers. */
	readonly asked?: Asks;
	/** What events told of changes. */
	readonly drifts?: DriftMemory;
}

export interface Planned {
	readonly file: PlanFile;
	/** By account name: what execution's report needs to know again. */
	readonly gathered: ReadonlyMap<string, GatheredAccount>;
	/** Why an account could not be read, by name. */
	readonly failures: ReadonlyMap<string, Error>;
	/** The pause that was found in force. */
	readonly pause?: Pause | null;
}

/**
 * Gathers and plans a catalog that is valid, or the part of it that is asked for. Writes nothing, neither in AWS nor in
 * the store. An account that cannot be read stops alone, and is among the failures.
 */
export async function planCatalog(input: CatalogPlanInput, deps: CatalogPlanDeps, signal: AbortSignal): Promise<Planned> {
	const began = deps.clock.millis();
	const { artifact, catalog, request } = input;
	const { view } = catalog;
	const now = deps.clock.now();
	const asksPause = input.resuming === true ? null : readPause(deps.store, deps.clock.millis());
	const [{ last, derived }, pause, asked] = await Promise.all([
		remembered(input, deps.store),
		asksPause,
		asksOf(input, deps.store),
	]);
	const stands = haltAt(view, pause, now);
	const halt = stands?.waiting === "freeze" && request.duringFreeze !== undefined ? null : stands;
	const passes = await Promise.all(
		view.accounts
			.filter((account) => input.accounts?.has(account.name) !== false)
			.map((account) => planAccount(account, { ...input, now, last, derived, halt, asked }, deps, signal)),
	);
	const sum = (of: (c: ReturnType<AccountAccess["counts"]>) => number): number => passes.reduce((n, p) => n + of(p.counts), 0);
	const file = planFileOf(
		artifact,
		passes.flatMap((p) => p.plans),
		{
			createdAt: now,
			request,
			installation: view.installation,
			...(stands !== null && { halt: stands }),
			accounts: passes.map(({ account, caller, failure }) => ({
				account,
				caller,
				error: failure === null ? null : failureWords(failure),
			})),
			findings: [...catalog.findings.filter((f) => isAsked(f, request.only)), ...passes.flatMap((p) => p.findings)],
			unpruned: passes.reduce(addUnpruned, null),
			reads: {
				roles: sum((c) => c.roles),
				services: sum((c) => c.services),
				calls: sum((c) => c.calls),
				milliseconds: deps.clock.millis() - began,
			},
		},
	);
	return {
		file,
		gathered: new Map(passes.flatMap((p) => (p.gathered === null ? [] : [[p.account.name, p.gathered] as const]))),
		failures: new Map(passes.flatMap((p) => (p.failure === null ? [] : [[p.account.name, p.failure] as const]))),
		pause,
	};
}

/** Of a part, what is said of its own resources; what is said of none concerns all. */
function isAsked(f: Finding, only: readonly string[] | undefined): boolean {
	return only === undefined || f.key === undefined || only.some((key) => key === f.key || key.startsWith(`${f.key}@`));
}

interface AccountPass extends AccountPlans {
	readonly account: Account;
	readonly caller: Caller | null;
	readonly failure: Error | null;
	readonly gathered: GatheredAccount | null;
	readonly counts: ReturnType<AccountAccess["counts"]>;
}

async function planAccount(
	account: Account,
	input: CatalogPlanInput & {
		readonly now: string;
		readonly last: ReadonlyMap<string, InventoryEntry>;
		readonly derived: ReadonlyMap<ResourceKey, Usages>;
		readonly halt: Halt | null;
		readonly asked: Asks;
	},
	deps: CatalogPlanDeps,
	signal: AbortSignal,
): Promise<AccountPass> {
	const { now, last, keys, derived, asked } = input;
	const used = (key: ResourceKey): Usages | undefined => derived.get(key);
	const { view } = input.catalog;
	const access = deps.access(account);
	let caller: Caller | null = null;
	try {
		deps.progress(`reading account ${account.name}`);
		caller = await access.caller(signal);
		const reading = { access, view, now, alone: keys !== undefined, used, asked, shown: input.shown };
		const gathered = await gather(instancesOf(account, input), reading, signal);
		const context: PlanContext = {
			account,
			view,
			installation: view.installation,
			source: view.source,
			previousSources: view.ofKind<InstallationSpec>("Installation")[0]?.spec.previousSources ?? [],
			observed: gathered.observed,
			facts: gathered.facts,
			last,
			halt: input.halt,
			asked,
			ownRoles: ownRoles(account, caller),
			person: input.person,
			now,
			actions: deps.actions,
			...(input.drifts !== undefined && { drifts: input.drifts }),
		};
		const inGit = input.catalog.instances.filter((i) => i.account.name === account.name);
		const planned = await planAccountResources(
			{ ...input, view, context, gathered, access, inGit, store: deps.store, nowMs: deps.clock.millis() },
			signal,
		);
		return { account, caller, failure: null, gathered, counts: access.counts(), ...planned };
	} catch (error) {
		if (signal.aborted) throw error;
		const failure = asError(error);
		return { account, caller, failure, plans: [], findings: [], gathered: null, unpruned: null, counts: access.counts() };
	}
}

function instancesOf(account: Account, { catalog, keys }: CatalogPlanInput): readonly Instance[] {
	return catalog.instances.filter((i) => i.account.name === account.name && keys?.has(i.key) !== false);
}

/** Read only where there is something that could be asked for. */
async function asksOf({ catalog, keys, asked }: CatalogPlanInput, store: Store | null): Promise<Asks> {
	if (asked !== undefined) return asked;
	const rotates = catalog.instances.some((i) => i.resource.kind === "SecretRotation" && keys?.has(i.key) !== false);
	return store === null || !rotates ? new Map() : readAsks(store);
}

interface Remembered {
	readonly last: ReadonlyMap<string, InventoryEntry>;
	readonly derived: ReadonlyMap<ResourceKey, Usages>;
}

async function remembered({ keys, recorded }: CatalogPlanInput, store: Store | null): Promise<Remembered> {
	if (store === null) return { last: new Map(), derived: new Map() };
	const statuses =
		recorded !== undefined
			? [...(keys ?? recorded.keys())].map((key) => recorded.get(key))
			: keys === undefined
				? await store.listStatus()
				: (await store.getStatuses([...keys])).values();
	const found = [...statuses].filter((s) => s !== undefined);
	return {
		last: new Map(found.flatMap((s) => s.inventory.map((e) => [targetId(e.target), e] as const))),
		derived: new Map(found.flatMap((s) => (s.derived === undefined ? [] : [[s.key, s.derived] as const]))),
	};
}

function addUnpruned(sum: AccountPlans["unpruned"], pass: AccountPass): AccountPlans["unpruned"] {
	if (pass.unpruned === null) return sum;
	return { count: pass.unpruned.count + (sum?.count ?? 0), reason: pass.unpruned.reason };
}

/** What became of an account, and beneath it what to do. */
function failureWords(failure: Error): string {
	return failure instanceof TerminalError && failure.fix !== undefined ? `${failure.message}\n${failure.fix}` : failure.message;
}
