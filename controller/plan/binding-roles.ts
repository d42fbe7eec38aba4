import { applyCall } from "../model/apply-call.ts";
import type { Arn } from "../model/ids.ts";
import { isBindingCall, type Step, type StepState } from "../model/plan.ts";
import type { RoleState } from "../model/target.ts";
import { type RoleFinder, type RoleSeen, roleAt, roleName } from "./binding-access.ts";
import { afterThat } from "./chain.ts";

/** Seconds for a role to be in force before tasks are started with it (aws-facts §3.3). */
const ROLE_SETTLE_SECONDS = 10;

/** What a role will be like once the plan is done. */
export function roleAfter(arn: Arn, roleSteps: readonly Step[], ctx: RoleFinder): RoleSeen {
	const seen = roleAt(arn, ctx);
	const steps = stepsOf(arn, roleSteps);
	if (seen === "unknown" || steps.length === 0) return seen;
	const start: RoleState | null = seen === "absent" ? null : seen;
	return steps.reduce((s, step) => applyCall(s, step.call), start) ?? "absent";
}

/**
 * A step that binds roles, placed behind what makes them and what gives them access, with the time that IAM takes. It
 * waits when one of those waits, or when a role does not exist: tasks would start without what they need.
 */
export function afterRoles(step: Step, roleSteps: readonly Step[], ctx: RoleFinder): Step {
	const roles = rolesOf(step);
	const before = roles.flatMap((arn) => stepsOf(arn, roleSteps)).filter(gives);
	const waiting = before.find((s) => s.state !== "ready");
	if (waiting !== undefined && waiting.state !== "ready") {
		return { ...step, state: { ...waiting.state, detail: afterThat(waiting.state.detail) } };
	}
	const absent = roles.find((arn) => roleAfter(arn, roleSteps, ctx) === "absent");
	if (absent !== undefined) {
		return { ...step, state: { waiting: "reference", detail: `role ${roleName(absent)} does not exist yet` } };
	}
	return { ...step, after_: before.map((s) => s.id), settle: before.length === 0 ? 0 : ROLE_SETTLE_SECONDS };
}

/** What the new revision is to run with, whether it did before or not. */
function rolesOf({ call }: Step): readonly Arn[] {
	if (!isBindingCall(call) || !("binding" in call.input)) return [];
	const { taskRole, executionRole } = call.input.binding;
	return [taskRole, executionRole].filter((arn) => arn != null);
}

/** The same after a last word on the roles' steps, or on the step itself. `released`: a person's word is there. */
export function placedAgain(
	step: Step,
	released: boolean,
	roleSteps: readonly Step[],
	ctx: RoleFinder,
	decide: ((step: Step) => StepState) | undefined,
): Step {
	if (!isBindingCall(step.call) || (step.state !== "ready" && !released)) return step;
	const placed = afterRoles({ ...step, state: "ready" }, roleSteps, ctx);
	return placed.state === "ready" && decide !== undefined ? { ...placed, state: decide(placed) } : placed;
}

/** The role's own steps; what a role loses, and its tags, nobody has to wait for. */
function gives(s: Step): boolean {
	return s.call.api === "iam:CreateRole" || s.effect === "broadens" || s.effect === "both" || s.effect === "unknown";
}

function stepsOf(arn: Arn, roleSteps: readonly Step[]): readonly Step[] {
	const name = roleName(arn).toLowerCase();
	return roleSteps.filter((s) => s.target.type === "iam.role" && s.target.name.toLowerCase() === name);
}
