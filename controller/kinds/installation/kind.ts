import { cronFault, isTimeZone } from "../../model/cron.ts";
import type { Finding } from "../../model/finding.ts";
import type { InstallationSpec } from "../../model/generated/specs.ts";
import { didYouMean } from "../../model/nearest.ts";
import { inertKind } from "../inert.ts";
import { problem } from "../problem.ts";

export const installation = inertKind<InstallationSpec>({
	kind: "Installation",
	plural: "installations",
	platform: true,
	check: (r, c) => {
		const out: Finding[] = [];
		for (const [n, { cron, timeZone }] of (r.spec.windows ?? []).entries()) {
			const wrong = (field: string, message: string, fix: string) =>
				out.push(problem("InvalidWindow", message, r.at(["spec", "windows", n, field], "value"), fix, r.key));
			const fault = cronFault(cron);
			if (fault !== null) wrong("cron", `cron ${JSON.stringify(cron)}: ${fault}`, 'for example "0 18 * * FRI"');
			if (timeZone !== undefined && !isTimeZone(timeZone)) {
				const fix = didYouMean(timeZone, Intl.supportedValuesOf("timeZone")) ?? "a name such as Europe/Berlin, or UTC";
				wrong("timeZone", `no time zone "${timeZone}"`, fix);
			}
		}
		const other = c.ofKind("Installation").find((i) => i !== r);
		if (other !== undefined) {
			const message = `there is more than one Installation: also "${other.metadata.name}" in ${other.origin.path}:${other.origin.line}`;
			out.push(problem("DuplicateName", message, r.at(["metadata", "name"], "value"), "keep one", r.key));
		}
		return out;
	},
});
