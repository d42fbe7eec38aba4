import { shortDigest } from "../../model/digest.ts";
import type { Plan, PlanFile } from "../../model/plan.ts";
import { changeLines } from "./changes.ts";
import { actionWords, countPlan, hasWork, isComparison, type PlanCounts, removalWords, restartWords } from "./counts.ts";
import { differ, sinceWords } from "./drift-words.ts";
import { escapeTerminal } from "./escape.ts";
import { findingLines, planFindings } from "./findings-section.ts";
import { cell, type Pen, row, spread } from "./layout.ts";
import { createPaint, type Style } from "./palette.ts";
import { rotationLines } from "./rotation-text.ts";
import { ROTATION_HEADLINES } from "./rotation-words.ts";
import {
	approveCommand,
	asGitSays,
	commandWords,
	count,
	endOfWait,
	haltWords,
	isForeign,
	originWords,
	planName,
	shellWord,
	waitingOf,
} from "./words.ts";

export interface PlanTextOptions {
	readonly color: boolean;
	/** Columns; 120 where there is no terminal. */
	readonly width: number;
	/** Every access line, call and repeated finding in full. */
	readonly verbose: boolean;
	/** Whether to say what to run next; default true. `apply` goes on by itself. A file: where the plan was saved to. */
	readonly next?: boolean | { readonly savedTo: string };
}

/** A plan as a person reads it: consequence, reason, source; counts last. Ends with a line feed. */
export function renderPlanText(file: PlanFile, opts: PlanTextOptions): string {
	const pen: Pen = { paint: createPaint(opts.color), width: opts.width, verbose: opts.verbose };
	const counts = countPlan(file);
	const advised = new Set<string>();
	const sections = file.plans
		.filter((p) => p.summary !== "unchanged" || p.steps.length > 0 || (p.rotation !== undefined && isAsked(p, file)))
		.map((p) => planSection(pen, p, file, advised));
	const findings = findingLines(pen, planFindings(file));
	const blocks = [
		[...headerLines(pen, file), ...haltLines(pen, file)],
		...sections,
		findings,
		footLines(pen, file, counts, opts.next ?? true),
	].filter((b) => b.length > 0);
	// An empty plan is two lines: nothing between the header and what it comes to.
	const gap = sections.length === 0 && findings.length === 0 ? "\n" : "\n\n";
	return `${blocks.map((b) => b.join("\n")).join(gap)}\n`;
}

/** A rotation that rests is shown where somebody asks for it, with whom it would restart. */
function isAsked(plan: Plan, { request }: PlanFile): boolean {
	return request.only?.some((key) => key === plan.key || plan.key.startsWith(`${key}@`)) === true;
}

function headerLines(pen: Pen, file: PlanFile): string[] {
	const source = cell(escapeTerminal(file.sourceLabel), "bold");
	const reads = cell(readWords(file), "dim");
	if (file.accounts.length === 0) return [spread(pen, [source], [reads])];
	return file.accounts.map(({ account, caller, error }, i) => {
		// A comparison of a source that declares no Account is of no account.
		if (isComparison(file) && account.accountId === null) return spread(pen, [source], [reads]);
		const id = caller?.accountId ?? account.accountId ?? "account unknown";
		const alias = caller?.alias == null ? "" : ` (${caller.alias})`;
		const regions = account.regions.length > 0 ? account.regions.join(", ") : (account.region ?? "");
		const where = escapeTerminal([account.name, `${id}${alias}`, regions].filter((w) => w !== "").join("  "));
		const left = [source, cell("  ->  "), cell(where)];
		if (error !== null) {
			const [what = "", ...more] = error.split("\n").map(escapeTerminal);
			const lines = [row(pen, 4, [cell("error  ", "error"), cell(what)]), ...more.map((l) => row(pen, 11, [cell(l)]))];
			return [row(pen, 0, left), ...lines].join("\n");
		}
		return i === 0 ? spread(pen, left, [reads]) : row(pen, 0, left);
	});
}

/** That nothing may be written now, before anything that would be. */
function haltLines(pen: Pen, file: PlanFile): string[] {
	const words = haltWords(file);
	return words === null ? [] : [row(pen, 0, [cell(escapeTerminal(words), "warning")])];
}

function readWords(file: PlanFile): string {
	const { roles, services, calls, milliseconds } = file.reads;
	if (isComparison(file)) return "nothing was read from AWS";
	const seconds = (milliseconds / 1000).toFixed(1);
	return `read ${count(roles, "role")}, ${count(services, "service")} in ${count(calls, "call")}, ${seconds} s`;
}

const HEADLINES: Readonly<Record<Plan["summary"], readonly [symbol: string, style: Style, words: string]>> = {
	create: ["+", "add", "will be created"],
	update: ["~", "change", "will be updated"],
	heal: ["!", "drift", "has changed"],
	adopt: ["+", "add", "will be taken over"],
	rename: ["~", "change", "takes over what its old name owned"],
	delete: ["-", "remove", "will be deleted"],
	expire: ["-", "remove", "has access that has expired and will be removed"],
	wait: ["~", "change", "waits"],
	unchanged: [" ", "dim", "is as git says"],
};

