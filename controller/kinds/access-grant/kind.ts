import type { Finding } from "../../model/finding.ts";
import type { AccessGrantSpec, AccessPolicySpec } from "../../model/generated/specs.ts";
import type { CatalogView } from "../../model/kind.ts";
import { didYouMean } from "../../model/nearest.ts";
import type { Resource } from "../../model/resource.ts";
import { canonicalText } from "../../policy/canonical.ts";
import { modeOf } from "../access-policy/roles.ts";
import { inertKind } from "../inert.ts";
import { problem, warning } from "../problem.ts";
import { checkStatements } from "../statement-check.ts";
import { instant } from "../statement-compile.ts";

type Grant = Resource<AccessGrantSpec>;

export const accessGrant = inertKind<AccessGrantSpec>({
	kind: "AccessGrant",
	plural: "accessgrants",
	platform: false,
	check: (r, c) => {
		const out: Finding[] = [...checkStatements(r, ["spec", "statements"], r.spec.statements, c)];
		r.spec.statements.forEach((s, n) => {
			if (s.effect !== "Deny") return;
			const at = r.at(["spec", "statements", n, "effect"], "value");
			out.push(
				problem("InvalidStatement", "a Deny in a grant would fail open when the grant ends", at, "put it in the policy", r.key),
			);
		});
		checkPolicyRef(r, c, out);
		checkTimes(r, c, out);
		return out;
	},
});

function checkPolicyRef(r: Grant, c: CatalogView, out: Finding[]): void {
	const name = r.spec.policyRef;
	const at = r.at(["spec", "policyRef"], "value");
	const policy = c.get(`AccessPolicy/${name}`) as Resource<AccessPolicySpec> | undefined;
	if (policy === undefined) {
		if (c.broken.has(`AccessPolicy/${name}`)) return;
		const names = c.ofKind("AccessPolicy").map((p) => p.metadata.name);
		out.push(problem("UnknownReference", `no AccessPolicy "${name}"`, at, didYouMean(name, names), r.key));
		return;
	}
	const { taskRole } = policy.spec;
	const managed =
		taskRole !== undefined && taskRole.ref === undefined && modeOf({ use: "task", spec: taskRole, path: [] }) === "Managed";
	if (managed) return;
	const message = `AccessPolicy "${name}" has no managed task role that could be given more`;
	out.push(
		problem("InvalidRole", message, at, taskRole?.ref === undefined ? "name another policy" : `name ${taskRole.ref}`, r.key),
	);
}

function checkTimes(r: Grant, c: CatalogView, out: Finding[]): void {
	const { startsAt, expiresAt } = r.spec;
	const end = instant(expiresAt);
	if (startsAt !== undefined && instant(startsAt) >= end) {
		const message = `the grant ends at ${expiresAt}, before it begins at ${startsAt}`;
		out.push(problem("GrantWindow", message, r.at(["spec", "expiresAt"], "value"), "correct one of them", r.key));
		return;
	}
	if (end <= c.now) {
		const { first, last } = r.lines([]);
		const fix = `delete lines ${first}-${last} of ${r.origin.path}`;
		out.push(
			warning("Expired", `AccessGrant "${r.metadata.name}" ended at ${end}`, r.at(["spec", "expiresAt"], "value"), fix, r.key),
		);
		return;
	}
	const twin = c.ofKind<AccessGrantSpec>("AccessGrant").find((g) => g !== r && overlaps(g, r) && same(g, r));
	if (twin === undefined) return;
	const message = `AccessGrant "${twin.metadata.name}" in ${twin.origin.path}:${twin.origin.line} gives the same for the same time`;
	out.push(warning("DuplicateGrant", message, r.origin, "keep one", r.key));
}

function overlaps(a: Grant, b: Grant): boolean {
	const start = (g: Grant) => (g.spec.startsAt === undefined ? "" : instant(g.spec.startsAt));
	return a.spec.policyRef === b.spec.policyRef && start(a) < instant(b.spec.expiresAt) && start(b) < instant(a.spec.expiresAt);
}

function same(a: Grant, b: Grant): boolean {
	return canonicalText(a.spec.statements) === canonicalText(b.spec.statements);
}
