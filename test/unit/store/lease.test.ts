import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Store } from "../../../controller/model/ports.ts";
import { acquireLease, type Lease, type LeaseHeld } from "../../../controller/store/lease.ts";
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
