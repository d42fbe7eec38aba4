import type { Command } from "commander";
import type { Served, Term } from "../api/served.ts";
import type { Manager, ManagerEvent } from "../engine/manager.ts";
import { TerminalError, WaitingError } from "../model/errors.ts";
import type { CliContext, CliDeps, ExitCode } from "./context.ts";
import { verb } from "./context.ts";
import type { Controller, ControllerFlags } from "./controller.ts";
import { withFooter } from "./help.ts";
import type { HeldLease } from "./lease.ts";
import { type HttpFlags, type Serving, withHttpFlags } from "./serve.ts";
import { withFollowFlags } from "./source-flags.ts";

/** A standby looks so often whether it is its turn, and a source that cannot be read is tried again so often. */
const STANDBY_SECONDS = 15;
/** ECS kills a task 30 s after it asked it to stop; what is not done by then is left as it was recorded. */
const STOP_SECONDS = 16;
/** What was not told of by then is told of by nobody. */
const FLUSH_SECONDS = 3;

export function registerRun(program: Command, deps: CliDeps): void {
	const command = withHttpFlags(
		withFollowFlags(
			program
				.command("run")
				.summary("keep the accounts as git says, until stopped")
				.description(
					"Follow the source, watch the accounts, and apply what git says: on a commit, on an event, and at every resync. Writes only where the Installation says mode: Enforce.",
				),
		),
	)
		.option("--new-store", "the shared store is new: go on though roles already bear our marks")
		.action(verb<RunFlags>(deps, run, { service: true }));
	withFooter(command, {
		examples: [
			["ecs-access run --git https://github.com/acme/access.git", "follow a repository"],
			["ecs-access run --path policies", "follow a folder, as it is now"],
		],
		two: "does not occur; SIGTERM and Ctrl-C end it with 0",
	});
}

interface RunFlags extends ControllerFlags, HttpFlags {}

async function run(ctx: CliContext, flags: RunFlags): Promise<ExitCode> {
	const [{ openController }, { serve }] = await Promise.all([import("./controller.ts"), import("./serve.ts")]);
	const log = await ctx.logger();
	const serving = await serve(ctx, flags);
	const { awsCall, history } = serving.metrics;
	while (!ctx.signal.aborted) {
		let controller: Controller | null = null;
		try {
			controller = await openController(ctx, flags, { observeCall: awsCall, history });
			log.info({ installation: controller.installation, store: controller.storeName, version: ctx.version }, "started");
			await terms(ctx, controller, serving);
		} catch (error) {
			if (ctx.signal.aborted) break;
			const { message, fix } = error as { readonly message: string; readonly fix?: string };
			log.error({ error: message, ...(error instanceof TerminalError && { fix }) }, "cannot work yet");
			serving.show(null);
			serving.trouble({ message, ...(fix !== undefined && { fix }) });
			await ctx.clock.sleep(STANDBY_SECONDS * 1000, ctx.signal).catch(() => {});
		} finally {
			serving.show(null);
			await controller?.close().catch(() => {});
		}
	}
	await serving.close();
	log.info("stopped");
	return 0;
}

/**
 * One term after another, for as long as what was opened holds: with the lease it works, without it stands by. In mode
 * Observe nothing is written, so no lease is needed, and people may apply beside it.
 */
async function terms(ctx: CliContext, controller: Controller, serving: Serving): Promise<void> {
	const log = await ctx.logger();
	let standby: string | null = null;
	const moved = new AbortController();
	while (!ctx.signal.aborted && !moved.signal.aborted) {
		const lease = controller.spec.mode === "Enforce" ? await controller.tryLease("ecs-access run", ctx.signal) : null;
		if (lease !== null && "heldBy" in lease) {
			if (standby !== lease.heldBy) log.info({ holder: lease.heldBy, until: lease.until }, "standing by");
			standby = lease.heldBy;
			serving.show(shown(controller, { state: "standby", holder: lease.heldBy, until: lease.until }, null));
			await ctx.clock.sleep(STANDBY_SECONDS * 1000, ctx.signal).catch(() => {});
			continue;
		}
		standby = null;
		try {
			log.info(lease === null ? {} : { fence: lease.fence }, lease === null ? "observing" : "lease taken");
			await term(ctx, controller, lease, { moved, serving });
			if (lease?.lost.aborted && !ctx.signal.aborted) log.error("lease lost: nothing more is written until it is taken again");
		} finally {
			serving.show(shown(controller, { state: "between" }, null));
			await lease?.release();
		}
	}
	if (moved.signal.aborted) log.info("opened again: the Installation or the store has changed");
}

async function term(
	ctx: CliContext,
	controller: Controller,
	lease: HeldLease | null,
	{ moved, serving }: { readonly moved: AbortController; readonly serving: Serving },
): Promise<void> {
	const { createAnnouncementsLog, createConsumerLog, createControllerLog } = await import("./controller-log.ts");
	const log = await ctx.logger();
	const tell = createControllerLog(log);
	const announcing = controller.announcing(() => manager, createAnnouncementsLog(log));
	const manager = controller.manager(lease, (event) => {
		tell(event);
		serving.metrics.manager(event);
		announcing.heard(event);
		const { inForce } = manager.state();
		if (isStoreLost(event)) moved.abort();
		if (event.type === "admitted" && inForce !== null && !controller.isCurrent(inForce)) moved.abort();
	});
	const tellHeard = createConsumerLog(log);
	let deaf: string | null = null;
	const consumer = controller.consumer(manager, (event) => {
		tellHeard(event);
		serving.metrics.consumer(event);
		if (event.type === "deaf") deaf = event.error.message;
		if (event.type === "hearing") deaf = null;
	});
	const state = lease === null ? "observing" : "writing";
	serving.show({
		...shown(controller, { state }, manager),
		get deaf() {
			return deaf;
		},
	});
	const signal = AbortSignal.any([ctx.signal, moved.signal, ...(lease === null ? [] : [lease.lost])]);
	const timers = controller.timers(manager);
	await work(ctx, signal, [manager.run(signal), consumer.run(signal), timers.run(signal), announcing.run(signal)]);
	await announcing.flush(FLUSH_SECONDS);
}

/** What is not remembered any more must not be written over: the store is opened again, or refused, before anything else. */
function isStoreLost(event: ManagerEvent): boolean {
	const error =
		event.type === "pass" ? event.pass.error : event.type === "resyncFailed" || event.type === "fetchFailed" ? event.error : null;
	return error instanceof TerminalError && LOST.has(error.reason);
}

const LOST: ReadonlySet<string> = new Set(["StoreGone", "StoreCorrupt"]);

function shown(controller: Controller, term: Term, manager: Manager | null): Served {
	const { installation, spec, store, storeName, webhook } = controller;
	return {
		installation,
		mode: spec.mode ?? "Observe",
		store,
		storeName,
		term,
		manager,
		plan: async (keys, signal) => {
			const inForce = manager?.state().inForce ?? null;
			if (inForce === null) throw new WaitingError("NoRevision", "no revision is in force yet", 5);
			return controller.plan(inForce, keys, signal);
		},
		webhook,
		deaf: null,
	};
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
