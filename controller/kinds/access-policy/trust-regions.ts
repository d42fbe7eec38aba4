import type { AccessPolicySpec } from "../../model/generated/specs.ts";
import { interpolate } from "../../model/interpolate.ts";
import type { CatalogView, Instance } from "../../model/kind.ts";
import { instancesOf, type Policy } from "./accounts.ts";
import { regionOf, roleUses, scopeOf } from "./roles.ts";

type PolicyInstance = Instance<AccessPolicySpec>;

/** Of the policy's own workloads and of those that run under the role by a `ref`; the account's where there are none. */
export function trustRegions(i: PolicyInstance, c: CatalogView): readonly string[] {
	const regions = new Set<string>(workloadRegions(i));
	for (const other of referrers(c).get(i.resource.metadata.name) ?? []) {
		for (const o of instancesOf(other, c))
			if (o.account.name === i.account.name) for (const region of workloadRegions(o)) regions.add(region);
	}
	if (regions.size > 0) return [...regions];
	return i.account.regions.length > 0 ? i.account.regions : [regionOf(i)];
}

function workloadRegions(i: PolicyInstance): readonly string[] {
	return (i.resource.spec.workloads ?? []).map((w) =>
		w.region === undefined ? regionOf(i) : interpolate(w.region, scopeOf(i)).text,
	);
}

const referrersOf = new WeakMap<CatalogView, ReadonlyMap<string, readonly Policy[]>>();
/** Policies by the name they `ref`. */
function referrers(c: CatalogView): ReadonlyMap<string, readonly Policy[]> {
	const known = referrersOf.get(c);
	if (known !== undefined) return known;
	const made = new Map<string, Policy[]>();
	for (const r of c.ofKind<AccessPolicySpec>("AccessPolicy")) {
		for (const name of new Set(roleUses(r.spec).flatMap((u) => (u.spec.ref === undefined ? [] : [u.spec.ref])))) {
			made.set(name, [...(made.get(name) ?? []), r]);
		}
	}
	referrersOf.set(c, made);
	return made;
}
