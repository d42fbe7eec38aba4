import { closeSync, constants, type Dirent, fstatSync, openSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { TerminalError } from "../model/errors.ts";
import { type Collector, createCollector, isYamlPath, OUR_GROUP, shown } from "./files.ts";

export interface Walked {
	readonly files: ReadonlyMap<string, string>;
	/** What may hold documents and was not read: links, repositories within, things that are no files. */
	readonly unread: readonly string[];
}

/**
 * Every YAML file below a folder, by path relative to it. Links are not followed: what stands behind one is not part of the
 * folder, and may be changed without it. `root` is how a person knows the folder.
 */
export function walk(folder: string, root: string, signal: AbortSignal): Walked {
	const collector = createCollector(root);
	const unread: string[] = [];
	visit(folder, "", collector, unread, root, signal);
	return { files: collector.files(), unread };
}

function visit(folder: string, prefix: string, into: Collector, unread: string[], root: string, signal: AbortSignal): void {
	signal.throwIfAborted();
	const entries = readable(root, prefix, () => readdirSync(join(folder, prefix), { withFileTypes: true }));
	if (prefix !== "" && entries.some((e) => e.name === ".git")) {
		unread.push(`${shown(root, prefix)} (a git repository of its own)`);
		return;
	}
	for (const entry of entries) {
		const path = prefix === "" ? entry.name : `${prefix}/${entry.name}`;
		if (entry.name.startsWith(".")) continue;
		if (entry.isDirectory()) visit(folder, path, into, unread, root, signal);
		else if (entry.isSymbolicLink()) {
			if (isYamlPath(path) || leadsToFolder(join(folder, path))) unread.push(`${shown(root, path)} (a symbolic link)`);
		} else if (isYamlPath(path)) readInto(join(folder, path), path, entry, into, unread, root);
	}
}

function readInto(file: string, path: string, entry: Dirent, into: Collector, unread: string[], root: string): void {
	if (!entry.isFile()) {
		unread.push(`${shown(root, path)} (not a regular file)`);
		return;
	}
	// NOFOLLOW: it may have become a link since it was listed.
	const fd = readable(root, path, () => openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK));
	try {
		into.expect(path, fstatSync(fd).size);
		into.add(
			path,
			readable(root, path, () => readFileSync(fd)),
		);
	} finally {
		closeSync(fd);
	}
}

function leadsToFolder(path: string): boolean {
	return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

function readable<R>(root: string, path: string, read: () => R): R {
	try {
		return read();
	} catch (cause) {
		throw unreadable(path === "" ? root : shown(root, path), cause);
	}
}

export function unreadable(what: string, cause: unknown): TerminalError {
	const code = (cause as NodeJS.ErrnoException).code;
	const why = code === "EACCES" || code === "EPERM" ? "permission denied" : code === "ENOENT" ? "it does not exist" : code;
	return new TerminalError("Unreadable", `${what} cannot be read: ${why ?? String(cause)}`, {
		cause,
		fix: code === "EACCES" || code === "EPERM" ? "let this user read it" : "check the path",
	});
}

/** True when the folder holds a `platform/` with documents of ours; also when that cannot be told. */
export function isSourceRoot(folder: string, signal: AbortSignal): boolean {
	const platform = join(folder, "platform");
	if (!leadsToFolder(platform)) return false;
	try {
		return [...walk(platform, platform, signal).files.values()].some((text) => text.includes(OUR_GROUP));
	} catch (error) {
		if (error instanceof TerminalError) return true;
		throw error;
	}
}
