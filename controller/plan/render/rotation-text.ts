import type { Plan } from "../../model/plan.ts";
import type { RotationView } from "../../model/rotation-view.ts";
import { escapeTerminal } from "./escape.ts";
import { cell, type Pen, row } from "./layout.ts";
import { consumerWords, waveWords } from "./rotation-words.ts";
import { endOfWait, instantWords, WAITS_FOR, waitingOf } from "./words.ts";

const SYMBOL: Readonly<Record<RotationView["lines"][number]["is"], string>> = { done: "x", now: ">", "to come": "-" };

/** A rotation as a person reads it: why, what is done and what is to come, whom it restarts, and the way back. */
export function rotationLines(pen: Pen, view: RotationView, plan: Plan | null): string[] {
	const because = view.because === "" ? [] : [cell(escapeTerminal(view.because), "dim")];
	const due = view.dueAt === null ? "only when asked" : `next due ${instantWords(view.dueAt)}`;
	return [
		row(pen, 4, [cell(escapeTerminal(`secret ${view.secret}`), "bold")], because),
		...view.lines.map((l) =>
			row(pen, 6, [
				cell(`${SYMBOL[l.is]} `, l.is === "done" ? "add" : l.is === "now" ? "change" : "dim"),
				cell(escapeTerminal(l.words), ...(l.is === "to come" ? ["dim" as const] : [])),
			]),
		),
		...(plan === null ? [] : waitLines(pen, plan)),
		...consumerLines(pen, view),
		row(pen, 4, [cell("way back  ", "bold"), cell(escapeTerminal(view.wayBack))]),
		...(view.phase === "idle" || view.phase === "failed" ? [row(pen, 4, [cell(due, "dim")])] : []),
	];
}

function consumerLines(pen: Pen, { consumers }: RotationView): string[] {
	if (consumers.length === 0) return [row(pen, 4, [cell("consumers  ", "bold"), cell("none found")])];
	return [
		row(pen, 4, [cell("consumers", "bold")]),
		...consumers.map((c) => {
			const name = cell(escapeTerminal(`${c.kind} ${c.name}`));
			const wave = waveWords(c);
			return row(pen, 6, [name], [cell(wave === "" ? "" : `${wave}   `, "dim"), cell(escapeTerminal(consumerWords(c)))]);
		}),
	];
}

/** What the next step waits for, and the command that ends it. */
function waitLines(pen: Pen, plan: Plan): string[] {
	return plan.steps.flatMap((step) => {
		const wait = waitingOf(step);
		if (wait === null) return [];
		const { advice, command } = endOfWait(wait, plan, step.target);
		// It stands among the lines already, but for the reason that it waits.
		const lines = [row(pen, 6, [cell(`${WAITS_FOR[wait.waiting]}: ${escapeTerminal(wait.detail)}`, "warning")])];
		if (advice !== undefined) lines.push(row(pen, 8, [cell(advice, "dim")]));
		if (command !== undefined) lines.push(row(pen, 8, [cell(command, "command")]));
		return lines;
	});
}
