import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { styleText } from "node:util";

const MAIN = fileURLToPath(new URL("../../controller/main.ts", import.meta.url));

/** Where the demo plays: a folder, an environment, and a screen. */
export interface Stage {
	readonly act: (title: string) => void;
	/** What was just seen, in one sentence. */
	readonly moral: (sentence: string) => void;
	/** Shown as typed, run for real; throws when the exit code is not `code`. */
	readonly ecsAccess: (args: string, code: number) => Promise<void>;
	/** A command of the audience's own, done here by `work`. */
	readonly hand: (command: string, work: () => Promise<void> | void) => Promise<void>;
	readonly say: (text: string) => void;
}

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
		hand: async (command, work) => {
			typed(command);
			await work();
		},
		ecsAccess: async (args, code) => {
			typed(`ecs-access ${args}`);
			const got = await run(args.split(" "), folder, env);
			if (got !== code) throw new Error(`ecs-access ${args} ended with ${got}, expected ${code}`);
		},
	};
}

/** Results on our stdout as they are; progress is for people who wait, and here nobody does. */
function run(args: readonly string[], cwd: string, env: Readonly<Record<string, string | undefined>>): Promise<number> {
	return new Promise((resolve, reject) => {
		const child = spawn(process.execPath, [MAIN, ...args], { cwd, env, stdio: ["ignore", "inherit", "pipe"] });
		let errors = "";
		child.stderr.on("data", (chunk: Buffer) => {
			errors += chunk.toString("utf8");
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
