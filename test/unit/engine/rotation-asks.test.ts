import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { askRotation, forgetAsk, readAsks } from "../../../controller/engine/rotation-asks.ts";
import type { Store } from "../../../controller/model/ports.ts";
import type { RotationAsk } from "../../../controller/model/rotation-ask.ts";
import { openStore } from "../../../controller/store/sqlite.ts";

const KEY = "SecretRotation/signing@prod";
const ask = (second: number, reason: string | null = null): RotationAsk => ({
	at: new Date(Date.UTC(2026, 10, 24, 10, 0, 0) + second * 1000).toISOString(),
	by: "kim@laptop",
	reason,
});

let folder: string;
let store: Store;
beforeEach(() => {
	folder = mkdtempSync(join(tmpdir(), "asks-"));
	store = openStore({ path: join(folder, "state.db") });
});
afterEach(async () => {
	await store.close();
	rmSync(folder, { recursive: true, force: true });
});

describe("what was asked for", () => {
	it("is known to whoever opens the store, the last of each key", async () => {
		expect(await readAsks(store)).toEqual(new Map());
		await askRotation(store, KEY, ask(0, "left in a log"));
		await askRotation(store, KEY, ask(1, "left in another"));
		await askRotation(store, "SecretRotation/other", ask(2));
		const other = openStore({ path: join(folder, "state.db") });
		expect(await readAsks(other)).toEqual(
			new Map([
				[KEY, ask(1, "left in another")],
				["SecretRotation/other", ask(2)],
			]),
		);
		await other.close();
	});

	it("loses nothing where somebody else asks between a read and its write", async () => {
		let others = 0;
		const raced: Store = {
			...store,
			getControl: async (name) => {
				const found = await store.getControl(name);
				if (others < 3) await askRotation(store, `SecretRotation/other-${others++}`, ask(others));
				return found;
			},
		};
		await askRotation(raced, KEY, ask(9));
		expect([...(await readAsks(store)).keys()].sort()).toEqual([
			"SecretRotation/other-0",
			"SecretRotation/other-1",
			"SecretRotation/other-2",
			KEY,
		]);
	});

	it("says so where it cannot be written because somebody always was faster", async () => {
		const busy: Store = { ...store, putControl: async () => false };
		await expect(askRotation(busy, KEY, ask(0))).rejects.toThrow("changed by somebody else again and again");
	});

	it("is forgotten by its own time only", async () => {
		await askRotation(store, KEY, ask(5));
		await forgetAsk(store, KEY, ask(4));
		await forgetAsk(store, "SecretRotation/nobody", ask(5));
		expect((await readAsks(store)).get(KEY)).toEqual(ask(5));
		const before = (await store.getControl("rotations"))?.version;
		await forgetAsk(store, KEY, ask(4));
		expect((await store.getControl("rotations"))?.version).toBe(before);
		await forgetAsk(store, KEY, ask(5));
		expect(await readAsks(store)).toEqual(new Map());
	});

	it("is bounded: the oldest goes first", async () => {
		const many = Object.fromEntries(Array.from({ length: 500 }, (_, n) => [`SecretRotation/n${n}`, ask(n)]));
		expect(await store.putControl("rotations", many, 0)).toBe(true);
		await askRotation(store, KEY, ask(900));
		const asks = await readAsks(store);
		expect([asks.size, asks.has("SecretRotation/n0"), asks.has("SecretRotation/n1"), asks.has(KEY)]).toEqual([
			500,
			false,
			true,
			true,
		]);
	});

	it("is not what another version wrote in its place", async () => {
		for (const [version, value] of [null, [], "x", { [KEY]: null }, { [KEY]: { at: 1, by: "kim" } }].entries()) {
			await store.putControl("rotations", value, version);
			expect(await readAsks(store)).toEqual(new Map());
		}
		await askRotation(store, KEY, ask(0));
		expect((await readAsks(store)).get(KEY)).toEqual(ask(0));
	});
});
