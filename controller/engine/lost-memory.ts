import type { PlanFile } from "../model/plan.ts";
import type { Store } from "../model/ports.ts";
import type { GatheredAccount } from "./gather.ts";

/**
 * `2 roles bear` our marks, while the store says that there never were any; null where it remembers, or there
 * are none. A shared store in that state was lost: pauses and budgets went with it (ARCHITECTURE.md, Applying safely).
 */
export async function lostMemory(
	planned: { readonly file: PlanFile; readonly gathered: ReadonlyMap<string, GatheredAccount> },
	store: Store,
): Promise<string | null> {
	const { file, gathered } = planned;
	const observed = [...gathered.values()].flatMap((a) => [...a.observed.values()]);
	const marked = observed.filter((o) => o.exists && o.owner?.installation === file.installation).length;
	const roles = marked + (file.unpruned?.count ?? 0);
	if (roles === 0 || !(await store.empty())) return null;
	return roles === 1 ? "1 role bears" : `${roles} roles bear`;
}
