import { TerminalError } from "../model/errors.ts";
import type { Artifact } from "../model/resource.ts";
import { checkRef, descends, refuseStranger } from "./git.ts";
import type { RemoteRefs } from "./git-cache.ts";
import { createGit } from "./git-command.ts";
import { type OpenRepository, type RepositoryDeps, readArtifact, withRepository } from "./git-repository.ts";
import { verifySignature } from "./git-signature.ts";

export interface GitFollowerDeps extends RepositoryDeps {
	/** The branch in force; null: the remote's default. */
	readonly branch: string | null;
	/** The branch that the source itself is about, where that is known: of another one nothing is a ground to remove anything. */
	readonly configured?: string;
}

/** One branch of a repository, looked at again and again. */
export interface GitFollower {
	/** The commit at the branch's tip now: one `ls-remote`, nothing fetched. */
	readonly peek: (signal: AbortSignal) => Promise<string>;
	/**
	 * The branch's tip, or `commit`, which was its tip. `previous`: the last admitted revision; a tip that does not descend
	 * from it is TerminalError `NotDescendant`, but for `force`.
	 */
	readonly fetch: (
		options: { readonly previous: string | null; readonly force: boolean; readonly commit?: string },
		signal: AbortSignal,
	) => Promise<Artifact>;
	/**
	 * A revision that was admitted before, by its full id: from the cache where it is there, else from the branch's history,
	 * else by id, where the server gives that. TerminalError `RevisionGone` where it is nowhere any more.
	 */
	readonly fetchRevision: (revision: string, signal: AbortSignal) => Promise<Artifact>;
}

/** Errors as of createGitSource; a branch that is not there is TerminalError `BadRef`. */
export function createGitFollower(deps: GitFollowerDeps): GitFollower {
	const git = createGit(deps.env);
	/** The remote's default can become another; each look at the remote says which it is. */
	let branch = deps.branch;
	const using = async <R>(work: (r: OpenRepository) => Promise<R>, signal: AbortSignal): Promise<R> => {
		if (deps.branch !== null) checkRef(deps.branch);
		return await withRepository(git, deps, work, signal);
	};
	return {
		peek: (signal) => using(async (r) => (await tipOf(r, signal)).commit, signal),
		fetch: ({ previous, force, commit }, signal) =>
			using(async (r) => {
				const at = commit === undefined ? await fetchTip(r, signal) : await fetchCommit(r, commit, signal);
				await refuseStranger(r.cache, at, { previousRevision: previous, force }, signal);
				if (deps.requireSignatures === true) await verifySignature(r.cache, at, deps.allowedSigners, signal);
				return await readArtifact(r, deps, { commit: at, elsewhere: otherBranch() }, signal);
			}, signal),
		fetchRevision: (revision, signal) =>
			using(async (r) => {
				if (!isId(revision)) {
					throw new TerminalError("RevisionGone", `${JSON.stringify(revision)}, the last revision admitted, is no commit`, {
						fix: "it was read from a folder, not from a repository: the next one that is admitted takes its place",
					});
				}
				try {
					if ((await r.cache.commit(revision, signal)) === null) await obtain(r, revision, signal);
					return await readArtifact(r, deps, { commit: revision, elsewhere: await outside(r, revision, signal) }, signal);
				} catch (error) {
					if (!(error instanceof TerminalError && error.reason === "BadRef")) throw error;
					throw new TerminalError(
						"RevisionGone",
						`${r.url.identity} does not have commit ${revision.slice(0, 7)} any more, the last one that was admitted`,
						{ cause: error, fix: "push it again, to any branch; or accept what is there now: ecs-access admit REVISION" },
					);
				}
			}, signal),
	};

	function otherBranch(): string | null {
		const { configured } = deps;
		return configured === undefined || branch === configured ? null : `branch ${branch} was read, not ${configured}`;
	}
	/** Asks the remote. */
	async function tipOf(r: OpenRepository, signal: AbortSignal): Promise<{ readonly name: string; readonly commit: string }> {
		const refs = await r.cache.listRemote(deps.branch === null ? [] : [`refs/heads/${deps.branch}`], signal);
		branch = deps.branch ?? refs.defaultBranch;
		const commit = branch === null ? undefined : idOf(refs, branch);
		if (branch !== null && commit !== undefined) return { name: `refs/heads/${branch}`, commit };
		throw new TerminalError(
			"BadRef",
			branch === null ? `${r.url.identity} has no default branch` : `${r.url.identity} has no branch ${branch}`,
			{ fix: "name the branch that is in force: git.branch of the Installation, or --ref" },
		);
	}
	async function fetchTip(r: OpenRepository, signal: AbortSignal): Promise<string> {
		const { name, commit } = await tipOf(r, signal);
		return await r.cache.fetch(name, commit, signal);
	}
	/** The remote is not listed again: what it had a moment ago is asked for. */
	async function fetchCommit(r: OpenRepository, commit: string, signal: AbortSignal): Promise<string> {
		if (!isId(commit)) throw new TerminalError("BadRef", `${JSON.stringify(commit)} is not the full id of a commit`);
		const name = branch === null ? (await tipOf(r, signal)).name : `refs/heads/${branch}`;
		const tip = await r.cache.fetch(name, commit, signal);
		if (tip === commit || (await descends(r.cache, commit, tip, signal))) return commit;
		throw new Error(`${r.url.identity} was rewritten while it was read: commit ${commit.slice(0, 7)} is no longer on its branch`);
	}
	async function obtain(r: OpenRepository, revision: string, signal: AbortSignal): Promise<void> {
		try {
			await fetchTip(r, signal);
		} catch (error) {
			// The branch may be gone; the commit need not be.
			if (!(error instanceof TerminalError && error.reason === "BadRef")) throw error;
		}
		if ((await r.cache.commit(revision, signal)) === null) await r.cache.fetch(revision, revision, signal);
	}
	/** What the branch does not hold is no ground to remove anything by; nor what cannot be compared with it. */
	async function outside(r: OpenRepository, revision: string, signal: AbortSignal): Promise<string | null> {
		const tip = branch === null ? null : await r.cache.kept(`refs/heads/${branch}`, signal);
		if (tip !== null && (tip === revision || (await descends(r.cache, revision, tip, signal)))) return otherBranch();
		return `commit ${revision.slice(0, 7)} was read, and ${branch === null ? "the default branch is not known" : `branch ${branch} does not hold it`}`;
	}
}

function idOf(refs: RemoteRefs, branch: string): string | undefined {
	return refs.ids.get(`refs/heads/${branch}`) ?? (refs.defaultBranch === branch ? refs.ids.get("HEAD") : undefined);
}

function isId(text: string): boolean {
	return /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(text);
}
