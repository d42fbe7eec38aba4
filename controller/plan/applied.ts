import type { RoleWanted, WantedStatement } from "../model/desired.ts";
import { stableJson } from "../model/digest.ts";
import type { Arn, Tags } from "../model/ids.ts";
import type { InventoryEntry } from "../model/status.ts";
import { canonicalDocument } from "../policy/canonical.ts";
import type { PolicyDocument, Statement } from "../policy/document.ts";

/** What an InventoryEntry remembers of a role: what git said when it was last fully applied. */
export interface AppliedRole {
	readonly inline: PolicyDocument;
	readonly managedPolicies: readonly Arn[];
	readonly trust: PolicyDocument | null;
	readonly permissionsBoundary: Arn | "none" | null;
	readonly tags: Tags;
}

/**
 * What git says of a role, given whether it was taken over: deleting the line `adopt: true` later changes nothing, so where
 * git is silent the trust of an adopted role is not ours to compare (KINDS.md, Taken-over roles).
 */
export function wantedOf(wanted: RoleWanted, adopted: boolean): RoleWanted {
	return wanted.trustIsDefault === true && adopted ? { ...wanted, trust: null } : wanted;
}

/** For `InventoryEntry.applied`, when everything that `wanted` asks has been applied; or from the base of two revisions. */
export function appliedRole(wanted: RoleWanted): AppliedRole {
	return {
		// As it is written in git: readers compare it canonically, and people read it.
		inline: wantedDocument(wanted.statements),
		managedPolicies: wanted.managedPolicies.map((m) => m.arn).sort(),
		trust: wanted.trust === null ? null : canonicalDocument(wanted.trust),
		permissionsBoundary: wanted.permissionsBoundary,
		tags: wanted.tags,
	};
}

/** Null where nothing is remembered, or what is remembered is not in this form: then nothing is claimed of the past. */
export function readApplied(entry: InventoryEntry | undefined): AppliedRole | null {
	const a = entry?.applied;
	if (a === null || typeof a !== "object") return null;
	const { inline, managedPolicies, trust, permissionsBoundary, tags } = a as Partial<AppliedRole>;
	if (inline === undefined || !Array.isArray(inline.Statement) || !Array.isArray(managedPolicies)) return null;
	if (tags === null || typeof tags !== "object") return null;
	return { inline, managedPolicies, trust: trust ?? null, permissionsBoundary: permissionsBoundary ?? null, tags };
}

/**
 * The one inline document of a role. A Sid is unique in a document (aws-facts §1.3) and means nothing to IAM: the second
 * statement of a Sid loses it, and exact duplicates collapse.
 */
export function wantedDocument(statements: readonly Pick<WantedStatement, "statement">[]): PolicyDocument {
	const sids = new Set<string>();
	const seen = new Set<string>();
	const out: Statement[] = [];
	for (const { statement } of statements) {
		const { Sid, ...rest } = statement;
		const text = stableJson(rest);
		if (seen.has(text)) continue;
		seen.add(text);
		if (Sid === undefined || sids.has(Sid)) {
			out.push(rest);
		} else {
			sids.add(Sid);
			out.push(statement);
		}
	}
	return { Version: "2012-10-17", Statement: out };
}
