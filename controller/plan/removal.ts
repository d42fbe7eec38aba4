import { durationMs } from "../model/duration.ts";
import type { Finding } from "../model/finding.ts";
import type { AccessPolicySpec } from "../model/generated/specs.ts";
import { instantAt } from "../model/instant.ts";
import { MARK, OWNERSHIP_KEYS } from "../model/marks.ts";
import type { Plan, StepState } from "../model/plan.ts";
import type { InUse } from "../model/ports.ts";
import type { Existing } from "../model/target.ts";
import { chain } from "./chain.ts";
import { change, type Draft, PHASE } from "./draft.ts";
import { approvalFor, approvalRules } from "./guardrail-rules.ts";
import type { PlanContext } from "./input.ts";
import { summaryOf } from "./instance.ts";
import { ownRoleFinding } from "./own-role.ts";
import { isHeld, tagRole, untagRole } from "./ownership.ts";
import { DEFAULT_QUOTAS } from "./quotas.ts";
import { sealed } from "./rechain.ts";
import { attachmentHasDeny, hasDeny } from "./role-access.ts";
import { byName } from "./statements.ts";
import { unreadableFinding } from "./unreadable.ts";

export interface RemovalInput extends PlanContext {
	/** A role that bears our marks and that nothing in git wants; the caller knows that the whole source was read. */
	readonly role: Existing<"iam.role">;
	/** A workload in git still runs with it, as a role that is only checked: then it is given up, and never deleted. */
	readonly named: boolean;
	/** Read afresh. Null: not looked at, which counts as in use. */
	readonly inUse: InUse | null;
}

/**
 * What becomes of a role whose policy is gone (KINDS.md, Deletion). `orphan`: our marks are removed and nothing else.
 * `delete:14d`: marked retired; then, when that time is over and nothing uses it, deleted. Null: it is not ours to remove.
 */
export function planRemoval(input: RemovalInput): Plan | null {
	if (!isOurs(input)) return null;
	const { role } = input;
	const key = role.owner?.owner ?? role.target.name;
	const leave = unreadableFinding(role, key, null) ?? ownRoleFinding(role.target.name, input.ownRoles, key, null);
	return leave === null ? planOf(input, draftsOf(input), []) : planOf(input, [], [leave]);
}

function isOurs({ role: { owner }, installation, source, previousSources }: RemovalInput): boolean {
	return (
		owner !== null && owner.installation === installation && (owner.source === source || previousSources.includes(owner.source))
	);
}

function planOf(input: RemovalInput, drafts: readonly Draft[], findings: readonly Finding[]): Plan {
	const { role } = input;
	const steps = chain(waiting(drafts, input), {
		target: role.target,
		start: role.state,
		access: input,
		quotas: input.quotas ?? DEFAULT_QUOTAS,
	});
	return sealed({
		key: role.owner?.owner ?? role.target.name,
		account: input.account.name,
		origin: null,
		summary: summaryOf(steps),
		steps,
		findings,
		roles: 1,
		workloads: 0,
		unchanged: steps.length === 0 ? 1 : 0,
	});
}

/** Our marks and nothing else; a hold is not ours. */
export function forgetDrafts(role: Existing<"iam.role">): readonly Draft[] {
	const { phase: _phase, ...draft } = untagRole(role, OWNERSHIP_KEYS, "removed-from-git", null);
	return draft.diff.length === 0 ? [] : [draft];
}

function draftsOf(input: RemovalInput): readonly Draft[] {
	const { role, now } = input;
	const retainMs = input.named ? null : retention(role.owner?.deletion ?? "orphan");
	if (retainMs === null) return forgetDrafts(role);
	if (role.owner?.retiredAt === null || role.owner?.retiredAt === undefined) {
		const { phase: _phase, ...draft } = tagRole(role, { [MARK.retiredAt]: now }, "removed-from-git", null, PHASE.own);
		return [draft];
	}
	const state = mayDelete(input, retainMs);
	return deletion(input).map((d) => ({ ...d, state }));
}

/** `delete:14d` -> milliseconds; null for `orphan`, and for what cannot be read: then the least is done. */
function retention(mark: string): number | null {
	return mark.startsWith("delete:") ? durationMs(mark.slice("delete:".length)) : null;
}

