import type { Clock } from "../model/ports.ts";
import { escapeTerminal } from "../plan/render/escape.ts";

/** Shows that long work goes on, how far it is, and for how long. Never on stdout. */
export interface Progress {
	/** Begins a phase: `reading roles of prod`. */
	readonly phase: (words: string) => void;
	/** How far: `12/40`, and what it is at. */
	readonly update: (done: number, total: number | null, what: string) => void;
	/** A line that stays, above the live one. */
	readonly say: (line: string) => void;
	/** Removes the live line; may be called twice. */
	readonly stop: () => void;
}

export interface ProgressDeps {
	readonly out: { readonly write: (text: string) => unknown; readonly columns: number };
	/** A line that is redrawn; otherwise one line a phase and a heartbeat. */
	readonly live: boolean;
	readonly clock: Pick<Clock, "millis">;
	/** Injected by tests; must not keep the process alive. */
	readonly every?: (ms: number, tick: () => void) => () => void;
}

/** Without a terminal: long enough not to fill a log, short enough that no CI takes the job for dead. */
const HEARTBEAT_MS = 10_000;
const REDRAW_MS = 100;
/** A phase shorter than this flickers by unseen. */
const QUIET_MS = 400;

export function createProgress(deps: ProgressDeps): Progress {
	const { out, live, clock } = deps;
	let words: string | null = null;
	let far = "";
	let since = clock.millis();
	let drawn = false;
	let cancel: (() => void) | null = null;

	const line = (): string => `  ${[far, words].filter((w) => w !== "" && w !== null).join("  ")}`;
	const clear = (): void => {
		if (drawn) out.write("\r\u001b[2K");
		drawn = false;
	};
	const draw = (): void => {
		if (words === null || clock.millis() - since < QUIET_MS) return;
		const time = elapsed(clock.millis() - since);
		const text = line().slice(0, Math.max(10, out.columns - time.length - 3));
		out.write(`\r\u001b[2K${text.padEnd(Math.min(60, out.columns - time.length - 3))}  ${time}`);
		drawn = true;
	};
	const beat = (): void => {
		if (words !== null) out.write(`${line()}  ${elapsed(clock.millis() - since)}\n`);
	};
	const start = (): void => {
		cancel ??= (deps.every ?? everyUnref)(live ? REDRAW_MS : HEARTBEAT_MS, live ? draw : beat);
	};
	return {
		phase: (next) => {
			clear();
			const repeated = words === escapeTerminal(next);
			words = escapeTerminal(next);
			far = "";
			since = clock.millis();
			if (!live && !repeated) out.write(`  ${words}\n`);
			start();
		},
		update: (done, total, what) => {
			far = total === null ? String(done) : `${done}/${total}`;
			words = escapeTerminal(what);
		},
		say: (text) => {
			clear();
			out.write(`${text}\n`);
		},
		stop: () => {
			cancel?.();
			cancel = null;
			clear();
			words = null;
		},
	};
}

/** `00:07`, `1:02:03`. */
export function elapsed(ms: number): string {
	const total = Math.floor(ms / 1000);
	const [h, m, s] = [Math.floor(total / 3600), Math.floor(total / 60) % 60, total % 60];
	const two = (n: number): string => String(n).padStart(2, "0");
	return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${two(m)}:${two(s)}`;
}

function everyUnref(ms: number, tick: () => void): () => void {
	const timer = setInterval(tick, ms);
	timer.unref();
	return () => clearInterval(timer);
}
