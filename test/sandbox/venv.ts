import { execFile } from "node:child_process";
import { createHash, randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { link, mkdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);
const requirements = fileURLToPath(new URL("requirements.txt", import.meta.url));

/** Where the sandbox keeps its Python environment and its logs; ignored by git. */
export const sandboxDirectory = fileURLToPath(new URL("../../.sandbox/", import.meta.url));

/** Another process may be installing; a slow package index must not make us give up on it. */
const LOCK_DEADLINE_MS = 10 * 60_000;

/**
 * The Python that has moto, from a private virtual environment below `.sandbox/`, made at the first call (about 20 s) and used
 * again as long as `requirements.txt` stays the same. Safe when several processes call it at once.
 * @param directory where to keep it
 * @returns the path of the interpreter
 * @throws Error that says what to install when python3 or its venv module is missing, or what pip said
 */
export async function sandboxPython(directory = sandboxDirectory): Promise<string> {
	const home = join(directory, "venv", digest(await readFile(requirements)));
	const python = join(home, "bin", "python");
	if (existsSync(python)) return python;
	await mkdir(join(directory, "venv"), { recursive: true });
	const unlock = await lock(`${home}.lock`, () => existsSync(python));
	try {
		if (!existsSync(python)) await install(home);
		return python;
	} finally {
		await unlock();
	}
}

function digest(content: Buffer): string {
	return createHash("sha256").update(content).digest("hex").slice(0, 12);
}

/** Installs beside `home` and renames at the end: what is at `home` is always complete. */
async function install(home: string): Promise<void> {
	const draft = `${home}.${process.pid}`;
	process.stderr.write("sandbox: installing moto into .sandbox/ (once, about 20 s)\n");
	try {
		await run("python3", ["-m", "venv", draft]).catch((cause: unknown) => {
			const missing = (cause as NodeJS.ErrnoException).code === "ENOENT";
			const what = missing ? "python3 was not found" : "python3 could not make a virtual environment";
			throw new Error(`${what}: the sandbox needs Python 3.10 or newer with venv (on Debian: apt install python3-venv)`, {
				cause,
			});
		});
		await run(join(draft, "bin", "python"), [
			"-m",
			"pip",
			"install",
			"--quiet",
			"--disable-pip-version-check",
			"-r",
			requirements,
		]);
		await rename(draft, home);
	} catch (error) {
		await rm(draft, { recursive: true, force: true });
		// Whoever lost a broken lock's race finds the other's result in place.
		if (!existsSync(join(home, "bin", "python"))) throw error;
	}
}

/**
 * A lock file that names its owner's process. It saves a second installation; correctness rests on the rename in `install`, so that
 * two owners after a broken lock do no harm.
 */
async function lock(path: string, obsolete: () => boolean): Promise<() => Promise<void>> {
	const own = `${path}.${randomUUID()}`;
	await writeFile(own, String(process.pid));
	const deadline = Date.now() + LOCK_DEADLINE_MS;
	try {
		for (;;) {
			try {
				// link() is atomic and, unlike an exclusive open, never shows a lock without its owner.
				await link(own, path);
				return async () => rm(path, { force: true });
			} catch (error) {
				if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
			}
			if (obsolete()) return async () => {};
			if (await abandoned(path)) await rm(path, { force: true });
			else if (Date.now() > deadline) throw new Error(`${path} is held by another process: remove it if none installs`);
			else await delay(100);
		}
	} finally {
		await rm(own, { force: true });
	}
}

async function abandoned(path: string): Promise<boolean> {
	try {
		const owner = Number(await readFile(path, "utf8"));
		process.kill(owner, 0);
		return Date.now() - (await stat(path)).mtimeMs > LOCK_DEADLINE_MS;
	} catch (error) {
		return (error as NodeJS.ErrnoException).code === "ESRCH";
	}
}
