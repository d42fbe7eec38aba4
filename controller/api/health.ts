import { readPause } from "../engine/pause.ts";
import type { Pause } from "../model/halt.ts";
import type { ApiDeps, Served } from "./served.ts";

export interface Reason {
	/** Stable CamelCase. */
	readonly reason: string;
	readonly message: string;
	readonly fix?: string;
}

export interface Readiness {
	readonly apiVersion: "ecs-access.dev/v1alpha1";
	readonly kind: "Readiness";
	readonly ready: boolean;
	readonly term: "writing" | "observing" | "standby" | "between" | "closed";
	/** Why it is not ready; empty when it is. */
	readonly reasons: readonly Reason[];
	/** What is not as it should be, and keeps nothing from working. */
	readonly notes: readonly Reason[];
}

/** A look at a shared store costs a call: probes come every few seconds. */
const STORE_MS = 30_000;
const STORE_TIMEOUT_MS = 3_000;

/** Whether this process does its work, or stands by to do it. */
export function createReadiness(deps: Pick<ApiDeps, "served" | "trouble" | "clock">): () => Promise<Readiness> {
	const reach = createReach(deps.clock.millis);
	return async () => {
		const served = deps.served();
		if (served === null) {
			const trouble = deps.trouble();
			const reason = trouble === null ? STARTING : { reason: "NotOpen", ...trouble };
			return readiness("closed", [reason], []);
		}
		const reasons: Reason[] = [];
		const { unreachable, pause } = await reach(served);
		if (unreachable !== null) {
			reasons.push({
				reason: "StoreUnreachable",
				message: `${served.storeName}: ${unreachable}`,
				fix: "nothing is written until it can be reached again",
			});
		}
		const state = served.manager?.state();
		if (served.term.state !== "standby" && (state === undefined || state.inForce === null)) {
			const why = state?.refused?.message ?? state?.sourceError;
			reasons.push({ reason: "NoRevision", message: why ?? "no revision has come into force yet" });
		}
		return readiness(served.term.state, reasons, notesOf(served, pause));
	};
}

const STARTING: Reason = { reason: "Starting", message: "the installation is being opened" };

function readiness(term: Readiness["term"], reasons: readonly Reason[], notes: readonly Reason[]): Readiness {
	return { apiVersion: "ecs-access.dev/v1alpha1", kind: "Readiness", ready: reasons.length === 0, term, reasons, notes };
}

function notesOf(served: Served, paused: Pause | null): readonly Reason[] {
	const state = served.manager?.state();
	const notes: Reason[] = [];
	if (served.term.state === "standby") {
		const { holder, until } = served.term;
		notes.push({ reason: "Standby", message: `${holder} is the writer, until ${until} at the latest` });
	}
	if (state !== undefined && state.refused !== null) {
		const { revision, message } = state.refused;
		notes.push({ reason: "RevisionRefused", message: `${revision}: ${message}`, fix: "GET /api/v1/source has the findings" });
	}
	if (state !== undefined && state.sourceError !== null) notes.push({ reason: "SourceUnreadable", message: state.sourceError });
	for (const [account, message] of state?.accountErrors ?? []) {
		notes.push({ reason: "AccountUnreadable", message: `${account}: ${message}` });
	}
	if (served.deaf !== null)
		notes.push({ reason: "EventsNotHeard", message: served.deaf, fix: "ecs-access triggers plan says what is missing" });
	const pause = paused ?? state?.paused ?? null;
	if (pause !== null)
		notes.push({ reason: "Paused", message: `by ${pause.by} until ${pause.until}: ${pause.reason}`, fix: "ecs-access resume" });
	return notes;
}

interface Reached {
	readonly unreachable: string | null;
	readonly pause: Pause | null;
}

/** Asks a store for one thing, and remembers the answer for a while. */
function createReach(millis: () => number): (served: Served) => Promise<Reached> {
	let last: { readonly store: Served["store"]; readonly at: number; readonly found: Promise<Reached> } | null = null;
	return (served) => {
		const now = millis();
		if (last === null || last.store !== served.store || Math.abs(now - last.at) >= STORE_MS) {
			last = { store: served.store, at: now, found: look(served, now) };
		}
		return last.found;
	};
}

async function look({ store }: Served, now: number): Promise<Reached> {
	let timer: NodeJS.Timeout | undefined;
	const late = new Promise<never>((_, reject) => {
		timer = setTimeout(() => reject(new Error(`no answer within ${STORE_TIMEOUT_MS / 1000} s`)), STORE_TIMEOUT_MS);
	});
	try {
		return { unreachable: null, pause: await Promise.race([readPause(store, now), late]) };
	} catch (error) {
		const message = error instanceof Error ? error.message : String(error);
		return { unreachable: message.split("\n")[0] ?? message, pause: null };
	} finally {
		clearTimeout(timer);
	}
}
