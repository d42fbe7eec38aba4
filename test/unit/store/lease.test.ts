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

const take = (holder: string): Lease | LeaseHeld =>
	acquireLease(store, { name: "writer", holder, ttlSeconds: 60, callTimeoutSeconds: 15, clock: { millis: () => now } });

function held(result: Lease | LeaseHeld): Lease {
	if ("heldBy" in result) throw new Error(`held by ${result.heldBy}`);
	return result;
}

describe("a lease", () => {
	test("has one holder, and names it to whoever asks", () => {
		held(take("anna"));
		expect(take("ben")).toEqual({ heldBy: "anna", until: "2026-11-24T09:01:00Z" });
		expect(take("anna")).toEqual({ heldBy: "anna", until: "2026-11-24T09:01:00Z" });
	});

	test("lets no write start later than its end less the time of a call", () => {
		const lease = held(take("anna"));
		expect(lease.remaining()).toBe(45_000);
		now += 44_999;
		expect(lease.remaining()).toBe(1);
		now += 1;
		expect(lease.remaining()).toBe(0);
		now += 1_000_000;
		expect(lease.remaining()).toBe(0);
	});

	test("never lasts longer for its holder than for the others", () => {
		now += 999;
		const lease = held(take("anna"));
		expect([lease.until(), lease.remaining()]).toEqual(["2026-11-24T09:01:00Z", 44_001]);
		now = Date.parse(lease.until());
		held(take("ben"));
	});

	test("renewed lasts from then on", () => {
		const lease = held(take("anna"));
		now += 50_000;
		expect(lease.renew()).toBe(true);
		expect([lease.until(), lease.remaining()]).toEqual(["2026-11-24T09:01:50Z", 45_000]);
		now += 30_000;
		expect(take("ben")).toMatchObject({ heldBy: "anna" });
	});

	test("let go is free at once", () => {
		const lease = held(take("anna"));
		lease.release();
		expect([lease.remaining(), lease.renew()]).toEqual([0, false]);
		expect(held(take("ben")).remaining()).toBe(45_000);
	});

	test("of a holder that died is free when it ran out, and the dead one cannot come back", () => {
		const dead = held(take("anna"));
		now += 59_999;
		expect(take("ben")).toMatchObject({ heldBy: "anna" });
		now += 1;
		const next = held(take("ben"));
		expect(dead.renew()).toBe(false);
		expect(dead.remaining()).toBe(0);
		dead.release();
		expect(take("carl")).toMatchObject({ heldBy: "ben" });
		expect(next.renew()).toBe(true);
	});

	test("that ran out and that nobody took may be renewed", () => {
		const lease = held(take("anna"));
		now += 120_000;
		expect([lease.remaining(), lease.renew(), lease.remaining()]).toEqual([0, true, 45_000]);
	});

	test("lost in the race for it is held by the winner", () => {
		const raced: Pick<Store, "getControl" | "putControl"> = {
			getControl: (name) => store.getControl(name),
			putControl: (name, value, expected) => {
				if (expected === 0) store.putControl(name, { holder: "ben", until: "2026-11-24T09:01:00Z" }, 0);
				return store.putControl(name, value, expected);
			},
		};
		expect(
			acquireLease(raced, {
				name: "writer",
				holder: "anna",
				ttlSeconds: 60,
				callTimeoutSeconds: 15,
				clock: { millis: () => now },
			}),
		).toEqual({ heldBy: "ben", until: "2026-11-24T09:01:00Z" });
	});

	test("is taken by exactly one of many processes that want it at once", async () => {
		const dir = mkdtempSync(join(tmpdir(), "lease-"));
		try {
			const path = join(dir, "store.db");
			openStore({ path }).close();
			const program = `
				const s = openStore({ path: ${JSON.stringify(path)} });
				const l = acquireLease(s, { name: "writer", holder: "process " + process.pid, ttlSeconds: 60, callTimeoutSeconds: 15, clock });
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
