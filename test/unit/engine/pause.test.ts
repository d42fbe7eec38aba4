import { afterEach, describe, expect, test } from "vitest";
import {
	clearPause,
	LONGEST_PAUSE_MS,
	type PauseWord,
	readPause,
	setPause,
	watchPause,
} from "../../../controller/engine/pause.ts";
import type { Store } from "../../../controller/model/ports.ts";
import { openStore } from "../../../controller/store/sqlite.ts";
import { status } from "../cli/state-fixture.ts";
import { tempFolder } from "../source/repository.ts";
import { createFakeClock, type FakeClock } from "./fake-clock.ts";

const HOUR = 3_600_000;
const KIM: PauseWord = { by: "kim@laptop", reason: "incident 4711", installation: "main", reconcileId: "r1" };
const SAM: PauseWord = { ...KIM, by: "sam@desk", reason: "incident 4711, taken over", reconcileId: "r2" };

const open: Store[] = [];
afterEach(async () => {
	await Promise.all(open.splice(0).map((s) => s.close()));
});

/** A store that remembers something, unless it is to be a new one. */
async function world(options: { readonly fresh?: true } = {}): Promise<{ readonly store: Store; readonly clock: FakeClock }> {
	const clock = createFakeClock();
	const store = openStore({ path: tempFolder().at("state.sqlite"), now: clock.now });
	open.push(store);
	if (options.fresh !== true) {
		await store.putStatus([{ key: "AccessPolicy/orders-api", before: undefined, after: status("orders-api") }]);
	}
	return { store, clock };
}

async function events(store: Store): Promise<readonly string[]> {
	return (await store.history({ limit: 10 })).map((e) => `${e.event} ${e.key} by ${e.actor}: ${e.why}`);
}

describe("a pause", () => {
	test("holds from when it is set until its end, and then no more", async () => {
		const { store, clock } = await world();
		expect(await readPause(store, clock.millis())).toBe(null);
		await setPause(store, KIM, clock.millis() + HOUR, clock);
		const held = {
			by: "kim@laptop",
			reason: "incident 4711",
			since: "2026-11-24T09:00:00Z",
			until: "2026-11-24T10:00:00Z",
		};
		expect(await readPause(store, clock.millis())).toEqual(held);
		await clock.advance(HOUR - 1);
		expect(await readPause(store, clock.millis())).toEqual(held);
		await clock.advance(1);
		expect(await readPause(store, clock.millis())).toBe(null);
	});

	test("is replaced by the next, which says what it replaced; both stand in the history", async () => {
		const { store, clock } = await world();
		await setPause(store, KIM, clock.millis() + HOUR, clock);
		await clock.advance(60_000);
		const { before, after } = await setPause(store, SAM, clock.millis() + 2 * HOUR, clock);
		expect([before?.by, after?.by]).toEqual(["kim@laptop", "sam@desk"]);
		expect(await readPause(store, clock.millis())).toEqual(after);
		expect(await events(store)).toEqual([
			"paused Installation/main by sam@desk: incident 4711, taken over",
			"paused Installation/main by kim@laptop: incident 4711",
		]);
	});

	test("ends when somebody resumes, which stands in the history with who and why", async () => {
		const { store, clock } = await world();
		const { after } = await setPause(store, KIM, clock.millis() + HOUR, clock);
		if (after === null) throw new Error("it is paused");
		await clearPause(store, { ...SAM, reason: "it is over" }, after, clock);
		expect(await readPause(store, clock.millis())).toBe(null);
		expect((await events(store))[0]).toBe("resumed Installation/main by sam@desk: it is over");
	});

	test("that was set anew while a person looked at the plan is not ended by their answer", async () => {
		const { store, clock } = await world();
		const { after: shown } = await setPause(store, KIM, clock.millis() + HOUR, clock);
		await clock.advance(1000);
		await setPause(store, SAM, clock.millis() + HOUR, clock);
		if (shown === null) throw new Error("it is paused");
		await expect(clearPause(store, KIM, shown, clock)).rejects.toMatchObject({ reason: "PauseMoved" });
		expect((await readPause(store, clock.millis()))?.by).toBe("sam@desk");
	});

	test("needs an end that is yet to come, and no further than 7 days", async () => {
		const { store, clock } = await world();
		for (const until of [clock.millis(), clock.millis() - 1, clock.millis() + LONGEST_PAUSE_MS + 1000]) {
			await expect(setPause(store, KIM, until, clock)).rejects.toMatchObject({ reason: "BadPause" });
		}
		await setPause(store, KIM, clock.millis() + LONGEST_PAUSE_MS, clock);
		expect((await readPause(store, clock.millis()))?.until).toBe("2026-12-01T09:00:00Z");
	});

	test("that cannot be read holds, until somebody sets or ends it", async () => {
		const { store, clock } = await world();
		await store.putControl("pause", { until: "soon" }, 0);
		const held = await readPause(store, clock.millis());
		expect(held).toMatchObject({ by: "unknown", until: "9999-12-31T23:59:59Z" });
		if (held === null) throw new Error("it holds");
		await clearPause(store, KIM, held, clock);
		expect(await readPause(store, clock.millis())).toBe(null);
	});

	test("in a store that remembers nothing does not make it look as if it did", async () => {
		const { store, clock } = await world({ fresh: true });
		await setPause(store, KIM, clock.millis() + HOUR, clock);
		expect(await store.empty()).toBe(true);
		expect(await readPause(store, clock.millis())).not.toBe(null);
	});

	test("of two that are set at once, one is in force, and each knows what it replaced", async () => {
		const { store, clock } = await world();
		const both = await Promise.all([KIM, SAM].map((word) => setPause(store, word, clock.millis() + HOUR, clock)));
		const inForce = await readPause(store, clock.millis());
		expect(both.map((c) => c.after)).toContainEqual(inForce);
		expect(both.filter((c) => c.before === null)).toHaveLength(1);
	});

	test("is no pause where there is no store", async () => {
		expect(await readPause(null, 0)).toBe(null);
	});
});

