import type { Account } from "../model/account.ts";
import type { Pause } from "../model/halt.ts";
import type { ResourceKey } from "../model/ids.ts";
import type { Plan, PlanFile, Step } from "../model/plan.ts";
import type { AccountAccess, Clock, Store } from "../model/ports.ts";
import type { Status } from "../model/status.ts";
import { needsBudget } from "../plan/budgets.ts";
import type { ActionCatalogue } from "../policy/action-catalogue.ts";
import { recordBudget } from "./budget-use.ts";
import type { Catalog } from "./catalog.ts";
import { type Drifts, recordDrift } from "./drift.ts";
import { type Execution, execute } from "./execute.ts";
import { catalogAt, type InForce } from "./in-force.ts";
import { refuseLostStore } from "./lost-memory.ts";
import { watchPause } from "./pause.ts";
import { type Planned, planCatalog } from "./plan-catalog.ts";
import { report } from "./report.ts";
import { isMistake } from "./validate.ts";

export interface PassDeps {
	readonly actions: ActionCatalogue;
	/** Afresh for each pass. */
	readonly access: (
		account: Account,
		of: { readonly revision: string; readonly reconcileId: string; readonly lean: boolean },
	) => AccountAccess;
	readonly store: Store;
	/** A store that several machines use: empty while roles bear our marks, it was lost. */
	readonly shared: boolean;
	/** A person says that the shared store is new. */
	readonly newStore: boolean;
	readonly clock: Clock;
	readonly reconcileId: () => string;
	/** Milliseconds in which a write may still start. */
	readonly leaseRemaining: () => number;
	readonly leaseFence?: number;
	/** What events told of drift, while the process runs. */
	readonly drifts?: Drifts;
}

export interface Pass {
	readonly reconcileId: string;
	/** As it was carried out: what may not run waits, with the reason. */
	readonly file: PlanFile;
	readonly gathered: Planned["gathered"];
	readonly failures: Planned["failures"];
	readonly execution: Execution;
	/** Plans that hold a mistake: nothing of them was carried out. */
	readonly mistaken: ReadonlySet<Plan>;
	readonly lastGood: InForce["lastGood"];
	readonly recorded: ReadonlyMap<ResourceKey, Status> | null;
	/** Its plans are of roles that git wants no more. */
	readonly removals: boolean;
}

/** Which part of what is in force; of accounts and keys both, where both are given. */
export interface Scope {
	readonly accounts?: ReadonlySet<string>;
	readonly keys?: ReadonlySet<ResourceKey>;
	readonly removals?: boolean;
}

/** Of ten thousand policies a slice is a fortieth: large enough that services are read ten a call, and no more. */
const SLICE = 250;

export interface Passes {
	/** Plans, and writes nothing. */
	readonly plan: (inForce: InForce, scope: Scope, signal: AbortSignal) => Promise<Pass>;
	/** Plans all of an account, or these keys of it and what may be removed, a slice at a time: what a slice read and planned is dropped after `each`. */
	readonly sweep: (
		inForce: InForce,
		account: string,
		keys: ReadonlySet<ResourceKey> | null,
		each: (slice: Pass) => Promise<void>,
		signal: AbortSignal,
	) => Promise<void>;
	/** Records what a plan saw, of the plans that `of` takes. */
	readonly record: (pass: Pass, of: (plan: Plan) => boolean, whole: boolean) => Promise<void>;
	/** Plans, carries out what is ready, and reports. Never throws for what one resource meets: see its execution. */
	readonly carryOut: (inForce: InForce, scope: Scope, signal: AbortSignal) => Promise<Pass>;
	/** The pause that was found last; null: none. */
	readonly paused: () => Pause | null;
}

/**
 * Passes over what is in force: the controller's way to the one library that plans, executes and reports. Beyond what
 * `apply` does there is nothing but three rules: Observe writes nothing, a mistake stops its own resource alone, and of a
 * document that stalls only what takes away goes on.
 */
