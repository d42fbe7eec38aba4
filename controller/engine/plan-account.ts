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
import { expandInstance } from "./expand.ts";
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
	const plans: Plan[] = gathered.instances.map(({ instance, desired, findings }) =>
		planInstance({ ...context, ...named(instance), desired, findings }),
	);
	// Reading every role of a large account takes longer than all the rest of a part: only where a budget is to be measured.
	const removes = request.only === undefined && mayRemove(input);
	const owned = removes || needsBudget(plans) ? await listOwned(access, context.installation, signal) : [];
	const gone = removes ? unwanted(owned, input) : [];
	const kept = whyNotPruned(input);
	if (kept === null) {
		await gathered.learn(roleReferences(context.account, gone));
		const bound = boundRoles(gathered);
		for (const role of gone) {
			const named = bound.has(role.target.name.toLowerCase());
			const plan = planRemoval({ ...context, role, named, inUse: named ? null : await useOf(access, role, signal) });
			if (plan !== null) plans.push(plan);
		}
	}
	const budgeted = applyBudgets(plans, {
		...context,
		spec: context.view.ofKind<InstallationSpec>("Installation")[0]?.spec.budgets ?? {},
		owned,
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

async function listOwned(
	access: AccountAccess,
	installation: string,
	signal: AbortSignal,
): Promise<readonly Existing<"iam.role">[]> {
	const owned: Existing<"iam.role">[] = [];
	for await (const o of access.provider("iam.role").listOwned(installation, signal)) if (o.exists) owned.push(o);
	return owned;
}

/** A part that git still holds removes only what it once wanted, and the resync sees to that; one that is gone removes all. */
function mayRemove({ keys, gathered }: AccountInput): boolean {
	return keys === undefined || gathered.instances.length < keys.size;
}

/** Ours by installation and source, and wanted by nothing that git says; what cannot be planned is there all the same. */
function unwanted(
	owned: readonly Existing<"iam.role">[],
	{ gathered, context, keys, stalled, inGit }: AccountInput,
): readonly Existing<"iam.role">[] {
	const wanted = new Set(gathered.instances.flatMap((i) => i.desired.map((d) => targetId(d.target))));
	if (gathered.instances.length < inGit.length) {
		const facts: Facts = { now: context.now, get: () => undefined };
		for (const i of inGit) for (const d of expandInstance(i, context.view, facts).desired) wanted.add(targetId(d.target));
	}
	const sources = new Set([context.source, ...context.previousSources]);
	const asked = keys === undefined ? null : new Set([...keys].map(ownerOf));
	const there = (owner: ResourceKey): boolean => stalled?.has(owner) === true || context.view.broken.has(owner);
	return owned.filter(
		(o) =>
			!wanted.has(targetId(o.target)) &&
			o.owner !== null &&
			sources.has(o.owner.source) &&
			!there(o.owner.owner) &&
			asked?.has(o.owner.owner) !== false,
	);
}

/** As an owner mark has it: without the account. */
function ownerOf(key: ResourceKey): ResourceKey {
	return key.replace(/@.*$/, "");
}

/** The roles that git's workloads run with, in lower case; who manages them aside. */
function boundRoles(gathered: GatheredAccount): ReadonlySet<string> {
	const arns = gathered.instances
		.flatMap((i) => i.desired)
		.flatMap((d) => ("binding" in d.wanted ? [d.wanted.binding.taskRole, d.wanted.binding.executionRole] : []));
	return new Set(arns.flatMap((arn) => (arn == null ? [] : [arn.slice(arn.lastIndexOf("/") + 1).toLowerCase()])));
}

/** Costs many reads, so it is asked only of a role that is retired and whose policy says it may go. */
async function useOf(access: AccountAccess, role: Existing<"iam.role">, signal: AbortSignal): Promise<InUse | null> {
	if (role.owner?.retiredAt == null || role.owner.deletion === "orphan") return null;
	return access.inUse(role.target.name, signal);
}
