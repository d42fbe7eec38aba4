import type { Instant } from "./ids.ts";

/**
 * Where a rotation stands. In order: `idle` (nothing is due), `due`, `begun` (the intent is marked), `pending` (the new
 * value is there), `set` (the provider has it), `tested`, `promoted` (it is current), `rolling`, `verifying`, `waiting`
 * (until the old one is retired), `retiring`. `reverting`: on its way back. `failed`: it went back, and is not tried again
 * by itself before its next turn.
 */
export type RotationPhase =
	| "idle"
	| "due"
	| "begun"
	| "pending"
	| "set"
	| "tested"
	| "promoted"
	| "rolling"
	| "verifying"
	| "waiting"
	| "retiring"
	| "reverting"
	| "failed";

/** One consumer of a secret, as people see it: `3 current / 1 stale`. */
export interface ConsumerView {
	readonly kind: "service" | "family" | "rule";
	/** `prod/orders-api`, a family's name, a rule's ARN. */
	readonly name: string;
	/** In which wave it is restarted, from 1; null: it is not. */
	readonly wave: number | null;
	/** Tasks with the new value, and with another; null: not counted. */
	readonly current: number | null;
	readonly stale: number | null;
	/**
	 * `restart`: its turn comes; `rolling`; `current`: it has the new value; `failed`; `self`: it fetches the value itself;
	 * `pinned`: it names a version; `unaffected`: it injects a key that does not change; `next run`: a family's next task
	 * reads it; `blocked`: it cannot be restarted from here.
	 */
	readonly state: "restart" | "rolling" | "current" | "failed" | "self" | "pinned" | "unaffected" | "next run" | "blocked";
	/** Why, in words; null: nothing to add. */
	readonly note: string | null;
}

/** A line of what a rotation does, in its order. */
export interface RotationLine {
	readonly is: "done" | "now" | "to come";
	readonly words: string;
}

/** What `plan` shows of a rotation, and `describe` of one that runs. Never a value. */
export interface RotationView {
	/** Name of the secret. */
	readonly secret: string;
	readonly strategy: "generate" | "oauthClient" | "lambda" | "external";
	readonly phase: RotationPhase;
	/** The rotation's id, which is its version's too; null: none is under way. */
	readonly id: string | null;
	/** Why it begins, or began: `due since …`, `asked for by …: reason`. Empty while it is idle. */
	readonly because: string;
	/** When the next one is due; null: only when asked. */
	readonly dueAt: Instant | null;
	/** When it was current last anew; null: never by us. */
	readonly rotatedAt: Instant | null;
	readonly lines: readonly RotationLine[];
	/** What would be done if it failed, as things stand. */
	readonly wayBack: string;
	readonly consumers: readonly ConsumerView[];
	/** Why the last one failed; null: it did not. */
	readonly failure: string | null;
	/** When to look again; null: when something happens, or at the next resync. */
	readonly lookAt: Instant | null;
}
