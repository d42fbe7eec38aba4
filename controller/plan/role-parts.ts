import type { RoleWanted } from "../model/desired.ts";
import type { Arn, Tags } from "../model/ids.ts";
import { isMark } from "../model/marks.ts";
import type { StepState } from "../model/plan.ts";
import type { Origin } from "../model/resource.ts";
import type { RoleState } from "../model/target.ts";
import { sameCanonically } from "../policy/canonical.ts";
import type { PolicyDocument } from "../policy/document.ts";
import { trustChange } from "../policy/trust.ts";
import type { AppliedRole } from "./applied.ts";
import { change, needsApproval, PHASE, type PhasedDraft } from "./draft.ts";
import { differing, tagRole, untagRole } from "./ownership.ts";
import { type AccessContext, attachmentHasDeny, boundaryMove, managedDocument } from "./role-access.ts";
import { keysOf } from "./statements.ts";

/** Everything of a role but its inline documents. */
export interface PartsInput {
	readonly name: string;
	readonly state: RoleState;
	readonly wanted: RoleWanted;
	readonly last: AppliedRole | null;
	readonly exclusive: boolean;
	readonly fresh: boolean;
	readonly person: boolean;
	/** Attachments that the policy ignores are not looked at. */
	readonly ignored: (arn: Arn) => boolean;
	readonly access: AccessContext;
	readonly origin: Origin;
}

export interface AttachmentDiff {
	readonly attach: readonly PhasedDraft[];
	readonly detach: readonly PhasedDraft[];
	/** On a role that is not exclusive: attachments that git does not say, and we cannot know of. */
	readonly surplus: readonly Arn[];
}

export function diffAttachments(i: PartsInput): AttachmentDiff {
	const wanted = new Map(i.wanted.managedPolicies.map((m) => [m.arn, m.origin]));
	const live = new Set(i.state.managedPolicies);
	const applied = new Set(i.last?.managedPolicies ?? []);
	const attach = [...wanted]
		.filter(([arn]) => !live.has(arn))
		.map(([arn, origin]): PhasedDraft => {
			const doc = managedDocument(i.access, arn);
			return {
				call: { api: "iam:AttachRolePolicy", input: { RoleName: i.name, PolicyArn: arn } },
				why: i.fresh ? "missing" : applied.has(arn) ? "drifted" : "spec-changed",
				phase: doc?.Statement.some((s) => s.Effect === "Deny") === true ? PHASE.restrict : PHASE.broaden,
				diff: [change("+", "managed policy", arn, { origin })],
				state: "ready",
			};
		});
	const extra = i.state.managedPolicies.filter((arn) => !wanted.has(arn) && !i.ignored(arn));
	const detach = extra
		.filter((arn) => i.exclusive || applied.has(arn))
		.map((arn): PhasedDraft => {
			const ours = applied.has(arn);
			const deny = attachmentHasDeny(i.access, arn);
			return {
				call: { api: "iam:DetachRolePolicy", input: { RoleName: i.name, PolicyArn: arn } },
				why: ours ? "spec-changed" : "drifted",
				phase: deny ? PHASE.lift : PHASE.remove,
				diff: [change("-", "managed policy", arn, { origin: ours ? i.origin : null })],
				state: deny && !ours ? needsApproval(attachedDeny(i, arn)) : "ready",
			};
		});
	return { attach, detach, surplus: i.exclusive ? [] : extra.filter((arn) => !applied.has(arn)) };
}

function attachedDeny(i: PartsInput, arn: Arn): string {
	return managedDocument(i.access, arn) === null
		? `attached policy ${arn} cannot be read, so it may hold a Deny, and healing never removes one`
		: `attached policy ${arn} holds a Deny, and healing never removes one`;
}

