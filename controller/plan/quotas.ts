import type { Finding } from "../model/finding.ts";
import type { ResourceKey } from "../model/ids.ts";
import type { StepCall } from "../model/plan.ts";
import type { Origin } from "../model/resource.ts";
import type { RoleState } from "../model/target.ts";
import { countedSize } from "../policy/size.ts";

/** Limits of one role (aws-facts §2). */
export interface Quotas {
	/** Adjustable in an account, so this is the default. */
	readonly attachedPolicies: number;
	/** Characters of all inline documents together, white space apart; not adjustable. */
	readonly inlineCharacters: number;
	/** Characters of the trust policy; adjustable, so this is the default. */
	readonly trustCharacters: number;
}

export const DEFAULT_QUOTAS: Quotas = { attachedPolicies: 10, inlineCharacters: 10_240, trustCharacters: 2_048 };

/** From here on a role is worth a word: the next statement or two will not fit. */
const NEAR = 0.9;

interface Figure {
	readonly what: string;
	readonly used: number;
	readonly limit: number;
}

function figures(s: RoleState, q: Quotas): readonly Figure[] {
	return [
		{ what: "characters of inline policies", used: countedSize(Object.values(s.inline)), limit: q.inlineCharacters },
		{ what: "attached policies", used: s.managedPolicies.length, limit: q.attachedPolicies },
		{ what: "characters of trust policy", used: countedSize([s.trust]), limit: q.trustCharacters },
	];
}

/** Why IAM would refuse the call in the state before it, in figures; null when the state after it fits. */
export function overQuota(before: RoleState | null, after: RoleState | null, call: StepCall, q: Quotas): string | null {
	if (after === null || !GROWS.has(call.api)) return null;
	const was = before === null ? [] : figures(before, q);
	const over = figures(after, q).find((f, n) => f.used > f.limit && f.used > (was[n]?.used ?? 0));
	return over === undefined ? null : `the role would hold ${over.used} ${over.what}, and the limit is ${over.limit}`;
}

const GROWS: ReadonlySet<StepCall["api"]> = new Set([
	"iam:CreateRole",
	"iam:PutRolePolicy",
	"iam:AttachRolePolicy",
	"iam:UpdateAssumeRolePolicy",
]);

/** The figures of what git wants: an error over a limit, a note near it, nothing else. */
export function quotaFindings(name: string, wanted: RoleState, q: Quotas, origin: Origin, key: ResourceKey): readonly Finding[] {
	return figures(wanted, q)
		.filter((f) => f.used >= f.limit * NEAR)
		.map((f): Finding => {
			const over = f.used > f.limit;
			const percent = Math.round((f.used / f.limit) * 100);
			return {
				id: over ? "QuotaExceeded" : "QuotaNear",
				severity: over ? "error" : "note",
				message: `role ${name} needs ${f.used} ${f.what}, ${percent} % of ${f.limit}`,
				fix: "use wildcards or a shared managed policy, or split the workload's role",
				origin,
				key,
				subject: `role ${name}`,
			};
		});
}
