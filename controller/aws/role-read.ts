import type { RoleDetail } from "@aws-sdk/client-iam";
import { digest } from "../model/digest.ts";
import { roleFingerprint } from "../model/fingerprint.ts";
import type { AccountId, Arn, Digest, Instant, Tags } from "../model/ids.ts";
import { instantAt } from "../model/instant.ts";
import { holdOf, ownerOf } from "../model/marks.ts";
import type { Observed, RoleState, Target } from "../model/target.ts";
import type { PolicyDocument } from "../policy/document.ts";
import { parsePolicyDocument } from "../policy/parse.ts";
import { awsCode } from "./errors.ts";
import type { CallAws } from "./operations.ts";

/** A role as AWS has it now; the same from a single read and from a sweep. */
export interface LiveRole {
	readonly name: string;
	readonly arn: Arn;
	readonly state: RoleState;
	readonly fingerprint: Digest;
	readonly lastUsed: Instant | null;
	/** Why a document of it cannot be read; it then stands as `UNREADABLE` in the state, and nothing may be written. */
	readonly unreadable: string | null;
}

/** Stands for a document that IAM holds and we cannot parse: equal to nothing that anybody would want. */
const UNREADABLE: PolicyDocument = { Version: "unreadable", Statement: [] };

/** How many policies of a role are read at once; one role seldom has more than three. */
const POLICIES_PAGE = 1_000;

/**
 * One role in 3 + n calls (n inline policies; aws-facts §3.2), undefined when there is none. Unlike the sweep's, its
 * boundary can be relied on. Nothing is remembered.
 */
export async function readRole(call: CallAws, name: string, signal: AbortSignal): Promise<LiveRole | undefined> {
	try {
		const [role, inline, attached] = await Promise.all([
			call("iam:GetRole", "global", { RoleName: name }, signal),
			inlinePolicies(call, name, signal),
			attachedPolicies(call, name, signal),
		]);
		return liveRole({ ...role.Role, RolePolicyList: inline, AttachedManagedPolicies: attached });
	} catch (error) {
		// Also when it vanished between two of these calls.
		if (awsCode(error) === "NoSuchEntity") return undefined;
		throw error;
	}
}

async function inlinePolicies(
	call: CallAws,
	name: string,
	signal: AbortSignal,
): Promise<{ PolicyName: string; PolicyDocument: string | undefined }[]> {
	const names: string[] = [];
	let marker: string | undefined;
	do {
		const page = await call(
			"iam:ListRolePolicies",
			"global",
			{ RoleName: name, MaxItems: POLICIES_PAGE, ...(marker !== undefined && { Marker: marker }) },
			signal,
		);
		names.push(...(page.PolicyNames ?? []));
		marker = page.IsTruncated === true ? page.Marker : undefined;
	} while (marker !== undefined);
	return Promise.all(
		names.map(async (PolicyName) => {
			const { PolicyDocument } = await call("iam:GetRolePolicy", "global", { RoleName: name, PolicyName }, signal);
			return { PolicyName, PolicyDocument };
		}),
	);
}

async function attachedPolicies(call: CallAws, name: string, signal: AbortSignal): Promise<{ PolicyArn: string }[]> {
	const arns: { PolicyArn: string }[] = [];
	let marker: string | undefined;
	do {
		const page = await call(
			"iam:ListAttachedRolePolicies",
			"global",
			{ RoleName: name, MaxItems: POLICIES_PAGE, ...(marker !== undefined && { Marker: marker }) },
			signal,
		);
		for (const { PolicyArn } of page.AttachedPolicies ?? []) if (PolicyArn !== undefined) arns.push({ PolicyArn });
		marker = page.IsTruncated === true ? page.Marker : undefined;
	} while (marker !== undefined);
	return arns;
}

/** The one projection of both ways of reading. */
export function liveRole(role: RoleDetail): LiveRole {
	const name = role.RoleName ?? "";
	const problems: string[] = [];
	const document = (text: string | undefined, what: string): PolicyDocument => {
		try {
			return parseDocument(text ?? "");
		} catch (error) {
			problems.push(`${what} of role ${name}: ${error instanceof Error ? error.message : "not a policy document"}`);
			return UNREADABLE;
		}
	};
	const tags: Tags = Object.fromEntries((role.Tags ?? []).map((t) => [t.Key ?? "", t.Value ?? ""]));
	const state: RoleState = {
		path: role.Path ?? "/",
		trust: document(role.AssumeRolePolicyDocument, "the trust policy"),
		inline: Object.fromEntries(
			(role.RolePolicyList ?? []).map((p) => [
				p.PolicyName ?? "",
				document(p.PolicyDocument, `the inline policy "${p.PolicyName ?? ""}"`),
			]),
		),
		managedPolicies: (role.AttachedManagedPolicies ?? []).flatMap((p) => p.PolicyArn ?? []).sort(),
		permissionsBoundary: role.PermissionsBoundary?.PermissionsBoundaryArn ?? null,
		tags,
	};
	return {
		name,
		arn: role.Arn ?? "",
		state,
		// What cannot be read cannot be compared either: its bytes stand for it.
		fingerprint: problems.length === 0 ? roleFingerprint(state) : digest({ unreadable: role }),
		lastUsed: instant(role.RoleLastUsed?.LastUsedDate),
		unreadable: problems.length === 0 ? null : problems.join("; "),
	};
}

export function observedRole(target: Target<"iam.role">, role: LiveRole | undefined): Observed<"iam.role"> {
	if (role === undefined) return { target, exists: false };
	return {
		target,
		exists: true,
		arn: role.arn,
		state: role.state,
		fingerprint: role.fingerprint,
		owner: ownerOf(role.state.tags),
		holdUntil: holdOf(role.state.tags),
		lastUsed: role.lastUsed,
		...(role.unreadable !== null && { unreadable: role.unreadable }),
	};
}

export function roleTarget(account: AccountId, name: string): Target<"iam.role"> {
	return { type: "iam.role", account, region: "global", name };
}

/**
 * A document as an IAM API returns it: URL-encoded by most operations, plain by some (aws-facts §1.1, moto-facts §1). It is
 * decoded once and only when it is encoded, since a plain one may hold a `%`.
 */
export function parseDocument(text: string): PolicyDocument {
	return parsePolicyDocument(/^\s*%7B/i.test(text) ? decodeURIComponent(text) : text);
}

/** RFC 3339 in UTC with seconds. */
function instant(date: Date | undefined): Instant | null {
	return date === undefined ? null : instantAt(date.getTime());
}
