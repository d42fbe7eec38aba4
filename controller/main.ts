#!/usr/bin/env node
import nodeModule from "node:module";
import { homedir } from "node:os";
import { join } from "node:path";
import type { CliDeps, ExitCode, Output } from "./cli/context.ts";

/**
 * The composition root: the only reader of the process's environment, arguments, signals and exit code. Everything is
 * imported when it is needed, so that an old Node is told so instead of failing on its first unknown word.
 */

const MINIMUM_NODE = 24;

function refuseOldNode(): void {
	const major = Number(process.versions.node.split(".")[0]);
	if (major >= MINIMUM_NODE) return;
	process.stderr.write(`error  ecs-access needs Node ${MINIMUM_NODE} or newer, this is ${process.version}\n`);
	process.exit(1);
}

/**
 * What Node makes of the modules is kept, which is most of the time that a short command takes. In the user's own cache
 * folder: Node's default lies in the shared temporary folder, and code is run from what lies there.
 */
function keepCompiledCode(): void {
	const xdg = process.env.XDG_CACHE_HOME;
	const home = process.env.HOME ?? homedir();
	nodeModule.enableCompileCache?.(join(xdg?.startsWith("/") ? xdg : join(home, ".cache"), "ecs-access", "compiled"));
}

/** `ecs-access plan | head` is no error: what nobody reads any more is dropped, and the work goes on. */
function createOutput(stream: NodeJS.WriteStream): Output {
	let open = true;
	let drained: Promise<void> | undefined;
	stream.on("error", (error: NodeJS.ErrnoException) => {
		open = false;
		if (error.code !== "EPIPE") process.exitCode = 1;
	});
	return {
		write: (text) => {
			if (!open || stream.write(text)) return undefined;
			// One wait for all who write meanwhile: a thousand lines are not a thousand listeners.
			drained ??= new Promise<void>((resolve) => {
				const done = (): void => {
					for (const event of ["drain", "close", "error"]) stream.off(event, done);
					drained = undefined;
					resolve();
				};
				for (const event of ["drain", "close", "error"]) stream.once(event, done);
			});
			return drained;
		},
		isTTY: stream.isTTY === true,
		get columns() {
			return stream.isTTY === true ? stream.columns || 80 : 120;
		},
	};
}

/** The first signal asks to finish the write in flight; the second does not wait. */
function onInterrupt(abort: AbortController, stderr: Output): void {
	for (const name of ["SIGINT", "SIGTERM"] as const) {
		process.on(name, () => {
			if (abort.signal.aborted) process.exit(130);
			stderr.write("\ninterrupted: finishing what is in flight (again to stop at once)\n");
			abort.abort(new DOMException("interrupted", "AbortError"));
			// Whoever waits for a line of input waits no longer.
			process.stdin.destroy();
		});
	}
}

async function main(): Promise<ExitCode> {
	refuseOldNode();
	keepCompiledCode();
	// Without a word, the help: it says where to start.
	const args = process.argv.length > 2 ? process.argv.slice(2) : ["--help"];
	const { packageVersion } = await import("./cli/package-files.ts");
	// Scripts ask for the version often, and need not wait for the whole command tree.
	if (args.length === 1 && (args[0] === "--version" || args[0] === "-V")) {
		process.stdout.write(`${packageVersion()}\n`);
		return 0;
	}
	const [{ createProgram }, { CommanderError }, { createClock }] = await Promise.all([
		import("./cli/program.ts"),
		import("commander"),
		import("./cli/clock.ts"),
	]);
	const abort = new AbortController();
	const stdout = createOutput(process.stdout);
	const stderr = createOutput(process.stderr);
	onInterrupt(abort, stderr);
	let code: ExitCode = 0;
	const deps: CliDeps = {
		env: process.env,
		cwd: process.cwd(),
		stdin: process.stdin,
		stdout,
		stderr,
		terminal: process.stderr,
		signal: abort.signal,
		clock: createClock(),
		version: packageVersion(),
		setExitCode: (next) => {
			code = next;
		},
	};
	try {
		await createProgram(deps).parseAsync(args, { from: "user" });
	} catch (error) {
		// Commander has already printed what it says; help and version end with 0.
		if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 1;
		const { reportError } = await import("./cli/errors.ts");
		const color = stderr.isTTY && !process.env.NO_COLOR && process.env.TERM !== "dumb" && !args.includes("--no-color");
		const verbose = args.includes("--verbose") || args.includes("-v");
		const report = reportError(error, { color, verbose, aborted: abort.signal.aborted });
		stderr.write(report.text);
		return report.code;
	}
	return code;
}

/** Waits until both streams have handed over what was written, then ends: an idle keep-alive socket must not hold the prompt. */
async function end(code: ExitCode): Promise<never> {
	await Promise.all([process.stdout, process.stderr].map(flushed));
	process.exit(code === 0 ? (process.exitCode ?? 0) : code);
}

function flushed(stream: NodeJS.WriteStream): Promise<void> {
	return new Promise((resolve) => {
		if (stream.destroyed || stream.writableEnded) return resolve();
		stream.on("error", () => resolve());
		stream.write("", () => resolve());
	});
}

await end(await main());
