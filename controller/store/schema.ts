import type { DatabaseSync } from "node:sqlite";
import { TerminalError } from "../model/errors.ts";

/** `ecsa` in ASCII: tells our file from any other SQLite database. */
const APPLICATION_ID = 0x65637361;

/** One entry a schema version, never changed once released: a new version is a new entry. */
const MIGRATIONS: readonly { readonly name: string; readonly sql: string }[] = [
	{
		name: "status, history, control",
		sql: `
			CREATE TABLE status (key TEXT PRIMARY KEY, body TEXT NOT NULL) STRICT, WITHOUT ROWID;
			CREATE TABLE history (
				id INTEGER PRIMARY KEY AUTOINCREMENT,
				at TEXT NOT NULL,
				key TEXT NOT NULL,
				body TEXT NOT NULL
			) STRICT;
			CREATE INDEX history_by_key ON history (key, id);
			CREATE TRIGGER history_is_not_rewritten BEFORE UPDATE ON history
				BEGIN SELECT RAISE(ABORT, 'history is append-only'); END;
			CREATE TRIGGER history_is_not_deleted BEFORE DELETE ON history
				BEGIN SELECT RAISE(ABORT, 'history is append-only'); END;
			CREATE TABLE control (name TEXT PRIMARY KEY, value TEXT NOT NULL, version INTEGER NOT NULL) STRICT, WITHOUT ROWID;
		`,
	},
];

const OBJECTS = ["status", "history", "history_is_not_rewritten", "history_is_not_deleted", "control", "migrations"];

/**
 * Brings the file to this version's schema, in one transaction. True when nothing was there before.
 * Throws TerminalError for a file of another program, of a newer version, or with parts missing.
 */
export function migrate(db: DatabaseSync, path: string, now: string): boolean {
	// IMMEDIATE: of two processes that open a new file at once, one makes it and the other sees it made.
	db.exec("BEGIN IMMEDIATE");
	try {
		const version = pragma(db, "user_version");
		const app = pragma(db, "application_id");
		const empty = objects(db).size === 0;
		if (!empty && app !== APPLICATION_ID) {
			throw new TerminalError("StoreCorrupt", `${path} is not a store of ecs-access but another SQLite database`, {
				fix: "name another state directory",
			});
		}
		if (version > MIGRATIONS.length) {
			throw new TerminalError(
				"StoreNewer",
				`store ${path} has schema version ${version}, and this ecs-access knows ${MIGRATIONS.length} at most`,
				{ fix: "use the newer ecs-access that wrote it" },
			);
		}
		if (empty && version === 0) {
			db.exec(`PRAGMA application_id = ${APPLICATION_ID}`);
			db.exec("CREATE TABLE migrations (version INTEGER PRIMARY KEY, name TEXT NOT NULL, at TEXT NOT NULL) STRICT");
		}
		MIGRATIONS.slice(version).forEach((m, i) => {
			db.exec(m.sql);
			db.prepare("INSERT INTO migrations (version, name, at) VALUES (?, ?, ?)").run(version + i + 1, m.name, now);
			db.exec(`PRAGMA user_version = ${version + i + 1}`);
		});
		const present = objects(db);
		const missing = OBJECTS.filter((name) => !present.has(name));
		if (missing.length > 0) throw corrupt(path, `lacks ${missing.join(", ")}`);
		db.exec("COMMIT");
		return empty;
	} catch (error) {
		if (db.isTransaction) db.exec("ROLLBACK");
		throw error;
	}
}

/** A corrupt store is never made anew silently: it held the pauses, the lease and the last admitted revision. */
export function corrupt(path: string, what: string, cause?: unknown): TerminalError {
	return new TerminalError("StoreCorrupt", `store ${path} is damaged: it ${what}`, {
		cause,
		fix: `restore it from a backup, or move ${path} aside: the marks in AWS keep the next plan right, only history and pauses are lost`,
	});
}

function objects(db: DatabaseSync): ReadonlySet<string> {
	return new Set(
		db
			.prepare("SELECT name FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%'")
			.all()
			.map((r) => String(r.name)),
	);
}

function pragma(db: DatabaseSync, name: "user_version" | "application_id"): number {
	return Number(db.prepare(`PRAGMA ${name}`).get()?.[name] ?? 0);
}
