import type { Instant } from "../model/ids.ts";
import type { Clock, Store } from "../model/ports.ts";

/** What stands in the control state under the lease's name. */
interface LeaseRecord {
	/** Null: let go. */
	readonly holder: string | null;
	readonly until: Instant;
}

/** The right to be the one writer, until `until`. */
export interface Lease {
	readonly until: () => Instant;
	/**
	 * Milliseconds in which a new write may still start: the end less the call timeout, so that no call begun under the
	 * lease is under way after it (ARCHITECTURE.md, Applying safely). 0: renew first, or stop.
	 */
	readonly remaining: () => number;
	/** False when somebody else took it meanwhile: then nothing more may be written. */
	readonly renew: () => boolean;
	readonly release: () => void;
}

export interface LeaseHeld {
	readonly heldBy: string;
	readonly until: Instant;
}

/**
 * One holder at a time over any Store, by compare-and-set alone. `holder` is shown to whoever is refused: name the
 * person, host and process. A lease that ran out is free, also when its holder died. Clocks of machines that share a
 * store may differ by less than the call timeout.
 */
export function acquireLease(
	store: Pick<Store, "getControl" | "putControl">,
	options: {
		readonly name: string;
		readonly holder: string;
		readonly ttlSeconds: number;
		readonly callTimeoutSeconds: number;
		readonly clock: Pick<Clock, "millis">;
	},
): Lease | LeaseHeld {
	const { name, holder, clock } = options;
	const end = (): Instant => instant(clock.millis() + options.ttlSeconds * 1000);
	const found = store.getControl(name);
	const held = found === undefined ? null : heldIn(found.value, clock.millis());
	if (held !== null) return held;
	let version = found?.version ?? 0;
	let until = end();
	if (!store.putControl(name, { holder, until } satisfies LeaseRecord, version)) {
		const winner = store.getControl(name);
		return (winner === undefined ? null : heldIn(winner.value, clock.millis())) ?? { heldBy: "another process", until: end() };
	}
	version += 1;
	let lost = false;
	const swap = (record: LeaseRecord): boolean => {
		if (lost) return false;
		lost = !store.putControl(name, record, version);
		if (!lost) version += 1;
		return !lost;
	};
	return {
		until: () => until,
		remaining: () => (lost ? 0 : Math.max(0, Date.parse(until) - options.callTimeoutSeconds * 1000 - clock.millis())),
		renew: () => {
			const next = end();
			if (!swap({ holder, until: next })) return false;
			until = next;
			return true;
		},
		release: () => {
			swap({ holder: null, until: instant(clock.millis()) });
			lost = true;
		},
	};
}

function heldIn(value: unknown, now: number): LeaseHeld | null {
	const record = value as LeaseRecord;
	return record.holder !== null && Date.parse(record.until) > now ? { heldBy: record.holder, until: record.until } : null;
}

/** Rounded down to the second: what others read is what the holder goes by. */
function instant(ms: number): Instant {
	return `${new Date(Math.floor(ms / 1000) * 1000).toISOString().slice(0, 19)}Z`;
}
