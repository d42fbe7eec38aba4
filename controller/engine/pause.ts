import { TerminalError } from "../model/errors.ts";
import type { Halt, Pause } from "../model/halt.ts";
import { instantAt } from "../model/instant.ts";
import type { Clock, Store } from "../model/ports.ts";
import type { HistoryEntry } from "../model/status.ts";
import { haltOf } from "../plan/halt.ts";

/** Control-state name. */
const PAUSE = "pause";

/**
 * A pause holds at most so long. It is for an incident, and stops even the healing of drift, with nobody's review; what is
 * to stand still for longer belongs in git, as `mode: Observe` or `suspend: true`. It can be extended, again and again.
 */
export const LONGEST_PAUSE_MS = 7 * 24 * 3_600_000;

/** Far enough: nobody can say when what cannot be read ends. */
const UNREADABLE: Pause = {
	by: "unknown",
	reason: "what the store says of a pause cannot be read",
	since: "1970-01-01T00:00:00Z",
	until: "9999-12-31T23:59:59Z",
};

/** The pause in force; null: there is none, or it has ended. What cannot be read holds until somebody resumes. */
export async function readPause(store: Pick<Store, "getControl"> | null, nowMs: number): Promise<Pause | null> {
	return inForce((await store?.getControl(PAUSE))?.value, nowMs);
}

/** What a change of the pause found. */
export interface PauseChange {
	/** In force until now. */
	readonly before: Pause | null;
	readonly after: Pause | null;
}

/** What stands in the history of a change: by whom, and for what installation. */
export interface PauseWord {
	readonly by: string;
	readonly reason: string;
	readonly installation: string;
	readonly reconcileId: string;
}

/**
 * Puts a pause into force, in the place of one that is. Throws TerminalError `BadPause` for an end that has passed or is
 * more than LONGEST_PAUSE_MS away.
 */
export async function setPause(store: Store, word: PauseWord, untilMs: number, clock: Clock): Promise<PauseChange> {
	const left = untilMs - clock.millis();
	const until = instantAt(untilMs);
	if (!(left > 0)) throw new TerminalError("BadPause", `a pause until ${until} is over already`, { fix: "give a later end" });
	if (left > LONGEST_PAUSE_MS) {
		throw new TerminalError("BadPause", `a pause until ${until} is longer than 7 days`, {
			fix: "extend it when it ends; what is to stand still for longer belongs in git: mode: Observe in the Installation, or suspend: true",
		});
	}
	const after: Pause = { by: word.by, reason: word.reason, since: clock.now(), until };
	return change(store, word, after, { clock, expected: null });
}

/**
 * Ends the pause in force. `expected`: the one that was shown to a person; where another has come into its place, nothing
 * is changed and TerminalError `PauseMoved` thrown.
 */
export async function clearPause(store: Store, word: PauseWord, expected: Pause, clock: Clock): Promise<PauseChange> {
	return change(store, word, null, { clock, expected });
}

/** A word is last where several speak at once: each sees what it replaces. */
const ROUNDS = 5;

async function change(
	store: Store,
	word: PauseWord,
	after: Pause | null,
	{ clock, expected }: { readonly clock: Clock; readonly expected: Pause | null },
): Promise<PauseChange> {
	for (let round = 0; round < ROUNDS; round++) {
		const held = await store.getControl(PAUSE);
		const before = inForce(held?.value, clock.millis());
		if (expected !== null && before !== null && before.since !== expected.since) {
			throw new TerminalError("PauseMoved", `it has been paused anew meanwhile, by ${before.by}: ${before.reason}`, {
				fix: "run resume again",
			});
		}
		if (!(await store.putControl(PAUSE, after, held?.version ?? 0))) continue;
		await record(store, word, { before, after }, clock);
		return { before, after };
	}
	throw new Error("the pause is being written by somebody else again and again");
}

/** A store that remembers nothing stays so: that it does is how a lost one is told from a new one (lost-memory.ts). */
async function record(store: Store, word: PauseWord, { before, after }: PauseChange, clock: Clock): Promise<void> {
	if (await store.empty()) return;
	await store.append([controlEntry(word, clock, { event: after === null ? "resumed" : "paused", before, after })]);
}

/** Of what a person did to the installation as a whole. */
export function controlEntry(
	word: PauseWord,
	clock: Clock,
	what: Pick<HistoryEntry, "event" | "before" | "after">,
): HistoryEntry {
	return {
		at: clock.now(),
		key: `Installation/${word.installation}`,
		account: "",
		reconcileId: word.reconcileId,
		revision: "none",
		planId: null,
		actor: word.by,
		why: word.reason,
		api: null,
		target: null,
		outcome: what.event,
		...what,
	};
}

function inForce(value: unknown, nowMs: number): Pause | null {
	if (value === undefined || value === null) return null;
	const pause = isPause(value) ? value : UNREADABLE;
	return Date.parse(pause.until) > nowMs ? pause : null;
}

function isPause(value: unknown): value is Pause {
	const p = value as Partial<Record<keyof Pause, unknown>>;
	const texts = [p.by, p.reason, p.since, p.until].every((x) => typeof x === "string");
	return texts && !Number.isNaN(Date.parse(String(p.until)));
}

/** A pause stops what is under way within so long, and is asked for no more often. */
const WATCH_MS = 10_000;

/**
 * Whether somebody has paused since a plan was made, asked before each write. `knownAt`: when it was known last that
 * nobody had, in milliseconds; nothing is read before that is WATCH_MS ago.
 */
export function watchPause(store: Store, clock: Clock, knownAt: number): () => Promise<Halt | null> {
	let at = knownAt;
	let asking: Promise<Halt | null> | null = null;
	return async () => {
		if (asking !== null) return asking;
		// A clock that was set back says nothing of how long ago it was.
		const age = clock.millis() - at;
		if (age >= 0 && age < WATCH_MS) return null;
		asking = readPause(store, clock.millis())
			.then((pause) => {
				if (pause === null) at = clock.millis();
				return pause === null ? null : haltOf(pause);
			})
			.finally(() => {
				asking = null;
			});
		return asking;
	};
}
