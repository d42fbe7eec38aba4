import type { Command } from "commander";
import { durationMs } from "../model/duration.ts";
import { TerminalError } from "../model/errors.ts";
import { escapeTerminal } from "../plan/render/escape.ts";
import { instantWords } from "../plan/render/words.ts";
import { type CliContext, type CliDeps, type ExitCode, verb } from "./context.ts";
import { withFooter } from "./help.ts";
import { openState, type StateOptions } from "./open-state.ts";

interface PauseOptions extends StateOptions {
	readonly reason: string;
	readonly until: string;
}

/** Stops every write of an installation, for a time. */
export function registerPause(program: Command, deps: CliDeps): void {
	const command = program
		.command("pause")
		.summary("write nothing to AWS until a time, for a reason")
		.description(
			"Stop everything that would be written to AWS, by the controller and by apply, until a time. Kept in the store of the Installation, so all who use that store stop. Ends by itself; resume ends it sooner.",
		)
		.requiredOption("--reason <text>", "why; everybody who is stopped by it reads it")
		.requiredOption("--until <time>", "RFC 3339, or how long from now: 90m, 4h, 2d; at most 7 days")
		.option("--path <dir>", "the source root whose Installation is meant (default: policies)")
		.option("--installation <name>", "the installation, where there are several")
		.action(verb<PauseOptions>(deps, pause));
	withFooter(command, {
		examples: [
			['ecs-access pause --until 4h --reason "incident 4711: roles are changed by hand"', "stop for an incident"],
			['ecs-access pause --until 1d --reason "incident 4711, handed over to sam"', "again: the new end and reason hold"],
		],
		two: "never from this command",
	});
}

async function pause(ctx: CliContext, opts: PauseOptions): Promise<ExitCode> {
	const [{ setPause }, { pausedWords, personAt }] = await Promise.all([import("../engine/pause.ts"), import("./pause-words.ts")]);
	const reason = opts.reason.trim();
	if (reason === "") throw new TerminalError("BadOptions", "--reason is empty", { fix: "say why, for whoever is stopped by it" });
	const untilMs = endOf(opts.until, ctx.clock.millis());
	const { store, where, installation, shared } = await openState(ctx, opts, { make: true });
	if (store === null) throw new Error("a store that is made where it is missing is never null");
	try {
		const word = { by: personAt(ctx), reason, installation, reconcileId: crypto.randomUUID() };
		const { before, after } = await setPause(store, word, untilMs, ctx.clock);
		if (before !== null) ctx.print(`Was ${pausedWords(before)}.\n`);
		const until = instantWords(after?.until ?? "");
		ctx.print(`Paused until ${until}: ${escapeTerminal(reason)}\n`);
		ctx.print(
			`Installation ${installation} writes nothing to AWS until then: drift is not healed, and nothing is created, changed or removed.\n`,
		);
		if (!shared) {
			ctx.note(
				`it is kept in ${escapeTerminal(where)} and holds for who uses that; a controller elsewhere has a state of its own\n`,
			);
		}
		ctx.print("To end it sooner: ecs-access resume\n");
		return 0;
	} finally {
		await store.close();
	}
}

/** Milliseconds since the epoch. Throws TerminalError for what is no time. */
function endOf(text: string, nowMs: number): number {
	const length = /^[1-9]\d{0,5}[smhd]$/.test(text) ? durationMs(text) : null;
	if (length !== null) return nowMs + length;
	// Without an offset it would mean the time of whichever machine reads it.
	if (/^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)$/.test(text) && !Number.isNaN(Date.parse(text))) {
		return Date.parse(text);
	}
	throw new TerminalError("BadOptions", `--until ${JSON.stringify(text)} is no time`, {
		fix: "write 90m, 4h or 2d from now, or a time with its offset: 2026-11-24T18:00:00Z",
	});
}
