import type { Status } from "../model/status.ts";
import { age } from "./table.ts";

/** Status of the Ready condition; Unknown where there is none. */
export function readyOf(status: Status): "True" | "False" | "Unknown" {
	return status.conditions.find((c) => c.type === "Ready")?.status ?? "Unknown";
}

/** The STATUS column: what was done carries how long ago, what waits stands as it is. */
export function statusWords(status: Status, now: string): string {
	const last = status.inventory
		.flatMap((e) => (e.appliedAt === null ? [] : [e.appliedAt]))
		.sort()
		.at(-1);
	const done = /^(healed|created|updated|applied|adopted|taken over|renamed|expired|retired|deleted)$/.test(status.summary);
	return done && last !== undefined ? `${status.summary} ${age(last, now)} ago` : status.summary;
}

/** `3f2a91c` of a commit; a content digest loses its prefix as well. */
export function shortRevision(revision: string | null): string {
	return revision === null ? "-" : revision.replace(/^sha256:/, "").slice(0, 7);
}

/** The kind and the rest of a key. */
export function splitKey(key: string): { readonly kind: string; readonly name: string } {
	const at = key.indexOf("/");
	return { kind: key.slice(0, at), name: key.slice(at + 1) };
}
