import type { Halt, Pause } from "../model/halt.ts";
import type { Instant } from "../model/ids.ts";
import type { CatalogView } from "../model/kind.ts";
import type { Plan, Step } from "../model/plan.ts";
import type { PlanContext } from "./input.ts";
import { rechain, sealed } from "./rechain.ts";
import { type Freeze, freezeAt, windowsOf } from "./windows.ts";

/** Why nothing, or nearly nothing, may be written at a moment; a pause is told before a freeze. Null: nothing stands against it. */
export function haltAt(view: CatalogView, pause: Pause | null, now: Instant): Halt | null {
	if (pause !== null) return haltOf(pause);
	const freeze = freezeAt(windowsOf(view), Date.parse(now));
	return freeze === null ? null : frozen(freeze);
}

/** What every step says that a pause keeps from running. */
export function haltOf(pause: Pause): Halt {
	return { waiting: "paused", detail: pauseWords(pause), command: "ecs-access resume" };
}

/** `paused by kim@host since 2026-11-24T09:00:00Z until 2026-11-24T11:00:00Z: incident 4711`. */
export function pauseWords({ by, since, until, reason }: Pause): string {
	return `paused by ${by} since ${since} until ${until}: ${reason}`;
}

function frozen(freeze: Freeze): Halt {
	return {
		waiting: "freeze",
		detail: freezeWords(freeze),
		advice: `${freeze.until === null ? "ends when the windows say so" : "ends by itself"}; a person can go on before that:`,
		command: 'ecs-access apply --during-freeze "…"',
		origin: freeze.window.origin,
	};
}

/** `frozen until 2026-11-30T07:00:00Z by the window Deny "0 18 * * FRI" of 62h, Europe/Berlin`. */
function freezeWords({ until, window: { spec } }: Freeze): string {
	const end = until === null ? ", with no end in sight," : ` until ${until}`;
	const which = `window ${spec.kind} "${spec.cron}" of ${spec.duration}, ${spec.timeZone ?? "UTC"}`;
	return `frozen${end} ${spec.kind === "Deny" ? `by the ${which}` : `outside of every Allow window, as of the ${which}`}`;
}

/**
 * The plans of one account as far as a halt lets them: each step that was ready waits for its end. Three things go on in a
 * freeze. What has expired is removed: its access ended by its own date, so nobody can do less afterwards. And a rollout
 * that failed is taken back: a freeze is no reason to leave a service broken. So does a rotation that has begun. What waits for something else still does, so
 * that the ids of approvals stay as they are.
 */
export function applyHalt(plans: readonly Plan[], halt: Halt | null | undefined, context: PlanContext): readonly Plan[] {
	return halt == null ? plans : plans.map((plan) => halted(plan, halt, context));
}

function halted(plan: Plan, halt: Halt, context: PlanContext): Plan {
	if (!plan.steps.some((s) => s.state === "ready")) return plan;
	// Half of the consumers with one value and half with another is no state to wait in; what has not begun waits.
	const begun = plan.rotation !== undefined && plan.rotation.phase !== "due";
	const goesOn = (s: Step): boolean => halt.waiting === "freeze" && (s.why === "expired" || s.why === "failed" || begun);
	const hold = (s: Step): Step => (s.state === "ready" && !goesOn(s) ? { ...s, state: halt } : s);
	if (!plan.steps.some((s) => s.state === "ready" && goesOn(s))) return sealed({ ...plan, steps: plan.steps.map(hold) });
	if (begun) return sealed({ ...plan, steps: plan.steps.map(hold) });
	// What goes on is written to the role as it is without the rest.
	const placed = rechain(plan, context, { decide: (s) => (goesOn(s) ? "ready" : halt) });
	return sealed({ ...placed, steps: placed.steps.map(hold) });
}
