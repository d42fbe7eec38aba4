import type { Finding, Severity } from "../../model/finding.ts";
import { SEVERITIES, sortFindings } from "./findings-section.ts";
import type { FindingReport } from "./findings-text.ts";

/** What `validate -o json` prints; its schema is docs/schemas/finding-list.json. */
export interface FindingList {
	readonly apiVersion: "ecs-access.dev/v1alpha1";
	readonly kind: "FindingList";
	readonly files: number;
	readonly counts: Readonly<Record<Severity, number>>;
	readonly findings: readonly Finding[];
}

export function findingList({ findings, files }: FindingReport): FindingList {
	const counts = Object.fromEntries(SEVERITIES.map((s) => [s, findings.filter((f) => f.severity === s).length]));
	return {
		apiVersion: "ecs-access.dev/v1alpha1",
		kind: "FindingList",
		files,
		counts: counts as Record<Severity, number>,
		findings: sortFindings(findings),
	};
}
