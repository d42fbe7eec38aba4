import type { AnyDesired } from "../model/desired.ts";
import type { Finding } from "../model/finding.ts";
import type { Arn } from "../model/ids.ts";
import { targetId } from "../model/target.ts";
import type { PolicyDocument } from "../policy/document.ts";
import { clusterScopedSourceArn, trustAllows } from "../policy/trust.ts";
import { wantedOf } from "./applied.ts";
import type { PlanInput } from "./input.ts";
import { isWorkload } from "./workloads.ts";

const ECS_TASKS = "ecs-tasks.amazonaws.com";

/** The roles that workloads are to run with, and whose trust policy does not let ECS give them to a task (aws-facts §4.4). */
export function trustFindings(input: PlanInput): readonly Finding[] {
	const asked = new Map<string, { readonly arn: Arn; readonly regions: Set<string>; readonly by: AnyDesired }>();
	for (const d of input.desired.filter(isWorkload)) {
		for (const arn of [d.wanted.binding.taskRole, d.wanted.binding.executionRole]) {
			if (arn == null) continue;
			const entry = asked.get(arn) ?? { arn, regions: new Set<string>(), by: d };
			entry.regions.add(d.wanted.workloadRegion);
			asked.set(arn, entry);
		}
	}
	return [...asked.values()].flatMap(({ arn, regions, by }): readonly Finding[] => {
		const name = arn.slice(arn.lastIndexOf("/") + 1);
		const account = by.target.account;
		const found = trustOf(name, account, input);
		if (found === null) return [];
		const refused = [...regions].filter((region) => !trustAllows(found.trust, ECS_TASKS, account, region)).sort();
		if (refused.length === 0) return [];
		const scoped = clusterScopedSourceArn(found.trust);
		const reason = scoped === null ? "" : `: its aws:SourceArn ${scoped} names a cluster or a task, which ECS does not support`;
		return [
			{
				id: "TrustRefusesEcs",
				severity: "warning",
				message: `the trust policy of role ${name} does not let ECS of ${refused.join(", ")} assume it${reason}`,
				fix: found.managed ? "write trust: { mode: Generated }" : `let ${ECS_TASKS} do sts:AssumeRole in its trust policy`,
				origin: found.managed?.origin ?? by.origin,
				key: input.key,
				subject: `role ${name}`,
			},
		];
	});
}

/** What git says of a managed role's trust, else what is there; null: not known, or not there. */
function trustOf(
	name: string,
	account: string,
	input: PlanInput,
): { readonly trust: PolicyDocument; readonly managed: AnyDesired | null } | null {
	const id = targetId({ type: "iam.role", account, region: "global", name });
	const managed = input.desired.find((d) => targetId(d.target) === id);
	if (managed !== undefined && "trust" in managed.wanted) {
		const observed = input.observed.get(id);
		if (observed?.exists === true && observed.unreadable !== undefined) return null;
		const live = observed?.exists === true && "trust" in observed.state ? observed.state.trust : null;
		const adopted = observed?.exists === true && observed.owner?.adopted === true;
		const trust = wantedOf(managed.wanted, adopted).trust ?? live;
		return trust === null ? null : { trust, managed };
	}
	const fact = input.facts.get({ type: "iam.role", account, name });
	return fact?.type === "iam.role" ? { trust: fact.state.trust, managed: null } : null;
}
