import type { Account, Caller } from "../model/account.ts";
import type { Desired } from "../model/desired.ts";
import { asError, TerminalError } from "../model/errors.ts";
import { type EventHome, eventHome } from "../model/event-home.ts";
import type { Finding } from "../model/finding.ts";
import type { InstallationSpec } from "../model/generated/specs.ts";
import type { CatalogView } from "../model/kind.ts";
import type { Plan, PlanRequest } from "../model/plan.ts";
import type { AccountAccess, Clock } from "../model/ports.ts";
import { type Fact, type Facts, type Reference, referenceId } from "../model/reference.ts";
import type { Artifact, Resource } from "../model/resource.ts";
import { type Observed, targetId } from "../model/target.ts";
import type { TriggerTargetType } from "../model/trigger-target.ts";
import { forwarderRole, planForwarder } from "../plan/forwarder.ts";
import { marksOf } from "../plan/ownership.ts";
import { roleReferences } from "../plan/role-references.ts";
import { type KnownAccount, type TriggersWanted, targetsOf, wantedTriggers } from "../plan/trigger-wanted.ts";
import { planTriggers } from "../plan/triggers.ts";
import type { ActionCatalogue } from "../policy/action-catalogue.ts";
import { loadCatalog } from "./catalog.ts";
import type { PlanResult } from "./plan-all.ts";
import { planFileOf } from "./plan-file.ts";
import { mistakesOf } from "./validate.ts";

export interface TriggersDeps {
	readonly actions: ActionCatalogue;
	readonly access: (account: Account) => AccountAccess;
	readonly self: (signal: AbortSignal) => Promise<{ readonly accountId: string; readonly region: string }>;
	readonly clock: Clock;
	readonly progress: (words: string) => void;
}

/**
 * The source mark of what `triggers` keeps. It is nobody's source, so that what policies want or want no more never
 * reaches it: a removal asks for its own source's mark (ARCHITECTURE.md, Ownership).
 */
const SOURCE = "ecs-access triggers";
const TYPES: readonly TriggerTargetType[] = ["sqs.queue", "events.bus", "events.rule"];

/**
 * Plans the way of events, from every account and region of the source to the one queue. Writes nothing. An account that
 * cannot be read stops alone; when none can, its error is thrown.
 */
export async function planTriggersAll(
	input: { readonly artifact: Artifact; readonly request: PlanRequest },
	deps: TriggersDeps,
	signal: AbortSignal,
): Promise<PlanResult> {
	const began = deps.clock.millis();
	const { artifact, request } = input;
	const now = deps.clock.now();
	const load = (defaults: { readonly accountId: string; readonly region: string } | null) =>
		loadCatalog(artifact, { actions: deps.actions, defaults, now });
	let catalog = load(null);
	const mistakes = mistakesOf(catalog, now);
	if (mistakes.length > 0) return { file: null, findings: mistakes };
	if (catalog.view.accounts.some((a) => a.accountId === null || a.region === null)) catalog = load(await deps.self(signal));
	const { view } = catalog;
	const [resource] = view.ofKind<InstallationSpec>("Installation");
	if (resource === undefined) {
		throw new TerminalError("NoInstallation", `${artifact.root} holds no valid Installation`, {
			fix: "write platform/installation.yaml: queue and rules are named by it",
		});
	}
	const home = eventHome(view.accounts, view.installation, resource.spec.events);
	const accounts = view.accounts.filter((a): a is KnownAccount => a.accountId !== null);
	const passes = await Promise.all(
		accounts.map((account) => planAccount({ account, accounts, home, view, resource, now }, deps, signal)),
	);
	const failed = passes.flatMap((p) => (p.failure === null ? [] : [p.failure]));
	if (failed.length === passes.length && failed[0] !== undefined) throw failed[0];
	const file = planFileOf(
		artifact,
		passes.flatMap((p) => (p.plan === null ? [] : [p.plan])),
		{
			createdAt: now,
			request,
			installation: view.installation,
			accounts: passes.map(({ account, caller, failure }) => ({ account, caller, error: failure?.message ?? null })),
			findings: accounts.flatMap((a) => elsewhere(a, home, resource)),
			unpruned: null,
			reads: {
				roles: passes.reduce((n, p) => n + p.roles, 0),
				services: 0,
				calls: passes.reduce((n, p) => n + p.calls, 0),
				milliseconds: deps.clock.millis() - began,
			},
		},
	);
	return { file: { ...file, of: "triggers" }, gathered: new Map(), failures: new Map() };
}

