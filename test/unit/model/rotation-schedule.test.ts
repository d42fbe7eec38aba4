import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
	dueAt,
	nextDue,
	parseWindow,
	type RotationSchedule,
	windowOpen,
	windowOpens,
} from "../../../controller/model/rotation-schedule.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const NOW = Date.parse("2026-11-24T09:00:00Z");

const every = (ms: number, window: string | null = null): RotationSchedule => ({
	everyMs: ms,
	cron: null,
	timeZone: "UTC",
	window: window === null ? null : opened(window),
});

function opened(text: string) {
	const window = parseWindow(text);
	if (typeof window === "string") throw new Error(window);
	return window;
}

describe("a window", () => {
	test.each([
		["Sun 02:00-04:00 Europe/Berlin", { cron: "0 2 * * SUN", lengthMs: 2 * HOUR, timeZone: "Europe/Berlin" }],
		["Mon-Fri 22:30-02:00 UTC", { cron: "30 22 * * MON-FRI", lengthMs: 3.5 * HOUR, timeZone: "UTC" }],
		["Sat,Sun 00:00-24:00 UTC", { cron: "0 0 * * SAT,SUN", lengthMs: DAY, timeZone: "UTC" }],
		["Sat-Mon 02:00-04:00 UTC", { cron: "0 2 * * SAT,SUN,MON", lengthMs: 2 * HOUR, timeZone: "UTC" }],
		["Wed,Fri-Sun 02:00-04:00 UTC", { cron: "0 2 * * WED,FRI,SAT,SUN", lengthMs: 2 * HOUR, timeZone: "UTC" }],
		["daily 01:00-03:00 UTC", { cron: "0 1 * * *", lengthMs: 2 * HOUR, timeZone: "UTC" }],
	])("%s", (text, window) => {
		expect(parseWindow(text)).toEqual(window);
	});

	test.each([
		["Sunday 02:00-04:00 UTC", 'expected days, times and a time zone, as in "Sun 02:00-04:00 Europe/Berlin"'],
		["Sun 2-4 UTC", 'expected days, times and a time zone, as in "Sun 02:00-04:00 Europe/Berlin"'],
		["Sam 02:00-04:00 UTC", 'no day is named "sam": sun, mon, tue, wed, thu, fri, sat, or daily'],
		["Sun 25:00-26:00 UTC", "no such time of day: 25:00-26:00"],
		["Sun 02:00-02:00 UTC", "it ends when it begins"],
	])("%s is refused", (text, fault) => {
		expect(parseWindow(text)).toBe(fault);
	});

	test("opens by the wall clock of its time zone, in summer as in winter", () => {
		const schedule = every(30 * DAY, "Sun 02:00-04:00 Europe/Berlin");
		const inHalf = (day: string, utc: string): boolean => windowOpen(schedule, "k", Date.parse(`${day}T${utc}Z`));
		// The second half is everybody's: the first is shared out.
		expect(inHalf("2026-11-29", "02:30:00")).toBe(true);
		expect(inHalf("2026-11-29", "03:00:00")).toBe(false);
		expect(inHalf("2026-07-05", "01:30:00")).toBe(true);
		expect(inHalf("2026-07-05", "02:00:00")).toBe(false);
		expect(inHalf("2026-11-28", "02:30:00")).toBe(false);
	});

	// On 29 March 2026 Berlin has no time from 02:00 to 03:00, and on 25 October it has that hour twice.
	test.each([
		["Sat 23:00-04:00 Europe/Berlin", "2026-03-29T01:59:00Z", true],
		["Sat 23:00-04:00 Europe/Berlin", "2026-03-29T02:00:00Z", false],
		["Sun 02:00-04:00 Europe/Berlin", "2026-03-29T01:59:00Z", true],
		["Sun 02:00-04:00 Europe/Berlin", "2026-03-29T02:00:00Z", false],
		["Sun 02:00-02:30 Europe/Berlin", "2026-03-29T01:29:00Z", true],
		["Sun 02:00-02:30 Europe/Berlin", "2026-03-29T01:30:00Z", false],
		["Sat 23:00-01:00 Europe/Berlin", "2026-10-24T22:59:00Z", true],
		["Sat 23:00-01:00 Europe/Berlin", "2026-10-24T23:00:00Z", false],
	])("%s is open at %s: %s", (window, at, open) => {
		expect(windowOpen(every(30 * DAY, window), "k", Date.parse(at))).toBe(open);
	});

	const day = fc.constantFrom("Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat");
	const days = fc.oneof(
		fc.constant("daily"),
		fc
			.array(
				fc.oneof(
					day,
					fc.tuple(day, day).map(([a, b]) => `${a}-${b}`),
				),
				{ minLength: 1, maxLength: 3 },
			)
			.map((d) => d.join(",")),
	);
	const clock = fc
		.tuple(fc.integer({ min: 0, max: 23 }), fc.integer({ min: 0, max: 59 }))
		.map((t) => t.map((n) => String(n).padStart(2, "0")).join(":"));
	const zone = fc.constantFrom("UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe");

	test("that can be written opens within two weeks, for each key, and is open then", () => {
		fc.assert(
			fc.property(
				days,
				clock,
				clock,
				zone,
				fc.string(),
				fc.integer({ min: NOW, max: NOW + 400 * DAY }),
				(d, from, to, tz, key, now) => {
					fc.pre(from !== to);
					const schedule = every(30 * DAY, `${d} ${from}-${to} ${tz}`);
					const opens = windowOpens(schedule, key, now) ?? Number.NaN;
					expect(opens).toBeGreaterThan(now);
					expect(opens).toBeLessThan(now + 14 * DAY);
					expect(windowOpen(schedule, key, opens)).toBe(true);
				},
			),
		);
	});

	test("lets each key in at its own moment of the first half", () => {
		const schedule = every(30 * DAY, "daily 01:00-03:00 UTC");
		const opens = Array.from({ length: 200 }, (_, n) => windowOpens(schedule, `SecretRotation/r${n}`, NOW) ?? 0);
		const first = Date.parse("2026-11-25T01:00:00Z");
		expect(Math.min(...opens)).toBeGreaterThanOrEqual(first);
		expect(Math.max(...opens)).toBeLessThan(first + HOUR);
		expect(new Set(opens).size).toBeGreaterThan(150);
	});
});

