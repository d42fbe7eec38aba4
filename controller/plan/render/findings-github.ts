import type { Finding, Severity } from "../../model/finding.ts";
import { escapeTerminal, escapeWorkflowData, escapeWorkflowProperty } from "./escape.ts";
import { findingCounts, sortFindings } from "./findings-section.ts";
import type { FindingReport } from "./findings-text.ts";

const COMMANDS: Readonly<Record<Severity, string>> = { error: "error", warning: "warning", note: "notice" };

/** GitHub workflow commands, which become annotations on the lines of a pull request. Ends with a line feed. */
export function renderFindingsGithub(report: FindingReport): string {
	const summary = report.findings.length === 0 ? "no findings" : findingCounts(report.findings);
	return `${[...sortFindings(report.findings).map(annotation), `${summary} in ${report.files} files`].join("\n")}\n`;
}

function annotation(f: Finding): string {
	const properties = [
		...(f.origin === null
			? []
			: [["file", f.origin.path] as const, ["line", f.origin.line] as const, ["col", f.origin.column] as const]),
		["title", f.id] as const,
	];
	const place = properties.map(([name, value]) => `${name}=${escapeWorkflowProperty(escapeTerminal(String(value)))}`).join(",");
	const message = [f.message, ...(f.fix === undefined ? [] : [f.fix])].map(escapeTerminal).join("\n");
	return `::${COMMANDS[f.severity]} ${place}::${escapeWorkflowData(message)}`;
}
