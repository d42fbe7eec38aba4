import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { MOST_ENTRIES, type Store } from "../../controller/model/ports.ts";
import { Secret } from "../../controller/model/secret.ts";
import type { HistoryEntry, Status } from "../../controller/model/status.ts";
import { runAtOnce } from "../unit/store/child.ts";

/** One empty place to keep things in, which several stores may open; `dispose` removes it. */
export interface StorePlace {
	readonly open: () => Store | Promise<Store>;
	/** Text of a program that binds `store`, opened in a process of its own; see ../unit/store/child.ts. */
	readonly program: string;
	readonly dispose: () => void | Promise<void>;
}

export function aStatus(key: string, summary = "as git says"): Status {
	return {
		key,
		account: "123456789012",
		observedGeneration: `sha256:${"1".repeat(64)}`,
		lastAttemptedRevision: "a".repeat(40),
		lastAppliedRevision: null,
		conditions: [
			{ type: "Ready", status: "True", reason: "Applied", message: "ünïcode ✓", lastTransitionTime: "2026-11-24T09:12:00Z" },
		],
		inventory: [
			{
				target: { type: "iam.role", account: "123456789012", region: "global", name: "orders-api-task" },
				applied: { trust: null },
				appliedAt: null,
			},
		],
		summary,
		firstSeen: "2026-11-24T09:12:00Z",
		updatedAt: "2026-11-24T09:12:00Z",
	};
}

export function anEntry(key: string, at: string, outcome = "applied"): HistoryEntry {
	return {
		at,
		key,
		account: "123456789012",
		reconcileId: "r-1",
		revision: "a".repeat(40),
		planId: null,
		actor: "arn:aws:sts::123456789012:assumed-role/ops/anna",
		event: "applied",
		why: "missing",
		api: "iam:PutRolePolicy",
		target: { type: "iam.role", account: "123456789012", region: "global", name: "orders-api-task" },
		before: null,
		after: { Version: "2012-10-17", Statement: [] },
		outcome,
	};
}

/** Writes a status over whatever stands there. */
export async function put(store: Store, status: Status): Promise<void> {
	const before = await store.getStatus(status.key);
	expect(await store.putStatus([{ key: status.key, before, after: status }])).toEqual([]);
}

async function forget(store: Store, key: string): Promise<void> {
	const before = await store.getStatus(key);
	expect(await store.putStatus([{ key, before, after: undefined }])).toEqual([]);
}

