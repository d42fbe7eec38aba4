import { applyCall } from "../model/apply-call.ts";
import { digest } from "../model/digest.ts";
import { roleFingerprint } from "../model/fingerprint.ts";
import type { StepId, Tags } from "../model/ids.ts";
import type { Step, StepCall, StepState } from "../model/plan.ts";
import { type RoleState, type Target, targetId } from "../model/target.ts";
import { canonicalDocument } from "../policy/canonical.ts";
import { APPROVABLE } from "./approval.ts";
import type { Draft } from "./draft.ts";
import { follows, movesOf, mustWaitFor, type Placed } from "./order.ts";
import { overQuota, type Quotas } from "./quotas.ts";
import { type AccessContext, callChange, missingPolicy } from "./role-access.ts";

export interface ChainInput {
	readonly target: Target;
	/** The role as observed; null: there is none. */
	readonly start: RoleState | null;
	readonly access: AccessContext;
	readonly quotas: Quotas;
	/** A last word on each step that is ready, in order: what has been decided before it is in the state it is judged by. */
	readonly decide?: (step: Step) => StepState;
}

/**
 * One role's calls in their order, made into steps. Each ready step is judged and guarded by the state that the ready
 * steps before it leave; each waiting one by the state that all before it would leave. A step waits when one that it
 * depends on waits. Pure, and may be asked again of its own steps with another `decide`.
 */
export function chain(drafts: readonly Draft[], input: ChainInput): readonly Step[] {
	const id = targetId(input.target);
	const steps: Step[] = [];
	const placed: Placed[] = [];
	let ready = input.start;
	let all = input.start;
	const end = drafts.reduce((s, draft) => applyCall(s, draft.call), input.start);
	for (const [n, draft] of drafts.entries()) {
		const here: Placed = { draft, moves: movesOf(draft.call, all, input.access) };
		const after: StepId[] = [];
		let settle = 0;
		let state = draft.state === "ready" ? (missingPolicy(draft.call, input.access) ?? "ready") : draft.state;
		for (const [m, earlier] of placed.entries()) {
			const seconds = follows(here, earlier);
			const before = steps[m];
			if (seconds === null || before === undefined) continue;
			if (before.state !== "ready") {
				if (!mustWaitFor(here, earlier, input.access.account.partition)) continue;
				if (state === "ready") state = { ...before.state, detail: afterThat(before.state.detail) };
			}
			after.push(before.id);
			settle = Math.max(settle, seconds);
		}
		const place = { id: `${id}#${n + 1}`, after_: after, settle };
		const step = (s: StepState): Step => stepOf(draft, place, s, s === "ready" ? ready : all, input);
		let made = step(state);
		if (state === "ready") {
			const verdict =
				inBetween(ready, draft.call, input.quotas) ?? (draft.why === "expired" ? "ready" : input.decide?.(made)) ?? "ready";
			if (verdict !== "ready") made = step(verdict);
		} else if (asksAPerson(state)) {
			// An Approval answers what was asked, and no guardrail: neither beside what waits nor beside what is ready.
			const refused = [made, stepOf(draft, place, "ready", ready, input)]
				.map((s) => input.decide?.(s) ?? "ready")
				.find((v) => v !== "ready" && v.waiting === "guardrail");
			if (refused !== undefined) made = step(refused);
		}
		if (asksAPerson(made.state) && end !== null) made = { ...made, under: standsUnder(end) };
		steps.push(made);
		placed.push(here);
		all = applyCall(all, draft.call);
		if (made.state === "ready") ready = applyCall(ready, draft.call);
	}
	return steps;
}

function asksAPerson(state: StepState): boolean {
	return state !== "ready" && APPROVABLE.has(state.waiting);
}

function standsUnder(end: RoleState): NonNullable<Step["under"]> {
	return { trust: digest(canonicalDocument(end.trust)), permissionsBoundary: end.permissionsBoundary };
}

const AFTER = "after a step that waits: ";

/** Why a chain of waiting steps waits, at its beginning. */
export function rootDetail(detail: string): string {
	return detail.startsWith(AFTER) ? detail.slice(AFTER.length) : detail;
}

/** Why a step waits that follows one which waits. */
export function afterThat(detail: string): string {
	return detail.startsWith(AFTER) ? detail : `${AFTER}${detail}`;
}

/** The state in between is checked as well; what fails waits with the reason and is never reordered silently. */
function inBetween(before: RoleState | null, call: StepCall, quotas: Quotas): StepState | null {
	const over = overQuota(before, applyCall(before, call), call, quotas);
	return over === null ? null : { waiting: "guardrail", detail: `${over}: take something away in a commit of its own first` };
}

function stepOf(
	draft: Draft,
	place: Pick<Step, "id" | "after_" | "settle">,
	state: StepState,
	before: RoleState | null,
	input: ChainInput,
): Step {
	const after = applyCall(before, draft.call);
	const path = (before ?? after)?.path;
	return {
		id: place.id,
		target: input.target,
		...(path !== undefined && { path }),
		call: draft.call,
		why: draft.why,
		...callChange(before, after, draft.call, input.access),
		diff: draft.diff,
		before: partOf(before, draft.call),
		after: partOf(after, draft.call),
		precondition: before === null ? null : roleFingerprint(before),
		after_: place.after_,
		settle: place.settle,
		state,
	};
}

/** The part of a state that a call writes; null where it does not exist. Documents in canonical form. */
function partOf(state: RoleState | null, call: StepCall): unknown {
	if (state === null) return null;
	switch (call.api) {
		case "iam:CreateRole":
		case "iam:DeleteRole":
			return {
				path: state.path,
				trust: canonicalDocument(state.trust),
				permissionsBoundary: state.permissionsBoundary,
				tags: state.tags,
			};
		case "iam:UpdateAssumeRolePolicy":
			return canonicalDocument(state.trust);
		case "iam:PutRolePolicy":
		case "iam:DeleteRolePolicy": {
			const doc = state.inline[call.input.PolicyName];
			return doc === undefined ? null : canonicalDocument(doc);
		}
		case "iam:AttachRolePolicy":
		case "iam:DetachRolePolicy":
			return state.managedPolicies.includes(call.input.PolicyArn) ? call.input.PolicyArn : null;
		case "iam:PutRolePermissionsBoundary":
		case "iam:DeleteRolePermissionsBoundary":
			return state.permissionsBoundary;
		case "iam:TagRole":
			return tagsOf(state.tags, Object.keys(call.input.Tags));
		case "iam:UntagRole":
			return tagsOf(state.tags, call.input.TagKeys);
		case "none":
			return null;
	}
}

function tagsOf(tags: Tags, keys: readonly string[]): Tags {
	const asked = new Set(keys.map((k) => k.toLowerCase()));
	return Object.fromEntries(Object.entries(tags).filter(([k]) => asked.has(k.toLowerCase())));
}
