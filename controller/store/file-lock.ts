import { closeSync, mkdirSync, openSync } from "node:fs";
import { dirname } from "node:path";
import type { Clock } from "../model/ports.ts";
import { storeError } from "./errors.ts";
import { loadSqlite } from "./load-sqlite.ts";

/** Between two tries; what the lock guards takes seconds. */
const RETRY_MS = 50;
const SQLITE_BUSY = 5;

/**
 * Waits until this process alone holds the lock file, and returns what lets it go. The kernel lets it go when the process
 * dies, however it dies, so a lock is never stale: SQLite's exclusive lock on an otherwise unused file.
 */
export async function lockFile(path: string, clock: Clock, signal: AbortSignal): Promise<() => void> {
	signal.throwIfAborted();
	const db = (() => {
		try {
			mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
			closeSync(openSync(path, "a", 0o600));
			return new (loadSqlite().DatabaseSync)(path, { timeout: 0 });
		} catch (error) {
			throw storeError(path, error);
		}
	})();
	for (;;) {
		try {
			db.exec("BEGIN EXCLUSIVE");
			return () => {
				if (db.isOpen) db.close();
			};
		} catch (error) {
			if (((error as { errcode?: number }).errcode ?? 0) % 256 !== SQLITE_BUSY) {
				db.close();
				throw storeError(path, error);
			}
		}
		try {
			await clock.sleep(RETRY_MS, signal);
		} catch (error) {
			db.close();
			throw error;
		}
	}
}
