import { TerminalError } from "../model/errors.ts";
import type { PlanFile } from "../model/plan.ts";
import type { AccountAccess, Store } from "../model/ports.ts";
import type { GatheredAccount } from "./gather.ts";

/**
 * A shared store that says that there never was anything, while roles bear our marks, was lost, and pauses and budgets with
 * it: nothing is written, there or in AWS, before a person says that it is new (ARCHITECTURE.md, Applying safely).
 */

/** Of what a plan has read: `2 roles bear` our marks and the store remembers nothing; null where it does, or there are none. */
export async function lostMemory(
	planned: { readonly file: PlanFile; readonly gathered: ReadonlyMap<string, GatheredAccount> },
	store: Store,
): Promise<string | null> {
	const { file, gathered } = planned;
	const observed = [...gathered.values()].flatMap((a) => [...a.observed.values()]);
	const marked = observed.filter((o) => o.exists && o.owner?.installation === file.installation).length;
	const roles = marked + (file.unpruned?.count ?? 0);
	return roles === 0 || !(await store.empty()) ? null : bear(roles);
}

/**
 * Asks all accounts before anything is recorded: what is recorded of one would make the store look as if it remembered.
 * Reads nothing where it does. Throws TerminalError `StoreEmpty`.
 */
export async function refuseLostStore(
	of: { readonly store: Store; readonly accounts: readonly AccountAccess[]; readonly installation: string },
	signal: AbortSignal,
): Promise<void> {
	if (!(await of.store.empty())) return;
	let roles = 0;
	for (const access of of.accounts) {
		for await (const role of access.provider("iam.role").listOwned(of.installation, signal)) if (role.exists) roles += 1;
	}
	if (roles > 0) throw storeEmpty(bear(roles), "the shared store");
}

/** `bears`: see lostMemory. `store`: as it is shown. */
export function storeEmpty(bears: string, store: string): TerminalError {
	return new TerminalError("StoreEmpty", `${store} remembers nothing, but ${bears} our marks`, {
		fix: "check that it is the right table and was not lost; when it is new, say so once with --new-store",
	});
}

function bear(roles: number): string {
	return roles === 1 ? "1 role bears" : `${roles} roles bear`;
}
