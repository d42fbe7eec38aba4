import { isRolling, updates } from "../engine/rollouts.ts";
import { TerminalError } from "../model/errors.ts";
import type { PlanFile, PlanRequest, Step } from "../model/plan.ts";
import { type Existing, type ServiceState, type Target, targetId } from "../model/target.ts";
import { escapeTerminal } from "../plan/render/escape.ts";
import { count } from "../plan/render/words.ts";
import { primaryOf, rolloutOf, taskWords, underWay } from "../plan/rollout.ts";
import type { CliContext, ExitCode } from "./context.ts";
import type { Executable, Library } from "./library.ts";
import { elapsed } from "./progress.ts";
import { recordSeen, runUnderLease } from "./write.ts";

export interface WaitOptions {
	/** As the plan was asked for. */
	readonly request: PlanRequest;
	/** Milliseconds; null: until it ends, which the rollouts' own limit sees to. */
	readonly atMost: number | null;
	readonly newStore: boolean;
	readonly force: boolean;
}

/** Between two looks at what is rolled out: one call for ten services. */
const LOOK_MS = 3_000;

/** The services of a plan whose rollout is to be awaited, with the account that each is in. */
export function rollingServices(file: PlanFile): readonly Rolling[] {
	const found = file.plans.flatMap((plan) =>
		plan.steps.flatMap((step): Rolling[] =>
			isService(step.target) && ((updates(step) && step.state === "ready") || isRolling(step))
				? [{ key: plan.key, account: plan.account, target: step.target }]
				: [],
		),
	);
	return [...new Map(found.map((r) => [targetId(r.target), r])).values()];
}

interface Rolling {
	readonly key: string;
	readonly account: string;
	readonly target: Target<"ecs.service">;
}

function isService(target: Target): target is Target<"ecs.service"> {
	return target.type === "ecs.service";
}

/**
 * Follows rollouts to their end, and takes back what failed by planning again. 0: all run as git says; 1: one failed and
 * was taken back, or could not be; 2: still under way when the time was over, or something else has come in between.
 */
export async function waitForRollouts(
	ctx: CliContext,
	library: Library,
	file: PlanFile,
	rolling: readonly Rolling[],
	options: WaitOptions,
): Promise<ExitCode> {
	const began = ctx.clock.millis();
	const ends = options.atMost === null ? Number.POSITIVE_INFINITY : began + options.atMost;
	const keys = [...new Set(rolling.map((r) => r.key))];
	const request: PlanRequest = { ...options.request, only: keys, prune: false };
	const ids = new Set(rolling.map((r) => targetId(r.target)));
	ctx.note(`waiting for ${count(rolling.length, "rollout")}\n`);
	ctx.progress.phase(`waiting for ${rolling.map((r) => r.target.name).join(", ")}`);
	for (;;) {
		const seen = await watch(ctx, library, file, rolling, ends);
		if (ctx.signal.aborted) {
			ctx.print("The rollouts go on by themselves; ecs-access plan shows how they end.\n");
			return 130;
		}
		const { result } = await library.plan(request, { shown: true, force: options.force });
		if (result.file === null) {
			throw new TerminalError("SourceChanged", "the policies have changed while waiting, and are not valid any more", {
				fix: "correct them; ecs-access plan shows how the rollouts ended",
			});
		}
		const next = result.file.plans.flatMap((p) => p.steps).filter((s) => ids.has(targetId(s.target)));
		const back = next.filter((s) => s.state === "ready" && s.why === "failed");
		if (back.length > 0) {
			for (const f of findings(result.file, "BindingFailed")) ctx.print(`${escapeTerminal(f)}\n`);
			const code = await runUnderLease(ctx, library, only(result, new Set(back.map((s) => s.id))), {
				shown: true,
				whole: false,
				newStore: options.newStore,
			});
			if (code === 1 || code === 130) return code;
			ctx.progress.phase(`waiting for ${back.map((s) => s.target.name).join(", ")} to be taken back`);
			continue;
		}
		if (next.some(isRolling) && ctx.clock.millis() < ends) continue;
		ctx.progress.stop();
		if (!result.file.plans.some((p) => p.steps.some((s) => s.state === "ready"))) {
			await recordSeen(ctx, library, result, { whole: false, newStore: options.newStore });
		}
		return tell(ctx, result.file, next, seen, ctx.clock.millis() - began);
	}
}

