import type { HistoryEntry } from "../model/status.ts";
import { escapeTerminal } from "../plan/render/escape.ts";
import type { Paint } from "../plan/render/palette.ts";
import { targetWords } from "../plan/render/words.ts";
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
	return JSON.stringify([e.key, e.event, e.why, e.api, e.target, e.outcome, e.before, e.after]);
}

/** `2m ago (x12 over 3h)`. */
export function whenWords({ entry, times, since }: FoldedEntry, now: string): string {
	return `${age(entry.at, now)}${times === 1 ? "" : ` (x${times} over ${age(since, entry.at)})`}`;
}

/** `applied iam:PutRolePolicy on role billing-task, since git asks`: what and why, escaped. */
export function whatWords(e: HistoryEntry): string {
	const on = e.target === null ? "" : ` on ${targetWords(e.target)}`;
	const event = e.event === "intended" ? "began, outcome not known:" : e.event;
	const outcome = e.event === "failed" || e.event === "stalled" ? `: ${e.outcome}` : "";
	return escapeTerminal(`${event}${e.api === null ? "" : ` ${e.api}`}${on} (${e.why})${outcome}`);
}

/** By whom and from which commit, escaped. */
export function whoWords(e: HistoryEntry): string {
	return escapeTerminal(`by ${e.actor}, revision ${shortRevision(e.revision)}`);
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
