import type { Store } from "../model/ports.ts";
import type { Admitted } from "./admission.ts";

/** Control state: the last revision that came into force, for a controller with an empty memory. */
const ADMITTED = "admitted-revision";
/** Control state: the revision that a person admitted by name (`ecs-access admit`). */
export const ADMIT_WORD = "admit-word";

export async function readAdmitted(store: Store): Promise<Admitted | null> {
	return ((await store.getControl(ADMITTED))?.value as Admitted | undefined) ?? null;
}

export async function rememberAdmitted(store: Store, admitted: Admitted): Promise<void> {
	const before = await store.getControl(ADMITTED);
	// Whoever was first held the lease before us or after us: it writes its own.
	await store.putControl(ADMITTED, admitted, before?.version ?? 0);
}

/** The revision that a person accepts, whatever it lost; null: nobody said so. */
export async function admitWord(store: Store): Promise<string | null> {
	const word = (await store.getControl(ADMIT_WORD))?.value as { readonly revision?: unknown } | undefined;
	return typeof word?.revision === "string" ? word.revision : null;
}
