import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { TerminalError } from "../model/errors.ts";
import { firstLine, type Git, GitError, type RunOptions } from "./git-command.ts";
import type { Repository } from "./git-content.ts";
import { type Connection, pinning } from "./git-credential.ts";
import type { GitUrl } from "./url.ts";

type Address = Exclude<GitUrl, { readonly kind: "refused" }>;

/** Listing refs is one answer; a first fetch of a large history is minutes. */
const LIST_TIMEOUT_MS = 60_000;
const FETCH_TIMEOUT_MS = 600_000;
const LOCAL_TIMEOUT_MS = 120_000;

/** A connection that gives less than 1 kB/s for 30 s is dead. Nothing of the cache runs a hook or works on unseen. */
const SETTINGS = [
	"core.hooksPath=/dev/null",
	"http.lowSpeedLimit=1000",
	"http.lowSpeedTime=30",
	"gc.autoDetach=false",
	"maintenance.autoDetach=false",
	"submodule.recurse=false",
].flatMap((s) => ["-c", s]);

/** What git says of a damaged cache; it can be made anew, so it is, once. */
const DAMAGED =
	/'origin' does not appear|not a git repository|bad object|corrupt|object file .* is empty|missing (blob|tree|commit)|unable to (create|read) |cannot lock ref|index-pack failed|does not point to a valid object/i;

export interface RemoteRefs {
	/** Object id by full name. */
	readonly ids: ReadonlyMap<string, string>;
	/** Where the remote's HEAD points, without `refs/heads/`. */
	readonly defaultBranch: string | null;
}

/** One bare repository on disk a remote. Its caller holds the lock. */
export interface GitCache extends Repository {
	readonly listRemote: (patterns: readonly string[], signal: AbortSignal) => Promise<RemoteRefs>;
	/** Fetches a ref or a commit with its whole history, without contents; returns the commit. `id`: known to stand there now. */
	readonly fetch: (what: string, id: string | null, signal: AbortSignal) => Promise<string>;
	/** Null when the cache does not hold it. Never asks the remote. */
	readonly commit: (rev: string, signal: AbortSignal) => Promise<string | null>;
	/** The commit that `what` was when it was last fetched; null when it never was. Never asks the remote. */
	readonly kept: (what: string, signal: AbortSignal) => Promise<string | null>;
}

export function cachePath(cacheDir: string, url: Address): string {
	return join(cacheDir, `${createHash("sha256").update(url.address).digest("hex").slice(0, 20)}.git`);
}

/** `connect` is asked when the remote is, and no sooner. */
export function createGitCache(
	git: Git,
	url: Address,
	path: string,
	connect: (signal: AbortSignal) => Promise<Connection>,
): GitCache {
	const local: RunOptions = { gitDir: path, timeoutMs: LOCAL_TIMEOUT_MS };
	const remote = async (timeoutMs: number, signal: AbortSignal): Promise<RunOptions> => ({
		...(await connect(signal)).options,
		gitDir: path,
		timeoutMs,
		protocols: url.protocols,
	});
	const fetchArgs = (...args: readonly string[]) => [
		...SETTINGS,
		"fetch",
		"--quiet",
		"--no-tags",
		"--no-write-fetch-head",
		"--no-recurse-submodules",
		// A server without filters sends everything, and git only warns.
		"--filter=blob:none",
		...args,
	];

	const prepare = async (signal: AbortSignal): Promise<void> => {
		if (existsSync(join(path, "HEAD"))) return;
		rmSync(path, { recursive: true, force: true });
		mkdirSync(join(path, ".."), { recursive: true, mode: 0o700 });
		const fresh = mkdtempSync(`${path}.new-`);
		try {
			await git.ok(["init", "--quiet", "--bare", "--template=", fresh], { timeoutMs: LOCAL_TIMEOUT_MS }, signal);
			await git.ok(["config", "remote.origin.url", url.address], { ...local, gitDir: fresh }, signal);
			renameSync(fresh, path);
		} catch (error) {
			rmSync(fresh, { recursive: true, force: true });
			throw error;
		}
	};
	const commit: GitCache["commit"] = async (rev, signal) => {
		// Not rev-parse: of an object that is not there it would ask the remote, since the clone is a partial one.
		const args = ["rev-list", "--missing=allow-any", "--no-walk", "--max-count=1", rev, "--"];
		const { code, stdout } = await git.run(args, local, signal);
		const found = stdout.toString("utf8").trim();
		return code === 0 && found !== "" ? found : null;
	};
	const fetchOnce = async (what: string, id: string | null, signal: AbortSignal): Promise<string> => {
		const kept = keptRef(what);
		const have = await git.run(["rev-parse", "--verify", "--quiet", kept], local, signal);
		if (id === null || have.code !== 0 || have.stdout.toString("utf8").trim() !== id) {
			await git.ok(fetchArgs("origin", `+${what}:${kept}`), await remote(FETCH_TIMEOUT_MS, signal), signal);
		}
		const found = await commit(kept, signal);
		if (found !== null) return found;
		throw new TerminalError("BadRef", `ref ${what} of ${url.identity} is not a commit`, {
			fix: "name a branch, a tag or a commit",
		});
	};

	return {
		git,
		options: local,
		commit,
		kept: (what, signal) => commit(keptRef(what), signal),
		listRemote: async (patterns, signal) => {
			const args = [...SETTINGS, "ls-remote", "--quiet", "--symref", url.address, "HEAD", ...patterns];
			const out = await asked(
				() => repairing(async () => git.ok(args, await remote(LIST_TIMEOUT_MS, signal), signal), signal),
				signal,
			);
			const lines = out.toString("utf8").trimEnd().split("\n");
			const ids = lines.flatMap((line) => {
				const [, id, name] = /^([0-9a-f]{40,64})\t(.+)$/.exec(line) ?? [];
				return id === undefined || name === undefined ? [] : [[name, id] as const];
			});
			const [, branch = null] = /^ref: refs\/heads\/(.+)\tHEAD$/m.exec(out.toString("utf8")) ?? [];
			return { ids: new Map(ids), defaultBranch: branch };
		},
		fetch: async (what, id, signal) =>
			await asked(() => repairing((again) => fetchOnce(what, again ? null : id, signal), signal), signal),
		provide: async (tree, signal) => {
			const listing = await git.ok(["rev-list", "--objects", "--missing=print", tree], local, signal);
			const missing = [...listing.toString("utf8").matchAll(/^\?([0-9a-f]+)/gm)].map(([, id]) => id);
			if (missing.length === 0) return;
			// All at once: git by itself would ask for one after the other.
			const args = ["-c", "fetch.negotiationAlgorithm=noop", ...fetchArgs("--stdin", "origin")];
			const input = `${missing.join("\n")}\n`;
			await asked(async () => git.ok(args, { ...(await remote(FETCH_TIMEOUT_MS, signal)), input }, signal), signal);
		},
	};

	async function repairing<R>(work: (again: boolean) => Promise<R>, signal: AbortSignal): Promise<R> {
		await prepare(signal);
		try {
			return await work(false);
		} catch (error) {
			if (!(error instanceof GitError)) throw error;
			// A line of the user's own configuration is not for us to mend.
			const badConfig = error.stderr.includes("bad config") && error.stderr.includes(path);
			if (!badConfig && !DAMAGED.test(error.stderr)) throw error;
			rmSync(path, { recursive: true, force: true });
			await prepare(signal);
			return await work(true);
		}
	}

	async function asked<R>(work: () => Promise<R>, signal: AbortSignal): Promise<R> {
		try {
			return await work();
		} catch (error) {
			throw error instanceof GitError ? remoteError(url, error, await connect(signal)) : error;
		}
	}
}

