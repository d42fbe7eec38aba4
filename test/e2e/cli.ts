import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Sandbox } from "../sandbox/sandbox.ts";

const MAIN = join(import.meta.dirname, "../../controller/main.ts");

export interface Result {
	/** Null when a signal ended it. */
	readonly code: number | null;
	readonly stdout: string;
	readonly stderr: string;
}

export interface Running {
	readonly pid: number;
	readonly kill: (signal: "SIGINT" | "SIGKILL" | "SIGTERM") => void;
	/** Resolves when these words stand on stderr; rejects when it ended without them. */
	readonly says: (words: string) => Promise<void>;
	/** What stands on stderr so far. */
	readonly said: () => string;
	readonly ended: Promise<Result>;
}

/** Somebody at a machine of their own: a home, a folder of policies, the credentials of one account. */
export interface Person {
	/** Where commands are run; `policies/` lies in it. */
	readonly cwd: string;
	readonly home: string;
	readonly env: Readonly<Record<string, string>>;
	readonly write: (path: string, text: string) => void;
	readonly remove: (path: string) => void;
	/** Runs the real program to its end. */
	readonly run: (...args: readonly string[]) => Promise<Result>;
	readonly start: (...args: readonly string[]) => Running;
	/**
	 * On a terminal: when the question stands there, does `first` and types the answer. `stdout` is all that the terminal
	 * showed.
	 */
	readonly answer: (args: readonly string[], answer: string, first?: () => Promise<void>) => Promise<Result>;
}

const folders: string[] = [];
process.once("exit", () => folders.map((folder) => rmSync(folder, { recursive: true, force: true })));

export function person(sandbox: Sandbox, account: string, more: Readonly<Record<string, string>> = {}): Person {
	const folder = realpathSync(mkdtempSync(join(tmpdir(), "e2e-")));
	const cwd = join(folder, "work");
	const home = join(folder, "home");
	mkdirSync(cwd);
	mkdirSync(home);
	folders.push(folder);
	const env: Readonly<Record<string, string>> = {
		PATH: process.env.PATH ?? "",
		HOME: home,
		USER: "kim",
		TERM: "xterm-256color",
		// What Node makes of the modules is shared by all these homes: most of the time of a short command.
		XDG_CACHE_HOME: join(tmpdir(), "ecs-access-e2e-cache"),
		GIT_CONFIG_GLOBAL: "/dev/null",
		GIT_CONFIG_SYSTEM: "/dev/null",
		...sandbox.env(account),
		...more,
	};
	const launch = (program: string, args: readonly string[]): Running => {
		const child = spawn(program, args, { cwd, env, stdio: ["ignore", "pipe", "pipe"] });
		const ended = output(child);
		let said = "";
		child.stderr?.on("data", (part: string) => {
			said += part;
		});
		const says = async (words: string): Promise<void> => {
			if (!said.includes(words)) await heard(child, ended, words);
		};
		return { pid: child.pid ?? 0, kill: (signal) => void child.kill(signal), says, said: () => said, ended };
	};
	const start = (...args: readonly string[]): Running => launch(process.execPath, [MAIN, ...args]);
	return {
		cwd,
		home,
		env,
		write: (path, text) => {
			mkdirSync(dirname(join(cwd, path)), { recursive: true });
			writeFileSync(join(cwd, path), text);
		},
		remove: (path) => rmSync(join(cwd, path), { recursive: true, force: true }),
		run: (...args) => start(...args).ended,
		start,
		answer: (args, answer, first = async () => {}) => {
			const child = spawn("python3", ["-c", TERMINAL, process.execPath, MAIN, ...args], { cwd, env, stdio: "pipe" });
			const ended = output(child);
			let shown = "";
			const asked = (text: string): void => {
				shown += text;
				if (!shown.includes("[y/N] ")) return;
				child.stdout.off("data", asked);
				first().then(
					() => child.stdin.write(`${answer}\n`),
					() => child.kill(),
				);
			};
			child.stdout.on("data", asked);
			return ended;
		},
	};
}

/** A terminal for one command: shows on stdout, types what comes on stdin. */
const TERMINAL = `
import os, pty, select, sys
pid, terminal = pty.fork()
if pid == 0:
    os.execvp(sys.argv[1], sys.argv[1:])
sources = [terminal, 0]
while terminal in sources:
    for source in select.select(sources, [], [])[0]:
        try:
            part = os.read(source, 4096)
        except OSError:
            part = b""
        if not part:
            sources.remove(source)
        elif source == terminal:
            os.write(1, part)
        else:
            os.write(terminal, part)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
`;

function heard(child: ChildProcess, ended: Promise<Result>, words: string): Promise<void> {
	return new Promise((resolve, reject) => {
		let text = "";
		child.stderr?.on("data", (part: string) => {
			text += part;
			if (text.includes(words)) resolve();
		});
		ended.then(({ code, stderr }) => reject(new Error(`it ended with ${code} and never said ${words}:\n${stderr}`)), reject);
	});
}

async function output(child: ChildProcess): Promise<Result> {
	let [stdout, stderr] = ["", ""];
	child.stdout?.setEncoding("utf8").on("data", (text: string) => {
		stdout += text;
	});
	child.stderr?.setEncoding("utf8").on("data", (text: string) => {
		stderr += text;
	});
	const [code] = (await once(child, "close")) as [number | null];
	return { code, stdout, stderr };
}
