import { type Desired, isRotation } from "../model/desired.ts";
import type { Finding } from "../model/finding.ts";
import type { Plan, Step } from "../model/plan.ts";
import type { RotationView } from "../model/rotation-view.ts";
import { targetId } from "../model/target.ts";
import { planBinding } from "./binding.ts";
import { chain } from "./chain.ts";
import { checkGuardrails, type GuardrailInput, guardrailDecision, looksForPlaintext } from "./guardrails.ts";
import type { PlanInput } from "./input.ts";
import { DEFAULT_QUOTAS } from "./quotas.ts";
import { sealed } from "./rechain.ts";
import { diffRole } from "./role.ts";
import { planRotation } from "./rotation/plan-rotation.ts";
import { trustFindings } from "./trust-check.ts";
import { isWorkload, roleUseFindings, verifyWorkload } from "./workloads.ts";

/**
 * What one resource instance wants done in its account, as plain data. Pure: the same input gives the same plan, and
 * what it plans for a role depends on that role and on git alone. Budgets and Approvals come after, over all plans of an
 * account: applyBudgets.
 */
export function planInstance(input: PlanInput): Plan {
	const steps: Step[] = [];
	const guarded: GuardrailInput = {
		...input,
		instance: { key: input.key, resource: input.resource, account: input.account },
		observed: input.offline === true ? null : input.observed,
	};
	const guardrails = checkGuardrails(guarded);
	const decide = guardrailDecision(guarded, guardrails);
	const findings: Finding[] = [...input.findings, ...guardrails];
	const busy = new Set<string>();
	const roles = input.desired.filter((d): d is Desired<"iam.role"> => d.target.type === "iam.role");
	const workloads = input.offline === true ? [] : input.desired.filter(isWorkload);
	for (const d of roles) {
		const diff = diffRole(d, input);
		findings.push(...diff.findings);
		const made = chain(diff.drafts, {
			target: diff.target,
			start: diff.start,
			access: input,
			quotas: input.quotas ?? DEFAULT_QUOTAS,
			decide,
		});
		steps.push(...made);
		if (made.length > 0 || diff.findings.some((f) => f.severity === "error")) busy.add(targetId(d.target));
	}
	// Where a guardrail speaks of values in plain text, it names each, and the rule.
	const told = looksForPlaintext(guarded);
	const roleSteps = [...steps];
	for (const d of workloads) {
		const diff = d.wanted.mode === "Enforce" ? planBinding(d, input, { roleSteps, decide }) : verifyWorkload(d, input);
		findings.push(...diff.findings.filter((f) => !told || f.id !== "PlaintextSecret"));
		steps.push(...diff.steps);
		if (diff.steps.length > 0) busy.add(targetId(d.target));
	}
	let rotation: RotationView | null = null;
	const secrets = input.offline === true ? [] : input.desired.filter(isRotation);
	for (const d of secrets) {
		const diff = planRotation(d, input);
		findings.push(...diff.findings);
		steps.push(...diff.steps);
		rotation = diff.view;
		if (diff.steps.length > 0) busy.add(targetId(d.target));
	}
	if (input.offline !== true) findings.push(...roleUseFindings(input), ...trustFindings(input));
	return sealed({
		key: input.key,
		account: input.account.name,
		origin: input.origin,
		summary: summaryOf(steps),
		steps,
		findings,
		...(rotation !== null && { rotation }),
		roles: roles.length,
		workloads: workloads.length,
		unchanged: roles.length + workloads.length + secrets.length - busy.size,
	});
}

/** The one word for a plan: what it is about, also where it waits; `wait` where nothing could be called anyway. */
export function summaryOf(steps: readonly Step[]): Plan["summary"] {
	const calls = steps.filter((s) => s.call.api !== "none");
	if (steps.length === 0) return "unchanged";
	if (calls.length === 0) return "wait";
	if (calls.some((s) => s.call.api === "iam:CreateRole")) return "create";
	if (calls.some((s) => s.why === "adopted")) return "adopt";
	if (calls.some((s) => s.why === "removed-from-git")) return "delete";
	if (calls.some((s) => s.why === "spec-changed" || s.why === "missing" || s.why === "rotation" || s.why === "failed"))
		return "update";
	if (calls.some((s) => s.why === "renamed")) return "rename";
	return calls.some((s) => s.why === "drifted") ? "heal" : "expire";
}
