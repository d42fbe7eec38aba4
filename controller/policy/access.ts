/** The words for a change of access; how they are computed is in effect.ts. */

/** `unknown` counts as `broadens` wherever it matters. */
export type AccessEffect = "none" | "narrows" | "broadens" | "both" | "unknown";

/** A concrete request that proves a claim: refused on one side of the change, allowed on the other. */
export interface Witness {
	readonly action: string;
	readonly resource: string;
	/** Condition keys the request carries, lower-case. */
	readonly context: Readonly<Record<string, readonly string[]>>;
}

/** One line of a gain or a loss: `s3:PutObject on arn:aws:s3:::invoices-prod/*`. */
export interface AccessLine {
	/** As written in the statement; `not s3:*` stands for a NotAction. */
	readonly actions: readonly string[];
	/** As written; `not arn:…` stands for a NotResource. */
	readonly resources: readonly string[];
	/** The conditions in words, or null. */
	readonly when: string | null;
	/** Null: not decided; where that is so of every gain, the effect is `unknown`. */
	readonly witness: Witness | null;
}

export interface AccessChange {
	readonly effect: AccessEffect;
	readonly gains: readonly AccessLine[];
	readonly losses: readonly AccessLine[];
}

/** What is in force for one principal: its identity policies together, under a boundary. */
export interface AccessSide {
	readonly documents: readonly import("./document.ts").PolicyDocument[];
	/** Null: no boundary. `unknown`: there is one, whose document cannot be read. */
	readonly boundary: import("./document.ts").PolicyDocument | null | "unknown";
	/** Tells two boundaries apart that cannot be read: without it, two `unknown` ones count as different. */
	readonly boundaryArn?: string;
}
