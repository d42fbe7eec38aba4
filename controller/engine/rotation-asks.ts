import type { ResourceKey } from "../model/ids.ts";
import type { Clock, Store } from "../model/ports.ts";
import type { RotationAsk } from "../model/rotation-ask.ts";

/** In the control state. */
const NAME = "rotations";
/** Several processes ask at once, and each changes the one entry. */
const ROUNDS = 10;
/** More than that nobody asked for by hand; the oldest are forgotten, and can be asked for again. */
const MOST = 500;

type Asks = Readonly<Record<ResourceKey, RotationAsk>>;

/** Rotations that somebody asked for, the last ask of each key. One whose rotation was begun is known by a mark of its secret, and does no harm. */
export async function readAsks(store: Store): Promise<ReadonlyMap<ResourceKey, RotationAsk>> {
	return new Map(Object.entries(asksIn((await store.getControl(NAME))?.value)));
}

/** Remembers that somebody asked; whoever passes over the key next begins it. Throws where the store cannot be written. */
export async function askRotation(store: Store, key: ResourceKey, ask: RotationAsk): Promise<void> {
	await change(store, (asks) => {
		const rest = Object.entries(asks).filter(([k]) => k !== key);
		return Object.fromEntries([...rest, [key, ask] as const].slice(-MOST));
	});
}

/** It is wanted no more. An ask that came since stays. */
export async function forgetAsk(store: Store, key: ResourceKey, ask: RotationAsk): Promise<void> {
	await change(store, (asks) =>
		asks[key]?.at === ask.at ? Object.fromEntries(Object.entries(asks).filter(([k]) => k !== key)) : asks,
	);
}

/** A person waits at a terminal for it to begin. */
const LOOK_MS = 5_000;

/** Asks for a pass over each rotation that somebody asked for since, until aborted. A store that cannot be read is asked again. */
export async function watchAsks(
	deps: {
		readonly store: Store;
		readonly clock: Clock;
		/** Of the rotations in force; nothing is read where there are none. */
		readonly keys: () => readonly ResourceKey[];
		readonly fire: (key: ResourceKey) => void;
	},
	signal: AbortSignal,
): Promise<void> {
	const seen = new Map<ResourceKey, string>();
	while (!signal.aborted) {
		const keys = new Set(deps.keys());
		const asks = keys.size === 0 ? new Map<ResourceKey, RotationAsk>() : await readAsks(deps.store).catch(() => new Map());
		for (const [key, { at }] of asks) {
			if (!keys.has(key) || seen.get(key) === at) continue;
			seen.set(key, at);
			deps.fire(key);
		}
		await deps.clock.sleep(LOOK_MS, signal).catch(() => {});
	}
}

async function change(store: Store, to: (asks: Asks) => Asks): Promise<void> {
	for (let round = 0; round < ROUNDS; round++) {
		const found = await store.getControl(NAME);
		const before = asksIn(found?.value);
		const after = to(before);
		if (after === before || (await store.putControl(NAME, after, found?.version ?? 0))) return;
	}
	throw new Error("what was asked for is being changed by somebody else again and again");
}

/** What another version wrote is no ask. */
function asksIn(value: unknown): Asks {
	if (typeof value !== "object" || value === null) return {};
	return Object.fromEntries(Object.entries(value).filter((entry): entry is [string, RotationAsk] => isAsk(entry[1])));
}

function isAsk(value: unknown): value is RotationAsk {
	const ask = value as Partial<RotationAsk> | null;
	return typeof ask === "object" && ask !== null && typeof ask.at === "string" && typeof ask.by === "string";
}
