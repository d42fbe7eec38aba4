import type { Command } from "commander";
import { TerminalError } from "../model/errors.ts";
import type { CliContext, CliDeps, ExitCode } from "./context.ts";
import { verb } from "./context.ts";
import type { Controller, ControllerFlags } from "./controller.ts";
import { withFooter } from "./help.ts";
import type { HeldLease } from "./lease.ts";
import { withFollowFlags } from "./source-flags.ts";

/** A standby looks so often whether it is its turn, and a source that cannot be read is tried again so often. */
const STANDBY_SECONDS = 15;
/** ECS kills a task 30 s after it asked it to stop; what is not done by then is left as it was recorded. */
const STOP_SECONDS = 20;
/** What was not told of by then is told of by nobody. */
const FLUSH_SECONDS = 3;

export function registerRun(program: Command, deps: CliDeps): void {
	const command = withFollowFlags(
		program
			.command("run")
			.summary("keep the accounts as git says, until stopped")
			.description(
				"Follow the source, watch the accounts, and apply what git says: on a commit, on an event, and at every resync. Writes only where the Installation says mode: Enforce.",
			),
	)
		.option("--new-store", "the shared store is new: go on though roles already bear our marks")
		.action(verb<ControllerFlags>(deps, run, { service: true }));
	withFooter(command, {
		examples: [
			["ecs-access run --git https://github.com/acme/access.git", "follow a repository"],
			["ecs-access run --path policies", "follow a folder, as it is now"],
		],
		two: "does not occur; SIGTERM and Ctrl-C end it with 0",
	});
}

async function run(ctx: CliContext, flags: ControllerFlags): Promise<ExitCode> {
	const { openController } = await import("./controller.ts");
	const log = await ctx.logger();
	while (!ctx.signal.aborted) {
		let controller: Controller | null = null;
		try {
			controller = await openController(ctx, flags);
			log.info({ installation: controller.installation, store: controller.storeName, version: ctx.version }, "started");
			await terms(ctx, controller);
		} catch (error) {
			if (ctx.signal.aborted) break;
			const { message, fix } = error as { readonly message: string; readonly fix?: string };
			log.error({ error: message, ...(error instanceof TerminalError && { fix }) }, "cannot work yet");
			await ctx.clock.sleep(STANDBY_SECONDS * 1000, ctx.signal).catch(() => {});
		} finally {
			await controller?.close().catch(() => {});
		}
	}
	log.info("stopped");
	return 0;
}

/**
 * One term after another, for as long as what was opened holds: with the lease it works, without it stands by. In mode
 * Observe nothing is written, so no lease is needed, and people may apply beside it.
 */
async function terms(ctx: CliContext, controller: Controller): Promise<void> {
	const log = await ctx.logger();
	let standby: string | null = null;
	const moved = new AbortController();
	while (!ctx.signal.aborted && !moved.signal.aborted) {
		const lease = controller.spec.mode === "Enforce" ? await controller.tryLease("ecs-access run", ctx.signal) : null;
		if (lease !== null && "heldBy" in lease) {
			if (standby !== lease.heldBy) log.info({ holder: lease.heldBy, until: lease.until }, "standing by");
			standby = lease.heldBy;
			await ctx.clock.sleep(STANDBY_SECONDS * 1000, ctx.signal).catch(() => {});
			continue;
		}
		standby = null;
		try {
			log.info(lease === null ? {} : { fence: lease.fence }, lease === null ? "observing" : "lease taken");
			await term(ctx, controller, lease, moved);
			if (lease?.lost.aborted && !ctx.signal.aborted) log.error("lease lost: nothing more is written until it is taken again");
		} finally {
			await lease?.release();
		}
	}
	if (moved.signal.aborted) log.info("the Installation has changed: opened again");
}

async function term(ctx: CliContext, controller: Controller, lease: HeldLease | null, moved: AbortController): Promise<void> {
	const { createAnnouncementsLog, createConsumerLog, createControllerLog } = await import("./controller-log.ts");
	const log = await ctx.logger();
	const tell = createControllerLog(log);
	const announcing = controller.announcing(() => manager, createAnnouncementsLog(log));
	const manager = controller.manager(lease, (event) => {
		tell(event);
		announcing.heard(event);
		const { inForce } = manager.state();
		if (event.type === "admitted" && inForce !== null && !controller.isCurrent(inForce)) moved.abort();
	});
	const consumer = controller.consumer(manager, createConsumerLog(log));
	const signal = AbortSignal.any([ctx.signal, moved.signal, ...(lease === null ? [] : [lease.lost])]);
	const timers = controller.timers(manager);
	await work(ctx, signal, [manager.run(signal), consumer.run(signal), timers.run(signal), announcing.run(signal)]);
	await announcing.flush(FLUSH_SECONDS);
}

/** Until `signal`; then what runs has a little time to end. */
async function work(ctx: CliContext, signal: AbortSignal, running: readonly Promise<void>[]): Promise<void> {
	const late = new Promise<void>((resolve) => {
		const give = (): void => {
			void ctx.clock.sleep(STOP_SECONDS * 1000, new AbortController().signal).then(resolve);
		};
		if (signal.aborted) give();
		else signal.addEventListener("abort", give, { once: true });
	});
	await Promise.race([Promise.all(running), late]);
}
