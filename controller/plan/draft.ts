import type { Change, Step, StepState } from "../model/plan.ts";

/** A step before its place in the order, its effect and its precondition are known. A Step is one too. */
export type Draft = Pick<Step, "call" | "why" | "diff" | "state">;

/**
 * The order inside a role (ARCHITECTURE.md, Applying safely): what makes it ours; what has expired; boundary and added
 * Denies; what broadens; what narrows; deletions; and only then what lifts a Deny or a boundary, so that nothing that a
 * Deny covered is open while the Allow beneath it still stands.
 */
export const PHASE = { own: 0, expire: 1, restrict: 2, broaden: 3, narrow: 4, remove: 5, lift: 6 } as const;
export type Phase = (typeof PHASE)[keyof typeof PHASE];

export interface PhasedDraft extends Draft {
	readonly phase: Phase;
}

export function inOrder(drafts: readonly PhasedDraft[]): readonly Draft[] {
	return [...drafts].sort((a, b) => a.phase - b.phase).map(({ phase: _phase, ...draft }) => draft);
}

export function change(op: Change["op"], what: Change["what"], name: string, more: Partial<Change> = {}): Change {
	return { op, what, name, from: null, to: null, origin: null, ...more };
}

/** What an Approval releases; the command needs the plan's approval id and is filled in with it. */
export function needsApproval(detail: string): StepState {
	return { waiting: "approval", detail };
}
