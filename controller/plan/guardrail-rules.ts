import type { Account } from "../model/account.ts";
import type { GuardrailRuleSpec, GuardrailSpec } from "../model/generated/specs.ts";
import type { Instant } from "../model/ids.ts";
import type { CatalogView } from "../model/kind.ts";
import type { StepState } from "../model/plan.ts";
import type { Origin, Resource } from "../model/resource.ts";
import { glob, matches } from "../policy/glob.ts";

/** What a guardrail's `match` is asked about; null: not known any more, which matches (the policy is gone from git). */
export interface GuardedPolicy {
	readonly name: string;
	readonly path: string | null;
	readonly labels: Readonly<Record<string, string>> | null;
	readonly clusters: readonly string[] | null;
}

export interface RuleInForce {
	readonly guardrail: Resource<GuardrailSpec>;
	readonly rule: GuardrailRuleSpec;
	readonly origin: Origin;
}

export interface RuleScope {
	readonly view: CatalogView;
	readonly account: Account;
	readonly policy: GuardedPolicy;
	readonly now: Instant;
}

/** The rules that bind one policy in one account, without those it is excepted from today. */
export function rulesFor(scope: RuleScope): readonly RuleInForce[] {
	return scope.view.ofKind<GuardrailSpec>("Guardrail").flatMap((guardrail): readonly RuleInForce[] => {
		if (!isMatched(guardrail.spec.match, scope)) return [];
		return guardrail.spec.rules.flatMap((rule, n): readonly RuleInForce[] =>
			isExcepted(guardrail.spec, rule, scope) ? [] : [{ guardrail, rule, origin: guardrail.at(["spec", "rules", n]) }],
		);
	});
}

function isMatched(match: GuardrailSpec["match"], { account, policy }: RuleScope): boolean {
	if (match === undefined) return true;
	const anyOf = (patterns: readonly string[] | undefined, values: readonly string[] | null): boolean =>
		patterns === undefined || values === null || values.some((v) => patterns.some((p) => matches(glob(p, false), v) === true));
	return (
		anyOf(match.accounts, [account.name]) &&
		anyOf(match.clusters, policy.clusters) &&
		anyOf(match.paths, policy.path === null ? null : suffixes(policy.path)) &&
		(policy.labels === null || Object.entries(match.labels ?? {}).every(([k, v]) => policy.labels?.[k] === v))
	);
}

/** `policies/teams/a.yaml` may be meant from the repository's root or from the source's. */
function suffixes(path: string): readonly string[] {
	const parts = path.split("/");
	return parts.map((_, n) => parts.slice(n).join("/"));
}

function isExcepted(spec: GuardrailSpec, rule: GuardrailRuleSpec, { policy, now }: RuleScope): boolean {
	return (spec.exceptions ?? []).some(
		(e) => e.policy === policy.name && e.rule === rule.id && Date.parse(e.expiresAt) > Date.parse(now),
	);
}

/** What a rule is called, everywhere. */
export function ruleName({ guardrail, rule }: RuleInForce): string {
	return `${guardrail.metadata.name}/${rule.id}`;
}

export function approvalRules(scope: RuleScope): readonly RuleInForce[] {
	return rulesFor(scope).filter((r) => r.rule.requireApprovalFor !== undefined && r.guardrail.spec.enforcement === "Deny");
}

/** The wait that the first rule which asks for it imposes; null: none does. */
export function approvalFor(
	what: NonNullable<GuardrailRuleSpec["requireApprovalFor"]>[number],
	rules: readonly RuleInForce[],
): StepState | null {
	const asking = rules.find((r) => r.rule.requireApprovalFor?.includes(what));
	return asking === undefined ? null : { waiting: "approval", detail: `guardrail ${ruleName(asking)}`, origin: asking.origin };
}
