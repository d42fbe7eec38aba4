import type { Finding } from "../../model/finding.ts";
import { escapeXml } from "./escape.ts";
import { sortFindings } from "./findings-section.ts";
import type { FindingReport } from "./findings-text.ts";

/** JUnit XML, one test case a finding, one passing case where there is none. Ends with a line feed. */
export function renderFindingsJunit(report: FindingReport): string {
	const findings = sortFindings(report.findings);
	const failures = findings.filter((f) => isFailure(f, report.strict)).length;
	const cases =
		findings.length === 0
			? [`    <testcase classname="ecs-access" name="validate ${report.files} files"/>`]
			: findings.map((f) => testCase(f, report));
	const totals = `tests="${cases.length}" failures="${failures}" errors="0"`;
	return [
		`<?xml version="1.0" encoding="UTF-8"?>`,
		`<testsuites name="ecs-access validate" ${totals}>`,
		`  <testsuite name="ecs-access validate" ${totals}>`,
		...cases,
		`  </testsuite>`,
		`</testsuites>`,
		"",
	].join("\n");
}

function testCase(f: Finding, report: FindingReport): string {
	const place = f.origin === null ? "" : `${f.origin.path}:${f.origin.line}:${f.origin.column}`;
	const file = f.origin === null ? "" : ` file="${escapeXml(f.origin.path)}" line="${f.origin.line}"`;
	const open = `    <testcase classname="${escapeXml(f.origin?.path ?? "ecs-access")}" name="${escapeXml(`${f.id} ${place}`.trim())}"${file}>`;
	const text = escapeXml(f.fix === undefined ? f.message : `${f.message} — ${f.fix}`);
	const body = isFailure(f, report.strict)
		? `<failure type="${escapeXml(f.id)}" message="${escapeXml(f.message)}">${escapeXml(place)} ${text}</failure>`
		: `<system-out>${f.severity}: ${text}</system-out>`;
	return `${open}${body}</testcase>`;
}

function isFailure(f: Finding, strict: boolean): boolean {
	return f.severity === "error" || (strict && f.severity === "warning");
}
