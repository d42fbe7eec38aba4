import type { Account } from "../model/account.ts";
import type { ResourceKey } from "../model/ids.ts";
import type { Plan, PlanRequest } from "../model/plan.ts";
import type { AccountAccess, Clock } from "../model/ports.ts";
import type { Artifact } from "../model/resource.ts";
import { type Existing, targetId } from "../model/target.ts";
import { planForget } from "../plan/forget.ts";
import type { ActionCatalogue } from "../policy/action-catalogue.ts";
import { loadCatalog } from "./catalog.ts";
import type { PlanResult } from "./plan-all.ts";
import { planFileOf } from "./plan-file.ts";
import { isMistake } from "./validate.ts";

/**
 * The plan that takes our marks from everything that `key` (`AccessPolicy/orders-api`, with or without `@account`) owns in
 * the accounts of the source. Works whether or not the resource is still in git: what is marked in AWS is what counts.
 */
export async function planForgetAll(
	input: { readonly artifact: Artifact; readonly request: PlanRequest; readonly key: ResourceKey },
	deps: {
		readonly actions: ActionCatalogue;
		readonly access: (account: Account) => AccountAccess;
		readonly self: (signal: AbortSignal) => Promise<{ readonly accountId: string; readonly region: string }>;
		readonly clock: Clock;
	},
	signal: AbortSignal,
): Promise<{ readonly result: PlanResult; readonly inSource: boolean; readonly owners: readonly ResourceKey[] }> {
	const began = deps.clock.millis();
	const { artifact, request, key } = input;
	const now = deps.clock.now();
	const load = (defaults: { readonly accountId: string; readonly region: string } | null) =>
		loadCatalog(artifact, { actions: deps.actions, defaults, now });
	let { view, findings } = load(null);
	if (findings.some(isMistake)) return { result: { file: null, findings }, inSource: false, owners: [] };
	if (view.accounts.some((a) => a.accountId === null || a.region === null)) ({ view, findings } = load(await deps.self(signal)));
	const [name = key, only] = key.split("@");
	const plans: Plan[] = [];
	const owners = new Set<ResourceKey>();
	const accounts = [];
	const read = { roles: 0, services: 0, calls: 0 };
	for (const account of view.accounts.filter((a) => only === undefined || a.name === only)) {
		const access = deps.access(account);
		accounts.push({ account, caller: await access.caller(signal), error: null });
		const roles: Existing<"iam.role">[] = [];
		for await (const o of access.provider("iam.role").listOwned(view.installation, signal)) {
			if (!o.exists || o.owner === null) continue;
			owners.add(o.owner.owner);
			if (o.owner.owner === name) roles.push(o);
		}
		const observed = new Map(roles.map((r) => [targetId(r.target), r]));
		const facts = { now, get: () => undefined };
		const context = { account, view, installation: view.installation, source: view.source, previousSources: [] };
		plans.push(
			planForget(key, roles, {
				...context,
				origin: view.get(name)?.origin ?? null,
				observed,
				facts,
				last: new Map(),
				person: true,
				now,
				actions: deps.actions,
			}),
		);
		read.roles += access.counts().roles;
		read.calls += access.counts().calls;
	}
	return {
		result: {
			gathered: new Map(),
			failures: new Map(),
			file: planFileOf(artifact, plans, {
				createdAt: now,
				request,
				installation: view.installation,
				accounts,
				findings: [],
				unpruned: null,
				reads: { ...read, milliseconds: deps.clock.millis() - began },
			}),
		},
		inSource: view.get(name) !== undefined,
		owners: [...owners].sort(),
	};
}
