import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Store } from "../../../controller/model/ports.ts";
import { acquireLease, keepLease, type Lease, type LeaseHeld } from "../../../controller/store/lease.ts";
import { openStore } from "../../../controller/store/sqlite.ts";
import { runAtOnce } from "./child.ts";

let store: Store;
let now: number;
beforeEach(() => {
	store = openStore({ path: ":memory:" });
	now = Date.parse("2026-11-24T09:00:00Z");
});
afterEach(() => store.close());

const never = new AbortController().signal;
/** Sleeping takes no time but the clock's. */
const clock = {
	millis: () => now,
	sleep: async (ms: number) => {
		now += ms;
	},
};
const options = { name: "writer", ttlSeconds: 60, callTimeoutSeconds: 15, watchSeconds: 0, clock };
const take = (holder: string): Promise<Lease | LeaseHeld> => acquireLease(store, { ...options, holder }, never);

function held(result: Lease | LeaseHeld): Lease {
	if ("heldBy" in result) throw new Error(`held by ${result.heldBy}`);
	return result;
}

describe("a lease", () => {
	test("has one holder, and names it to whoever asks", async () => {
		held(await take("anna"));
		expect(await take("ben")).toEqual({ heldBy: "anna", until: "2026-11-24T09:01:00Z" });
		expect(await take("anna")).toEqual({ heldBy: "anna", until: "2026-11-24T09:01:00Z" });
	});

	test("lets no write start later than its end less the time of a call", async () => {
		const lease = held(await take("anna"));
		expect(lease.remaining()).toBe(45_000);
		now += 44_999;
		expect(lease.remaining()).toBe(1);
		now += 1;
		expect(lease.remaining()).toBe(0);
		now += 1_000_000;
		expect(lease.remaining()).toBe(0);
	});

	test("never lasts longer for its holder than for the others", async () => {
		now += 999;
		const lease = held(await take("anna"));
		expect([lease.until(), lease.remaining()]).toEqual(["2026-11-24T09:01:00Z", 44_001]);
		now = Date.parse(lease.until());
		held(await take("ben"));
	});

	test("renewed lasts from then on", async () => {
		const lease = held(await take("anna"));
		now += 50_000;
		expect(await lease.renew()).toBe(true);
		expect([lease.until(), lease.remaining()]).toEqual(["2026-11-24T09:01:50Z", 45_000]);
		now += 30_000;
		expect(await take("ben")).toMatchObject({ heldBy: "anna" });
	});

	test("let go is free at once", async () => {
		const lease = held(await take("anna"));
		await lease.release();
		expect([lease.remaining(), await lease.renew()]).toEqual([0, false]);
		expect(held(await take("ben")).remaining()).toBe(45_000);
	});

	test("of a holder that died is free when it ran out, and the dead one cannot come back", async () => {
		const dead = held(await take("anna"));
		now += 59_999;
		expect(await take("ben")).toMatchObject({ heldBy: "anna" });
		now += 1;
		const next = held(await take("ben"));
		expect(await dead.renew()).toBe(false);
		expect(dead.remaining()).toBe(0);
		await dead.release();
		expect(await take("carl")).toMatchObject({ heldBy: "ben" });
		expect(await next.renew()).toBe(true);
	});

	test("that ran out and that nobody took may be renewed", async () => {
		const lease = held(await take("anna"));
		now += 120_000;
		expect([lease.remaining(), await lease.renew(), lease.remaining()]).toEqual([0, true, 45_000]);
	});

	test("lost in the race for it is held by the winner", async () => {
		const raced: Pick<Store, "getControl" | "putControl"> = {
			getControl: (name) => store.getControl(name),
			putControl: async (name, value, expected) => {
				if (expected === 0) await store.putControl(name, { holder: "ben", until: "2026-11-24T09:01:00Z" }, 0);
				return store.putControl(name, value, expected);
			},
		};
		expect(await acquireLease(raced, { ...options, holder: "anna" }, never)).toEqual({
			heldBy: "ben",
			until: "2026-11-24T09:01:00Z",
		});
	});

	test("has a fence that grows from holder to holder, however often each renewed", async () => {
		const first = held(await take("anna"));
		await first.renew();
		await first.release();
		const second = held(await take("ben"));
		now += 60_000;
		const third = held(await take("carl"));
		expect([first.fence < second.fence, second.fence < third.fence]).toEqual([true, true]);
	});

	test("that seems to have run out is watched where clocks differ, and stays with a holder who renews it", async () => {
		const anna = held(await take("anna"));
		const ahead = {
			millis: () => now + 120_000,
			sleep: async (ms: number) => {
				now += ms;
				await anna.renew();
			},
		};
		const watched: string[] = [];
		const shared = { ...options, watchSeconds: 45, clock: ahead, holder: "ben", watching: (h: string) => void watched.push(h) };
		expect(await acquireLease(store, shared, never)).toMatchObject({ heldBy: "anna" });
		expect([watched, await anna.renew()]).toEqual([["anna"], true]);
	});

	test("that ran out and stands still is taken after the watch", async () => {
		const dead = held(await take("anna"));
		now += 60_000;
		const began = now;
		const ben = held(await acquireLease(store, { ...options, watchSeconds: 45, holder: "ben" }, never));
		expect([now - began, await dead.renew(), await ben.renew()]).toEqual([45_000, false, true]);
	});

	test("that was let go needs no watch", async () => {
		await held(await take("anna")).release();
		const began = now;
		held(await acquireLease(store, { ...options, watchSeconds: 45, holder: "ben" }, never));
		expect(now - began).toBe(0);
	});

	test("whose watch is interrupted is not taken", async () => {
		held(await take("anna"));
		now += 60_000;
		const stop = AbortSignal.abort(new Error("stopped"));
		const impatient = { ...clock, sleep: (_: number, s: AbortSignal) => Promise.reject(s.reason) };
		const waiting = acquireLease(store, { ...options, watchSeconds: 45, clock: impatient, holder: "ben" }, stop);
		await expect(waiting).rejects.toThrow("stopped");
		held(await take("carl"));
	});

	test("whose renewal was done and not answered is still its holder's", async () => {
		let silent = 0;
		const deaf: Pick<Store, "getControl" | "putControl"> = {
			getControl: (name) => store.getControl(name),
			putControl: async (name, value, expected) => {
				const done = await store.putControl(name, value, expected);
				if (silent-- > 0) throw new Error("no answer");
				return done;
			},
		};
		const lease = held(await acquireLease(deaf, { ...options, holder: "anna" }, never));
		silent = 1;
		await expect(lease.renew()).rejects.toThrow("no answer");
		expect([await lease.renew(), await lease.renew(), lease.remaining()]).toEqual([true, true, 45_000]);
		await lease.release();
		held(await take("ben"));
	});

	test("is taken by exactly one of many processes that want it at once", async () => {
		const dir = mkdtempSync(join(tmpdir(), "lease-"));
		try {
			const path = join(dir, "store.db");
			await openStore({ path }).close();
			const program = `
				const s = openStore({ path: ${JSON.stringify(path)} });
				const l = await acquireLease(s, { name: "writer", holder: "process " + process.pid, ttlSeconds: 60, callTimeoutSeconds: 15, watchSeconds: 0, clock }, new AbortController().signal);
				say("heldBy" in l ? "held by " + l.heldBy : "won " + process.pid);`;
			const said = await runAtOnce(program, 6, join(dir, "go"));
			const winners = said.flatMap((s) => /^won (\d+)/.exec(s)?.[1] ?? []);
			expect(winners).toHaveLength(1);
			expect(said.filter((s) => s === `held by process ${winners[0]}\n`)).toHaveLength(5);
		} finally {
			rmSync(dir, { recursive: true, force: true });
		}
	});
});

