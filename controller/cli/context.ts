import type { Command } from "commander";
import type { Logger } from "pino";
import type { Clock } from "../model/ports.ts";
import { createProgress, type Progress } from "./progress.ts";
import { ask } from "./prompt.ts";

/** 0 nothing to do, or all done; 1 error; 2 something to do or waiting; 130 interrupted. */
export type ExitCode = 0 | 1 | 2 | 130;

/** Where text goes. Writing to a reader that has gone away is not an error. */
export interface Output {
	/** A promise where the reader is slower than we are; who writes without end must wait for it. */
	readonly write: (text: string) => Promise<void> | undefined;
	readonly isTTY: boolean;
	/** Columns; 120 where there is no terminal, wide enough for an ARN and a place beside it. */
	readonly columns: number;
}

/** What main.ts hands to every verb: the process, and nothing else of it. */
export interface CliDeps {
	readonly env: Readonly<Record<string, string | undefined>>;
	readonly cwd: string;
	readonly stdin: AsyncIterable<string | Uint8Array> & NodeJS.ReadableStream & { readonly isTTY?: boolean };
	readonly stdout: Output;
	readonly stderr: Output;
	/** Where a question is asked; stderr itself. */
	readonly terminal: NodeJS.WritableStream;
	/** Aborted by the first Ctrl-C: the write in flight is finished, no other is begun. */
	readonly signal: AbortSignal;
	readonly clock: Clock;
	readonly version: string;
	readonly setExitCode: (code: ExitCode) => void;
}

/** The process as one verb sees it, with the options every verb has. */
export interface CliContext extends Omit<CliDeps, "setExitCode"> {
	readonly verbose: boolean;
	/** Whether stdout, stderr take colour: a terminal, no NO_COLOR, no --no-color. */
	readonly color: { readonly stdout: boolean; readonly stderr: boolean };
	/** `--state-dir`; the default depends on the installation: state-dir.ts. */
	readonly stateDir: string | undefined;
	/** Results. */
	readonly print: (text: string) => Promise<void> | undefined;
	/** Progress, and remarks that are no result. */
	readonly note: (text: string) => void;
	readonly progress: Progress;
	/** Logs to stderr at `--log-level`; pino is loaded on first use. */
	readonly logger: () => Promise<Logger>;
	/** A yes-or-no question. Throws TerminalError where nobody can answer; `instead` names the flag that answers. */
	readonly ask: (question: string, instead: string) => Promise<boolean>;
}

interface GlobalOptions {
	readonly color: boolean;
	readonly verbose?: boolean;
	readonly logLevel: string;
	readonly stateDir?: string;
}

export const LOG_LEVELS = ["debug", "info", "warn", "error", "silent"] as const;

function createContext(deps: CliDeps, opts: GlobalOptions): CliContext {
	const wantsColor = opts.color && !deps.env.NO_COLOR && deps.env.TERM !== "dumb";
	const color = { stdout: wantsColor && deps.stdout.isTTY, stderr: wantsColor && deps.stderr.isTTY };
	let logger: Promise<Logger> | undefined;
	return {
		...deps,
		verbose: opts.verbose === true,
		color,
		stateDir: opts.stateDir,
		print: (text) => deps.stdout.write(text),
		note: (text) => deps.stderr.write(text),
		progress: createProgress({ out: deps.stderr, live: deps.stderr.isTTY && !deps.env.CI, clock: deps.clock }),
		logger: () => {
			logger ??= createLogger(opts.logLevel);
			return logger;
		},
		ask: (question, instead) => ask(deps, question, instead),
	};
}

async function createLogger(level: string): Promise<Logger> {
	const { pino } = await import("pino");
	// Synchronous: a log line must be on stderr before the process may end.
	return pino({ level, base: null }, pino.destination({ fd: 2, sync: true }));
}

/** A verb's work: the context, its options and its arguments in; the exit code out. */
export type VerbHandler<O> = (ctx: CliContext, opts: O & GlobalOptions, args: readonly string[]) => Promise<ExitCode>;

/**
 * Turns a handler into a commander action. An interrupted verb ends with 130, whatever it still managed to do; a `service`
 * has no other end than that, and ends as it says. It logs what it does unless told otherwise.
 */
export function verb<O>(
	deps: CliDeps,
	handler: VerbHandler<O>,
	kind: { readonly service?: true } = {},
): (...args: unknown[]) => Promise<void> {
	return async (...args) => {
		const command = args.at(-1) as Command;
		const given = command.optsWithGlobals<O & GlobalOptions>();
		const silent = kind.service === true && command.getOptionValueSourceWithGlobals("logLevel") === "default";
		const opts = silent ? { ...given, logLevel: "info" } : given;
		const ctx = createContext(deps, opts);
		try {
			const code = await handler(ctx, opts, command.args);
			deps.setExitCode(deps.signal.aborted && kind.service !== true ? 130 : code);
		} finally {
			ctx.progress.stop();
		}
	};
}