/** The boundary, where git says one. One that somebody else set is replaced only by an Approval (KINDS.md, Drift). */
export function diffBoundary(i: PartsInput): readonly PhasedDraft[] {
	const { permissionsBoundary: wanted } = i.wanted;
	const live = i.state.permissionsBoundary;
	if (wanted === null || wanted === live || (wanted === "none" && live === null)) return [];
	const ours = i.last !== null && i.last.permissionsBoundary === live;
	const drifted = i.last !== null && i.last.permissionsBoundary === wanted;
	const why = drifted ? "drifted" : "spec-changed";
	const somebodys: StepState | null =
		live === null || ours ? null : needsApproval(`somebody set the permissions boundary ${live}, and healing never removes one`);
	const diff = [
		change(
			live === null ? "+" : wanted === "none" ? "-" : "~",
			"permissions boundary",
			wanted === "none" ? (live ?? "") : wanted,
			{
				from: live,
				to: wanted === "none" ? null : wanted,
				origin: i.origin,
			},
		),
	];
	if (wanted !== "none") {
		return [
			{
				call: { api: "iam:PutRolePermissionsBoundary", input: { RoleName: i.name, PermissionsBoundary: wanted } },
				why,
				phase: boundaryMove(live, wanted, i.access) === "lifts" ? PHASE.lift : PHASE.restrict,
				diff,
				state: somebodys ?? "ready",
			},
		];
	}
	const byHand: StepState = {
		waiting: "paused",
		detail: "a permissions boundary is removed only by a person's apply",
		command: "ecs-access apply",
	};
	return [
		{
			call: { api: "iam:DeleteRolePermissionsBoundary", input: { RoleName: i.name } },
			why,
			phase: PHASE.lift,
			diff,
			// The explicit `none` and a person's apply are the word; only where git said so before is this healing.
			state: i.person ? (drifted ? (somebodys ?? "ready") : "ready") : byHand,
		},
	];
}

export function diffTrust(i: PartsInput): readonly PhasedDraft[] {
	const { trust } = i.wanted;
	const { partition } = i.access.account;
	if (trust === null || sameCanonically(trust, i.state.trust, partition)) return [];
	const drifted = i.last?.trust != null && sameCanonically(i.last.trust, trust, partition);
	const effect = trustChange(i.state.trust, trust);
	const foreignDeny = keysOf([onlyDenies(i.state.trust)], partition)
		.difference(keysOf([trust], partition))
		.difference(keysOf([i.last?.trust ?? null], partition));
	return [
		{
			call: { api: "iam:UpdateAssumeRolePolicy", input: { RoleName: i.name, PolicyDocument: trust } },
			why: drifted ? "drifted" : "spec-changed",
			phase: effect === "narrows" ? PHASE.narrow : PHASE.broaden,
			diff: [change("~", "trust", "trust policy", { origin: drifted ? null : i.origin })],
			state:
				foreignDeny.size === 0
					? "ready"
					: needsApproval("the trust policy holds a Deny that git does not ask for, and healing never removes one"),
		},
	];
}

/** Without what looks like a mark of ours or a hold, which no policy may set. */
export function declaredTags(tags: Tags): Tags {
	return Object.fromEntries(Object.entries(tags).filter(([k]) => !isMark(k)));
}

/** Declared keys only; a key that we once declared and no longer do is ours to remove. */
export function diffTags(i: PartsInput): readonly PhasedDraft[] {
	const role = { target: { name: i.name }, state: i.state };
	const declared = declaredTags(i.wanted.tags);
	const changed = differing(i.state.tags, declared);
	const drafts: PhasedDraft[] = [];
	if (Object.keys(changed).length > 0) {
		const applied = i.last?.tags;
		const drifted = applied !== undefined && Object.keys(differing(applied, changed)).length === 0;
		drafts.push(tagRole(role, changed, drifted ? "drifted" : "spec-changed", i.origin, PHASE.broaden));
	}
	const kept = new Set(Object.keys(declared).map((k) => k.toLowerCase()));
	// A tag whose value somebody changed since is theirs now.
	const former = Object.entries(i.last?.tags ?? {}).filter(([k, v]) => {
		return !kept.has(k.toLowerCase()) && !isMark(k) && Object.keys(differing(i.state.tags, { [k]: v })).length === 0;
	});
	if (former.length > 0) {
		drafts.push(
			untagRole(
				role,
				former.map(([k]) => k),
				"spec-changed",
				i.origin,
				PHASE.narrow,
			),
		);
	}
	return drafts;
}

function onlyDenies(doc: PolicyDocument): PolicyDocument {
	return { ...doc, Statement: doc.Statement.filter((s) => s.Effect === "Deny") };
}
