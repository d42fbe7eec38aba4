import { WRITE_TIMEOUT_MS } from "../engine/execute.ts";
import { againAfterRotation } from "../engine/rotations.ts";
import { TerminalError, WaitingError } from "../model/errors.ts";
import type { ResourceKey } from "../model/ids.ts";
import type { PlanFile, PlanRequest } from "../model/plan.ts";
import type { Store } from "../model/ports.ts";
import type { RotationAsk } from "../model/rotation-ask.ts";
import { rotationId } from "../model/rotation-marks.ts";
import type { RotationView } from "../model/rotation-view.ts";
import { escapeTerminal } from "../plan/render/escape.ts";
import { rotationStatus } from "../plan/render/rotation-words.ts";
import { instantWords } from "../plan/render/words.ts";
import type { CliContext, ExitCode } from "./context.ts";
import { type HeldLease, takeLease } from "./lease.ts";
import type { Library } from "./library.ts";
import { elapsed } from "./progress.ts";
import { carryOut, recordSeen } from "./write.ts";

/** How a rotation stands when the command ends. */
export interface RotationEnd {
	readonly phase: "done" | "failed" | "due" | "going" | "stuck" | "interrupted";
	readonly view: RotationView | null;
	/** Why it is stuck. */
	readonly why: string | null;
	readonly milliseconds: number;
}

export interface Driving {
	readonly request: PlanRequest;
	readonly keys: readonly ResourceKey[];
	/** Milliseconds. */
	readonly atMost: number;
	readonly newStore: boolean;
	readonly force: boolean;
}

/** A look at several rotations is as far as the one that is least far. */
const ENDED: ReadonlySet<RotationView["phase"]> = new Set(["waiting", "retiring", "idle", "failed"]);

/**
 * Takes the steps of a rotation one after the other until its consumers have the new value, or it has gone back. Each look
 * plans anew, so it goes on with whatever an earlier run left.
 */
export async function drive(ctx: CliContext, library: Library, lease: HeldLease, d: Driving): Promise<RotationEnd> {
	const began = ctx.clock.millis();
	const end = (phase: RotationEnd["phase"], view: RotationView | null, why: string | null = null): RotationEnd => {
		ctx.progress.stop();
		return { phase, view, why, milliseconds: ctx.clock.millis() - began };
	};
	ctx.progress.phase("rotating");
	let begun = false;
	for (;;) {
		const { result } = await library.plan(d.request, { shown: true, force: d.force, quiet: true });
		if (result.file === null)
			throw new TerminalError("SourceChanged", "the policies have changed meanwhile, and are not valid any more", {
				fix: "correct them, then run the same command again: it goes on",
			});
		const { file } = result;
		const views = file.plans.flatMap((p) => (p.rotation === undefined ? [] : [p.rotation]));
		const [view] = views.toSorted((a, b) => Number(ENDED.has(a.phase)) - Number(ENDED.has(b.phase)));
		if (view === undefined) return end("stuck", null, file.plans[0]?.findings[0]?.message ?? "it cannot be planned");
		begun ||= view.phase !== "due";
		const failed = views.find((v) => v.phase === "failed");
		if (views.every((v) => ENDED.has(v.phase))) {
			await recordSeen(ctx, library, result, { whole: false, newStore: d.newStore });
			return end(failed === undefined ? "done" : "failed", failed ?? view);
		}
		tell(ctx, view);
		const execution = await carryOut(ctx, library, result, {
			lease,
			options: { shown: true, whole: false, newStore: d.newStore },
			progress: (p) => {
				if (p.phase === "step")
					for (const c of p.step.diff) ctx.progress.say(`  ${escapeTerminal(`${p.step.target.name}  ${c.name}`)}`);
			},
		});
		if (execution.interrupted) return end("interrupted", view);
		const wrong = execution.runs.find((r) => r.error !== null && !(r.error instanceof WaitingError))?.error;
		if (wrong instanceof TerminalError) throw wrong;
		const waits = file.plans.flatMap((p) => p.steps).flatMap((s) => (s.state === "ready" ? [] : [s.state]));
		const stuck = waits.find((w) => STUCK.has(w.waiting));
		if (stuck !== undefined) return end(begun ? "stuck" : "due", view, stuck.detail);
		if (ctx.clock.millis() - began > d.atMost) return end("going", view);
		const seconds = Math.min(...d.keys.map((key) => againAfterRotation({ file, execution }, key, ctx.clock) ?? 5), 15);
		try {
			await ctx.clock.sleep(seconds * 1000, ctx.signal);
		} catch {
			return end("interrupted", view);
		}
	}
}

