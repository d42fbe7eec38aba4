import { type ChildProcess, spawn } from "node:child_process";
import { TerminalError } from "../model/errors.ts";

/** ssh signatures need 2.34 (October 2021), https://git-scm.com/docs/git-config gpg.ssh.allowedSignersFile. */
const MIN_VERSION: readonly [number, number] = [2, 34];
/** More than the whole of a source may be, see files.ts. */
const MAX_OUTPUT_BYTES = 256 * 1024 * 1024;

/** What another git, or a hook that runs us, left in the environment: each of these would lead to another repository. */
const SCRUBBED =
	/^GIT_(DIR|WORK_TREE|INDEX_FILE|OBJECT_DIRECTORY|ALTERNATE_OBJECT_DIRECTORIES|COMMON_DIR|NAMESPACE|PREFIX|QUARANTINE_PATH|GRAFT_FILE|SHALLOW_FILE|CONFIG|CONFIG_PARAMETERS|EXTERNAL_DIFF|REPLACE_REF_BASE|NO_LAZY_FETCH|DEFAULT_HASH|TRACE.*)$/;

export type Environment = Readonly<Record<string, string | undefined>>;

export interface GitResult {
	readonly code: number;
	readonly stdout: Buffer;
	readonly stderr: string;
}

export interface RunOptions {
	readonly cwd?: string;
	/** Names the repository outright, so that git does not look for one in the folders above. */
	readonly gitDir?: string;
	readonly input?: string;
	readonly timeoutMs: number;
	/** Configuration that must not show on the command line, such as a credential; it goes through the environment. */
	readonly config?: readonly (readonly [key: string, value: string])[];
	/** In the place of what the process's environment says, such as how ssh is run. */
	readonly env?: Readonly<Record<string, string>>;
	/** Protocols that git may use; none of it by default. */
	readonly protocols?: readonly string[];
	/** What must not stand in a message, whatever git says. */
	readonly secrets?: readonly string[];
}

/** The real `git`, without a shell, a terminal or a prompt. */
export interface Git {
	/** Any exit code; throws when git is missing, too old, timed out or aborted. */
	readonly run: (args: readonly string[], options: RunOptions, signal: AbortSignal) => Promise<GitResult>;
	/** Exit code 0 or a GitError. */
	readonly ok: (args: readonly string[], options: RunOptions, signal: AbortSignal) => Promise<Buffer>;
}

/** git ran and said no. Its callers know what that means; unknown, it is transient. */
export class GitError extends Error {
	readonly code: number;
	readonly stderr: string;
	constructor(command: string, result: Pick<GitResult, "code" | "stderr">) {
		super(`git ${command} ended with ${result.code}: ${firstLine(result.stderr)}`);
		this.name = "GitError";
		this.code = result.code;
		this.stderr = result.stderr;
	}
}

/** `env` is the process environment: PATH, HOME, the ssh agent and the user's own git configuration count. */
export function createGit(env: Environment): Git {
	let checked: Promise<void> | undefined;
	const run: Git["run"] = async (args, options, signal) => {
		checked ??= checkVersion(env, signal);
		try {
			await checked;
		} catch (error) {
			// An abort says nothing of the version.
			checked = undefined;
			throw error;
		}
		return await execute(env, args, options, signal);
	};
	return {
		run,
		ok: async (args, options, signal) => {
			const result = await run(args, options, signal);
			if (result.code !== 0) throw new GitError(args.find((a) => /^[a-z]/.test(a) && !a.includes("=")) ?? "", result);
			return result.stdout;
		},
	};
}

/** The line that says why: git's `fatal:` or `error:` before hints and progress. */
export function firstLine(stderr: string): string {
	const lines = stderr.split("\n").filter((l) => l.trim() !== "");
	const said = lines.find((l) => /^(fatal|error): /.test(l)) ?? lines[0] ?? "no message";
	return said.replace(/^(fatal|error): /, "").trim();
}

async function checkVersion(env: Environment, signal: AbortSignal): Promise<void> {
	const { stdout } = await execute(env, ["--version"], { timeoutMs: 10_000 }, signal);
	const text = stdout.toString("utf8").trim();
	const [, major = "0", minor = "0"] = /(\d+)\.(\d+)/.exec(text) ?? [];
	const [wantMajor, wantMinor] = MIN_VERSION;
	if (Number(major) > wantMajor || (Number(major) === wantMajor && Number(minor) >= wantMinor)) return;
	throw new TerminalError("GitTooOld", `${text || "git without a version"} is too old: ${MIN_VERSION.join(".")} is needed`, {
		fix: `install git ${MIN_VERSION.join(".")} or newer`,
	});
}

