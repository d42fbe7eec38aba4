import type { AccessPolicySpec, SecretUseSpec, WorkloadSpec } from "../../model/generated/specs.ts";
import { interpolate } from "../../model/interpolate.ts";
import type { CatalogView, Instance } from "../../model/kind.ts";
import type { WorkloadReference } from "../../model/reference.ts";
import type { FieldPath, Origin } from "../../model/resource.ts";
import { instancesOf } from "../accounts.ts";
import { type ResolvedRole, type RoleUse, regionOf, resolveRole, roleUses, scopeOf } from "./roles.ts";

type PolicyInstance = Instance<AccessPolicySpec>;

/** A workload entry that runs with a role: of the role's own policy, or of one that refers to it. */
export interface RoleUser {
	readonly instance: PolicyInstance;
	readonly region: string;
	readonly secrets: readonly SecretUseSpec[];
	/** Where `secrets` stands. */
	readonly path: FieldPath;
	/** Empty where git names no workload yet. */
	readonly workloads: readonly { readonly ref: Omit<WorkloadReference, "account">; readonly origin: Origin }[];
}

/** Who runs with the role as its execution role, by what git says of the whole account. */
export function roleUsers(role: ResolvedRole, c: CatalogView): readonly RoleUser[] {
	return (usesByRole(c).get(roleId(role)) ?? []).flatMap(({ instance, use }) => usersOf(instance, use));
}

interface Using {
	readonly instance: PolicyInstance;
	readonly use: RoleUse;
}

const known = new WeakMap<CatalogView, ReadonlyMap<string, readonly Using[]>>();
function usesByRole(c: CatalogView): ReadonlyMap<string, readonly Using[]> {
	const before = known.get(c);
	if (before !== undefined) return before;
	const made = new Map<string, Using[]>();
	for (const r of c.ofKind<AccessPolicySpec>("AccessPolicy")) {
		for (const instance of instancesOf(r, c)) {
			for (const use of roleUses(r.spec)) {
				if (use.use !== "execution") continue;
				const role = resolveRole(instance, use, c);
				if (role === null || "id" in role || role.mode !== "Derived") continue;
				const id = roleId(role);
				made.set(id, [...(made.get(id) ?? []), { instance, use }]);
			}
		}
	}
	known.set(c, made);
	return made;
}

function roleId(role: ResolvedRole): string {
	return `${role.owner.account.name}/${role.name.toLowerCase()}`;
}

function usersOf(instance: PolicyInstance, use: RoleUse): readonly RoleUser[] {
	const { spec } = instance.resource;
	const all = (spec.workloads ?? []).map((workload, n) => ({ workload, n }));
	// The policy's execution role is not that of an entry with its own.
	const mine = all.filter(({ workload: w }) =>
		use.path.length === 2 ? w.executionRole === undefined : w.executionRole === use.spec,
	);
	if (mine.length > 0) return mine.map(({ workload, n }) => userOf(instance, workload, n));
	const path = ["spec", "secrets"];
	return use.path.length === 2 && all.length === 0
		? [{ instance, region: regionOf(instance), secrets: spec.secrets ?? [], path, workloads: [] }]
		: [];
}

function userOf(instance: PolicyInstance, w: WorkloadSpec, n: number): RoleUser {
	const { spec } = instance.resource;
	const scope = scopeOf(instance);
	const fill = (text: string): string => interpolate(text, scope).text;
	const region = w.region === undefined ? regionOf(instance) : fill(w.region);
	const at = ["spec", "workloads", n];
	const workload = (kind: "service" | "family", name: string, field: string, m: number) => ({
		ref: { type: "ecs.workload", region, workload: kind, name } as const,
		origin: instance.resource.at([...at, field, m], "value"),
	});
	const cluster = fill(w.cluster ?? "");
	return {
		instance,
		region,
		secrets: w.secrets ?? spec.secrets ?? [],
		path: w.secrets === undefined ? ["spec", "secrets"] : [...at, "secrets"],
		workloads: [
			...(w.services ?? []).map((s, m) => workload("service", `${cluster}/${fill(s)}`, "services", m)),
			...(w.taskFamilies ?? []).map((f, m) => workload("family", fill(f), "taskFamilies", m)),
		],
	};
}
