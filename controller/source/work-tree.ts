import { TerminalError } from "../model/errors.ts";
import type { Revision } from "../model/resource.ts";
import { isYamlPath, listed, shown } from "./files.ts";
import { firstLine, type Git, type RunOptions } from "./git-command.ts";
import { listTree, readCommit } from "./git-tree.ts";

/** Reading a local repository takes milliseconds; one on a stuck network disk must not hang us. */
const TIMEOUT_MS = 60_000;

export interface WorkTree {
	/** Of the folder within the repository; empty at its top. */
	readonly prefix: string;
	readonly originUrl: string | null;
	/** HEAD, when what was read is exactly what HEAD holds. */
	readonly revision: Revision | null;
	readonly partial: string | null;
}

/** What git says of a folder in a work tree, and of the files just read from it. Throws TerminalError when git cannot say. */
export async function inspectWorkTree(
	git: Git,
	folder: string,
	root: string,
	files: ReadonlyMap<string, string>,
	branch: string | null,
	signal: AbortSignal,
): Promise<WorkTree> {
	const options: RunOptions = { cwd: folder, timeoutMs: TIMEOUT_MS };
	const ask = async (...args: string[]): Promise<string | null> => {
		const { code, stdout } = await git.run(args, options, signal);
		return code === 0 ? stdout.toString("utf8").trim() : null;
	};
	const where = await git.run(["rev-parse", "--show-toplevel", "--show-prefix"], options, signal);
	if (where.code !== 0) {
		throw new TerminalError("GitUnusable", `git refuses the repository that holds ${root}: ${firstLine(where.stderr)}`, {
			fix: `run \`git status\` in ${root} and follow what it says`,
		});
	}
	const [originUrl, head, onBranch] = await Promise.all([
		ask("remote", "get-url", "origin"),
		ask("rev-parse", "--verify", "--quiet", "HEAD^{commit}"),
		ask("symbolic-ref", "--quiet", "--short", "HEAD"),
	]);
	const [top = "", slashed = ""] = where.stdout.toString("utf8").split("\n");
	const prefix = slashed.replace(/\/$/, "");
	const base = { prefix, originUrl };
	if (head === null) return { ...base, revision: null, partial: `uncommitted changes: ${root} has no commit yet` };
	const [changed, elsewhere, revision] = await Promise.all([
		differingFromCommit(git, head, [...files.keys()], { folder, top, prefix: slashed }, signal),
		notTheBranch(ask, head, onBranch, branch),
		readCommit(git, head, options, signal),
	]);
	const uncommitted = changed.length === 0 ? null : `uncommitted changes in ${listed(changed.map((path) => shown(root, path)))}`;
	const reasons = [elsewhere, uncommitted].filter((r) => r !== null);
	return { ...base, revision: changed.length === 0 ? revision : null, partial: reasons.length === 0 ? null : reasons.join("; ") };
}

/**
 * By content, not by `git status`: a sparse checkout, an ignored file and a file marked unchanged all look clean to that,
 * and are not what the commit holds.
 */
async function differingFromCommit(
	git: Git,
	head: string,
	paths: readonly string[],
	at: { readonly folder: string; readonly top: string; readonly prefix: string },
	signal: AbortSignal,
): Promise<readonly string[]> {
	const [tree, hashes] = await Promise.all([
		listTree(git, head, null, { cwd: at.folder, timeoutMs: TIMEOUT_MS }, signal),
		paths.length === 0
			? []
			: git
					// From the top: that is where it takes the paths of its input from, wherever it is run.
					.ok(
						["hash-object", "--stdin-paths"],
						{ cwd: at.top, timeoutMs: TIMEOUT_MS, input: paths.map((path) => `${at.prefix}${path}\n`).join("") },
						signal,
					)
					.then((out) => out.toString("utf8").trim().split("\n")),
	]);
	const read = new Map(paths.map((path, i) => [path, hashes[i]]));
	const committed = new Map(tree.filter((e) => e.type === "file" && isYamlPath(e.path)).map((e) => [e.path, e.id]));
	const all = new Set([...read.keys(), ...committed.keys()]);
	return [...all].filter((path) => read.get(path) !== committed.get(path)).sort();
}

/** Null when HEAD is the source's branch. A detached HEAD, as in CI, is when it stands at that branch's tip on origin. */
async function notTheBranch(
	ask: (...args: string[]) => Promise<string | null>,
	head: string,
	onBranch: string | null,
	configured: string | null,
): Promise<string | null> {
	const originHead = configured === null ? await ask("symbolic-ref", "--quiet", "--short", "refs/remotes/origin/HEAD") : null;
	const wanted = configured ?? originHead?.replace(/^origin\//, "") ?? (await conventional(ask));
	if (wanted === null) return "the default branch is not known: no origin/HEAD, main or master";
	if (onBranch === wanted) return null;
	if (onBranch !== null) return `branch ${onBranch} is checked out, not ${wanted}`;
	const tip = await ask("rev-parse", "--verify", "--quiet", `refs/remotes/origin/${wanted}^{commit}`);
	return tip === head ? null : `commit ${head.slice(0, 7)} is checked out, not branch ${wanted}`;
}

/** Where origin/HEAD is not recorded: `git init`, and what most CI systems check out. */
async function conventional(ask: (...args: string[]) => Promise<string | null>): Promise<string | null> {
	const refs = await ask(
		"for-each-ref",
		"--format=%(refname)",
		...["main", "master"].flatMap((b) => [`refs/heads/${b}`, `refs/remotes/origin/${b}`]),
	);
	return ["main", "master"].find((b) => refs?.split("\n").some((ref) => ref.endsWith(`/${b}`))) ?? null;
}
