import { writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { type Command, Option } from "commander";
import type { PlanFile } from "../model/plan.ts";
import type { CliContext, CliDeps, ExitCode } from "./context.ts";
import { verb } from "./context.ts";
import { formatOption, withFooter } from "./help.ts";
import { openLibrary } from "./library.ts";
import { printPlan } from "./plan-output.ts";
import { requestOf, type SourceFlags, withFreezeFlag, withSourceFlags } from "./source-flags.ts";

export interface PlanOptions extends SourceFlags {
	readonly format: "text" | "markdown" | "json" | "yaml";
	readonly out?: string;
	readonly base?: string;
}

/** What would change in AWS, and why; nothing is written anywhere but to `--out`. */
export function registerPlan(program: Command, deps: CliDeps): void {
	const command = withFreezeFlag(
		withSourceFlags(
			program
				.command("plan")
				.summary("show what would change in AWS, and why")
				.description(
					"Compare the policies with live IAM and ECS and show every step that would be taken. Writes nothing to AWS.",
				),
		),
	)
		.addOption(formatOption(["text", "markdown", "json", "yaml"]))
		.addOption(new Option("--out <file>", "save the plan, for `ecs-access apply <file>`").conflicts("base"))
		.addOption(
			new Option("--base <rev>", "compare with another revision of the repository instead, without AWS").conflicts([
				"git",
				"prune",
			]),
		)
		.action(verb<PlanOptions>(deps, plan));
	withFooter(command, {
		examples: [
			["ecs-access plan", "./policies against the account of your credentials"],
			["ecs-access plan --only AccessPolicy/orders-api", "one policy"],
			["ecs-access plan --git https://github.com/acme/access.git --ref main --prune", "a repository, removals too"],
			["ecs-access plan --base origin/main --format markdown", "what a pull request changes, without AWS"],
			["ecs-access plan --out plan.json", "then: ecs-access apply plan.json"],
		],
		two: "a step is ready, or waits",
	});
}

async function plan(ctx: CliContext, opts: PlanOptions): Promise<ExitCode> {
	const library = await openLibrary(ctx);
	try {
		const request = requestOf(opts);
		const asked =
			opts.base === undefined
				? await library.plan(request, { shown: true, force: opts.force === true })
				: await library.compare(request, opts.base);
		const { result } = asked;
		if (result.file === null) return await library.printInvalid(asked);
		if (opts.out !== undefined) {
			writeFileSync(resolve(ctx.cwd, opts.out), `${JSON.stringify(result.file, null, 2)}\n`, { mode: 0o600 });
			ctx.note(`saved to ${opts.out}\n`);
		}
		await printPlan(ctx, result.file, opts.format, opts.out === undefined ? true : { savedTo: opts.out });
		return exitCodeOf(result.file);
	} finally {
		await library.close();
	}
}

/** What git and the account say together can be wrong where neither is by itself: a path that differs, a reserved role. */
export function hasMistake(file: PlanFile): boolean {
	return file.plans.some((p) => p.findings.some((f) => f.severity === "error" && f.guardrail === undefined));
}

/** Findings alone do not count; an account that could not be read is an error. */
export function exitCodeOf(file: PlanFile): ExitCode {
	if (file.accounts.some((a) => a.error !== null)) return 1;
	if (hasMistake(file)) return 1;
	return file.plans.some((p) => p.steps.length > 0) ? 2 : 0;
}
