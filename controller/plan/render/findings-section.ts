import type { Finding, Severity } from "../../model/finding.ts";
import type { PlanFile } from "../../model/plan.ts";
import { escapeTerminal } from "./escape.ts";
import { cell, type Pen, row } from "./layout.ts";
import { count, originWords } from "./words.ts";

/** All findings of a plan file, worst first, each once. */
export function planFindings(file: PlanFile): readonly Finding[] {
	return sortFindings([...file.findings, ...file.plans.flatMap((p) => p.findings)]);
}

export const SEVERITIES: readonly Severity[] = ["error", "warning", "note"];

export function sortFindings(findings: readonly Finding[]): readonly Finding[] {
	return findings.toSorted((a, b) => SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity));
}

/** One kind of trouble, told once: the first findings of one id and severity, and how many more there are. */
export interface FindingGroup {
	readonly id: string;
	readonly severity: Severity;
	readonly shown: readonly Finding[];
	readonly more: number;
}

/** Findings of one id and severity together, of which `limit` are shown. */
export function groupFindings(findings: readonly Finding[], limit: number): readonly FindingGroup[] {
	const groups = Map.groupBy(findings, (f) => `${f.severity} ${f.id}`);
	return [...groups.values()].flatMap((group) => {
		const [first] = group;
		if (first === undefined) return [];
		// One more line would say no less than "and 1 more like this".
		const shown = group.length === limit + 1 ? group : group.slice(0, limit);
		return [{ id: first.id, severity: first.severity, shown, more: group.length - shown.length }];
	});
}

/** Two examples tell what a repeated finding is about. */
const SHOWN = 2;

/** The findings of a plan, each with what to do and where; empty where there are none. */
export function findingLines(pen: Pen, findings: readonly Finding[]): string[] {
	if (findings.length === 0) return [];
	const groups = groupFindings(findings, pen.verbose ? findings.length : SHOWN);
	return [pen.paint("bold", findingCounts(findings)), ...groups.flatMap((g) => groupLines(pen, g))];
}

function groupLines(pen: Pen, group: FindingGroup): string[] {
	const fixes = new Set(group.shown.map((f) => f.fix ?? ""));
	const lines = group.shown.flatMap((f) => {
		const subject = f.subject === undefined || f.message.includes(f.subject) ? "" : `${f.subject}: `;
		const head = [cell(`${f.severity}  `, f.severity), cell(escapeTerminal(`${subject}${f.message}`)), cell(`  ${f.id}`, "dim")];
		const where = originWords(f.origin);
		const own = fixes.size > 1 ? fixLines(pen, f.fix) : [];
		return [row(pen, 2, head, where === "" ? [] : [cell(where, "dim")], 0), ...own];
	});
	const more = group.more === 0 ? [] : [row(pen, 4, [cell(`and ${group.more} more like this (--verbose lists them)`, "dim")])];
	return [...lines, ...more, ...(fixes.size === 1 ? fixLines(pen, group.shown[0]?.fix) : [])];
}

function fixLines(pen: Pen, fix: string | undefined): string[] {
	return fix === undefined ? [] : [row(pen, 4, [cell(escapeTerminal(fix))])];
}

/** `2 errors, 1 warning`. */
export function findingCounts(findings: readonly Finding[]): string {
	const counted = SEVERITIES.map((severity) => [severity, findings.filter((f) => f.severity === severity).length] as const);
	return counted
		.filter(([, n]) => n > 0)
		.map(([severity, n]) => count(n, severity))
		.join(", ");
}
