import { recurrence } from "./cron.ts";
import { digest } from "./digest.ts";

/** When a secret is rotated, as git says it, taken apart. */
export interface RotationSchedule {
	/** Exactly one of both. */
	readonly everyMs: number | null;
	readonly cron: string | null;
	/** Of `cron`; a window has its own. */
	readonly timeZone: string;
	/** A rotation begins only within it; null: at any time. */
	readonly window: RotationWindow | null;
}

/** `Sun 02:00-04:00 Europe/Berlin`. */
export interface RotationWindow {
	/** Where it opens, as five fields of cron. */
	readonly cron: string;
	readonly lengthMs: number;
	readonly timeZone: string;
}

const DAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
const DAY = "[A-Za-z]{3}(?:-[A-Za-z]{3})?(?:,[A-Za-z]{3}(?:-[A-Za-z]{3})?)*";
const WINDOW = new RegExp(`^(daily|${DAY}) ([0-9]{2}):([0-9]{2})-([0-9]{2}):([0-9]{2}) (\\S+)$`, "i");

/** Days (`daily`, `Sun`, `Mon-Fri`, `Sat,Sun`), from-to, time zone; over midnight where it ends before it begins. A string: what is wrong with it. */
export function parseWindow(text: string): RotationWindow | string {
	const m = WINDOW.exec(text.trim());
	if (m === null) return `expected days, times and a time zone, as in "Sun 02:00-04:00 Europe/Berlin"`;
	const [, days = "", h1 = "", m1 = "", h2 = "", m2 = "", timeZone = ""] = m;
	const daily = days.toLowerCase() === "daily";
	const names = daily ? [] : days.toLowerCase().split(/[,-]/);
	const unknown = names.find((d) => !DAYS.includes(d));
	if (unknown !== undefined) return `no day is named "${unknown}": ${DAYS.join(", ")}, or daily`;
	const [from, to] = [Number(h1) * 60 + Number(m1), Number(h2) * 60 + Number(m2)];
	if (Number(h1) > 23 || Number(h2) > 24 || Number(m1) > 59 || Number(m2) > 59 || to > 24 * 60)
		return `no such time of day: ${h1}:${m1}-${h2}:${m2}`;
	if (from === to) return "it ends when it begins";
	const lengthMs = (to > from ? to - from : to + 24 * 60 - from) * 60_000;
	const cron = `${Number(m1)} ${Number(h1)} * * ${daily ? "*" : days.split(",").map(cronDays).join(",")}`;
	return { cron, lengthMs, timeZone };
}

/** `Sat-Mon` goes over the end of cron's week, which begins on Sunday: its days one by one. */
function cronDays(days: string): string {
	const [from = 0, to = from] = days.split("-").map((d) => DAYS.indexOf(d.toLowerCase()));
	if (from <= to) return days.toUpperCase();
	return [...DAYS.slice(from), ...DAYS.slice(0, to + 1)].join(",").toUpperCase();
}

/** At most an hour, and a tenth of the time between two. */
const LONGEST_JITTER_MS = 3_600_000;

/**
 * The latest moment at which a rotation was due, after `sinceMs` and not after `nowMs`; null: none yet. One that failed is
 * due anew at the next. All times are milliseconds since the epoch. `key` spreads those of one schedule: the same key always
 * by the same share.
 */
export function dueAt(schedule: RotationSchedule, sinceMs: number, key: string, nowMs: number): number | null {
	const { everyMs, cron, timeZone } = schedule;
	const shift = jitterMs(schedule, key);
	if (everyMs !== null) {
		const turns = Math.floor((nowMs - sinceMs - shift) / everyMs);
		return turns >= 1 ? sinceMs + turns * everyMs + shift : null;
	}
	if (cron === null) return null;
	const last = recurrence(cron, timeZone).last(nowMs - shift);
	return last === null || last + shift <= sinceMs ? null : last + shift;
}

/** The first moment after both at which one will be due, and may begin; null: none will. */
export function nextDue(schedule: RotationSchedule, sinceMs: number, key: string, nowMs: number): number | null {
	const { everyMs, cron, timeZone } = schedule;
	const shift = jitterMs(schedule, key);
	const after = Math.max(sinceMs, nowMs);
	let due: number | null = null;
	if (everyMs !== null) due = sinceMs + (Math.max(0, Math.floor((after - sinceMs - shift) / everyMs)) + 1) * everyMs + shift;
	else if (cron !== null) {
		const next = recurrence(cron, timeZone).next(after - shift);
		due = next === null ? null : next + shift;
	}
	if (due === null || windowOpen(schedule, key, due)) return due;
	return windowOpens(schedule, key, due);
}

/** Whether one may begin. In a window each key waits for its own moment of the first half, so that not all begin at once. */
export function windowOpen({ window }: RotationSchedule, key: string, nowMs: number): boolean {
	if (window === null) return true;
	const opened = recurrence(window.cron, window.timeZone).last(nowMs);
	return opened !== null && nowMs >= beginsAt(window, key, opened) && nowMs < closesAt(window, opened);
}

/** When the window opens next for this key; null: never, or there is none. */
export function windowOpens({ window }: RotationSchedule, key: string, nowMs: number): number | null {
	if (window === null) return null;
	const openings = recurrence(window.cron, window.timeZone);
	// The latest opening may still lie ahead for this key.
	const last = openings.last(nowMs);
	if (last !== null && beginsAt(window, key, last) > nowMs) return beginsAt(window, key, last);
	const next = openings.next(nowMs);
	return next === null ? null : beginsAt(window, key, next);
}

/** This key's own moment, in the first half of one opening. */
function beginsAt(window: RotationWindow, key: string, opened: number): number {
	return opened + Math.floor((share(key) * (closesAt(window, opened) - opened)) / 2 / 1000) * 1000;
}

/**
 * By the wall clock, as it is written: a night that is an hour shorter does not end an hour later. Never longer than it is
 * on other days, also where its end is a time that a change to summer time leaves out.
 */
function closesAt({ cron, lengthMs, timeZone }: RotationWindow, opened: number): number {
	const longest = opened + lengthMs;
	const [minute = 0, hour = 0] = cron.split(" ").map(Number);
	const end = hour * 60 + minute + lengthMs / 60_000;
	const written = recurrence(`${end % 60} ${Math.floor(end / 60) % 24} * * *`, timeZone).next(opened);
	return written === null ? longest : Math.min(written, longest);
}

/** A window spreads by itself. */
function jitterMs({ everyMs, window }: RotationSchedule, key: string): number {
	if (everyMs === null || window !== null) return 0;
	return Math.floor((share(key) * Math.min(everyMs / 10, LONGEST_JITTER_MS)) / 1000) * 1000;
}

/** From 0 to below 1, the same for the same key. */
function share(key: string): number {
	return Number.parseInt(digest(key).slice("sha256:".length, "sha256:".length + 8), 16) / 0x1_0000_0000;
}
