import { ConflictError, TerminalError } from "../../model/errors.ts";
import type { Plan, Step } from "../../model/plan.ts";
import { targetId } from "../../model/target.ts";
import { escapeTerminal } from "./escape.ts";
import { createPaint, type Paint } from "./palette.ts";
import { approveCommand, count, planName, waitingWord } from "./words.ts";

export interface StepOf {
	readonly plan: Plan;
	readonly step: Step;
}

/** What became of a plan. */
export interface ExecutionSummary {
	readonly applied: readonly StepOf[];
	readonly failed: readonly (StepOf & { readonly error: Error })[];
	readonly notRun: readonly StepOf[];
	readonly waiting: readonly StepOf[];
	readonly interrupted: boolean;
}

/** How many failures of one kind are told before they collapse. */
const TOLD = 3;

/** Failures with what to do, what was not done, and the counts last. Ends with a line feed. */
export function renderExecution(
	s: ExecutionSummary,
	opts: { readonly color: boolean; readonly verbose: boolean; readonly milliseconds: number },
): string {
	const paint = createPaint(opts.color);
	const lines: string[] = [];
	if (s.failed.length > 0) lines.push(...failureLines(s, paint, opts.verbose), "");
	if (s.notRun.length > 0) lines.push(...notRunLines(s), "");
	const total = s.applied.length + s.failed.length + s.notRun.length;
	const waits = waitingWords(s.waiting);
	lines.push(
		`Applied ${s.applied.length === total ? count(total, "step") : `${s.applied.length} of ${count(total, "step")}`} in ${seconds(opts.milliseconds)}.${waits}`,
	);
	const approvals = new Set(
		s.waiting.flatMap(({ plan, step }) => (waitsForApproval(step) && plan.approvalId !== null ? [plan.approvalId] : [])),
	);
	for (const id of approvals) lines.push(`  ${paint("command", approveCommand(id))}`);
	if (s.failed.length > 0 || s.notRun.length > 0)
		lines.push(`Next: ${paint("command", "ecs-access plan")}   (it starts from what is there now)`);
	return `${lines.join("\n")}\n`;
}

function failureLines(s: ExecutionSummary, paint: Paint, verbose: boolean): string[] {
	const groups = Map.groupBy(
		s.failed,
		({ error }) => `${error.name} ${error instanceof TerminalError ? error.reason : error.message}`,
	);
	return [...groups.values()].flatMap((group) => {
		const told = verbose ? group : group.slice(0, TOLD);
		const lines = told.flatMap(({ plan, error }) => {
			const [head = "", ...rest] = error.message.split("\n").map((l) => escapeTerminal(l.trim()));
			return [
				`${paint("error", "error")}  ${planName(plan, 1)}: ${head}`,
				...[...rest, ...advice(error)].map((l) => `       ${l}`),
			];
		});
		if (group.length > told.length) lines.push(`       and ${group.length - told.length} more like this`);
		return lines;
	});
}

function advice(error: Error): string[] {
	if (error instanceof TerminalError && error.fix !== undefined) return error.fix.split("\n").map(escapeTerminal);
	if (error instanceof ConflictError) return ["something changed it between plan and write: run plan again"];
	return [];
}

function notRunLines(s: ExecutionSummary): string[] {
	const why = s.interrupted ? "interrupted" : "a step before them failed";
	const byPlan = Map.groupBy(s.notRun, ({ plan }) => plan);
	return [
		`Not done (${why}):`,
		...[...byPlan].map(
			([plan, steps]) =>
				`  ${planName(plan, 1)}: ${steps.map(({ step }) => `${step.call.api} ${escapeTerminal(step.target.name)}`).join(", ")}`,
		),
	];
}

function waitsForApproval(step: Step): boolean {
	return step.state !== "ready" && (step.state.waiting === "approval" || step.state.waiting === "budget");
}

/** ` 2 wait: billing (approval), old-api (in use)`, by target, so that a role with five steps is one. */
function waitingWords(waiting: readonly StepOf[]): string {
	if (waiting.length === 0) return "";
	const targets = [...Map.groupBy(waiting, ({ step }) => targetId(step.target)).values()];
	const words = targets.map((steps) => {
		const reasons = new Set(
			steps.flatMap(({ step }) => (step.state === "ready" ? [] : [waitingWord(step.state.waiting, step.target)])),
		);
		const [first] = steps;
		return first === undefined ? "" : `${planName(first.plan, 1)} (${[...reasons].join(", ")})`;
	});
	return ` ${targets.length} ${targets.length === 1 ? "waits" : "wait"}: ${words.join(", ")}.`;
}

function seconds(ms: number): string {
	return ms < 10_000 ? `${(ms / 1000).toFixed(1)} s` : `${Math.round(ms / 1000)} s`;
}
