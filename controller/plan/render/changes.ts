import type { Change, Plan, Step } from "../../model/plan.ts";
import { targetId } from "../../model/target.ts";
import type { AccessLine } from "../../policy/access.ts";
import { rootDetail } from "../chain.ts";
import { driftedPart } from "../drift.ts";
import { byTarget, type TargetSteps } from "./counts.ts";
import { differ, howWords, sinceWords } from "./drift-words.ts";
import { escapeTerminal } from "./escape.ts";
import { type Cell, cell, MARKER_COLUMN, type Pen, row } from "./layout.ts";
import type { Style } from "./palette.ts";
import {
	accessWords,
	combinedEffect,
	effectMarker,
	endOfWait,
	isEverything,
	isShortened,
	originWords,
	pathOf,
	principalsOf,
	targetWords,
	WAITS_FOR,
	waitingOf,
	witnessWords,
} from "./words.ts";

/** What one plan does to each of its targets: access first, then the rest, then what waits. */
export function changeLines(pen: Pen, plan: Plan): string[] {
	return byTarget(plan.steps).flatMap((t) => targetLines(pen, plan, t));
}

function targetLines(pen: Pen, plan: Plan, { target, steps }: TargetSteps): string[] {
	const name = targetWords(target, pathOf(steps));
	const acting = steps.filter(
		(s) => s.call.api !== "none" || (s.diff.length > 0 && (pen.verbose || !isAwaited(s))) || s.gains.length + s.losses.length > 0,
	);
	// What only waits has nothing to show but its name and the reason, on one line.
	if (acting.length === 0) return waitLines(pen, plan, steps, 4, name);
	const marker = effectMarker(combinedEffect(steps));
	const drifted = steps.filter((s) => s.why === "drifted");
	const asked = steps.filter((s) => s.why !== "drifted");
	return [
		row(pen, 4, [cell(name, "bold")], marker === "" ? [] : [cell(marker, "error")], MARKER_COLUMN),
		...drifted.flatMap((s) => driftLines(pen, plan, s)),
		...accessLines(pen, asked, "was refused", "was allowed"),
		...asked.flatMap((s) => s.diff.filter((c) => !isLabel(c) && !isHeadline(c, s)).map((c) => changeLine(pen, plan, c, s))),
		...labelLines(pen, plan, asked),
		...callLines(pen, steps),
		...splitLines(pen, steps),
		...waitLines(pen, plan, steps, 6, null),
	];
}

/** A service or family that does not exist yet: what it will be bound to stands in git. */
function isAwaited(step: Step): boolean {
	return step.target.type !== "iam.role" && waitingOf(step)?.waiting === "reference";
}

/** Gains and losses of several steps, each with one example request. */
function accessLines(pen: Pen, steps: readonly Step[], gained: string, lost: string, indent = 6): string[] {
	return [
		...steps.flatMap((s) => s.gains.map((line) => accessLine(pen, line, "+", gained, indent))),
		...steps.flatMap((s) => s.losses.map((line) => accessLine(pen, line, "-", lost, indent))),
	];
}

function accessLine(pen: Pen, line: AccessLine, op: "+" | "-", was: string, indent: number): string {
	const short = !pen.verbose && isShortened(line) ? " (--verbose lists all)" : "";
	const example = line.witness === null ? "no example found: counts as broader" : `${was}, e.g. ${witnessWords(line.witness)}`;
	return row(pen, indent, [cell(`${op} ${accessWords(line, pen.verbose)}${short}`, styleOf(op))], [cell(example, "dim")]);
}

/** What a hand did, what it gave or took, and what healing does about it. */
function driftLines(pen: Pen, plan: Plan, step: Step): string[] {
	const shown = step.diff.map((change, i) => {
		const only = i === 0 ? driftEffect(pen, step) : [];
		const lines = [row(pen, 6, [cell(`${change.op} ${changeWords(change)}`, styleOf(change.op))], only)];
		if (i === 0) lines.push(...culpritLines(pen, plan, step));
		lines.push(row(pen, 8, [cell(healWords(change))], [cell(originWords(change.origin ?? plan.origin), "dim")]));
		return lines.join("\n");
	});
	const single = step.gains.length + step.losses.length === 1 && step.diff.length > 0;
	return [...shown, ...(single ? [] : accessLines(pen, [step], "was taken away, gives again", "gave", 8))];
}

