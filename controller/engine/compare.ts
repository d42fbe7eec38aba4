import { kindOf } from "../kinds/registry.ts";
import { type AnyDesired, type AnyObserved, isRole, type RoleWanted } from "../model/desired.ts";
import type { Finding } from "../model/finding.ts";
import { roleFingerprint } from "../model/fingerprint.ts";
import type { CatalogView, Instance } from "../model/kind.ts";
import { MARK } from "../model/marks.ts";
import type { Plan, PlanFile, PlanRequest } from "../model/plan.ts";
import type { Clock } from "../model/ports.ts";
import type { Facts } from "../model/reference.ts";
import type { Artifact } from "../model/resource.ts";
import { type Existing, type RoleState, targetId } from "../model/target.ts";
import { wantedDocument } from "../plan/applied.ts";
import type { PlanContext } from "../plan/input.ts";
import { planInstance } from "../plan/instance.ts";
import { planFileId } from "../plan/plan-file.ts";
import { planRemoval } from "../plan/removal.ts";
import type { ActionCatalogue } from "../policy/action-catalogue.ts";
import { loadCatalog } from "./catalog.ts";
import { named } from "./plan-account.ts";
import { type PlanResult, sourceLabel } from "./plan-all.ts";
import { mistakesOf } from "./validate.ts";

/** Stands for an account that no document names: a comparison needs an id, and shows none. */
const SOMEWHERE = { accountId: "000000000000", region: "us-east-1" };

/**
 * What a revision changes against another, offline: the base revision is taken as if it had been applied, and the head is
 * planned against it. Says nothing of live AWS, and cannot be applied.
 */
export function compareRevisions(
	input: { readonly base: Artifact; readonly head: Artifact; readonly request: PlanRequest },
	deps: { readonly actions: ActionCatalogue; readonly clock: Clock },
): PlanResult {
	const began = deps.clock.millis();
	const { base, head, request } = input;
	const now = deps.clock.now();
	const options = {
		actions: deps.actions,
		defaults: SOMEWHERE,
		now,
		...(request.only === undefined ? {} : { only: request.only }),
	};
	const after = loadCatalog(head, options);
	const mistakes = mistakesOf(after, now);
	if (mistakes.length > 0) return { file: null, findings: mistakes };
	// A base that was invalid says less; what is valid in it still counts.
	const before = loadCatalog(base, options);
	const facts: Facts = { now, get: () => undefined };
	const was = expandAll(before.view, before.instances, facts);
	const is = expandAll(after.view, after.instances, facts);
	const marks = { installation: after.view.installation, source: after.view.source };
	const observed = new Map<string, AnyObserved>();
	for (const { instance, desired } of was) {
		for (const d of desired)
			if (isRole(d)) observed.set(targetId(d.target), asApplied(d, { ...marks, owner: instance.resource.key }));
	}
	for (const { desired } of is) {
		for (const d of desired)
			if (isRole(d) && !observed.has(targetId(d.target)))
				// A role to be taken over is there already, as git says for all that is known here, and nobody's.
				observed.set(targetId(d.target), d.wanted.adopt ? asApplied(d, null) : { target: d.target, exists: false });
	}
	const plans: Plan[] = [];
	for (const { instance, desired, findings } of is) {
		const context = contextOf(instance, { view: after.view, observed, facts, now, actions: deps.actions });
		// What runs where is only known live: the roles are what can be compared.
		const roles = desired.filter(isRole);
		plans.push(planInstance({ ...context, ...named(instance), desired: roles, findings }));
	}
	const kept = new Set(is.flatMap(({ desired }) => desired.map((d) => targetId(d.target))));
	for (const { instance, desired } of was) {
		for (const d of desired) {
			const role = observed.get(targetId(d.target));
			if (role === undefined || kept.has(targetId(d.target)) || !role.exists || !isRole(d)) continue;
			const context = contextOf(instance, { view: after.view, observed, facts, now, actions: deps.actions });
			const plan = planRemoval({ ...context, role: role as Existing<"iam.role">, inUse: null });
			if (plan !== null) plans.push(plan);
		}
	}
	const file: PlanFile = {
		apiVersion: "ecs-access.dev/v1alpha1",
		kind: "PlanFile",
		id: planFileId(plans),
		createdAt: now,
		request,
		revision: head.revision,
		digest: head.digest,
		sourceLabel: `${sourceLabel(base)} -> ${sourceLabel(head)}`,
		installation: after.view.installation,
		accounts: after.view.accounts.map((account) => ({ account, caller: null, error: null })),
		plans,
		findings: after.findings,
		unpruned: null,
		reads: { roles: 0, services: 0, calls: 0, milliseconds: deps.clock.millis() - began },
	};
	return { file, gathered: new Map() };
}

interface Expanded {
	readonly instance: Instance;
	readonly desired: readonly AnyDesired[];
	readonly findings: readonly Finding[];
}

function expandAll(view: CatalogView, instances: readonly Instance[], facts: Facts): readonly Expanded[] {
	return instances.map((instance) => ({ instance, ...kindOf(instance.resource.kind).expand(instance, view, facts) }));
}

function contextOf(
	instance: Instance,
	shared: Pick<PlanContext, "view" | "observed" | "facts" | "now" | "actions">,
): PlanContext {
	const { view } = shared;
	return {
		...shared,
		account: instance.account,
		installation: view.installation,
		source: view.source,
		previousSources: [],
		last: new Map(),
		person: true,
	};
}

/** The role as it stands once `wanted` was applied to nothing. */
function asApplied(
	d: { readonly target: Existing<"iam.role">["target"]; readonly wanted: RoleWanted },
	marks: { readonly installation: string; readonly source: string; readonly owner: string } | null,
): Existing<"iam.role"> {
	const { wanted, target } = d;
	const state: RoleState = {
		path: wanted.path,
		trust: wanted.trust ?? { Version: "2012-10-17", Statement: [] },
		inline: wanted.statements.length === 0 ? {} : { "ecs-access": wantedDocument(wanted.statements) },
		managedPolicies: wanted.managedPolicies.map((m) => m.arn).sort(),
		permissionsBoundary: wanted.permissionsBoundary === "none" ? null : wanted.permissionsBoundary,
		tags: {
			...wanted.tags,
			...(marks !== null && {
				[MARK.installation]: marks.installation,
				[MARK.owner]: marks.owner,
				[MARK.source]: marks.source,
				[MARK.deletion]: wanted.deletion,
				...(wanted.adopt && { [MARK.adopted]: "true" }),
			}),
		},
	};
	const owner = marks === null ? null : { ...marks, deletion: wanted.deletion, adopted: wanted.adopt, retiredAt: null };
	return { target, exists: true, arn: "", state, fingerprint: roleFingerprint(state), owner, holdUntil: null, lastUsed: null };
}
