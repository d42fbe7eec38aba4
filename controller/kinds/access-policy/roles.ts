import type { AccessPolicySpec, ExecutionRoleSpec, TaskRoleSpec } from "../../model/generated/specs.ts";
import type { Arn } from "../../model/ids.ts";
import { type InterpolationFault, interpolate, type Scope } from "../../model/interpolate.ts";
import type { CatalogView, Instance } from "../../model/kind.ts";
import type { FieldPath, Resource } from "../../model/resource.ts";
import { instancesOf } from "../accounts.ts";

export type Policy = Resource<AccessPolicySpec>;

export type Use = "task" | "execution";

/** A role field, with the defaults of its use; `path` is where it stands. */
export interface RoleUse {
	readonly use: Use;
	readonly spec: TaskRoleSpec | ExecutionRoleSpec;
	readonly path: FieldPath;
}

export type Mode = "Managed" | "Unmanaged" | "Derived";

/** A role by name, as one instance means it. */
export interface ResolvedRole {
	/** `Managed` and `Derived` claim; `Unmanaged` and what a `ref` leads to do not. */
	readonly mode: Mode;
	/** The policy whose document describes it: another one behind a `ref`. */
	readonly owner: Instance<AccessPolicySpec>;
	readonly use: RoleUse;
	readonly name: string;
	readonly rolePath: string;
	readonly arn: Arn;
	readonly faults: readonly { readonly path: FieldPath; readonly fault: InterpolationFault }[];
}

export interface RefFault {
	readonly id: "UnknownReference" | "CircularReference";
	readonly message: string;
	/** The name that was not found, to guess from. */
	readonly name: string | null;
}

/** The roles that a policy's own fields describe: task role, execution role, and those of its workload entries. */
export function roleUses(spec: AccessPolicySpec): readonly RoleUse[] {
	let known = usesOf.get(spec);
	if (known === undefined) {
		known = listUses(spec);
		usesOf.set(spec, known);
	}
	return known;
}

const usesOf = new WeakMap<AccessPolicySpec, readonly RoleUse[]>();
function listUses(spec: AccessPolicySpec): readonly RoleUse[] {
	const uses: RoleUse[] = [];
	if (spec.taskRole !== undefined) uses.push({ use: "task", spec: spec.taskRole, path: ["spec", "taskRole"] });
	if (spec.executionRole !== undefined)
		uses.push({ use: "execution", spec: spec.executionRole, path: ["spec", "executionRole"] });
	spec.workloads?.forEach((w, n) => {
		if (w.executionRole === undefined) return;
		uses.push({ use: "execution", spec: w.executionRole, path: ["spec", "workloads", n, "executionRole"] });
	});
	return uses;
}

/** The policy's own role of a use, not that of a workload entry. */
export function policyUse(spec: AccessPolicySpec, use: Use): RoleUse | undefined {
	return roleUses(spec).find((u) => u.use === use && u.path.length === 2);
}

const scopes = new WeakMap<Instance<AccessPolicySpec>, Scope>();
/** What `${…}` may speak of in a policy's own fields. */
export function scopeOf(i: Instance<AccessPolicySpec>): Scope {
	let known = scopes.get(i);
	if (known === undefined) {
		known = { account: i.account, policy: i.resource.metadata.name, cluster: clusterOf(i.resource.spec), params: null };
		scopes.set(i, known);
	}
	return known;
}

/** Null where the workloads name several, or none. */
function clusterOf(spec: AccessPolicySpec): string | null {
	let only: string | null = null;
	for (const { cluster } of spec.workloads ?? []) {
		if (cluster === undefined || cluster === only) continue;
		if (only !== null) return null;
		only = cluster;
	}
	return only;
}

/** Follows `ref` to the policy that describes the role. Null where the use is refused elsewhere (no mode). */
export function resolveRole(i: Instance<AccessPolicySpec>, use: RoleUse, c: CatalogView): ResolvedRole | RefFault | null {
	let known = resolutions.get(i);
	if (known === undefined) {
		known = new Map();
		resolutions.set(i, known);
	}
	let role = known.get(use);
	if (role === undefined) {
		role = follow(i, use, c);
		known.set(use, role);
	}
	return role;
}

