import type { Instant } from "../model/ids.ts";
import { instantAt } from "../model/instant.ts";
import type { Clock, Store } from "../model/ports.ts";

/** What stands in the control state under the lease's name. */
interface LeaseRecord {
	/** Null: let go. */
	readonly holder: string | null;
	readonly until: Instant;
	/** Of one holding: tells our own write from another's when its answer was lost. */
	readonly token?: string;
}

/** The right to be the one writer, until `until`. */
export interface Lease {
	/**
	 * The version that the lease had when it was taken: greater than that of any holder before, so that two writers in the
	 * history can be told apart and put in order.
	 */
	readonly fence: number;
	readonly until: () => Instant;
	/**
	 * Milliseconds in which a new write may still start: the end less the call timeout, so that no call begun under the
	 * lease is under way after it (ARCHITECTURE.md, Applying safely). 0: renew first, or stop.
	 */
	readonly remaining: () => number;
	/** False when somebody else took it meanwhile: then nothing more may be written. Rejects when the store did not answer. */
	readonly renew: () => Promise<boolean>;
	readonly release: () => Promise<void>;
}

export interface LeaseHeld {
	readonly heldBy: string;
	readonly until: Instant;
}

interface LeaseOptions {
	readonly name: string;
	/** Shown to whoever is refused: the person, host and process. */
	readonly holder: string;
	readonly ttlSeconds: number;
	readonly callTimeoutSeconds: number;
	/**
	 * How long a lease that ran out by our clock must stand still before it is taken, when it was not let go; longer than a
	 * holder goes between two renewals. So a clock that is ahead robs no living holder. 0: a private store, one clock.
	 */
	readonly watchSeconds: number;
	/** Told before that wait whose lease it was. */
	readonly watching?: (holder: string) => void;
	readonly clock: Pick<Clock, "millis" | "sleep">;
}

/**
 * One holder at a time over any Store, by compare-and-set alone. A lease that ran out is free, also when its holder died;
 * before that nobody can take it.
 */
export async function acquireLease(
	store: Pick<Store, "getControl" | "putControl">,
	options: LeaseOptions,
	signal: AbortSignal,
): Promise<Lease | LeaseHeld> {
	const { name, holder, clock } = options;
	const token = crypto.randomUUID();
	const end = (): Instant => instantAt(clock.millis() + options.ttlSeconds * 1000);
	const found = await store.getControl(name);
	const record = found?.value as LeaseRecord | undefined;
	const held = record === undefined ? null : heldIn(record, clock.millis());
	if (held !== null) return held;
	if (options.watchSeconds > 0 && record !== undefined && record.holder !== null) {
		options.watching?.(record.holder);
		await clock.sleep(options.watchSeconds * 1000, signal);
		const now = await store.getControl(name);
		if (now?.version !== found?.version) return winner(now?.value);
	}
	let version = found?.version ?? 0;
	let until = end();
	if (!(await store.putControl(name, { holder, until, token } satisfies LeaseRecord, version))) {
		return winner((await store.getControl(name))?.value);
	}
	version += 1;
	let lost = false;
	/** An answer that was lost leaves a record that is ours with a version we do not know: it is looked up. */
	const swap = async (next: LeaseRecord): Promise<boolean> => {
		if (lost) return false;
		if (await store.putControl(name, next, version)) {
			version += 1;
			return true;
		}
		const now = await store.getControl(name);
		if (now !== undefined && (now.value as LeaseRecord).token === token && (await store.putControl(name, next, now.version))) {
			version = now.version + 1;
			return true;
		}
		lost = true;
		return false;
	};
	return {
		fence: version,
		until: () => until,
		remaining: () => (lost ? 0 : Math.max(0, Date.parse(until) - options.callTimeoutSeconds * 1000 - clock.millis())),
		renew: async () => {
			const next = end();
			if (!(await swap({ holder, until: next, token }))) return false;
			until = next;
			return true;
		},
		release: async () => {
			await swap({ holder: null, until: instantAt(clock.millis()) });
			lost = true;
		},
	};

	/** Whoever was faster, or renewed it while it was watched; it may have let go again already. */
	function winner(value: unknown): LeaseHeld {
		const record = value as LeaseRecord | undefined;
		return record?.holder == null ? { heldBy: "another process", until: end() } : { heldBy: record.holder, until: record.until };
	}
}

/** Renews until it is stopped. */
export interface LeaseKeeper {
	/** Aborts when the lease was taken, or could not be renewed while it still held: nothing new may be written. */
	readonly lost: AbortSignal;
	readonly stop: () => void;
}

/**
 * Keeps a lease for as long as the work takes. A renewal that the store did not answer is tried again at the next turn;
 * `lost` aborts when a write may not start any more, by the clock or after as many turns as that is long: turns are
 * counted, so that a clock that was set back prolongs nothing.
 */
export function keepLease(
	lease: Pick<Lease, "remaining" | "renew">,
	options: Pick<LeaseOptions, "ttlSeconds" | "callTimeoutSeconds"> & {
		readonly everySeconds: number;
		readonly clock: Pick<Clock, "sleep">;
	},
): LeaseKeeper {
	const stopped = new AbortController();
	const lost = new AbortController();
	const turns = Math.max(1, Math.floor((options.ttlSeconds - options.callTimeoutSeconds) / options.everySeconds));
	const keep = async (): Promise<void> => {
		for (let failed = 0; ; ) {
			await options.clock.sleep(options.everySeconds * 1000, stopped.signal);
			const renewed = await lease.renew().catch(() => null);
			failed = renewed === null ? failed + 1 : 0;
			if (renewed === false || failed >= turns || lease.remaining() === 0) {
				lost.abort(new LeaseLost());
				return;
			}
		}
	};
	keep().catch(() => {});
	return { lost: lost.signal, stop: () => stopped.abort() };
}

/** The reason of `lost`. */
class LeaseLost extends Error {
	constructor() {
		super("the lease was lost to another writer, or could not be renewed in time");
		this.name = "LeaseLost";
	}
}

/** Who holds the lease by what stands in the control state; null: nobody, or nobody any more. */
export function leaseHolder(value: unknown, now: number): LeaseHeld | null {
	return value === undefined ? null : heldIn(value as LeaseRecord, now);
}

function heldIn(record: LeaseRecord, now: number): LeaseHeld | null {
	return record.holder !== null && Date.parse(record.until) > now ? { heldBy: record.holder, until: record.until } : null;
}
