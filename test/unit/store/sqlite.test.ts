import {
	chmodSync,
	closeSync,
	existsSync,
	mkdirSync,
	mkdtempSync,
	openSync,
	readdirSync,
	readFileSync,
	rmSync,
	statSync,
	truncateSync,
	writeFileSync,
	writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { TerminalError } from "../../../controller/model/errors.ts";
import { Secret } from "../../../controller/model/secret.ts";
import { storeError } from "../../../controller/store/errors.ts";
import { loadSqlite } from "../../../controller/store/load-sqlite.ts";
import { openStore } from "../../../controller/store/sqlite.ts";
import { anEntry, aStatus, put } from "../../conformance/store.ts";
import { runAtOnce, runProgram } from "./child.ts";

let dir: string;
let path: string;
beforeEach(() => {
	dir = mkdtempSync(join(tmpdir(), "store-"));
	path = join(dir, "state", "store.db");
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const filled = async (): Promise<void> => {
	const store = openStore({ path });
	for (let i = 0; i < 200; i++) await store.append([anEntry(`AccessPolicy/p${i}`, "2026-11-24T09:00:00Z", "x".repeat(500))]);
	await put(store, aStatus("AccessPolicy/a"));
	await store.close();
};

async function refusal(work: () => unknown): Promise<TerminalError> {
	try {
		await work();
	} catch (error) {
		expect(error).toBeInstanceOf(TerminalError);
		return error as TerminalError;
	}
	throw new Error("it was not refused");
}

describe("the file of the store", () => {
	test("is for its owner only", async () => {
		await openStore({ path }).close();
		expect([statSync(path).mode & 0o777, statSync(join(dir, "state")).mode & 0o777]).toEqual([0o600, 0o700]);
	});

	test("is made by exactly one of many processes that open it at once", async () => {
		const program = `const s = openStore({ path: ${JSON.stringify(path)} }); say("fresh " + s.fresh); s.close();`;
		const said = await runAtOnce(program, 6, join(dir, "go"));
		expect([...said].sort()).toEqual([...Array.from({ length: 5 }, () => "fresh false\n"), "fresh true\n"]);
	});

	test("holds no secret's value", async () => {
		const secret = new Secret("hunter2");
		const store = openStore({ path });
		await store.append([{ ...anEntry("AccessPolicy/a", "2026-11-24T09:00:00Z"), before: secret, after: [secret] }]);
		await store.putControl("x", { secret }, 0);
		for (const file of readdirSync(join(dir, "state"))) {
			expect(readFileSync(join(dir, "state", file)).includes("hunter2")).toBe(false);
		}
		await store.close();
	});

	test("does not let history be rewritten or deleted, whoever tries", async () => {
		await filled();
		const db = new DatabaseSync(path);
		expect(() => db.exec("UPDATE history SET body = '{}'")).toThrow("history is append-only");
		expect(() => db.exec("DELETE FROM history WHERE id = 1")).toThrow("history is append-only");
		expect(db.prepare("SELECT count(*) AS n FROM history").get()?.n).toBe(200);
		db.close();
	});

	test("records which schema it has, and since when", async () => {
		await openStore({ path, now: () => "2026-11-24T09:00:00Z" }).close();
		await openStore({ path, now: () => "2026-12-24T09:00:00Z" }).close();
		const db = new DatabaseSync(path);
		expect(
			db
				.prepare("SELECT version, at FROM migrations")
				.all()
				.map((r) => ({ ...r })),
		).toEqual([{ version: 1, at: "2026-11-24T09:00:00Z" }]);
		db.close();
	});
});

describe("a process killed at any moment", () => {
	test("loses nothing that was recorded, and leaves a sound store", async () => {
		const entry = JSON.stringify(anEntry("AccessPolicy/a", "2026-11-24T09:00:00Z"));
		for (const least of [1, 7, 40]) {
			const before = existsSync(path) ? openStore({ path }) : null;
			const had = (await before?.history({ limit: 100_000 }))?.length ?? 0;
			await before?.close();
			// It says how many are recorded only after each append has returned.
			const writer = runProgram(`
				const s = openStore({ path: ${JSON.stringify(path)} });
				for (let n = 1; ; n += 2) { await s.append([${entry}, ${entry}]); await s.putControl("n", n, (await s.getControl("n"))?.version ?? 0); say("recorded " + (n + 1)); }
			`);
			await writer.said(new RegExp(`recorded ${least * 2}\\n`));
			writer.child.kill("SIGKILL");
			const recorded = Number(/recorded (\d+)\n$/.exec((await writer.ended).out)?.[1]);
			const store = openStore({ path });
			const now = (await store.history({ limit: 100_000 })).length - had;
			expect(recorded).toBeGreaterThanOrEqual(least * 2);
			// One append may have been recorded and not yet reported; it is there whole.
			expect([recorded, recorded + 2]).toContain(now);
			expect(store.fresh).toBe(false);
			await store.close();
		}
	});
});

describe("refused, never made anew", () => {
	test.each<[string, () => void]>([
		["overwritten with something else", () => writeFileSync(path, "not a database ".repeat(500))],
		["cut in half", () => truncateSync(path, Math.floor(statSync(path).size / 2 / 4096) * 4096)],
		[
			"with pages of garbage",
			() => {
				const bytes = readFileSync(path);
				bytes.fill(0xa5, 4096 * 3, 4096 * 9);
				writeFileSync(path, bytes);
			},
		],
		[
			"without its guard of the history",
			() => {
				const db = new DatabaseSync(path);
				db.exec("DROP TRIGGER history_is_not_deleted");
				db.close();
			},
		],
	])("a store %s", async (_, damage) => {
		await filled();
		damage();
		const bytes = readFileSync(path);
		const error = await refusal(() => openStore({ path }));
		expect([error.reason, error.message.startsWith(`store ${path} is damaged`)]).toEqual(["StoreCorrupt", true]);
		expect(error.fix).toContain("restore it from a backup");
		expect(readFileSync(path).equals(bytes)).toBe(true);
	});

	test("a row that is no longer JSON, when it is read", async () => {
		await filled();
		const db = new DatabaseSync(path);
		db.exec("UPDATE status SET body = '{'");
		db.close();
		const store = openStore({ path });
		expect((await refusal(() => store.getStatus("AccessPolicy/a"))).message).toContain(
			"holds a status of AccessPolicy/a that is not JSON",
		);
		await store.close();
	});

	test("a store of a newer version, saying which", async () => {
		await filled();
		const db = new DatabaseSync(path);
		db.exec("PRAGMA user_version = 7");
		db.close();
		const error = await refusal(() => openStore({ path }));
		expect([error.reason, error.message]).toEqual([
			"StoreNewer",
			`store ${path} has schema version 7, and this ecs-access knows 1 at most`,
		]);
	});

	test("a database of another program", async () => {
		mkdirSync(join(dir, "state"));
		const db = new DatabaseSync(path);
		db.exec("CREATE TABLE bookmarks (url TEXT)");
		db.close();
		expect((await refusal(() => openStore({ path }))).message).toContain("another SQLite database");
	});
});

describe("a file that others touch while it is open", () => {
	test("is gone when it was deleted, or another lies in its place", async () => {
		const store = openStore({ path });
		await put(store, aStatus("AccessPolicy/a"));
		for (const file of readdirSync(join(dir, "state"))) rmSync(join(dir, "state", file));
		expect((await refusal(() => store.listStatus())).reason).toBe("StoreGone");
		await filled();
		expect((await refusal(() => store.append([anEntry("AccessPolicy/a", "2026-11-24T09:00:00Z")]))).reason).toBe("StoreGone");
		await store.close();
	});

	test("is damaged when it was written over, though all of it is still in memory", async () => {
		await filled();
		const store = openStore({ path });
		expect(await store.listStatus()).toHaveLength(1);
		const file = openSync(path, "r+");
		writeSync(file, "damaged ".repeat(100));
		const error = await refusal(() => store.listStatus());
		expect([error.reason, error.message]).toEqual([
			"StoreCorrupt",
			expect.stringContaining("was written over while it was open"),
		]);
		expect((await refusal(() => store.append([anEntry("AccessPolicy/a", "2026-11-24T09:00:00Z")]))).reason).toBe("StoreCorrupt");
		await store.close().catch(() => {});
		closeSync(file);
	});

	test("is as it was when another process wrote to it", async () => {
		const store = openStore({ path });
		await filled();
		expect(await store.history({ limit: 1000 })).toHaveLength(200);
		await store.close();
	});
});

describe("a place that cannot be written", () => {
	test("is named: a file where its directory should be, a directory where it should be", async () => {
		writeFileSync(join(dir, "state"), "");
		expect((await refusal(() => openStore({ path }))).reason).toBe("StoreUnwritable");
		expect(await refusal(() => openStore({ path: dir }))).toMatchObject({
			reason: "StoreUnwritable",
			fix: "make its directory writable for this user, or name another state directory",
		});
	});

	test("is named: a directory, or a store, of another user", async () => {
		// Root may write everything, so that the program runs as nobody.
		const options = process.getuid?.() === 0 ? { uid: 65534 } : {};
		const program = `try { openStore({ path: ${JSON.stringify(path)} }); say("opened"); } catch (e) { fail(e); }`;
		mkdirSync(join(dir, "state"));
		chmodSync(dir, 0o755);
		chmodSync(join(dir, "state"), 0o555);
		expect((await runProgram(program, options).ended).out).toContain(`failed StoreUnwritable: store ${path} cannot be written`);
		chmodSync(join(dir, "state"), 0o777);
		await filled();
		chmodSync(path, 0o444);
		expect((await runProgram(program, options).ended).out).toContain(`failed StoreUnwritable: store ${path} cannot be written`);
	});

	test("for want of space is named, and what was recorded before is safe", async () => {
		await filled();
		const big = JSON.stringify({ ...anEntry("AccessPolicy/a", "2026-11-24T09:00:00Z"), outcome: "y".repeat(50_000) });
		// No file may grow over 400 kB here: what a full disk looks like from within.
		const { out, err } = await runProgram(
			`const s = openStore({ path: ${JSON.stringify(path)} });
			let n = 0;
			try { for (; n < 100; n++) await s.append([${big}]); say("all written"); } catch (e) { say("written " + n); fail(e); }
			say("still there " + (await s.history({ limit: 1000 })).length);`,
			{ shell: "ulimit -f 800;" },
		).ended;
		expect(err).toBe("");
		const written = Number(/written (\d+)\n/.exec(out)?.[1]);
		expect(written).toBeLessThan(100);
		expect(out).toContain("failed StoreUnwritable: ");
		expect(out).toContain(`still there ${200 + written}\n`);
		const store = openStore({ path });
		expect(await store.history({ limit: 1000 })).toHaveLength(200 + written);
		await store.append([anEntry("AccessPolicy/a", "2026-11-24T09:00:00Z")]);
		await store.close();
	});
});

describe("what an error of SQLite means", () => {
	const sqlite = (errcode: number) => Object.assign(new Error("said so"), { code: "ERR_SQLITE_ERROR", errcode });
	test.each([
		[11, "StoreCorrupt"],
		[267, "StoreCorrupt"],
		[26, "StoreCorrupt"],
		[13, "StoreFull"],
		[8, "StoreUnwritable"],
		[14, "StoreUnwritable"],
		[778, "StoreUnwritable"],
	])("%i is %s for a person", (errcode, reason) => {
		expect(storeError("x.db", sqlite(errcode))).toMatchObject({ name: "TerminalError", reason, fix: expect.any(String) });
	});

	test.each([5, 261, 517])("%i is contention, and is tried again", (errcode) => {
		expect(storeError("x.db", sqlite(errcode))).toMatchObject({
			name: "Error",
			message: "store x.db is busy: another process is writing to it",
		});
	});
});

describe("loading SQLite", () => {
	test("drops the one warning that it is experimental, and no other", () => {
		const seen: unknown[][] = [];
		const emit = process.emitWarning;
		process.emitWarning = ((...args: unknown[]) => void seen.push(args)) as typeof process.emitWarning;
		try {
			const patched = process.emitWarning;
			loadSqlite(() => {
				process.emitWarning("SQLite is an experimental feature and might change at any time", "ExperimentalWarning");
				process.emitWarning("SQLite is deprecated", "DeprecationWarning");
				process.emitWarning("another feature is experimental", "ExperimentalWarning");
				return process.getBuiltinModule("node:sqlite");
			});
			expect(process.emitWarning).toBe(patched);
		} finally {
			process.emitWarning = emit;
		}
		expect(seen).toEqual([
			["SQLite is deprecated", "DeprecationWarning"],
			["another feature is experimental", "ExperimentalWarning"],
		]);
	});

	test("writes nothing to the terminal", async () => {
		const { out, err } = await runProgram(`openStore({ path: ":memory:" }).close(); say("done");`).ended;
		expect([out, err]).toEqual(["done\n", ""]);
	});
});
