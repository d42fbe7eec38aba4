import type { Account } from "../model/account.ts";
import { bindingDifference, isOurs } from "../model/binding.ts";
import type { AnyDesired, AnyObserved } from "../model/desired.ts";
import type { Arn, Instant } from "../model/ids.ts";
import { type Facts, type Reference, type RevisionsReference, referenceId } from "../model/reference.ts";
import { type Binding, type FamilyState, type ServiceState, type Target, targetId } from "../model/target.ts";
import { accountOf, roleName } from "./binding-access.ts";
import { rolloutOf } from "./rollout.ts";
import { isWorkload } from "./workloads.ts";

/**
 * What must be known before a workload is bound, or taken back: what was rolled out to it before, and the roles between
 * which it moves. Nothing of one that is as git says, or is only verified. Asked again, it names the roles of a revision
 * that became known.
 */
export function bindingReferences(
	account: Account,
	desired: readonly AnyDesired[],
	observed: ReadonlyMap<string, AnyObserved>,
	facts: Facts,
): readonly Reference[] {
	if (account.accountId === null) return [];
	const refs = new Map<string, Reference>();
	const add = (ref: Reference): void => void refs.set(referenceId(ref), ref);
	for (const d of desired) {
		if (!isWorkload(d) || d.wanted.mode !== "Enforce") continue;
		const live = observed.get(targetId(d.target));
		if (live?.exists !== true || !("taskDefinition" in live.state) || whyNotEnforced(live.state) !== null) continue;
		const { state } = live;
		const difference = bindingDifference(d.wanted.binding, state, { region: d.target.region, account: d.target.account });
		const revisions = revisionsReference(d.target, state.taskDefinition);
		if (Object.keys(difference).length > 0) {
			add(revisions);
			for (const arn of moves(state, difference)) add({ type: "iam.role", account: accountOf(arn), name: roleName(arn) });
			continue;
		}
		if (!goesBack(state, d.wanted.binding, d.target, facts.now)) continue;
		add(revisions);
		const fact = facts.get(revisions);
		const base = fact?.type === "ecs.revisions" ? fact.revisions.find((r) => r.arn === state.bound?.base) : undefined;
		if (base === undefined) continue;
		for (const arn of moves(state, base.binding)) add({ type: "iam.role", account: accountOf(arn), name: roleName(arn) });
	}
	return [...refs.values()].filter((r) => r.account === account.accountId);
}

export function revisionsReference(target: Target, taskDefinition: Arn): RevisionsReference {
	return {
		type: "ecs.revisions",
		account: target.account,
		region: target.region,
		taskDefinition,
		service: target.type === "ecs.service" ? target.name : null,
	};
}

/** The roles that are given up and taken on. */
function moves(from: Binding, to: Partial<Binding>): readonly Arn[] {
	return (["taskRole", "executionRole"] as const).flatMap((field) => {
		const [old, next] = [from[field], to[field]];
		return next === undefined || next === old ? [] : [old, next].filter((arn) => arn != null);
	});
}

/** Whether what we rolled out failed, so that the service must go back to what it was made of. */
function goesBack(
	state: ServiceState | FamilyState,
	wanted: Partial<Binding>,
	target: Target,
	now: Instant,
): state is ServiceState {
	const place = { region: target.region, account: target.account };
	return "controller" in state && isOurs(state, wanted, place) && rolloutOf(state, now).is === "failed";
}

/** Why a service is only looked at although git says Enforce: somebody else decides what it runs (KINDS.md, Binding). */
export function whyNotEnforced(state: ServiceState | FamilyState): string | null {
	if (!("controller" in state)) return null;
	if (state.express) return "it is an Express service, which changes its roles itself (UpdateExpressGatewayService)";
	if (state.controller === "CODE_DEPLOY") return "CodeDeploy owns its deployments";
	if (state.controller === "EXTERNAL") return "an external controller owns its deployments";
	const stack = state.rollouts?.stack ?? null;
	return stack === null ? null : `CloudFormation owns it (stack ${stack}) and would put back what its template says`;
}
