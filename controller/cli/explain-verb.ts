import type { Command } from "commander";
import { type CliDeps, verb } from "./context.ts";
import { withFooter } from "./help.ts";

/** What a kind or one of its fields means, from the CustomResourceDefinitions. */
export function registerExplain(program: Command, deps: CliDeps): void {
	const command = program
		.command("explain")
		.summary("what a kind or a field means")
		.description("Describe a kind, or a field of it by its path, with its type, its values and what it is for.")
		.argument("<path>", "KIND or KIND.path.to.field")
		.action(
			verb(deps, async (ctx, _opts, [path = ""]) => {
				const { explainPath } = await import("./explain.ts");
				ctx.print(explainPath(path));
				return 0;
			}),
		);
	withFooter(command, {
		examples: [
			["ecs-access explain AccessPolicy", "a kind"],
			["ecs-access explain accesspolicy.spec.taskRole.statements", "a field"],
		],
		two: "never from this command",
	});
}