describe("what is due", () => {
	test("nothing, before its time", () => {
		expect(dueAt(every(30 * DAY), NOW - 29 * DAY, "k", NOW)).toBeNull();
	});

	test("by cron, the latest beginning since the last rotation", () => {
		const monthly: RotationSchedule = { everyMs: null, cron: "0 3 1 * *", timeZone: "UTC", window: null };
		expect(dueAt(monthly, Date.parse("2026-10-15T00:00:00Z"), "k", NOW)).toBe(Date.parse("2026-11-01T03:00:00Z"));
		expect(dueAt(monthly, Date.parse("2026-11-01T03:00:00Z"), "k", NOW)).toBeNull();
		expect(nextDue(monthly, Date.parse("2026-11-01T03:00:00Z"), "k", NOW)).toBe(Date.parse("2026-12-01T03:00:00Z"));
	});

	const times = { since: fc.integer({ min: 0, max: 4e12 }), later: fc.integer({ min: 0, max: 400 * DAY }), key: fc.string() };
	const period = fc.integer({ min: 10 * 60_000, max: 90 * DAY });

	test("lies after the last rotation by at least the time that git says, and not in the future", () => {
		fc.assert(
			fc.property(period, times.since, times.later, times.key, (ms, since, later, key) => {
				const due = dueAt(every(ms), since, key, since + later);
				if (due === null) return;
				expect(due).toBeGreaterThanOrEqual(since + ms);
				expect(due).toBeLessThanOrEqual(since + later);
			}),
		);
	});

	test("is due at the next due moment, and at none in between", () => {
		fc.assert(
			fc.property(period, times.since, times.later, times.key, (ms, since, later, key) => {
				const now = since + later;
				const next = nextDue(every(ms), since, key, now) ?? Number.NaN;
				expect(next).toBeGreaterThan(now);
				expect(dueAt(every(ms), since, key, next)).toBe(next);
				expect(dueAt(every(ms), since, key, next - 1)).toBe(dueAt(every(ms), since, key, now));
			}),
		);
	});
});
