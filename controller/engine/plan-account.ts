import { kindOf } from "../kinds/registry.ts";
import type { AnyDesired } from "../model/desired.ts";
import type { Finding } from "../model/finding.ts";
import type { InstallationSpec } from "../model/generated/specs.ts";
import type { ResourceKey } from "../model/ids.ts";
import type { CatalogView, Instance } from "../model/kind.ts";
import type { Plan, PlanRequest } from "../model/plan.ts";
import type { AccountAccess, InUse, Store } from "../model/ports.ts";
import type { Facts } from "../model/reference.ts";
import type { Artifact } from "../model/resource.ts";
import { type Existing, targetId } from "../model/target.ts";
import { applyBudgets, needsBudget } from "../plan/budgets.ts";
import { applyHalt } from "../plan/halt.ts";
import type { PlanContext, PlanInput } from "../plan/input.ts";
import { planInstance } from "../plan/instance.ts";
import { passRoleGaps } from "../plan/pass-role.ts";
import { planRemoval } from "../plan/removal.ts";
import { roleReferences } from "../plan/role-references.ts";
import { usedBudget } from "./budget-use.ts";
import { withDrifts } from "./drift.ts";
import type { GatheredAccount } from "./gather.ts";

/** Roles of ours that nothing in git wants any more, and why they were left as they are. */
export interface Unpruned {
	readonly count: number;
	readonly reason: string;
}

export interface AccountInput {
	readonly context: PlanContext;
	readonly view: CatalogView;
	readonly gathered: GatheredAccount;
	readonly access: AccountAccess;
	readonly artifact: Artifact;
	readonly request: PlanRequest;
	/** Of a part: see plan-catalog.ts. */
	readonly keys?: ReadonlySet<ResourceKey>;
	/** Documents that are there and cannot be planned: nothing of theirs was removed. */
	readonly stalled?: ReadonlySet<ResourceKey>;
	/** All that git holds of the account, the part that is planned or not: what another now wants was not removed. */
	readonly inGit: readonly Instance[];
	/** Plan what may be removed though the part that is planned is all there: of its owners; of all where it is empty. */
	readonly removals?: boolean;
	readonly store: Store | null;
	readonly shown: boolean;
	readonly nowMs: number;
}

export interface AccountPlans {
	readonly plans: readonly Plan[];
	/** Of the account as a whole. */
	readonly findings: readonly Finding[];
	readonly unpruned: Unpruned | null;
}

/**
 * The plans of one account that was gathered: each resource by itself, then what may be removed, then what only all of
 * them together can say: budgets, approvals, and who could not pass a role.
 */
export async function planAccountResources(input: AccountInput, signal: AbortSignal): Promise<AccountPlans> {
	const { context, gathered, access, request } = input;
	const made = gathered.instances.map(({ instance, desired, findings }) =>
		planInstance({ ...context, ...named(instance), desired, findings }),
	);
	const plans = [...(await withDrifts(made, context, input.store))];
	// Reading every role of a large account takes longer than all the rest of a part: only where a budget is to be measured.
	const removes = request.only === undefined && mayRemove(input);
	const { count, gone } =
		removes || needsBudget(plans) ? await ownedRoles(access, removes ? isUnwanted(input) : () => false, context, signal) : NONE;
	const kept = whyNotPruned(input);
	if (kept === null && gone.length > 0) {
		await gathered.learn(roleReferences(context.account, gone));
		const bound = boundRoles(gathered, input);
		for (const role of gone) {
			const named = bound.has(role.target.name.toLowerCase());
			const plan = planRemoval({ ...context, role, named, inUse: named ? null : await useOf(access, role, signal) });
			if (plan !== null) plans.push(plan);
		}
	}
	const budgeted = applyBudgets(plans, {
		...context,
		spec: context.view.ofKind<InstallationSpec>("Installation")[0]?.spec.budgets ?? {},
		owned: count,
		removable: gone,
		used: needsBudget(plans) ? await usedBudget(input.store, context.account, input.nowMs) : UNASKED,
		shown: input.shown,
	});
	return {
		plans: applyHalt(budgeted, context.halt, context),
		findings: passRoleGaps({ ...context, desired: gathered.instances.flatMap((i) => i.desired) }),
		unpruned: kept === null || gone.length === 0 ? null : { count: gone.length, reason: kept },
	};
}

