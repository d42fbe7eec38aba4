import type { Clock } from "../../../controller/model/ports.ts";

export interface FakeClock extends Clock {
	/** Lets time pass, waking sleepers in their order, and their continuations with them. */
	readonly advance: (ms: number) => Promise<void>;
}

export function createFakeClock(start = Date.parse("2026-11-24T09:00:00Z")): FakeClock {
	let now = start;
	const sleepers = new Set<{ at: number; wake: () => void }>();
	return {
		now: () => new Date(now).toISOString().replace(/\.\d+Z$/, "Z"),
		millis: () => now,
		sleep: (ms, signal) =>
			new Promise((resolve, reject) => {
				if (signal.aborted) return reject(signal.reason);
				const sleeper = {
					at: now + ms,
					wake: () => {
						signal.removeEventListener("abort", stop);
						sleepers.delete(sleeper);
						resolve();
					},
				};
				const stop = (): void => {
					sleepers.delete(sleeper);
					reject(signal.reason);
				};
				signal.addEventListener("abort", stop, { once: true });
				sleepers.add(sleeper);
			}),
		advance: async (ms) => {
			const end = now + ms;
			for (;;) {
				const [next] = [...sleepers].filter((s) => s.at <= end).sort((a, b) => a.at - b.at);
				if (next === undefined) break;
				now = Math.max(now, next.at);
				next.wake();
				await settled();
			}
			now = end;
			await settled();
		},
	};
}

/** Everything that was ready to go on has gone on. */
function settled(): Promise<void> {
	return new Promise((resolve) => setImmediate(resolve));
}
