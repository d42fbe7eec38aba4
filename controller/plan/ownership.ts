import type { RoleWanted } from "../model/desired.ts";
import type { Instant, ResourceKey, Tags } from "../model/ids.ts";
import { isMark, MARK } from "../model/marks.ts";
import type { Change, Why } from "../model/plan.ts";
import type { Origin } from "../model/resource.ts";
import type { Existing, Owner } from "../model/target.ts";
import { change, PHASE, type PhasedDraft } from "./draft.ts";

/** Who asks: what our marks would say. */
export interface Claim {
	readonly installation: string;
	readonly source: string;
	readonly previousSources: readonly string[];
	/** Instance key; the mark leaves out the account. */
	readonly key: ResourceKey;
	/** Whether a resource is still in git, valid or not, by the key of an owner mark. */
	readonly inGit: (owner: ResourceKey) => boolean;
	readonly origin: Origin;
}

export type Ownership =
	| { readonly ours: true; readonly drafts: readonly PhasedDraft[]; readonly adopted: boolean }
	| { readonly ours: false; readonly detail: string; readonly advice?: string; readonly command?: string };

/** `Kind/name` of an instance key: no mark names an account, since the role lies in it. */
function ownerMark(key: ResourceKey): ResourceKey {
	const at = key.indexOf("@", key.indexOf("/"));
	return at < 0 ? key : key.slice(0, at);
}

export function marksOf(claim: Pick<Claim, "installation" | "source" | "key">, deletion: string): Tags {
	return {
		[MARK.installation]: claim.installation,
		[MARK.owner]: ownerMark(claim.key),
		[MARK.source]: claim.source,
		[MARK.deletion]: deletion,
	};
}

/**
 * Whether an existing role may be touched, and the tag calls that say it is ours (ARCHITECTURE.md, Ownership). What lacks
 * our mark is taken over only by `adopt: true`; what bears somebody else's is never touched, and they are named.
 */
export function ownership(role: Existing<"iam.role">, wanted: RoleWanted, claim: Claim): Ownership {
	const name = role.target.name;
	const { owner } = role;
	if (owner === null) {
		if (!wanted.adopt) {
			return {
				ours: false,
				detail: `${name} is not ours and carries our name: ${place(claim.origin)} wants it; adopt: true takes it over`,
			};
		}
		const tags = { ...marksOf(claim, wanted.deletion), [MARK.adopted]: "true" };
		return { ours: true, adopted: true, drafts: [tagRole(role, tags, "adopted", claim.origin)] };
	}
	const foreign = foreignOwner(owner, wanted, claim);
	if (foreign !== null) return { ours: false, ...foreign, detail: `${name} ${foreign.detail}` };
	const why: Why = owner.owner === ownerMark(claim.key) && owner.source === claim.source ? "spec-changed" : "renamed";
	const tags = differing(role.state.tags, marksOf(claim, wanted.deletion));
	const drafts: PhasedDraft[] = [];
	if (Object.keys(tags).length > 0) drafts.push(tagRole(role, tags, why, claim.origin));
	if (owner.retiredAt !== null) drafts.push(untagRole(role, [MARK.retiredAt], why, claim.origin));
	return { ours: true, adopted: owner.adopted, drafts };
}

/** Null: it is ours, or is ours to take over by a rename. Else who owns it and what to do. */
function foreignOwner(owner: Owner, wanted: RoleWanted, claim: Claim): Omit<Extract<Ownership, { ours: false }>, "ours"> | null {
	// To know the line takes reading the YAML again, so it is looked up for a message only.
	const at = (): string => place(claim.origin);
	if (owner.installation !== claim.installation) {
		return {
			detail: `belongs to installation ${owner.installation} (${owner.owner}); ${at()} wants it for installation ${claim.installation}: forget it there first`,
		};
	}
	if (owner.source !== claim.source && !claim.previousSources.includes(owner.source)) {
		return {
			detail: `belongs to source ${owner.source} (${owner.owner}); ${at()} wants it for source ${claim.source}`,
			advice: `if source ${owner.source} was this repository, write into spec of the Installation; else forget it there first`,
			command: `previousSources: ${JSON.stringify([...claim.previousSources, owner.source])}`,
		};
	}
	const mine = ownerMark(claim.key);
	if (owner.owner === mine) return null;
	if (claim.inGit(owner.owner))
		return { detail: `belongs to ${owner.owner}, which is still in git; ${at()} wants it for ${mine}: only one may` };
	if (wanted.renamedFrom !== null && ownerMark(wanted.renamedFrom) === owner.owner) return null;
	return {
		detail: `belongs to ${owner.owner}, which is in git no more; ${at()} wants it for ${mine}`,
		advice: "if it was renamed, write into metadata.annotations of the policy",
		command: `ecs-access.dev/renamed-from: ${owner.owner.slice(owner.owner.indexOf("/") + 1)}`,
	};
}

/** What of `wanted` the live tags do not say; keys are case-insensitive on roles (aws-facts §2). */
export function differing(live: Tags, wanted: Tags): Tags {
	const lower = new Map(Object.entries(live).map(([k, v]) => [k.toLowerCase(), v]));
	return Object.fromEntries(Object.entries(wanted).filter(([k, v]) => lower.get(k.toLowerCase()) !== v));
}

export function tagRole(
	role: { readonly target: { readonly name: string }; readonly state: { readonly tags: Tags } },
	tags: Tags,
	why: Why,
	origin: Origin | null,
	phase: PhasedDraft["phase"] = PHASE.own,
): PhasedDraft {
	const lower = new Map(Object.entries(role.state.tags).map(([k, v]) => [k.toLowerCase(), v]));
	const diff = Object.entries(tags).map(([key, to]): Change => {
		const from = lower.get(key.toLowerCase()) ?? null;
		return change(from === null ? "+" : "~", isMark(key) ? "ownership mark" : "tag", key, { from, to, origin });
	});
	return { call: { api: "iam:TagRole", input: { RoleName: role.target.name, Tags: tags } }, why, phase, diff, state: "ready" };
}

/** Only keys that the role has are named, as it spells them. */
export function untagRole(
	role: { readonly target: { readonly name: string }; readonly state: { readonly tags: Tags } },
	keys: readonly string[],
	why: Why,
	origin: Origin | null,
	phase: PhasedDraft["phase"] = PHASE.own,
): PhasedDraft {
	const gone = new Set(keys.map((k) => k.toLowerCase()));
	const present = Object.entries(role.state.tags).filter(([k]) => gone.has(k.toLowerCase()));
	return {
		call: { api: "iam:UntagRole", input: { RoleName: role.target.name, TagKeys: present.map(([k]) => k) } },
		why,
		phase,
		diff: present.map(([k, from]) => change("-", isMark(k) ? "ownership mark" : "tag", k, { from, origin })),
		state: "ready",
	};
}

/** A hold is in force until its time; a time that cannot be read holds for ever, since somebody meant it to. */
export function isHeld(holdUntil: Instant | null, now: Instant): boolean {
	if (holdUntil === null) return false;
	const until = Date.parse(holdUntil);
	return Number.isNaN(until) || until > Date.parse(now);
}

function place(origin: Origin): string {
	return `${origin.path}:${origin.line}`;
}