export function createPasses(deps: PassDeps): Passes {
	const { store, clock } = deps;
	/** By account: ends when the last that spends has ended. */
	const spending = new Map<string, Promise<unknown>>();
	let memory: Promise<void> | null = null;
	let paused: Pause | null = null;

	const beginReading = (inForce: InForce): Reading => ({
		reconcileId: deps.reconcileId(),
		accesses: new Map(),
		catalog: catalogAt(inForce, clock.now()),
		recorded: null,
		lean: false,
	});
	const planWith = async (
		inForce: InForce,
		scope: Scope,
		signal: AbortSignal,
		of: Reading = beginReading(inForce),
	): Promise<Planning> => {
		const { artifact, stalled } = inForce;
		const { reconcileId, accesses, catalog, recorded, lean } = of;
		const access = (a: Account): AccountAccess => {
			const made = accesses.get(a.name) ?? deps.access(a, { revision: artifact.revision.id, reconcileId, lean });
			accesses.set(a.name, made);
			return made;
		};
		const planned = await planCatalog(
			{
				artifact,
				catalog,
				request: { path: artifact.root, prune: true },
				shown: false,
				person: false,
				stalled: new Set(stalled.keys()),
				...(recorded !== null && { recorded }),
				...(deps.drifts !== undefined && { drifts: deps.drifts }),
				...scope,
			},
			{ access, store, clock, actions: deps.actions, progress: () => {} },
			signal,
		);
		paused = planned.pause ?? null;
		const mistaken = new Set<Plan>();
		const plans = planned.file.plans.map((plan) => {
			const lastGood = inForce.lastGood.has(plan.key) ? takingAway(plan) : plan;
			const ruled = inForce.spec.mode === "Enforce" ? lastGood : observed(lastGood);
			if (ruled.findings.some(isMistake)) mistaken.add(ruled);
			return ruled;
		});
		const file = { ...planned.file, plans };
		const accessOf = (name: string): AccountAccess => {
			const made = accesses.get(name);
			if (made === undefined) throw new Error(`plan names account ${name}, which it does not hold`);
			return made;
		};
		return {
			...planned,
			file,
			reconcileId,
			mistaken,
			lastGood: inForce.lastGood,
			recorded,
			removals: scope.removals === true,
			execution: nothingRun(plans),
			access: accessOf,
		};
	};

	const record = async (pass: Pass, of: (plan: Plan) => boolean, whole: boolean): Promise<void> => {
		// Of a document that stalls it stands in the status why, and what was last applied.
		const plans = pass.file.plans.filter((p) => of(p) && !pass.lastGood.has(p.key));
		const mine = new Set(plans);
		const { execution } = pass;
		await report(
			{ ...pass.file, plans },
			{
				...execution,
				runs: execution.runs.filter((r) => mine.has(r.plan)),
				notRun: execution.notRun.filter((r) => mine.has(r.plan)),
				waiting: execution.waiting.filter((r) => mine.has(r.plan)),
			},
			pass.gathered,
			{ store, clock, whole, ...(pass.recorded !== null && { recorded: pass.recorded }) },
		);
	};

	/** What was found, before what is done about it. */
	const recordFound = (pass: Pass, plans: readonly Plan[]): Promise<void> =>
		recordDrift(
			{ ...pass.file, plans },
			{
				store,
				clock,
				reconcileId: pass.reconcileId,
				gathered: pass.gathered,
				...(deps.leaseFence !== undefined && { leaseFence: deps.leaseFence }),
				...(deps.drifts !== undefined && { memory: deps.drifts }),
			},
		);

	const carry = async (pass: Planning, scope: Scope, signal: AbortSignal): Promise<Pass> => {
		const { file, mistaken, reconcileId } = pass;
		await recordFound(pass, file.plans);
		const done = await execute(
			{ ...file, plans: file.plans.filter((p) => !mistaken.has(p)) },
			{
				access: pass.access,
				actor: (name) => file.accounts.find((a) => a.account.name === name)?.caller?.arn ?? "unknown",
				store,
				clock,
				reconcileId,
				progress: () => {},
				leaseRemaining: deps.leaseRemaining,
				halted: watchPause(store, clock, Date.parse(file.createdAt)),
				...(deps.leaseFence !== undefined && { leaseFence: deps.leaseFence }),
			},
			signal,
		);
		const kept = nothingRun(file.plans.filter((p) => mistaken.has(p)));
		const result = { ...pass, execution: { ...done, waiting: [...done.waiting, ...kept.waiting] } };
		await recordBudget(done.runs, { shown: false, accounts: file.accounts, store, clock });
		await record(result, () => true, scope.keys === undefined && file.accounts.every((a) => a.error === null));
		return result;
	};

	/**
	 * A shared store that is empty while roles bear our marks was lost, and pauses and budgets with it: nothing is written,
	 * there or in AWS, before a person says that it is new (ARCHITECTURE.md, Applying safely). Asked once of all accounts,
	 * since what is recorded of one of them would make the store look as if it remembered.
	 */
	const haveMemory = (inForce: InForce, signal: AbortSignal): Promise<void> => {
		memory ??= refuseLost(inForce, signal).catch((error: unknown) => {
			memory = null;
			throw error;
		});
		return memory;
	};
	const refuseLost = async ({ catalog: { view }, artifact }: InForce, signal: AbortSignal): Promise<void> => {
		if (!deps.shared || deps.newStore) return;
		const of = { revision: artifact.revision.id, reconcileId: deps.reconcileId(), lean: true };
		const accounts = view.accounts.map((account) => deps.access(account, of));
		await refuseLostStore({ store, accounts, installation: view.installation }, signal);
	};

	/** One at a time spends an account's budgets: they are counted before a write, and recorded after it. */
	const alone = async (accounts: readonly string[], work: () => Promise<Pass>): Promise<Pass> => {
		const mine = Promise.all(accounts.map((name) => spending.get(name))).then(work);
		const ended = mine.catch(() => {});
		for (const name of accounts) spending.set(name, ended);
		return mine;
	};

	return {
		plan: (inForce, scope, signal) => planWith(inForce, scope, signal),
		sweep: async (inForce, account, keys, each, signal) => {
			await haveMemory(inForce, signal);
			const shared = { ...beginReading(inForce), lean: true };
			// What is remembered of a view ends with it.
			const of = (): Reading => ({ ...shared, catalog: { ...shared.catalog, view: { ...shared.catalog.view } } });
			const accounts = new Set([account]);
			const mine = inForce.catalog.instances.filter((i) => i.account.name === account).map((i) => i.key);
			const there = keys === null ? mine : mine.filter((key) => keys.has(key));
			for (let n = 0; n < there.length; n += SLICE) {
				const slice = there.slice(n, n + SLICE);
				const recorded = await store.getStatuses(slice);
				await each(await planWith(inForce, { accounts, keys: new Set(slice) }, signal, { ...of(), recorded }));
			}
			await each(await planWith(inForce, { accounts, keys: new Set(), removals: true }, signal, of()));
		},
		record: async (pass, of, whole) => {
			await recordFound(pass, pass.file.plans.filter(of));
			await record(pass, of, whole);
		},
		paused: () => paused,
		carryOut: async (inForce, scope, signal) => {
			await haveMemory(inForce, signal);
			const pass = await planWith(inForce, scope, signal);
			if (!needsBudget(pass.file.plans)) return carry(pass, scope, signal);
			const accounts = [...new Set(pass.file.plans.map((p) => p.account))];
			return alone(accounts, async () => carry(await planWith(inForce, scope, signal), scope, signal));
		},
	};
}

