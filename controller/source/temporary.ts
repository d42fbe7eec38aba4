import { accessSync, constants, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { isAbsolute, join } from "node:path";
import { TerminalError } from "../model/errors.ts";

/** Memory, where there is such a place: what is written there never reaches a disk, and a read-only container has it too. */
const MEMORY = "/dev/shm";

export interface TemporaryFiles {
	readonly path: (name: string) => string;
	/** Removes them; may be called twice. */
	readonly dispose: () => void;
}

/** Files that only this user can read, in a folder of their own that only this user can enter. */
export function writeTemporary(contents: Readonly<Record<string, string>>): TemporaryFiles {
	const folder = mkdtempSync(join(writable(MEMORY) ? MEMORY : tmpdir(), "ecs-access-"));
	const dispose = (): void => rmSync(folder, { recursive: true, force: true });
	try {
		for (const [name, text] of Object.entries(contents)) writeFileSync(join(folder, name), text, { mode: 0o600, flag: "wx" });
	} catch (error) {
		dispose();
		throw error;
	}
	return { path: (name) => join(folder, name), dispose };
}

/** An absolute path names a file on this machine; anything else is the content itself, ended as a file must be. */
export function textOrFile(value: string, what: string): string {
	if (!isPath(value)) return `${value.replaceAll("\r\n", "\n").trimEnd()}\n`;
	try {
		return readFileSync(value, "utf8");
	} catch (cause) {
		throw new TerminalError("Unreadable", `the ${what} file ${value} cannot be read: ${(cause as Error).message}`, {
			cause,
			fix: "check the path, or write the lines themselves into the Installation",
		});
	}
}

/** Host keys and allowed signers have more than one word a line, so that no line of them is a path. */
export function isPath(value: string): boolean {
	return isAbsolute(value) && !value.includes("\n");
}

function writable(folder: string): boolean {
	try {
		accessSync(folder, constants.W_OK | constants.X_OK);
		return true;
	} catch {
		return false;
	}
}
