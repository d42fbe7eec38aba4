import { setTimeout as delay } from "node:timers/promises";
import type { Clock } from "../model/ports.ts";

/** The machine's own clock. */
export function createClock(): Clock {
	return {
		now: () => new Date().toISOString().replace(/\.\d+Z$/, "Z"),
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
