import type { AccountId } from "../model/ids.ts";
import type { Fact, Reference, WorkloadReference } from "../model/reference.ts";
import { type ConsumersDeps, readConsumers } from "./consumers.ts";
import { brief } from "./errors.ts";
import type { ManagedPolicies } from "./managed-policy.ts";
import { type PasserDeps, readPassers } from "./passers.ts";
import { type RevisionsDeps, readRevisions } from "./revisions.ts";
import type { LiveRole } from "./role-read.ts";
import type { Roles } from "./roles.ts";
import { readSecretKey } from "./secret-key.ts";
import { readWorkloads } from "./workload-needs.ts";

export interface ResolverDeps {
	readonly account: AccountId;
	readonly roles: Roles;
	readonly policies: ManagedPolicies;
	readonly passers: PasserDeps;
	readonly revisions: RevisionsDeps;
	readonly consumers: ConsumersDeps;
}

/**
 * Facts for references, in the same order. `absent` is a fact; what could not be read is `unknown`, with the reason, so
 * that one forbidden policy does not end the plan of everything else.
 */
export async function resolveReferences(
	refs: readonly Reference[],
	deps: ResolverDeps,
	signal: AbortSignal,
): Promise<readonly Fact[]> {
	const names = refs.flatMap((r) => (r.type === "iam.role" && r.account === deps.account ? [r.name] : []));
	// All roles in one question: many of them are one sweep.
	const live = await deps.roles.many(names, signal);
	const byName = new Map(names.map((name, n) => [name, live[n]]));
	// Ten services a call.
	const workloads = refs.filter((r) => r.type === "ecs.workload" && r.account === deps.account) as readonly WorkloadReference[];
	const needs = workloads.length === 0 ? [] : await readWorkloads(workloads, deps.revisions, signal);
	const needsOf = new Map<Reference, Fact | undefined>(workloads.map((ref, n) => [ref, needs[n]]));
	return Promise.all(
		refs.map(async (ref): Promise<Fact> => {
			if (ref.account !== deps.account)
				return { type: "unknown", reason: `it is in account ${ref.account}, not in ${deps.account}` };
			switch (ref.type) {
				case "iam.role":
					return roleFact(byName.get(ref.name));
				case "iam.managedPolicy":
					return policyFact(ref.arn, deps.policies, signal);
				case "ecs.revisions":
					return readRevisions(ref, deps.revisions, signal);
				case "ecs.workload":
					return needsOf.get(ref) ?? { type: "unknown", reason: "not answered" };
				case "secret.key":
					return readSecretKey(ref.arn, deps.account, deps.revisions.call, signal);
				case "secret.consumers":
					return readConsumers(ref, deps.consumers, signal);
				case "passers":
					return readPassers(ref.regions, ref.deployers, deps.passers, signal);
			}
		}),
	);
}

function roleFact(role: LiveRole | undefined): Fact {
	if (role === undefined) return { type: "absent" };
	if (role.unreadable !== null) return { type: "unknown", reason: role.unreadable };
	return { type: "iam.role", arn: role.arn, state: role.state };
}

async function policyFact(arn: string, policies: ManagedPolicies, signal: AbortSignal): Promise<Fact> {
	try {
		const document = await policies.document(arn, signal);
		return document === undefined ? { type: "absent" } : { type: "iam.managedPolicy", arn, document };
	} catch (error) {
		signal.throwIfAborted();
		return { type: "unknown", reason: brief(error) };
	}
}
