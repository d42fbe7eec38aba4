import type { Command } from "commander";
import { TerminalError } from "../model/errors.ts";
import { type CliContext, type CliDeps, type ExitCode, verb } from "./context.ts";
import { withFooter } from "./help.ts";
import { openLibrary } from "./library.ts";
import { printPlan } from "./plan-output.ts";
import { runUnderLease } from "./write.ts";

interface ForgetOptions {
	readonly path?: string;
	readonly yes?: boolean;
}

/** Removes our marks from the roles of a resource, and nothing else. */
export function registerForget(program: Command, deps: CliDeps): void {
	const command = program
		.command("forget")
		.summary("remove our marks from the roles of a resource, and nothing else")
		.description("Stop managing what a resource owns: the ownership tags go, the roles stay exactly as they are.")
		.argument("<kind/name>", "the resource, as get shows it: AccessPolicy/orders-api")
		.option("--path <dir>", "a folder of policies, for its accounts (default: policies)")
		.option("--yes", "do not ask")
		.action(verb<ForgetOptions>(deps, forget));
	withFooter(command, {
		examples: [["ecs-access forget AccessPolicy/orders-api", "hand its roles over to somebody else"]],
		two: "not confirmed",
	});
}

async function forget(ctx: CliContext, opts: ForgetOptions, args: readonly string[]): Promise<ExitCode> {
	const [key = ""] = args;
	if (!/^[A-Z][A-Za-z]+\/[a-z0-9@-]+$/.test(key)) {
		throw new TerminalError("BadName", `${JSON.stringify(key)} is not KIND/NAME`, { fix: "for example AccessPolicy/orders-api" });
	}
	const library = await openLibrary(ctx);
	try {
		const planned = await library.forget(opts.path ?? "policies", key);
		if (planned.result.file === null) return await library.printInvalid(planned);
		const { file } = planned.result;
		const steps = file.plans.flatMap((p) => p.steps);
		if (steps.length === 0) {
			const owners = planned.owners.filter((o) => o !== key);
			throw new TerminalError("NotOwned", `nothing in AWS bears the mark of ${key}`, {
				fix: owners.length === 0 ? "no role bears a mark of this installation" : `marked: ${owners.join(", ")}`,
			});
		}
		await printPlan(ctx, file, "text", false);
		if (planned.inSource)
			ctx.note(
				`${key} is still in ${opts.path ?? "policies"}: the next apply marks its roles again if it says adopt: true, and waits otherwise\n`,
			);
		if (
			opts.yes !== true &&
			!(await ctx.ask(`Remove our marks from ${steps.length === 1 ? "1 role" : `${steps.length} roles`}?`, "--yes"))
		) {
			ctx.print("Nothing was changed.\n");
			return 2;
		}
		return await runUnderLease(ctx, library, planned.result, { shown: opts.yes !== true, whole: false, newStore: false });
	} finally {
		await library.close();
	}
}
