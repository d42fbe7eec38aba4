import type { InstallationSpec } from "../model/generated/specs.ts";
import type { Instant } from "../model/ids.ts";
import type { Plan, Step, StepState } from "../model/plan.ts";
import { type Existing, targetId } from "../model/target.ts";
import { approvedSteps } from "./approval.ts";
import type { PlanContext } from "./input.ts";
import { rechain } from "./rechain.ts";
import { deletes } from "./step-kinds.ts";

export interface BudgetContext extends PlanContext {
	readonly spec: NonNullable<InstallationSpec["budgets"]>;
	/** How many roles of the account bear our marks, also those that are to be removed. */
	readonly owned: number;
	/** Those that are to be removed. */
	readonly removable: readonly Existing<"iam.role">[];
	/** Roles deleted, and roles that lost access, in the account in the last 24 hours; infinite where nobody remembers. */
	readonly used: {
		readonly deletions: number;
		readonly narrowings: number;
		/** When the store will have remembered a day; null, or absent: it has yet to begin. */
		readonly rememberedFrom?: Instant | null;
	};
	/** A person saw the plan that is applied: their word stands for the budget of narrowings. */
	readonly shown: boolean;
}

/** KINDS.md, Installation: the defaults, also without the document. */
const DEFAULT_BUDGETS = { deletions: 5, narrowings: 20, percent: 20 } as const;

/** max(1, min(count, percent of the roles owned, rounded up)). */
export function budgetLimit(count: number, percent: number, owned: number): number {
	return Math.max(1, Math.min(count, Math.ceil((percent * owned) / 100)));
}

/**
 * The last stage of one account's plans: what is beyond a budget waits, and what an Approval names is released. Budgets
 * count roles; expiry and the healing of drift do not count (KINDS.md, Installation). Plans are served in the order of
 * their keys, so the same plans always wait.
 */
export function applyBudgets(plans: readonly Plan[], given: BudgetContext): readonly Plan[] {
	const context = {
		...given,
		observed: new Map([...given.removable.map((o) => [targetId(o.target), o] as const), ...given.observed]),
	};
	const spec = { ...DEFAULT_BUDGETS, ...context.spec };
	const purses = {
		deletions: purse("deletions", budgetLimit(spec.deletions, spec.percent, context.owned), context.used.deletions, context),
		narrowings: purse("narrowings", budgetLimit(spec.narrowings, spec.percent, context.owned), context.used.narrowings, context),
	};
	const results = new Map<Plan, Plan>();
	for (const plan of plans.toSorted((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))) {
		results.set(plan, releaseApproved(spend(plan, purses, context), context));
	}
	return plans.map((p) => results.get(p) ?? p);
}

interface Purse {
	left: number;
	readonly state: StepState;
}

function purse(what: "deletions" | "narrowings", limit: number, used: number, context: BudgetContext): Purse {
	const words = what === "deletions" ? "roles deleted" : "roles that lose access";
	const detail = !Number.isFinite(used)
		? `how many roles were deleted in ${context.account.name} in the last 24 h is not remembered, since the state directory is new: deletions go on ${context.used.rememberedFrom == null ? "24 h after the first apply" : `at ${context.used.rememberedFrom}`}, or by an Approval`
		: `budget of ${limit} ${words} in 24 h in ${context.account.name}, of which ${used} were used before this plan`;
	return { left: limit - used, state: { waiting: "budget", detail } };
}

function spend(plan: Plan, purses: Record<"deletions" | "narrowings", Purse>, context: BudgetContext): Plan {
	const over = new Map<string, StepState>();
	for (const [id, steps] of Map.groupBy(plan.steps, (s) => targetId(s.target))) {
		const which = steps.some((s) => isReady(s) && deletes(s))
			? "deletions"
			: !context.shown && steps.some((s) => isReady(s) && countsAsNarrowing(s))
				? "narrowings"
				: null;
		if (which === null) continue;
		if (purses[which].left > 0) purses[which].left -= 1;
		else over.set(id, purses[which].state);
	}
	if (over.size === 0) return plan;
	return rechain(plan, context, {
		decide: (step) => (deletes(step) || countsAsNarrowing(step) ? (over.get(targetId(step.target)) ?? "ready") : "ready"),
	});
}

/** The plan with what an Approval in force names made ready. */
export function releaseApproved(plan: Plan, context: PlanContext): Plan {
	const approved = approvedSteps(plan.steps, context.view, context.now);
	return approved.size === 0 ? plan : rechain(plan, context, { release: approved });
}

function isReady(step: Step): boolean {
	return step.state === "ready";
}

/** False: whatever the budgets are, they change nothing, so that the roles owned need not be counted. */
export function needsBudget(plans: readonly Plan[]): boolean {
	return plans.some((p) => p.steps.some((s) => deletes(s) || countsAsNarrowing(s)));
}

/** What is not decided may take something away as well. */
export function countsAsNarrowing(step: Step): boolean {
	if (step.why === "expired" || step.why === "drifted" || step.why === "missing" || deletes(step)) return false;
	// A service goes back to what it ran.
	if (step.why === "failed") return false;
	return step.effect === "narrows" || step.effect === "both" || (step.effect === "unknown" && step.losses.length > 0);
}
