import { TerminalError } from "../model/errors.ts";
import type { Artifact } from "../model/resource.ts";
import { contentDigest } from "./files.ts";
import { cachePath, createGitCache, type GitCache } from "./git-cache.ts";
import type { Environment, Git } from "./git-command.ts";
import { normalSubdir, partialContent, readContent } from "./git-content.ts";
import { type Connection, connectionTo, type GitCredential, type GitCredentials } from "./git-credential.ts";
import { readCommit } from "./git-tree.ts";
import { sourceMark } from "./mark.ts";
import { type GitUrl, parseGitUrl } from "./url.ts";

export interface RepositoryDeps {
	/** https, ssh, `user@host:path`, or a local repository by absolute path or file://. */
	readonly url: string;
	/** The source's root in the repository; `.` is its top. */
	readonly subdir: string;
	readonly cacheDir: string;
	readonly requireSignatures?: boolean;
	/** Lines of an ssh allowed-signers file (ssh-keygen(1), ALLOWED SIGNERS), or the absolute path of one. */
	readonly allowedSigners?: string;
	readonly env: Environment;
	/** Asked where git connects; without: git's own credential helpers, ssh configuration and agent. */
	readonly credentials?: GitCredentials;
	/** The host keys of ssh that count: lines of a known_hosts file, or the absolute path of one; without: ssh's own. */
	readonly knownHosts?: string;
	/** Waits for this process to be alone with the cache; see store/file-lock.ts. */
	readonly lock: (path: string, signal: AbortSignal) => Promise<() => void>;
}

/** A repository that nobody else of this cache uses now. */
export interface OpenRepository {
	readonly git: Git;
	readonly url: Exclude<GitUrl, { readonly kind: "refused" }>;
	readonly cache: GitCache;
}

/**
 * Does `work` with a repository, alone with its cache. What its host refuses is done once more where there are newer
 * credentials: a secret was rotated, or a token has ended early. Throws TerminalError `BadRepository`, `BadFolder`.
 */
export async function withRepository<R>(
	git: Git,
	deps: RepositoryDeps,
	work: (repository: OpenRepository) => Promise<R>,
	signal: AbortSignal,
): Promise<R> {
	const url = parseGitUrl(deps.url);
	if (url.kind === "refused") {
		const what = deps.url.includes("@") ? "the repository's address" : `repository address ${JSON.stringify(deps.url)}`;
		throw new TerminalError("BadRepository", `${what} is refused: ${url.why}`, { fix: url.fix });
	}
	normalSubdir(deps.subdir);
	const path = cachePath(deps.cacheDir, url);
	let used: GitCredential | null = null;
	const attempt = async (refused: GitCredential | undefined): Promise<R> => {
		let connection: Promise<Connection> | undefined;
		const connect = (): Promise<Connection> => {
			connection ??= connectionTo(url, deps, refused, signal);
			return connection;
		};
		try {
			return await work({ git, url, cache: createGitCache(git, url, path, connect) });
		} finally {
			const made = await connection?.catch(() => undefined);
			used = made?.credential ?? null;
			made?.dispose();
		}
	};
	const release = await deps.lock(`${path}.lock`, signal);
	try {
		return await attempt(undefined).catch(async (error: unknown) => {
			const refused = used;
			if (!isRefusal(error) || refused === null || deps.credentials === undefined) throw error;
			// GitHub hides a repository from those who may not see it.
			if ((await deps.credentials(signal, refused)) === refused) throw error;
			return await attempt(refused);
		});
	} finally {
		release();
	}
}

function isRefusal(error: unknown): boolean {
	return error instanceof TerminalError && ["GitAccessDenied", "RepositoryMissing", "BadCredentials"].includes(error.reason);
}

/** The YAML of one commit, whole and unchecked. `elsewhere`: why it is not what the source is about; null: it is. */
export async function readArtifact(
	{ git, cache, url }: OpenRepository,
	deps: Pick<RepositoryDeps, "url" | "subdir">,
	at: { readonly commit: string; readonly elsewhere: string | null },
	signal: AbortSignal,
): Promise<Artifact> {
	const subdir = normalSubdir(deps.subdir);
	const root = subdir || ".";
	const [content, revision] = await Promise.all([
		readContent(cache, at.commit, subdir, root, signal),
		readCommit(git, at.commit, cache.options, signal),
	]);
	if (content === null) {
		throw new TerminalError("SourceMissing", `folder ${root} does not exist in ${url.identity} at ${at.commit.slice(0, 7)}`, {
			fix: "name the folder that holds the policies with --subdir",
		});
	}
	const reasons = [at.elsewhere, partialContent(content, root)].filter((r) => r !== null);
	return {
		revision,
		digest: contentDigest(content.files),
		root,
		files: content.files,
		source: sourceMark(deps.url, subdir),
		partial: reasons.length === 0 ? null : reasons.join("; "),
	};
}
