import { existsSync } from "node:fs";
import { TerminalError } from "../model/errors.ts";
import type { Source } from "../model/ports.ts";
import type { Artifact } from "../model/resource.ts";
import { contentDigest } from "./files.ts";
import { cachePath, createGitCache, type GitCache, type RemoteRefs } from "./git-cache.ts";
import { createGit, type Environment, firstLine, type RunOptions } from "./git-command.ts";
import { normalSubdir, partialContent, readContent } from "./git-content.ts";
import { readCommit } from "./git-tree.ts";
import { sourceMark } from "./mark.ts";
import { type GitUrl, parseGitUrl } from "./url.ts";

export interface GitCredential {
	readonly username: string;
	readonly password: string;
}

export interface GitSourceDeps {
	/** https, ssh, `user@host:path`, or a local repository by absolute path or file://. */
	readonly url: string;
	/** Branch, tag or commit; null: the configured branch. */
	readonly ref: string | null;
	/** The source's root in the repository; `.` is its top. */
	readonly subdir: string;
	readonly cacheDir: string;
	/** The configured branch (Installation, `spec.git.branch`); default: the remote's. */
	readonly branch?: string;
	readonly requireSignatures?: boolean;
	/** Absolute path of an ssh allowed-signers file (ssh-keygen(1), ALLOWED SIGNERS); never one of the repository itself. */
	readonly allowedSigners?: string;
	/** Take a revision that does not descend from `previousRevision`: a person's word. */
	readonly force: boolean;
	/** The last admitted revision. */
	readonly previousRevision?: string | null;
	readonly env: Environment;
	/** Of an https repository, asked at each fetch; without: git's own credential helpers. */
	readonly credentials?: (signal: AbortSignal) => Promise<GitCredential | null>;
	/** Waits for this process to be alone with the cache; see store/file-lock.ts. */
	readonly lock: (path: string, signal: AbortSignal) => Promise<() => void>;
}

/**
 * A git repository, through the real git and a bare cache with full commit history. Throws TerminalError for an address, ref
 * or folder that is not there or not allowed, for missing access, `NotDescendant` and `UnsignedCommit`; a network that fails
 * is a plain Error. No message, argument or file of it holds a credential.
 */
export function createGitSource(deps: GitSourceDeps): Source {
	const git = createGit(deps.env);
	return {
		fetch: async (signal) => {
			const url = parseGitUrl(deps.url);
			if (url.kind === "refused") {
				const what = deps.url.includes("@") ? "the repository's address" : `repository address ${JSON.stringify(deps.url)}`;
				throw new TerminalError("BadRepository", `${what} is refused: ${url.why}`, { fix: url.fix });
			}
			if (deps.ref !== null) checkRef(deps.ref);
			if (deps.branch !== undefined) checkRef(deps.branch);
			const subdir = normalSubdir(deps.subdir);
			const root = subdir || ".";
			const path = cachePath(deps.cacheDir, url);
			const release = await deps.lock(`${path}.lock`, signal);
			try {
				const cache = createGitCache(git, url, path, await credentialOptions(url, deps, signal));
				const { commit, elsewhere } = await resolve(cache, url, deps, signal);
				await refuseStranger(cache, commit, deps, signal);
				if (deps.requireSignatures === true) await verifySignature(cache, commit, deps.allowedSigners, signal);
				const [content, revision] = await Promise.all([
					readContent(cache, commit, subdir, root, signal),
					readCommit(git, commit, cache.options, signal),
				]);
				if (content === null) {
					throw new TerminalError("SourceMissing", `folder ${root} does not exist in ${url.identity} at ${commit.slice(0, 7)}`, {
						fix: "name the folder that holds the policies with --subdir",
					});
				}
				const reasons = [elsewhere, partialContent(content, root)].filter((r) => r !== null);
				return {
					revision,
					digest: contentDigest(content.files),
					root,
					files: content.files,
					source: sourceMark(deps.url, subdir),
					partial: reasons.length === 0 ? null : reasons.join("; "),
				} satisfies Artifact;
			} finally {
				release();
			}
		},
	};
}

/** What git-check-ref-format(1) allows, and nothing that is an option, a range or a pattern. */
function checkRef(ref: string): void {
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

/** History that was rewritten may have lost anything, a guardrail too: a person must say that it is meant (ARCHITECTURE.md, Admission). */
async function refuseStranger(cache: GitCache, commit: string, deps: GitSourceDeps, signal: AbortSignal): Promise<void> {
	const previous = deps.previousRevision;
	if (deps.force || previous === undefined || previous === null || previous === commit) return;
	if (!/^[0-9a-f]{40,64}$/.test(previous)) return;
	const { code } = await cache.git.run(["merge-base", "--is-ancestor", previous, commit], cache.options, signal);
	if (code === 0) return;
	throw new TerminalError(
		"NotDescendant",
		`commit ${commit.slice(0, 7)} does not descend from ${previous.slice(0, 7)}, the last one that was admitted`,
		{ fix: "if the history was rewritten on purpose, or this older commit is meant, say so with --force" },
	);
}

async function verifySignature(
	cache: GitCache,
	commit: string,
	allowedSigners: string | undefined,
	signal: AbortSignal,
): Promise<void> {
	if (allowedSigners === undefined || !existsSync(allowedSigners)) {
		throw new TerminalError(
			"NoAllowedSigners",
			`signatures are required, and the allowed signers ${allowedSigners === undefined ? "are not given" : `file ${allowedSigners} does not exist`}`,
			{ fix: "name an ssh allowed-signers file" },
		);
	}
	const settings = [
		"gpg.format=ssh",
		`gpg.ssh.allowedSignersFile=${allowedSigners}`,
		"gpg.ssh.program=ssh-keygen",
		"gpg.minTrustLevel=fully",
		// Whoever signs with another format is in no allowed-signers file, whatever this machine's keyring trusts.
		"gpg.program=false",
		"gpg.openpgp.program=false",
		"gpg.x509.program=false",
	].flatMap((s) => ["-c", s]);
	const { code, stderr } = await cache.git.run([...settings, "verify-commit", commit], cache.options, signal);
	if (code === 0) return;
	if (/cannot run ssh-keygen|ssh-keygen: (command )?not found/.test(stderr)) {
		throw new TerminalError("SshMissing", "ssh-keygen is not installed, and signatures cannot be verified without it", {
			fix: "install openssh-client",
		});
	}
	const why = stderr.trim() === "" ? "it has no signature" : firstLine(stderr);
	throw new TerminalError("UnsignedCommit", `commit ${commit.slice(0, 7)} is not signed by an allowed signer: ${why}`, {
		fix: "sign it with a key of the allowed-signers file, or add that key there",
	});
}

/** Through git's configuration in the environment: neither the process list nor a file shows it. */
async function credentialOptions(
	url: Exclude<GitUrl, { readonly kind: "refused" }>,
	deps: GitSourceDeps,
	signal: AbortSignal,
): Promise<Pick<RunOptions, "config" | "secrets">> {
	if (url.kind !== "remote" || !/^https?:/.test(url.address)) return {};
	const given = (await deps.credentials?.(signal)) ?? null;
	const username = given?.username ?? url.user;
	const password = given?.password ?? url.password;
	const origin = new URL(url.address).origin;
	if (username !== null && password === null) {
		return { config: [[`credential.${origin}.username`, username]], secrets: [username] };
	}
	if (password === null) return {};
	const basic = Buffer.from(`${username ?? ""}:${password}`).toString("base64");
	return { config: [[`http.${origin}/.extraHeader`, `Authorization: Basic ${basic}`]], secrets: [password, basic] };
}