function mayDelete(input: RemovalInput, retainMs: number): StepState {
	const { role, inUse } = input;
	const now = Date.parse(input.now);
	const retired = Date.parse(role.owner?.retiredAt ?? "");
	const name = role.target.name;
	if (Number.isNaN(retired)) {
		return { waiting: "retention", detail: `role ${name} is marked retired at "${role.owner?.retiredAt}", which is no time` };
	}
	if (now < retired + retainMs) {
		return {
			waiting: "retention",
			detail: `role ${name} is retired since ${role.owner?.retiredAt} and kept until ${instantAt(retired + retainMs)}`,
		};
	}
	if (inUse === null) return { waiting: "in-use", detail: `whether anything uses role ${name} was not looked at` };
	if (inUse.by.length > 0) {
		return { waiting: "in-use", detail: `role ${name} is in use by ${counted(inUse.by.length)}: ${inUse.by.join(", ")}` };
	}
	if (inUse.unread.length > 0) {
		return { waiting: "in-use", detail: `could not see whether role ${name} is in use: ${inUse.unread.join(", ")}` };
	}
	if (role.lastUsed !== null && !(Date.parse(role.lastUsed) < now - retainMs)) {
		return { waiting: "in-use", detail: `role ${name} was last used ${role.lastUsed}, less than its retention ago` };
	}
	return askBeforeDelete(input);
}

/** The policy is gone, and with it its path, labels and clusters: a guardrail that may have matched it does. */
function askBeforeDelete(input: RemovalInput): StepState {
	const owner = input.role.owner?.owner ?? "";
	const policy = { name: owner.slice(owner.indexOf("/") + 1), path: null, labels: null, clusters: null };
	return approvalFor("deletes", approvalRules({ ...input, policy })) ?? "ready";
}

function counted(n: number): string {
	return n === 1 ? "1 user" : `${n} users`;
}

/** What DeleteRole needs gone first (aws-facts §3.3). Denies last, so that nothing opens on the way; the boundary stays. */
function deletion(input: RemovalInput): readonly Omit<Draft, "state">[] {
	const { name } = input.role.target;
	const { state } = input.role;
	const why = "removed-from-git";
	const attached = state.managedPolicies.map((arn) => ({
		deny: attachmentHasDeny(input, arn),
		draft: {
			call: { api: "iam:DetachRolePolicy", input: { RoleName: name, PolicyArn: arn } },
			why,
			diff: [change("-", "managed policy", arn)],
		} as const,
	}));
	const inline = byName(state.inline).map(([policy, doc]) => ({
		deny: hasDeny(doc),
		draft: {
			call: { api: "iam:DeleteRolePolicy", input: { RoleName: name, PolicyName: policy } },
			why,
			diff: [change("-", "inline policy", policy)],
		} as const,
	}));
	const all = [...attached, ...inline];
	return [
		...all.filter((x) => !x.deny).map((x) => x.draft),
		...all.filter((x) => x.deny).map((x) => x.draft),
		{ call: { api: "iam:DeleteRole", input: { RoleName: name } }, why, diff: [change("-", "role", `${state.path}${name}`)] },
	];
}

/**
 * A hold makes every pass leave a role alone (KINDS.md, Drift), this one too; and so does a policy that says suspend: true
 * with a role that it no longer asks for. A policy that is gone says nothing.
 */
function waiting(drafts: readonly Draft[], input: RemovalInput): readonly Draft[] {
	const state = held(input) ?? suspended(input);
	return state === null ? drafts : drafts.map((d) => ({ ...d, state }));
}

function held({ role, now }: RemovalInput): StepState | null {
	if (!isHeld(role.holdUntil, now)) return null;
	const detail = `held until ${role.holdUntil}: the tag ecs-access.dev/hold-until keeps every pass from role ${role.target.name}`;
	return { waiting: "hold", detail };
}

function suspended({ role, view }: RemovalInput): StepState | null {
	const owner = view.get(role.owner?.owner ?? "");
	if (owner === undefined || (owner.spec as Partial<AccessPolicySpec>).suspend !== true) return null;
	return { waiting: "suspended", detail: `${owner.key} says suspend: true`, origin: owner.origin };
}