/** Of plans that no budget speaks of. */
const UNASKED = { deletions: 0, narrowings: 0 } as const;

/** How a plan names the resource it is of. */
export function named(instance: Instance): Pick<PlanInput, "key" | "resource" | "origin"> {
	return { key: instance.key, resource: instance.resource, origin: instance.resource.origin };
}

/** Null: removals are planned. Absence is an order to delete only when the whole source was read (ARCHITECTURE.md, Ownership). */
function whyNotPruned({ request, artifact, view }: AccountInput): string | null {
	if (artifact.partial !== null) return artifact.partial;
	// Files that say nothing are as good as none: an emptied folder is no order to delete.
	if (view.resources.length === 0) return `${artifact.root} holds no document`;
	if (request.only !== undefined) return "--only was given";
	return request.prune ? null : "--prune was not given";
}

const NONE = { count: 0, gone: [] } as const;

/** How many roles bear our marks, and those of them that `isGone`. */
async function ownedRoles(
	access: AccountAccess,
	isGone: (role: Existing<"iam.role">) => boolean,
	{ installation }: PlanContext,
	signal: AbortSignal,
): Promise<{ readonly count: number; readonly gone: readonly Existing<"iam.role">[] }> {
	const gone: Existing<"iam.role">[] = [];
	let count = 0;
	for await (const o of access.provider("iam.role").listOwned(installation, signal)) {
		if (!o.exists) continue;
		count += 1;
		if (isGone(o)) gone.push(o);
	}
	return { count, gone };
}

/** A part that git still holds removes only where that is asked: it costs a read of all roles. One that is gone removes all. */
function mayRemove({ keys, gathered, removals }: AccountInput): boolean {
	return removals === true || keys === undefined || gathered.instances.length < keys.size;
}

/** Ours by installation and source, and wanted by nothing that git says; what cannot be planned is there all the same. */
function isUnwanted(input: AccountInput): (role: Existing<"iam.role">) => boolean {
	const { gathered, context, keys, stalled } = input;
	const wanted = new Set(gathered.instances.flatMap((i) => i.desired.map((d) => targetId(d.target))));
	for (const d of elsewhere(input)) wanted.add(targetId(d.target));
	const sources = new Set([context.source, ...context.previousSources]);
	const asked = keys === undefined || keys.size === 0 ? null : new Set([...keys].map(ownerOf));
	const there = (owner: ResourceKey): boolean => stalled?.has(owner) === true || context.view.broken.has(owner);
	return ({ target, owner }) =>
		!wanted.has(targetId(target)) &&
		owner !== null &&
		sources.has(owner.source) &&
		!there(owner.owner) &&
		asked?.has(owner.owner) !== false;
}

/** What git wants of the account beyond the part that was gathered; one at a time, and kept by nobody. */
function* elsewhere({ gathered, context, inGit }: AccountInput): Generator<AnyDesired> {
	if (gathered.instances.length >= inGit.length) return;
	const here = new Set(gathered.instances.map((g) => g.instance.key));
	const facts: Facts = { now: context.now, get: () => undefined };
	for (const i of inGit) if (!here.has(i.key)) yield* kindOf(i.resource.kind).expand(i, context.view, facts).desired;
}

/** As an owner mark has it: without the account. */
function ownerOf(key: ResourceKey): ResourceKey {
	return key.replace(/@.*$/, "");
}

/** The roles that git's workloads run with, in lower case; who manages them aside. */
function boundRoles(gathered: GatheredAccount, input: AccountInput): ReadonlySet<string> {
	const names = new Set<string>();
	const add = ({ wanted }: AnyDesired): void => {
		if (!("binding" in wanted)) return;
		for (const arn of [wanted.binding.taskRole, wanted.binding.executionRole]) {
			if (arn != null) names.add(arn.slice(arn.lastIndexOf("/") + 1).toLowerCase());
		}
	};
	for (const d of gathered.instances.flatMap((i) => i.desired)) add(d);
	for (const d of elsewhere(input)) add(d);
	return names;
}

/** Costs many reads, so it is asked only of a role that is retired and whose policy says it may go. */
async function useOf(access: AccountAccess, role: Existing<"iam.role">, signal: AbortSignal): Promise<InUse | null> {
	if (role.owner?.retiredAt == null || role.owner.deletion === "orphan") return null;
	return access.inUse(role.target.name, signal);
}
