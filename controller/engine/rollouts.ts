import type { ResourceKey } from "../model/ids.ts";
import type { Plan, Step } from "../model/plan.ts";
import type { StepRun } from "./execute.ts";
import type { Pass } from "./pass.ts";

/** A task takes a minute or two to start; ECS's own events tell the end sooner where there is an event queue. */
const ROLLOUT_POLL_SECONDS = 15;

/** Seconds until a resource must be looked at again because a rollout of its workloads is under way; null: none is. */
export function againAfterRollout(pass: Pick<Pass, "file" | "execution">, key: ResourceKey): number | null {
	const plans = pass.file.plans.filter((p) => p.key === key);
	return rolloutPending(plans, pass.execution.runs) ? ROLLOUT_POLL_SECONDS : null;
}

/** Whether a service was just updated, or what is rolled out to one has not come to its end. */
function rolloutPending(plans: readonly Plan[], runs: readonly StepRun[]): boolean {
	const waits = plans.some((p) => p.steps.some(isRolling));
	return waits || runs.some((r) => r.error === null && plans.includes(r.plan) && updates(r.step));
}

/** Not what is ready: what waits for the end of a deployment. */
export function isRolling({ state }: Step): boolean {
	return state !== "ready" && state.waiting === "rollout";
}

export function updates(step: Step): boolean {
	return step.call.api === "ecs:UpdateService";
}