describe("what is asked before each write", () => {
	function counted(store: Store): { readonly store: Store; readonly reads: () => number } {
		let reads = 0;
		return {
			store: {
				...store,
				getControl: (name) => {
					reads++;
					return store.getControl(name);
				},
			},
			reads: () => reads,
		};
	}

	test("reads nothing within ten seconds of the plan, then once in ten seconds", async () => {
		const { store, clock } = await world();
		const { store: seen, reads } = counted(store);
		const halted = watchPause(seen, clock, clock.millis());
		expect(await halted()).toBe(null);
		await clock.advance(9_999);
		expect([await halted(), reads()]).toEqual([null, 0]);
		await clock.advance(1);
		expect(await Promise.all([halted(), halted(), halted()])).toEqual([null, null, null]);
		expect(reads()).toBe(1);
		await clock.advance(5_000);
		expect([await halted(), reads()]).toEqual([null, 1]);
	});

	test("stops at a pause that was set since, says whose it is, and goes on when it was ended", async () => {
		const { store, clock } = await world();
		const halted = watchPause(store, clock, clock.millis());
		const { after } = await setPause(store, KIM, clock.millis() + HOUR, clock);
		await clock.advance(10_000);
		expect(await halted()).toMatchObject({ waiting: "paused", detail: expect.stringContaining("kim@laptop") });
		if (after === null) throw new Error("it is paused");
		await clearPause(store, KIM, after, clock);
		expect(await halted()).toBe(null);
	});

	test("knows nothing where the store cannot be read, and says so", async () => {
		const { store, clock } = await world();
		const broken: Store = { ...store, getControl: () => Promise.reject(new Error("the table does not answer")) };
		await expect(watchPause(broken, clock, Number.NEGATIVE_INFINITY)()).rejects.toThrow("the table does not answer");
	});
});
