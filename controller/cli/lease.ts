import { hostname } from "node:os";
import { TerminalError } from "../model/errors.ts";
import type { Store } from "../model/ports.ts";
import type { LeaseHeld } from "../store/lease.ts";
import type { CliContext } from "./context.ts";
import { storePath } from "./state-dir.ts";

/** Long enough that a stalled process is not robbed of it, short enough that a dead one keeps nobody waiting. */
const LEASE_SECONDS = 180;
/** Twice a minute. */
const RENEW_SECONDS = 30;
/** A living holder renews within this, its call included. */
const WATCH_SECONDS = 45;
const LEASE = "lease";

/** The one writer's right, renewed until it is let go. */
export interface HeldLease {
	/** Milliseconds in which a write may still start; 0 once it was lost. For engine/execute.ts. */
	readonly remaining: () => number;
	/** Into the history of what is written under it. */
	readonly fence: number;
	/** Aborts when it was lost: begin nothing more, and take it again. */
	readonly lost: AbortSignal;
	/** Never rejects: what cannot be let go runs out. */
	readonly release: () => Promise<void>;
}

export interface LeaseRequest {
	readonly store: Store;
	/** Several machines may use the store: their clocks differ, and nothing but the lease keeps them apart. */
	readonly shared: boolean;
	readonly installation: string;
	/** The command, shown to whoever is refused: `ecs-access apply`. */
	readonly command: string;
	readonly callTimeoutSeconds: number;
}

/** Takes the lease, or says who has it. A holder on this machine that was killed is succeeded at once. */
export async function tryLease(
	ctx: CliContext,
	request: LeaseRequest,
	signal: AbortSignal = ctx.signal,
): Promise<HeldLease | LeaseHeld> {
	const [{ acquireLease, keepLease }, writer] = await Promise.all([
		import("../store/lease.ts"),
		import("../store/sole-writer.ts"),
	]);
	const { store, shared } = request;
	const alone = shared ? () => {} : await writer.soleWriter(`${storePath(ctx, request.installation)}.writer`, ctx.clock, signal);
	if (!shared && alone !== null) await writer.dropAbandonedLease(store, LEASE);
	try {
		const lease = await acquireLease(
			store,
			{
				name: LEASE,
				holder: `${ctx.env.USER ?? "somebody"}@${hostname()} (${request.command}, pid ${process.pid})`,
				ttlSeconds: LEASE_SECONDS,
				callTimeoutSeconds: request.callTimeoutSeconds,
				watchSeconds: shared ? WATCH_SECONDS : 0,
				clock: ctx.clock,
				watching: (last) => ctx.progress.phase(`waiting to see whether ${last} is still at work (${WATCH_SECONDS} s)`),
			},
			signal,
		);
		if ("heldBy" in lease) {
			alone?.();
			return lease;
		}
		if (alone === null) {
			await lease.release();
			return { heldBy: "another process", until: lease.until() };
		}
		const keeper = keepLease(lease, {
			everySeconds: RENEW_SECONDS,
			ttlSeconds: LEASE_SECONDS,
			callTimeoutSeconds: request.callTimeoutSeconds,
			clock: ctx.clock,
		});
		return {
			remaining: () => (keeper.lost.aborted ? 0 : lease.remaining()),
			fence: lease.fence,
			lost: keeper.lost,
			release: async () => {
				keeper.stop();
				await lease.release().catch(() => {});
				alone();
			},
		};
	} catch (error) {
		alone?.();
		throw error;
	}
}

/** Takes the lease. Throws TerminalError `LeaseHeld`, which names the other writer. */
export async function takeLease(ctx: CliContext, request: LeaseRequest): Promise<HeldLease> {
	const lease = await tryLease(ctx, request);
	if (!("heldBy" in lease)) return lease;
	throw new TerminalError("LeaseHeld", `another writer is at work: ${lease.heldBy}, until ${lease.until} at the latest`, {
		fix: request.shared
			? "let it do the work, or wait for it to end; a controller holds the lease as long as it runs"
			: "wait for it to end, then run apply again",
	});
}
