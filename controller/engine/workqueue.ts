import PQueue from "p-queue";
import { asError, ConflictError, TerminalError, WaitingError } from "../model/errors.ts";
import type { ResourceKey } from "../model/ids.ts";
import type { Clock } from "../model/ports.ts";

/** Why a key is asked for; the higher goes first. A key that waits takes the highest it was asked with. */
export type Urgency = "commit" | "event" | "retry" | "resync";

/** What a pass over one key ends with. Null: nothing more until somebody asks; seconds: ask again by then. */
export interface PassResult {
	readonly requeueAfterSeconds: number | null;
}

export interface WorkqueueDeps {
	/**
	 * One pass over one key, level-based: it is told the key and never what happened, and looks for itself. Never runs
	 * twice at once for one key. Throws TerminalError (not asked again until something changes), WaitingError (asked again
	 * after its time), ConflictError (at once), anything else (backs off).
	 */
	readonly pass: (key: ResourceKey, signal: AbortSignal) => Promise<PassResult>;
	readonly clock: Clock;
	/** 0 to below 1, for the jitter. */
	readonly random: () => number;
	readonly concurrency: number;
	/** A pass that takes longer is aborted and backs off; a hung call must not hold its key for ever. */
	readonly passTimeoutMs: number;
	readonly observe?: (event: PassEvent) => void;
}

/** For metrics and logs. */
export interface PassEvent {
	readonly key: ResourceKey;
	readonly outcome: "done" | "terminal" | "waiting" | "conflict" | "error" | "timeout";
	readonly waitedMs: number;
	readonly tookMs: number;
	readonly error: Error | null;
}

export interface Workqueue {
	/** Asks for a pass; merged with one that waits, and with one that runs: then the key runs once more after it. */
	readonly add: (key: ResourceKey, urgency: Urgency, options?: { readonly delayMs?: number }) => void;
	/** Keys that wait, run, or are due later. */
	readonly depth: () => { readonly waiting: number; readonly running: number; readonly scheduled: number };
	/** Resolves when nothing waits and nothing runs; what is scheduled for later does not count. */
	readonly idle: () => Promise<void>;
	/** Starts nothing more, and resolves when what runs has ended. */
	readonly stop: () => Promise<void>;
}

const PRIORITY: Readonly<Record<Urgency, number>> = { commit: 3, event: 3, retry: 1, resync: 0 };
/** First retry after a second, the longest after five minutes: a fault that lasts must not become a storm of calls. */
const BACKOFF_FIRST_MS = 1_000;
const BACKOFF_LONGEST_MS = 300_000;

interface Entry {
	/** Asked for while it ran: run once more. */
	dirty: { urgency: Urgency } | null;
	failures: number;
	state: "waiting" | "running";
	urgency: Urgency;
	since: number;
}

/**
 * A work queue of keys, as controllers have it: one run per key at a time, merged while waiting, dirty while running,
 * priorities, exponential backoff with jitter. Over p-queue, which bounds how many run at once.
 */
