import type { Execution, Progress } from "../engine/execute.ts";
import { lostMemory, storeEmpty } from "../engine/lost-memory.ts";
import { isBindingCall, type PlanFile } from "../model/plan.ts";
import type { Store } from "../model/ports.ts";
import type { CliContext, ExitCode } from "./context.ts";
import { type HeldLease, takeLease } from "./lease.ts";
import type { Executable, Library } from "./library.ts";

export interface WriteOptions {
	/** A person has seen the plan (KINDS.md, Installation budgets). */
	readonly shown: boolean;
	/** The whole source was read and planned: what it does not name is not there. */
	readonly whole: boolean;
	/** A person says that the shared store is new, though roles bear our marks. */
	readonly newStore: boolean;
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
	const [{ WRITE_TIMEOUT_MS }, { renderExecution }] = await Promise.all([
		import("../engine/execute.ts"),
		import("../plan/render/execution-text.ts"),
	]);
	const { file } = result;
	const shared = library.sharedStore();
	const store = await library.store(file.installation);
	const lost = shared === null || options.newStore ? null : await lostMemory(result, store);
	if (lost !== null) {
		throw storeEmpty(lost, `the shared store ${shared}`);
	}
	const lease = await takeLease(ctx, {
		store,
		shared: shared !== null,
		installation: file.installation,
		command: "ecs-access apply",
		callTimeoutSeconds: WRITE_TIMEOUT_MS / 1000,
	});
	// A read counts only under the lease: another writer, or an hour at the question, may lie before it.
	library.readAgain();
	const began = ctx.clock.millis();
	ctx.progress.phase("applying");
	try {
		await recordOverride(ctx, store, file, library.reconcileId);
		const execution = await carryOut(ctx, library, result, { lease, options, progress: (p) => show(ctx, p) });
		ctx.progress.stop();
		ctx.print(
			renderExecution(summaryOf(execution), {
				color: ctx.color.stdout,
				verbose: ctx.verbose,
				milliseconds: ctx.clock.millis() - began,
			}),
		);
		return exitCodeAfter(execution);
	} finally {
		await lease.release();
	}
}

/** Carries out what is ready, alone by the lease, and records what came of it. */
export async function carryOut(
	ctx: CliContext,
	library: Library,
	{ file, gathered }: Executable,
	by: { readonly lease: HeldLease; readonly options: WriteOptions; readonly progress: (p: Progress) => void },
): Promise<Execution> {
	const [{ execute }, { report }, { recordBudget }, { watchPause }, { recordDrift }] = await Promise.all([
		import("../engine/execute.ts"),
		import("../engine/report.ts"),
		import("../engine/budget-use.ts"),
		import("../engine/pause.ts"),
		import("../engine/drift.ts"),
	]);
	const { lease, options } = by;
	const { clock } = ctx;
	const store = await library.store(file.installation);
	await recordDrift(file, { store, clock, reconcileId: library.reconcileId, leaseFence: lease.fence });
	const execution = await execute(
		file,
		{
			access: (name) => library.access(accountOf(file, name)),
			actor: (name) => file.accounts.find((a) => a.account.name === name)?.caller?.arn ?? "unknown",
			store,
			clock,
			reconcileId: library.reconcileId,
			progress: by.progress,
			leaseRemaining: lease.remaining,
			leaseFence: lease.fence,
			halted: watchPause(store, clock, Number.NEGATIVE_INFINITY),
		},
		ctx.signal,
	);
	await recordBudget(execution.runs, { shown: options.shown, accounts: file.accounts, store, clock });
	await report(file, execution, gathered, { store, clock, whole: options.whole });
	return execution;
}

/** That a person went on in a freeze, and why, before anything of it is done. */
async function recordOverride(ctx: CliContext, store: Store, file: PlanFile, reconcileId: string): Promise<void> {
	const reason = file.request.duringFreeze;
	if (reason === undefined || file.halt?.waiting !== "freeze") return;
	const { controlEntry } = await import("../engine/pause.ts");
	const by = file.accounts.find((a) => a.caller !== null)?.caller?.arn ?? "unknown";
	const word = { by, reason, installation: file.installation, reconcileId };
	const entry = controlEntry(word, ctx.clock, { event: "overridden", before: file.halt, after: null });
	await store.append([{ ...entry, revision: file.revision.id, planId: file.id }]);
}

/** Nothing is to be written; what was looked at is recorded all the same, so that a lost private store fills again. */
export async function recordSeen(
	ctx: CliContext,
	library: Library,
	result: Executable,
	options: Pick<WriteOptions, "whole" | "newStore">,
): Promise<void> {
	const { file, gathered } = result;
	const [{ report }, { beginToRemember }, { recordDrift }] = await Promise.all([
		import("../engine/report.ts"),
		import("../engine/budget-use.ts"),
		import("../engine/drift.ts"),
	]);
	const waiting = file.plans.flatMap((plan) => plan.steps.map((step) => ({ plan, step })));
	const shared = library.sharedStore();
	const store = await library.store(file.installation);
	const lost = shared === null || options.newStore ? null : await lostMemory(result, store);
	if (lost !== null) {
		ctx.note(
			`nothing is recorded: the shared store ${shared} remembers nothing, but ${lost} our marks; when it is new, say so once: ecs-access apply --new-store\n`,
		);
		return;
	}
	await beginToRemember(store, ctx.clock);
	await recordDrift(file, { store, clock: ctx.clock, reconcileId: library.reconcileId });
	await report(file, { runs: [], notRun: [], waiting, interrupted: false }, gathered, {
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
	if (p.phase === "settle") {
		const before = isBindingCall(p.step.call) ? "binding" : "narrowing";
		ctx.progress.phase(`waiting for IAM to propagate before ${before} (${p.seconds} s)`);
	} else ctx.progress.update(p.done, p.total, `${p.step.target.name}  ${p.step.call.api.replace(/^[a-z]+:/, "")}`);
}

export function summaryOf(e: Execution) {
	return {
		applied: e.runs.filter((r) => r.error === null).map(({ plan, step }) => ({ plan, step })),
		failed: e.runs.flatMap(({ plan, step, error }) => (error === null ? [] : [{ plan, step, error }])),
		notRun: e.notRun,
		waiting: e.waiting,
		interrupted: e.interrupted,
	};
}

export function exitCodeAfter(e: Execution): ExitCode {
	if (e.interrupted) return 130;
	if (e.runs.some((r) => r.error !== null) || e.notRun.length > 0) return 1;
	return e.waiting.length > 0 ? 2 : 0;
}
