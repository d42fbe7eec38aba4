import { describe, expect, it } from "vitest";
import { createProgress, elapsed } from "../../../controller/cli/progress.ts";

function world(live: boolean) {
	let written = "";
	let now = 0;
	let tick: (() => void) | undefined;
	let period = 0;
	const progress = createProgress({
		out: {
			write: (t) => {
				written += t;
				return undefined;
			},
			columns: 80,
		},
		live,
		clock: { millis: () => now },
		every: (ms, f) => {
			[period, tick] = [ms, f];
			return () => {
				tick = undefined;
			};
		},
	});
	return {
		progress,
		pass: (ms: number) => {
			for (const end = now + ms; now < end; ) {
				now += period;
				tick?.();
			}
		},
		ticking: () => tick !== undefined,
		text: () => written,
	};
}

describe("long work", () => {
	it("without a terminal is one line a phase and a heartbeat every 10 s that says how far", () => {
		const w = world(false);
		w.progress.phase("reading roles");
		w.pass(20_000);
		w.progress.update(12, 40, "billing-task  put policy");
		w.pass(10_000);
		w.progress.phase("done soon");
		expect(w.text().split("\n")).toEqual([
			"  reading roles",
			"  reading roles  00:10",
			"  reading roles  00:20",
			"  12/40  billing-task  put policy  00:30",
			"  done soon",
			"",
		]);
	});

	it("on a terminal is one line that is redrawn, and leaves none behind", () => {
		const w = world(true);
		w.progress.phase("reading roles");
		w.pass(7_000);
		expect(w.text()).toContain("reading roles");
		expect(w.text()).toContain("00:07");
		expect(w.text()).not.toContain("\n");
		w.progress.stop();
		expect(w.text().endsWith("\r\u001b[2K")).toBe(true);
		expect(w.ticking()).toBe(false);
	});

	it("shows nothing of what is over at once", () => {
		const w = world(true);
		w.progress.phase("quick");
		w.pass(300);
		w.progress.stop();
		expect(w.text()).toBe("");
	});

	it("says a phase that goes on once", () => {
		const w = world(false);
		w.progress.phase("reading policies");
		w.progress.phase("reading policies");
		expect(w.text()).toBe("  reading policies\n");
	});

	it("shows no control character of what it works at", () => {
		const w = world(false);
		w.progress.phase("role \u001b[2J");
		expect(w.text()).toBe("  role \\x1b[2J\n");
	});

	it("counts hours when there are any", () => {
		expect(["00:07", "59:59", "1:00:00"]).toEqual([7_000, 3_599_000, 3_600_000].map(elapsed));
	});
});
