import type { Usage } from "../../model/derived.ts";
import type { Instant } from "../../model/ids.ts";

/** KINDS.md, Derived execution role. */
const KEPT_UNUSED_MS = 7 * 24 * 3_600_000;

/**
 * What a role grants from now on, and what is to be remembered of it. What is needed is there at once; what nothing needs
 * any more goes when it was seen unneeded for seven days, whatever happened while nobody looked.
 */
export function nextUsage(pass: {
	readonly needed: ReadonlySet<string>;
	/** Undefined: nothing is remembered. Then what the role grants was in use, as far as anybody knows. */
	readonly remembered: Usage | undefined;
	/** What the role grants, and may go on granting. */
	readonly granted: readonly string[];
	/** False: not all that may need something could be looked at, so that nothing was seen unneeded. */
	readonly complete: boolean;
	readonly now: Instant;
}): Usage {
	const { needed, remembered, granted, complete, now } = pass;
	const before: Usage = remembered ?? Object.fromEntries(granted.map((n) => [n, null]));
	const next: [string, Instant | null][] = [...needed].map((n) => [n, null]);
	for (const [text, since] of Object.entries(before)) {
		if (needed.has(text)) continue;
		const unused = since === null ? (complete ? now : null) : earlier(since, now);
		const over = unused !== null && complete && Date.parse(now) - Date.parse(unused) >= KEPT_UNUSED_MS;
		if (!over) next.push([text, unused]);
	}
	return Object.fromEntries(next.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** The clock may have been ahead: from now on seven days, and not more. */
function earlier(since: Instant, now: Instant): Instant {
	return since < now ? since : now;
}
