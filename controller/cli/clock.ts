import { setTimeout as delay } from "node:timers/promises";
import { instantAt } from "../model/instant.ts";
import type { Clock } from "../model/ports.ts";

/** The machine's own clock. */
export function createClock(): Clock {
	return {
		now: () => instantAt(Date.now()),
		millis: () => Date.now(),
		sleep: async (ms, signal) => {
			try {
				await delay(ms, undefined, { signal });
			} catch (error) {
				// The timer wraps the reason; callers match the reason itself.
				throw signal.aborted ? signal.reason : error;
			}
		},
	};
}
