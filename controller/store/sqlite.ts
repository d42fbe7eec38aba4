import { closeSync, fstatSync, mkdirSync, openSync, readSync, statSync } from "node:fs";
import { dirname } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { TerminalError } from "../model/errors.ts";
import type { ResourceKey } from "../model/ids.ts";
import { MOST_ENTRIES, type StatusChange, type Store } from "../model/ports.ts";
import type { HistoryEntry, Status } from "../model/status.ts";
import { storeError } from "./errors.ts";
import { loadSqlite } from "./load-sqlite.ts";
import { corrupt, migrate } from "./schema.ts";

/** A writer holds the file for milliseconds; one that holds it longer is stuck. */
const BUSY_TIMEOUT_MS = 10_000;
/** A full check reads every page: some 50 ms up to this size. A larger file is checked page by page as it is used. */
const CHECK_UP_TO_BYTES = 32 * 1024 * 1024;

/**
 * The private store: one SQLite file, which several processes may open. `path` is the file, or `:memory:`; its directory
 * is made. Every write is on disk when the call returns. Throws TerminalError when the file is damaged, newer than this
 * program, or cannot be written; a damaged file is never made anew.
 */
export function openStore(options: { readonly path: string; readonly now?: () => string }): Store {
	const { path } = options;
	const guard = <R>(work: () => R): R => {
		try {
			opened?.check();
			return work();
		} catch (error) {
			throw storeError(path, error);
		}
	};
	let opened: ReturnType<typeof watchFile> | null = null;
	const { db, fresh } = guard(() => open(path, (options.now ?? (() => new Date().toISOString()))()));
	opened = guard(() => watchFile(path));
	// Prepared once each, at first use.
	const statements = new Map<string, ReturnType<DatabaseSync["prepare"]>>();
	const sql = (text: string) => {
		const known = statements.get(text) ?? db.prepare(text);
		statements.set(text, known);
		return known;
	};
	const parse = <T>(body: unknown, what: string): T => {
		try {
			return JSON.parse(String(body)) as T;
		} catch (error) {
			throw corrupt(path, `holds ${what} that is not JSON`, error);
		}
	};
	/** All or nothing, written once. */
	const transaction = <R>(work: () => R): R => {
		db.exec("BEGIN IMMEDIATE");
		try {
			const result = work();
			db.exec("COMMIT");
			return result;
		} catch (error) {
			if (db.isTransaction) db.exec("ROLLBACK");
			throw error;
		}
	};
	const setStatus = ({ key, before, after }: StatusChange): boolean => {
		const wanted = after === undefined ? null : JSON.stringify(after);
		const found = sql("SELECT body FROM status WHERE key = ?").get(key)?.body ?? null;
		if (found === wanted) return true;
		if (found !== (before === undefined ? null : JSON.stringify(before))) return false;
		if (wanted === null) sql("DELETE FROM status WHERE key = ?").run(key);
		else
			sql("INSERT INTO status (key, body) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET body = excluded.body").run(key, wanted);
		return true;
	};
	return {
		fresh,
		getStatus: async (key) =>
			guard(() => {
				const row = sql("SELECT body FROM status WHERE key = ?").get(key);
				return row === undefined ? undefined : parse<Status>(row.body, `a status of ${key}`);
			}),
		getStatuses: async (keys) =>
			guard(() => {
				const found = new Map<ResourceKey, Status>();
				for (const key of keys) {
					const row = sql("SELECT body FROM status WHERE key = ?").get(key);
					if (row !== undefined) found.set(key, parse<Status>(row.body, `a status of ${key}`));
				}
				return found;
			}),
		listStatus: async () =>
			guard(() =>
				sql("SELECT key, body FROM status ORDER BY key")
					.all()
					.map((row) => parse<Status>(row.body, `a status of ${row.key}`)),
			),
		putStatus: async (changes) =>
			guard(() =>
				changes.length === 0 ? [] : transaction(() => changes.filter((c) => !setStatus(c)).map((c): ResourceKey => c.key)),
			),
		append: async (entries) =>
			guard(() => {
				if (entries.length === 0) return;
				if (entries.length > MOST_ENTRIES)
					throw new RangeError(`expected at most ${MOST_ENTRIES} entries, got ${entries.length}`);
				transaction(() => {
					const insert = sql("INSERT INTO history (at, key, body) VALUES (?, ?, ?)");
					for (const entry of entries) insert.run(entry.at, entry.key, JSON.stringify(entry));
				});
			}),
		history: async ({ key, since, limit }) =>
			guard(() =>
				(key === undefined
					? sql("SELECT id, body FROM history WHERE at >= :since ORDER BY id DESC LIMIT :limit").all({
							since: since ?? "",
							limit,
						})
					: // Names hold no `@`, and `A` is the character after it: the range is every instance `Kind/name@account`.
						sql(
							`SELECT id, body FROM history
							WHERE (key = :key OR (key > :key || '@' AND key < :key || 'A')) AND at >= :since
							ORDER BY id DESC LIMIT :limit`,
						).all({ key, since: since ?? "", limit })
				).map((row) => parse<HistoryEntry>(row.body, `history entry ${row.id}`)),
			),
		getControl: async (name) =>
			guard(() => {
				const row = sql("SELECT value, version FROM control WHERE name = ?").get(name);
				return row === undefined
					? undefined
					: { value: parse<unknown>(row.value, `control state ${name}`), version: Number(row.version) };
			}),
		putControl: async (name, value, expected) =>
			guard(() => {
				const text = JSON.stringify(value ?? null);
				const done =
					expected === 0
						? sql("INSERT INTO control (name, value, version) VALUES (?, ?, 1) ON CONFLICT (name) DO NOTHING").run(name, text)
						: sql("UPDATE control SET value = ?, version = version + 1 WHERE name = ? AND version = ?").run(text, name, expected);
				return Number(done.changes) === 1;
			}),
		empty: async () =>
			guard(() => sql("SELECT EXISTS (SELECT 1 FROM status) OR EXISTS (SELECT 1 FROM history) AS filled").get()?.filled === 0),
		close: async () => {
			if (!db.isOpen) return;
			db.close();
			opened?.close();
		},
	};
}

