import { join, resolve } from "node:path";
import type { PlanRequest } from "../model/plan.ts";
import type { Source } from "../model/ports.ts";
import type { CliContext } from "./context.ts";

export interface SourceSettings {
	readonly cacheDir: string;
	/** The configured branch, once the Installation has been read. */
	readonly branch?: string;
	/** The last revision that was applied. */
	readonly previous?: string;
	/** A person's word that a revision may not descend from `previous`. */
	readonly force?: boolean;
}

/** The source that a request names. */
export async function createSource(ctx: CliContext, request: PlanRequest, settings: SourceSettings): Promise<Source> {
	const { branch, previous, force } = settings;
	const { git } = request;
	if (git === undefined) {
		const { createDirectorySource } = await import("../source/directory.ts");
		return createDirectorySource({
			path: request.path ?? "policies",
			cwd: ctx.cwd,
			env: ctx.env,
			...(branch !== undefined && { branch }),
		});
	}
	const [{ createGitSource }, { lockFile }] = await Promise.all([import("../source/git.ts"), import("../store/file-lock.ts")]);
	return createGitSource({
		url: isLocal(git.url) ? resolve(ctx.cwd, git.url) : git.url,
		ref: git.ref ?? null,
		subdir: git.subdir ?? ".",
		cacheDir: join(settings.cacheDir, "git"),
		force: force === true,
		previousRevision: previous ?? null,
		env: ctx.env,
		lock: (path, signal) => lockFile(path, ctx.clock, signal),
		...(branch !== undefined && { branch }),
		...(request.requireSignatures !== undefined && { requireSignatures: request.requireSignatures }),
		...(request.allowedSigners !== undefined && { allowedSigners: resolve(ctx.cwd, request.allowedSigners) }),
	});
}

/** `./access`, `../access`: relative to where the person stands. */
export function isLocal(url: string): boolean {
	return /^\.{1,2}(\/|$)/.test(url);
}
