import { execFile, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify, styleText } from "node:util";

const MAIN = fileURLToPath(new URL("../../controller/main.ts", import.meta.url));

/** Where the demo plays: a folder, an environment, and a screen. */
export interface Stage {
	readonly act: (title: string) => void;
	/** What was just seen, in one sentence. */
	readonly moral: (sentence: string) => void;
	/** Shown as typed, run for real; throws when the exit code is not `code`. `told`: with what it says on the way. */
	readonly ecsAccess: (args: string, code: number, more?: { readonly told?: true }) => Promise<void>;
	/** The same, until its output holds `words`; the last output is shown. */
	readonly until: (args: string, words: string) => Promise<void>;
	/** A command of the audience's own, done here by `work`. */
	readonly hand: (command: string, work: () => Promise<void> | void) => Promise<void>;
	readonly say: (text: string) => void;
	/** A command that stays: shown as typed, and left running. */
	readonly leave: (args: string) => Staying;
}

/** A program that logs JSON lines, behind the screen. */
export interface Staying {
	/** Waits for a line in which all these fields are so, and shows it, cut to what can be read. */
	readonly logs: (fields: Readonly<Record<string, string>>) => Promise<void>;
	/** Asks it to end, and waits until it has. */
	readonly end: () => Promise<void>;
}

/** Of a log line, what is shown. */
const SHOWN = ["msg", "key", "api", "why", "revision", "reason", "error"] as const;
const PATIENCE_MS = 60_000;

export function createStage(folder: string, env: Readonly<Record<string, string | undefined>>): Stage {
	const color = process.stdout.isTTY && !process.env.NO_COLOR;
	const paint = (style: Parameters<typeof styleText>[0], text: string): string =>
		color ? styleText(style, text, { validateStream: false }) : text;
	const write = (text: string): void => void process.stdout.write(text);
	const rule = "─".repeat(Math.min(process.stdout.columns ?? 100, 100));
	let acts = 0;
	const typed = (command: string): void => write(`\n${paint("bold", `$ ${command}`)}\n`);
	return {
		act: (title) => write(`\n${rule}\n${paint(["bold", "cyan"], `${++acts}  ${title}`)}\n${rule}\n`),
		moral: (sentence) => write(`\n${paint("italic", `» ${sentence}`)}\n`),
		say: (text) => write(`${text}\n`),
		until: async (args, words) => {
			typed(`ecs-access ${args}`);
			const deadline = Date.now() + PATIENCE_MS;
			for (;;) {
				const { stdout } = await output(args.split(" "), folder, env);
				if (stdout.includes(words)) return write(stdout);
				if (Date.now() > deadline) throw new Error(`ecs-access ${args} does not say ${words}:\n${stdout}`);
			}
		},
		leave: (args) => {
			typed(`ecs-access ${args} &`);
			return stay(args.split(" "), folder, env, (line) => write(`${paint("dim", line)}\n`));
		},
		hand: async (command, work) => {
			typed(command);
			await work();
		},
		ecsAccess: async (args, code, more) => {
			typed(`ecs-access ${args}`);
			const got = await run(args.split(" "), folder, env, more?.told === true);
			if (got !== code) throw new Error(`ecs-access ${args} ended with ${got}, expected ${code}`);
		},
	};
}

async function output(args: readonly string[], cwd: string, env: NodeJS.ProcessEnv): Promise<{ readonly stdout: string }> {
	try {
		return await promisify(execFile)(process.execPath, [MAIN, ...args], { cwd, env });
	} catch (error) {
		return { stdout: String((error as { readonly stdout?: string }).stdout ?? "") };
	}
}

/** Results on our stdout as they are; progress is for people who wait, and here nobody does. */
function run(
	args: readonly string[],
	cwd: string,
	env: Readonly<Record<string, string | undefined>>,
	told: boolean,
): Promise<number> {
	return new Promise((resolve, reject) => {
		const child = spawn(process.execPath, [MAIN, ...args], { cwd, env, stdio: ["ignore", "inherit", "pipe"] });
		let errors = "";
		child.stderr.on("data", (chunk: Buffer) => {
			if (told) process.stdout.write(chunk);
			else errors += chunk.toString("utf8");
		});
		child.on("error", reject);
		child.on("close", (code) => {
			// Lines that begin with two spaces tell how far the work is.
			const said = errors.split("\n").filter((l) => l !== "" && !l.startsWith("  "));
			if (said.length > 0) process.stdout.write(`${said.join("\n")}\n`);
			resolve(code ?? -1);
		});
	});
}

function stay(
	args: readonly string[],
	cwd: string,
	env: Readonly<Record<string, string | undefined>>,
	show: (line: string) => void,
): Staying {
	const child = spawn(process.execPath, [MAIN, ...args], { cwd, env, stdio: ["ignore", "ignore", "pipe"] });
	const ended = new Promise<void>((resolve) => child.on("close", () => resolve()));
	const lines: Readonly<Record<string, unknown>>[] = [];
	let rest = "";
	let waiting: (() => void) | null = null;
	child.stderr.on("data", (chunk: Buffer) => {
		const parts = (rest + chunk.toString("utf8")).split("\n");
		rest = parts.pop() ?? "";
		for (const line of parts.filter((l) => l.startsWith("{"))) lines.push(JSON.parse(line) as Record<string, unknown>);
		waiting?.();
	});
	return {
		logs: async (fields) => {
			const deadline = AbortSignal.timeout(PATIENCE_MS);
			for (;;) {
				const n = lines.findIndex((l) => Object.entries(fields).every(([k, v]) => String(l[k]).includes(v)));
				const found = lines[n];
				if (found !== undefined) {
					lines.splice(0, n + 1);
					return show(JSON.stringify(Object.fromEntries(SHOWN.flatMap((k) => (k in found ? [[k, cut(found[k])]] : [])))));
				}
				await new Promise<void>((resolve, reject) => {
					waiting = resolve;
					deadline.onabort = () =>
						reject(new Error(`no log line with ${JSON.stringify(fields)}; it said ${JSON.stringify(lines)}`));
					ended.then(() => reject(new Error(`it ended without a log line with ${JSON.stringify(fields)}`)));
				});
			}
		},
		end: async () => {
			child.kill("SIGTERM");
			await ended;
		},
	};
}

/** A commit id as people read it. */
function cut(value: unknown): unknown {
	return typeof value === "string" && /^[0-9a-f]{40}$/.test(value) ? value.slice(0, 7) : value;
}
