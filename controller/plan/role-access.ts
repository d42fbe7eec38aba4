import type { Account } from "../model/account.ts";
import type { Arn } from "../model/ids.ts";
import type { StepCall, StepState } from "../model/plan.ts";
import type { Facts } from "../model/reference.ts";
import type { RoleState } from "../model/target.ts";
import type { AccessChange, AccessLine, AccessSide } from "../policy/access.ts";
import type { ActionCatalogue } from "../policy/action-catalogue.ts";
import type { PolicyDocument } from "../policy/document.ts";
import { accessChange } from "../policy/effect.ts";
import { trustChange } from "../policy/trust.ts";

/** What it takes to say which access a state of a role gives. */
export interface AccessContext {
	readonly account: Account;
	readonly facts: Facts;
	readonly actions: ActionCatalogue;
}

const NO_CHANGE: AccessChange = { effect: "none", gains: [], losses: [] };

/** The default version of an attached policy or a boundary; null: it cannot be read from here. */
export function managedDocument(ctx: AccessContext, arn: Arn): PolicyDocument | null {
	if (ctx.account.accountId === null) return null;
	const fact = ctx.facts.get({ type: "iam.managedPolicy", account: ctx.account.accountId, arn });
	return fact?.type === "iam.managedPolicy" ? fact.document : null;
}

/** A call that names a managed policy which is not there would fail in the middle of an apply: it waits until there is one. */
export function missingPolicy(call: StepCall, ctx: AccessContext): StepState | null {
	const arn =
		call.api === "iam:AttachRolePolicy"
			? call.input.PolicyArn
			: call.api === "iam:CreateRole" || call.api === "iam:PutRolePermissionsBoundary"
				? call.input.PermissionsBoundary
				: undefined;
	if (arn === undefined || ctx.account.accountId === null) return null;
	const fact = ctx.facts.get({ type: "iam.managedPolicy", account: ctx.account.accountId, arn });
	return fact?.type === "absent" ? { waiting: "reference", detail: `managed policy ${arn} does not exist` } : null;
}

export function hasDeny(doc: PolicyDocument): boolean {
	return doc.Statement.some((s) => s.Effect === "Deny");
}

/** What cannot be read counts as holding one (KINDS.md, Drift). */
export function attachmentHasDeny(ctx: AccessContext, arn: Arn): boolean {
	const doc = managedDocument(ctx, arn);
	return doc === null || hasDeny(doc);
}

/** Every document in force, also those that the policy ignores: a Deny in one of them counts. */
export function accessSide(state: RoleState | null, ctx: AccessContext): AccessSide {
	if (state === null) return { documents: [], boundary: null };
	const attached = state.managedPolicies.map((arn) => managedDocument(ctx, arn)).filter((d) => d !== null);
	return {
		documents: [...Object.values(state.inline), ...attached],
		boundary: state.permissionsBoundary === null ? null : (managedDocument(ctx, state.permissionsBoundary) ?? "unknown"),
		...(state.permissionsBoundary !== null && { boundaryArn: state.permissionsBoundary }),
	};
}

/**
 * What one call changes for the role as a whole. An attachment whose document cannot be read changes nobody knows what:
 * `unknown`, which counts as broader.
 */
export function callChange(before: RoleState | null, after: RoleState | null, call: StepCall, ctx: AccessContext): AccessChange {
	switch (call.api) {
		case "iam:CreateRole":
		case "iam:TagRole":
		case "iam:UntagRole":
		case "none":
			return NO_CHANGE;
		case "iam:UpdateAssumeRolePolicy":
			return { effect: trustChange(before?.trust ?? null, call.input.PolicyDocument), gains: [], losses: [] };
		case "iam:AttachRolePolicy":
		case "iam:DetachRolePolicy": {
			if (managedDocument(ctx, call.input.PolicyArn) !== null) break;
			const line = unreadLine(call.input.PolicyArn);
			return call.api === "iam:AttachRolePolicy"
				? { effect: "unknown", gains: [line], losses: [] }
				: { effect: "unknown", gains: [], losses: [line] };
		}
	}
	return accessChange(accessSide(before, ctx), accessSide(after, ctx), ctx.actions);
}

/**
 * Whether one boundary for another closes or opens: what only opens goes last, all else first. What cannot be read, or
 * does both, counts as closing, since a boundary goes first (ARCHITECTURE.md, Applying safely).
 */
export function boundaryMove(from: Arn | null, to: Arn | null, ctx: AccessContext): "restricts" | "lifts" {
	if (to === null) return "lifts";
	const [before, after] = [from === null ? null : managedDocument(ctx, from), managedDocument(ctx, to)];
	if (before === null || after === null) return "restricts";
	const side = (doc: PolicyDocument): AccessSide => ({ documents: [doc], boundary: null });
	return accessChange(side(before), side(after), ctx.actions).effect === "broadens" ? "lifts" : "restricts";
}

function unreadLine(arn: Arn): AccessLine {
	return { actions: [`whatever ${arn} says`], resources: ["*"], when: null, witness: null };
}
