import type { RoleDetail } from "@aws-sdk/client-iam";
import { applyCall } from "../model/apply-call.ts";
import { roleFingerprint } from "../model/fingerprint.ts";
import type { Arn, Digest } from "../model/ids.ts";
import type { StepCall } from "../model/plan.ts";
import type { Clock } from "../model/ports.ts";
import type { RoleState } from "../model/target.ts";
import { awsCode } from "./errors.ts";
import type { CallAws } from "./operations.ts";
import { type LiveRole, liveRole, readRole } from "./role-read.ts";

/**
 * The roles of one account, as read in this pass. Plans read through `many` and `all`, where what was read once is
 * remembered; writes read through `forWrite`, where nothing older than five seconds counts, and nothing from a sweep.
 */
export interface Roles {
	/** In the order asked; undefined: no such role. */
	readonly many: (names: readonly string[], signal: AbortSignal) => Promise<readonly (LiveRole | undefined)[]>;
	/** Every role whose raw form passes `filter`, one at a time; the others are not even parsed. */
	readonly all: (filter: (role: RoleDetail) => boolean, signal: AbortSignal) => AsyncIterable<LiveRole>;
	/** By a single read under 5 s old, or after a write of ours what that read and the write make together. */
	readonly forWrite: (name: string, signal: AbortSignal) => Promise<LiveRole | undefined>;
	/** What was read before counts for no write any more. */
	readonly readAgain: () => void;
	/** Reads now, whatever is remembered. */
	readonly reread: (name: string, signal: AbortSignal) => Promise<LiveRole | undefined>;
	/** A write of ours succeeded; `arn` where it created the role. */
	readonly wrote: (name: string, call: StepCall, arn: Arn | undefined) => void;
	/** The state that had this fingerprint, if it was seen in this pass. */
	readonly seen: (name: string, fingerprint: Digest) => RoleState | undefined;
	/** The fingerprint before our own latest write: a read that still shows it is stale (aws-facts §3.3). */
	readonly beforeOurWrite: (name: string) => Digest | null | undefined;
	/** Roles read in this pass. */
	readonly count: () => number;
}

/** A read this old still counts as "immediately before writing" (ARCHITECTURE.md, Applying safely). */
const FRESH_MS = 5_000;
/** Up to here single reads, of about 5 calls each, are less work for AWS than its smallest useful page. */
const SINGLE_READS = 8;
const PAGE = 1_000;

