import type { AnyObserved } from "../model/desired.ts";
import type { Arn } from "../model/ids.ts";
import type { Facts } from "../model/reference.ts";
import { type Binding, type RoleState, type Target, targetId } from "../model/target.ts";
import type { AccessChange, AccessEffect, AccessLine } from "../policy/access.ts";
import { accessChange } from "../policy/effect.ts";
import { type AccessContext, accessSide } from "./role-access.ts";

export interface RoleFinder extends AccessContext {
	readonly facts: Facts;
	readonly observed: ReadonlyMap<string, AnyObserved>;
}

/** What is known of a role: its state, that there is none, or nothing (of another account, or not read). */
export type RoleSeen = RoleState | "absent" | "unknown";

export function roleAt(arn: Arn, ctx: RoleFinder): RoleSeen {
	const account = ctx.account.accountId;
	const name = roleName(arn);
	if (account === null || accountOf(arn) !== account) return "unknown";
	const target: Target = { type: "iam.role", account, region: "global", name };
	const seen = ctx.observed.get(targetId(target));
	if (seen?.exists === false) return "absent";
	if (seen?.exists === true && "trust" in seen.state) return seen.unreadable === undefined ? seen.state : "unknown";
	const fact = ctx.facts.get({ type: "iam.role", account, name });
	if (fact?.type === "absent") return "absent";
	return fact?.type === "iam.role" ? fact.state : "unknown";
}

export function roleName(arn: Arn): string {
	return arn.slice(arn.lastIndexOf("/") + 1);
}

export function accountOf(arn: Arn): string {
	return arn.split(":")[4] ?? "";
}

/**
 * What a workload gains and loses when it runs with other roles. `after` says what a role will be like once the plan is
 * done. A role that is not known makes it `unknown`, which counts as broader; secrets are no access of a role.
 */
export function bindingAccess(from: Binding, to: Partial<Binding>, after: (arn: Arn) => RoleSeen, ctx: RoleFinder): AccessChange {
	const changes = (["taskRole", "executionRole"] as const).flatMap((field): AccessChange[] => {
		const next = to[field];
		if (next === undefined || next === from[field]) return [];
		const old = from[field];
		return [moved(old === null ? null : roleAt(old, ctx), next === null ? null : after(next), [old, next], ctx)];
	});
	return {
		effect: joined(changes.map((c) => c.effect)),
		gains: changes.flatMap((c) => c.gains),
		losses: changes.flatMap((c) => c.losses),
	};
}

function moved(
	old: RoleSeen | null,
	next: RoleSeen | null,
	[from, to]: readonly [Arn | null, Arn | null],
	ctx: AccessContext,
): AccessChange {
	// A role that is gone gives nothing.
	const before = old === "absent" ? null : old;
	const after = next === "absent" ? null : next;
	if (before !== "unknown" && after !== "unknown") {
		return accessChange(accessSide(before, ctx), accessSide(after, ctx), ctx.actions);
	}
	const line = (arn: Arn | null): AccessLine[] =>
		arn === null ? [] : [{ actions: [`whatever ${arn} may`], resources: ["*"], when: null, witness: null }];
	return { effect: "unknown", gains: line(to), losses: line(from) };
}

function joined(effects: readonly AccessEffect[]): AccessEffect {
	if (effects.includes("unknown")) return "unknown";
	const broadens = effects.includes("broadens") || effects.includes("both");
	const narrows = effects.includes("narrows") || effects.includes("both");
	return broadens ? (narrows ? "both" : "broadens") : narrows ? "narrows" : "none";
}
