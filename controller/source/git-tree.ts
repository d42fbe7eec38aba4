import { instantAt } from "../model/instant.ts";
import type { Revision } from "../model/resource.ts";
import type { Git, RunOptions } from "./git-command.ts";

export interface TreeEntry {
	/** Relative to the folder that was listed. */
	readonly path: string;
	readonly type: "file" | "symlink" | "submodule";
	readonly id: string;
}

/** Every file below the working directory (in a work tree), or below `subdir` (in a bare repository), of one commit. */
export async function listTree(
	git: Git,
	commit: string,
	subdir: string | null,
	options: RunOptions,
	signal: AbortSignal,
): Promise<readonly TreeEntry[]> {
	const tree = subdir === null || subdir === "" ? commit : `${commit}:${subdir}`;
	const out = await git.ok(["ls-tree", "-r", "-z", tree], options, signal);
	return out
		.toString("utf8")
		.split("\0")
		.flatMap((line) => {
			const [, mode, id, path] = /^(\d{6}) \w+ ([0-9a-f]+)\t(.*)$/s.exec(line) ?? [];
			if (mode === undefined || id === undefined || path === undefined) return [];
			return [{ path, id, type: mode === "120000" ? "symlink" : mode === "160000" ? "submodule" : "file" } as const];
		});
}

/** The contents by object id. Throws when one is missing. */
export async function readBlobs(
	git: Git,
	ids: readonly string[],
	options: RunOptions,
	signal: AbortSignal,
): Promise<ReadonlyMap<string, Buffer>> {
	const contents = new Map<string, Buffer>();
	const wanted = [...new Set(ids)];
	if (wanted.length === 0) return contents;
	const out = await git.ok(["cat-file", "--batch"], { ...options, input: `${wanted.join("\n")}\n` }, signal);
	let at = 0;
	for (const id of wanted) {
		const end = out.indexOf(10, at);
		const header = out.toString("utf8", at, end < 0 ? out.length : end);
		const [, size] = /^[0-9a-f]+ blob (\d+)$/.exec(header) ?? [];
		if (size === undefined) throw new Error(`git object ${id} cannot be read: ${header}`);
		contents.set(id, out.subarray(end + 1, end + 1 + Number(size)));
		at = end + 1 + Number(size) + 1;
	}
	return contents;
}

export async function readCommit(git: Git, commit: string, options: RunOptions, signal: AbortSignal): Promise<Revision> {
	const format = "%H%x00%an <%ae>%x00%ct%x00%s";
	const out = await git.ok(
		["log", "-1", "--no-show-signature", `--format=${format}`, "--end-of-options", commit],
		options,
		signal,
	);
	const [id = "", author = "", seconds = "0", subject = ""] = out.toString("utf8").trimEnd().split("\0");
	return { kind: "commit", id, author, committedAt: instantAt(Number(seconds) * 1000), subject };
}
