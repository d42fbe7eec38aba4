import type { Finding } from "../../model/finding.ts";
import type { AccessPolicySpec, ExecutionRoleSpec, SecretUseSpec, TaskRoleSpec } from "../../model/generated/specs.ts";
import type { CatalogView } from "../../model/kind.ts";
import { didYouMean } from "../../model/nearest.ts";
import type { FieldPath } from "../../model/resource.ts";
import { instancesOf, selectAccounts } from "../accounts.ts";
import { problem, warning } from "../problem.ts";
import { secretProblem } from "../secret-name.ts";
import { checkStatements } from "../statement-check.ts";
import { claimFindings } from "./claims.ts";
import { checkTags } from "./role-limits.ts";
import type { Policy } from "./roles.ts";
import { modeOf, type RoleUse, resolveRole, roleUses } from "./roles.ts";
import { checkTrust } from "./trust.ts";

/** Everything that can be said of one policy among the others, before any account's values are in. */
export function checkPolicy(r: Policy, c: CatalogView): readonly Finding[] {
	const out: Finding[] = [...selectAccounts(r, c).findings];
	const { spec } = r;
	for (const use of roleUses(spec)) checkRole(r, use, c, out);
	checkWorkloads(r, out);
	checkSecrets(r, spec.secrets, ["spec", "secrets"], out);
	checkRefs(r, c, out);
	checkRename(r, c, out);
	out.push(...claimFindings(r, c));
	return out;
}

/** What only a role that is made here can have. */
const MANAGED_ONLY = [
	"adopt",
	"trust",
	"permissionsBoundary",
	"permissionSets",
	"statements",
	"managedPolicies",
	"tags",
] as const;

function checkRole(r: Policy, use: RoleUse, c: CatalogView, out: Finding[]): void {
	const { spec, path } = use;
	const mode = modeOf(use);
	const allow = (spec as ExecutionRoleSpec).allow;
	if (mode !== "Derived" && spec.ref === undefined && allow !== undefined) {
		const message = "allow bounds a Derived role, and nothing else";
		out.push(problem("InvalidRole", message, r.at([...path, "allow"]), "delete it, or write mode: Derived", r.key));
	}
	if (spec.ref !== undefined) {
		const other = Object.keys(spec).find((k) => k !== "ref");
		if (other !== undefined) {
			const message = `a role by ref has no field "${other}": the other policy says it all`;
			out.push(problem("InvalidRole", message, r.at([...path, other]), "delete it, or delete ref", r.key));
		}
		return;
	}
	if (mode === undefined) {
		const message = "an execution role needs its mode, or a ref";
		out.push(problem("MissingField", message, r.at(path), "add mode: Unmanaged to check it only, or mode: Managed", r.key));
		return;
	}
	if (mode === "Unmanaged") {
		const field = MANAGED_ONLY.find((k) => k in spec);
		if (field !== undefined) {
			const message = `"${field}" says nothing of a role that is never written`;
			out.push(problem("InvalidRole", message, r.at([...path, field]), "delete it, or write mode: Managed", r.key));
		}
		if (spec.name === undefined) {
			out.push(problem("MissingField", "an Unmanaged role needs its name", r.at(path), "add name", r.key));
		}
		return;
	}
	if (mode === "Derived") checkDerived(r, use, allow ?? [], out);
	if (use.path.includes("workloads") && spec.name === undefined) {
		const message = `a workload's own ${mode} execution role needs a name`;
		out.push(problem("MissingField", message, r.at(path), "add name", r.key));
	}
	checkManaged(r, use, spec, c, out);
}

/** What says which access a role has: of a Derived one, that is found out. */
const ACCESS = ["permissionSets", "statements", "managedPolicies"] as const;
/** Of whose resources a Derived role may read: Secrets Manager, Parameter Store, KMS, and S3 for environment files. */
const ALLOWED = /^arn:[^:]+:(?:secretsmanager:[^:]*:[^:]*:secret:.+|ssm:[^:]*:[^:]*:parameter\/.+|s3:::.+\/.+)$/;
const KEY = /^arn:[^:*?]+:kms:[^:*?]+:[^:*?]+:(?:key|alias)\/[^*?]+$/;

function checkDerived(r: Policy, { spec, path }: RoleUse, allow: readonly string[], out: Finding[]): void {
	const field = ACCESS.find((k) => k in spec);
	if (field !== undefined) {
		const message = `"${field}" has no meaning for a Derived role: it gets what its workloads need`;
		out.push(problem("InvalidRole", message, r.at([...path, field]), "delete it, or write mode: Managed", r.key));
	}
	allow.forEach((pattern, n) => {
		if (ALLOWED.test(pattern) || KEY.test(pattern)) return;
		const message = /^arn:[^:]+:kms:/.test(pattern)
			? `"${pattern}" is not the whole ARN of one key`
			: `"${pattern}" is no pattern of secrets, parameters, files in S3 or keys`;
		const fix = "e.g. arn:aws:secretsmanager:eu-west-1:123456789012:secret:orders/*";
		out.push(problem("InvalidValue", message, r.at([...path, "allow", n], "value"), fix, r.key));
	});
}

