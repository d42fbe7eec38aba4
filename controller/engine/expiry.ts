import type {
	AccessGrantSpec,
	AccessPolicySpec,
	ApprovalSpec,
	GuardrailSpec,
	PermissionSetSpec,
	StatementSpec,
} from "../model/generated/specs.ts";
import type { Pause } from "../model/halt.ts";
import type { ResourceKey } from "../model/ids.ts";
import type { Instance } from "../model/kind.ts";
import type { Clock } from "../model/ports.ts";
import { nextThaw, type Window, windowsOf } from "../plan/windows.ts";
import type { Catalog } from "./catalog.ts";

/** Something begins or ends then, and nothing but the clock says so. */
export interface Moment {
	/** Whose; null: of everything. */
	readonly key: ResourceKey | null;
	/** Milliseconds since the epoch. */
	readonly at: number;
}

type Dated = Pick<Catalog, "view" | "instances">;

/** What of a catalog hangs on the clock. */
export interface Dates {
	/** In order. */
	readonly moments: readonly Moment[];
	readonly windows: readonly Window[];
}

/**
 * Every time that the documents in force name: grants that begin or end, statements that end, exceptions of guardrails and
 * Approvals that do; and the windows of the Installation, which go on for ever. Pure.
 */
export function datesOf({ view, instances }: Dated): Dates {
	const moments: Moment[] = [];
	const add = (key: ResourceKey | null, time: string | undefined): void => {
		const at = time === undefined ? Number.NaN : Date.parse(time);
		if (!Number.isNaN(at)) moments.push({ key, at });
	};
	const ends = (statements: readonly StatementSpec[] | undefined): readonly (string | undefined)[] =>
		(statements ?? []).map((s) => s.expiresAt);
	const policies = Map.groupBy(
		instances.filter((i): i is Instance<AccessPolicySpec> => i.resource.kind === "AccessPolicy"),
		(i) => i.resource.metadata.name,
	);
	const keysOf = (policy: string): readonly ResourceKey[] => (policies.get(policy) ?? []).map((i) => i.key);
	const sets = new Map(view.ofKind<PermissionSetSpec>("PermissionSet").map((s) => [s.metadata.name, ends(s.spec.statements)]));
	for (const i of [...policies.values()].flat()) {
		for (const role of [i.resource.spec.taskRole, i.resource.spec.executionRole]) {
			for (const time of ends(role?.statements)) add(i.key, time);
			for (const { name } of role?.permissionSets ?? []) for (const time of sets.get(name) ?? []) add(i.key, time);
		}
	}
	for (const { spec } of view.ofKind<AccessGrantSpec>("AccessGrant")) {
		for (const key of keysOf(spec.policyRef)) {
			for (const time of [spec.startsAt, spec.expiresAt, ...ends(spec.statements)]) add(key, time);
		}
	}
	for (const { spec } of view.ofKind<GuardrailSpec>("Guardrail")) {
		for (const e of spec.exceptions ?? []) for (const key of keysOf(e.policy)) add(key, e.expiresAt);
	}
	// Whose steps an Approval released, only a plan knows.
	for (const { spec } of view.ofKind<ApprovalSpec>("Approval")) add(null, spec.expiresAt);
	return { moments: moments.sort((a, b) => a.at - b.at), windows: windowsOf(view) };
}

/** The moments after `afterMs`, in order, with the next end of a freeze among them. Pure. */
export function nextMoments({ moments, windows }: Dates, afterMs: number): readonly Moment[] {
	const thaw = windows.length === 0 ? null : nextThaw(windows, afterMs);
	const rest = moments.filter((m) => m.at > afterMs);
	return thaw === null ? rest : [...rest, { key: null, at: thaw }].sort((a, b) => a.at - b.at);
}

export interface ExpiryDeps {
	readonly clock: Clock;
	/** What is in force; null: nothing yet. Asked again each time, and looked through once for each. */
	readonly catalog: () => Dated | null;
	/** The pause that the last pass found; null: none. */
	readonly paused: () => Pause | null;
	/** Reads it afresh; asked only while paused. */
	readonly readPause: () => Promise<Pause | null>;
	/** Asks for a pass over a key, or over everything. One too many does no harm. */
	readonly fire: (key: ResourceKey | null) => void;
}

/**
 * However far the next moment is: a clock that was set, a machine that slept, another revision and the end of a pause are
 * noticed within this. A look costs nothing but where something has changed.
 */
const LOOK_MS = 5_000;

/**
 * Asks for passes when the clock alone changes what is to be done: at the moments of the catalog, and when a pause ends,
 * by itself or by a person. What has passed before the first look is the first resync's. Runs until aborted, then resolves.
 */
export function createExpiryTimers(deps: ExpiryDeps): { readonly run: (signal: AbortSignal) => Promise<void> } {
	const { clock } = deps;
	let held: { readonly catalog: Dated; readonly dates: Dates; next: readonly Moment[] } | null = null;
	let seen = 0;
	/** The beginning of a pause whose end was told: it takes a pass until that is seen. */
	let told: string | null = null;

	/** What has come since the last look. */
	const due = (now: number): readonly Moment[] => {
		const catalog = deps.catalog();
		if (catalog === null) held = null;
		else if (held?.catalog !== catalog) {
			const dates = datesOf(catalog);
			held = { catalog, dates, next: nextMoments(dates, seen) };
		}
		if (held === null) return [];
		const come = held.next.filter((m) => m.at <= now);
		// A clock that was set back passes the same moments again, and tells them again.
		if (come.length > 0 || now < seen) held.next = nextMoments(held.dates, now);
		return come;
	};
	const hasEnded = async (pause: Pause): Promise<boolean> => {
		if (told === pause.since) return false;
		// A store that cannot be read says nothing, and is asked again.
		const now = await deps.readPause().catch(() => pause);
		if (now !== null) return false;
		told = pause.since;
		return true;
	};

	return {
		run: async (signal) => {
			seen = clock.millis();
			while (!signal.aborted) {
				const now = clock.millis();
				const keys = new Set(due(now).map((m) => m.key));
				seen = now;
				const pause = deps.paused();
				if (keys.has(null) || (pause !== null && (await hasEnded(pause)))) deps.fire(null);
				else for (const key of keys) deps.fire(key);
				// Reading the pause may have taken its time.
				const left = Math.min((held?.next[0]?.at ?? Number.POSITIVE_INFINITY) - clock.millis(), LOOK_MS);
				if (left > 0) await clock.sleep(left, signal).catch(() => {});
			}
		},
	};
}
