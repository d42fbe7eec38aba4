import { Argument, type Command } from "commander";
import { bashScript, type CommandWords, fishScript, zshScript } from "./completion-scripts.ts";
import { type CliDeps, verb } from "./context.ts";
import { withFooter } from "./help.ts";

/** A script for the shell, made from the command tree as it is. */
export function registerCompletion(program: Command, deps: CliDeps): void {
	const command = program
		.command("completion")
		.summary("a completion script for the shell")
		.description("Print a script that completes commands, options and their values.")
		.addArgument(new Argument("<shell>", "which shell").choices(["bash", "zsh", "fish"]))
		.action(
			verb(deps, async (ctx, _opts, [shell]) => {
				const tree = wordsOf(program, []);
				ctx.print(shell === "bash" ? bashScript(tree) : shell === "zsh" ? zshScript(tree) : fishScript(tree));
				return 0;
			}),
		);
	withFooter(command, {
		examples: [
			["source <(ecs-access completion bash)", "bash, for this session"],
			["ecs-access completion zsh > ~/.zfunc/_ecs-access", "zsh, with ~/.zfunc in fpath"],
			["ecs-access completion fish > ~/.config/fish/completions/ecs-access.fish", "fish"],
		],
		two: "never from this command",
	});
}

/** The command and all below it, each with its own and the global options. */
function wordsOf(command: Command, path: readonly string[]): readonly CommandWords[] {
	const help = command.createHelp();
	help.showGlobalOptions = true;
	const options = [...help.visibleOptions(command), ...help.visibleGlobalOptions(command)];
	const subcommands = help.visibleCommands(command);
	const own: CommandWords = {
		path,
		commands: subcommands.map((c) => ({ name: c.name(), about: c.summary() || c.description() })),
		options: options.map((o) => ({
			flags: [o.short, o.long].filter((f) => f !== undefined),
			about: o.description,
			takesValue: o.required || o.optional,
			choices: o.argChoices ?? [],
		})),
		choices: command.registeredArguments.flatMap((a) => a.argChoices ?? []),
	};
	const below = subcommands.filter((c) => command.commands.includes(c));
	return [own, ...below.flatMap((c) => wordsOf(c, [...path, c.name()]))];
}
