import type { Arn } from "../model/ids.ts";
import { permissionFor } from "../model/permissions.ts";
import type { Clock } from "../model/ports.ts";
import type { Clients } from "./clients.ts";
import { classify, retryOf, wasAnswered } from "./errors.ts";
import type { Lane, Limiter } from "./limiter.ts";
import type { CallAws, Operation } from "./operations.ts";
import { wanted } from "./wording.ts";

export interface CallDeps {
	readonly clients: Clients;
	readonly limiter: Limiter;
	readonly clock: Clock;
	/** 0 to below 1. */
	readonly random: () => number;
	/** For messages. */
	readonly account: () => string | null;
	readonly caller: () => Arn | null;
	readonly rolePath: string;
	/** Told of each attempt: milliseconds without what it waited for its turn; `requests`: sent, the SDK's own retries among them. */
	readonly observeCall?: ObserveCall;
}

/** `refused`: AWS says no, or that there is none; `error`: no answer, or one that a retry may better. */
export type ObserveCall = (
	operation: string,
	outcome: "ok" | "throttled" | "refused" | "error",
	milliseconds: number,
	requests: number,
) => void;

export interface Calls {
	readonly call: CallAws;
	/** Requests sent, the SDK's own retries among them. */
	readonly counts: () => ReadonlyMap<Operation, number>;
}

/** Attempts of ours, each up to the SDK's two. */
const READ_ATTEMPTS = 6;
const WRITE_ATTEMPTS = 8;
/**
 * Of the very first call, which says who we are: an address that nobody answers at, or that is not AWS, is a mistake of
 * the person in front, who must hear of it in seconds.
 */
const FIRST_ATTEMPTS = { answered: 3, unanswered: 2 } as const;
/** A write must have ended, one way or the other, before its lease could. */
const DEADLINE_MS = { read: 90_000, write: 45_000 } as const;
const BACKOFF_MS = { base: 500, cap: 15_000 } as const;

/**
 * Sends, paces and retries. A throttle was not carried out, so it is always tried again; any other failure of a write may
 * have been carried out, so it is the provider that reads back and decides.
 */
export function createCalls(deps: CallDeps): Calls {
	const counts = new Map<Operation, number>();
	const count = (op: Operation, metadata: { readonly attempts?: number } | undefined): void => {
		counts.set(op, (counts.get(op) ?? 0) + (metadata?.attempts ?? 1));
	};
	const call: CallAws = async (op, place, input, signal) => {
		const { access } = permissionFor(op);
		const lane = laneOf(op, access);
		const deadline = deps.clock.millis() + DEADLINE_MS[access];
		const most = access === "read" ? READ_ATTEMPTS : WRITE_ATTEMPTS;
		for (let attempt = 1; ; attempt++) {
			let began: number | null = null;
			const tell = (outcome: Parameters<ObserveCall>[1], metadata: ReturnType<typeof metadataOf>): void => {
				if (began !== null) deps.observeCall?.(op, outcome, deps.clock.millis() - began, metadata?.attempts ?? 1);
			};
			try {
				const output = await deps.limiter.run(
					lane,
					() => {
						began = deps.clock.millis();
						return deps.clients.send(op, place, input, signal);
					},
					signal,
				);
				count(op, output.$metadata);
				tell("ok", output.$metadata);
				return output;
			} catch (error) {
				if (signal.aborted) throw signal.reason;
				count(op, metadataOf(error));
				const retry = retryOf(error);
				tell(retry === "throttle" ? "throttled" : retry === "no" ? "refused" : "error", metadataOf(error));
				if (retry === "throttle") deps.limiter.throttled(lane);
				const wait = deps.random() * Math.min(BACKOFF_MS.cap, BACKOFF_MS.base * 2 ** attempt);
				const last = op === "sts:GetCallerIdentity" ? FIRST_ATTEMPTS[wasAnswered(error) ? "answered" : "unanswered"] : most;
				const again = retry === "throttle" || (retry === "transient" && access === "read");
				if (!again || attempt >= (retry === "throttle" ? most : last) || deps.clock.millis() + wait > deadline) {
					throw classify(error, {
						operation: op,
						wanted: wanted(op, input),
						account: deps.account(),
						caller: deps.caller(),
						rolePath: deps.rolePath,
					});
				}
				await deps.clock.sleep(wait, signal);
			}
		}
	};
	return { call, counts: () => counts };
}

function laneOf(op: Operation, access: "read" | "write"): Lane {
	if (op.startsWith("iam:")) return access === "read" ? "iam-read" : "iam-write";
	if (op.startsWith("dynamodb:")) return "store";
	if (op.startsWith("sqs:")) return "queue";
	return op.startsWith("ecs:") ? "ecs-read" : "other";
}

function metadataOf(error: unknown): { readonly attempts?: number } | undefined {
	return typeof error === "object" && error !== null && "$metadata" in error
		? (error.$metadata as { readonly attempts?: number } | undefined)
		: undefined;
}
