import type { Finding } from "../../model/finding.ts";
import type { InstallationSpec } from "../../model/generated/specs.ts";
import { inertKind } from "../inert.ts";
import { problem } from "../problem.ts";

export const installation = inertKind<InstallationSpec>({
	kind: "Installation",
	plural: "installations",
	platform: true,
	check: (r, c) => {
		const out: Finding[] = [];
		const { windows } = r.spec;
		const later = (field: string, what: string, fix: string) =>
			out.push(problem("NotInThisVersion", `${what} is not in this version`, r.at(["spec", field]), fix, r.key));
		if (windows !== undefined) later("windows", "windows", "delete it");
		const other = c.ofKind("Installation").find((i) => i !== r);
		if (other !== undefined) {
			const message = `there is more than one Installation: also "${other.metadata.name}" in ${other.origin.path}:${other.origin.line}`;
			out.push(problem("DuplicateName", message, r.at(["metadata", "name"], "value"), "keep one", r.key));
		}
		return out;
	},
});