/** Since when and by whom, where the line above does not say it; how, with --verbose. */
function culpritLines(pen: Pen, plan: Plan, step: Step): string[] {
	const part = driftedPart(step);
	const drift = plan.drifts?.find((d) => d.part === part && targetId(d.target) === targetId(step.target));
	if (drift === undefined) return [];
	const said = plan.summary === "heal" && !differ(plan);
	const since = said ? "" : sinceWords({ drifts: [drift] }).trim();
	const call = pen.verbose && drift.culprit !== null ? howWords(drift.culprit) : "";
	const words = [since === "" || since.startsWith("(") ? since : `changed ${since}`, call].filter((w) => w !== "").join(", ");
	return words === "" ? [] : [row(pen, 8, [cell(words, "dim")])];
}

/** `gave: everything   e.g. iam:CreateUser on *` where there is one line to tell; the rest is listed beneath. */
function driftEffect(pen: Pen, step: Step): Cell[] {
	const [gain] = step.gains;
	const [loss] = step.losses;
	if (step.gains.length + step.losses.length > 1) return [];
	if (loss !== undefined)
		return [cell(`gave: ${accessWords(loss, pen.verbose)}${exampleOf(loss)}`, isEverything(loss) ? "error" : "dim")];
	if (gain !== undefined) return [cell(`took away: ${accessWords(gain, pen.verbose)}${exampleOf(gain)}`, "dim")];
	return step.effect === "none" ? [cell("no access changes", "dim")] : [];
}

function exampleOf(line: AccessLine): string {
	return line.witness === null ? "" : `   e.g. ${witnessWords(line.witness)}`;
}

function healWords(change: Change): string {
	switch (change.op) {
		case "-":
			return change.what === "inline policy" || change.what === "managed policy"
				? "will be removed: the role is exclusive"
				: "will be removed: git does not say it";
		case "+":
			return "was removed by hand: will be put back";
		case "~":
			return "was changed by hand: will be written back as git says";
	}
}

/** `inline policy "quick-fix"`, `tag team: a -> b`, `permissions boundary arn:…`. */
function changeWords(change: Change): string {
	const value =
		change.from !== null && change.to !== null
			? `: ${change.from} -> ${change.to}`
			: valueWords(change.to ?? change.from, change);
	if (change.what === "trust") return escapeTerminal(`trust policy, who may become the role${value}`);
	if (change.what === "inline policy") return escapeTerminal(`inline policy "${change.name}"${value}`);
	return escapeTerminal(`${change.what}${change.name === "" ? "" : ` ${change.name}`}${value}`);
}

function valueWords(value: string | null, change: Change): string {
	return value === null || value === change.name ? "" : ` = ${value}`;
}

function changeLine(pen: Pen, plan: Plan, change: Change, step?: Step): string {
	const here = originWords(change.origin);
	const right = here === "" || here === originWords(plan.origin) ? [] : [cell(here, "dim")];
	const trusted = step === undefined || change.what !== "trust" ? "" : trustedBy(step);
	return row(pen, 6, [cell(`${change.op} ${changeWords(change)}${trusted}`, styleOf(change.op))], right);
}

function trustedBy(step: Step): string {
	if (step.call.api === "iam:CreateRole") return `: ${principalsOf(step.call.input.AssumeRolePolicyDocument)}`;
	return step.call.api === "iam:UpdateAssumeRolePolicy" ? `: ${principalsOf(step.call.input.PolicyDocument)}` : "";
}

/** The role that is created is what the lines above already say. */
function isHeadline(change: Change, step: Step): boolean {
	return change.what === "role" && change.op === "+" && step.call.api === "iam:CreateRole";
}

