import type { Culprit } from "../model/hint.ts";
import type { HistoryEntry } from "../model/status.ts";
import { whereWords } from "../plan/render/drift-words.ts";
import { escapeTerminal } from "../plan/render/escape.ts";
import type { Paint } from "../plan/render/palette.ts";
import { instantWords, targetWords } from "../plan/render/words.ts";
import { shortRevision } from "./status-words.ts";
import { age } from "./table.ts";

/** One thing that happened, and how often in a row. */
export interface FoldedEntry {
	readonly entry: HistoryEntry;
	readonly times: number;
	/** Of the oldest of them. */
	readonly since: string;
}

/** Newest first. An intention whose outcome is known says nothing more; the same again and again is one line. */
export function foldHistory(entries: readonly HistoryEntry[]): readonly FoldedEntry[] {
	const outcomes = new Set(entries.filter((e) => e.event !== "intended").map(stepOf));
	const folded: FoldedEntry[] = [];
	for (const entry of entries.filter((e) => e.event !== "intended" || !outcomes.has(stepOf(e)))) {
		const last = folded.at(-1);
		if (last !== undefined && sameOf(last.entry) === sameOf(entry)) {
			folded[folded.length - 1] = { entry: last.entry, times: last.times + 1, since: entry.at };
		} else folded.push({ entry, times: 1, since: entry.at });
	}
	return folded;
}

function stepOf(e: HistoryEntry): string {
	return JSON.stringify([e.reconcileId, e.key, e.api, e.target, e.after]);
}

function sameOf(e: HistoryEntry): string {
	return JSON.stringify([e.key, e.event, e.why, e.api, e.target, e.outcome, e.before, e.after, e.culprit?.arn]);
}

/** `2m ago (x12 over 3h)`. */
export function whenWords({ entry, times, since }: FoldedEntry, now: string): string {
	return `${age(entry.at, now)}${times === 1 ? "" : ` (x${times} over ${age(since, entry.at)})`}`;
}

/** `applied iam:PutRolePolicy on role billing-task, since git asks`: what and why, escaped. */
export function whatWords(e: HistoryEntry): string {
	if (e.event === "drifted") return driftedWords(e);
	const on = e.target === null ? "" : ` on ${targetWords(e.target)}`;
	const event = e.event === "intended" ? "began, outcome not known:" : e.event;
	const outcome = e.event === "failed" || e.event === "stalled" ? `: ${e.outcome}` : "";
	return escapeTerminal(`${event}${e.api === null ? "" : ` ${e.api}`}${on} (${e.why})${outcome}`);
}

/** By whom and from which commit, escaped. Of a drift, who made it; of its healing, whose change it was. */
export function whoWords(e: HistoryEntry): string {
	if (e.event === "drifted") return e.culprit === undefined ? "by somebody whom no event names" : culpritWords(e.culprit);
	const after = e.culprit === undefined || e.event !== "applied" ? "" : `, changed by ${e.culprit.arn}`;
	return escapeTerminal(`by ${e.actor}, revision ${shortRevision(e.revision)}${after}`);
}

/** `drifted role orders-api-task: inline policy "quick-fix" was added`; a name that came later says so. */
function driftedWords(e: HistoryEntry): string {
	const on = e.target === null ? "" : ` ${targetWords(e.target)}`;
	const since = e.since === undefined || e.since === e.at ? "" : ` since ${instantWords(e.since)}`;
	const later = e.why === "named" ? ", as an event told later" : "";
	return `drifted${on}${since}: ${escapeTerminal(e.outcome)}${later}`;
}

/** `by arn:… (iam:PutRolePolicy from 203.0.113.9 with aws-cli/2.17)`, escaped. */
function culpritWords(culprit: Culprit): string {
	return escapeTerminal(`by ${culprit.arn} (${culprit.action}${whereWords(culprit)})`);
}

/** Before and after as JSON, only the lines that differ. */
export function beforeAndAfter(e: HistoryEntry, paint: Paint, whole: boolean): string[] {
	const [before, after] = [jsonLines(e.before), jsonLines(e.after)];
	let head = 0;
	while (!whole && head < before.length && head < after.length && before[head] === after[head]) head++;
	let tail = 0;
	while (!whole && tail < before.length - head && tail < after.length - head && before.at(-1 - tail) === after.at(-1 - tail))
		tail++;
	const cut = (lines: readonly string[]): readonly string[] => lines.slice(head, lines.length - tail);
	return [...cut(before).map((l) => paint("remove", `- ${l}`)), ...cut(after).map((l) => paint("add", `+ ${l}`))];
}

function jsonLines(value: unknown): readonly string[] {
	if (value === null || value === undefined) return [];
	return JSON.stringify(value, null, 2).split("\n").map(escapeTerminal);
}
