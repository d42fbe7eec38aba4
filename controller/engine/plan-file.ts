import type { Plan, PlanFile } from "../model/plan.ts";
import type { Artifact } from "../model/resource.ts";
import { planFileId } from "../plan/plan-file.ts";

/** The plans of one moment under one id, with what they were made from. */
export function planFileOf(
	artifact: Artifact,
	plans: readonly Plan[],
	more: Pick<PlanFile, "createdAt" | "request" | "installation" | "accounts" | "findings" | "unpruned" | "reads" | "halt"> & {
		readonly sourceLabel?: string;
	},
): PlanFile {
	return {
		apiVersion: "ecs-access.dev/v1alpha1",
		kind: "PlanFile",
		id: planFileId(plans),
		revision: artifact.revision,
		digest: artifact.digest,
		sourceLabel: sourceLabel(artifact),
		plans,
		...more,
	};
}

/** `policies @ 3f2a91c`; a plain folder by its content. */
export function sourceLabel(artifact: Artifact): string {
	const { revision, root } = artifact;
	const short =
		revision.kind === "commit" ? revision.id.slice(0, 7) : `content ${revision.id.replace(/^sha256:/, "").slice(0, 8)}`;
	return `${root} @ ${short}`;
}
