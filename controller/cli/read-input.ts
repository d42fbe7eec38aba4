import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import type { CliContext } from "./context.ts";

/** Text of a file that is named on the command line; `-` is stdin. */
export async function readInput(ctx: Pick<CliContext, "cwd" | "stdin">, file: string): Promise<string> {
	if (file !== "-") return readFileSync(resolve(ctx.cwd, file), "utf8");
	const parts: Buffer[] = [];
	for await (const chunk of ctx.stdin) parts.push(Buffer.from(chunk));
	return Buffer.concat(parts).toString("utf8");
}
