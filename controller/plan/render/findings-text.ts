import type { Finding } from "../../model/finding.ts";
import { escapeTerminal } from "./escape.ts";
import { type FindingGroup, findingCounts, groupFindings, sortFindings } from "./findings-section.ts";
import { createPaint, type Paint } from "./palette.ts";
import { count } from "./words.ts";

export interface FindingReport {
	readonly findings: readonly Finding[];
	/** Files looked at. */
	readonly files: number;
	/** A warning fails as an error does. */
	readonly strict: boolean;
}

export interface FindingTextOptions {
	readonly color: boolean;
	/** Every note, not two of a kind. */
	readonly verbose: boolean;
	/** Content of a file by its path as shown, for the code frame; undefined where it is not at hand. */
	readonly source: (path: string) => string | undefined;
}

/** What `validate` says: each finding with the line it speaks of, repeats once, the counts last. Ends with a line feed. */
export function renderFindingsText(report: FindingReport, opts: FindingTextOptions): string {
	const paint = createPaint(opts.color);
	const sorted = sortFindings(report.findings);
	const lines = [
		...repeats(sorted.filter((f) => f.severity !== "note")).flatMap((same) => findingText(paint, same, opts.source)),
		...groupFindings(
			sorted.filter((f) => f.severity === "note"),
			opts.verbose ? sorted.length : NOTES,
		).flatMap((group) => noteLines(paint, group)),
	];
	return `${[...lines, summaryLine(paint, report)].join("\n")}\n`;
}

/** Notes of one kind; nobody must act on them, so two tell what they are about. */
const NOTES = 2;

function noteLines(paint: Paint, { shown, more }: FindingGroup): string[] {
	const rest = more === 0 ? [] : [paint("dim", `      and ${more} more like this (--verbose lists them)`)];
	// Without its line: a note asks for nothing that a caret could point at.
	return [...shown.flatMap((f) => findingText(paint, [f], () => undefined)), ...rest];
}

/** Findings that differ in nothing but the place, together, in order of first appearance. */
function repeats(findings: readonly Finding[]): readonly (readonly Finding[])[] {
	return [...Map.groupBy(findings, (f) => JSON.stringify([f.severity, f.id, f.message, f.fix ?? null])).values()];
}

/** Places of a repeat that are worth listing; beyond, a count says as much. */
const PLACES = 5;

function findingText(paint: Paint, same: readonly Finding[], source: FindingTextOptions["source"]): string[] {
	const [first, ...more] = same;
	if (first === undefined) return [];
	const where = first.origin === null ? "" : `${placeOf(first)}  `;
	const rule = first.guardrail === undefined ? "" : `guardrail ${first.guardrail.name}/${first.guardrail.rule}`;
	const guardrail = first.message.includes(rule) ? "" : ` (${rule})`;
	const frame = frameLines(paint, first, source);
	// Without a frame the advice has no caret to stand behind.
	const advice = frame.length > 0 || first.fix === undefined ? "" : ` — ${escapeTerminal(first.fix)}`;
	const head = `${escapeTerminal(where)}${paint(first.severity, first.severity)}  ${escapeTerminal(`${first.message}${guardrail}`)}${advice}`;
	return [head, ...frame, ...moreLines(paint, more)];
}

function moreLines(paint: Paint, more: readonly Finding[]): string[] {
	if (more.length === 0) return [];
	const places = [...new Set(more.filter((f) => f.origin !== null).map((f) => escapeTerminal(placeOf(f))))];
	const listed = places.slice(0, PLACES).join(", ");
	const rest = places.length > PLACES ? " …" : "";
	return [paint("dim", `      and ${more.length} more like this${listed === "" ? "" : `: ${listed}${rest}`}`)];
}

function placeOf(f: Finding): string {
	return f.origin === null ? "" : `${f.origin.path}:${f.origin.line}:${f.origin.column}`;
}

/** The line before, the line, and a caret below with what to do. */
function frameLines(paint: Paint, finding: Finding, source: FindingTextOptions["source"]): string[] {
	if (finding.origin === null) return [];
	const { path, line, column } = finding.origin;
	const text = source(path)?.split(/\r?\n/);
	const at = text?.[line - 1];
	if (text === undefined || at === undefined) return [];
	const gutter = (label: string): string => paint("dim", `${label.padStart(5)} | `);
	const before = text[line - 2];
	const show = (content: string): string => escapeTerminal(content.replace(/\t/g, " ")).slice(0, LONGEST);
	const carets = "^".repeat(tokenLength(at, column));
	const pad = " ".repeat(Math.min(column - 1, LONGEST));
	const advice = finding.fix === undefined ? "" : ` ${escapeTerminal(finding.fix)}`;
	return [
		...(before === undefined || before.trim() === "" ? [] : [`${gutter(String(line - 1))}${show(before)}`]),
		`${gutter(String(line))}${show(at)}`,
		`${gutter("")}${pad}${paint(finding.severity, carets)}${advice}`,
	];
}

/** Columns of a source line that are shown; YAML that a person wrote is shorter. */
const LONGEST = 160;

/** The length of the YAML token at a column: a quoted scalar, or up to the next structural character. */
function tokenLength(line: string, column: number): number {
	const rest = line.slice(column - 1);
	const token = /^(?:"(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|[^\s,[\]{}]+)/.exec(rest)?.[0] ?? "";
	return Math.max(1, Math.min(token.replace(/:$/, "").length, LONGEST));
}

/** `2 errors in 1 of 43 files. Nothing was read from AWS.` */
function summaryLine(paint: Paint, { findings, files, strict }: FindingReport): string {
	const offline = "Nothing was read from AWS.";
	if (findings.length === 0) return `${paint("add", "No findings")} in ${count(files, "file")}. ${offline}`;
	const touched = new Set(findings.flatMap((f) => (f.origin === null ? [] : [f.origin.path]))).size;
	const denied = findings.filter((f) => f.guardrail !== undefined && f.severity === "error").length;
	const guardrails = denied === 0 ? "" : `, ${denied} of them by a guardrail`;
	const strictly = strict && findings.some((f) => f.severity === "warning") ? " Warnings fail under --strict." : "";
	return `${findingCounts(findings)}${guardrails} in ${touched} of ${count(files, "file")}.${strictly} ${offline}`;
}