function environment(env: Environment, options: RunOptions): Record<string, string> {
	const kept = Object.entries(env).flatMap(([k, v]) => (v === undefined || SCRUBBED.test(k) ? [] : [[k, v] as const]));
	const result: Record<string, string> = Object.fromEntries(kept);
	const first = Number(result.GIT_CONFIG_COUNT ?? "0") || 0;
	const config = options.config ?? [];
	config.forEach(([key, value], i) => {
		result[`GIT_CONFIG_KEY_${first + i}`] = key;
		result[`GIT_CONFIG_VALUE_${first + i}`] = value;
	});
	if (config.length > 0) result.GIT_CONFIG_COUNT = String(first + config.length);
	return {
		...result,
		...options.env,
		...(options.gitDir === undefined ? {} : { GIT_DIR: options.gitDir }),
		LC_ALL: "C",
		GIT_TERMINAL_PROMPT: "0",
		GIT_ALLOW_PROTOCOL: (options.protocols ?? []).join(":") || "none",
		// Content is what the commit says, not what a local replacement says.
		GIT_NO_REPLACE_OBJECTS: "1",
		GIT_OPTIONAL_LOCKS: "0",
	};
}

function execute(env: Environment, args: readonly string[], options: RunOptions, signal: AbortSignal): Promise<GitResult> {
	signal.throwIfAborted();
	return new Promise((resolve, reject) => {
		// Its own process group, without a terminal: no helper can prompt, and all of them end together.
		const child = spawn("git", [...args], {
			cwd: options.cwd,
			env: environment(env, options),
			detached: true,
			stdio: ["pipe", "pipe", "pipe"],
		});
		const out: Buffer[] = [];
		const err: Buffer[] = [];
		let size = 0;
		let failure: unknown;
		const stop = (reason: unknown): void => {
			failure ??= reason;
			killGroup(child);
		};
		const onAbort = (): void => stop(signal.reason);
		const timer = setTimeout(
			() => stop(new Error(`git ${args[0] ?? ""} did not end within ${options.timeoutMs / 1000} s`)),
			options.timeoutMs,
		);
		signal.addEventListener("abort", onAbort, { once: true });
		child.stdout.on("data", (chunk: Buffer) => {
			size += chunk.length;
			if (size > MAX_OUTPUT_BYTES) stop(new TerminalError("SourceTooLarge", "git gave more than 256 MiB of content"));
			else out.push(chunk);
		});
		child.stderr.on("data", (chunk: Buffer) => {
			if (err.length < 256) err.push(chunk);
		});
		// A child that ends before it read its input is judged by its exit code.
		child.stdin.on("error", () => {});
		child.stdin.end(options.input ?? "");
		const settle = (): void => {
			clearTimeout(timer);
			signal.removeEventListener("abort", onAbort);
		};
		child.on("error", (error: NodeJS.ErrnoException) => {
			settle();
			reject(failure ?? spawnError(error));
		});
		child.on("close", (code, by) => {
			settle();
			if (failure !== undefined) return reject(failure);
			const stderr = scrub(Buffer.concat(err).toString("utf8"), options.secrets ?? []);
			if (code === null) return reject(new Error(`git ${args[0] ?? ""} was ended by ${by}`));
			resolve({ code, stdout: Buffer.concat(out), stderr });
		});
	});
}

function spawnError(error: NodeJS.ErrnoException): Error {
	// ENOENT also stands for a working directory that is gone; callers made sure of it just before.
	if (error.code !== "ENOENT") return new Error(`git cannot be started: ${error.message}`, { cause: error });
	return new TerminalError("GitMissing", "git is not installed, or not on PATH", {
		cause: error,
		fix: `install git ${MIN_VERSION.join(".")} or newer`,
	});
}

function killGroup(child: ChildProcess): void {
	if (child.pid === undefined) return;
	try {
		process.kill(-child.pid, "SIGKILL");
	} catch {
		child.kill("SIGKILL");
	}
}

function scrub(text: string, secrets: readonly string[]): string {
	const hidden = secrets.filter((s) => s !== "").reduce((t, s) => t.replaceAll(s, "[secret]"), text);
	return hidden.replace(/:\/\/[^/\s@]*@/g, "://");
}
