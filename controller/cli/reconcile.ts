import type { Command } from "commander";
import type { Consumer } from "../engine/consumer.ts";
import { TerminalError } from "../model/errors.ts";
import { escapeTerminal } from "../plan/render/escape.ts";
import { haltWords } from "../plan/render/words.ts";
import type { CliContext, CliDeps, ExitCode } from "./context.ts";
import { verb } from "./context.ts";
import type { ControllerFlags } from "./controller.ts";
import { withFooter } from "./help.ts";
import { withFollowFlags } from "./source-flags.ts";

interface ReconcileFlags extends ControllerFlags {
	readonly once?: boolean;
}

/** One pass of the controller, for a scheduler that starts it again and again. */
export function registerReconcile(program: Command, deps: CliDeps): void {
	const command = withFollowFlags(
		program
			.command("reconcile")
			.summary("one pass of the controller over everything, then end")
			.description(
				"What run does, once: read the source, admit it or keep the last good revision, plan every resource, apply what is ready, end. For a schedule that starts a task; nobody is asked, so the Installation's mode and budgets bind it.",
			),
	)
		.requiredOption("--once", "one full pass; see run for one that stays")
		.option("--new-store", "the shared store is new: go on though roles already bear our marks")
		.action(verb<ReconcileFlags>(deps, reconcile));
	withFooter(command, {
		examples: [
			["ecs-access reconcile --once --git https://github.com/acme/access.git", "from EventBridge Scheduler, by RunTask"],
		],
		two: "some steps wait, or the newest revision was refused",
	});
}

/** What was not told of by then is told of by nobody. */
const FLUSH_SECONDS = 10;

async function reconcile(ctx: CliContext, flags: ReconcileFlags): Promise<ExitCode> {
	const [
		{ openController },
		{ createAnnouncementsLog, createConsumerLog, createControllerLog },
		{ renderExecution },
		{ summaryOf },
	] = await Promise.all([
		import("./controller.ts"),
		import("./controller-log.ts"),
		import("../plan/render/execution-text.ts"),
		import("./write.ts"),
	]);
	const logger = await ctx.logger();
	const log = createControllerLog(logger);
	const controller = await openController(ctx, flags);
	try {
		const lease = await controller.tryLease("ecs-access reconcile", ctx.signal);
		if ("heldBy" in lease) {
			throw new TerminalError("LeaseHeld", `another writer is at work: ${lease.heldBy}, until ${lease.until} at the latest`, {
				fix: "let it do the work, or wait for it to end",
			});
		}
		const began = ctx.clock.millis();
		const announcing = controller.announcing(() => manager, createAnnouncementsLog(logger));
		const manager = controller.manager(lease, (event) => {
			log(event);
			announcing.heard(event);
		});
		try {
			await manager.poll(ctx.signal);
			// What is heard says who did it; the pass over everything comes anyway, and no key has two.
			await drain(ctx, controller.consumer({ ...manager, hint: () => {} }, createConsumerLog(logger)));
			const pass = await manager.once(AbortSignal.any([ctx.signal, lease.lost]));
			const { color, verbose } = ctx;
			const options = { color: color.stdout, verbose, milliseconds: ctx.clock.millis() - began };
			ctx.print(renderExecution(summaryOf(pass.execution), options));
			const halted = haltWords(pass.file);
			if (halted !== null) ctx.note(`${escapeTerminal(halted)}\n`);
			const { refused, sourceError } = manager.state();
			if (refused !== null)
				ctx.note(`revision ${refused.revision} is refused, the last good one stays in force: ${refused.message}\n`);
			if (sourceError !== null) ctx.note(`the source could not be read, the last good revision stays in force: ${sourceError}\n`);
			for (const [account, failure] of pass.failures) ctx.note(`account ${account} could not be read: ${failure.message}\n`);
			const { runs, waiting, notRun } = pass.execution;
			if (pass.failures.size > 0 || sourceError !== null || runs.some((r) => r.error !== null) || pass.mistaken.size > 0)
				return 1;
			return refused !== null || waiting.length > 0 || notRun.length > 0 ? 2 : 0;
		} finally {
			await announcing.flush(FLUSH_SECONDS);
			await lease.release();
		}
	} finally {
		await controller.close();
	}
}

/** The pass sees all there is; what waits in the queue says who did it, and is then done with. */
async function drain(ctx: CliContext, consumer: Consumer): Promise<void> {
	try {
		await consumer.drain(ctx.signal);
	} catch (error) {
		if (!(error instanceof TerminalError && ["QueueMissing", "NoEventHome"].includes(error.reason))) throw error;
	}
}
