import { shortDigest } from "../../model/digest.ts";
import { instantAt } from "../../model/instant.ts";
import type { Plan, PlanFile } from "../../model/plan.ts";
import type { AccessLine } from "../../policy/access.ts";
import { approvalName } from "../approval.ts";
import { changeLines } from "./changes.ts";
import { actionWords, byTarget, countPlan, hasWork, isComparison, type PlanCounts, removalWords, restarts } from "./counts.ts";
import { sinceWords } from "./drift-words.ts";
import { escapeMarkdown, markdownCode, markdownFence } from "./escape.ts";
import { findingLines, planFindings } from "./findings-section.ts";
import type { Pen } from "./layout.ts";
import { type Block, fit } from "./markdown-fit.ts";
import { createPaint } from "./palette.ts";
import { rotationLines } from "./rotation-text.ts";
import { ROTATION_HEADLINES } from "./rotation-words.ts";
import { asGitSays, commandWords, count, haltWords, isForeign, planName } from "./words.ts";

/** What GitHub takes as one comment. https://docs.github.com/rest/issues/comments: body is at most 65,536 characters. */
export const COMMENT_LIMIT = 65_536;

export interface PlanMarkdownOptions {
	/** Characters the result stays under. */
	readonly limit?: number;
}

/**
 * A plan as one comment of a pull request: head and foot always whole, the middle cut first and at whole rows or steps.
 * Ends with a line feed.
 */
export function renderPlanMarkdown(file: PlanFile, opts: PlanMarkdownOptions = {}): string {
	const counts = countPlan(file);
	const foot = footLines(file, counts);
	const steps = stepBlocks(file);
	const findings = planFindings(file);
	const details = [...steps, ...findingBlocks(file)];
	const summary = `Steps (${file.plans.reduce((n, p) => n + p.steps.length, 0)}), findings (${findings.length})`;
	return fit(
		{
			head: [headline(file, counts), ...halted(file), ...accountErrors(file)].join("\n"),
			table: { header: ["| workload | gains | losses | e.g. | restarts |", "|---|---|---|---|---|"], rows: accessRows(file) },
			details: { open: `<details><summary>${summary}</summary>`, blocks: details, close: "</details>" },
			foot: foot.join("\n\n"),
		},
		opts.limit ?? COMMENT_LIMIT,
	);
}

/** `### Access plan for 3f2a91c — 1 service gains access, 1 loses, 1 is new. Needs approval.` */
function headline(file: PlanFile, c: PlanCounts): string {
	const what = escapeMarkdown(file.revision.kind === "commit" ? shortRevision(file) : file.sourceLabel);
	const title = `### Access plan for ${what} — `;
	if (!hasWork(file) && isComparison(file))
		return `${title}nothing changes: ${count(c.roles, "role")} asked for, the same in both.`;
	if (!hasWork(file))
		return `${title}nothing to do: ${asGitSays(c.roles - c.surplus, c.workloads, file.plans.filter((p) => p.rotation !== undefined).length)}`;
	const fresh = new Set(file.plans.filter((p) => p.summary === "create").map((p) => p.key));
	const changed = file.plans.filter((p) => !fresh.has(p.key));
	const gains = changed.filter((p) => p.steps.some((s) => s.gains.length > 0 || s.effect === "unknown")).length;
	const losses = changed.filter((p) => p.steps.some((s) => s.losses.length > 0)).length;
	const parts = [
		gains === 0 ? "" : `${count(gains, "service gains", "services gain")} access`,
		losses === 0
			? ""
			: `${gains === 0 ? `${count(losses, "service loses", "services lose")} access` : count(losses, "loses", "lose")}`,
		fresh.size === 0 ? "" : count(fresh.size, "is new", "are new"),
		c.delete === 0 ? "" : count(c.delete, "is removed", "are removed"),
		c.letGo === 0 ? "" : count(c.letGo, "is let go", "are let go"),
	].filter((p) => p !== "");
	const words = parts.length === 0 ? "no access changes" : parts.join(", ");
	return `${title}${words}.${c.needsApproval ? " Needs approval." : ""}`;
}

