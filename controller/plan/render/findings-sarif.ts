import type { Finding } from "../../model/finding.ts";
import { escapeTerminal } from "./escape.ts";
import { sortFindings } from "./findings-section.ts";
import type { FindingReport } from "./findings-text.ts";

/** SARIF 2.1.0 (https://docs.oasis-open.org/sarif/sarif/v2.1.0/), as GitHub code scanning reads it. Ends with a line feed. */
export function renderFindingsSarif(report: FindingReport, version: string): string {
	const findings = sortFindings(report.findings);
	const rules = [...new Set(findings.map((f) => f.id))];
	const log = {
		$schema: "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
		version: "2.1.0",
		runs: [
			{
				tool: {
					driver: {
						name: "ecs-access",
						semanticVersion: version,
						rules: rules.map((id) => ({ id, name: id, shortDescription: { text: sentence(id) } })),
					},
				},
				columnKind: "utf16CodeUnits",
				results: findings.map((f) => result(f, rules.indexOf(f.id))),
			},
		],
	};
	return `${JSON.stringify(log, null, 2)}\n`;
}

function result(f: Finding, ruleIndex: number): unknown {
	const text = escapeTerminal(f.fix === undefined ? f.message : `${f.message} — ${f.fix}`);
	return {
		ruleId: f.id,
		ruleIndex,
		level: f.severity,
		message: { text },
		...(f.origin === null
			? {}
			: {
					locations: [
						{
							physicalLocation: {
								artifactLocation: { uri: f.origin.path.split("/").map(encodeURIComponent).join("/") },
								region: { startLine: f.origin.line, startColumn: f.origin.column },
							},
						},
					],
				}),
		...(f.key === undefined ? {} : { properties: { resource: f.key } }),
	};
}

/** `UnknownField` -> `Unknown field`. */
function sentence(id: string): string {
	const words = id.replace(/([a-z0-9])([A-Z])/g, (_, a: string, b: string) => `${a} ${b.toLowerCase()}`);
	return words.charAt(0).toUpperCase() + words.slice(1);
}
