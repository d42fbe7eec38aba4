import type { Command } from "commander";
import { TerminalError } from "../model/errors.ts";
import { type CliContext, type CliDeps, type ExitCode, verb } from "./context.ts";
import { formatOption, withFooter } from "./help.ts";
import { readInput } from "./read-input.ts";

interface CompareOptions {
	readonly batch?: boolean;
	readonly format: "text" | "json" | "yaml";
}

/** What can be said of IAM documents by themselves. */
export function registerPolicy(program: Command, deps: CliDeps): void {
	const policy = program
		.command("policy")
		.summary("compare IAM documents")
		.description("What can be said of IAM policy documents by themselves, offline.")
		.helpCommand(false);
	withFooter(policy, {
		examples: [["ecs-access policy compare old.json new.json", "do they mean the same?"]],
		two: "never from these commands",
	});
	const command = policy
		.command("compare")
		.summary("identical, equivalent or different")
		.description("Say whether two IAM policy documents mean the same. Offline.")
		.argument("[old]", "a file of JSON; - reads stdin")
		.argument("[new]", "a file of JSON; - reads stdin")
		.option("--batch", 'read {"old": …, "new": …} a line from stdin, write one result a line')
		.addOption(formatOption(["text", "json", "yaml"], "json"))
		.action(verb<CompareOptions>(deps, compare));
	withFooter(command, {
		examples: [
			["ecs-access policy compare old.json new.json", '{"verdict":"identical|equivalent|different"}'],
			["ecs-access policy compare --batch < pairs.jsonl", "one result a line; an invalid line gives an error"],
		],
		two: "never from this command: a difference is a result",
	});
}

async function compare(ctx: CliContext, opts: CompareOptions, args: readonly string[]): Promise<ExitCode> {
	const { comparePolicies, runBatch } = await import("./policy-compare.ts");
	if (opts.batch === true) {
		if (args.length > 0)
			throw new TerminalError("BadOptions", "--batch reads stdin and takes no files", { fix: "leave out the files, or --batch" });
		await runBatch(ctx.stdin, async (line) => ctx.print(line), ctx.signal);
		return 0;
	}
	const [before, after] = args;
	if (before === undefined || after === undefined || (before === "-" && after === "-")) {
		throw new TerminalError("BadOptions", "two files are compared", { fix: "ecs-access policy compare OLD.json NEW.json" });
	}
	const result = comparePolicies(await readInput(ctx, before), await readInput(ctx, after));
	if (opts.format === "text") ctx.print(`${"error" in result ? `error: ${result.error}` : result.verdict}\n`);
	else if (opts.format === "json") ctx.print(`${JSON.stringify(result)}\n`);
	else ctx.print(await (await import("./structured.ts")).structured("yaml", result));
	return "error" in result ? 1 : 0;
}