/** Hashed: a branch `a` may go and a branch `a/b` come, which no two files on disk could follow. */
function keptRef(what: string): string {
	return `refs/ecs-access/${createHash("sha256").update(what).digest("hex").slice(0, 20)}`;
}

/** What the remote's answer means. What is not known is transient: the network, the server. */
function remoteError(url: Address, error: GitError, { credential, pinned }: Connection): Error {
	const said = error.stderr;
	const why = reason(said);
	if (/Host key verification failed/i.test(said)) {
		const which = /IDENTIFICATION HAS CHANGED|POSSIBLE DNS SPOOFING/.test(said) ? "another host key than the one" : "no host key";
		const where = pinned ? "pinned in git.knownHosts" : "in known_hosts";
		return new TerminalError(
			"HostKeyRefused",
			`${url.identity} shows ${which === "no host key" ? "a host key that is not" : which} ${where}`,
			{
				cause: error,
				fix:
					which === "no host key"
						? pinning(url)
						: "nothing was sent there. If the host has published a new key, pin that; if not, somebody is in between",
			},
		);
	}
	if (/cannot run ssh|ssh: (command )?not found/i.test(said)) {
		return new TerminalError("SshMissing", "ssh is not installed, and the repository is read over ssh", {
			cause: error,
			fix: "install openssh-client, or read the repository over https",
		});
	}
	if (/error in libcrypto|invalid format|incorrect passphrase/i.test(said) && credential?.kind === "ssh") {
		return new TerminalError("BadCredentials", `${credential.from} holds no private key that ssh can read`, {
			cause: error,
			fix: "put the whole private key there, as ssh-keygen wrote it, without a passphrase",
		});
	}
	if (
		/Authentication failed|could not read (Username|Password)|terminal prompts disabled|Permission denied|returned error: 40[13]/i.test(
			said,
		)
	) {
		if (credential !== null) {
			return new TerminalError("GitAccessDenied", `${url.identity} refuses what ${credential.from} holds`, {
				cause: error,
				fix: "check that it may read this repository and has not expired; a new value is taken up by itself",
			});
		}
		return new TerminalError("GitAccessDenied", `${url.identity} refuses access: ${why}`, {
			cause: error,
			fix: "check git's credential helper or the ssh key: `git ls-remote` must work without a question",
		});
	}
	if (/dubious ownership/i.test(said)) {
		return new TerminalError("GitUnusable", `git refuses ${url.identity}: ${why}`, {
			cause: error,
			fix: "the repository belongs to another user: git config --global --add safe.directory PATH",
		});
	}
	if (/not found|does not exist|does not appear to be a git repository|not a git repository/i.test(said)) {
		return new TerminalError("RepositoryMissing", `there is no repository at ${url.identity}: ${why}`, {
			cause: error,
			fix: "check the address, and that these credentials may see it",
		});
	}
	if (/not our ref|unadvertised object|couldn't find remote ref/i.test(said)) {
		return new TerminalError("BadRef", `${url.identity} does not give what was asked for: ${why}`, {
			cause: error,
			fix: "name a branch, a tag, or a commit that one of them holds",
		});
	}
	return new Error(`${url.identity} cannot be read: ${why}\ncheck the address and the network: \`git ls-remote\` must work`, {
		cause: error,
	});
}

/** Where git only says that it heard nothing, ssh has said why. */
function reason(stderr: string): string {
	const line = firstLine(stderr);
	if (!/^Could not read from remote repository/i.test(line)) return line;
	const said = stderr.split("\n").find((l) => /^(ssh|kex_|Connection |[^ ]+: Permission denied)/.test(l.trim()));
	return said?.trim() ?? line;
}
