import type { AccessPolicySpec } from "../../model/generated/specs.ts";
import { interpolate } from "../../model/interpolate.ts";
import type { CatalogView, Instance } from "../../model/kind.ts";
import { instancesOf } from "../accounts.ts";
import { type ResolvedRole, type RoleUse, regionOf, resolveRole, roleUses, scopeOf } from "./roles.ts";

type PolicyInstance = Instance<AccessPolicySpec>;

/**
 * Where the workloads run that use the role: those of its own policy, those of a policy that refers to it, however far, and
 * those that merely name it. The account's regions where there are none yet.
 */
export function trustRegions(i: PolicyInstance, role: ResolvedRole, c: CatalogView): readonly string[] {
	const regions = regionsByRole(c).get(roleId(i, role.name));
	if (regions !== undefined && regions.size > 0) return [...regions];
	return i.account.regions.length > 0 ? i.account.regions : [regionOf(i)];
}

const known = new WeakMap<CatalogView, ReadonlyMap<string, ReadonlySet<string>>>();
function regionsByRole(c: CatalogView): ReadonlyMap<string, ReadonlySet<string>> {
	const before = known.get(c);
	if (before !== undefined) return before;
	const made = new Map<string, Set<string>>();
	for (const r of c.ofKind<AccessPolicySpec>("AccessPolicy")) {
		for (const i of instancesOf(r, c)) {
			for (const use of roleUses(r.spec)) {
				const role = resolveRole(i, use, c);
				if (role === null || "id" in role) continue;
				const id = roleId(i, role.name);
				const regions = made.get(id) ?? new Set();
				for (const region of regionsOfUse(i, use)) regions.add(region);
				made.set(id, regions);
			}
		}
	}
	known.set(c, made);
	return made;
}

/** IAM is global, and role names are unique case-insensitively (aws-facts §2). */
function roleId(i: PolicyInstance, name: string): string {
	return `${i.account.name}/${name.toLowerCase()}`;
}

/** The policy's execution role is not that of an entry with its own. */
function regionsOfUse(i: PolicyInstance, use: RoleUse): readonly string[] {
	const workloads = (i.resource.spec.workloads ?? []).filter((w) => {
		if (use.use === "task") return true;
		return use.path.length === 2 ? w.executionRole === undefined : w.executionRole === use.spec;
	});
	return workloads.map((w) => (w.region === undefined ? regionOf(i) : interpolate(w.region, scopeOf(i)).text));
}