function shortRevision(file: PlanFile): string {
	return file.revision.id.slice(0, 7);
}

function halted(file: PlanFile): string[] {
	const words = haltWords(file);
	return words === null ? [] : [`> **${escapeMarkdown(words)}**`];
}

function accountErrors(file: PlanFile): string[] {
	return file.accounts.flatMap(({ account, error }) =>
		error === null ? [] : [`> **${escapeMarkdown(account.name)} could not be read:** ${escapeMarkdown(error)}`],
	);
}

/** One row a role whose access changes. */
function accessRows(file: PlanFile): string[] {
	return file.plans.flatMap((plan) =>
		byTarget(plan.steps).flatMap(({ target, steps }) => {
			const gains = steps.flatMap((s) => s.gains);
			const losses = steps.flatMap((s) => s.losses);
			const undecided = steps.some((s) => s.effect === "unknown");
			const restarted = steps.some(restarts);
			if (gains.length + losses.length === 0 && !undecided && !restarted) return [];
			const name = `**${escapeMarkdown(plan.key.replace(/^AccessPolicy\//, "").replace(/@.*$/, ""))}** (${escapeMarkdown(plan.account)})`;
			const role = byTarget(plan.steps).length > 2 ? ` ${markdownCode(target.name)}` : "";
			const marks = [
				steps.some((s) => s.why === "drifted") ? `drift${escapeMarkdown(sinceWords(plan))}` : "",
				undecided ? "not decided: counts as broader" : "",
			];
			const note = marks.filter((m) => m !== "").join(", ");
			const cells = [
				`${name}${role}${note === "" ? "" : `<br>${note}`}`,
				listed(gains),
				listed(losses),
				example(gains, losses),
				restarted ? `yes, ${markdownCode(target.name)}` : "no",
			];
			return [`| ${cells.join(" | ")} |`];
		}),
	);
}

/** Lines of one cell; the steps below have them all. */
const LISTED = 4;

function listed(lines: readonly AccessLine[]): string {
	const shown = lines.slice(0, LISTED).map(accessCell);
	const more = lines.length > LISTED ? [`and ${lines.length - LISTED} more, see the steps`] : [];
	return [...shown, ...more].join("<br>");
}

function accessCell(line: AccessLine): string {
	const actions = line.actions.slice(0, LISTED).map(markdownCode).join(" ");
	const rest = line.actions.length > LISTED ? ` and ${line.actions.length - LISTED} more` : "";
	const resources = line.resources.slice(0, LISTED).map(shortResource).map(escapeMarkdown).join(", ");
	const others = line.resources.length > LISTED ? ` and ${line.resources.length - LISTED} more` : "";
	return `${actions}${rest} ${resources}${others}${line.when === null ? "" : ` when ${escapeMarkdown(line.when)}`}`;
}

/** An ARN without what is the same for everyone: `invoices-prod/*`. */
function shortResource(resource: string): string {
	const found = /^(?:not )?arn:[^:]*:[^:]*:[^:]*:[^:]*:(.+)$/.exec(resource);
	return found?.[1] === undefined ? resource : `${resource.startsWith("not ") ? "all but " : ""}${found[1]}`;
}

function example(gains: readonly AccessLine[], losses: readonly AccessLine[]): string {
	const gained = gains.find((l) => l.witness !== null)?.witness;
	const lost = losses.find((l) => l.witness !== null)?.witness;
	const words = [
		gained == null ? "" : `can now ${markdownCode(gained.action)} ${escapeMarkdown(shortResource(gained.resource))}`,
		lost == null ? "" : `can no longer ${markdownCode(lost.action)} ${escapeMarkdown(shortResource(lost.resource))}`,
	];
	return words.filter((w) => w !== "").join("<br>");
}

/** Each plan's steps as on a terminal, in a fence of its own, so that a cut falls between fences. */
function stepBlocks(file: PlanFile): Block[] {
	const pen = markdownPen();
	return file.plans
		.filter((p) => p.steps.length > 0)
		.map((p) => ({
			title: `**${escapeMarkdown(planName(p, file.accounts.length))}** ${summaryWords(p)}`,
			lines: p.rotation === undefined ? changeLines(pen, p) : rotationLines(pen, p.rotation, p),
		}))
		.map(({ title, lines }) => fenced(title, lines));
}

