import { createGit, type Environment, type RunOptions } from "./git-command.ts";
import { sourceMark } from "./mark.ts";

/**
 * The source mark that `root`, a folder that need not exist yet, would have in the repository around `folder`; null where
 * that is in none, has no origin, or git cannot say.
 */
export async function originMark(folder: string, root: string, env: Environment, signal: AbortSignal): Promise<string | null> {
	const git = createGit(env);
	const options: RunOptions = { cwd: folder, timeoutMs: 10_000 };
	const ask = async (...args: string[]): Promise<string | null> => {
		const { code, stdout } = await git.run(args, options, signal);
		return code === 0 ? stdout.toString("utf8").trim() : null;
	};
	try {
		const [prefix, origin] = [await ask("rev-parse", "--show-prefix"), await ask("remote", "get-url", "origin")];
		if (prefix === null || origin === null) return null;
		const mark = sourceMark(origin, `${prefix}${root}`);
		return mark === "directory" ? null : mark;
	} catch (error) {
		if (signal.aborted) throw error;
		return null;
	}
}
