import { constants, copyFile, link, lstat, mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { TerminalError } from "../model/errors.ts";

/** Those of `names` that are in the folder already. */
export async function existingFiles(dir: string, names: readonly string[]): Promise<readonly string[]> {
	const there = await Promise.all(names.map((name) => exists(join(dir, name))));
	return names.filter((_, n) => there[n] === true);
}

/**
 * Writes all the files or none: each whole under a hidden name first, then all are given their names. Without `replace` a
 * file that exists, or comes to exist meanwhile, is never overwritten (TerminalError, nothing written).
 */
export async function writeAll(
	dir: string,
	files: ReadonlyMap<string, string>,
	opts: { readonly replace: boolean },
	signal: AbortSignal,
): Promise<void> {
	await mkdir(dir, { recursive: true });
	const undo: (() => Promise<void>)[] = [];
	const temporary = (name: string): string => join(dir, `.${name}.${process.pid}.tmp`);
	try {
		for (const [name, text] of files) {
			signal.throwIfAborted();
			// `wx`: a temporary file of that name is somebody else's, or a trap.
			await writeFile(temporary(name), text, { flag: "wx" });
			undo.push(() => rm(temporary(name), { force: true }));
		}
		for (const name of files.keys()) {
			const path = join(dir, name);
			if (opts.replace && (await exists(path))) {
				const before = await readFile(path);
				await rename(temporary(name), path);
				undo.push(() => writeFile(path, before));
			} else {
				await linkNew(temporary(name), path);
				undo.push(() => rm(path, { force: true }));
			}
		}
	} catch (error) {
		for (const step of undo.reverse()) await step().catch(() => {});
		throw error;
	}
	for (const name of files.keys()) await rm(temporary(name), { force: true });
}

/** Unlike rename, link refuses where the name is taken; so does the copy, for file systems without links. */
async function linkNew(from: string, to: string): Promise<void> {
	try {
		await link(from, to).catch((error: unknown) => {
			if (codeOf(error) === "EEXIST") throw error;
			return copyFile(from, to, constants.COPYFILE_EXCL);
		});
	} catch (cause) {
		if (codeOf(cause) !== "EEXIST") throw cause;
		throw new TerminalError("FileExists", `${to} exists already`, {
			cause,
			fix: "move it away, or give --force to overwrite it",
		});
	}
}

function codeOf(error: unknown): unknown {
	return error instanceof Error && "code" in error ? error.code : undefined;
}

async function exists(path: string): Promise<boolean> {
	return lstat(path).then(
		() => true,
		(error: unknown) => {
			if (codeOf(error) === "ENOENT" || codeOf(error) === "ENOTDIR") return false;
			throw error;
		},
	);
}
