import type { Artifact } from "../model/resource.ts";
import type { FindingReport } from "../plan/render/findings-text.ts";
import type { CliContext } from "./context.ts";

export const FINDING_FORMATS = ["text", "json", "yaml", "sarif", "junit", "github"] as const;
export type FindingFormat = (typeof FINDING_FORMATS)[number];

/** Findings of one artifact in one of the formats; the artifact gives the lines of the code frames. */
export async function renderFindings(
	ctx: Pick<CliContext, "color" | "verbose" | "version">,
	format: FindingFormat,
	report: FindingReport,
	artifact: Artifact,
): Promise<string> {
	switch (format) {
		case "text": {
			const { renderFindingsText } = await import("../plan/render/findings-text.ts");
			return renderFindingsText(report, { color: ctx.color.stdout, verbose: ctx.verbose, source: sourceOf(artifact) });
		}
		case "json":
		case "yaml": {
			const [{ findingList }, { structured }] = await Promise.all([
				import("../plan/render/findings-json.ts"),
				import("./structured.ts"),
			]);
			return structured(format, findingList(report));
		}
		case "sarif":
			return (await import("../plan/render/findings-sarif.ts")).renderFindingsSarif(report, ctx.version);
		case "junit":
			return (await import("../plan/render/findings-junit.ts")).renderFindingsJunit(report);
		case "github":
			return (await import("../plan/render/findings-github.ts")).renderFindingsGithub(report);
	}
}

/** File content by the path that a person sees. */
function sourceOf(artifact: Artifact): (path: string) => string | undefined {
	const prefix = artifact.root === "." ? "" : `${artifact.root}/`;
	return (path) => (path.startsWith(prefix) ? artifact.files.get(path.slice(prefix.length)) : undefined);
}
