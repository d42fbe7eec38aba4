import { hostname } from "node:os";
import { readAdmitted, readRefused } from "../engine/admitted.ts";
import { readPause } from "../engine/pause.ts";
import type { Pause } from "../model/halt.ts";
import type { Store } from "../model/ports.ts";
import { escapeTerminal } from "../plan/render/escape.ts";
import { instantWords } from "../plan/render/words.ts";
import type { CliContext } from "./context.ts";
import { shortRevision } from "./status-words.ts";

/** Who a person at this terminal is; without AWS, which may be what is out of order. */
export function personAt(ctx: Pick<CliContext, "env">): string {
	return `${ctx.env.USER ?? "somebody"}@${hostname()}`;
}

/** `paused until 2026-11-24 11:00 UTC by kim@laptop: incident 4711`, escaped. */
export function pausedWords({ until, by, reason }: Pause): string {
	return escapeTerminal(`paused until ${instantWords(until)} by ${by}: ${reason}`);
}

/** Says on stderr that nothing is written for the time being, where that is so. */
export async function notePause(ctx: CliContext, store: Store | null): Promise<void> {
	const pause = await readPause(store, ctx.clock.millis());
	if (pause !== null) ctx.note(`${pausedWords(pause)}; to end it: ecs-access resume\n`);
}

/** Says on stderr that the newest revision is not the one in force, and why, where that is so. */
export async function noteRefused(ctx: CliContext, store: Store | null): Promise<void> {
	const refused = store === null ? null : await readRefused(store);
	if (refused === null) return;
	const { revision, reason, message, byWord } = refused;
	const inForce = (store === null ? null : await readAdmitted(store))?.revision ?? null;
	const stays = inForce === null ? "nothing is in force" : `${shortRevision(inForce)} stays in force`;
	const way = byWord ? `; if it is meant: ecs-access admit ${shortRevision(revision)} --reason "…"` : "";
	ctx.note(`${escapeTerminal(`revision ${shortRevision(revision)} is refused (${reason}): ${message}; ${stays}${way}`)}\n`);
}
