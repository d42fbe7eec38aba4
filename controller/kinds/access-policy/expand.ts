import type { Account } from "../../model/account.ts";
import type { AnyDesired, Desired, RoleWanted } from "../../model/desired.ts";
import type { Finding } from "../../model/finding.ts";
import type { AccessPolicySpec } from "../../model/generated/specs.ts";
import type { Tags } from "../../model/ids.ts";
import type { CatalogView, Expansion, Instance } from "../../model/kind.ts";
import type { Facts } from "../../model/reference.ts";
import type { Statement } from "../../policy/document.ts";
import { problem } from "../problem.ts";
import { bindings } from "./bindings.ts";
import { derivedAccess } from "./derived-role.ts";
import { filler, sayFaults } from "./fill.ts";
import { liveRoleFindings } from "./live-role.ts";
import { checkName, checkQuotas } from "./role-limits.ts";
import { roleStatements } from "./role-statements.ts";
import { accountIdOf, isOwn, type ResolvedRole, type RoleUse, resolveRole, roleUses, scopeOf } from "./roles.ts";
import { compileTrust, ecsTrust, trustMode } from "./trust.ts";
import { trustRegions } from "./trust-regions.ts";

type PolicyInstance = Instance<AccessPolicySpec>;

/** From one policy in one account to what must be there: its managed roles, and the bindings of its workloads. */
export function expandPolicy(i: PolicyInstance, c: CatalogView, f: Facts): Expansion {
	const findings: Finding[] = [];
	const desired: AnyDesired[] = [];
	const made = new Set<string>();
	for (const use of roleUses(i.resource.spec)) {
		if (!isOwn(use)) continue;
		const role = resolved(i, use, c);
		// One role as both, described alike, is one role; a difference is a DuplicateClaim.
		if (role === null || made.has(role.name.toLowerCase())) continue;
		made.add(role.name.toLowerCase());
		sayFaults(i, role.faults, findings);
		desired.push(desiredRole(i, role, c, f, findings));
	}
	for (const use of roleUses(i.resource.spec)) {
		const role = resolved(i, use, c);
		if (role?.mode === "Unmanaged" && role.owner === i) {
			sayFaults(i, role.faults, findings);
			findings.push(...liveRoleFindings(i, role, f));
		}
	}
	desired.push(...bindings(i, c, findings));
	return { desired, findings };
}

function resolved(i: PolicyInstance, use: RoleUse, c: CatalogView): ResolvedRole | null {
	const role = resolveRole(i, use, c);
	return role === null || "id" in role ? null : role;
}

function desiredRole(i: PolicyInstance, role: ResolvedRole, c: CatalogView, f: Facts, findings: Finding[]): Desired<"iam.role"> {
	const { spec, path } = role.use;
	const r = i.resource;
	const management = r.spec.management;
	const fill = filler(i, findings);
	const derived = role.mode === "Derived" ? derivedAccess(i, role, c, f, findings) : null;
	const { statements, expired } =
		derived === null ? roleStatements(i, role, c, f.now, findings) : { statements: derived.statements, expired: [] };
	const managedPolicies = (spec.managedPolicies ?? []).map((arn, n) => ({
		arn: fill(arn, [...path, "managedPolicies", n]),
		origin: r.at([...path, "managedPolicies", n], "value"),
	}));
	const generated = generatedTrust(i, trustRegions(i, role, c));
	const trust = compileTrust(spec.trust, generated, scopeOf(i));
	for (const { path: within, fault } of trust.faults) {
		findings.push(
			problem("UnknownVariable", fault.message, r.at([...path, "trust", ...within], "value", fault.text), fault.fix, r.key),
		);
	}
	const adopt = spec.adopt ?? false;
	const boundary = spec.permissionsBoundary;
	const wanted: RoleWanted = {
		path: role.rolePath,
		trust: trustMode(spec.trust, adopt) === "Preserve" ? null : trust.document,
		...(spec.trust === undefined && { trustIsDefault: true }),
		statements,
		expired,
		managedPolicies,
		permissionsBoundary:
			boundary === undefined
				? i.account.permissionsBoundary
				: boundary === "none"
					? "none"
					: fill(boundary, [...path, "permissionsBoundary"]),
		tags: Object.fromEntries(Object.entries(spec.tags ?? {}).map(([k, v]) => [k, fill(v, [...path, "tags", k])])) as Tags,
		adopt,
		...(derived !== null && { usage: derived.usage }),
		drift: management?.drift ?? "Enforce",
		exclusive: management?.exclusive ?? null,
		ignore: {
			inlinePolicies: management?.ignore?.inlinePolicies ?? [],
			managedPolicies: management?.ignore?.managedPolicies ?? [],
		},
		deletion: management?.deletion === "Delete" ? `delete:${management.retainFor ?? "14d"}` : "orphan",
		suspended: r.spec.suspend ?? false,
		renamedFrom: renamedFrom(i),
	};
	checkName(i, role, findings);
	checkQuotas(i, role, wanted, { statements, expired }, findings);
	return {
		target: { type: "iam.role", account: accountIdOf(i), region: "global", name: role.name },
		wanted,
		origin: r.at(path),
	};
}

/** One statement for all roles of an account and their regions: thousands are compared, and it is brought into form once. */
function generatedTrust(i: PolicyInstance, regions: readonly string[]): Statement {
	const made = trusts.get(i.account) ?? new Map<string, Statement>();
	trusts.set(i.account, made);
	const key = regions.join();
	const trust = made.get(key) ?? ecsTrust({ partition: i.account.partition, id: accountIdOf(i) }, regions);
	made.set(key, trust);
	return trust;
}

const trusts = new WeakMap<Account, Map<string, Statement>>();

/** `old` or `AccessPolicy/old`. */
function renamedFrom(i: PolicyInstance): string | null {
	const from = i.resource.metadata.annotations?.["ecs-access.dev/renamed-from"];
	return from === undefined || from === "" ? null : from.includes("/") ? from : `AccessPolicy/${from}`;
}
