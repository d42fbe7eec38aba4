import type { Account } from "../model/account.ts";
import type { AnyObserved } from "../model/desired.ts";
import { type Reference, referenceId } from "../model/reference.ts";

/**
 * The documents that say which access the observed roles have: of what is attached to them, and of their boundaries. To be
 * resolved before planning; without them a hand's attachment is of unknown access, and its removal waits for an Approval.
 */
export function roleReferences(account: Account, observed: Iterable<AnyObserved>): readonly Reference[] {
	if (account.accountId === null) return [];
	const refs = new Map<string, Reference>();
	for (const o of observed) {
		if (!o.exists || !("managedPolicies" in o.state)) continue;
		const { managedPolicies, permissionsBoundary } = o.state;
		for (const arn of permissionsBoundary === null ? managedPolicies : [...managedPolicies, permissionsBoundary]) {
			const ref: Reference = { type: "iam.managedPolicy", account: account.accountId, arn };
			refs.set(referenceId(ref), ref);
		}
	}
	return [...refs.values()];
}
