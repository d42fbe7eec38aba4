import type { Finding } from "../../model/finding.ts";
import type { AccessPolicySpec, PermissionSetSpec } from "../../model/generated/specs.ts";
import type { Scope } from "../../model/interpolate.ts";
import type { CatalogView } from "../../model/kind.ts";
import type { Resource } from "../../model/resource.ts";
import { parameterProblem, patternOf } from "../access-policy/permission-sets.ts";
import { roleUses } from "../access-policy/roles.ts";
import { inertKind } from "../inert.ts";
import { problem } from "../problem.ts";
import { checkStatements } from "../statement-check.ts";
import { compileStatement } from "../statement-compile.ts";

export const permissionSet = inertKind<PermissionSetSpec>({
	kind: "PermissionSet",
	plural: "permissionsets",
	platform: false,
	check: (r, c) => {
		const out: Finding[] = [...checkStatements(r, ["spec", "statements"], r.spec.statements, c)];
		checkParams(r, out);
		checkVariables(r, out);
		// The platform team's library is meant to hold more than is used today.
		if (!/(^|\/)platform\//.test(r.origin.path) && !usedSets(c).has(r.metadata.name)) {
			out.push({
				...problem("UnusedPermissionSet", `no policy uses PermissionSet "${r.metadata.name}"`, r.origin, undefined, r.key),
				severity: "note",
			});
		}
		return out;
	},
});

function checkParams(r: Resource<PermissionSetSpec>, out: Finding[]): void {
	for (const [name, param] of Object.entries(r.spec.params ?? {})) {
		const path = ["spec", "params", name];
		if (!/^[A-Za-z][A-Za-z0-9_-]*$/.test(name)) {
			const message = `parameter name "${name}" cannot be interpolated`;
			out.push(problem("InvalidParameter", message, r.at(path), "a letter, then letters, digits, _ and -", r.key));
		}
		if (param.pattern !== undefined && patternOf(param.pattern) === null) {
			out.push(
				problem(
					"InvalidParameter",
					`"${param.pattern}" is not a regular expression`,
					r.at([...path, "pattern"], "value"),
					undefined,
					r.key,
				),
			);
		} else if (param.pattern !== undefined && !/^\^.*\$$/.test(param.pattern)) {
			const message = `pattern "${param.pattern}" matches any value that merely holds it`;
			out.push({
				...problem("InvalidParameter", message, r.at([...path, "pattern"], "value"), "begin it with ^ and end it with $", r.key),
				severity: "warning",
			});
		}
		const wrong = param.default === undefined ? null : parameterProblem(String(param.default), param);
		if (wrong !== null) {
			const message = `the default of parameter "${name}" is "${String(param.default)}", ${wrong.message}`;
			out.push(problem("InvalidParameter", message, r.at([...path, "default"], "value"), wrong.fix, r.key));
		}
	}
}

/** Names that mean nothing in any policy; what an account's variables or a policy's clusters lack is said at the use. */
function checkVariables(r: Resource<PermissionSetSpec>, out: Finding[]): void {
	const params = new Map(Object.keys(r.spec.params ?? {}).map((name) => [name, "x"]));
	const scope: Scope = { account: null, policy: null, cluster: "x", params };
	r.spec.statements.forEach((s, n) => {
		for (const { path, fault } of compileStatement(s, scope).faults) {
			if (fault.kind !== "unknown" && fault.kind !== "unclosed") continue;
			out.push(
				problem(
					"UnknownVariable",
					fault.message,
					r.at(["spec", "statements", n, ...path], "value", fault.text),
					fault.fix,
					r.key,
				),
			);
		}
	});
}

const used = new WeakMap<CatalogView, ReadonlySet<string>>();
function usedSets(c: CatalogView): ReadonlySet<string> {
	let known = used.get(c);
	if (known === undefined) {
		known = new Set(
			c
				.ofKind<AccessPolicySpec>("AccessPolicy")
				.flatMap((p) => roleUses(p.spec))
				.flatMap((u) => (u.spec.permissionSets ?? []).map((s) => s.name)),
		);
		used.set(c, known);
	}
	return known;
}
