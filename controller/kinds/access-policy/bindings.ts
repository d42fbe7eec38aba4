import type { AnyDesired, BindingWanted } from "../../model/desired.ts";
import type { Finding } from "../../model/finding.ts";
import type { AccessPolicySpec, WorkloadSpec } from "../../model/generated/specs.ts";
import type { Arn } from "../../model/ids.ts";
import { isSymbolic } from "../../model/interpolate.ts";
import type { CatalogView, Instance } from "../../model/kind.ts";
import type { FieldPath } from "../../model/resource.ts";
import type { TargetType } from "../../model/target.ts";
import { problem } from "../problem.ts";
import { filler } from "./fill.ts";
import { accountIdOf, policyUse, type RoleUse, regionOf, resolveRole, roleUses } from "./roles.ts";
import { secretRefs } from "./secrets.ts";

type PolicyInstance = Instance<AccessPolicySpec>;

/** What each service and family must carry: roles, and secrets where git names any. */
export function bindings(i: PolicyInstance, c: CatalogView, findings: Finding[]): readonly AnyDesired[] {
	const { spec } = i.resource;
	const arnOf = (use: RoleUse | undefined): Arn | undefined => {
		if (use === undefined) return undefined;
		const role = resolveRole(i, use, c);
		return role === null || "id" in role ? undefined : role.arn;
	};
	const task = policyUse(spec, "task");
	const taskRole = task === undefined ? null : arnOf(task);
	const ownExecution = arnOf(policyUse(spec, "execution"));
	const fill = filler(i, findings);
	const out: AnyDesired[] = [];
	spec.workloads?.forEach((w, n) => {
		const path = ["spec", "workloads", n];
		const region = w.region === undefined ? regionOf(i) : fill(w.region, [...path, "region"]);
		checkRegion(i, region, w, path, findings);
		const executionRole =
			w.executionRole === undefined ? ownExecution : arnOf(roleUses(spec).find((u) => u.spec === w.executionRole));
		const secrets = secretRefs(
			i,
			w.secrets ?? spec.secrets,
			w.secrets === undefined ? ["spec", "secrets"] : [...path, "secrets"],
			region,
			fill,
		);
		const wanted: BindingWanted = {
			mode: spec.binding ?? "Verify",
			...(spec.binding === "Enforce" && spec.management?.drift === "Report" && { drift: "Report" }),
			...(spec.binding === "Enforce" && spec.suspend === true && { suspended: true }),
			binding: {
				...(taskRole === undefined ? {} : { taskRole }),
				...(executionRole === undefined ? {} : { executionRole }),
				...(secrets === undefined ? {} : { secrets }),
			},
			workloadRegion: region,
		};
		const target = <T extends TargetType>(type: T, name: string) => ({ type, account: accountIdOf(i), region, name });
		const cluster = w.cluster === undefined ? "" : fill(w.cluster, [...path, "cluster"]);
		w.services?.forEach((s, m) => {
			const at: FieldPath = [...path, "services", m];
			out.push({ target: target("ecs.service", `${cluster}/${fill(s, at)}`), wanted, origin: i.resource.at(at, "value") });
		});
		w.taskFamilies?.forEach((family, m) => {
			const at: FieldPath = [...path, "taskFamilies", m];
			out.push({ target: target("ecs.family", fill(family, at)), wanted, origin: i.resource.at(at, "value") });
		});
	});
	return out;
}

function checkRegion(i: PolicyInstance, region: string, w: WorkloadSpec, path: FieldPath, findings: Finding[]): void {
	const { regions } = i.account;
	if (regions.length === 0 || regions.includes(region) || isSymbolic(region)) return;
	const place = w.region === undefined ? i.resource.at(path) : i.resource.at([...path, "region"], "value");
	const message = `region "${region}" is not among those of Account "${i.account.name}": ${regions.join(", ")}`;
	findings.push(problem("UnknownRegion", message, place, "correct it, or add it to the Account's regions", i.resource.key));
}
