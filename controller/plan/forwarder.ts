import type { Desired } from "../model/desired.ts";
import { forwarderName } from "../model/event-home.ts";
import type { Arn } from "../model/ids.ts";
import type { Plan } from "../model/plan.ts";
import type { Origin } from "../model/resource.ts";
import { chain } from "./chain.ts";
import type { PlanInput } from "./input.ts";
import { DEFAULT_QUOTAS } from "./quotas.ts";
import { sealed } from "./rechain.ts";
import { diffRole } from "./role.ts";
import type { KnownAccount } from "./trigger-wanted.ts";

/**
 * The role by which EventBridge puts events on the bus at home (aws-facts §10: asked for across regions and accounts). It
 * may do that and nothing else, and only for rules of its own account
 * (https://docs.aws.amazon.com/eventbridge/latest/userguide/cross-service-confused-deputy-prevention.html).
 */
export function forwarderRole(installation: string, account: KnownAccount, bus: Arn, origin: Origin): Desired<"iam.role"> {
	return {
		target: { type: "iam.role", account: account.accountId, region: "global", name: forwarderName(installation) },
		origin,
		wanted: {
			path: account.rolePath,
			trust: {
				Version: "2012-10-17",
				Statement: [
					{
						Effect: "Allow",
						Principal: { Service: ["events.amazonaws.com"] },
						Action: ["sts:AssumeRole"],
						Condition: { StringEquals: { "aws:SourceAccount": [account.accountId] } },
					},
				],
			},
			statements: [
				{
					statement: { Effect: "Allow", Action: ["events:PutEvents"], Resource: [bus] },
					origin,
					expiresAt: null,
					from: null,
				},
			],
			expired: [],
			managedPolicies: [],
			permissionsBoundary: account.permissionsBoundary,
			tags: {},
			adopt: false,
			drift: "Enforce",
			exclusive: true,
			ignore: { inlinePolicies: [], managedPolicies: [] },
			deletion: "orphan",
			suspended: false,
			renamedFrom: null,
		},
	};
}

/** No guardrail is asked: what it may do is this program's own word, and no document of git's can widen it. */
export function planForwarder(wanted: Desired<"iam.role">, input: PlanInput): Plan {
	const diff = diffRole(wanted, input);
	const steps = chain(diff.drafts, {
		target: diff.target,
		start: diff.start,
		access: input,
		quotas: input.quotas ?? DEFAULT_QUOTAS,
	});
	return sealed({
		key: input.key,
		account: input.account.name,
		origin: input.origin,
		summary: steps.length === 0 ? "unchanged" : "update",
		steps,
		findings: diff.findings,
		roles: 1,
		workloads: 0,
		unchanged: steps.length === 0 ? 1 : 0,
	});
}
