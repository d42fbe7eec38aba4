import { hostname } from "node:os";
import type { Command } from "commander";
import { durationMs } from "../model/duration.ts";
import { TerminalError } from "../model/errors.ts";
import type { Plan, PlanFile, PlanRequest } from "../model/plan.ts";
import type { RotationAsk } from "../model/rotation-ask.ts";
import { escapeTerminal } from "../plan/render/escape.ts";
import { type CliContext, type CliDeps, type ExitCode, verb } from "./context.ts";
import { withFooter } from "./help.ts";
import { type Library, openLibrary } from "./library.ts";
import { printPlan } from "./plan-output.ts";
import { drive, endOf, followController } from "./rotate-drive.ts";
import { requestOf, type SourceFlags, withFreezeFlag, withSourceFlags } from "./source-flags.ts";

interface RotateOptions extends SourceFlags {
	readonly reason?: string;
	readonly yes?: boolean;
	/** Commander's form of --no-wait. */
	readonly wait: boolean;
	readonly timeout: string;
	readonly newStore?: boolean;
}

/** Rotates a secret now: shows what it would do, asks, and stays until its consumers have the new value. */
export function registerRotate(program: Command, deps: CliDeps): void {
	const command = withFreezeFlag(
		withSourceFlags(
			program
				.command("rotate")
				.summary("rotate a secret now")
				.description(
					"Show how a secret would be rotated, ask, and do it: make the new value, restart the consumers one after the other, verify; or go back. Where a controller holds the lease it is asked to, and followed.",
				)
				.argument("<name>", "a SecretRotation: NAME, NAME@ACCOUNT or SecretRotation/NAME"),
		),
	)
		.option("--reason <text>", "why, for the history")
		.option("--yes", "do not ask")
		.option("--no-wait", "ask for it and return: a controller does it")
		.option("--timeout <duration>", "stay for so long at most: 90s, 10m, 1h", "2h")
		.option("--new-store", "the shared store is new: go on though roles already bear our marks")
		.action(verb<RotateOptions>(deps, rotate));
	withFooter(command, {
		examples: [
			["ecs-access rotate orders-signing-key", "show, ask, rotate"],
			['ecs-access rotate portal-oidc --reason "left in a log" --yes', "without the question"],
			["ecs-access rotate orders-signing-key --no-wait", "leave it to the controller"],
		],
		two: "it cannot begin now, or was not done when the time was over; what has begun goes on with the next run",
	});
}

async function rotate(ctx: CliContext, opts: RotateOptions, args: readonly string[]): Promise<ExitCode> {
	const name = (args[0] ?? "").replace(/^secretrotations?\//i, "");
	const atMost = durationMs(opts.timeout);
	if (atMost === null)
		throw new TerminalError("BadOptions", `--timeout ${opts.timeout} is no duration`, { fix: "write 90s, 10m or 1h" });
	const library = await openLibrary(ctx);
	try {
		const request: PlanRequest = { ...requestOf(opts), only: [`SecretRotation/${name}`], prune: false };
		const ask: RotationAsk = {
			at: ctx.clock.now(),
			by: `${ctx.env.USER ?? "somebody"}@${hostname()}`,
			reason: opts.reason ?? null,
		};
		const planned = await library.plan(request, { shown: true, force: opts.force === true, asked: { get: () => ask } });
		if (planned.result.file === null) return await library.printInvalid(planned);
		const { file } = planned.result;
		await printPlan(ctx, file, "text", false);
		const refusal = whyNot(file);
		if (refusal !== null) {
			ctx.print(`Not rotated: ${escapeTerminal(refusal)}.\n`);
			return file.plans.some((p) => p.rotation === undefined) ? 1 : 2;
		}
		if (opts.yes !== true && !(await ctx.ask(question(file), "--yes"))) {
			ctx.print("Nothing was done.\n");
			return 2;
		}
		return await begin(ctx, library, { file, request, ask, atMost, opts });
	} finally {
		await library.close();
	}
}

interface Asked {
	readonly file: PlanFile;
	readonly request: PlanRequest;
	readonly ask: RotationAsk;
	readonly atMost: number;
	readonly opts: RotateOptions;
}

/** Remembers the ask before anything else: whoever comes next goes on with what was begun. */
async function begin(ctx: CliContext, library: Library, asked: Asked): Promise<ExitCode> {
	const [{ askRotation, forgetAsk }, { tryLease }, { WRITE_TIMEOUT_MS }] = await Promise.all([
		import("../engine/rotation-asks.ts"),
		import("./lease.ts"),
		import("../engine/execute.ts"),
	]);
	const { file, ask, opts } = asked;
	const keys = file.plans.map((p) => p.key);
	const store = await library.store(file.installation);
	for (const key of keys) await askRotation(store, key, ask);
	if (!opts.wait) {
		ctx.print(
			"Asked for. A controller begins within seconds, ecs-access apply with its next run; ecs-access describe shows how it goes.\n",
		);
		return 2;
	}
	const lease = await tryLease(ctx, {
		store,
		shared: library.sharedStore() !== null,
		installation: file.installation,
		command: "ecs-access rotate",
		callTimeoutSeconds: WRITE_TIMEOUT_MS / 1000,
	});
	if ("heldBy" in lease) {
		ctx.note(`${escapeTerminal(lease.heldBy)} is at work and was asked to rotate\n`);
		return followController(ctx, { ...asked, keys, store });
	}
	try {
		const end = await drive(ctx, library, lease, {
			...asked,
			keys,
			newStore: opts.newStore === true,
			force: opts.force === true,
		});
		// What never began is not to begin tomorrow, when nobody thinks of it any more.
		if (end.phase === "due") for (const key of keys) await forgetAsk(store, key, ask);
		return endOf(ctx, end);
	} finally {
		await lease.release();
	}
}

/** Null: it can begin, or has begun and goes on. */
function whyNot(file: PlanFile): string | null {
	const [failed] = file.accounts.flatMap((a) => (a.error === null ? [] : [a.error]));
	if (failed !== undefined) return failed;
	if (file.plans.length === 0) return "there is nothing to rotate";
	const reasons = file.plans.map(whyNotOne);
	return reasons.every((r) => r !== null) ? (reasons[0] ?? null) : null;
}

function whyNotOne({ rotation, steps, findings }: Plan): string | null {
	if (rotation === undefined) return findings[0]?.message ?? "it cannot be planned";
	if (rotation.strategy === "external" && rotation.phase === "idle")
		return "its strategy is external: rotate it where it is made, and its consumers are restarted";
	if (rotation.phase !== "due") return null;
	const [step] = steps;
	return step === undefined || step.state === "ready" ? null : step.state.detail;
}

function question(file: PlanFile): string {
	const secrets = [...new Set(file.plans.flatMap((p) => (p.rotation === undefined ? [] : [p.rotation.secret])))];
	const restarts = file.plans
		.flatMap((p) => p.rotation?.consumers ?? [])
		.filter((c) => c.kind === "service" && c.state === "restart");
	return `Rotate ${escapeTerminal(secrets.join(", "))} and restart ${restarts.length} ${restarts.length === 1 ? "service" : "services"}?`;
}
