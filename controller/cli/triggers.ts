import type { Command } from "commander";
import type { Execution } from "../engine/execute.ts";
import { shortDigest } from "../model/digest.ts";
import type { PlanFile } from "../model/plan.ts";
import type { Store } from "../model/ports.ts";
import type { CliContext, CliDeps, ExitCode } from "./context.ts";
import { verb } from "./context.ts";
import { formatOption, withFooter } from "./help.ts";
import { type Library, openLibrary } from "./library.ts";
import { exitCodeOf, hasMistake } from "./plan.ts";
import { printPlan } from "./plan-output.ts";
import { requestOf, type SourceFlags, withPlace } from "./source-flags.ts";

type TriggersFlags = Pick<SourceFlags, "path" | "git" | "ref" | "subdir" | "requireSignatures" | "allowedSigners">;

interface PlanFlags extends TriggersFlags {
	readonly format: "text" | "markdown" | "json" | "yaml";
}

interface ApplyFlags extends TriggersFlags {
	readonly yes?: boolean;
}

/** The way of events: EventBridge rules in every account and region, and the queue that `run` hears. */
export function registerTriggers(program: Command, deps: CliDeps): void {
	const triggers = program
		.command("triggers")
		.summary("set up what tells run of changes: rules and a queue")
		.description(
			"Plan and make the EventBridge rules, the queue and its dead-letter queue by which run hears of a change within seconds. Without them only the resync sees it.",
		)
		.helpCommand(false);
	withFooter(triggers, { examples: [["ecs-access triggers plan", "what is missing, in every account and region"]] });
	const plan = withPlace(triggers.command("plan").summary("show what is missing or not as it must be"))
		.description("Show what the way of events lacks, in every account and region of the source. Writes nothing to AWS.")
		.addOption(formatOption(["text", "markdown", "json", "yaml"]))
		.action(verb<PlanFlags>(deps, planTriggers));
	withFooter(plan, {
		examples: [["ecs-access triggers plan", "./policies and the accounts that it names"]],
		two: "a step is ready, or waits",
	});
	const apply = withPlace(triggers.command("apply").summary("make what is missing"))
		.description(
			"Plan, show the plan, ask, and make the rules and queues. Nothing is ever deleted, and nothing touched that lacks our mark.",
		)
		.option("--yes", "do not ask")
		.action(verb<ApplyFlags>(deps, applyTriggers));
	withFooter(apply, {
		examples: [["ecs-access triggers apply", "show, ask, make"]],
		two: "some steps wait",
	});
}

async function planTriggers(ctx: CliContext, flags: PlanFlags): Promise<ExitCode> {
	const library = await openLibrary(ctx);
	try {
		const asked = await library.triggers(requestOf(flags));
		const { file } = asked.result;
		if (file === null) return await library.printInvalid(asked);
		await printPlan(ctx, file, flags.format);
		return exitCodeOf(file);
	} finally {
		await library.close();
	}
}

async function applyTriggers(ctx: CliContext, flags: ApplyFlags): Promise<ExitCode> {
	const library = await openLibrary(ctx);
	try {
		const asked = await library.triggers(requestOf(flags));
		const { file } = asked.result;
		if (file === null) return await library.printInvalid(asked);
		await printPlan(ctx, file, "text", false);
		const planCode = exitCodeOf(file);
		if (hasMistake(file)) {
			ctx.note("nothing was applied: correct the errors above first\n");
			return 1;
		}
		const ready = file.plans.flatMap((p) => p.steps).filter((s) => s.state === "ready").length;
		if (ready === 0) return planCode;
		const question = `Apply ${ready} ${ready === 1 ? "step" : "steps"} of plan ${shortDigest(file.id)}?`;
		if (flags.yes !== true && !(await ctx.ask(question, "--yes"))) {
			ctx.print("Nothing was applied.\n");
			return 2;
		}
		const code = await carryOut(ctx, library, file);
		return planCode === 1 && code !== 130 ? 1 : code;
	} finally {
		await library.close();
	}
}

/**
 * Without the lease: a controller holds it for as long as it runs, and nothing here is anything that it writes. Two who do
 * this at once are kept apart by the precondition of each step.
 */
async function carryOut(ctx: CliContext, library: Library, file: PlanFile): Promise<ExitCode> {
	const [{ execute }, { watchPause }, { renderExecution }, { exitCodeAfter, summaryOf }] = await Promise.all([
		import("../engine/execute.ts"),
		import("../engine/pause.ts"),
		import("../plan/render/execution-text.ts"),
		import("./write.ts"),
	]);
	const accountOf = (name: string) => {
		const found = file.accounts.find((a) => a.account.name === name);
		if (found === undefined) throw new Error(`plan names account ${name}, which it does not hold`);
		return found;
	};
	const store = await recordTo(ctx, library, file);
	library.readAgain();
	const began = ctx.clock.millis();
	ctx.progress.phase("applying");
	const execution: Execution = await execute(
		file,
		{
			access: (name) => library.access(accountOf(name).account),
			actor: (name) => accountOf(name).caller?.arn ?? "unknown",
			store,
			clock: ctx.clock,
			reconcileId: library.reconcileId,
			progress: (p) => {
				if (p.phase === "settle") ctx.progress.phase(`waiting for the new role to be known (${p.seconds} s)`);
				else ctx.progress.update(p.done, p.total, `${p.step.target.name}  ${p.step.call.api}`);
			},
			leaseRemaining: () => Number.POSITIVE_INFINITY,
			halted: watchPause(store, ctx.clock, Number.NEGATIVE_INFINITY),
		},
		ctx.signal,
	);
	ctx.progress.stop();
	const milliseconds = ctx.clock.millis() - began;
	ctx.print(renderExecution(summaryOf(execution), { color: ctx.color.stdout, verbose: ctx.verbose, milliseconds }));
	return exitCodeAfter(execution);
}

/**
 * Where the history goes. A shared store that remembers nothing though roles bear our marks was lost, and what guards
 * against that asks whether it is empty: then this is not the one to write the first line (engine/lost-memory.ts).
 */
async function recordTo(ctx: CliContext, library: Library, file: PlanFile): Promise<Store> {
	const store = await library.store(file.installation);
	if (library.sharedStore() === null || !(await store.empty()) || !(await anyRole(ctx, library, file))) return store;
	ctx.note(
		`nothing of this is recorded: the shared store ${library.sharedStore()} remembers nothing, but roles bear our marks\n`,
	);
	return { ...store, append: async () => {} };
}

async function anyRole(ctx: CliContext, library: Library, file: PlanFile): Promise<boolean> {
	const mine = new Set(file.plans.map((p) => p.key.replace(/@.*/, "")));
	for (const { account, error } of file.accounts) {
		if (error !== null) continue;
		for await (const role of library.access(account).provider("iam.role").listOwned(file.installation, ctx.signal)) {
			if (role.exists && role.owner !== null && !mine.has(role.owner.owner)) return true;
		}
	}
	return false;
}
