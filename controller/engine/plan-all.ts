import type { Account, Caller } from "../model/account.ts";
import { TerminalError } from "../model/errors.ts";
import type { Finding } from "../model/finding.ts";
import type { InstallationSpec } from "../model/generated/specs.ts";
import type { CatalogView, Instance } from "../model/kind.ts";
import type { Plan, PlanFile, PlanRequest } from "../model/plan.ts";
import type { AccountAccess, Clock, Store } from "../model/ports.ts";
import type { Artifact } from "../model/resource.ts";
import type { InventoryEntry } from "../model/status.ts";
import { targetId } from "../model/target.ts";
import type { PlanContext } from "../plan/input.ts";
import { ownRoles } from "../plan/own-role.ts";
import type { ActionCatalogue } from "../policy/action-catalogue.ts";
import { loadCatalog } from "./catalog.ts";
import { type GatheredAccount, gather } from "./gather.ts";
import { planAccountResources, type Unpruned } from "./plan-account.ts";
import { planFileOf } from "./plan-file.ts";
import { mistakesOf } from "./validate.ts";

export interface PlanDeps {
	readonly actions: ActionCatalogue;
	/** Access to one account for the length of one pass. */
	readonly access: (account: Account) => AccountAccess;
	/** The caller's own account and region, for a repository that declares no Account. */
	readonly self: (signal: AbortSignal) => Promise<{ readonly accountId: string; readonly region: string }>;
	/** What is remembered; null where nothing is yet. */
	readonly store: Store | null;
	readonly clock: Clock;
	readonly progress: (words: string) => void;
}

export interface PlanInput {
	readonly artifact: Artifact;
	readonly request: PlanRequest;
	/** A person will have seen the plan before it is applied (KINDS.md, Installation budgets). */
	readonly shown: boolean;
}

export interface Planned {
	readonly file: PlanFile;
	/** By account name: what execution's report needs to know again. */
	readonly gathered: ReadonlyMap<string, GatheredAccount>;
}

/** Either the plan, or what is wrong with the source: then nothing was read from AWS. */
export type PlanResult = Planned | { readonly file: null; readonly findings: readonly Finding[] };

/**
 * Gathers and plans everything that `request` names. Reads AWS only when the source holds no error; writes nothing,
 * neither there nor in the store. An account that cannot be read stops alone; when none can, its error is thrown.
 */
export async function planAll(input: PlanInput, deps: PlanDeps, signal: AbortSignal): Promise<PlanResult> {
	const began = deps.clock.millis();
	const { artifact, request } = input;
	const now = deps.clock.now();
	const load = (defaults: { readonly accountId: string; readonly region: string } | null) =>
		loadCatalog(artifact, {
			actions: deps.actions,
			defaults,
			now,
			...(request.only === undefined ? {} : { only: request.only }),
		});
	let catalog = load(null);
	let mistakes = mistakesOf(catalog, now, request.only);
	if (mistakes.length > 0) return { file: null, findings: mistakes };
	if (catalog.view.accounts.some((a) => a.accountId === null || a.region === null)) {
		catalog = load(await deps.self(signal));
		mistakes = mistakesOf(catalog, now, request.only);
		if (mistakes.length > 0) return { file: null, findings: mistakes };
	}
	const { view, instances } = catalog;
	const last = await remembered(deps.store);
	const passes = await Promise.all(
		view.accounts.map((account) =>
			planAccount(
				account,
				{ ...input, view, now, last, instances: instances.filter((i) => i.account.name === account.name) },
				deps,
				signal,
			),
		),
	);
	const [first] = passes;
	if (first?.failure != null && passes.every((p) => p.failure !== null)) throw first.failure;
	const plans = passes.flatMap((p) => p.plans);
	const sum = (of: (c: ReturnType<AccountAccess["counts"]>) => number): number => passes.reduce((n, p) => n + of(p.counts), 0);
	const file = planFileOf(artifact, plans, {
		createdAt: now,
		request,
		installation: view.installation,
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
	});
	return { file, gathered: new Map(passes.flatMap((p) => (p.gathered === null ? [] : [[p.account.name, p.gathered] as const]))) };
}

/** Of a part, what is said of its own resources; what is said of none concerns all. */
function isAsked(f: Finding, only: readonly string[] | undefined): boolean {
	return only === undefined || f.key === undefined || only.some((key) => key === f.key || key.startsWith(`${f.key}@`));
}

interface AccountPass {
	readonly account: Account;
	readonly caller: Caller | null;
	readonly failure: Error | null;
	readonly plans: readonly Plan[];
	readonly findings: readonly Finding[];
	readonly gathered: GatheredAccount | null;
	readonly unpruned: Unpruned | null;
	readonly counts: ReturnType<AccountAccess["counts"]>;
}

async function planAccount(
	account: Account,
	input: PlanInput & {
		readonly view: CatalogView;
		readonly now: string;
		readonly instances: readonly Instance[];
		readonly last: ReadonlyMap<string, InventoryEntry>;
	},
	deps: PlanDeps,
	signal: AbortSignal,
): Promise<AccountPass> {
	const { view, now, last, instances } = input;
	const access = deps.access(account);
	let caller: Caller | null = null;
	try {
		deps.progress(`reading account ${account.name}`);
		caller = await access.caller(signal);
		const gathered = await gather(instances, { access, view, now }, signal);
		const context: PlanContext = {
			account,
			view,
			installation: view.installation,
			source: view.source,
			previousSources: view.ofKind<InstallationSpec>("Installation")[0]?.spec.previousSources ?? [],
			observed: gathered.observed,
			facts: gathered.facts,
			last,
			ownRoles: ownRoles(account, caller),
			person: true,
			now,
			actions: deps.actions,
		};
		const planned = await planAccountResources(
			{ ...input, context, gathered, access, store: deps.store, nowMs: deps.clock.millis() },
			signal,
		);
		return { account, caller, failure: null, gathered, counts: access.counts(), ...planned };
	} catch (error) {
		if (signal.aborted) throw error;
		const failure = error instanceof Error ? error : new Error(String(error));
		return { account, caller, failure, plans: [], findings: [], gathered: null, unpruned: null, counts: access.counts() };
	}
}

async function remembered(store: Store | null): Promise<ReadonlyMap<string, InventoryEntry>> {
	return new Map(((await store?.listStatus()) ?? []).flatMap((s) => s.inventory.map((e) => [targetId(e.target), e] as const)));
}

function addUnpruned(sum: Unpruned | null, pass: AccountPass): Unpruned | null {
	if (pass.unpruned === null) return sum;
	return { count: pass.unpruned.count + (sum?.count ?? 0), reason: pass.unpruned.reason };
}

/** What became of an account, and beneath it what to do. */
function failureWords(failure: Error): string {
	return failure instanceof TerminalError && failure.fix !== undefined ? `${failure.message}\n${failure.fix}` : failure.message;
}
