import { type Recurrence, recurrence } from "../model/cron.ts";
import { durationMs } from "../model/duration.ts";
import type { InstallationSpec, WindowSpec } from "../model/generated/specs.ts";
import type { Instant } from "../model/ids.ts";
import { instantAt } from "../model/instant.ts";
import type { CatalogView } from "../model/kind.ts";
import type { Origin } from "../model/resource.ts";

/** A window of the Installation, ready to be asked. */
export interface Window {
	readonly spec: WindowSpec;
	readonly origin: Origin;
	readonly begins: Recurrence;
	readonly lengthMs: number;
}

export interface Freeze {
	/** When changes go on again; null: no end is in sight. */
	readonly until: Instant | null;
	/** The Deny window that freezes; outside of every Allow window, the first of these. */
	readonly window: Window;
}

/** Far beyond any end that a person would wait for; windows that freeze without a gap have none. */
const LOOK_AHEAD = 200;

/** The windows of the Installation in force, which is checked: its expressions are valid. */
export function windowsOf(view: CatalogView): readonly Window[] {
	const [installation] = view.ofKind<InstallationSpec>("Installation");
	return (installation?.spec.windows ?? []).map((spec, n) => ({
		spec,
		origin: installation?.at(["spec", "windows", n]) ?? { path: "", line: 1, column: 1 },
		begins: recurrence(spec.cron, spec.timeZone ?? "UTC"),
		lengthMs: durationMs(spec.duration) ?? 0,
	}));
}

/**
 * Whether changes are frozen at a moment, and until when: inside of any Deny window, and, where there are Allow windows,
 * outside of all of them; Deny wins. A window begins by the wall clock of its time zone and lasts as long as it says, also
 * over a change of the clocks; its end is no part of it. Null: changes go on.
 */
export function freezeAt(windows: readonly Window[], atMs: number): Freeze | null {
	const window = freezing(windows, atMs);
	if (window === null) return null;
	const until = thawsAt(windows, atMs);
	return { until: until === null ? null : instantOf(until), window };
}

/** When the freeze that holds, or else the next one, ends: what waits for it can then go on. Null: none is in sight. */
export function nextThaw(windows: readonly Window[], afterMs: number): number | null {
	let at = afterMs;
	for (let n = 0; n < LOOK_AHEAD; n++) {
		if (freezing(windows, at) !== null) return thawsAt(windows, at);
		const edges = windows.flatMap((w) => {
			const edge = w.spec.kind === "Deny" ? w.begins.next(at) : endOf(w, at);
			return edge === null ? [] : [edge];
		});
		if (edges.length === 0) return null;
		at = Math.min(...edges);
	}
	return null;
}

function freezing(windows: readonly Window[], at: number): Window | null {
	const denies = windows.find((w) => w.spec.kind === "Deny" && endOf(w, at) !== null);
	if (denies !== undefined) return denies;
	const allows = windows.filter((w) => w.spec.kind === "Allow");
	return allows.some((w) => endOf(w, at) !== null) ? null : (allows[0] ?? null);
}

/** The first moment from `from` on at which nothing freezes; null: none is in sight. */
function thawsAt(windows: readonly Window[], from: number): number | null {
	let at = from;
	for (let n = 0; n < LOOK_AHEAD; n++) {
		const window = freezing(windows, at);
		if (window === null) return at;
		const later =
			window.spec.kind === "Deny"
				? [endOf(window, at)]
				: windows.filter((w) => w.spec.kind === "Allow").map((w) => w.begins.next(at));
		const known = later.filter((x) => x !== null);
		if (known.length === 0) return null;
		at = Math.min(...known);
	}
	return null;
}

/** When the window that is open at a moment ends, as its latest beginning says it; null: it is not open. */
function endOf(w: Window, at: number): number | null {
	const began = w.begins.last(at);
	if (began === null || began + w.lengthMs <= at) return null;
	return began + w.lengthMs;
}

function instantOf(ms: number): Instant | null {
	// Beyond what a Date can say nobody waits for an end.
	return Math.abs(ms) > 8.64e15 ? null : instantAt(ms);
}