type Live = ReadonlyMap<string, ServiceState>;

/** Until nothing is under way any more, or one has failed, or the time is over. */
async function watch(
	ctx: CliContext,
	library: Library,
	file: PlanFile,
	rolling: readonly Rolling[],
	ends: number,
): Promise<Live> {
	for (;;) {
		const live = new Map<string, ServiceState>();
		for (const [account, members] of Map.groupBy(rolling, (r) => r.account)) {
			const declared = file.accounts.find((a) => a.account.name === account)?.account;
			if (declared === undefined) continue;
			const provider = library.access(declared).provider("ecs.service");
			const signal = AbortSignal.any([ctx.signal, AbortSignal.timeout(60_000)]);
			for (const o of await provider.observe(
				members.map((r) => r.target),
				signal,
			)) {
				if (o.exists) live.set(targetId(o.target), (o as Existing<"ecs.service">).state);
			}
		}
		const states = [...live.values()];
		const now = ctx.clock.now();
		const going = states.filter((s) => underWay(s) !== null);
		if (going.length === 0 || going.some((s) => rolloutOf(s, now).is === "failed")) return live;
		const sum = (of: (s: ServiceState) => number): number => states.reduce((n, s) => n + of(s), 0);
		ctx.progress.update(
			sum((s) => primaryOf(s)?.running ?? 0),
			sum((s) => primaryOf(s)?.desired ?? 0),
			`tasks run as git says  ${rolling.map((r) => r.target.name).join(", ")}`,
		);
		const left = ends - ctx.clock.millis();
		if (left <= 0) return live;
		try {
			await ctx.clock.sleep(Math.min(LOOK_MS, left), ctx.signal);
		} catch {
			return live;
		}
	}
}

/** A line a service, and the exit code that they come to. */
function tell(ctx: CliContext, file: PlanFile, steps: readonly Step[], seen: Live, ms: number): ExitCode {
	const waits = new Map(steps.map((s) => [targetId(s.target), s]));
	let code: ExitCode = 0;
	for (const [id, state] of seen) {
		const name = id.slice(id.indexOf("ecs.service/") + "ecs.service/".length);
		const step = waits.get(id);
		const primary = primaryOf(state);
		const runs = state.taskDefinition.slice(state.taskDefinition.lastIndexOf("/") + 1);
		const tasks = primary === null ? "" : `, ${taskWords(primary)}`;
		if (step === undefined) {
			ctx.print(`${escapeTerminal(`${name} runs ${runs} as git says${tasks}`)} (${elapsed(ms)}).\n`);
		} else if (step.state !== "ready" && step.state.waiting === "failed") {
			code = 1;
		} else {
			if (code === 0) code = 2;
			const why = step.state === "ready" ? "it was changed while waiting" : step.state.detail;
			ctx.print(`${escapeTerminal(`${name} is not there yet: ${why}`)} (${elapsed(ms)}).\n`);
		}
	}
	for (const f of findings(file, "BindingFailed")) ctx.print(`${escapeTerminal(f)}\n`);
	if (code !== 0) ctx.print("Next: ecs-access plan\n");
	return code;
}

function findings(file: PlanFile, id: string): readonly string[] {
	return file.plans.flatMap((p) => p.findings.filter((f) => f.id === id).map((f) => f.message));
}

/** Nobody was asked about anything else that has become ready meanwhile. */
function only(result: Executable, ids: ReadonlySet<string>): Executable {
	const plans = result.file.plans.map((p) => ({
		...p,
		steps: p.steps.map((s) =>
			s.state !== "ready" || ids.has(s.id)
				? s
				: { ...s, state: { waiting: "approval" as const, detail: "it is no part of what is applied" } },
		),
	}));
	return { ...result, file: { ...result.file, plans } };
}
