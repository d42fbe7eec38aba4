import type { Instant } from "./ids.ts";

/** As every time is written here: in UTC, to the second. `ms` since the epoch. */
export function instantAt(ms: number): Instant {
	return new Date(ms).toISOString().replace(/\.\d+Z$/, "Z");
}
