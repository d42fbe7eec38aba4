import { existsSync, statSync } from "node:fs";
import { dirname, isAbsolute, relative, resolve, sep } from "node:path";
import { TerminalError } from "../model/errors.ts";

/** The source root where nothing else is said. */
export const DEFAULT_ROOT = "policies";

/**
 * The root that `validate PATH...` reads, relative to `cwd`: `--path`; else the folder above the first PATH, or itself,
 * that holds `platform/`; else `policies` where it holds PATH; else PATH, when it is a folder.
 */
export function rootOf(cwd: string, given: string | undefined, paths: readonly string[]): string {
	const [first] = paths;
	if (given !== undefined || first === undefined) return given ?? DEFAULT_ROOT;
	const start = resolve(cwd, first);
	if (!existsSync(start)) throw new TerminalError("NoSuchPath", `no file or folder ${first}`);
	const marked = ancestors(start).find((folder) => existsSync(resolve(folder, "platform")));
	const standard = resolve(cwd, DEFAULT_ROOT);
	const root = marked ?? (isWithin(standard, start) ? standard : statSync(start).isDirectory() ? start : dirname(start));
	const stranger = paths.find((p) => !isWithin(root, resolve(cwd, p)));
	if (stranger !== undefined) {
		const words = `${stranger} is not below ${relative(cwd, root) || "."}, the root of ${first}`;
		throw new TerminalError("SeveralRoots", words, { fix: "validate one root at a time" });
	}
	return relative(cwd, root) || ".";
}

/** True where `path` is `folder` or lies below it; both absolute. */
export function isWithin(folder: string, path: string): boolean {
	const way = relative(folder, path);
	return way === "" || (way !== ".." && !way.startsWith(`..${sep}`) && !isAbsolute(way));
}

function ancestors(path: string): readonly string[] {
	const found = [path];
	for (let at = path; dirname(at) !== at; at = dirname(at)) found.push(dirname(at));
	return found;
}
