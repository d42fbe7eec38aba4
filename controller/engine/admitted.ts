import type { Instant } from "../model/ids.ts";
import type { Clock, Store } from "../model/ports.ts";
import type { Admitted, Loss } from "./admission.ts";
import { controlEntry, type PauseWord } from "./pause.ts";

/** Control state: the last revision that came into force, for a controller with an empty memory. */
const ADMITTED = "admitted-revision";
/** Control state: the revision that a person admitted by name (`ecs-access admit`). */
const ADMIT_WORD = "admit-word";

/** A person's word for one revision, over the one that was in force when it was given. It ends when another is admitted. */
export interface AdmitWord {
	readonly revision: string;
	readonly over: string;
	readonly by: string;
	readonly reason: string;
	readonly at: Instant;
}

export async function readAdmitted(store: Store): Promise<Admitted | null> {
	return ((await store.getControl(ADMITTED))?.value as Admitted | undefined) ?? null;
}

export async function rememberAdmitted(store: Store, admitted: Admitted): Promise<void> {
	const before = await store.getControl(ADMITTED);
	// Whoever was first held the lease before us or after us: it writes its own.
	await store.putControl(ADMITTED, admitted, before?.version ?? 0);
}

/** A revision that did not come into force, for whoever asks how things stand. */
export interface RefusedRevision {
	readonly revision: string;
	/** CamelCase. */
	readonly reason: string;
	readonly message: string;
	/** A person's word can accept it. */
	readonly byWord: boolean;
	readonly at: Instant;
}

/** Control state: the newest revision, where it was refused. */
const REFUSED = "refused-revision";

export async function readRefused(store: Pick<Store, "getControl">): Promise<RefusedRevision | null> {
	return ((await store.getControl(REFUSED))?.value as RefusedRevision | null | undefined) ?? null;
}

/** Null: the newest revision is in force. */
export async function rememberRefused(store: Store, refused: Omit<RefusedRevision, "at"> | null, at: Instant): Promise<void> {
	const before = await store.getControl(REFUSED);
	if (refused === null && (before?.value ?? null) === null) return;
	const words = ({ revision, reason, message, byWord }: Omit<RefusedRevision, "at">): RefusedRevision => ({
		revision,
		reason,
		message,
		byWord,
		at,
	});
	await store.putControl(REFUSED, refused === null ? null : words(refused), before?.version ?? 0);
}

/** The revision that a person accepts, whatever it lost; null: nobody said so of what would follow the one in force. */
export async function admitWord(store: Pick<Store, "getControl">): Promise<string | null> {
	const word = (await store.getControl(ADMIT_WORD))?.value as Partial<Record<keyof AdmitWord, unknown>> | null | undefined;
	if (typeof word?.revision !== "string") return null;
	const admitted = (await store.getControl(ADMITTED))?.value as Admitted | undefined;
	return word.over === admitted?.revision ? word.revision : null;
}

/** Words of several people at once: each sees what it replaces, and the last holds. */
const ROUNDS = 5;

/** Gives the word for `revision`, over the one that is in force now; recorded in the history. Needs no lease: it writes nothing to AWS. */
export async function giveAdmitWord(
	store: Store,
	word: PauseWord,
	what: { readonly revision: string; readonly before: Admitted; readonly losses: readonly Loss[] },
	clock: Clock,
): Promise<void> {
	const { revision, before, losses } = what;
	const value: AdmitWord = { revision, over: before.revision, by: word.by, reason: word.reason, at: clock.now() };
	for (let round = 0; round < ROUNDS; round++) {
		const held = await store.getControl(ADMIT_WORD);
		if (!(await store.putControl(ADMIT_WORD, value, held?.version ?? 0))) continue;
		// A store that remembers nothing stays so: that it does is how a lost one is told from a new one (lost-memory.ts).
		if (await store.empty()) return;
		const after = { revision, accepts: losses.map((l) => l.reason) };
		const entry = controlEntry(word, clock, { event: "admitted", before: { revision: before.revision }, after });
		await store.append([{ ...entry, revision }]);
		return;
	}
	throw new Error("the word for a revision is being written by somebody else again and again");
}
