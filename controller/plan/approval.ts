import { digest, shortDigest, stableJson } from "../model/digest.ts";
import type { ApprovalSpec } from "../model/generated/specs.ts";
import type { Digest, Instant, ResourceKey, StepId } from "../model/ids.ts";
import type { CatalogView } from "../model/kind.ts";
import { isRoleCall, type Step, type StepCall, type Waiting } from "../model/plan.ts";
import { targetId } from "../model/target.ts";
import { timeless } from "./plan-file.ts";

/** What an Approval can release. */
export const APPROVABLE: ReadonlySet<Waiting> = new Set(["approval", "budget"]);

/**
 * The hash that an Approval names: of the steps that wait for it only, their targets, the state of what they would write,
 * and the state after (KINDS.md, Approval), with the trust and the boundary that what they give will stand under: those
 * may be written by steps that are ready. No revision, no time, no reason and no effect, and nothing else of the steps that
 * are ready. Null when nothing waits.
 */
export function approvalId(steps: readonly Step[]): Digest | null {
	return idOf(waitingFor(steps, APPROVABLE));
}

/**
 * A name for the Approval of a resource, and for its file. The key of a role whose policy is gone comes from a tag in AWS,
 * which anybody may have written: nothing of it leads out of a folder.
 */
export function approvalName(key: ResourceKey, suffix: string): string {
	const words =
		key
			.slice(key.indexOf("/") + 1)
			.toLowerCase()
			.match(/[a-z0-9]+/g) ?? [];
	return [...words.join("-").slice(0, 48).split("-"), suffix].filter((word) => word !== "").join("-");
}

/** The steps that Approvals in force release. A narrower approval stands where a budget has since come to wait, or no more does. */
export function approvedSteps(steps: readonly Step[], view: CatalogView, now: Instant): ReadonlySet<StepId> {
	const given = new Set(
		view
			.ofKind<ApprovalSpec>("Approval")
			.filter((a) => a.spec.expiresAt === undefined || Date.parse(a.spec.expiresAt) > Date.parse(now))
			.map((a) => a.spec.approvalId),
	);
	if (given.size === 0) return new Set();
	for (const waits of [APPROVABLE, new Set<Waiting>(["approval"]), new Set<Waiting>(["budget"])]) {
		const waiting = waitingFor(steps, waits);
		const id = idOf(waiting);
		if (id !== null && given.has(id)) return new Set(waiting.map((s) => s.id));
	}
	return new Set();
}

/** Each step that an Approval can release says the command that asks for one. */
export function withCommands(steps: readonly Step[], id: Digest | null): readonly Step[] {
	if (id === null) return steps;
	const command = `ecs-access approve ${shortDigest(id)} --reason "…"`;
	return steps.map((s) =>
		s.state !== "ready" && APPROVABLE.has(s.state.waiting) ? { ...s, state: { ...s.state, command } } : s,
	);
}

function waitingFor(steps: readonly Step[], waits: ReadonlySet<Waiting>): readonly Step[] {
	return steps.filter((s) => s.state !== "ready" && waits.has(s.state.waiting) && s.call.api !== "none");
}

function idOf(steps: readonly Step[]): Digest | null {
	if (steps.length === 0) return null;
	return digest(
		stableJson(
			steps.map((s) => ({
				target: targetId(s.target),
				part: partName(s.call),
				before: timeless(s.before),
				after: timeless(s.after),
				under: s.under ?? null,
			})),
		),
	);
}

/** What a call writes, by name; the steps keep their order, which is part of what is approved. */
function partName(call: StepCall): string {
	if (!isRoleCall(call)) return call.api;
	switch (call.api) {
		case "iam:PutRolePolicy":
		case "iam:DeleteRolePolicy":
			return `inline policy ${call.input.PolicyName}`;
		case "iam:AttachRolePolicy":
		case "iam:DetachRolePolicy":
			return `managed policy ${call.input.PolicyArn}`;
		case "iam:PutRolePermissionsBoundary":
		case "iam:DeleteRolePermissionsBoundary":
			return "permissions boundary";
		case "iam:UpdateAssumeRolePolicy":
			return "trust";
		case "iam:TagRole":
		case "iam:UntagRole":
			return "tags";
		case "iam:CreateRole":
		case "iam:DeleteRole":
			return "role";
		case "none":
			return "";
	}
}
