import { type AnyDesired, type AnyObserved, isRole, type RoleWanted } from "../model/desired.ts";
import type { Finding } from "../model/finding.ts";
import { roleFingerprint } from "../model/fingerprint.ts";
import type { CatalogView, Instance } from "../model/kind.ts";
import { MARK } from "../model/marks.ts";
import type { Plan, PlanRequest } from "../model/plan.ts";
import type { Clock } from "../model/ports.ts";
import type { Facts } from "../model/reference.ts";
import type { Artifact } from "../model/resource.ts";
import type { InventoryEntry } from "../model/status.ts";
import { type Existing, type RoleState, targetId } from "../model/target.ts";
import { appliedRole, wantedDocument, wantedOf } from "../plan/applied.ts";
import { APPROVABLE } from "../plan/approval.ts";
import { releaseApproved } from "../plan/budgets.ts";
import type { PlanContext } from "../plan/input.ts";
import { planInstance } from "../plan/instance.ts";
import { planRemoval } from "../plan/removal.ts";
import type { ActionCatalogue } from "../policy/action-catalogue.ts";
import { type Catalog, type CatalogOptions, loadCatalog } from "./catalog.ts";
import { expandInstance } from "./expand.ts";
import { named } from "./plan-account.ts";
import type { PlanResult } from "./plan-all.ts";
import { planFileOf, sourceLabel } from "./plan-file.ts";
import { mistakesOf } from "./validate.ts";

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
	const load = (artifact: Artifact, defaults: CatalogOptions["defaults"]): Catalog =>
		loadCatalog(artifact, {
			actions: deps.actions,
			defaults,
			now,
			...(request.only === undefined ? {} : { only: request.only }),
		});
	// As in validate: the values of an account that no document names stay symbolic.
	let after = load(head, null);
	const mistakes = mistakesOf(after, now, request.only);
	if (mistakes.length > 0) return { file: null, findings: mistakes };
	// A base that was invalid says less; what is valid in it still counts.
	let before = load(base, null);
	// Where only one of the two names the account, the other means the same: the roles did not move.
	const [headIn, baseIn] = [soleAccount(after.view), soleAccount(before.view)];
	if (isUnnamed(before.view) && headIn !== null) before = load(base, headIn);
	else if (isUnnamed(after.view) && baseIn !== null) after = load(head, baseIn);
	const facts: Facts = { now, get: () => undefined };
	const was = expandAll(before.view, before.instances, facts);
	const is = expandAll(after.view, after.instances, facts);
	const marks = { installation: after.view.installation, source: after.view.source };
	const observed = new Map<string, AnyObserved>();
	const last = new Map<string, InventoryEntry>();
	for (const { instance, desired } of was) {
		for (const d of desired) {
			if (!isRole(d)) continue;
			const id = targetId(d.target);
			observed.set(id, asApplied(d, { ...marks, owner: instance.resource.key }));
			last.set(id, { target: d.target, applied: appliedRole(wantedOf(d.wanted, d.wanted.adopt)), appliedAt: null });
		}
	}
	for (const { desired } of is) {
		for (const d of desired)
			if (isRole(d) && !observed.has(targetId(d.target)))
				// A role to be taken over is there already, as git says for all that is known here, and nobody's.
				observed.set(targetId(d.target), d.wanted.adopt ? asApplied(d, null) : { target: d.target, exists: false });
	}
	const shared = { view: after.view, observed, last, facts, now, actions: deps.actions };
	const plans: Plan[] = [];
	for (const { instance, desired, findings } of is) {
		const context = contextOf(instance, shared);
		const plan = planInstance({ ...context, ...named(instance), desired, findings });
		plans.push(asCompared(releaseApproved(plan, context)));
	}
	const kept = new Set(is.flatMap(({ desired }) => desired.map((d) => targetId(d.target))));
	for (const { instance, desired } of was) {
		for (const d of desired) {
			const role = observed.get(targetId(d.target));
			if (role === undefined || kept.has(targetId(d.target)) || !role.exists || !isRole(d)) continue;
			const context = contextOf(instance, shared);
			const plan = planRemoval({ ...context, role: role as Existing<"iam.role">, named: false, inUse: null });
			if (plan !== null) plans.push(asCompared(releaseApproved(plan, context)));
		}
	}
	const file = planFileOf(head, plans, {
		createdAt: now,
		request,
		sourceLabel: `${sourceLabel(base)} -> ${sourceLabel(head)}`,
		installation: after.view.installation,
		accounts: after.view.accounts.map((account) => ({ account, caller: null, error: null })),
		findings: after.findings,
		unpruned: null,
		reads: { roles: 0, services: 0, calls: 0, milliseconds: deps.clock.millis() - began },
	});
	return { file, gathered: new Map(), failures: new Map() };
}

interface Expanded {
	readonly instance: Instance;
	readonly desired: readonly AnyDesired[];
	readonly findings: readonly Finding[];
}

function expandAll(view: CatalogView, instances: readonly Instance[], facts: Facts): readonly Expanded[] {
	return instances.map((instance) => ({ instance, ...expandInstance(instance, view, facts) }));
}

function contextOf(
	instance: Instance,
	shared: Pick<PlanContext, "view" | "observed" | "last" | "facts" | "now" | "actions">,
): PlanContext {
	const { view } = shared;
	return {
		...shared,
		account: instance.account,
		installation: view.installation,
		source: view.source,
		previousSources: [],
		person: true,
		offline: true,
	};
}

/**
 * An approval id is of what AWS has, which nobody looked at: none is offered. Of what did not change, that something of it
 * is not known offline is no news.
 */
function asCompared(plan: Plan): Plan {
	const steps = plan.steps.map((s) => {
		if (s.state === "ready" || !APPROVABLE.has(s.state.waiting)) return s;
		const { command: _command, ...state } = s.state;
		return { ...s, state };
	});
	const findings = steps.length > 0 ? plan.findings : plan.findings.filter((f) => f.id !== "NotEvaluatedOffline");
	return { ...plan, steps, findings, approvalId: null };
}

function isUnnamed(view: CatalogView): boolean {
	return view.accounts.some((a) => a.accountId === null);
}

function soleAccount({ accounts }: CatalogView): CatalogOptions["defaults"] {
	const [account, ...others] = accounts;
	if (account === undefined || others.length > 0 || account.accountId === null || account.region === null) return null;
	return { accountId: account.accountId, region: account.region };
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
