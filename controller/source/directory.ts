import { existsSync, realpathSync, type Stats, statSync } from "node:fs";
import { dirname, isAbsolute, join, relative, resolve } from "node:path";
import { TerminalError } from "../model/errors.ts";
import type { Source } from "../model/ports.ts";
import type { Artifact } from "../model/resource.ts";
import { contentDigest, insideRoot, listed } from "./files.ts";
import { createGit, type Environment } from "./git-command.ts";
import { sourceMark } from "./mark.ts";
import { isSourceRoot, unreadable, walk } from "./walk.ts";
import { inspectWorkTree } from "./work-tree.ts";

/**
 * A folder of YAML, in a git work tree or not. Its revision is the commit when what was read is exactly that commit, else
 * the content. `branch` is the configured one (Installation, `spec.git.branch`); default: origin's default branch. Throws
 * TerminalError for a path that cannot be read, that lies inside a source root, or that holds a file over the limits.
 */
export function createDirectorySource(deps: {
	readonly path: string;
	readonly cwd: string;
	readonly env: Environment;
	readonly branch?: string;
}): Source {
	const git = createGit(deps.env);
	return {
		fetch: async (signal) => {
			const root = deps.path.replace(/^(?:\.\/+)+(?=.)/, "").replace(/(?<=.)\/+$/, "") || ".";
			const folder = realFolder(resolve(deps.cwd, deps.path), root);
			const top = workTreeTop(folder);
			refuseInsideRoot(folder, top, root, deps.cwd, signal);
			const { files, unread } = walk(folder, root, signal);
			const content = contentDigest(files);
			const tree = top === null ? null : await inspectWorkTree(git, folder, root, files, deps.branch ?? null, signal);
			const reasons = [
				files.size === 0 ? `${root} holds no YAML file` : null,
				unread.length > 0 ? `not read: ${listed(unread)}` : null,
				tree?.partial ?? null,
			].filter((r) => r !== null);
			return {
				revision: tree?.revision ?? { kind: "directory", id: content },
				digest: content,
				root,
				files,
				source: sourceMark(tree?.originUrl ?? null, tree?.prefix ?? ""),
				partial: reasons.length === 0 ? null : reasons.join("; "),
			} satisfies Artifact;
		},
	};
}

function realFolder(path: string, root: string): string {
	let stats: Stats;
	try {
		stats = statSync(path);
	} catch (cause) {
		if ((cause as NodeJS.ErrnoException).code !== "ENOENT") throw unreadable(root, cause);
		throw new TerminalError("SourceMissing", `folder ${root} does not exist`, {
			cause,
			fix: "name the folder that holds the policies with --path, or start one with `ecs-access init`",
		});
	}
	if (!stats.isDirectory()) {
		throw new TerminalError("NotAFolder", `${root} is a file, not a folder`, { fix: `name its folder: --path ${dirname(root)}` });
	}
	return realpathSync(path);
}

/** By the file system alone, so that a plain folder starts no process. */
function workTreeTop(folder: string): string | null {
	for (let at = folder; ; at = dirname(at)) {
		if (existsSync(join(at, ".git"))) return at;
		if (at === dirname(at)) return null;
	}
}

/** Those who are policed must not switch off the police by naming a folder below it (KINDS.md, Two owners of one repository). */
function refuseInsideRoot(folder: string, top: string | null, root: string, cwd: string, signal: AbortSignal): void {
	for (let at = folder; at !== top && at !== dirname(at); ) {
		at = dirname(at);
		if (isSourceRoot(at, signal)) throw insideRoot(root, isAbsolute(root) ? at : relative(realpathSync(cwd), at) || ".");
	}
}
