import type { Plan, Step } from "../model/plan.ts";
import type { Store } from "../model/ports.ts";
import type { HistoryEntry } from "../model/status.ts";
import { targetId } from "../model/target.ts";
import { statementSet } from "../policy/canonical.ts";
import type { PolicyDocument } from "../policy/document.ts";

/** More entries than a role has writes in a minute. */
const RECENT = 100;

/**
 * What runs before this one gave to the targets of a plan, newest first. One may have been killed between what it gave and
 * what it was to take away in its place; the first must have propagated before the second, whoever does it (aws-facts §3.3).
 */
export async function recentGrants(plan: Plan, store: Store): Promise<readonly HistoryEntry[]> {
	if (!plan.steps.some(takesAway)) return [];
	const history = await store.history({ key: plan.key, limit: RECENT });
	return history.filter(
		(h) => h.target !== null && h.event !== "failed" && (h.api === "iam:PutRolePolicy" || h.api === "iam:AttachRolePolicy"),
	);
}

/** When, in milliseconds, something was last written that may stand for what `step` takes away; 0: never. */
export function replacedAt(step: Step, grants: readonly HistoryEntry[]): number {
	if (!takesAway(step)) return 0;
	const id = targetId(step.target);
	const found = grants.find((h) => h.target !== null && targetId(h.target) === id && mayStandFor(h, step));
	return found === undefined ? 0 : Date.parse(found.at);
}

function takesAway(step: Step): boolean {
	return step.call.api === "iam:DeleteRolePolicy" || step.call.api === "iam:DetachRolePolicy";
}

/** Of two documents it can be seen; what an attachment grants stands elsewhere, so it may. */
function mayStandFor(grant: HistoryEntry, step: Step): boolean {
	if (!isDocument(grant.after) || !isDocument(step.before)) return true;
	const given = statementSet([grant.after]);
	return [...statementSet([step.before]).keys()].some((text) => given.has(text));
}

function isDocument(value: unknown): value is PolicyDocument {
	return typeof value === "object" && value !== null && Array.isArray((value as Partial<PolicyDocument>).Statement);
}