/** Goes on with the rotations that `apply` has begun, or found begun, until each has ended. Null: there is none. */
export async function driveApplied(
	ctx: CliContext,
	library: Library,
	file: PlanFile,
	more: Pick<Driving, "newStore" | "force">,
): Promise<ExitCode | null> {
	const keys = file.plans
		.filter((p) => p.rotation !== undefined && !ENDED.has(p.rotation.phase) && p.steps.some((s) => s.state === "ready"))
		.map((p) => p.key);
	if (keys.length === 0) return null;
	const lease = await takeLease(ctx, {
		store: await library.store(file.installation),
		shared: library.sharedStore() !== null,
		installation: file.installation,
		command: "ecs-access apply",
		callTimeoutSeconds: WRITE_TIMEOUT_MS / 1000,
	});
	try {
		const request: PlanRequest = { ...file.request, only: keys, prune: false };
		return endOf(ctx, await drive(ctx, library, lease, { request, keys, atMost: APPLY_MS, ...more }));
	} finally {
		await lease.release();
	}
}

/** Two hours, as `rotate` has by default: what is not done then goes on with the next run. */
const APPLY_MS = 7_200_000;

/** What only a person, or another day, ends. */
const STUCK: ReadonlySet<string> = new Set([
	"failed",
	"hold",
	"suspended",
	"paused",
	"freeze",
	"not-owned",
	"reference",
	"budget",
]);

function tell(ctx: CliContext, view: RotationView): void {
	const counted = view.consumers.filter((c) => c.current !== null && c.stale !== null);
	const sum = (of: "current" | "stale"): number => counted.reduce((n, c) => n + (c[of] ?? 0), 0);
	const now = view.lines.find((l) => l.is === "now")?.words ?? "";
	if (counted.length > 0)
		ctx.progress.update(sum("current"), sum("current") + sum("stale"), escapeTerminal(`${rotationStatus(view)}, ${now}`));
}

/** What was planned, and asked for. */
interface Followed {
	readonly file: PlanFile;
	readonly ask: RotationAsk;
}

/** Between two looks at what a controller wrote down. */
const FOLLOW_MS = 2_000;

/** Follows what another process does, by the status that it records. */
export async function followController(
	ctx: CliContext,
	d: Pick<Driving, "keys" | "atMost"> & Followed & { readonly store: Store },
): Promise<ExitCode> {
	const began = ctx.clock.millis();
	const [key = ""] = d.keys;
	let seen = "";
	for (;;) {
		const view = (await d.store.getStatus(key))?.rotation ?? null;
		const mine = view !== null && isOf(view, d, key);
		if (view !== null && mine) {
			const words = rotationStatus(view);
			if (words !== seen) ctx.progress.say(`  ${escapeTerminal(words)}`);
			seen = words;
			const ended = ENDED.has(view.phase);
			if (ended)
				return endOf(ctx, {
					phase: view.phase === "failed" ? "failed" : "done",
					view,
					why: null,
					milliseconds: ctx.clock.millis() - began,
				});
		}
		ctx.progress.phase(mine ? "the controller rotates" : "waiting for the controller to begin");
		if (ctx.clock.millis() - began > d.atMost)
			return endOf(ctx, { phase: "going", view, why: null, milliseconds: ctx.clock.millis() - began });
		try {
			await ctx.clock.sleep(FOLLOW_MS, ctx.signal);
		} catch {
			ctx.progress.stop();
			ctx.print("The controller goes on; ecs-access describe shows how it ends.\n");
			return 130;
		}
	}
}

/** Whether what is recorded is of this ask, and not of one before. */
function isOf(view: RotationView, { file, ask }: Followed, key: ResourceKey): boolean {
	if (view.id === null) return view.rotatedAt !== null && view.rotatedAt >= ask.at;
	const secret = file.plans.flatMap((p) => p.steps).find((s) => s.target.type === "secretsmanager.secret");
	const input = secret?.call.api === "secretsmanager:TagResource" ? secret.call.input.secret : null;
	if (input === null) return true;
	return view.id === rotationId({ installation: file.installation, key, secret: input, at: ask.at });
}

/** The last words, and the exit code. */
export function endOf(ctx: CliContext, { phase, view, why, milliseconds }: RotationEnd): ExitCode {
	ctx.progress.stop();
	const secret = escapeTerminal(view?.secret ?? "the secret");
	const took = elapsed(milliseconds);
	switch (phase) {
		case "done": {
			const kept =
				view?.phase === "waiting" && view.lookAt !== null ? `; the old value is kept until ${instantWords(view.lookAt)}` : "";
			ctx.print(`Rotated ${secret} in ${took}: every consumer has the new value${kept}.\n`);
			return 0;
		}
		case "failed":
			ctx.print(
				`${secret} has gone back to its old value after ${took}: ${escapeTerminal((view?.failure ?? "unknown").replace(/\.$/, ""))}.\nNext: mend what failed, then run the same command again\n`,
			);
			return 1;
		case "due":
			ctx.print(`Not begun: ${escapeTerminal(why ?? "unknown")}.\n`);
			return 2;
		case "stuck":
			ctx.print(`The rotation of ${secret} stands still: ${escapeTerminal(why ?? "unknown")}.\nNext: ecs-access plan\n`);
			return 2;
		case "going":
			ctx.print(`The rotation of ${secret} is not done after ${took}. Next: the same command again, or a controller, goes on\n`);
			return 2;
		case "interrupted":
			ctx.print(
				`Interrupted: the rotation of ${secret} stands where it is, and every task keeps the value it has.\nNext: the same command again goes on with it\n`,
			);
			return 130;
	}
}