function checkManaged(r: Policy, use: RoleUse, spec: TaskRoleSpec | ExecutionRoleSpec, c: CatalogView, out: Finding[]): void {
	const { path } = use;
	if (spec.statements !== undefined) out.push(...checkStatements(r, [...path, "statements"], spec.statements, c));
	if (spec.trust !== undefined) checkTrust(r, [...path, "trust"], spec.trust, spec.adopt ?? false, out);
	checkTags(r, use, out);
	const seen = new Map<string, number>();
	spec.managedPolicies?.forEach((arn, n) => {
		const first = seen.get(arn);
		if (first === undefined) seen.set(arn, n);
		else
			out.push(
				problem(
					"InvalidRole",
					`managed policy ${arn} is named twice`,
					r.at([...path, "managedPolicies", n], "value"),
					"delete one",
					r.key,
				),
			);
	});
}

function checkWorkloads(r: Policy, out: Finding[]): void {
	r.spec.workloads?.forEach((w, n) => {
		const path: FieldPath = ["spec", "workloads", n];
		if (w.services === undefined && w.taskFamilies === undefined) {
			out.push(problem("MissingField", "a workload names services or taskFamilies", r.at(path), "add one of them", r.key));
		}
		if (w.services !== undefined && w.cluster === undefined) {
			out.push(problem("MissingField", "services need their cluster", r.at([...path, "services"]), "add cluster", r.key));
		}
		checkSecrets(r, w.secrets, [...path, "secrets"], out);
	});
}

function checkSecrets(r: Policy, secrets: readonly SecretUseSpec[] | undefined, path: FieldPath, out: Finding[]): void {
	const seen = new Map<string, number>();
	secrets?.forEach((s, n) => {
		const at = [...path, n];
		const variable = `${s.container}/${s.name}`;
		const first = seen.get(variable);
		if (first === undefined) seen.set(variable, n);
		else {
			const line = r.at([...path, first]).line;
			out.push(
				problem(
					"DuplicateClaim",
					`secret variable ${variable} is also in line ${line}`,
					r.at([...at, "name"], "value"),
					"keep one",
					r.key,
				),
			);
		}
		if ((s.secret === undefined) === (s.parameter === undefined)) {
			const message =
				s.secret === undefined ? `${variable} needs secret or parameter` : `${variable} has both secret and parameter`;
			out.push(problem("InvalidValue", message, r.at(at), "write one of them", r.key));
			return;
		}
		if (s.parameter !== undefined && s.jsonKey !== undefined) {
			out.push(
				problem("InvalidValue", "a parameter has no JSON keys", r.at([...at, "jsonKey"]), "delete it, or use a secret", r.key),
			);
		}
		const store = s.secret === undefined ? "parameter" : "secret";
		const value = s.secret ?? s.parameter ?? "";
		const wrong = secretProblem(store, value);
		if (wrong !== null) out.push(problem("InvalidValue", wrong, r.at([...at, store], "value"), "a name, or a whole ARN", r.key));
	});
}

/** References to other policies' roles, in every account; and one role in two uses. */
function checkRefs(r: Policy, c: CatalogView, out: Finding[]): void {
	const said = new Set<string>();
	for (const i of instancesOf(r, c)) {
		let task: string | null = null;
		for (const use of roleUses(r.spec)) {
			const role = resolveRole(i, use, c);
			if (role === null) continue;
			const at = () => r.at([...use.path, use.spec.ref === undefined ? "name" : "ref"], "value");
			if ("id" in role) {
				const names = c.ofKind<AccessPolicySpec>("AccessPolicy").map((p) => p.metadata.name);
				const fix = role.name === null ? undefined : didYouMean(role.name, names);
				if (!said.has(role.message)) out.push(problem(role.id, role.message, at(), fix, r.key));
				said.add(role.message);
				continue;
			}
			if (use.use === "task") task = role.name.toLowerCase();
			else if (role.name.toLowerCase() === task && !said.has(task)) {
				said.add(task);
				const message = `role ${role.name} is both task and execution role: the containers may do all that ECS itself needs`;
				out.push(warning("SharedRole", message, at(), "give ECS a role of its own", r.key));
			}
		}
	}
}

function checkRename(r: Policy, c: CatalogView, out: Finding[]): void {
	const from = r.metadata.annotations?.["ecs-access.dev/renamed-from"];
	if (from === undefined || from === "") return;
	const key = from.includes("/") ? from : `AccessPolicy/${from}`;
	const old = c.get(key);
	if (old === undefined) return;
	const message =
		key === r.key ? "a policy cannot be renamed from itself" : `${key} is still there, in ${old.origin.path}:${old.origin.line}`;
	const at = r.at(["metadata", "annotations", "ecs-access.dev/renamed-from"], "value");
	out.push(problem("InvalidValue", message, at, "delete the annotation, or the old document", r.key));
}
