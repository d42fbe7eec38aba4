import type { Clock, StatusChange, Store } from "../model/ports.ts";
import type { Condition, Status } from "../model/status.ts";
import type { InForce } from "./in-force.ts";

/**
 * Says of each document that stalls why, in the status of every instance that it had. What it owns and what was last
 * applied stay as they were recorded: nothing of it is removed. One that is in order again is reported by its next pass.
 */
export async function reportStalled(inForce: InForce, deps: { readonly store: Store; readonly clock: Clock }): Promise<void> {
	if (inForce.stalled.size === 0) return;
	const now = deps.clock.now();
	const revision = inForce.artifact.revision.id;
	const changes = (await deps.store.listStatus()).flatMap((before): StatusChange[] => {
		const findings = inForce.stalled.get(before.key.replace(/@.*$/, ""));
		if (findings === undefined) return [];
		const [first] = findings;
		const message =
			first === undefined
				? "the document is not valid"
				: `${first.origin === null ? "" : `${first.origin.path}:${first.origin.line}:${first.origin.column} `}${first.message}`;
		return [{ key: before.key, before, after: stalledStatus(before, message, revision, now) }];
	});
	// What somebody else writes at this moment is said again by the next revision.
	await deps.store.putStatus(changes);
}

function stalledStatus(before: Status, message: string, revision: string, now: string): Status {
	const condition = (type: Condition["type"], status: Condition["status"], reason: string): Condition => {
		const old = before.conditions.find((c) => c.type === type);
		return { type, status, reason, message, lastTransitionTime: old?.status === status ? old.lastTransitionTime : now };
	};
	const set = [
		condition("Ready", "False", "InvalidDocument"),
		condition("Reconciling", "False", "InvalidDocument"),
		condition("Stalled", "True", "InvalidDocument"),
	];
	const kept = before.conditions.filter((c) => !set.some((s) => s.type === c.type));
	return {
		...before,
		lastAttemptedRevision: revision,
		conditions: [...set, ...kept],
		summary: `stalled: ${message}`,
		updatedAt: now,
	};
}
