import PQueue from "p-queue";
import type { Clock } from "../model/ports.ts";

/** What shares a rate: IAM keeps several buckets and publishes none of them (aws-facts §3.1), ECS is far wider. */
export type Lane = "iam-read" | "iam-write" | "ecs-read" | "store" | "queue" | "other";

interface LaneLimits {
	/** Calls a second at the start, at the least and at the most. */
	readonly start: number;
	readonly floor: number;
	readonly ceiling: number;
	/** Calls that may go at once after a rest. */
	readonly burst: number;
	readonly concurrency: number;
}

/**
 * Starts where a laptop's plan and a small apply never wait, and halves on the first throttle. IAM's writes begin lowest:
 * they are few, and a person's other tools share the account's bucket. DescribeServices of 1,000 services is 100 calls,
 * within one burst and a second (aws-facts §4.5: the one ECS bucket known is 50 deep). A table on demand takes thousands
 * a second; what a store asks for at once is a page of status, or a hundred writes in one call.
 */
const LIMITS: Readonly<Record<Lane, LaneLimits>> = {
	"iam-read": { start: 20, floor: 1, ceiling: 50, burst: 50, concurrency: 10 },
	"iam-write": { start: 10, floor: 0.5, ceiling: 20, burst: 30, concurrency: 4 },
	"ecs-read": { start: 50, floor: 2, ceiling: 100, burst: 50, concurrency: 16 },
	store: { start: 100, floor: 5, ceiling: 500, burst: 200, concurrency: 16 },
	// A long poll holds its place for 20 s; SQS itself knows no limit that one reader meets.
	queue: { start: 20, floor: 1, ceiling: 100, burst: 50, concurrency: 8 },
	other: { start: 20, floor: 1, ceiling: 50, burst: 30, concurrency: 8 },
};

/** More than the slowest pace and a full queue ask for. */
const LONGEST_WAIT_MS = 300_000;

/** Throttles of one burst come together: they are one signal. Also how often the rate may rise by one. */
const ADJUST_EVERY_MS = 1_000;

export interface Limiter {
	/** Runs `attempt` when its turn has come. Rejects with the signal's reason when it is aborted before that. */
	readonly run: <T>(lane: Lane, attempt: () => Promise<T>, signal: AbortSignal) => Promise<T>;
	/** AWS said "Rate exceeded": halve. */
	readonly throttled: (lane: Lane) => void;
	/** Calls a second now allowed, by lane. */
	readonly rates: () => Readonly<Record<Lane, number>>;
}

/** Additive increase, multiplicative decrease, over a token bucket, one for each account. */
export function createLimiter(clock: Clock): Limiter {
	const lanes = new Map<Lane, LaneState>();
	const laneOf = (name: Lane): LaneState => {
		const known = lanes.get(name);
		if (known !== undefined) return known;
		const limits = LIMITS[name];
		const lane = {
			limits,
			rate: limits.start,
			arrival: clock.millis(),
			adjustedAt: clock.millis(),
			queue: new PQueue({ concurrency: limits.concurrency }),
		};
		lanes.set(name, lane);
		return lane;
	};
	return {
		run: async (name, attempt, signal) => {
			const lane = laneOf(name);
			signal.throwIfAborted();
			return lane.queue.add(
				async () => {
					const wait = reserve(lane, clock.millis());
					if (wait > 0) await clock.sleep(wait, signal);
					const result = await attempt();
					raise(lane, clock.millis());
					return result;
				},
				{ signal },
			);
		},
		throttled: (name) => {
			const lane = laneOf(name);
			const now = clock.millis();
			if (now - lane.adjustedAt < ADJUST_EVERY_MS && lane.rate < lane.limits.start) return;
			lane.rate = Math.max(lane.limits.floor, lane.rate / 2);
			lane.adjustedAt = now;
			// What was saved up is spent: the account's own bucket is empty.
			lane.arrival = Math.max(lane.arrival, now + (lane.limits.burst * 1_000) / lane.rate);
		},
		rates: () => ({
			"iam-read": laneOf("iam-read").rate,
			"iam-write": laneOf("iam-write").rate,
			"ecs-read": laneOf("ecs-read").rate,
			store: laneOf("store").rate,
			queue: laneOf("queue").rate,
			other: laneOf("other").rate,
		}),
	};
}

interface LaneState {
	readonly limits: LaneLimits;
	readonly queue: PQueue;
	rate: number;
	/** When the next call would come if all came evenly spaced (generic cell rate algorithm). */
	arrival: number;
	adjustedAt: number;
}

/** Takes a turn; milliseconds until it comes. */
function reserve(lane: LaneState, now: number): number {
	const interval = 1_000 / lane.rate;
	// A clock that was set back must not make everybody wait until it has caught up.
	const arrival = lane.arrival - now > LONGEST_WAIT_MS ? now : Math.max(lane.arrival, now);
	lane.arrival = arrival + interval;
	return Math.max(0, arrival - (lane.limits.burst - 1) * interval - now);
}

function raise(lane: LaneState, now: number): void {
	if (now - lane.adjustedAt < ADJUST_EVERY_MS) return;
	lane.rate = Math.min(lane.limits.ceiling, lane.rate + 1);
	lane.adjustedAt = now;
}