interface AccountInput {
	readonly account: KnownAccount;
	readonly accounts: readonly KnownAccount[];
	readonly home: EventHome;
	readonly view: CatalogView;
	readonly resource: Resource<InstallationSpec>;
	readonly now: string;
}

interface AccountPass {
	readonly account: Account;
	readonly caller: Caller | null;
	readonly plan: Plan | null;
	readonly failure: Error | null;
	readonly calls: number;
	readonly roles: number;
}

async function planAccount(input: AccountInput, deps: TriggersDeps, signal: AbortSignal): Promise<AccountPass> {
	const { account, accounts, home, view, resource } = input;
	const access = deps.access(account);
	const counts = () => ({ calls: access.counts().calls, roles: access.counts().roles });
	let caller: Caller | null = null;
	try {
		deps.progress(`reading account ${account.name}`);
		caller = await access.caller(signal);
		const wanted = wantedTriggers({ installation: view.installation, home, account, accounts });
		const key = accounts.length === 1 ? `Triggers/${view.installation}` : `Triggers/${view.installation}@${account.name}`;
		const observed = await observe(wanted, access, signal);
		const role = wanted.forwardsTo === null ? null : await planRole(key, wanted.forwardsTo, input, deps, access, signal);
		const plan = planTriggers({
			key,
			account: account.name,
			origin: resource.origin,
			installation: view.installation,
			marks: marksOf({ installation: view.installation, source: SOURCE, key }, "orphan"),
			wanted,
			observed,
			role,
		});
		return { account, caller, plan, failure: null, ...counts() };
	} catch (error) {
		if (signal.aborted) throw error;
		const failure = asError(error);
		return { account, caller, plan: null, failure, ...counts() };
	}
}

async function observe(
	wanted: TriggersWanted,
	access: AccountAccess,
	signal: AbortSignal,
): Promise<ReadonlyMap<string, Observed>> {
	const found = await Promise.all(
		TYPES.map(async (type) => {
			const targets = targetsOf(wanted, type);
			return targets.length === 0 ? [] : access.provider(type).observe(targets as never, signal);
		}),
	);
	return new Map(found.flat().map((o) => [targetId(o.target), o as Observed]));
}

async function planRole(
	key: string,
	bus: string,
	{ account, view, resource, now }: AccountInput,
	deps: TriggersDeps,
	access: AccountAccess,
	signal: AbortSignal,
): Promise<Plan> {
	const wanted: Desired<"iam.role"> = forwarderRole(view.installation, account, bus, resource.origin);
	const observed = await access.provider("iam.role").observe([wanted.target], signal);
	const boundary = account.permissionsBoundary;
	const refs: readonly Reference[] = [
		...roleReferences(account, observed),
		...(boundary === null ? [] : [{ type: "iam.managedPolicy" as const, account: account.accountId, arn: boundary }]),
	];
	const answers = await access.resolve(refs, signal);
	const known = new Map<string, Fact>(
		refs.map((ref, n) => [referenceId(ref), answers[n] ?? { type: "unknown", reason: "not answered" }]),
	);
	const facts: Facts = { now, get: (ref) => known.get(referenceId(ref)) };
	return planForwarder(wanted, {
		key,
		resource,
		origin: resource.origin,
		desired: [wanted],
		findings: [],
		account,
		view,
		installation: view.installation,
		source: SOURCE,
		previousSources: [],
		observed: new Map(observed.map((o) => [targetId(o.target), o])),
		facts,
		last: new Map(),
		person: true,
		now,
		actions: deps.actions,
	});
}

/** No event goes from one partition to another (aws-facts §10). */
function elsewhere(account: Account, home: EventHome, resource: Resource): readonly Finding[] {
	if (account.partition === home.account.partition) return [];
	return [
		{
			id: "OtherPartition",
			severity: "warning",
			message: `Account ${account.name} is in partition ${account.partition}, and events come to ${home.account.partition}: of it only the resync tells`,
			fix: "give that partition an installation of its own",
			origin: account.origin ?? resource.origin,
			subject: `account ${account.name}`,
		},
	];
}
