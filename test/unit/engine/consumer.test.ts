import { describe, expect, test } from "vitest";
import { type ConsumerEvent, createConsumer } from "../../../controller/engine/consumer.ts";
import { TerminalError } from "../../../controller/model/errors.ts";
import type { Culprit, Hint } from "../../../controller/model/hint.ts";
import type { EventQueue, QueueMessage } from "../../../controller/model/ports.ts";
import { createFakeClock } from "./fake-clock.ts";

/** A queue in memory: at least once, in no order, and what is received and not removed is there again. */
interface MemoryQueue extends EventQueue {
	readonly send: (...bodies: readonly string[]) => void;
	readonly left: () => readonly string[];
	/** Removals are lost from now on. */
	readonly loseRemovals: (lose: boolean) => void;
	/** Gone, or there again. */
	readonly gone: (gone: boolean) => void;
	readonly polls: () => number;
}

function memoryQueue(): MemoryQueue {
	let messages: QueueMessage[] = [];
	let sent = 0;
	let lose = false;
	let gone = false;
	let polls = 0;
	let wake = (): void => {};
	const missing = (): never => {
		throw new TerminalError("QueueMissing", "there is no event queue events");
	};
	return {
		name: "events",
		polls: () => polls,
		send: (...bodies) => {
			messages.push(...bodies.map((body) => ({ id: `m${++sent}`, body, receipt: `r${sent}` })));
			wake();
		},
		left: () => messages.map((m) => m.body),
		loseRemovals: (l) => {
			lose = l;
		},
		gone: (g) => {
			gone = g;
			wake();
		},
		receive: async (waitSeconds, signal) => {
			polls++;
			if (gone) missing();
			if (messages.length === 0 && waitSeconds > 1) {
				await new Promise<void>((resolve) => {
					wake = resolve;
					signal.addEventListener("abort", () => resolve(), { once: true });
				});
			}
			if (gone) missing();
			return messages.slice(0, 10);
		},
		remove: async (done) => {
			if (gone) missing();
			if (lose) return;
			const receipts = new Set(done.map((m) => m.receipt));
			messages = messages.filter((m) => !receipts.has(m.receipt));
		},
	};
}

function event(source: string, detailType: string, detail: object = {}): string {
	const envelope = { id: "e1", account: "123456789012", region: "eu-west-1", time: "2026-11-24T09:00:00Z", resources: [] };
	return JSON.stringify({ ...envelope, source, "detail-type": detailType, detail });
}

const TAGGED = event("aws.iam", "AWS API Call via CloudTrail", {
	eventName: "TagRole",
	eventSource: "iam.amazonaws.com",
	userIdentity: { arn: "arn:aws:iam::123456789012:user/kim" },
	requestParameters: { roleName: "orders-task" },
});
const ROLE: Hint = { type: "iam.role", account: "123456789012", name: "orders-task" };

function world() {
	const queue = memoryQueue();
	const clock = createFakeClock();
	const hints: { readonly hint: Hint; readonly culprit: Culprit | null }[] = [];
	const said: ConsumerEvent[] = [];
	const consumer = createConsumer({
		queue,
		clock,
		hint: (hint, culprit) => void hints.push({ hint, culprit }),
		observe: (e) => said.push(e),
	});
	return { queue, clock, hints, said, consumer, kinds: () => said.map((e) => e.type) };
}

const FOREVER = new AbortController().signal;

describe("draining", () => {
	test("hears all that waits, tells who did it, and leaves nothing that could be done with", async () => {
		const { queue, hints, consumer } = world();
		queue.send(...Array.from({ length: 25 }, () => TAGGED));
		await consumer.drain(FOREVER);
		expect(hints).toHaveLength(25);
		expect(hints[0]).toMatchObject({ hint: ROLE, culprit: { arn: "arn:aws:iam::123456789012:user/kim", action: "iam:TagRole" } });
		expect(queue.left()).toEqual([]);
	});

	test("counts what no trigger knows and is done with it, and leaves what is no event to the dead-letter queue", async () => {
		const { queue, hints, said, consumer } = world();
		queue.send(event("aws.s3", "Object Created"), "no event", TAGGED);
		await consumer.drain(FOREVER);
		expect(hints.map((h) => h.hint)).toEqual([ROLE]);
		expect(said.filter((e) => e.type === "unknown")).toEqual([
			{ type: "unknown", source: "aws.s3", detailType: "Object Created" },
		]);
		expect(said.filter((e) => e.type === "malformed")).toEqual([{ type: "malformed", messageId: "m2", why: "it is not JSON" }]);
		expect(queue.left()).toEqual(["no event"]);
	});

	test("ends though messages that nobody can read stay, however many, and says each once", async () => {
		const { queue, said, consumer } = world();
		queue.send(...Array.from({ length: 10 }, (_, n) => `poison ${n}`));
		await consumer.drain(FOREVER);
		await consumer.drain(FOREVER);
		expect(said.filter((e) => e.type === "malformed")).toHaveLength(10);
		expect(queue.left()).toHaveLength(10);
	});

	test("hears a message again where its removal was lost: a hint twice is a hint", async () => {
		const { queue, hints, consumer } = world();
		queue.send(TAGGED);
		queue.loseRemovals(true);
		await consumer.drain(FOREVER);
		queue.loseRemovals(false);
		await consumer.drain(FOREVER);
		expect(new Set(hints.map((h) => JSON.stringify(h.hint)))).toEqual(new Set([JSON.stringify(ROLE)]));
		expect(queue.left()).toEqual([]);
	});

	test("rejects where there is no queue", async () => {
		const { queue, consumer } = world();
		queue.gone(true);
		await expect(consumer.drain(FOREVER)).rejects.toThrow(TerminalError);
	});
});

describe("running", () => {
	test("says once that the queue is gone, asks ever less often, and goes on when it is there again", async () => {
		const { queue, clock, hints, consumer, kinds } = world();
		const stop = new AbortController();
		queue.gone(true);
		const ended = consumer.run(stop.signal);
		await clock.advance(0);
		await clock.advance(120_000);
		expect(kinds()).toEqual(["deaf"]);
		// At 0, 1, 3, 7, 15, 31, 63 s, and then every 60.
		expect(queue.polls()).toBe(7);
		queue.gone(false);
		queue.send(TAGGED);
		await clock.advance(60_000);
		expect(hints.map((h) => h.hint)).toEqual([ROLE]);
		expect(kinds()).toEqual(["deaf", "heard", "hearing"]);
		stop.abort();
		await ended;
	});

	test("ends when it is asked to, also while it waits for a message", async () => {
		const { consumer } = world();
		const stop = new AbortController();
		const ended = consumer.run(stop.signal);
		stop.abort();
		await ended;
	});
});