/** What the plans of one moment share. */
interface Reading {
	readonly reconcileId: string;
	readonly accesses: Map<string, AccountAccess>;
	readonly catalog: Catalog;
	/** Null: each plan asks for its own. */
	readonly recorded: ReadonlyMap<ResourceKey, Status> | null;
	readonly lean: boolean;
}

interface Planning extends Pass {
	readonly access: (account: string) => AccountAccess;
}

/** What stands in a plan that nobody carries out. */
function nothingRun(plans: readonly Plan[]): Execution {
	const steps = plans.flatMap((plan) => plan.steps.map((step) => ({ plan, step })));
	return {
		runs: [],
		notRun: steps.filter((s) => s.step.state === "ready"),
		waiting: steps.filter((s) => s.step.state !== "ready"),
		interrupted: false,
	};
}

/** Mode Observe: everything is planned and shown, nothing is written. */
function observed(plan: Plan): Plan {
	const detail = "the mode of the Installation is Observe: nothing is written";
	return {
		...plan,
		steps: plan.steps.map((s) =>
			s.state === "ready"
				? { ...s, state: { waiting: "paused", detail, advice: "write mode: Enforce into the Installation" } }
				: s,
		),
	};
}

/** Of a document that stalls, its last good state: what has ended is taken away, and nothing is given. */
function takingAway(plan: Plan): Plan {
	const goesOn = (s: Step): boolean => s.effect === "narrows" || s.why === "expired";
	const steps = plan.steps.filter(goesOn);
	const there = new Set(steps.map((s) => s.id));
	return { ...plan, steps: steps.filter((s) => s.after_.every((id) => there.has(id))) };
}
