import type { Instant } from "./ids.ts";

/** Somebody wants a secret rotated now. */
export interface RotationAsk {
	readonly at: Instant;
	/** Who, as far as it is known: a person on a machine, or an event. */
	readonly by: string;
	readonly reason: string | null;
}
