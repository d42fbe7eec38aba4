import { isMark } from "../model/marks.ts";
import type { StepCall } from "../model/plan.ts";
import type { RoleState } from "../model/target.ts";
import { list, lowerCase } from "../policy/canonical.ts";
import type { PolicyDocument, Statement } from "../policy/document.ts";
import { glob, intersects } from "../policy/glob.ts";
import type { Draft } from "./draft.ts";
import { type AccessContext, boundaryMove, managedDocument } from "./role-access.ts";
import { keysOf, missingFrom } from "./statements.ts";

/** Seconds for a write to be in force everywhere before what depends on it goes; nothing can probe it (aws-facts §3.3). */
export const SETTLE_SECONDS = 60;

/** What a call adds to and removes from a role's statements; `unread`: an attachment whose document is not known. */
export interface Moves {
	readonly adds: readonly Statement[];
	readonly removes: readonly Statement[];
	readonly unread: "adds" | "removes" | null;
	/** Of a boundary: whether it closes or opens. */
	readonly boundary: "restricts" | "lifts" | null;
	/** The part of the role that is written: two writes of one part keep their order. */
	readonly part: string;
}

export function movesOf(call: StepCall, before: RoleState | null, ctx: AccessContext): Moves {
	const none = { adds: [], removes: [], unread: null, boundary: null } as const;
	switch (call.api) {
		case "iam:PutRolePolicy":
		case "iam:DeleteRolePolicy": {
			const { partition } = ctx.account;
			const old = before?.inline[call.input.PolicyName] ?? null;
			const now = call.api === "iam:PutRolePolicy" ? call.input.PolicyDocument : null;
			return {
				...none,
				adds: missingFrom(now, old, partition),
				removes: missingFrom(old, now, partition),
				part: `inline/${call.input.PolicyName}`,
			};
		}
		case "iam:AttachRolePolicy":
		case "iam:DetachRolePolicy": {
			const part = `attached/${call.input.PolicyArn}`;
			const doc: PolicyDocument | null = managedDocument(ctx, call.input.PolicyArn);
			const attaches = call.api === "iam:AttachRolePolicy";
			if (doc === null) return { ...none, unread: attaches ? "adds" : "removes", part };
			return { ...none, [attaches ? "adds" : "removes"]: doc.Statement, part };
		}
		case "iam:PutRolePermissionsBoundary":
		case "iam:DeleteRolePermissionsBoundary": {
			const to = call.api === "iam:PutRolePermissionsBoundary" ? call.input.PermissionsBoundary : null;
			return { ...none, boundary: boundaryMove(before?.permissionsBoundary ?? null, to, ctx), part: "boundary" };
		}
		case "iam:UpdateAssumeRolePolicy":
			return { ...none, part: "trust" };
		case "iam:TagRole":
		case "iam:UntagRole":
			return { ...none, part: "tags" };
		default:
			return { ...none, part: "role" };
	}
}

export interface Placed {
	readonly draft: Draft;
	readonly moves: Moves;
}

/** Seconds that `later` must follow `earlier` by; null: they do not depend on each other. */
export function follows(later: Placed, earlier: Placed): number | null {
	const { api } = later.draft.call;
	if (makesOurs(earlier.draft.call) || api === "iam:DeleteRole" || later.moves.part === earlier.moves.part) {
		// A part written twice: the first write is one that the second must not overtake in its effect.
		return later.moves.part === earlier.moves.part && earlier.moves.part.startsWith("inline/") && lifts(later)
			? SETTLE_SECONDS
			: 0;
	}
	if (lifts(later) && takes(earlier)) return SETTLE_SECONDS;
	if (replaces(later, earlier)) return SETTLE_SECONDS;
	return restricts(earlier) && broadens(later) ? 0 : null;
}

/**
 * Whether a step still has to wait when one that it follows may not run. What a hand added is taken away even so: git
 * never granted it. Not where it holds, word for word, what the other step would put in its place.
 */
export function mustWaitFor(later: Placed, earlier: Placed, partition: string): boolean {
	const takesAll = later.draft.call.api === "iam:DeleteRolePolicy" || later.draft.call.api === "iam:DetachRolePolicy";
	if (later.draft.why !== "drifted" || !takesAll || makesOurs(earlier.draft.call) || lifts(later)) return true;
	if (earlier.moves.unread !== null || later.moves.unread !== null) return false;
	const kept = keysOf([{ Version: "2012-10-17", Statement: earlier.moves.adds }], partition);
	return !kept.isDisjointFrom(keysOf([{ Version: "2012-10-17", Statement: later.moves.removes }], partition));
}

function makesOurs(call: StepCall): boolean {
	return call.api === "iam:CreateRole" || (call.api === "iam:TagRole" && Object.keys(call.input.Tags).some(isMark));
}

function restricts(p: Placed): boolean {
	return p.moves.boundary === "restricts" || p.moves.adds.some((s) => s.Effect === "Deny");
}

function broadens(p: Placed): boolean {
	return (
		p.moves.boundary === "lifts" ||
		p.moves.unread === "adds" ||
		p.moves.adds.some((s) => s.Effect === "Allow") ||
		p.moves.removes.some((s) => s.Effect === "Deny")
	);
}

function takes(p: Placed): boolean {
	return p.moves.unread === "removes" || p.moves.removes.some((s) => s.Effect === "Allow");
}

function lifts(p: Placed): boolean {
	return p.moves.boundary === "lifts" || p.moves.unread === "removes" || p.moves.removes.some((s) => s.Effect === "Deny");
}

/** Something that `later` takes away is, perhaps in part, what `earlier` gives. */
function replaces(later: Placed, earlier: Placed): boolean {
	if (earlier.moves.unread === "adds") return later.moves.removes.length > 0 || later.moves.unread === "removes";
	if (later.moves.unread === "removes") return earlier.moves.adds.length > 0;
	return later.moves.removes.some((gone) => earlier.moves.adds.some((s) => s.Effect === gone.Effect && actionsMeet(s, gone)));
}

/** By actions alone: that resources do not meet is not worth the risk of a gap. */
function actionsMeet(a: Statement, b: Statement): boolean {
	if (a.Action === undefined || b.Action === undefined) return true;
	const other = list(b.Action).map((x) => glob(lowerCase(x), false));
	return list(a.Action).some((x) => other.some((y) => intersects(glob(lowerCase(x), false), y)));
}
