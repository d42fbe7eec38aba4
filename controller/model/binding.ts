import { digest } from "./digest.ts";
import type { Arn, Digest, Region, Tags } from "./ids.ts";
import { MARK } from "./marks.ts";
import { matchSecretRef } from "./secret-ref.ts";
import type { Binding, Bound, ServiceState } from "./target.ts";

/** Where a task runs: a parameter without an ARN lies there. */
export interface TaskPlace {
	readonly region: Region;
	readonly account: string;
}

/**
 * The tag of a revision that is made of `base` for `wanted` (KINDS.md, Binding). The same wish on the same base is the same
 * digest, whoever asks and however often, so that what was registered is found again and what failed is not tried twice.
 */
export function bindingDigest(wanted: Partial<Binding>, base: Arn): Digest {
	return digest({ wanted, base });
}

export function bindingTags(bound: Bound): Tags {
	return { [MARK.binding]: bound.digest, [MARK.bindingBase]: bound.base };
}

/** Null: not made by us, or the tags are not whole. */
export function boundOf(tags: Tags): Bound | null {
	const [tag, base] = [tags[MARK.binding], tags[MARK.bindingBase]];
	return tag === undefined || base === undefined || !/^sha256:[0-9a-f]{64}$/.test(tag) ? null : { digest: tag as Digest, base };
}

/** What of `wanted` is not so; empty: all of it is. Roles must be ARNs. */
export function bindingDifference(wanted: Partial<Binding>, live: Binding, place: TaskPlace): Partial<Binding> {
	const secrets = Object.entries(wanted.secrets ?? {}).filter(([name, ref]) => {
		const there = live.secrets[name];
		return there === undefined || !matchSecretRef(ref, there, place).matches;
	});
	return {
		...(wanted.taskRole !== undefined && wanted.taskRole !== live.taskRole && { taskRole: wanted.taskRole }),
		...(wanted.executionRole !== undefined &&
			wanted.executionRole !== live.executionRole && { executionRole: wanted.executionRole }),
		...(secrets.length > 0 && { secrets: Object.fromEntries(secrets) }),
	};
}

export function isBound(wanted: Partial<Binding>, live: Binding, place: TaskPlace): boolean {
	return Object.keys(bindingDifference(wanted, live, place)).length === 0;
}

/** Made by us for this very wish: a copy of our tags on what does not fulfil it is not ours. */
export function isOurs(
	revision: Binding & { readonly bound?: Bound | null },
	wanted: Partial<Binding>,
	place: TaskPlace,
): boolean {
	const { bound } = revision;
	return bound != null && bound.digest === bindingDigest(wanted, bound.base) && isBound(wanted, revision, place);
}

/**
 * What a service must still be like immediately before an update: what it runs and which deployments there are, and not how
 * many tasks, which changes all the time.
 */
export function serviceFingerprint(state: Pick<ServiceState, "taskDefinition" | "rollouts" | keyof Binding>): Digest {
	const { taskDefinition, taskRole, executionRole, secrets } = state;
	const deployments = state.rollouts?.deployments.map((d) => ({ id: d.id, status: d.status, rollout: d.rollout }));
	return digest({ taskDefinition, taskRole, executionRole, secrets, deployments });
}
