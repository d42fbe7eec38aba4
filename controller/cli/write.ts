import { hostname } from "node:os";
import type { Execution, Progress } from "../engine/execute.ts";
import { TerminalError } from "../model/errors.ts";
import type { PlanFile } from "../model/plan.ts";
import type { CliContext, ExitCode } from "./context.ts";
import type { Executable, Library } from "./library.ts";
import { storePath } from "./state-dir.ts";

/** Long enough that a stalled process is not robbed of it, short enough that a dead one keeps nobody waiting. */
const LEASE_SECONDS = 180;
const RENEW_MS = 30_000;
const LEASE = "lease";

export interface WriteOptions {
	/** A person has seen the plan (KINDS.md, Installation budgets). */
	readonly shown: boolean;
	/** The whole source was read and planned: what it does not name is not there. */
	readonly whole: boolean;
}

/**
 * Carries out a plan that a person approved: alone, by lease; each outcome recorded; a summary at the end. 0 all done,
 * 1 a step failed, 2 some wait, 130 interrupted. `shown`: a person read the plan, so narrowings use up no budget.
 */
export async function runUnderLease(
	ctx: CliContext,
	library: Library,
	result: Executable,
	options: WriteOptions,
): Promise<ExitCode> {
	const [{ execute, WRITE_TIMEOUT_MS }, { report }, { recordBudget }, { acquireLease }, writer, { renderExecution }] =
		await Promise.all([
			import("../engine/execute.ts"),
			import("../engine/report.ts"),
			import("../engine/budget-use.ts"),
			import("../store/lease.ts"),
			import("../store/sole-writer.ts"),
			import("../plan/render/execution-text.ts"),
		]);
	const { file, gathered } = result;
	const store = await library.store(file.installation);
	const alone = await writer.soleWriter(`${storePath(ctx, file.installation)}.writer`, ctx.clock, ctx.signal);
	if (alone !== null) writer.dropAbandonedLease(store, LEASE);
	const lease = acquireLease(store, {
		name: LEASE,
		holder: `${ctx.env.USER ?? "somebody"}@${hostname()} (ecs-access apply, pid ${process.pid})`,
		ttlSeconds: LEASE_SECONDS,
		callTimeoutSeconds: WRITE_TIMEOUT_MS / 1000,
		clock: ctx.clock,
	});
	if (alone === null || "heldBy" in lease) {
		const held = "heldBy" in lease ? lease : { heldBy: "another process", until: lease.until() };
		if (!("heldBy" in lease)) lease.release();
		alone?.();
		throw new TerminalError("LeaseHeld", `another writer is at work: ${held.heldBy}, until ${held.until} at the latest`, {
			fix: "wait for it to end, then run apply again",
		});
	}
	const renewal = setInterval(() => lease.renew(), RENEW_MS);
	renewal.unref();
	// A read counts only under the lease: another writer, or an hour at the question, may lie before it.
	library.readAgain();
	const began = ctx.clock.millis();
	ctx.progress.phase("applying");
	try {
		const execution = await execute(
			file,
			{
				access: (name) => library.access(accountOf(file, name)),
				actor: (name) => file.accounts.find((a) => a.account.name === name)?.caller?.arn ?? "unknown",
				store,
				clock: ctx.clock,
				reconcileId: library.reconcileId,
				progress: (p) => show(ctx, p),
				leaseRemaining: lease.remaining,
			},
			ctx.signal,
		);
		recordBudget(execution.runs, { shown: options.shown, store, clock: ctx.clock });
		report(file, execution, gathered, { store, clock: ctx.clock, whole: options.whole });
		ctx.progress.stop();
		ctx.print(
			renderExecution(summaryOf(execution), {
				color: ctx.color.stdout,
				verbose: ctx.verbose,
				milliseconds: ctx.clock.millis() - began,
			}),
		);
		return exitCode(execution);
	} finally {
		clearInterval(renewal);
		lease.release();
		alone();
	}
}

/** Nothing is to be written; what was looked at is recorded all the same, so that a lost store fills again. */
export async function recordSeen(
	ctx: CliContext,
	library: Library,
	{ file, gathered }: Executable,
	options: Pick<WriteOptions, "whole">,
): Promise<void> {
	const [{ report }, { beginToRemember }] = await Promise.all([import("../engine/report.ts"), import("../engine/budget-use.ts")]);
	const waiting = file.plans.flatMap((plan) => plan.steps.map((step) => ({ plan, step })));
	const store = await library.store(file.installation);
	beginToRemember(store, ctx.clock);
	report(file, { runs: [], notRun: [], waiting, interrupted: false }, gathered, {
		store,
		clock: ctx.clock,
		whole: options.whole,
	});
}

function accountOf(file: PlanFile, name: string) {
	const found = file.accounts.find((a) => a.account.name === name)?.account;
	if (found === undefined) throw new Error(`plan names account ${name}, which it does not hold`);
	return found;
}

function show(ctx: CliContext, p: Progress): void {
	if (p.phase === "settle") ctx.progress.phase(`waiting for IAM to propagate before narrowing (${p.seconds} s)`);
	else ctx.progress.update(p.done, p.total, `${p.step.target.name}  ${p.step.call.api.replace(/^iam:/, "")}`);
}

function summaryOf(e: Execution) {
	return {
		applied: e.runs.filter((r) => r.error === null).map(({ plan, step }) => ({ plan, step })),
		failed: e.runs.flatMap(({ plan, step, error }) => (error === null ? [] : [{ plan, step, error }])),
		notRun: e.notRun,
		waiting: e.waiting,
		interrupted: e.interrupted,
	};
}

function exitCode(e: Execution): ExitCode {
	if (e.interrupted) return 130;
	if (e.runs.some((r) => r.error !== null) || e.notRun.length > 0) return 1;
	return e.waiting.length > 0 ? 2 : 0;
}
