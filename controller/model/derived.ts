import type { Instant } from "./ids.ts";

/**
 * What a derived execution role grants, by need (`image arn:…:repository/orders`): null while something needs it, else
 * since when it was seen that nothing does.
 */
export type Usage = Readonly<Record<string, Instant | null>>;

/** By role name in lower case: what is remembered of the derived roles of one resource instance. */
export type Usages = Readonly<Record<string, Usage>>;
