import { appendFileSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

/**
 * Remembers what never changes in AWS, by key, in a file of JSON lines. It is only ever a saving of calls: a line that
 * cannot be read is skipped, a file that cannot be written is done without, and several processes may append at once.
 */
export interface DiskCache<T> {
	readonly get: (key: string) => T | undefined;
	readonly put: (key: string, value: T) => void;
}

/** Past this size the older half is dropped; a task definition takes about half a kilobyte. */
const MAX_BYTES = 16 * 1024 * 1024;

/** `file` null: in memory only. `is` decides whether a value that was read is one that this version wrote. */
export function createDiskCache<T>(file: string | null, is: (value: unknown) => value is T): DiskCache<T> {
	let entries: Map<string, T> | undefined;
	const load = (): Map<string, T> => {
		entries ??= file === null ? new Map() : readLines(file, is);
		return entries;
	};
	return {
		get: (key) => load().get(key),
		put: (key, value) => {
			load().set(key, value);
			if (file !== null) append(file, JSON.stringify([key, value]));
		},
	};
}

function readLines<T>(file: string, is: (value: unknown) => value is T): Map<string, T> {
	const entries = new Map<string, T>();
	let lines: readonly string[];
	try {
		lines = readFileSync(file, "utf8").split("\n");
	} catch {
		return entries;
	}
	for (const line of lines) {
		if (line === "") continue;
		try {
			const [key, value] = JSON.parse(line) as readonly unknown[];
			if (typeof key === "string" && is(value)) entries.set(key, value);
		} catch {
			// A torn or foreign line: what it held is read from AWS again.
		}
	}
	shrink(file, lines);
	return entries;
}

/** The leading line break ends a line that another process left torn. */
function append(file: string, line: string): void {
	try {
		mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
		appendFileSync(file, `\n${line}\n`, { mode: 0o600 });
	} catch {
		// A read-only or full disk costs calls, never correctness.
	}
}

function shrink(file: string, lines: readonly string[]): void {
	try {
		if (statSync(file).size <= MAX_BYTES) return;
		const temporary = `${file}.${process.pid}`;
		writeFileSync(temporary, lines.slice(Math.floor(lines.length / 2)).join("\n"), { mode: 0o600 });
		renameSync(temporary, file);
	} catch {
		// Stays as large as it is.
	}
}
