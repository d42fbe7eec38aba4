import type { StepId } from "../model/ids.ts";
import type { Plan, Step, StepState } from "../model/plan.ts";
import { targetId } from "../model/target.ts";
import { approvalId, withCommands } from "./approval.ts";
import { placedAgain } from "./binding-roles.ts";
import { chain } from "./chain.ts";
import type { PlanContext } from "./input.ts";
import { planId } from "./plan-file.ts";
import { DEFAULT_QUOTAS } from "./quotas.ts";

/**
 * A plan with a last word on its steps: `decide` may make ready steps wait, `release` makes waiting ones ready. What the
 * others depend on, are judged and guarded by follows from it. Throws where a role of the plan is not among `observed`.
 */
export function rechain(
	plan: Plan,
	context: Pick<PlanContext, "account" | "facts" | "actions" | "observed" | "quotas">,
	change: { readonly decide?: (step: Step) => StepState; readonly release?: ReadonlySet<StepId> },
): Plan {
	const groups = Map.groupBy(plan.steps, (s) => targetId(s.target));
	const roleSteps: Step[] = [];
	const steps = [...groups].flatMap(([id, group]) => {
		const [first] = group;
		if (first === undefined || first.call.api === "none") return group;
		if (first.target.type !== "iam.role")
			return group.map((s) => placedAgain(s, change.release?.has(s.id) === true, roleSteps, context, change.decide));
		const observed = context.observed.get(id);
		if (observed === undefined) throw new Error(`${id} has steps and was not observed: its state is needed to place them`);
		const start = observed.exists && "trust" in observed.state ? observed.state : null;
		const chained = chain(
			group.map((s) => (change.release?.has(s.id) ? { ...s, state: "ready" as const } : s)),
			{
				target: first.target,
				start,
				access: context,
				quotas: context.quotas ?? DEFAULT_QUOTAS,
				...(change.decide !== undefined && { decide: change.decide }),
			},
		);
		roleSteps.push(...chained);
		return chained;
	});
	return sealed({ ...plan, steps });
}

/** A plan with the ids that its steps give it. */
export function sealed(plan: Omit<Plan, "id" | "approvalId">): Plan {
	const approval = approvalId(plan.steps);
	const steps = withCommands(plan.steps, approval);
	return { ...plan, steps, id: planId(steps), approvalId: approval };
}
