import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { TerminalError } from "../model/errors.ts";
import type { CliContext } from "./context.ts";

/** Text of a file that is named on the command line; `-` is stdin. */
export async function readInput(ctx: Pick<CliContext, "cwd" | "stdin">, file: string): Promise<string> {
	if (file !== "-") return readNamed(ctx.cwd, file);
	const parts: Buffer[] = [];
	for await (const chunk of ctx.stdin) parts.push(Buffer.from(chunk));
	return Buffer.concat(parts).toString("utf8");
}

/** Text of a file, or a TerminalError that names it as it was typed. */
export function readNamed(cwd: string, file: string): string {
	try {
		return readFileSync(resolve(cwd, file), "utf8");
	} catch (cause) {
		const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
		const why = { ENOENT: "there is no such file", ENOTDIR: "there is no such file", EISDIR: "it is a folder" }[String(code)];
		if (why === undefined) throw cause;
		throw new TerminalError("NoSuchPath", `cannot read ${file}: ${why}`, { cause });
	}
}