function planSection(pen: Pen, plan: Plan, file: PlanFile, advised: Set<string>): string[] {
	const name = planName(plan, file.accounts.length);
	if (plan.rotation !== undefined) {
		const { phase } = plan.rotation;
		const back = phase === "reverting" || phase === "failed";
		const title = [
			cell(phase === "idle" ? "  " : "~ ", back ? "drift" : "change"),
			cell(name, "bold"),
			cell(`  ${ROTATION_HEADLINES[phase]}`),
		];
		return [row(pen, 0, title, [cell(originWords(plan.origin), "dim")]), ...rotationLines(pen, plan.rotation, plan)];
	}
	if (isForeign(plan)) return foreignLines(pen, plan, advised);
	const [symbol, style, words] = HEADLINES[plan.summary];
	// Where it is not one change by one person, it stands beneath.
	const since = plan.summary === "heal" && !differ(plan) ? sinceWords(plan) : "";
	const head = [cell(`${symbol} `, style), cell(name, "bold"), cell(`  ${removalWords(plan) ?? words}${since}`)];
	const origin = plan.summary === "heal" ? "" : originWords(plan.origin);
	return [row(pen, 0, head, origin === "" ? [] : [cell(origin, "dim")]), ...changeLines(pen, plan)];
}

/** What is not ours is a line a role, with the reason; what to do about it once for all of the same reason. */
function foreignLines(pen: Pen, plan: Plan, advised: Set<string>): string[] {
	return plan.steps.flatMap((step) => {
		const wait = waitingOf(step);
		if (wait === null) return [];
		const { name } = step.target;
		const reason = wait.detail.startsWith(`${name} `) ? wait.detail.slice(name.length + 1) : wait.detail;
		const lines = [row(pen, 0, [cell("? ", "foreign"), cell(escapeTerminal(name), "bold"), cell(`  ${escapeTerminal(reason)}`)])];
		const { advice, command } = endOfWait(wait, plan, step.target);
		const todo = `${advice ?? ""}\n${command ?? ""}`;
		if (todo === "\n" || advised.has(todo)) return lines;
		advised.add(todo);
		if (advice !== undefined) lines.push(row(pen, 4, [cell(advice)]));
		if (command !== undefined) lines.push(row(pen, 6, [cell(command, "command")]));
		return lines;
	});
}

function footLines(pen: Pen, file: PlanFile, counts: PlanCounts, next: NonNullable<PlanTextOptions["next"]>): string[] {
	const unpruned =
		file.unpruned === null
			? []
			: [
					`${count(file.unpruned.count, "role")} of ours no longer in git, not looked at: ${escapeTerminal(file.unpruned.reason)}`,
				];
	if (!hasWork(file)) return [nothingWords(pen, file, counts), ...unpruned];
	const waits =
		counts.waits === 0 ? "" : `; ${counts.waits} ${counts.waits === 1 ? "waits" : "wait"} (${counts.waitsFor.join(", ")})`;
	const undecided = counts.undecided === 0 ? "" : ` (${counts.undecided} not decided, counted as broader)`;
	return [
		`${pen.paint("bold", `Plan ${shortDigest(file.id)}`)}: ${actionWords(counts)}${waits}. ${counts.unchanged} unchanged.`,
		`Access: ${counts.broader} broader${undecided}, ${counts.narrower} narrower. Restarts: ${escapeTerminal(restartWords(counts.restarts))}.`,
		...unpruned,
		...(next === false
			? []
			: [`Next: ${pen.paint("command", nextCommand(file, counts, next))}            (exit code ${exitCode(file)})`]),
	];
}

/** As the command ends: an account that could not be read, or a mistake, counts more than what is to do. */
function exitCode(file: PlanFile): 1 | 2 {
	const wrong = planFindings(file).some((f) => f.severity === "error" && f.guardrail === undefined);
	return wrong || file.accounts.some((a) => a.error !== null) ? 1 : 2;
}

function nothingWords(pen: Pen, file: PlanFile, counts: PlanCounts): string {
	const failed = file.accounts.filter((a) => a.error !== null).length;
	if (failed > 0) return pen.paint("error", `Nothing is known of ${count(failed, "account")}: it could not be read.`);
	if (isComparison(file))
		return `${pen.paint("add", "Nothing changes")}: ${count(counts.roles, "role")} asked for, the same in both.`;
	if (file.of === "triggers") return `${pen.paint("add", "Nothing to do")}: ${triggersWords(counts.unchanged)}`;
	const rotations = file.plans.filter((p) => p.rotation !== undefined).length;
	if (counts.roles + counts.workloads + rotations === 0) return `${pen.paint("add", "Nothing to do")}: ${nothingThere(file)}`;
	const roles = counts.roles - counts.surplus;
	const rest =
		counts.surplus === 0
			? ""
			: ` ${count(counts.surplus, "role")} ${counts.surplus === 1 ? "grants" : "grant"} more than git says (SurplusAccess, above).`;
	const as = roles + counts.workloads + rotations === 0 ? "" : ` ${asGitSays(roles, counts.workloads, rotations)}`;
	return `${pen.paint("add", "Nothing to do")}:${as}${rest}`;
}

function triggersWords(things: number): string {
	return `all ${count(things, "queue, rule and role", "queues, rules and roles")} by which events come are as they must be.`;
}

/** The first plan of a newcomer: what is missing is a policy. */
function nothingThere(file: PlanFile): string {
	const words = "no AccessPolicy here asks for a role or names a workload.";
	const first = file.request.git === undefined && file.request.only === undefined;
	return first
		? `${words}\necs-access import writes policies for what runs; ecs-access explain AccessPolicy shows the fields.`
		: words;
}

function nextCommand(file: PlanFile, counts: PlanCounts, next: NonNullable<PlanTextOptions["next"]>): string {
	// Two revisions were compared: what it means for an account, only a plan against it tells.
	if (isComparison(file)) return commandWords("plan", file);
	if (counts.ready > 0) {
		return typeof next === "object" ? `ecs-access apply ${escapeTerminal(shellWord(next.savedTo))}` : commandWords("apply", file);
	}
	if (file.halt?.waiting === "paused") return "ecs-access resume";
	const approval = file.plans.find((p) => p.approvalId !== null)?.approvalId;
	return approval == null ? commandWords("plan", file) : approveCommand(approval);
}
