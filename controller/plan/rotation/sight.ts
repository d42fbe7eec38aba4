import type { Desired } from "../../model/desired.ts";
import type { Instant, ResourceKey } from "../../model/ids.ts";
import { instantAt } from "../../model/instant.ts";
import type { Consumers, RotationWanted } from "../../model/rotation.ts";
import type { RotationAsk } from "../../model/rotation-ask.ts";
import { markOf, type RotationMark, rotationId } from "../../model/rotation-marks.ts";
import { dueAt, nextDue, windowOpen, windowOpens } from "../../model/rotation-schedule.ts";
import { type SecretState, versionWith } from "../../model/secret-state.ts";
import type { Existing } from "../../model/target.ts";

/** Everything that the planning of one rotation looks at, with the names that its rules use. */
export interface Sight {
	readonly d: Desired<"secretsmanager.secret">;
	readonly wanted: RotationWanted;
	readonly secret: Existing<"secretsmanager.secret">;
	readonly state: SecretState;
	readonly key: ResourceKey;
	/** `installation/SecretRotation/name`, as the owner mark says it. */
	readonly owner: string;
	readonly installation: string;
	/** By AWS's clock where it told: what is compared with it are times of AWS. */
	readonly now: Instant;
	readonly nowMs: number;
	readonly mark: (mark: RotationMark) => string | null;
	/** Versions, by their labels. */
	readonly current: string | null;
	readonly pending: string | null;
	/** The rotation that is under way; null: none is. */
	readonly id: string | null;
	/** The new one is current, and since when is marked. */
	readonly promoted: boolean;
	readonly ask: RotationAsk | null;
	/** Who uses the secret; null: not asked, or it cannot be read. */
	readonly consumers: Consumers | null;
	/** Why that cannot be read. */
	readonly unread: string | null;
}

/** What is known of a secret before its consumers are looked at. */
export interface Glance {
	readonly installation: string;
	readonly key: ResourceKey;
	readonly now: Instant;
	readonly ask: RotationAsk | null;
}

export function sightOf(
	d: Desired<"secretsmanager.secret">,
	secret: Existing<"secretsmanager.secret">,
	glance: Glance,
	seen: { readonly consumers: Consumers | null; readonly unread: string | null },
): Sight {
	const { state } = secret;
	const id = markOf(state.tags, "id");
	const current = versionWith(state, "AWSCURRENT");
	return {
		d,
		wanted: d.wanted,
		secret,
		state,
		key: glance.key,
		owner: `${glance.installation}/${glance.key}`,
		installation: glance.installation,
		now: state.toldAt ?? glance.now,
		nowMs: Date.parse(state.toldAt ?? glance.now),
		mark: (mark) => markOf(state.tags, mark),
		current,
		pending: versionWith(state, "AWSPENDING"),
		id,
		promoted: id !== null && current === id && markOf(state.tags, "promotedVersion") === id,
		ask: glance.ask,
		...seen,
	};
}

/** Why a rotation begins, and the id that it will have. */
export interface Cause {
	readonly id: string;
	readonly at: Instant;
	readonly words: string;
	/** Somebody else has already made the new value current: it is rolled, and nothing else. */
	readonly made: boolean;
	/** A schedule waits for its window; who asks does not. */
	readonly scheduled: boolean;
	/** Somebody asked for it, at `at`. */
	readonly asked: boolean;
}

/** What makes this secret rotate now; null: nothing does. Says nothing of one that is under way. */
export function causeOf(s: Sight): Cause | null {
	return changedElsewhere(s) ?? askedFor(s) ?? due(s);
}

/** The marks of one that has ended say which value was rolled out last. */
function changedElsewhere(s: Sight): Cause | null {
	const { type } = s.wanted.strategy;
	const known = s.mark("promotedVersion");
	if (s.current === null || known === s.current) return null;
	// Where nothing is known yet, what we make ourselves begins with what is there.
	if (known === null && (type === "generate" || type === "oauthClient")) return null;
	const by = type === "external" || type === "lambda" ? "" : ", not by this program";
	const words = known === null ? "seen for the first time" : `a new value was made current${by}`;
	return { id: s.current, at: s.state.currentMadeAt ?? s.now, words, made: true, scheduled: false, asked: false };
}

function askedFor(s: Sight): Cause | null {
	if (s.ask === null || s.wanted.strategy.type === "external") return null;
	const { at, by, reason } = s.ask;
	const id = idAt(s, at);
	if (at === s.mark("asked") || id === s.mark("last") || id === s.id) return null;
	const words = `asked for by ${by}${reason === null ? "" : `: ${reason}`}`;
	return { id, at, words, made: false, scheduled: false, asked: true };
}

function due(s: Sight): Cause | null {
	const { schedule, strategy } = s.wanted;
	if (schedule === null || strategy.type === "external") return null;
	const ms = dueAt(schedule, sinceMs(s), s.key, s.nowMs);
	if (ms === null) return null;
	const at = instantAt(ms);
	const id = idAt(s, at);
	if (id === s.mark("last") || id === s.id) return null;
	return { id, at, words: `due since ${at}`, made: false, scheduled: true, asked: false };
}

function idAt(s: Sight, at: Instant): string {
	return rotationId({ installation: s.installation, key: s.key, secret: s.secret.arn, at });
}

/** When the value in use was made, as far as is known. */
function sinceMs(s: Sight): number {
	return Date.parse(s.mark("promotedAt") ?? s.mark("rotatedAt") ?? s.state.createdAt ?? s.now);
}

/** The next moment at which one is due; null: only when asked. */
export function nextAt(s: Sight): Instant | null {
	const { schedule, strategy } = s.wanted;
	if (schedule === null || strategy.type === "external") return null;
	const ms = nextDue(schedule, sinceMs(s), s.key, s.nowMs);
	return ms === null ? null : instantAt(ms);
}

/** Null: the window is open, or there is none. */
export function windowOpensAt(s: Sight): Instant | null {
	const { schedule } = s.wanted;
	if (schedule === null || windowOpen(schedule, s.key, s.nowMs)) return null;
	const ms = windowOpens(schedule, s.key, s.nowMs);
	return ms === null ? null : instantAt(ms);
}
