import { type Command, Option } from "commander";

/** What a verb's help ends with. */
export interface HelpFooter {
	/** Command lines, each with a remark: `["ecs-access plan", "what would change"]`. */
	readonly examples: readonly (readonly [line: string, remark: string])[];
	/** What 2 means here, where it can happen. */
	readonly two?: string;
}

/** Examples and exit codes, on every verb in the same shape. */
export function withFooter(command: Command, footer: HelpFooter): Command {
	const width = Math.max(...footer.examples.map(([line]) => line.length));
	const examples = footer.examples.map(([line, remark]) => `  ${line.padEnd(width)}  # ${remark}`);
	return command.addHelpText("after", ["", "Examples:", ...examples, "", exitCodes(footer.two)].join("\n"));
}

export function exitCodes(two = "something to do or waiting"): string {
	return ["Exit codes:", "  0    nothing to do, or all done", "  1    error", `  2    ${two}`, "  130  interrupted"].join("\n");
}

/** `-o`, with `--format` as its long name, everywhere the same. */
export function formatOption(formats: readonly string[], initial = "text"): Option {
	return new Option("-o, --format <format>", "how to print the result").choices(formats).default(initial);
}

/** Commander's message in our shape: one line, the suggestion behind it. */
export function commandLineError(message: string): string {
	const [first = "", ...rest] = message.trim().split("\n");
	const hint = /^\(Did you mean (?:one of )?(.+)\?\)$/.exec(rest.join(" "))?.[1];
	const words = first.replace(/^error: /, "").replace(/\.$/, "");
	return `${words} — ${hint === undefined ? "see --help" : `did you mean ${hint}?`}`;
}
