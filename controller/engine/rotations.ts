import type { ResourceKey } from "../model/ids.ts";
import type { Clock } from "../model/ports.ts";
import type { Pass } from "./pass.ts";

/** A label that was just moved is read a moment late; what comes next does not wait for anything else. */
const NEXT_STEP_SECONDS = 1;
/** A look at a rotation that moves costs a describe or two for each of its consumers' clusters. */
const LEAST_SECONDS = 1;

/** Seconds until a rotation must be looked at again; null: only when something happens, or at the next resync. */
export function againAfterRotation(
	pass: Pick<Pass, "file" | "execution">,
	key: ResourceKey,
	clock: Pick<Clock, "millis">,
): number | null {
	const plans = pass.file.plans.filter((p) => p.key === key && p.rotation !== undefined);
	if (plans.length === 0) return null;
	const ran = pass.execution.runs.some((r) => plans.includes(r.plan) && r.error === null);
	if (ran) return NEXT_STEP_SECONDS;
	const looks = plans.flatMap((p) => (p.rotation?.lookAt == null ? [] : [Date.parse(p.rotation.lookAt)]));
	if (looks.length === 0) return null;
	return Math.max(LEAST_SECONDS, Math.ceil((Math.min(...looks) - clock.millis()) / 1000));
}
