import type { Instant } from "./ids.ts";
import type { Origin } from "./resource.ts";

/** Why nothing, or nearly nothing, may be written now, whatever a resource asks for. Plain data: it stands in the steps. */
export interface Halt {
	/** `freeze`: by a window of the Installation; what has expired is removed all the same. `paused`: by a person; nothing is. */
	readonly waiting: "freeze" | "paused";
	readonly detail: string;
	/** The line to type that ends it. */
	readonly command?: string;
	/** What to do, before the line. */
	readonly advice?: string;
	/** Where the window stands. */
	readonly origin?: Origin;
}

/** A person's word that nothing is to be written; kept in the control state of the store. */
export interface Pause {
	/** Who asked for it: a caller's ARN, or `user@host`. */
	readonly by: string;
	readonly reason: string;
	readonly since: Instant;
	/** It ends by itself then. */
	readonly until: Instant;
}
