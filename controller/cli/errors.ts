import { ConflictError, TerminalError, WaitingError } from "../model/errors.ts";
import { escapeTerminal } from "../plan/render/escape.ts";
import { createPaint } from "../plan/render/palette.ts";
import type { ExitCode } from "./context.ts";

/** What an error that reached the top looks like, and the exit code it ends with. */
export interface ErrorReport {
	readonly text: string;
	readonly code: ExitCode;
}

/** `error  what, on what` and beneath it what AWS said and what to do; the cause chain and stacks only with `--verbose`. */
export function reportError(
	error: unknown,
	opts: { readonly color: boolean; readonly verbose: boolean; readonly aborted: boolean },
): ErrorReport {
	const paint = createPaint(opts.color);
	if (opts.aborted && !(error instanceof TerminalError)) {
		return { text: `${paint("warning", "interrupted")}\n`, code: 130 };
	}
	const waiting = error instanceof WaitingError;
	const label = waiting ? "waits" : "error";
	const [head = "", ...rest] = linesOf(error);
	const lines = [
		`${paint(waiting ? "warning" : "error", label)}  ${head}`,
		...[...rest, ...awsLines(error), ...adviceLines(error)].map((l) => `       ${l}`),
	];
	if (opts.verbose) lines.push(...chain(error).map((l) => paint("dim", `       ${l}`)));
	else if (!isOurs(error) && !isSystem(error)) lines.push(`       ${paint("dim", "--verbose shows where it came from")}`);
	return { text: `${lines.join("\n")}\n`, code: waiting ? 2 : 1 };
}

function isOurs(error: unknown): boolean {
	return error instanceof TerminalError || error instanceof WaitingError || error instanceof ConflictError;
}

/** Errors of the operating system say all there is to say: ENOENT and its like. */
function isSystem(error: unknown): boolean {
	return error instanceof Error && "syscall" in error;
}

/** A message may have several lines of its own, each escaped; an empty one falls back to the class. */
function linesOf(error: unknown): string[] {
	const message = error instanceof Error ? systemWords(error) || error.name : String(error);
	return message.split("\n").map((l) => escapeTerminal(l.trim()));
}

/** `cannot open /tmp/x: no such file or directory` instead of `ENOENT: no such file or directory, open '/tmp/x'`. */
function systemWords(error: Error): string {
	const found = /^[A-Z0-9]+: (.+), (\w+)(?: '(.+?)')?$/.exec(error.message);
	if (!isSystem(error) || found === null) return error.message;
	const [, reason, call, path] = found;
	return `cannot ${call}${path === undefined ? "" : ` ${path}`}: ${reason}`;
}

function adviceLines(error: unknown): string[] {
	if (error instanceof TerminalError && error.fix !== undefined) return error.fix.split("\n").map(escapeTerminal);
	if (error instanceof ConflictError) return ["something changed it between plan and write: run plan again"];
	if (error instanceof WaitingError) return [`try again in ${error.afterSeconds} s`];
	return [];
}

/** What AWS said, where a cause is an answer of AWS and the message does not already tell. */
function awsLines(error: unknown): string[] {
	if (linesOf(error).some((l) => l.startsWith("AWS:"))) return [];
	for (const cause of causes(error)) {
		if (!(cause instanceof Error) || !("$metadata" in cause)) continue;
		const { requestId } = cause.$metadata as { readonly requestId?: string };
		return [escapeTerminal(`AWS: ${cause.name}, ${cause.message}${requestId === undefined ? "" : ` (request ${requestId})`}`)];
	}
	return [];
}

function causes(error: unknown): readonly unknown[] {
	const found: unknown[] = [];
	for (let e: unknown = error; e !== undefined && e !== null && found.length < 10; e = e instanceof Error ? e.cause : undefined)
		found.push(e);
	return found;
}

function chain(error: unknown): string[] {
	return causes(error).flatMap((cause, i) => {
		const words = cause instanceof Error ? (cause.stack ?? `${cause.name}: ${cause.message}`) : String(cause);
		return `${i === 0 ? "" : "caused by: "}${words}`.split("\n").map(escapeTerminal);
	});
}