function open(path: string, now: string): { readonly db: DatabaseSync; readonly fresh: boolean } {
	let size = 0;
	if (path !== ":memory:") {
		// Policies of a whole company stand in it: for its owner only.
		mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
		closeSync(openSync(path, "a", 0o600));
		size = statSync(path).size;
	}
	const { DatabaseSync } = loadSqlite();
	const db = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS });
	try {
		// FULL: the intent of a write to AWS must outlive a power cut, not only a killed process.
		db.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA trusted_schema = OFF;");
		if (size > 0 && size <= CHECK_UP_TO_BYTES) {
			const found = db.prepare("PRAGMA quick_check(1)").get()?.quick_check;
			if (found !== "ok") throw corrupt(path, `fails its check (${String(found)})`);
		}
		return { db, fresh: migrate(db, path, now) };
	} catch (error) {
		db.close();
		throw error;
	}
}

/**
 * A file that was deleted goes on taking what is written to it, and nobody will ever read it; one that was written over goes
 * on answering from what is cached of it. Both must be noticed.
 */
function watchFile(path: string): { readonly check: () => void; readonly close: () => void } {
	if (path === ":memory:") return { check: () => {}, close: () => {} };
	// Kept until the database is closed: to close any descriptor of a file drops the locks that SQLite has on it.
	const file = openSync(path, "r");
	const { ino } = fstatSync(file);
	const head = Buffer.alloc(SQLITE_HEAD.length);
	return {
		check: () => {
			if (statSync(path, { throwIfNoEntry: false })?.ino !== ino) {
				throw new TerminalError("StoreGone", `store ${path} was deleted or replaced while it was open`, {
					fix: "nothing more is written to it; run goes on with what is there now, as a fresh one",
				});
			}
			const length = readSync(file, head, 0, head.length, 0);
			if (length !== head.length || !head.equals(SQLITE_HEAD)) throw corrupt(path, "was written over while it was open");
		},
		close: () => closeSync(file),
	};
}

/** https://www.sqlite.org/fileformat.html, The Database Header: in the file since it was first opened. */
const SQLITE_HEAD = Buffer.from("SQLite format 3\0", "latin1");
