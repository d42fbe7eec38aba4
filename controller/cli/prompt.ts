import { TerminalError } from "../model/errors.ts";

/** Who is asked, and where. */
export interface Asking {
	readonly stdin: NodeJS.ReadableStream & { readonly isTTY?: boolean };
	readonly stderr: { readonly isTTY: boolean };
	readonly terminal: NodeJS.WritableStream;
	readonly signal: AbortSignal;
}

/** Asks on stderr, so that a result on stdout stays clean; anything but y or yes is no. */
export async function ask(deps: Asking, question: string, instead: string): Promise<boolean> {
	if (deps.stdin.isTTY !== true || !deps.stderr.isTTY) {
		throw new TerminalError("NoTerminal", `cannot ask "${question}": there is no terminal`, {
			fix: `give ${instead} to go on without the question`,
		});
	}
	const { createInterface } = await import("node:readline/promises");
	const lines = createInterface({ input: deps.stdin, output: deps.terminal, terminal: true });
	try {
		const answer = await lines.question(`${question} [y/N] `, { signal: deps.signal });
		return /^y(es)?$/i.test(answer.trim());
	} finally {
		lines.close();
	}
}
