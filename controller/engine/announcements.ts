import type { Announcement } from "../model/announcement.ts";
import { asError } from "../model/errors.ts";
import type { Announcer, Clock } from "../model/ports.ts";

export interface AnnouncementsDeps {
	readonly announcer: Announcer;
	readonly clock: Clock;
	readonly observe: (event: AnnouncementsEvent) => void;
}

/** For logs and metrics. */
export type AnnouncementsEvent =
	| { readonly type: "announced"; readonly count: number }
	/** They are tried again; once a reason, until they can be sent. */
	| { readonly type: "unheard"; readonly error: Error; readonly waiting: number }
	/** Given up: too many wait, or EventBridge refuses it whenever it is asked. */
	| { readonly type: "lost"; readonly announcement: Announcement; readonly why: string };

export interface Announcements {
	/** Never throws and never waits: what is done in AWS does not depend on who hears of it. */
	readonly add: (announcement: Announcement) => void;
	/** Sends what was added, until aborted. Never rejects. */
	readonly run: (signal: AbortSignal) => Promise<void>;
	/** Sends what is left, each once more, within `seconds`. Never rejects. */
	readonly flush: (seconds: number) => Promise<void>;
	readonly waiting: () => number;
}

/** Of an event each takes some hundred bytes: what waits fits in memory, and half a day's outage loses the oldest. */
const MOST_WAITING = 5_000;
const ATTEMPTS = 20;
const BATCH = 100;
const RETRY_MS = { first: 1_000, longest: 60_000 } as const;

/** Sends announcements behind what is worked at, in their order as far as they are taken. */
export function createAnnouncements(deps: AnnouncementsDeps): Announcements {
	const { announcer, clock, observe } = deps;
	let waiting: { readonly announcement: Announcement; readonly attempts: number }[] = [];
	let wake: (() => void) | null = null;
	let said: string | null = null;

	/** False where it must be tried again later. */
	const sendSome = async (signal: AbortSignal): Promise<boolean> => {
		const batch = waiting.slice(0, BATCH);
		try {
			const results = await announcer.announce(
				batch.map((b) => b.announcement),
				signal,
			);
			waiting = waiting.slice(batch.length);
			const again = batch.flatMap((b, n) => {
				const result = results[n];
				if (result === undefined || result.result === "sent") return [];
				if (result.result === "retry" && b.attempts + 1 < ATTEMPTS) return [{ ...b, attempts: b.attempts + 1 }];
				observe({ type: "lost", announcement: b.announcement, why: result.why });
				return [];
			});
			waiting = [...again, ...waiting];
			const sent = results.filter((r) => r.result === "sent").length;
			if (sent > 0) observe({ type: "announced", count: sent });
			if (again.length === 0) said = null;
			return again.length === 0;
		} catch (cause) {
			if (signal.aborted) return false;
			const error = asError(cause);
			if (said !== error.message) observe({ type: "unheard", error, waiting: waiting.length });
			said = error.message;
			return false;
		}
	};
	const flush = async (seconds: number): Promise<void> => {
		const signal = AbortSignal.timeout(seconds * 1_000);
		while (waiting.length > 0 && !signal.aborted) if (!(await sendSome(signal))) return;
	};
	const added = (signal: AbortSignal): Promise<void> =>
		new Promise((resolve) => {
			wake = resolve;
			signal.addEventListener("abort", () => resolve(), { once: true });
		});
	return {
		add: (announcement) => {
			waiting.push({ announcement, attempts: 0 });
			if (waiting.length > MOST_WAITING) {
				const [oldest, ...rest] = waiting;
				waiting = rest;
				if (oldest !== undefined) observe({ type: "lost", announcement: oldest.announcement, why: "too many wait" });
			}
			wake?.();
		},
		run: async (signal) => {
			let failures = 0;
			while (!signal.aborted) {
				if (waiting.length === 0) await added(signal);
				else if (await sendSome(signal)) failures = 0;
				else if (!signal.aborted) {
					const wait = Math.min(RETRY_MS.longest, RETRY_MS.first * 2 ** failures++);
					await clock.sleep(wait, signal).catch(() => {});
				}
			}
		},
		flush,
		waiting: () => waiting.length,
	};
}
