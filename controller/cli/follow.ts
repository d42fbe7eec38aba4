import { join, resolve } from "node:path";
import type { FollowedSource } from "../engine/follower.ts";
import { TerminalError } from "../model/errors.ts";
import type { InstallationSpec } from "../model/generated/specs.ts";
import { credentialsFrom, type ReadSecret } from "../source/credentials.ts";
import { createGitFollower } from "../source/git-follow.ts";
import { lockFile } from "../store/file-lock.ts";
import type { CliContext } from "./context.ts";
import type { FollowFlags } from "./source-flags.ts";
import { requestOf } from "./source-flags.ts";
import { createSource, isLocal } from "./sources.ts";
import { stateHome } from "./state-dir.ts";

export interface FollowDeps {
	/**
	 * `git` of the Installation in force; undefined: not known yet. What the flags say goes first: it is what the repository
	 * itself cannot change.
	 */
	readonly spec: InstallationSpec["git"] | undefined;
	readonly readSecret: ReadSecret;
}

/** The source that a controller follows: a repository's branch, or a folder as it is. Nothing is read before it is asked. */
export function followSource(ctx: CliContext, flags: FollowFlags, { spec, readSecret }: FollowDeps): FollowedSource {
	const request = requestOf(flags);
	const cacheDir = join(stateHome(ctx), "cache");
	const { git } = request;
	if (git === undefined) {
		return {
			peek: async () => null,
			fetch: async (_, signal) => (await createSource(ctx, request, { cacheDir })).fetch(signal),
			fetchRevision: async (revision, signal) => {
				const artifact = await (await createSource(ctx, request, { cacheDir })).fetch(signal);
				if (artifact.revision.id === revision) return artifact;
				throw new TerminalError(
					"RevisionGone",
					`${artifact.root} is ${artifact.revision.id} now, and ${revision} cannot be had`,
					{
						fix: "bring the folder back to what it was, or accept what it is now: ecs-access admit REVISION",
					},
				);
			},
		};
	}
	const secretId = flags.credentialsSecret ?? spec?.credentialsSecret;
	const knownHosts = flags.knownHosts === undefined ? spec?.knownHosts : resolve(ctx.cwd, flags.knownHosts);
	const allowedSigners = flags.allowedSigners === undefined ? spec?.allowedSigners : resolve(ctx.cwd, flags.allowedSigners);
	return createGitFollower({
		url: isLocal(git.url) ? resolve(ctx.cwd, git.url) : git.url,
		branch: git.ref ?? spec?.branch ?? null,
		...(spec?.branch !== undefined && { configured: spec.branch }),
		subdir: git.subdir ?? ".",
		cacheDir: join(cacheDir, "git"),
		env: ctx.env,
		lock: (path, signal) => lockFile(path, ctx.clock, signal),
		requireSignatures: flags.requireSignatures === true || spec?.requireSignatures === true,
		...(allowedSigners !== undefined && { allowedSigners }),
		...(knownHosts !== undefined && { knownHosts }),
		...(secretId !== undefined && { credentials: credentialsFrom(readSecret, secretId, ctx.clock) }),
	});
}
