import { TerminalError } from "../model/errors.ts";
import type { Artifact } from "../model/resource.ts";
import { contentDigest } from "./files.ts";
import { createGit, type Environment, firstLine, type RunOptions } from "./git-command.ts";
import { normalSubdir, readContent } from "./git-content.ts";
import { readCommit } from "./git-tree.ts";
import { sourceMark } from "./mark.ts";

/**
 * Another revision of a folder in a local repository, for a comparison. `folder` is absolute and exists now, `root` is what
 * stands before paths (default: the folder within the repository). Never the whole source, and empty when the folder did
 * not exist then. Throws TerminalError for a revision that git does not know.
 */
export async function readRevision(
	from: { readonly folder: string; readonly rev: string; readonly root?: string; readonly env: Environment },
	signal: AbortSignal,
): Promise<Artifact> {
	const git = createGit(from.env);
	const options: RunOptions = { cwd: from.folder, timeoutMs: 60_000 };
	const where = await git.run(["rev-parse", "--show-prefix"], options, signal);
	if (where.code !== 0) {
		throw new TerminalError("NotARepository", `${from.folder} is in no git repository: ${firstLine(where.stderr)}`, {
			fix: "a comparison with another revision needs a clone of the repository",
		});
	}
	const commit = await resolveCommit();
	const subdir = normalSubdir(where.stdout.toString("utf8").trim());
	const root = from.root ?? (subdir || ".");
	// From the top, so that a tree is listed whole wherever we stand.
	const top = (await git.run(["rev-parse", "--show-cdup"], options, signal)).stdout.toString("utf8").trim();
	const atTop: RunOptions = top === "" ? options : { ...options, cwd: `${from.folder}/${top}` };
	const [content, revision, origin] = await Promise.all([
		// The user's own clone may be a partial one: git fetches what it lacks by itself.
		readContent(
			{ git, options: { ...atTop, protocols: ["https", "ssh", "file"] }, provide: async () => {} },
			commit,
			subdir,
			root,
			signal,
		),
		readCommit(git, commit, options, signal),
		git.run(["remote", "get-url", "origin"], options, signal),
	]);
	const files = content?.files ?? new Map<string, string>();
	return {
		revision,
		digest: contentDigest(files),
		root,
		files,
		source: sourceMark(origin.code === 0 ? origin.stdout.toString("utf8").trim() : null, subdir),
		partial: content === null ? `${root} does not exist at ${from.rev}` : `this is revision ${from.rev}, for comparison`,
	};

	async function resolveCommit(): Promise<string> {
		const bad = from.rev === "" || from.rev.startsWith("-");
		const found = bad ? null : await git.run(["rev-parse", "--verify", "--quiet", `${from.rev}^{commit}`], options, signal);
		if (found?.code === 0) return found.stdout.toString("utf8").trim();
		throw new TerminalError("BadRevision", `revision ${JSON.stringify(from.rev)} is not a commit of this repository`, {
			fix: "check its name; in a shallow clone fetch it first: git fetch origin REV",
		});
	}
}

/** Whether a commit of the repository around `folder` has `ancestor` in its history; false too where that is not known there. */
export async function descendsFrom(
	of: { readonly folder: string; readonly commit: string; readonly ancestor: string; readonly env: Environment },
	signal: AbortSignal,
): Promise<boolean> {
	const args = ["merge-base", "--is-ancestor", of.ancestor, of.commit];
	return (await createGit(of.env).run(args, { cwd: of.folder, timeoutMs: 60_000 }, signal)).code === 0;
}
