import type { Culprit, Hint } from "./hint.ts";
import type { Arn, Digest, Instant, ResourceKey } from "./ids.ts";
import type { Target } from "./target.ts";

/** One part of a target that is not as we left it, and what is known of how that came. */
export interface Drift {
	readonly target: Target;
	/** `inline policy "quick-fix"`, `trust policy`, `tags`. */
	readonly part: string;
	/** Of the part as it is now: what is so already told is not told again. */
	readonly live: Digest;
	/** When it was changed, as an event says it; else when it was first seen. */
	readonly since: Instant;
	/** Null: no event told of it. Text of others: escape before it is shown. */
	readonly culprit: Culprit | null;
	/** It stands so in the history. */
	readonly recorded: boolean;
}

/** Somebody changes a target back each time that it was healed (plan/contest.ts). */
export interface Contest {
	readonly target: Target;
	readonly part: string;
	/** How often it was changed back, and over which time. */
	readonly rounds: number;
	readonly since: Instant;
	readonly last: Instant;
	/** Null: no event says who. */
	readonly rival: Culprit | null;
	/** It is healed again from then on, if nothing more was changed. */
	readonly until: Instant;
}

/** What a controller remembers of drift while it runs; a plan on a laptop has the history alone. */
export interface DriftMemory {
	/** By targetId: who changed it lately, as events told, the oldest first. */
	readonly heard: ReadonlyMap<string, readonly Culprit[]>;
	/** What stands and is not healed now, and is in the history. */
	readonly told: ReadonlyMap<ResourceKey, readonly Drift[]>;
}

/** The target that a hint points at; null where it points at none that a resource owns. */
export function targetOfHint(hint: Hint): Target | null {
	switch (hint.type) {
		case "iam.role":
			return { type: "iam.role", account: hint.account, region: "global", name: hint.name };
		case "ecs.service":
			return { type: "ecs.service", account: hint.account, region: hint.region, name: `${hint.cluster}/${hint.name}` };
		case "ecs.family":
			return { type: "ecs.family", account: hint.account, region: hint.region, name: hint.name };
		default:
			return null;
	}
}

/** Who acts, whatever the session is called: of an assumed role its account and name, else the ARN itself. */
export function actorOf(arn: Arn): string {
	const found = /^arn:([^:]+):sts::(\d{12}):assumed-role\/([^/]+)\//.exec(arn);
	return found === null ? arn : `arn:${found[1]}:sts::${found[2]}:assumed-role/${found[3]}`;
}

/** The reconcile id in a user agent of ours (aws/account.ts); anybody can write the same, so it alone proves nothing. */
export function reconcileIdIn(userAgent: string | null): string | null {
	return userAgent === null ? null : (/(?:^|\s)reconcile\/([\w-]+)/.exec(userAgent)?.[1] ?? null);
}
