import type { Clock, Store } from "../model/ports.ts";
import { lockFile } from "./file-lock.ts";

class Taken extends Error {}

/**
 * The proof that no other process on any store file beside `path` is writing: a lock that the kernel lets go when its
 * holder dies, however it dies. Returns what lets it go; null while another process lives that holds it.
 */
export async function soleWriter(path: string, clock: Clock, signal: AbortSignal): Promise<(() => void) | null> {
	const impatient: Clock = { ...clock, sleep: () => Promise.reject(new Taken()) };
	try {
		return await lockFile(path, impatient, signal);
	} catch (error) {
		if (error instanceof Taken) return null;
		throw error;
	}
}

/**
 * Lets go of a lease whose holder was killed, so that the next run need not wait for its end. Only for who holds the
 * sole writer's lock of a private store: of a shared one the holder may live on another machine.
 */
export async function dropAbandonedLease(store: Pick<Store, "getControl" | "putControl">, name: string): Promise<void> {
	const found = await store.getControl(name);
	if (found !== undefined) await store.putControl(name, { holder: null, until: "1970-01-01T00:00:00Z" }, found.version);
}
