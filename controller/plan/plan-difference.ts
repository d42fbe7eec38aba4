import { stableJson } from "../model/digest.ts";
import type { Plan, Step } from "../model/plan.ts";
import { timeless } from "./plan-file.ts";

/** Why two plans of the same policies are not the same: a line each, naming the resource and the target. */
export function planDifference(saved: readonly Plan[], now: readonly Plan[]): readonly string[] {
	const lines: string[] = [];
	const keyOf = (p: Plan): string => `${p.account}\n${p.key}`;
	const later = new Map(now.map((p) => [keyOf(p), p]));
	for (const plan of saved) {
		const other = later.get(keyOf(plan));
		later.delete(keyOf(plan));
		lines.push(...stepLines(plan, plan.steps, other?.steps ?? []));
	}
	for (const plan of later.values()) lines.push(...stepLines(plan, [], plan.steps));
	return lines.length === 0 ? ["the order of its steps"] : lines;
}

function stepLines(plan: Plan, saved: readonly Step[], now: readonly Step[]): string[] {
	const name = plan.key.replace(/^AccessPolicy\//, "");
	const text = (s: Step): string => stableJson(timeless(s));
	const [old, fresh] = [new Map(saved.map((s) => [text(s), s])), new Map(now.map((s) => [text(s), s]))];
	const gone = [...old].filter(([t]) => !fresh.has(t)).map(([, s]) => s);
	const come = [...fresh].filter(([t]) => !old.has(t)).map(([, s]) => s);
	const targets = new Set([...gone, ...come].map((s) => s.target.name));
	return [...targets].map((target) => {
		const was = gone.filter((s) => s.target.name === target);
		const is = come.filter((s) => s.target.name === target);
		const moved = was.some((w) => is.some((i) => w.call.api === i.call.api && w.precondition !== i.precondition));
		const words = moved ? "the role has changed in AWS" : `planned ${calls(was)}, now ${calls(is)}`;
		return name === target ? `${name}: ${words}` : `${name}: ${target}: ${words}`;
	});
}

function calls(steps: readonly Step[]): string {
	if (steps.length === 0) return "nothing";
	return steps.map((s) => (s.state === "ready" ? s.call.api : `${s.call.api} (waits: ${s.state.waiting})`)).join(", ");
}
