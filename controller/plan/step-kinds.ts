import type { Step } from "../model/plan.ts";

/** The steps of the second half of a removal; the mark of its first half takes nothing away. */
export function deletes(step: Pick<Step, "why" | "call">): boolean {
	const { api } = step.call;
	return step.why === "removed-from-git" && api !== "iam:TagRole" && api !== "iam:UntagRole" && api !== "none";
}
