import { TerminalError } from "../model/errors.ts";
import { corrupt } from "./schema.ts";

/** Primary result codes of SQLite (https://www.sqlite.org/rescode.html): the low byte of an extended code. */
const CODE = { perm: 3, busy: 5, readonly: 8, ioerr: 10, corrupt: 11, full: 13, cantopen: 14, notadb: 26 } as const;

/**
 * What an error of SQLite or of the file system means for the store at `path`. A TerminalError where a person must act;
 * contention (another process holds the file) and what is not known stay as plain errors, which are tried again.
 */
export function storeError(path: string, error: unknown): unknown {
	if (error instanceof TerminalError || !(error instanceof Error)) return error;
	const { errcode, code } = error as { errcode?: unknown; code?: unknown };
	const primary = typeof errcode === "number" ? errcode & 0xff : null;
	if (primary === CODE.corrupt || primary === CODE.notadb) return corrupt(path, `cannot be read (${error.message})`, error);
	if (primary === CODE.full || code === "ENOSPC" || code === "EDQUOT") {
		return new TerminalError("StoreFull", `store ${path} cannot grow: the disk is full`, {
			cause: error,
			fix: "free some space; what was recorded before is safe",
		});
	}
	if (primary === CODE.ioerr) {
		return new TerminalError("StoreUnwritable", `store ${path} cannot be read or written: ${error.message}`, {
			cause: error,
			fix: "check the disk, its free space and its limits; what was recorded before is safe",
		});
	}
	const refused = typeof code === "string" && ["EACCES", "EPERM", "EROFS", "ENOTDIR", "EEXIST", "EISDIR"].includes(code);
	if (refused || primary === CODE.perm || primary === CODE.readonly || primary === CODE.cantopen) {
		return new TerminalError("StoreUnwritable", `store ${path} cannot be written: ${error.message}`, {
			cause: error,
			fix: "make its directory writable for this user, or name another state directory",
		});
	}
	if (primary === CODE.busy) return new Error(`store ${path} is busy: another process is writing to it`, { cause: error });
	return error;
}
