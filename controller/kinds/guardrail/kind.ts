import type { Finding } from "../../model/finding.ts";
import type { GuardrailExceptionSpec, GuardrailRuleSpec, GuardrailSpec } from "../../model/generated/specs.ts";
import { interpolate } from "../../model/interpolate.ts";
import type { CatalogView } from "../../model/kind.ts";
import { didYouMean } from "../../model/nearest.ts";
import type { FieldPath, Resource } from "../../model/resource.ts";
import { inertKind } from "../inert.ts";
import { problem, warning } from "../problem.ts";
import { instant } from "../statement-compile.ts";

type Guardrail = Resource<GuardrailSpec>;

/** What a rule can ask for; exactly one of them. */
const ASKS = [
	"denyActions",
	"requirePermissionsBoundary",
	"denyPlaintextSecrets",
	"maxGrantDuration",
	"requireApprovalFor",
	"privilegeEscalation",
] as const;

/** The shape alone; what the rules say of policies is evaluated by plan/. */
export const guardrail = inertKind<GuardrailSpec>({
	kind: "Guardrail",
	plural: "guardrails",
	platform: true,
	check: (r, c) => {
		const out: Finding[] = [];
		const { enforcement, match, rules, exceptions } = r.spec;
		if (match?.labels !== undefined && enforcement === "Deny") {
			const message = "labels cannot narrow a Deny: the policy's author writes them";
			out.push(
				problem("InvalidGuardrail", message, r.at(["spec", "match", "labels"]), "match accounts, clusters or paths", r.key),
			);
		}
		match?.accounts?.forEach((name, n) => {
			const known = c.accounts.map((a) => a.name);
			if (known.includes(name) || c.broken.has(`Account/${name}`)) return;
			const at = r.at(["spec", "match", "accounts", n], "value");
			out.push(
				problem(
					"UnknownReference",
					`no Account "${name}"`,
					at,
					didYouMean(name, known) ?? `accounts: ${known.join(", ")}`,
					r.key,
				),
			);
		});
		const ids = new Set<string>();
		rules.forEach((rule, n) => {
			const path = ["spec", "rules", n];
			if (ids.has(rule.id)) {
				out.push(
					problem(
						"DuplicateName",
						`rule id "${rule.id}" is there twice`,
						r.at([...path, "id"], "value"),
						"give one another id",
						r.key,
					),
				);
			}
			ids.add(rule.id);
			checkRule(r, rule, path, c, out);
		});
		exceptions?.forEach((e, n) => {
			checkException(r, e, ["spec", "exceptions", n], ids, c, out);
		});
		return out;
	},
});

function checkRule(r: Guardrail, rule: GuardrailRuleSpec, path: FieldPath, c: CatalogView, out: Finding[]): void {
	const asks = ASKS.filter((a) => rule[a] !== undefined);
	if (asks.length !== 1) {
		const message = asks.length === 0 ? `rule "${rule.id}" asks for nothing` : `rule "${rule.id}" asks for ${asks.join(" and ")}`;
		out.push(problem("InvalidGuardrail", message, r.at(path), `exactly one of ${ASKS.join(", ")}`, r.key));
	}
	if (rule.privilegeEscalation !== undefined) {
		const at = r.at([...path, "privilegeEscalation"]);
		out.push(problem("NotInThisVersion", "privilegeEscalation is not in this version", at, "delete the rule", r.key));
	}
	if (rule.exceptResources !== undefined && rule.denyActions === undefined) {
		const at = r.at([...path, "exceptResources"]);
		out.push(problem("InvalidGuardrail", "exceptResources belongs to denyActions", at, "delete it", r.key));
	}
	rule.denyActions?.forEach((action, n) => {
		if (action === "*" || c.actions.matching(action).length > 0) return;
		const near = c.actions.nearest(action);
		const at = r.at([...path, "denyActions", n], "value");
		const message = `${action} matches no action: the rule would never speak`;
		out.push(problem("InvalidGuardrail", message, at, near === null ? undefined : `did you mean ${near}?`, r.key));
	});
	for (const field of ["exceptResources", "requirePermissionsBoundary"] as const) {
		rule[field]?.forEach((text, n) => {
			const { faults } = interpolate(text, { account: null, policy: null, cluster: "x", params: null });
			for (const f of faults)
				out.push(problem("UnknownVariable", f.message, r.at([...path, field, n], "value", f.text), f.fix, r.key));
		});
	}
}

function checkException(
	r: Guardrail,
	e: GuardrailExceptionSpec,
	path: FieldPath,
	ids: ReadonlySet<string>,
	c: CatalogView,
	out: Finding[],
): void {
	if (!ids.has(e.rule)) {
		const fix = didYouMean(e.rule, ids) ?? `rules: ${[...ids].join(", ")}`;
		out.push(problem("UnknownReference", `no rule "${e.rule}" in this guardrail`, r.at([...path, "rule"], "value"), fix, r.key));
	}
	const key = `AccessPolicy/${e.policy}`;
	if (c.get(key) === undefined && !c.broken.has(key)) {
		// A deleted policy must not stop all others: the exception merely speaks of nobody.
		const names = c.ofKind("AccessPolicy").map((p) => p.metadata.name);
		const fix = didYouMean(e.policy, names) ?? "delete the exception";
		out.push(warning("UnknownReference", `no AccessPolicy "${e.policy}"`, r.at([...path, "policy"], "value"), fix, r.key));
	}
	if (instant(e.expiresAt) > c.now) return;
	const { first, last } = r.lines(path);
	const fix = `delete ${first === last ? `line ${first}` : `lines ${first}-${last}`} of ${r.origin.path}`;
	out.push(
		warning("Expired", `the exception of ${e.policy} from ${e.rule} ended at ${instant(e.expiresAt)}`, r.at(path), fix, r.key),
	);
}
