import type { Plan } from "../model/plan.ts";
import type { Existing } from "../model/target.ts";
import { chain } from "./chain.ts";
import type { PlanContext } from "./input.ts";
import { DEFAULT_QUOTAS } from "./quotas.ts";
import { sealed } from "./rechain.ts";
import { forgetDrafts } from "./removal.ts";
import { unreadableFinding } from "./unreadable.ts";

/**
 * Takes our marks from the roles of one resource and leaves all else as it is; a person's word, so neither git nor a hold
 * is asked; `origin`: where git still holds it. The roles go on as they are, and nobody of ours touches them any more.
 */
export function planForget(
	key: string,
	roles: readonly Existing<"iam.role">[],
	context: PlanContext & { readonly origin: Plan["origin"] },
): Plan {
	const ours = roles.filter((role) => role.owner?.installation === context.installation);
	const unreadable = ours.flatMap((role) => unreadableFinding(role, key, null) ?? []);
	const steps = ours.flatMap((role) =>
		// Apply refuses to write to what it cannot read; then it is said here.
		role.unreadable !== undefined
			? []
			: chain(forgetDrafts(role), {
					target: role.target,
					start: role.state,
					access: context,
					quotas: context.quotas ?? DEFAULT_QUOTAS,
				}),
	);
	return sealed({
		key,
		account: context.account.name,
		origin: context.origin,
		summary: steps.length === 0 ? "unchanged" : "delete",
		steps,
		findings: unreadable,
		roles: roles.length,
		workloads: 0,
		unchanged: 0,
	});
}
