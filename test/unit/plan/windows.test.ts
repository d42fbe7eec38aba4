import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { cronFault, isTimeZone, recurrence } from "../../../controller/model/cron.ts";
import type { InstallationSpec } from "../../../controller/model/generated/specs.ts";
import type { Resource } from "../../../controller/model/resource.ts";
import { freezeAt, nextThaw, type Window, windowsOf } from "../../../controller/plan/windows.ts";
import { origin, resource, view } from "./world.ts";

type WindowSpec = NonNullable<InstallationSpec["windows"]>[number];

const MINUTE = 60_000;

function windows(...specs: readonly WindowSpec[]): readonly Window[] {
	const installation: Resource<InstallationSpec> = {
		...resource("main", { kind: "Installation", key: "Installation/main" }),
		spec: { windows: specs },
		at: (path) => origin(Number(path[2] ?? 0) + 1, "policies/platform/installation.yaml"),
	};
	return windowsOf(view([installation]));
}

function frozenAt(all: readonly Window[], at: string): string | null | "open" {
	const freeze = freezeAt(all, Date.parse(at));
	return freeze === null ? "open" : freeze.until;
}

const WEEKEND: WindowSpec = { kind: "Deny", cron: "0 18 * * FRI", duration: "62h", timeZone: "Europe/Berlin" };
const NIGHTS: WindowSpec = { kind: "Allow", cron: "0 22 * * *", duration: "6h", timeZone: "Europe/Berlin" };

describe("a Deny window", () => {
	test("freezes from its beginning by the wall clock to the end of its length, which is no part of it", () => {
		const all = windows(WEEKEND);
		expect(frozenAt(all, "2026-11-27T16:59:59Z")).toBe("open");
		expect(frozenAt(all, "2026-11-27T17:00:00Z")).toBe("2026-11-30T07:00:00Z");
		expect(frozenAt(all, "2026-11-30T06:59:59Z")).toBe("2026-11-30T07:00:00Z");
		expect(frozenAt(all, "2026-11-30T07:00:00Z")).toBe("open");
	});

	test("lasts as long as it says over a change of the clocks, so that it ends an hour off by the wall", () => {
		const all = windows(WEEKEND);
		// Summer time begins on Sunday 2026-03-29: 18:00 is 17:00Z, and 08:00 would be 06:00Z.
		expect(frozenAt(all, "2026-03-27T17:00:00Z")).toBe("2026-03-30T07:00:00Z");
		// It ends on Sunday 2026-10-25.
		expect(frozenAt(all, "2026-10-23T16:00:00Z")).toBe("2026-10-26T06:00:00Z");
	});

	test("that begins at a time which the clocks leave out begins when they go on, and once where they repeat it", () => {
		const all = windows({ kind: "Deny", cron: "30 2 * * *", duration: "10m", timeZone: "Europe/Berlin" });
		expect(frozenAt(all, "2026-03-29T01:05:00Z")).toBe("2026-03-29T01:10:00Z");
		expect(frozenAt(all, "2026-10-25T00:35:00Z")).toBe("2026-10-25T00:40:00Z");
		expect(frozenAt(all, "2026-10-25T01:35:00Z")).toBe("open");
	});

	test("goes on as one freeze where the next begins before it ends", () => {
		const all = windows({ kind: "Deny", cron: "0 8 * * *", duration: "2h" }, { kind: "Deny", cron: "0 9 * * *", duration: "3h" });
		expect(frozenAt(all, "2026-11-24T08:30:00Z")).toBe("2026-11-24T12:00:00Z");
	});

	test("without a gap has no end in sight", () => {
		expect(frozenAt(windows({ kind: "Deny", cron: "0 0 * * *", duration: "1d" }), "2026-11-24T08:30:00Z")).toBe(null);
	});
});

describe("Allow windows", () => {
	test("freeze whatever is outside of all of them, and name the first", () => {
		const all = windows(NIGHTS, { kind: "Allow", cron: "0 12 * * *", duration: "1h" });
		expect(frozenAt(all, "2026-11-24T09:00:00Z")).toBe("2026-11-24T12:00:00Z");
		expect(frozenAt(all, "2026-11-24T12:30:00Z")).toBe("open");
		expect(frozenAt(all, "2026-11-24T13:00:00Z")).toBe("2026-11-24T21:00:00Z");
		expect(freezeAt(all, Date.parse("2026-11-24T09:00:00Z"))?.window.origin.line).toBe(1);
	});

	test("do not lift a Deny: within both it is frozen until the Deny ends, or until the next Allow", () => {
		const deny: WindowSpec = { kind: "Deny", cron: "0 0 * * *", duration: "2h" };
		const all = windows(NIGHTS, deny);
		expect(frozenAt(all, "2026-11-24T00:30:00Z")).toBe("2026-11-24T02:00:00Z");
		expect(frozenAt(windows(NIGHTS, { ...deny, duration: "5h" }), "2026-11-24T00:30:00Z")).toBe("2026-11-24T21:00:00Z");
	});
});

describe("without windows", () => {
	test("nothing is ever frozen, and no thaw is in sight", () => {
		expect(freezeAt([], 0)).toBe(null);
		expect(nextThaw([], 0)).toBe(null);
	});
});

