import { TerminalError } from "../model/errors.ts";
import type { Source } from "../model/ports.ts";
import type { GitCache, RemoteRefs } from "./git-cache.ts";
import { createGit } from "./git-command.ts";
import { type RepositoryDeps, readArtifact, withRepository } from "./git-repository.ts";
import { verifySignature } from "./git-signature.ts";
import type { GitUrl } from "./url.ts";

export interface GitSourceDeps extends RepositoryDeps {
	/** Branch, tag or commit; null: the configured branch. */
	readonly ref: string | null;
	/** The configured branch (Installation, `spec.git.branch`); default: the remote's. */
	readonly branch?: string;
	/** Take a revision that does not descend from `previousRevision`: a person's word. */
	readonly force: boolean;
	/** The last admitted revision. */
	readonly previousRevision?: string | null;
}

/**
 * A git repository, through the real git and a bare cache with full commit history. Throws TerminalError for an address, ref
 * or folder that is not there or not allowed, for missing access, `NotDescendant` and `UnsignedCommit`; a network that fails
 * is a plain Error. No message, argument or file of it holds a credential; but a deploy key is one while git connects.
 */
export function createGitSource(deps: GitSourceDeps): Source {
	const git = createGit(deps.env);
	return {
		fetch: async (signal) => {
			if (deps.ref !== null) checkRef(deps.ref);
			if (deps.branch !== undefined) checkRef(deps.branch);
			return await withRepository(
				git,
				deps,
				async (repository) => {
					const { cache, url } = repository;
					const { commit, elsewhere } = await resolve(cache, url, deps, signal);
					await refuseStranger(cache, commit, deps, signal);
					if (deps.requireSignatures === true) await verifySignature(cache, commit, deps.allowedSigners, signal);
					return await readArtifact(repository, deps, { commit, elsewhere }, signal);
				},
				signal,
			);
		},
	};
}

/** What git-check-ref-format(1) allows, and nothing that is an option, a range or a pattern. */
export function checkRef(ref: string): void {
	if (/^[A-Za-z0-9_][A-Za-z0-9_./+@#%=,-]*$/.test(ref) && !/\.\.|@\{|\/\/|\.lock(\/|$)|[/.]$/.test(ref)) return;
	throw new TerminalError("BadRef", `${JSON.stringify(ref)} cannot be the name of a branch, a tag or a commit`, {
		fix: "name one, like main or v1.2.0",
	});
}

/** The commit that `ref` names now, and why it is not the configured branch's. */
async function resolve(
	cache: GitCache,
	url: Exclude<GitUrl, { readonly kind: "refused" }>,
	deps: GitSourceDeps,
	signal: AbortSignal,
): Promise<{ readonly commit: string; readonly elsewhere: string | null }> {
	const names = [deps.ref, deps.branch].filter((n) => n !== null && n !== undefined);
	const patterns = names.flatMap((n) => (n.startsWith("refs/") ? [n] : [`refs/heads/${n}`, `refs/tags/${n}`]));
	const refs = await cache.listRemote(patterns, signal);
	const branch = deps.branch ?? refs.defaultBranch;
	const ref = deps.ref === "HEAD" ? refs.defaultBranch : (deps.ref ?? branch);
	if (ref === null) {
		throw new TerminalError("BadRef", `${url.identity} has no commit, or no default branch`, { fix: "name a branch with --ref" });
	}
	const fullName = (ref.startsWith("refs/") ? [ref] : [`refs/heads/${ref}`, `refs/tags/${ref}`]).find((n) => refs.ids.has(n));
	const branchName = branch === null ? null : `refs/heads/${branch}`;
	if (fullName !== undefined) {
		const commit = await cache.fetch(fullName, refs.ids.get(fullName) ?? null, signal);
		if (fullName === branchName) return { commit, elsewhere: null };
		return { commit, elsewhere: tipOf(refs, branch) === commit ? null : notTheBranch(ref, branch) };
	}
	if (ref === branch && refs.defaultBranch === branch && branchName !== null && refs.ids.has("HEAD")) {
		return { commit: await cache.fetch(branchName, refs.ids.get("HEAD") ?? null, signal), elsewhere: null };
	}
	const commit = /^[0-9a-f]{7,64}$/.test(ref) ? await byId(cache, ref, branchName, refs, signal) : null;
	if (commit === null) {
		throw new TerminalError("BadRef", `${JSON.stringify(ref)} is neither a branch nor a tag nor a commit of ${url.identity}`, {
			fix: "check --ref; a commit that no branch holds needs its full id",
		});
	}
	return { commit, elsewhere: tipOf(refs, branch) === commit ? null : notTheBranch(ref, branch) };
}

function tipOf(refs: RemoteRefs, branch: string | null): string | undefined {
	if (branch === null) return undefined;
	return refs.ids.get(`refs/heads/${branch}`) ?? (refs.defaultBranch === branch ? refs.ids.get("HEAD") : undefined);
}

function notTheBranch(ref: string, branch: string | null): string {
	return branch === null ? `${ref} was read, and the default branch is not known` : `${ref} was read, not branch ${branch}`;
}

/** A commit by id: of the configured branch's history; a full id also from anywhere else that the server gives it. */
async function byId(
	cache: GitCache,
	id: string,
	branchName: string | null,
	refs: RemoteRefs,
	signal: AbortSignal,
): Promise<string | null> {
	if (branchName !== null) await cache.fetch(branchName, refs.ids.get(branchName) ?? null, signal);
	const known = await cache.commit(id, signal);
	if (known !== null) return known;
	return id.length === 40 || id.length === 64 ? await cache.fetch(id, id, signal) : null;
}

/** False too where `ancestor` is not there at all. */
export async function descends(cache: GitCache, ancestor: string, commit: string, signal: AbortSignal): Promise<boolean> {
	if ((await cache.commit(ancestor, signal)) === null) return false;
	return (await cache.git.run(["merge-base", "--is-ancestor", ancestor, commit], cache.options, signal)).code === 0;
}

/** History that was rewritten may have lost anything, a guardrail too: a person must say that it is meant (ARCHITECTURE.md, Admission). */
export async function refuseStranger(
	cache: GitCache,
	commit: string,
	deps: Pick<GitSourceDeps, "previousRevision" | "force">,
	signal: AbortSignal,
): Promise<void> {
	const previous = deps.previousRevision;
	if (deps.force || previous === undefined || previous === null || previous === commit) return;
	if (!/^[0-9a-f]{40,64}$/.test(previous)) return;
	if (await descends(cache, previous, commit, signal)) return;
	throw new TerminalError(
		"NotDescendant",
		`commit ${commit.slice(0, 7)} does not descend from ${previous.slice(0, 7)}, the last one that was admitted`,
		{ fix: "if the history was rewritten on purpose, or this older commit is meant, say so with --force" },
	);
}