/** Tags and marks say nothing of access: below everything else, marks folded into one line. */
function labelLines(pen: Pen, plan: Plan, steps: readonly Step[]): string[] {
	const labels = steps.flatMap((s) => s.diff.filter(isLabel));
	const tags = labels.filter((c) => c.what === "tag").map((c) => changeLine(pen, plan, c));
	const marks = labels.filter((c) => c.what === "ownership mark");
	if (pen.verbose && pen.foldMarks !== true) return [...tags, ...marks.map((c) => changeLine(pen, plan, c))];
	const folded = (["+", "~", "-"] as const).flatMap((op) => {
		const names = marks.filter((c) => c.op === op).map((c) => c.name.replace(/^ecs-access\.dev\//, ""));
		if (names.length === 0) return [];
		return [row(pen, 6, [cell(`${op} our marks: ${escapeTerminal(names.join(", "))}`, "dim")])];
	});
	return [...tags, ...folded];
}

function isLabel(change: Change): boolean {
	return change.what === "tag" || change.what === "ownership mark";
}

function callLines(pen: Pen, steps: readonly Step[]): string[] {
	if (!pen.verbose) return [];
	const calls = steps.filter((s) => s.call.api !== "none");
	return calls.map((s) => {
		const settle = s.settle > 0 ? `, ${s.settle} s after the one before it` : "";
		return row(pen, 6, [cell(`call ${s.call.api} (${s.why}${settle})`, "dim")]);
	});
}

/** Where only some of a role's steps wait: what is done at once, and what is not. */
function splitLines(pen: Pen, steps: readonly Step[]): string[] {
	const ready = steps.filter((s) => s.state === "ready");
	const waits = steps.filter((s) => s.state !== "ready" && s.call.api !== "none");
	if (ready.length === 0 || waits.length === 0) return [];
	const [only] = ready;
	const created = ready.length === 1 && only?.call.api === "iam:CreateRole";
	const now = created ? "the role is created now, without access" : `now: ${callWords(ready)}`;
	const later = created ? `${callWords(waits)} waits` : `waits: ${callWords(waits)}`;
	return [row(pen, 6, [cell(`${now}; ${later}`)])];
}

/** `inline policy "ecs-access"`, `+ tag team`: what some steps change, by name. */
function callWords(steps: readonly Step[]): string {
	const names = steps.flatMap((s) => {
		const [first, ...more] = s.diff;
		if (first === undefined) return [escapeTerminal(s.call.api.replace(/^[a-z]+:/, ""))];
		if (first.what === "ownership mark") return ["our marks"];
		const name = first.what === "inline policy" ? `"${first.name}"` : first.what === "trust" ? "policy" : first.name;
		return [escapeTerminal(`${first.op} ${first.what} ${name}`) + (more.length > 0 ? ` and ${more.length} more` : "")];
	});
	return [...new Set(names)].join(", ");
}

/** Each reason to wait once, with the line that ends it beneath. `subject` leads where nothing else names the target. */
function waitLines(pen: Pen, plan: Plan, steps: readonly Step[], indent: number, subject: string | null): string[] {
	const seen = new Set<string>();
	return steps.flatMap((step) => {
		const wait = waitingOf(step);
		// A step that waits only because one before it does has nothing of its own to say.
		const cause = wait === null ? "" : rootDetail(wait.detail);
		if (wait === null || seen.has(`${wait.waiting} ${cause}`)) return [];
		seen.add(`${wait.waiting} ${cause}`);
		const detail = escapeTerminal(cause);
		const words = subject !== null && detail.startsWith(subject) ? detail.slice(subject.length).trim() : detail;
		const lead = subject === null ? [] : [cell(`${subject}  `, "bold")];
		const where = wait.origin === undefined ? [] : [cell(originWords(wait.origin), "dim")];
		const end = endOfWait(wait, plan, step.target);
		if (subject !== null && isAwaited(step)) {
			return [row(pen, indent, [cell(`${subject} ${words.replace(/: its binding waits$/, "")}: its binding waits`)], where, 0)];
		}
		const own = `${escapeTerminal(step.target.name)} `;
		const reason = wait.waiting === "not-owned" && words.startsWith(own) ? words.slice(own.length) : null;
		if (reason !== null)
			return [row(pen, indent, [...lead, cell(reason, "warning")], [], 0), ...endLines(pen, indent, end, words)];
		return [
			row(pen, indent, [...lead, cell(`${WAITS_FOR[wait.waiting]}${words === "" ? "" : `: ${words}`}`, "warning")], where, 0),
			...endLines(pen, indent, end, words),
		];
	});
}

function endLines(pen: Pen, indent: number, end: ReturnType<typeof endOfWait>, said: string): string[] {
	return [
		...(end.advice === undefined || said.includes(end.advice) ? [] : [row(pen, indent + 2, [cell(end.advice, "dim")])]),
		...(end.command === undefined ? [] : [row(pen, indent + 2, [cell(end.command, "command")])]),
	];
}

function styleOf(op: "+" | "-" | "~"): Style {
	return { "+": "add", "-": "remove", "~": "change" }[op] as Style;
}
