import { asError, TerminalError } from "../model/errors.ts";
import type { Finding } from "../model/finding.ts";
import type { Clock, Store } from "../model/ports.ts";
import type { Artifact } from "../model/resource.ts";
import type { ActionCatalogue } from "../policy/action-catalogue.ts";
import { type Admission, type Admitted, admit } from "./admission.ts";
import { admitWord, readAdmitted, rememberAdmitted, rememberRefused } from "./admitted.ts";
import { type Catalog, loadCatalog } from "./catalog.ts";
import { bringIntoForce, type InForce } from "./in-force.ts";
import { reportStalled } from "./report-stalled.ts";

/** The source that a controller follows. */
export interface FollowedSource {
	/** The revision at the branch's tip, without fetching it; null where that cannot be asked for less than the content. */
	readonly peek: (signal: AbortSignal) => Promise<string | null>;
	/** `previous`: the admitted revision; throws TerminalError `NotDescendant` where it is no ancestor, but for `force`. */
	readonly fetch: (
		options: { readonly previous: string | null; readonly force: boolean },
		signal: AbortSignal,
	) => Promise<Artifact>;
	/** A revision that was admitted before, for a controller with an empty memory. */
	readonly fetchRevision: (revision: string, signal: AbortSignal) => Promise<Artifact>;
}

/** A revision that did not come into force, and why. */
export interface Refused {
	readonly revision: string;
	/** CamelCase. */
	readonly reason: string;
	readonly message: string;
	readonly findings: readonly Finding[];
	/** A person's word can accept it (`ecs-access admit`). */
	readonly byWord: boolean;
}

export interface FollowDeps {
	readonly source: FollowedSource;
	readonly actions: ActionCatalogue;
	readonly store: Store;
	readonly clock: Clock;
	/** `before` null: the first revision of this process. */
	readonly admitted: (before: InForce | null, next: InForce) => void;
	/** Once a revision and reason. */
	readonly refused: (refused: Refused) => void;
	/** The source could not be read. */
	readonly failed: (error: Error) => void;
}

export interface Follower {
	/** Reads the source where it moved, and admits or refuses what it finds. One look at a time; rejects only when aborted. */
	readonly poll: (signal: AbortSignal) => Promise<void>;
	readonly inForce: () => InForce | null;
	readonly state: () => {
		readonly refused: Refused | null;
		/** Why the source could not be read the last time; null: it could. */
		readonly sourceError: string | null;
	};
}

/**
 * Follows a source: what is admitted comes into force, and what is refused leaves the last good revision in force
 * (ARCHITECTURE.md, Admission). The last admitted one is remembered, for a process with an empty memory.
 */
export function createFollower(deps: FollowDeps): Follower {
	const { clock, store } = deps;
	let inForce: InForce | null = null;
	let refused: Refused | null = null;
	let sourceError: string | null = null;
	/** What the source was at when it was last read to the end. */
	let looked: string | null = null;
	/** A push may come while the timer looks: the later look must not bring back what the earlier one has left. */
	let looking: Promise<void> = Promise.resolve();

	const look = async (signal: AbortSignal): Promise<void> => {
		try {
			const tip = await deps.source.peek(signal);
			const word = refused === null ? null : await admitWord(store);
			if (tip !== null && tip === looked && (refused === null || word !== refused.revision)) {
				sourceError = null;
				return;
			}
			await read(signal);
			await tellRefused();
			looked = tip;
			sourceError = null;
		} catch (error) {
			if (signal.aborted) throw error;
			const failure = asError(error);
			sourceError = failure.message;
			deps.failed(failure);
			// Nothing in force yet: what was admitted before is kept as it was.
			if (inForce === null) await resumeLast(signal).catch(() => {});
		}
	};

	/** For people at a terminal; that it cannot be told stops nothing. */
	const tellRefused = async (): Promise<void> => {
		await rememberRefused(store, refused, clock.now()).catch(() => {});
	};

	const read = async (signal: AbortSignal): Promise<void> => {
		const before = inForce?.summary ?? (await readAdmitted(store));
		let descends = true;
		const artifact = await deps.source.fetch({ previous: before?.revision ?? null, force: false }, signal).catch((error) => {
			if (!(error instanceof TerminalError && error.reason === "NotDescendant")) throw error;
			descends = false;
			return deps.source.fetch({ previous: null, force: true }, signal);
		});
		if (inForce !== null && artifact.digest === inForce.artifact.digest && descends) {
			refused = null;
			if (artifact.revision.id !== inForce.artifact.revision.id) await enforce(artifact, load(artifact), before, true, null);
			return;
		}
		if (!(await enforce(artifact, load(artifact), before, descends, await admitWord(store))) && inForce === null) {
			await resumeLast(signal);
		}
	};

	/** A controller with an empty memory goes on with what was last admitted. */
	const resumeLast = async (signal: AbortSignal): Promise<void> => {
		const last = await readAdmitted(store);
		if (last === null) return;
		const kept = refused;
		const artifact = await deps.source.fetchRevision(last.revision, signal);
		await enforce(artifact, load(artifact), null, true, null);
		refused = kept;
	};

	const load = (artifact: Artifact): Catalog =>
		loadCatalog(artifact, { actions: deps.actions, defaults: null, now: clock.now() });

	/** True when it came into force. */
	const enforce = async (
		artifact: Artifact,
		catalog: Catalog,
		before: Admitted | null,
		descends: boolean,
		word: string | null,
	): Promise<boolean> => {
		const decision = admit({ artifact, catalog, before, descends, word });
		const undeclared = catalog.view.accounts.find((a) => a.accountId === null);
		if (!decision.admitted || undeclared !== undefined) {
			const said = refused;
			refused = decision.admitted
				? { revision: artifact.revision.id, ...UNDECLARED, findings: [], byWord: false }
				: refusedBy(decision, artifact.revision.id);
			if (said?.revision !== refused.revision || said.reason !== refused.reason) deps.refused(refused);
			return false;
		}
		const old = inForce;
		const next = bringIntoForce(artifact, catalog, decision, old, clock.now());
		await rememberAdmitted(store, next.summary);
		inForce = next;
		refused = null;
		await reportStalled(next, { store, clock });
		deps.admitted(old, next);
		return true;
	};

	return {
		poll: (signal) => {
			const mine = looking.then(() => look(signal));
			looking = mine.catch(() => {});
			return mine;
		},
		inForce: () => inForce,
		state: () => ({ refused, sourceError }),
	};
}

function refusedBy(decision: Extract<Admission, { admitted: false }>, revision: string): Refused {
	const { reason, message, findings, byWord } = decision;
	return { revision, reason, message, findings, byWord };
}

const UNDECLARED = {
	reason: "AccountUndeclared",
	message: "no Account says its accountId: a controller acts only where git says, so write platform/accounts.yaml",
};
