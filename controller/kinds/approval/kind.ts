import type { ApprovalSpec } from "../../model/generated/specs.ts";
import { inertKind } from "../inert.ts";
import { warning } from "../problem.ts";
import { instant } from "../statement-compile.ts";

export const approval = inertKind<ApprovalSpec>({
	kind: "Approval",
	plural: "approvals",
	platform: true,
	check: (r, c) => {
		const { expiresAt } = r.spec;
		if (expiresAt === undefined || instant(expiresAt) > c.now) return [];
		const { first, last } = r.lines([]);
		const fix = `delete lines ${first}-${last} of ${r.origin.path}, or approve again`;
		return [
			warning(
				"Expired",
				`Approval "${r.metadata.name}" ended at ${instant(expiresAt)}`,
				r.at(["spec", "expiresAt"], "value"),
				fix,
				r.key,
			),
		];
	},
});
