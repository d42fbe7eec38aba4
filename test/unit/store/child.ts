import { type ChildProcess, spawn } from "node:child_process";
import { writeFileSync } from "node:fs";

const STORE = new URL("../../../controller/store/", import.meta.url).href;

/** What every program of these tests may use. */
const PRELUDE = `
	import { existsSync } from "node:fs";
	import { openStore } from "${STORE}sqlite.ts";
	import { acquireLease } from "${STORE}lease.ts";
	import { lockFile } from "${STORE}file-lock.ts";
	const clock = {
		now: () => new Date().toISOString(),
		millis: () => Date.now(),
		sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
	};
	const say = (text) => process.stdout.write(text + "\\n");
	const atOnce = (gate) => { say("ready"); while (!existsSync(gate)); };
	const fail = (error) => say("failed " + error.reason + ": " + error.message);
`;

export interface Program {
	readonly child: ChildProcess;
	/** Waits until the program has said the line. */
	readonly said: (line: RegExp) => Promise<string>;
	/** What it said, and what it complained of, when it has ended. */
	readonly ended: Promise<{ readonly out: string; readonly err: string }>;
}

/** A process of its own; `shell` goes before it, e.g. `ulimit -f 100;`. */
export function runProgram(program: string, options: { readonly shell?: string; readonly uid?: number } = {}): Program {
	const ids = options.uid === undefined ? {} : { uid: options.uid, gid: options.uid };
	const child = spawn(
		"/bin/sh",
		["-c", `${options.shell ?? ""} exec "$0" --input-type=module -e "$1"`, process.execPath, PRELUDE + program],
		{
			...ids,
			cwd: "/",
			stdio: ["ignore", "pipe", "pipe"],
		},
	);
	let out = "";
	let err = "";
	child.stdout?.on("data", (d: Buffer) => {
		out += d.toString();
	});
	child.stderr?.on("data", (d: Buffer) => {
		err += d.toString();
	});
	return {
		child,
		ended: new Promise((resolve) => child.on("close", () => resolve({ out, err }))),
		said: (line) =>
			new Promise((resolve, reject) => {
				const look = (): void => {
					const found = line.exec(out);
					if (found !== null) resolve(found[0]);
				};
				look();
				child.stdout?.on("data", look);
				child.on("close", () => reject(new Error(`ended before it said ${line}: ${out}${err}`)));
			}),
	};
}

/** Several processes of one program, which all wait at the `gate` file (`atOnce`) until the last of them is there. */
export async function runAtOnce(program: string, count: number, gate: string): Promise<readonly string[]> {
	const all = Array.from({ length: count }, () => runProgram(`atOnce(${JSON.stringify(gate)});\n${program}`));
	await Promise.all(all.map((p) => p.said(/ready\n/)));
	writeFileSync(gate, "");
	return (await Promise.all(all.map((p) => p.ended))).map((r) => (r.out + r.err).replace("ready\n", ""));
}