export function createRoles(deps: {
	readonly call: CallAws;
	readonly clock: Clock;
	readonly progress: (done: number) => void;
	/** Nothing will be written by it: what a sweep read is parsed each time it is asked for, and not kept. */
	readonly lean?: boolean;
}): Roles {
	const { call, clock } = deps;
	/** Single reads, and what our writes made of them; wins over the sweep. */
	const single = new Map<string, { readonly role: LiveRole | undefined; readonly readAt: number; readonly round: number }>();
	let round = 0;
	const reading = new Map<string, Promise<LiveRole | undefined>>();
	const states = new Map<string, Map<Digest, RoleState>>();
	const before = new Map<string, Digest | null>();
	const parsed = new Map<string, LiveRole>();
	let sweep: Promise<ReadonlyMap<string, RoleDetail>> | undefined;
	let swept: ReadonlyMap<string, RoleDetail> | undefined;

	const remember = (key: string, role: LiveRole | undefined): LiveRole | undefined => {
		if (role === undefined) return role;
		const known = states.get(key) ?? new Map<Digest, RoleState>();
		known.set(role.fingerprint, role.state);
		states.set(key, known);
		return role;
	};
	const reread = async (name: string, signal: AbortSignal): Promise<LiveRole | undefined> => {
		const key = name.toLowerCase();
		// The age counts from when the question was asked.
		const asked = { readAt: clock.millis(), round };
		const role = remember(key, await readRole(call, name, signal));
		single.set(key, { role, ...asked });
		return role;
	};
	const one = (name: string, signal: AbortSignal): Promise<LiveRole | undefined> => {
		const key = name.toLowerCase();
		const known = single.get(key);
		if (known !== undefined) return Promise.resolve(known.role);
		const inFlight = reading.get(key) ?? reread(name, signal).finally(() => reading.delete(key));
		reading.set(key, inFlight);
		return inFlight;
	};
	const swept_ = (signal: AbortSignal): Promise<ReadonlyMap<string, RoleDetail>> => {
		sweep ??= readAll(call, deps.progress, signal).then(
			(all) => {
				swept = all;
				return all;
			},
			(error) => {
				sweep = undefined;
				throw error;
			},
		);
		return sweep;
	};
	const fromSweep = (key: string, detail: RoleDetail): LiveRole => {
		const known = parsed.get(key);
		if (known !== undefined) return known;
		const role = liveRole(detail);
		if (deps.lean === true) return role;
		parsed.set(key, role);
		return remember(key, role) ?? role;
	};
	return {
		many: async (names, signal) => {
			if (names.length === 0) return [];
			const unknown = new Set(names.map((n) => n.toLowerCase()).filter((key) => !single.has(key)));
			if (unknown.size > 0 && (sweep !== undefined || unknown.size > SINGLE_READS)) {
				const all = await swept_(signal).catch((error: unknown) => {
					// Whoever may read single roles but not all of them pays with more calls.
					if (awsCode(error) === "AccessDenied") return undefined;
					throw error;
				});
				if (all !== undefined) {
					return names.map((name) => {
						const key = name.toLowerCase();
						const known = single.get(key);
						if (known !== undefined) return known.role;
						const detail = all.get(key);
						return detail === undefined ? undefined : fromSweep(key, detail);
					});
				}
			}
			return Promise.all(names.map((name) => one(name, signal)));
		},
		all: async function* (filter, signal) {
			for (const [key, detail] of await swept_(signal)) {
				if (!single.has(key) && filter(detail)) yield fromSweep(key, detail);
			}
			for (const { role } of single.values()) if (role !== undefined && filter(rawTags(role))) yield role;
		},
		forWrite: async (name, signal) => {
			const known = single.get(name.toLowerCase());
			const counts = known !== undefined && known.round === round && clock.millis() - known.readAt < FRESH_MS;
			return counts ? known.role : reread(name, signal);
		},
		readAgain: () => {
			round += 1;
		},
		reread,
		wrote: (name, written, arn) => {
			const key = name.toLowerCase();
			const known = single.get(key);
			const state = applyCall(known?.role?.state ?? null, written);
			before.set(key, known?.role?.fingerprint ?? null);
			const role: LiveRole | undefined =
				state === null
					? undefined
					: {
							name,
							arn: arn ?? known?.role?.arn ?? "",
							state,
							fingerprint: roleFingerprint(state),
							lastUsed: known?.role?.lastUsed ?? null,
							unreadable: known?.role?.unreadable ?? null,
						};
			// The time of the read stays: writing does not make us see what others did. A role just created is wholly ours.
			const { readAt, round: read } =
				arn === undefined && known !== undefined ? known : { readAt: arn === undefined ? 0 : clock.millis(), round };
			single.set(key, { role: remember(key, role), readAt, round: read });
		},
		seen: (name, fingerprint) => states.get(name.toLowerCase())?.get(fingerprint),
		beforeOurWrite: (name) => before.get(name.toLowerCase()),
		count: () => new Set([...(swept?.keys() ?? []), ...single.keys()]).size,
	};
}

/** Every role of the account: 1,000 a page, one sweep a pass (aws-facts §3.2). A boundary may be missing in it. */
async function readAll(
	call: CallAws,
	progress: (done: number) => void,
	signal: AbortSignal,
): Promise<ReadonlyMap<string, RoleDetail>> {
	const all = new Map<string, RoleDetail>();
	let marker: string | undefined;
	do {
		const page = await call(
			"iam:GetAccountAuthorizationDetails",
			"global",
			{ Filter: ["Role"], MaxItems: PAGE, ...(marker !== undefined && { Marker: marker }) },
			signal,
		);
		for (const role of page.RoleDetailList ?? []) if (role.RoleName !== undefined) all.set(role.RoleName.toLowerCase(), role);
		progress(all.size);
		marker = page.IsTruncated === true ? page.Marker : undefined;
	} while (marker !== undefined);
	return all;
}

function rawTags(role: LiveRole): RoleDetail {
	return { RoleName: role.name, Tags: Object.entries(role.state.tags).map(([Key, Value]) => ({ Key, Value })) };
}
