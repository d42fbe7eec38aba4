import type { Instant, ResourceKey } from "./ids.ts";

/** Somebody wants a secret rotated now. */
export interface RotationAsk {
	readonly at: Instant;
	/** Who, as far as it is known: a person on a machine, or an event. */
	readonly by: string;
	readonly reason: string | null;
}

/** What was asked for, by the key of the instance. */
export interface Asks {
	readonly get: (key: ResourceKey) => RotationAsk | undefined;
}