/** What every Store holds to. Calls are awaited, so a store over the network passes the same sentences. */
export function storeConformance(name: string, makePlace: () => StorePlace | Promise<StorePlace>): void {
	describe(`a store (${name})`, () => {
		let place: StorePlace;
		const opened: Store[] = [];
		const open = async (): Promise<Store> => {
			const store = await place.open();
			opened.push(store);
			return store;
		};
		beforeEach(async () => {
			place = await makePlace();
		});
		afterEach(async () => {
			for (const store of opened.splice(0)) await store.close();
			await place.dispose();
		});

		test("is fresh for the process that made it, and for nobody after", async () => {
			const first = await open();
			expect(first.fresh).toBe(true);
			await first.close();
			expect((await open()).fresh).toBe(false);
			expect((await open()).fresh).toBe(false);
		});

		test("gives back a status whole, and nothing for a key it never saw", async () => {
			const store = await open();
			await put(store, aStatus("AccessPolicy/orders-api"));
			expect(await store.getStatus("AccessPolicy/orders-api")).toEqual(aStatus("AccessPolicy/orders-api"));
			expect(await store.getStatus("AccessPolicy/orders")).toBeUndefined();
			const some = ["AccessPolicy/orders-api", "AccessPolicy/orders"];
			expect([...(await store.getStatuses(some)).keys()]).toEqual(["AccessPolicy/orders-api"]);
			const many = [...some, ...Array.from({ length: 30 }, (_, n) => `AccessPolicy/none-${n}`)];
			expect([...(await store.getStatuses(many)).values()]).toEqual([aStatus("AccessPolicy/orders-api")]);
			expect(await store.getStatus("accesspolicy/orders-api")).toBeUndefined();
		});

		test("keeps the last status of a key, and lists one a key", async () => {
			const store = await open();
			await put(store, aStatus("AccessPolicy/b", "missing"));
			await put(store, aStatus("AccessPolicy/a@prod"));
			await put(store, aStatus("AccessPolicy/b", "healed"));
			expect((await store.listStatus()).map((s) => [s.key, s.summary])).toEqual([
				["AccessPolicy/a@prod", "as git says"],
				["AccessPolicy/b", "healed"],
			]);
		});

		test("forgets a deleted status, and deleting what is not there is no error", async () => {
			const store = await open();
			await put(store, aStatus("AccessPolicy/a"));
			await forget(store, "AccessPolicy/a");
			await forget(store, "AccessPolicy/a");
			expect(await store.listStatus()).toEqual([]);
		});

		test("writes a status only over the one that was read", async () => {
			const [a, b] = [await open(), await open()];
			const key = "AccessPolicy/a";
			const [one, two, three] = [aStatus(key, "1"), aStatus(key, "2"), aStatus(key, "3")];
			expect(await a.putStatus([{ key, before: undefined, after: one }])).toEqual([]);
			expect(await b.putStatus([{ key, before: undefined, after: two }])).toEqual([key]);
			expect(await b.putStatus([{ key, before: await b.getStatus(key), after: two }])).toEqual([]);
			expect(await a.putStatus([{ key, before: one, after: three }])).toEqual([key]);
			expect(await a.putStatus([{ key, before: one, after: undefined }])).toEqual([key]);
			expect(await a.getStatus(key)).toEqual(two);
			// Nobody's conflict: it is as wanted.
			expect(await a.putStatus([{ key, before: one, after: two }])).toEqual([]);
			expect(await a.putStatus([{ key, before: two, after: undefined }])).toEqual([]);
			expect(await a.putStatus([{ key, before: two, after: undefined }])).toEqual([]);
			expect(await a.putStatus([{ key, before: two, after: three }])).toEqual([key]);
			expect(await a.listStatus()).toEqual([]);
		});

		test("writes many statuses, and of them refuses only what somebody else changed", async () => {
			const store = await open();
			const keys = Array.from({ length: 230 }, (_, n) => `AccessPolicy/p${String(n).padStart(3, "0")}`);
			await put(store, aStatus("AccessPolicy/p150", "theirs"));
			const changes = keys.map((key) => ({ key, before: undefined, after: aStatus(key, "ours") }));
			expect(await store.putStatus(changes)).toEqual(["AccessPolicy/p150"]);
			const all = await store.listStatus();
			expect(all.map((s) => s.key)).toEqual(keys);
			expect(all.filter((s) => s.summary !== "ours").map((s) => [s.key, s.summary])).toEqual([["AccessPolicy/p150", "theirs"]]);
			expect(await store.putStatus([])).toEqual([]);
		});

		test("loses no change when many write one status at once", async () => {
			const key = "AccessPolicy/a";
			const writers = [await open(), await open(), await open(), await open()];
			const add = async (store: Store, w: number): Promise<void> => {
				for (let n = 0; n < 5; ) {
					const before = await store.getStatus(key);
					const after = aStatus(key, [...(before?.summary.split(" ") ?? []), `${w}/${n}`].join(" "));
					if ((await store.putStatus([{ key, before, after }])).length === 0) n++;
				}
			};
			await Promise.all(writers.map(add));
			const written = (await (await open()).getStatus(key))?.summary.split(" ");
			expect(written?.toSorted()).toEqual([0, 1, 2, 3].flatMap((w) => [0, 1, 2, 3, 4].map((n) => `${w}/${n}`)));
		});

		test("is empty until a status or an entry stands in it, whatever the control state is", async () => {
			const store = await open();
			expect(await store.empty()).toBe(true);
			await store.putControl("lease", { holder: "a" }, 0);
			expect(await store.empty()).toBe(true);
			await put(store, aStatus("AccessPolicy/a"));
			expect(await store.empty()).toBe(false);
			await forget(store, "AccessPolicy/a");
			expect(await store.empty()).toBe(true);
			await store.append([anEntry("AccessPolicy/a", "2026-11-24T09:00:00Z")]);
			expect(await store.empty()).toBe(false);
		});

		test("shows history newest first in the order of appending, as many as asked for", async () => {
			const store = await open();
			await store.append([
				anEntry("AccessPolicy/a", "2026-11-24T09:00:00Z", "1"),
				anEntry("AccessPolicy/a", "2026-11-24T09:00:00Z", "2"),
			]);
			await store.append([anEntry("AccessPolicy/b", "2026-11-24T09:01:00Z", "3")]);
			expect((await store.history({ limit: 10 })).map((e) => e.outcome)).toEqual(["3", "2", "1"]);
			expect((await store.history({ limit: 2 })).map((e) => e.outcome)).toEqual(["3", "2"]);
			expect((await store.history({ limit: 1 }))[0]).toEqual(anEntry("AccessPolicy/b", "2026-11-24T09:01:00Z", "3"));
		});

		test("shows the history of one key, with its instances by account, and of no other", async () => {
			const store = await open();
			const keys = [
				"AccessPolicy/a",
				"AccessPolicy/a@prod",
				"AccessPolicy/a-b",
				"AccessPolicy/ab",
				"AccessPolicy/A",
				"PermissionSet/a",
			];
			await store.append(keys.map((key) => anEntry(key, "2026-11-24T09:00:00Z")));
			const keysOf = async (key: string) => (await store.history({ key, limit: 10 })).map((e) => e.key);
			expect(await keysOf("AccessPolicy/a")).toEqual(["AccessPolicy/a@prod", "AccessPolicy/a"]);
			expect(await keysOf("AccessPolicy/a@prod")).toEqual(["AccessPolicy/a@prod"]);
			expect(await keysOf("AccessPolicy/c")).toEqual([]);
		});

		test("shows history from an instant on, that instant included", async () => {
			const store = await open();
			for (const at of ["2026-11-24T09:00:00Z", "2026-11-24T10:00:00Z", "2026-11-24T11:00:00Z"]) {
				await store.append([anEntry("AccessPolicy/a", at, at)]);
			}
			const seen = await store.history({ since: "2026-11-24T10:00:00Z", limit: 10 });
			expect(seen.map((e) => e.outcome)).toEqual(["2026-11-24T11:00:00Z", "2026-11-24T10:00:00Z"]);
		});

		test("appends all entries or none", async () => {
			const store = await open();
			const circular: { self?: unknown } = {};
			circular.self = circular;
			const bad = { ...anEntry("AccessPolicy/a", "2026-11-24T09:00:00Z"), after: circular };
			await expect((async () => store.append([anEntry("AccessPolicy/a", "2026-11-24T09:00:00Z"), bad]))()).rejects.toThrow();
			expect(await store.history({ limit: 10 })).toEqual([]);
			await store.append([]);
			await store.append([anEntry("AccessPolicy/a", "2026-11-24T09:00:00Z")]);
			expect(await store.history({ limit: 10 })).toHaveLength(1);
		});

		test("appends as many entries at once as it says, in their order, and refuses more", async () => {
			const store = await open();
			const entries = Array.from({ length: MOST_ENTRIES + 1 }, (_, n) =>
				anEntry("AccessPolicy/a", "2026-11-24T09:00:00Z", String(n)),
			);
			await expect(store.append(entries)).rejects.toThrow("expected at most 100 entries, got 101");
			expect(await store.empty()).toBe(true);
			await store.append(entries.slice(1));
			expect((await store.history({ limit: 200 })).map((e) => e.outcome)).toEqual(
				entries
					.slice(1)
					.map((e) => e.outcome)
					.reverse(),
			);
			expect((await store.history({ key: "AccessPolicy/a", limit: 3 })).map((e) => e.outcome)).toEqual(["100", "99", "98"]);
		});

		test("keeps every entry when many append at once", async () => {
			const writers = [await open(), await open(), await open()];
			await Promise.all(
				writers.flatMap((store, w) =>
					Array.from({ length: 10 }, (_, n) => store.append([anEntry("AccessPolicy/a", "2026-11-24T09:00:00Z", `${w}/${n}`)])),
				),
			);
			const seen = (await (await open()).history({ key: "AccessPolicy/a", limit: 100 })).map((e) => e.outcome);
			expect(seen.toSorted()).toEqual([0, 1, 2].flatMap((w) => Array.from({ length: 10 }, (_, n) => `${w}/${n}`)));
		});

		test("keeps a secret as [secret], wherever it stands", async () => {
			const store = await open();
			const secret = new Secret("hunter2");
			await store.append([{ ...anEntry("AccessPolicy/a", "2026-11-24T09:00:00Z"), before: { environment: [secret] } }]);
			await store.putControl("pause", { by: secret }, 0);
			expect((await store.history({ limit: 1 }))[0]?.before).toEqual({ environment: ["[secret]"] });
			expect((await store.getControl("pause"))?.value).toEqual({ by: "[secret]" });
		});

		test("sets control state only from the version that was read", async () => {
			const store = await open();
			expect(await store.getControl("lease")).toBeUndefined();
			expect(await store.putControl("lease", { holder: "a" }, 7)).toBe(false);
			expect(await store.getControl("lease")).toBeUndefined();
			expect(await store.putControl("lease", { holder: "a" }, 0)).toBe(true);
			expect(await store.putControl("lease", { holder: "b" }, 0)).toBe(false);
			const first = await store.getControl("lease");
			expect(first?.value).toEqual({ holder: "a" });
			expect(await store.putControl("lease", { holder: "b" }, first?.version ?? -1)).toBe(true);
			expect(await store.putControl("lease", { holder: "c" }, first?.version ?? -1)).toBe(false);
			expect((await store.getControl("lease"))?.value).toEqual({ holder: "b" });
		});

		test("gives versions that grow by one, so that a holder knows its own", async () => {
			const store = await open();
			await store.putControl("x", null, 0);
			expect(await store.getControl("x")).toEqual({ value: null, version: 1 });
			await store.putControl("x", [1, "2"], 1);
			expect(await store.getControl("x")).toEqual({ value: [1, "2"], version: 2 });
		});

		test("opened twice is one store: each sees what the other wrote, and one of two swaps wins", async () => {
			const [a, b] = [await open(), await open()];
			await put(a, aStatus("AccessPolicy/a"));
			await b.append([anEntry("AccessPolicy/a", "2026-11-24T09:00:00Z")]);
			expect(await b.getStatus("AccessPolicy/a")).toEqual(aStatus("AccessPolicy/a"));
			expect(await a.history({ limit: 10 })).toHaveLength(1);
			const won = await Promise.all([a, b].map(async (s, i) => s.putControl("lease", i, 0)));
			expect(won.filter(Boolean)).toHaveLength(1);
		});

		test("gives the lease to exactly one of several processes that want it at once", async () => {
			const dir = mkdtempSync(join(tmpdir(), "race-"));
			try {
				await (await open()).close();
				const program = `${place.program}
					const wanted = { name: "lease", holder: "process " + process.pid, ttlSeconds: 60, callTimeoutSeconds: 15, watchSeconds: 0, clock };
					const lease = await acquireLease(store, wanted, new AbortController().signal);
					say("heldBy" in lease ? "held by " + lease.heldBy : "won " + process.pid + " fence " + lease.fence);
					process.exit(0);`;
				const said = await runAtOnce(program, 4, join(dir, "go"));
				const winners = said.flatMap((s) => /^won (\d+) fence 1\n/.exec(s)?.[1] ?? []);
				expect(winners, said.join("")).toHaveLength(1);
				expect(said.filter((s) => s === `held by process ${winners[0]}\n`)).toHaveLength(3);
			} finally {
				rmSync(dir, { recursive: true, force: true });
			}
		});

		test("closed and opened again has everything", async () => {
			const store = await open();
			await put(store, aStatus("AccessPolicy/a"));
			await store.append([anEntry("AccessPolicy/a", "2026-11-24T09:00:00Z")]);
			await store.putControl("paused", true, 0);
			await store.close();
			await store.close();
			const again = await open();
			expect(await again.listStatus()).toHaveLength(1);
			expect(await again.history({ limit: 10 })).toHaveLength(1);
			expect(await again.getControl("paused")).toEqual({ value: true, version: 1 });
		});
	});
}
