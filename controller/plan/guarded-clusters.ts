import type { AccessPolicySpec } from "../model/generated/specs.ts";
import { interpolate } from "../model/interpolate.ts";
import type { CatalogView, Instance } from "../model/kind.ts";

type Policy = Pick<Instance<AccessPolicySpec>["resource"], "metadata" | "spec">;
type Workloads = Pick<Instance, "resource" | "account">;

/**
 * The clusters where the roles of a policy are used, for a guardrail's `match.clusters`: those of its own workloads and
 * those of every policy that runs with its roles, by `ref` or by an Unmanaged role's name. Null: any, because a workload
 * names no cluster, or nobody says where the role is used; then every guardrail matches.
 */
export function guardedClusters(of: Workloads, roleNames: readonly string[], view: CatalogView): readonly string[] | null {
	const { account } = of;
	const own = (of.resource as Policy).metadata.name;
	const fill = (text: string, policy: string): string => interpolate(text, { account, policy, cluster: null, params: null }).text;
	const index = indexOf(view);
	const names = new Set(roleNames.map((n) => n.toLowerCase()));
	const users = new Map<string, Policy>([[own, of.resource as Policy]]);
	for (const name of names) for (const p of index.byRole.get(name) ?? []) users.set(p.metadata.name, p);
	for (const { policy, role } of index.unclear) {
		const filled = fill(role, policy.metadata.name);
		if (filled.includes("${") || names.has(filled.toLowerCase())) users.set(policy.metadata.name, policy);
	}
	// A ref may lead over another policy; what is added while iterating is met as well.
	for (const name of users.keys()) for (const p of index.byRef.get(name) ?? []) users.set(p.metadata.name, p);
	const clusters = new Set<string>();
	for (const p of users.values()) {
		for (const w of p.spec.workloads ?? []) {
			if (w.cluster === undefined) return null;
			const cluster = fill(w.cluster, p.metadata.name);
			if (cluster.includes("${")) return null;
			clusters.add(cluster);
		}
	}
	return clusters.size === 0 ? null : [...clusters];
}

interface Users {
	/** By the policy that is referred to, and by the name of an Unmanaged role in lower case. */
	readonly byRef: ReadonlyMap<string, readonly Policy[]>;
	readonly byRole: ReadonlyMap<string, readonly Policy[]>;
	/** Unmanaged roles whose name only an account's values tell. */
	readonly unclear: readonly { readonly policy: Policy; readonly role: string }[];
}

const indexes = new WeakMap<CatalogView, Users>();

function indexOf(view: CatalogView): Users {
	const known = indexes.get(view);
	if (known !== undefined) return known;
	const byRef = new Map<string, Policy[]>();
	const byRole = new Map<string, Policy[]>();
	const unclear: { policy: Policy; role: string }[] = [];
	const add = (map: Map<string, Policy[]>, key: string, policy: Policy): void =>
		void map.set(key, [...(map.get(key) ?? []), policy]);
	for (const policy of view.ofKind<AccessPolicySpec>("AccessPolicy")) {
		const { taskRole, executionRole, workloads } = policy.spec;
		for (const role of [taskRole, executionRole, ...(workloads ?? []).map((w) => w.executionRole)]) {
			if (role?.ref !== undefined) add(byRef, role.ref, policy);
			else if (role?.mode === "Unmanaged" && role.name !== undefined) {
				if (role.name.includes("${")) unclear.push({ policy, role: role.name });
				else add(byRole, role.name.toLowerCase(), policy);
			}
		}
	}
	const made = { byRef, byRole, unclear };
	indexes.set(view, made);
	return made;
}