describe("what is written of a window", () => {
	test.each([
		["0 18 * * FRI", null],
		["*/15 9-17 1,15 * MON-FRI", null],
		["0 18 * *", "it has 4 fields and needs 5: minute, hour, day of month, month, day of week"],
		["@daily", "it has 1 field and needs 5: minute, hour, day of month, month, day of week"],
		["61 * * * *", "invalid value for minute: 61"],
		["0 0 30 2 *", "it never begins"],
	])("cron %s: %s", (cron, fault) => {
		expect(cronFault(cron)).toBe(fault);
	});

	test("a time zone is one that exists", () => {
		expect(["Europe/Berlin", "UTC", "Europe/Berln", ""].map(isTimeZone)).toEqual([true, true, false, false]);
	});
});

/** What a clock on the wall shows: the independent way to know when a pattern begins. */
function wall(at: number, timeZone: string): { readonly minute: number; readonly hour: number; readonly day: number } {
	const parts = new Intl.DateTimeFormat("en-GB", {
		timeZone,
		minute: "2-digit",
		hour: "2-digit",
		hourCycle: "h23",
		day: "2-digit",
	}).formatToParts(at);
	const of = (type: string): number => Number(parts.find((p) => p.type === type)?.value);
	return { minute: of("minute"), hour: of("hour"), day: of("day") };
}

const ZONES = ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "UTC"] as const;
/** Days around the changes of the clocks of those zones in 2026, and an ordinary one. */
const DAYS = ["2026-03-08", "2026-03-29", "2026-04-05", "2026-07-01", "2026-10-04", "2026-10-25", "2026-11-01"] as const;

const spec: fc.Arbitrary<WindowSpec> = fc.record({
	kind: fc.constantFrom("Deny" as const, "Allow" as const),
	cron: fc.tuple(fc.nat(59), fc.nat(23)).map(([m, h]) => `${m} ${h} * * *`),
	duration: fc.oneof(
		fc.integer({ min: 1, max: 900 }).map((m) => `${m}m`),
		fc.integer({ min: 1, max: 30 }).map((h) => `${h}h`),
	),
	timeZone: fc.constantFrom(...ZONES),
});
const moment = fc
	.tuple(fc.constantFrom(...DAYS), fc.integer({ min: -1440, max: 2 * 1440 }), fc.nat(59_999))
	.map(([day, minutes, ms]) => Date.parse(`${day}T00:00:00Z`) + minutes * MINUTE + ms);

describe("whatever the windows are, on the days on which clocks change", () => {
	test("a pattern begins where the wall clock shows it, or at the end of the gap that swallows it, once a day", () => {
		fc.assert(
			fc.property(spec, moment, ({ cron, timeZone = "UTC" }, at) => {
				const [minute, hour] = cron.split(" ").map(Number);
				const begins = recurrence(cron, timeZone);
				const last = begins.last(at);
				const next = begins.next(at);
				if (last === null || next === null) throw new Error("a daily pattern always has both");
				expect(last).toBeLessThanOrEqual(at);
				expect(next).toBeGreaterThan(at);
				expect(begins.next(last)).toBe(next);
				expect(begins.last(next)).toBe(next);
				expect(wall(next, timeZone).day).not.toBe(wall(last, timeZone).day);
				const shown = wall(next, timeZone);
				const before = wall(next - MINUTE, timeZone);
				const ofDay = (w: { readonly hour: number; readonly minute: number }): number => w.hour * 60 + w.minute;
				const wantedAt = (hour ?? 0) * 60 + (minute ?? 0);
				const inGap = ofDay(before) < wantedAt && wantedAt < ofDay(shown);
				expect(ofDay(shown) === wantedAt || inGap).toBe(true);
			}),
		);
	});

	test("a freeze holds at each moment up to its end, and at its end nothing is frozen", () => {
		fc.assert(
			fc.property(fc.array(spec, { minLength: 1, maxLength: 3 }), moment, fc.nat(1000), (specs, at, share) => {
				const all = windows(...specs);
				const freeze = freezeAt(all, at);
				if (freeze === null || freeze.until === null) return;
				const until = Date.parse(freeze.until);
				expect(until).toBeGreaterThan(at);
				expect(freezeAt(all, until)).toBe(null);
				const between = at + Math.floor(((until - 1 - at) * share) / 1000);
				expect(freezeAt(all, between)?.until).toBe(freeze.until);
				expect(freezeAt(all, until - 1)).not.toBe(null);
				expect(nextThaw(all, at)).toBe(until);
			}),
		);
	});

	test("it is frozen as a Deny that is open says, or else as no Allow that is open does", () => {
		fc.assert(
			fc.property(fc.array(spec, { maxLength: 3 }), moment, (specs, at) => {
				const open = (s: WindowSpec): boolean => {
					const { last } = recurrence(s.cron, s.timeZone ?? "UTC");
					const length = Number.parseInt(s.duration, 10) * (s.duration.endsWith("h") ? 60 : 1) * MINUTE;
					const began = last(at);
					return began !== null && at < began + length;
				};
				const denied = specs.some((s) => s.kind === "Deny" && open(s));
				const allows = specs.filter((s) => s.kind === "Allow");
				const outside = allows.length > 0 && !allows.some(open);
				expect(freezeAt(windows(...specs), at) !== null).toBe(denied || outside);
			}),
		);
	});
});
