import { posix } from "node:path";
import { TerminalError } from "../model/errors.ts";
import { createCollector, insideRoot, isYamlPath, listed, OUR_GROUP, shown } from "./files.ts";
import type { Git, RunOptions } from "./git-command.ts";
import { listTree, readBlobs, type TreeEntry } from "./git-tree.ts";

/** A repository whose objects are read; `provide` fetches those that a partial clone has left out. */
export interface Repository {
	readonly git: Git;
	readonly options: RunOptions;
	readonly provide: (tree: string, signal: AbortSignal) => Promise<void>;
}

export interface Content {
	readonly files: ReadonlyMap<string, string>;
	readonly unread: readonly string[];
}

/**
 * Every YAML file of one commit below `subdir` (empty: the top), from git's objects alone: no checkout, so that no filter,
 * hook or link of the repository does anything here. Null when there is no such folder. Throws TerminalError when the
 * folder lies inside a source root, or holds a file over the limits.
 */
export async function readContent(
	repo: Repository,
	commit: string,
	subdir: string,
	root: string,
	signal: AbortSignal,
): Promise<Content | null> {
	const tree = await treeOf(repo, commit, subdir, signal);
	if (tree === null) return null;
	for (const above of ancestors(subdir)) {
		if (await holdsPlatform(repo, commit, above, signal)) throw insideRoot(root, above === "" ? "." : above);
	}
	const entries = (await listTree(repo.git, tree, null, repo.options, signal)).filter((e) => !hidden(e.path));
	await repo.provide(tree, signal);
	const collector = createCollector(root);
	const wanted = entries.filter((e) => e.type === "file" && isYamlPath(e.path));
	const blobs = await readBlobs(
		repo.git,
		wanted.map((e) => e.id),
		repo.options,
		signal,
	);
	for (const { path, id } of wanted) collector.add(path, blobs.get(id) ?? new Uint8Array());
	const unread = [
		...entries.filter((e) => e.type === "submodule").map((e) => `${shown(root, e.path)} (a submodule)`),
		...(await linksToContent(repo, commit, subdir, entries, signal)).map((path) => `${shown(root, path)} (a symbolic link)`),
	];
	return { files: collector.files(), unread };
}

/** Why content is not the whole of its source; null when it is. */
export function partialContent(content: Content, root: string): string | null {
	const reasons = [
		content.files.size === 0 ? `${root} holds no YAML file` : null,
		content.unread.length > 0 ? `not read: ${listed(content.unread)}` : null,
	].filter((r) => r !== null);
	return reasons.length === 0 ? null : reasons.join("; ");
}

/** `./policies/` -> `policies`; `.` -> empty. Throws for a folder outside of the repository. */
export function normalSubdir(subdir: string): string {
	const normal = posix.normalize(subdir === "" ? "." : subdir).replace(/\/+$/, "");
	if (normal === "..") return refuse(subdir);
	return normal.startsWith("/") || normal.startsWith("../") || /[\0\n]/.test(normal)
		? refuse(subdir)
		: normal === "."
			? ""
			: normal;
}

function refuse(subdir: string): never {
	throw new TerminalError("BadFolder", `${JSON.stringify(subdir)} is not a folder of the repository`, {
		fix: "name it relative to the top of the repository, like policies",
	});
}

function hidden(path: string): boolean {
	return path.split("/").some((part) => part.startsWith("."));
}

/** `a/b/c` -> `a/b`, `a`, and the top. */
function ancestors(subdir: string): readonly string[] {
	if (subdir === "") return [];
	const parts = subdir.split("/");
	return parts.map((_, i) => parts.slice(0, i).join("/")).reverse();
}

async function treeOf(repo: Repository, commit: string, folder: string, signal: AbortSignal): Promise<string | null> {
	const input = `${commit}:${folder}\n`;
	const { code, stdout } = await repo.git.run(["cat-file", "--batch-check"], { ...repo.options, input }, signal);
	const [, id] = /^([0-9a-f]+) tree \d+\n$/.exec(stdout.toString("utf8")) ?? [];
	return code === 0 && id !== undefined ? id : null;
}

async function holdsPlatform(repo: Repository, commit: string, folder: string, signal: AbortSignal): Promise<boolean> {
	const tree = await treeOf(repo, commit, posix.join(folder, "platform"), signal);
	if (tree === null) return false;
	const files = (await listTree(repo.git, tree, null, repo.options, signal)).filter(
		(e) => e.type === "file" && isYamlPath(e.path),
	);
	await repo.provide(tree, signal);
	const blobs = await readBlobs(
		repo.git,
		files.map((e) => e.id),
		repo.options,
		signal,
	);
	return [...blobs.values()].some((bytes) => bytes.includes(OUR_GROUP));
}

/** Links that are named like a document, or that lead to a folder or out of the repository: what may hold documents. */
async function linksToContent(
	repo: Repository,
	commit: string,
	subdir: string,
	entries: readonly TreeEntry[],
	signal: AbortSignal,
): Promise<readonly string[]> {
	const links = entries.filter((e) => e.type === "symlink");
	const others = links.filter((e) => !isYamlPath(e.path));
	const targets = await readBlobs(
		repo.git,
		others.map((e) => e.id),
		repo.options,
		signal,
	);
	const found = links.filter((e) => isYamlPath(e.path)).map((e) => e.path);
	for (const { path, id } of others) {
		const target = targets.get(id)?.toString("utf8") ?? "";
		const leads = posix.join(subdir, posix.dirname(path), target).replace(/\/+$/, "");
		const outside = target.startsWith("/") || leads === ".." || leads.startsWith("../");
		if (outside || (await treeOf(repo, commit, leads === "." ? "" : leads, signal)) !== null) found.push(path);
	}
	return found;
}