function findingBlocks(file: PlanFile): Block[] {
	const lines = findingLines(markdownPen(), planFindings(file));
	return lines.length === 0 ? [] : [fenced("**Findings**", lines)];
}

function fenced(title: string, lines: readonly string[]): Block {
	const fence = markdownFence(lines);
	return { open: `${title}\n${fence}text`, lines: lines.flatMap((l) => l.split("\n")), close: fence };
}

/** Nobody scrolls sideways in a comment to find a place: what does not fit goes on a line of its own. */
function markdownPen(): Pen {
	return { paint: createPaint(false), width: 120, verbose: true, foldMarks: true };
}

function summaryWords(plan: Plan): string {
	const words: Readonly<Record<Plan["summary"], string>> = {
		create: "will be created",
		update: "will be updated",
		heal: "has changed, will be healed",
		adopt: "will be taken over",
		rename: "takes over what its old name owned",
		delete: removalWords(plan) ?? "is no longer in git",
		expire: "has access that has expired",
		wait: isForeign(plan) ? "is not ours" : "waits",
		unchanged: "is as git says",
	};
	const where = plan.origin === null ? "" : ` — ${markdownCode(`${plan.origin.path}:${plan.origin.line}`)}`;
	return `${plan.rotation === undefined ? words[plan.summary] : ROTATION_HEADLINES[plan.rotation.phase]}${where}`;
}

function footLines(file: PlanFile, c: PlanCounts): string[] {
	const figures = hasWork(file)
		? `${actionWords(c)}${c.waits === 0 ? "" : `; ${c.waits} ${c.waits === 1 ? "waits" : "wait"} (${c.waitsFor.join(", ")})`}. `
		: "";
	const lines = [`${figures}Unchanged: ${c.unchanged}. Plan \`${shortDigest(file.id)}\`.`];
	if (file.unpruned !== null) {
		lines.push(
			`${count(file.unpruned.count, "role")} of ours no longer in git, not looked at: ${escapeMarkdown(file.unpruned.reason)}`,
		);
	}
	if (c.needsApproval && isComparison(file)) {
		lines.push(
			`Two revisions were compared, without AWS: ${markdownCode(commandWords("plan", file))} against the account gives the ids to approve.`,
		);
	}
	const approvals = file.plans.filter((p) => p.approvalId !== null);
	lines.push(...approvals.slice(0, APPROVALS).map((p) => approvalText(file, p)));
	if (approvals.length > APPROVALS) {
		lines.push(`${approvals.length - APPROVALS} more wait for approval: ${markdownCode(commandWords("plan", file))} lists them.`);
	}
	return lines;
}

/** The foot is never cut, so it must not grow with the plan. */
const APPROVALS = 20;

/** As long as `ecs-access approve` gives by default. */
function weekAfter(instant: string): string {
	return instantAt(Date.parse(instant) + 7 * 86_400_000);
}

/** `To approve billing: add … (below)`, and the document below. */
function approvalText(file: PlanFile, plan: Plan): string {
	const id = plan.approvalId ?? "";
	const root = file.request.git?.subdir ?? file.request.path ?? "policies";
	const name = approvalName(plan.key, shortDigest(id));
	const path = `${root === "." ? "" : `${root}/`}platform/approvals/${name}.yaml`;
	const document = [
		"apiVersion: ecs-access.dev/v1alpha1",
		"kind: Approval",
		`metadata: { name: ${name} }`,
		`spec: { approvalId: "${id}", reason: "say why", expiresAt: ${weekAfter(file.createdAt)} }`,
	];
	const who = escapeMarkdown(planName(plan, file.accounts.length));
	return [`To approve ${who}: add ${markdownCode(path)} (below) and get platform's review.`, "```yaml", ...document, "```"].join(
		"\n",
	);
}
