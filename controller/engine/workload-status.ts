import { isRole, isRotation } from "../model/desired.ts";
import type { WorkloadStatus } from "../model/status.ts";
import { targetId } from "../model/target.ts";
import type { Gathered, GatheredAccount } from "./gather.ts";

/**
 * The services and families that an instance names, as they were read: what git asks of each, and what it runs with. Names
 * and ARNs only, never a value. One that was not read says nothing.
 */
export function workloadsOf(own: Gathered, observed: GatheredAccount["observed"]): readonly WorkloadStatus[] {
	return own.desired.flatMap((d): WorkloadStatus[] => {
		if (isRole(d) || isRotation(d)) return [];
		const seen = observed.get(targetId(d.target));
		if (seen === undefined) return [];
		const { target } = d;
		const { binding: wanted } = d.wanted;
		if (!seen.exists || !("taskDefinition" in seen.state)) return [{ target, wanted, live: null }];
		const { taskRole, executionRole, secrets, taskDefinition } = seen.state;
		const tasks = "desiredCount" in seen.state ? { running: seen.state.runningCount, desired: seen.state.desiredCount } : null;
		return [{ target, wanted, live: { taskRole, executionRole, secrets, taskDefinition, tasks } }];
	});
}
