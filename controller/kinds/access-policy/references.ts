import type { AccessPolicySpec } from "../../model/generated/specs.ts";
import { interpolate } from "../../model/interpolate.ts";
import type { CatalogView, Instance } from "../../model/kind.ts";
import { type Facts, type Reference, referenceId } from "../../model/reference.ts";
import { derivedReferences } from "./derived-role.ts";
import { roleReference } from "./live-role.ts";
import { resolveRole, roleUses, scopeOf } from "./roles.ts";

/** What must be known of AWS beyond the targets: unmanaged roles, the documents of attached policies, who passes roles. */
export function policyReferences(i: Instance<AccessPolicySpec>, c: CatalogView, f: Facts): readonly Reference[] {
	const account = i.account.accountId;
	if (account === null) return [];
	const found = new Map<string, Reference>();
	const add = (ref: Reference | null) => {
		if (ref !== null) found.set(referenceId(ref), ref);
	};
	const scope = scopeOf(i);
	for (const use of roleUses(i.resource.spec)) {
		const role = resolveRole(i, use, c);
		if (role === null || "id" in role) continue;
		if (role.mode === "Unmanaged") add(roleReference(i, role.name));
		if (role.mode === "Derived" && role.owner === i) for (const ref of derivedReferences(i, role, c, f)) add(ref);
		if (role.mode === "Unmanaged" || role.owner.resource !== i.resource) continue;
		for (const arn of use.spec.managedPolicies ?? [])
			add({ type: "iam.managedPolicy", account, arn: interpolate(arn, scope).text });
		const boundary = use.spec.permissionsBoundary ?? i.account.permissionsBoundary;
		if (boundary !== null && boundary !== "none")
			add({ type: "iam.managedPolicy", account, arn: interpolate(boundary, scope).text });
	}
	if ((i.resource.spec.workloads?.length ?? 0) > 0) {
		add({ type: "passers", account, regions: i.account.regions, deployers: i.account.deployers });
	}
	return [...found.values()];
}