/** An instance belongs to one catalog, so what it resolves to there holds. */
const resolutions = new WeakMap<Instance<AccessPolicySpec>, Map<RoleUse, ResolvedRole | RefFault | null>>();
function follow(i: Instance<AccessPolicySpec>, use: RoleUse, c: CatalogView): ResolvedRole | RefFault | null {
	let owner = i;
	let current = use;
	const seen = new Set<string>([`${i.resource.key}#${use.use}`]);
	while (current.spec.ref !== undefined) {
		const name = current.spec.ref;
		const next = referred(owner, name, current.use, c);
		if (next === null || "id" in next) return next;
		const step = `${next.owner.resource.key}#${next.use.use}`;
		if (seen.has(step)) {
			return {
				id: "CircularReference",
				message: `the ${use.use} role refers in a circle: ${[...seen, step].map(nameOfStep).join(" -> ")}`,
				name: null,
			};
		}
		seen.add(step);
		owner = next.owner;
		current = next.use;
	}
	const mode = modeOf(current);
	if (mode === undefined) return null;
	return describe(owner, current, mode, c);
}

function nameOfStep(step: string): string {
	return step.replace(/^AccessPolicy\//, "").replace(/#.*$/, "");
}

/** Undefined: an execution role must say its mode. */
export function modeOf(use: RoleUse): Mode | undefined {
	return use.spec.mode ?? (use.use === "task" ? "Managed" : undefined);
}

/** A role that the policy itself makes and keeps. */
export function isOwn(use: RoleUse): boolean {
	const mode = modeOf(use);
	return use.spec.ref === undefined && (mode === "Managed" || mode === "Derived");
}

function referred(
	from: Instance<AccessPolicySpec>,
	name: string,
	use: Use,
	c: CatalogView,
): { readonly owner: Instance<AccessPolicySpec>; readonly use: RoleUse } | RefFault | null {
	const policy = c.get(`AccessPolicy/${name}`) as Policy | undefined;
	if (policy === undefined) {
		if (c.broken.has(`AccessPolicy/${name}`)) return null;
		return { id: "UnknownReference", message: `no AccessPolicy "${name}"`, name };
	}
	const owner = instancesOf(policy, c).find((o) => o.account.name === from.account.name);
	if (owner === undefined) {
		return { id: "UnknownReference", message: `AccessPolicy "${name}" is not in account ${from.account.name}`, name: null };
	}
	const found = policyUse(policy.spec, use);
	if (found !== undefined) return { owner, use: found };
	return { id: "UnknownReference", message: `AccessPolicy "${name}" has no ${use}Role`, name: null };
}

function describe(owner: Instance<AccessPolicySpec>, use: RoleUse, mode: Mode, c: CatalogView): ResolvedRole {
	const scope = scopeOf(owner);
	const faults: { readonly path: FieldPath; readonly fault: InterpolationFault }[] = [];
	const fill = (text: string, field: string) => {
		const filled = interpolate(text, scope);
		for (const fault of filled.faults) faults.push({ path: [...use.path, field], fault });
		return filled.text;
	};
	const name = fill(use.spec.name ?? `${owner.resource.metadata.name}-${use.use}`, "name");
	const rolePath = use.spec.path === undefined ? defaultPath(owner, name, mode, c) : fill(use.spec.path, "path");
	const { account } = owner;
	const arn = `arn:${account.partition}:iam::${accountIdOf(owner)}:role${rolePath}${name}`;
	return { mode, owner, use, name, rolePath, arn, faults };
}

/** An unmanaged role that a policy of the same account manages lives where that policy puts it. */
function defaultPath(owner: Instance<AccessPolicySpec>, name: string, mode: Mode, c: CatalogView): string {
	if (mode !== "Unmanaged") return owner.account.rolePath;
	return managedPaths(c).get(`${owner.account.name}/${name.toLowerCase()}`) ?? "/";
}

/** Paths of all managed roles by account and name, made once a catalog. */
const paths = new WeakMap<CatalogView, ReadonlyMap<string, string>>();
function managedPaths(c: CatalogView): ReadonlyMap<string, string> {
	const known = paths.get(c);
	if (known !== undefined) return known;
	const made = new Map<string, string>();
	for (const r of c.ofKind<AccessPolicySpec>("AccessPolicy")) {
		for (const owner of instancesOf(r, c)) {
			for (const use of roleUses(r.spec)) {
				if (!isOwn(use)) continue;
				const role = resolveRole(owner, use, c);
				if (role === null || "id" in role) continue;
				made.set(`${owner.account.name}/${role.name.toLowerCase()}`, role.rolePath);
			}
		}
	}
	paths.set(c, made);
	return made;
}

export function accountIdOf(i: Instance): string {
	return i.account.accountId ?? "${account.id}";
}

export function regionOf(i: Instance): string {
	return i.account.region ?? "${account.region}";
}
