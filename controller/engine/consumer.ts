import { asError } from "../model/errors.ts";
import type { Culprit, Hint } from "../model/hint.ts";
import { parseEvent } from "../model/parse-event.ts";
import type { Clock, EventQueue, QueueMessage } from "../model/ports.ts";

export interface ConsumerDeps {
	readonly queue: EventQueue;
	readonly clock: Clock;
	/** Must be quick, and keep what it is told before it returns: the message is removed after it. */
	readonly hint: (hint: Hint, culprit: Culprit | null) => Promise<void> | void;
	readonly observe: (event: ConsumerEvent) => void;
}

/** For logs and metrics. */
export type ConsumerEvent =
	| { readonly type: "heard"; readonly hints: number; readonly eventId: string }
	| { readonly type: "unknown"; readonly source: string; readonly detailType: string }
	/** Once a message, however often it comes again. */
	| { readonly type: "malformed"; readonly messageId: string; readonly why: string }
	/** The queue cannot be heard; once a reason, until it can again. */
	| { readonly type: "deaf"; readonly error: Error }
	| { readonly type: "hearing" };

export interface Consumer {
	/** Hears until aborted. Never rejects: a queue that is gone is waited for, since the resync goes on without it. */
	readonly run: (signal: AbortSignal) => Promise<void>;
	/** Hears what is there, and returns when nothing more is. Rejects where the queue cannot be heard. */
	readonly drain: (signal: AbortSignal) => Promise<void>;
}

const LONG_POLL_SECONDS = 20;
const RETRY_MS = { first: 1_000, longest: 60_000 } as const;
/** Ids of malformed messages that were told of: each comes again a few times before it goes to the dead-letter queue. */
const TOLD = 1_000;

/**
 * Hears the event queue. An event is a hint that names a key, and the key's pass looks for itself: so what comes twice,
 * late or in another order does no harm, and what is lost costs no more than the time to the next resync.
 */
export function createConsumer(deps: ConsumerDeps): Consumer {
	const { queue, clock, observe } = deps;
	const told = new Set<string>();

	/** Whether it is done with; what is malformed stays where it is. */
	const hear = async (m: QueueMessage): Promise<boolean> => {
		const parsed = parseEvent(m.body);
		if (parsed.kind === "malformed") {
			if (!told.has(m.id)) observe({ type: "malformed", messageId: m.id, why: parsed.why });
			if (told.size >= TOLD) told.clear();
			told.add(m.id);
			return false;
		}
		if (parsed.kind === "unknown") {
			observe({ type: "unknown", source: parsed.source, detailType: parsed.detailType });
			return true;
		}
		for (const hint of parsed.hints) await deps.hint(hint, parsed.culprit);
		observe({ type: "heard", hints: parsed.hints.length, eventId: parsed.eventId });
		return true;
	};
	const take = async (waitSeconds: number, signal: AbortSignal): Promise<readonly QueueMessage[]> => {
		const messages = await queue.receive(waitSeconds, signal);
		const done: QueueMessage[] = [];
		for (const m of messages) if (await hear(m)) done.push(m);
		if (done.length > 0) await queue.remove(done, signal);
		return messages;
	};
	return {
		run: async (signal) => {
			let failures = 0;
			let said: string | null = null;
			while (!signal.aborted) {
				try {
					await take(LONG_POLL_SECONDS, signal);
					if (said !== null) observe({ type: "hearing" });
					said = null;
					failures = 0;
				} catch (cause) {
					if (signal.aborted) return;
					const error = asError(cause);
					if (said !== error.message) observe({ type: "deaf", error });
					said = error.message;
					const wait = Math.min(RETRY_MS.longest, RETRY_MS.first * 2 ** failures++);
					await clock.sleep(wait, signal).catch(() => {});
				}
			}
		},
		drain: async (signal) => {
			// What is malformed is received again and again: only what was not seen before counts.
			const seen = new Set<string>();
			for (let fresh = true; fresh; ) {
				const messages = await take(1, signal);
				fresh = messages.some((m) => !seen.has(m.id));
				for (const m of messages) seen.add(m.id);
			}
		},
	};
}