describe("keeping a lease", () => {
	/** Turns pass as fast as they can; `renew` answers each. */
	const kept = (renew: (turn: number) => Promise<boolean>, remaining = () => 45_000) => {
		let turn = 0;
		const sleep = async (_: number, signal: AbortSignal): Promise<void> => {
			await new Promise(setImmediate);
			signal.throwIfAborted();
		};
		const keeper = keepLease(
			{ remaining, renew: () => renew(++turn) },
			{ everySeconds: 30, ttlSeconds: 180, callTimeoutSeconds: 60, clock: { sleep } },
		);
		const lost = new Promise<void>((resolve) => keeper.lost.addEventListener("abort", () => resolve()));
		return { keeper, lost, turns: () => turn };
	};
	const silence = async (): Promise<boolean> => {
		throw new Error("no answer");
	};

	test("goes on over renewals that were not answered, when others are, until it is stopped", async () => {
		const { keeper, turns } = kept((turn) => (turn % 4 === 0 ? Promise.resolve(true) : silence()));
		await expect.poll(turns).toBeGreaterThan(30);
		expect(keeper.lost.aborted).toBe(false);
		keeper.stop();
		const then = turns();
		for (let n = 0; n < 5; n++) await new Promise(setImmediate);
		expect([turns() - then <= 1, keeper.lost.aborted]).toEqual([true, false]);
	});

	test("ends when somebody else took it", async () => {
		const { keeper, lost, turns } = kept(async (turn) => turn < 3);
		await lost;
		expect([turns(), String(keeper.lost.reason)]).toEqual([3, expect.stringContaining("lost to another writer")]);
	});

	test("ends after as many unanswered renewals as a write may start in, whatever the clock says", async () => {
		const { lost, turns } = kept(silence);
		await lost;
		expect(turns()).toBe(4);
	});

	test("ends when no write may start any more", async () => {
		const { lost, turns } = kept(silence, () => 0);
		await lost;
		expect(turns()).toBe(1);
	});
});
