import { Cron } from "croner";

/** When something begins again and again. All times are milliseconds since the epoch. */
export interface Recurrence {
	/** The latest beginning at or before `at`; null: there was none. */
	readonly last: (at: number) => number | null;
	/** The first beginning after `at`; null: there is none. */
	readonly next: (at: number) => number | null;
}

const MINUTE_MS = 60_000;

/**
 * Five fields, as crontab(5) has them: minute, hour, day of month, month, day of week; where both days are given, either
 * does. By the wall clock of `timeZone`: a time that a change to summer time leaves out is made up for at its end, and one
 * that occurs twice counts once; but for fields with `*` or a step, which go by the hours that there are. Throws where
 * `cronFault` has something to say, or `isTimeZone` says no.
 */
export function recurrence(cron: string, timeZone: string): Recurrence {
	const pattern = new Cron(cron, { timezone: timeZone, mode: "5-part", fixedTimeRule: "no-wildcard", paused: true });
	// Every beginning is at a full minute: what lies between two of them is of the earlier.
	const minute = (at: number): number => Math.floor(at / MINUTE_MS) * MINUTE_MS;
	return {
		last: (at) => pattern.previousRuns(1, new Date(minute(at) + MINUTE_MS))[0]?.getTime() ?? null,
		next: (at) => pattern.nextRun(new Date(minute(at)))?.getTime() ?? null,
	};
}

/** What is wrong with the five fields; null: nothing. */
export function cronFault(cron: string): string | null {
	const fields = cron.trim().split(/\s+/);
	if (fields.length !== 5) {
		return `it has ${fields.length === 1 ? "1 field" : `${fields.length} fields`} and needs 5: minute, hour, day of month, month, day of week`;
	}
	try {
		return recurrence(cron, "UTC").next(0) === null ? "it never begins" : null;
	} catch (error) {
		const words = error instanceof Error ? error.message.replace(/^CronPattern: /, "").replace(/\.$/, "") : String(error);
		return words.charAt(0).toLowerCase() + words.slice(1);
	}
}

/** A name of the IANA time zone database that this machine knows. */
export function isTimeZone(timeZone: string): boolean {
	try {
		return new Intl.DateTimeFormat("en", { timeZone }).resolvedOptions().timeZone !== "";
	} catch {
		return false;
	}
}