export function createWorkqueue(deps: WorkqueueDeps): Workqueue {
	const { clock } = deps;
	const queue = new PQueue({ concurrency: deps.concurrency });
	const entries = new Map<ResourceKey, Entry>();
	const failures = new Map<ResourceKey, number>();
	/** Keys due later: the earliest time each was asked for. */
	const scheduled = new Map<ResourceKey, { at: number; cancel: AbortController }>();
	const stopping = new AbortController();

	const enqueue = (key: ResourceKey, urgency: Urgency): void => {
		if (stopping.signal.aborted) return;
		unschedule(key);
		const entry = entries.get(key);
		if (entry?.state === "running") {
			if (entry.dirty === null || PRIORITY[urgency] > PRIORITY[entry.dirty.urgency]) entry.dirty = { urgency };
			return;
		}
		if (entry !== undefined) {
			if (PRIORITY[urgency] > PRIORITY[entry.urgency]) {
				entry.urgency = urgency;
				queue.setPriority(key, PRIORITY[urgency]);
			}
			return;
		}
		const fresh: Entry = { dirty: null, failures: 0, state: "waiting", urgency, since: clock.millis() };
		entries.set(key, fresh);
		void queue.add(() => run(key, fresh), { id: key, priority: PRIORITY[urgency] });
	};

	const later = (key: ResourceKey, urgency: Urgency, delayMs: number): void => {
		if (stopping.signal.aborted) return;
		const at = clock.millis() + delayMs;
		const known = scheduled.get(key);
		if (known !== undefined && known.at <= at) return;
		unschedule(key);
		const cancel = new AbortController();
		scheduled.set(key, { at, cancel });
		clock.sleep(delayMs, AbortSignal.any([cancel.signal, stopping.signal])).then(
			() => {
				scheduled.delete(key);
				enqueue(key, urgency);
			},
			() => {},
		);
	};
	const unschedule = (key: ResourceKey): void => {
		scheduled.get(key)?.cancel.abort();
		scheduled.delete(key);
	};

	const run = async (key: ResourceKey, entry: Entry): Promise<void> => {
		if (stopping.signal.aborted) {
			entries.delete(key);
			return;
		}
		entry.state = "running";
		const began = clock.millis();
		// Not AbortSignal.timeout, which holds what the pass made of it until its time is over.
		const timeout = new AbortController();
		const timer = setTimeout(() => timeout.abort(new DOMException("the pass took too long", "TimeoutError")), deps.passTimeoutMs);
		let outcome: PassEvent["outcome"] = "done";
		let error: Error | null = null;
		let again: { urgency: Urgency; delayMs: number } | null = null;
		try {
			const result = await deps.pass(key, timeout.signal);
			failures.delete(key);
			if (result.requeueAfterSeconds !== null) again = { urgency: "retry", delayMs: result.requeueAfterSeconds * 1000 };
		} catch (cause) {
			error = asError(cause);
			outcome = timeout.signal.aborted ? "timeout" : classOf(error);
			again = retryOf(key, outcome, error);
		} finally {
			clearTimeout(timer);
		}
		entries.delete(key);
		deps.observe?.({ key, outcome, waitedMs: began - entry.since, tookMs: clock.millis() - began, error });
		if (entry.dirty !== null) enqueue(key, entry.dirty.urgency);
		else if (again !== null) later(key, again.urgency, again.delayMs);
	};

	const retryOf = (
		key: ResourceKey,
		outcome: PassEvent["outcome"],
		error: Error,
	): { urgency: Urgency; delayMs: number } | null => {
		if (outcome === "terminal") {
			failures.delete(key);
			return null;
		}
		if (error instanceof WaitingError) return { urgency: "retry", delayMs: error.afterSeconds * 1000 };
		const n = (failures.get(key) ?? 0) + 1;
		failures.set(key, n);
		// The first conflict is planned again at once; a world that keeps moving is left to settle.
		if (outcome === "conflict" && n === 1) return { urgency: "event", delayMs: 0 };
		const ceiling = Math.min(BACKOFF_LONGEST_MS, BACKOFF_FIRST_MS * 2 ** (n - 1));
		return { urgency: "retry", delayMs: ceiling / 2 + deps.random() * (ceiling / 2) };
	};

	return {
		add: (key, urgency, options) => {
			if (options?.delayMs !== undefined && options.delayMs > 0) later(key, urgency, options.delayMs);
			else enqueue(key, urgency);
		},
		depth: () => {
			const running = [...entries.values()].filter((e) => e.state === "running").length;
			return { waiting: entries.size - running, running, scheduled: scheduled.size };
		},
		idle: () => queue.onIdle(),
		stop: async () => {
			stopping.abort();
			for (const key of [...scheduled.keys()]) unschedule(key);
			await queue.onIdle();
		},
	};
}

function classOf(error: Error): PassEvent["outcome"] {
	if (error instanceof TerminalError) return "terminal";
	if (error instanceof WaitingError) return "waiting";
	return error instanceof ConflictError ? "conflict" : "error";
}
