import fc from "fast-check";
import { expect, test } from "vitest";
import { createWorkqueue, type PassEvent, type PassResult } from "../../../controller/engine/workqueue.ts";
import { ConflictError, TerminalError, WaitingError } from "../../../controller/model/errors.ts";
import { createFakeClock } from "./fake-clock.ts";

const DONE: PassResult = { requeueAfterSeconds: null };

function setUp(pass: (key: string, n: number) => Promise<PassResult>, options: { concurrency?: number } = {}) {
	const clock = createFakeClock();
	const ran: string[] = [];
	const events: PassEvent[] = [];
	const counts = new Map<string, number>();
	const queue = createWorkqueue({
		pass: (key) => {
			ran.push(key);
			counts.set(key, (counts.get(key) ?? 0) + 1);
			return pass(key, counts.get(key) ?? 0);
		},
		clock,
		random: () => 0.5,
		concurrency: options.concurrency ?? 4,
		passTimeoutMs: 60_000,
		observe: (e) => events.push(e),
	});
	return { clock, ran, events, queue };
}

/** A pass that ends when told. */
function gate(): { readonly opened: Promise<void>; readonly open: () => void } {
	const { promise, resolve } = Promise.withResolvers<void>();
	return { opened: promise, open: resolve };
}

test("a key that is asked for many times while it waits runs once", async () => {
	const g = gate();
	const { queue, ran } = setUp(async (key) => (key === "first" ? g.opened.then(() => DONE) : DONE), { concurrency: 1 });
	queue.add("first", "event");
	for (let i = 0; i < 10; i++) queue.add("key", "event");
	expect(queue.depth()).toEqual({ waiting: 1, running: 1, scheduled: 0 });
	g.open();
	await queue.idle();
	expect(ran).toEqual(["first", "key"]);
});

test("a key that is asked for while it runs runs once more, and never twice at once", async () => {
	const g = gate();
	let running = 0;
	let most = 0;
	const { queue, ran } = setUp(async (_key, n) => {
		most = Math.max(most, ++running);
		if (n === 1) await g.opened;
		running--;
		return DONE;
	});
	queue.add("key", "event");
	await Promise.resolve();
	for (let i = 0; i < 5; i++) queue.add("key", "resync");
	g.open();
	await queue.idle();
	expect(ran).toEqual(["key", "key"]);
	expect(most).toBe(1);
});

test("a commit overtakes a resync, also for a key that waits already", async () => {
	const g = gate();
	const { queue, ran } = setUp(async (key) => (key === "first" ? g.opened.then(() => DONE) : DONE), { concurrency: 1 });
	queue.add("first", "resync");
	queue.add("a", "resync");
	queue.add("b", "resync");
	queue.add("b", "commit");
	g.open();
	await queue.idle();
	expect(ran).toEqual(["first", "b", "a"]);
});

test("an error backs off exponentially with jitter, and a success forgets it", async () => {
	const { queue, ran, clock } = setUp(async (_key, n) => {
		if (n <= 3) throw new Error("broken");
		return DONE;
	});
	queue.add("key", "event");
	await queue.idle();
	for (const delay of [750, 1_500, 3_000]) {
		await clock.advance(delay - 1);
		const before = ran.length;
		await clock.advance(1);
		await queue.idle();
		expect(ran.length).toBe(before + 1);
	}
	expect(queue.depth()).toEqual({ waiting: 0, running: 0, scheduled: 0 });
});

test("a terminal error is not tried again until somebody asks", async () => {
	const { queue, ran, clock, events } = setUp(async () => {
		throw new TerminalError("Broken", "a person must act");
	});
	queue.add("key", "commit");
	await queue.idle();
	await clock.advance(3_600_000);
	expect(ran).toHaveLength(1);
	expect(events.map((e) => e.outcome)).toEqual(["terminal"]);
	queue.add("key", "commit");
	await queue.idle();
	expect(ran).toHaveLength(2);
});

test("what waits is asked again after its time, a first conflict at once", async () => {
	const { queue, ran, clock } = setUp(async (key, n) => {
		if (n > 1) return DONE;
		if (key === "waits") throw new WaitingError("Propagation", "not yet", 10);
		throw new ConflictError("moved");
	});
	queue.add("waits", "event");
	queue.add("moved", "event");
	await queue.idle();
	await clock.advance(0);
	await queue.idle();
	expect(ran.filter((k) => k === "moved")).toHaveLength(2);
	expect(ran.filter((k) => k === "waits")).toHaveLength(1);
	await clock.advance(10_000);
	await queue.idle();
	expect(ran.filter((k) => k === "waits")).toHaveLength(2);
});

test("a delayed ask debounces: the earliest time counts, an immediate one wins", async () => {
	const { queue, ran, clock } = setUp(async () => DONE);
	queue.add("key", "event", { delayMs: 500 });
	queue.add("key", "event", { delayMs: 200 });
	expect(queue.depth().scheduled).toBe(1);
	await clock.advance(200);
	await queue.idle();
	expect(ran).toHaveLength(1);
	await clock.advance(1_000);
	expect(ran).toHaveLength(1);
});

test("after stop nothing starts, and stop waits for what runs", async () => {
	const g = gate();
	const { queue, ran } = setUp(async () => g.opened.then(() => DONE), { concurrency: 1 });
	queue.add("runs", "event");
	queue.add("waits", "event");
	await Promise.resolve();
	let stopped = false;
	const stop = queue.stop().then(() => {
		stopped = true;
	});
	queue.add("late", "event");
	await Promise.resolve();
	expect(stopped).toBe(false);
	g.open();
	await stop;
	expect(ran).toEqual(["runs"]);
});

test("5,000 asks for 500 keys: every key runs after its last ask, none twice at once", async () => {
	await fc.assert(
		fc.asyncProperty(fc.array(fc.integer({ min: 0, max: 499 }), { minLength: 5_000, maxLength: 5_000 }), async (asks) => {
			const running = new Set<string>();
			const lastAsk = new Map<string, number>();
			const lastRun = new Map<string, number>();
			let tick = 0;
			const { queue } = setUp(async (key) => {
				expect(running.has(key)).toBe(false);
				running.add(key);
				lastRun.set(key, tick);
				await Promise.resolve();
				running.delete(key);
				return DONE;
			});
			for (const n of asks) {
				tick++;
				lastAsk.set(`k${n}`, tick);
				queue.add(`k${n}`, n % 2 === 0 ? "event" : "resync");
				if (n % 7 === 0) await Promise.resolve();
			}
			tick++;
			await queue.idle();
			for (const [key, at] of lastAsk) expect(lastRun.get(key)).toBeGreaterThanOrEqual(at);
		}),
		{ numRuns: 3 },
	);
});
