import type { Command } from "commander";
import type { Pause } from "../model/halt.ts";
import type { Store } from "../model/ports.ts";
import { type CliContext, type CliDeps, type ExitCode, verb } from "./context.ts";
import { withFooter } from "./help.ts";
import { openState, type StateOptions } from "./open-state.ts";
import { DEFAULT_ROOT } from "./source-root.ts";

interface ResumeOptions extends StateOptions {
	readonly reason?: string;
	readonly yes?: boolean;
	/** False with `--no-plan`. */
	readonly plan: boolean;
}

/** Ends a pause, once a person has seen what will then be done. */
export function registerResume(program: Command, deps: CliDeps): void {
	const command = program
		.command("resume")
		.summary("end a pause, after showing what will then be done")
		.description(
			"Plan as if nothing were paused, show the plan with its removals, ask, and end the pause. Applies nothing itself: the controller does at its next pass, or a person with apply.",
		)
		.option("--path <dir>", "the source root whose Installation is meant, and which is planned (default: policies)")
		.option("--installation <name>", "the installation, where there are several")
		.option("--reason <text>", "why it goes on, for the history", "resumed")
		.option("--yes", "do not ask")
		.option("--no-plan", "do not plan: where AWS or the source cannot be read")
		.action(verb<ResumeOptions>(deps, resume));
	withFooter(command, {
		examples: [
			["ecs-access resume", "show what will be done, ask, go on"],
			['ecs-access resume --yes --reason "incident 4711 is over"', "without the question"],
		],
		two: "the answer was no: it is still paused",
	});
}

async function resume(ctx: CliContext, opts: ResumeOptions): Promise<ExitCode> {
	const { readPause } = await import("../engine/pause.ts");
	const state = await openState(ctx, opts);
	const { store } = state;
	try {
		const pause = await readPause(store, ctx.clock.millis());
		if (store === null || pause === null) {
			ctx.print(`Installation ${state.installation} is not paused.\n`);
			return 0;
		}
		return await end(ctx, opts, { ...state, store, pause });
	} finally {
		await store?.close();
	}
}

async function end(
	ctx: CliContext,
	opts: ResumeOptions,
	{ store, pause, installation }: { readonly store: Store; readonly pause: Pause; readonly installation: string },
): Promise<ExitCode> {
	const [{ clearPause }, { pausedWords, personAt }] = await Promise.all([
		import("../engine/pause.ts"),
		import("./pause-words.ts"),
	]);
	ctx.print(`Installation ${installation} is ${pausedWords(pause)}\n\n`);
	if (opts.plan && !(await showPlan(ctx, opts))) {
		ctx.note("it is still paused: what will be done could not be planned; correct that, or resume with --no-plan\n");
		return 1;
	}
	if (opts.yes !== true && !(await ctx.ask(`Resume installation ${installation}?`, "--yes"))) {
		ctx.print("Still paused.\n");
		return 2;
	}
	const word = { by: personAt(ctx), reason: opts.reason ?? "resumed", installation, reconcileId: crypto.randomUUID() };
	await clearPause(store, word, pause, ctx.clock);
	ctx.print("Resumed. A controller goes on at its next look at the store; without one: ecs-access apply\n");
	return 0;
}

/** As the controller will plan it: with removals, bound by the budgets. False: it could not be, and why was said. */
async function showPlan(ctx: CliContext, opts: ResumeOptions): Promise<boolean> {
	const [{ openLibrary }, { printPlan }] = await Promise.all([import("./library.ts"), import("./plan-output.ts")]);
	const library = await openLibrary(ctx);
	try {
		const request = { path: opts.path ?? DEFAULT_ROOT, prune: true };
		const asked = await library.plan(request, { shown: false, resuming: true });
		if (asked.result.file === null) {
			await library.printInvalid(asked);
			return false;
		}
		await printPlan(ctx, asked.result.file, "text", false);
		return true;
	} finally {
		await library.close();
	}
}
