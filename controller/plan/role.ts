import { applyCall } from "../model/apply-call.ts";
import type { Desired } from "../model/desired.ts";
import type { Finding } from "../model/finding.ts";
import type { Arn } from "../model/ids.ts";
import type { StepState } from "../model/plan.ts";
import { type Existing, type RoleState, type Target, targetId } from "../model/target.ts";
import { list } from "../policy/canonical.ts";
import type { PolicyDocument, Statement } from "../policy/document.ts";
import { glob, matches } from "../policy/glob.ts";
import { type AppliedRole, readApplied, wantedOf } from "./applied.ts";
import { change, type Draft, inOrder, PHASE, type PhasedDraft } from "./draft.ts";
import type { PlanInput } from "./input.ts";
import { ownRoleFinding } from "./own-role.ts";
import { isHeld, marksOf, ownership } from "./ownership.ts";
import { DEFAULT_QUOTAS, quotaFindings } from "./quotas.ts";
import { type AccessContext, managedDocument } from "./role-access.ts";
import { diffInline } from "./role-inline.ts";
import { declaredTags, diffAttachments, diffBoundary, diffTags, diffTrust } from "./role-parts.ts";
import { unreadableFinding } from "./unreadable.ts";

export interface RoleDiff {
	readonly target: Target;
	readonly start: RoleState | null;
	/** In order. */
	readonly drafts: readonly Draft[];
	readonly findings: readonly Finding[];
}

/**
 * Always ignored (KINDS.md, management.ignore): what AWS and incident responders put there, which only denies. What
 * allows something under such a name is somebody's disguise.
 */
const ALWAYS_IGNORED = { inline: ["AWSRevokeOlderSessions"], managed: ["*/AWSCompromisedKeyQuarantine*"] };
/** Roles that only AWS itself may change (aws-facts §3.3, UnmodifiableEntity). */
const RESERVED_PATHS = ["/aws-service-role/", "/aws-reserved/"];

/** What one role needs to be as git says; nothing where it is, and never a call on a role that is not ours. */
export function diffRole(d: Desired<"iam.role">, input: PlanInput): RoleDiff {
	const observed = input.observed.get(targetId(d.target));
	const subject = `role ${d.target.name}`;
	const finding = (f: Omit<Finding, "origin" | "key" | "subject">): Finding => ({
		...f,
		origin: d.origin,
		key: input.key,
		subject,
	});
	const own = ownRoleFinding(d.target.name, input.ownRoles, input.key, d.origin);
	if (own !== null) return { target: d.target, start: null, drafts: [], findings: [own] };
	if (observed === undefined || observed.target.type !== "iam.role") {
		const unread = finding({
			id: "NotRead",
			severity: "error",
			message: `${subject} was not read, so nothing is planned for it`,
		});
		return { target: d.target, start: null, drafts: [], findings: [unread] };
	}
	if (!observed.exists) return createRole(d, input, finding);
	const unreadable = unreadableFinding(observed as Existing, input.key, d.origin);
	if (unreadable !== null) return { target: d.target, start: null, drafts: [], findings: [unreadable] };
	return updateRole(d, observed as Existing<"iam.role">, input, finding);
}

type MakeFinding = (f: Omit<Finding, "origin" | "key" | "subject">) => Finding;

function createRole(d: Desired<"iam.role">, input: PlanInput, finding: MakeFinding): RoleDiff {
	const { wanted, target } = d;
	const nothing = { target, start: null, drafts: [] };
	if (wanted.trust === null) {
		const f = finding({
			id: "TrustUnknown",
			severity: "error",
			message: `role ${target.name} does not exist, and trust: Preserve does not say whom a new one trusts`,
			fix: "write trust: { mode: Generated }",
		});
		return { ...nothing, findings: [f] };
	}
	const boundary = wanted.permissionsBoundary;
	const create: PhasedDraft = {
		call: {
			api: "iam:CreateRole",
			input: {
				RoleName: target.name,
				Path: wanted.path,
				AssumeRolePolicyDocument: wanted.trust,
				...(boundary !== null && boundary !== "none" && { PermissionsBoundary: boundary }),
				Tags: { ...declaredTags(wanted.tags), ...marksOf(input, wanted.deletion) },
			},
		},
		why: "missing",
		phase: PHASE.own,
		diff: [change("+", "role", `${wanted.path}${target.name}`, { origin: d.origin })],
		state: "ready",
	};
	const state = applyCall(null, create.call);
	if (state === null) return { ...nothing, findings: [] };
	const parts = partsOf(d, input, state, null, { fresh: true, exclusive: true });
	const drafts = inOrder([create, ...parts.drafts]);
	return finish(d, input, null, drafts, [], finding);
}

function updateRole(asked: Desired<"iam.role">, role: Existing<"iam.role">, input: PlanInput, finding: MakeFinding): RoleDiff {
	const { target } = asked;
	const wanted = wantedOf(asked.wanted, role.owner?.adopted === true);
	const d = { ...asked, wanted };
	const at = { target, start: role.state };
	if (RESERVED_PATHS.some((p) => role.state.path.startsWith(p))) {
		const message = `role ${role.state.path}${target.name} is reserved to AWS and can be managed by nobody else`;
		return { ...at, drafts: [], findings: [finding({ id: "ReservedRole", severity: "error", message })] };
	}
	const owned = ownership(role, wanted, {
		...input,
		inGit: (owner) => input.view.get(owner) !== undefined || input.view.broken.has(owner),
		origin: d.origin,
	});
	if (!owned.ours) {
		const { ours: _ours, ...words } = owned;
		const state: StepState = { waiting: "not-owned", ...words, origin: d.origin };
		return { ...at, drafts: [{ call: { api: "none" }, why: "spec-changed", diff: [], state }], findings: [] };
	}
	if (role.state.path !== wanted.path) {
		const f = finding({
			id: "PathDiffers",
			severity: "error",
			message: `role ${target.name} lives under ${role.state.path}, and git says ${wanted.path}; a role's path cannot be changed`,
			fix: `write path: ${role.state.path}`,
		});
		return { ...at, drafts: [], findings: [f] };
	}
	const last = readApplied(input.last.get(targetId(target)));
	const parts = partsOf(d, input, role.state, last, { fresh: false, exclusive: wanted.exclusive ?? !owned.adopted });
	const ordered = inOrder([...owned.drafts, ...parts.drafts]);
	const findings = parts.surplus.length === 0 ? [] : [surplusFinding(target.name, d.origin.path, parts.surplus, finding)];
	const drafts = wanted.drift === "Enforce" ? ordered : ordered.filter((draft) => draft.why !== "drifted");
	if (drafts.length < ordered.length) findings.push(driftFinding(target.name, ordered, finding));
	if (isHeld(role.holdUntil, input.now)) {
		const detail = `held until ${role.holdUntil}: the tag ecs-access.dev/hold-until keeps every pass from role ${target.name}`;
		findings.push(
			finding({
				id: "Held",
				severity: "warning",
				message: `role ${target.name} is ${detail}`,
				fix: "remove the tag when the incident is over",
			}),
		);
		return finish(d, input, role.state, waitAll(drafts, { waiting: "hold", detail }), findings, finding);
	}
	return finish(d, input, role.state, drafts, findings, finding);
}

function finish(
	d: Desired<"iam.role">,
	input: PlanInput,
	start: RoleState | null,
	drafts: readonly Draft[],
	findings: readonly Finding[],
	finding: MakeFinding,
): RoleDiff {
	const end = drafts.reduce((s, draft) => applyCall(s, draft.call), start);
	const figures = end === null ? [] : quotaFindings(d.target.name, end, input.quotas ?? DEFAULT_QUOTAS, d.origin, input.key);
	const suspended: StepState = {
		waiting: "suspended",
		detail: `${input.key} says suspend: true`,
		origin: input.origin,
	};
	return {
		target: d.target,
		start,
		drafts: d.wanted.suspended ? waitAll(drafts, suspended) : drafts,
		findings: [
			...findings,
			...figures.map(({ id, severity, message, fix }) => finding({ id, severity, message, ...(fix !== undefined && { fix }) })),
		],
	};
}

function waitAll(drafts: readonly Draft[], state: StepState): readonly Draft[] {
	return drafts.map((draft) => ({ ...draft, state }));
}

interface Parts {
	readonly drafts: readonly PhasedDraft[];
	readonly surplus: readonly string[];
}

function partsOf(
	d: Desired<"iam.role">,
	input: PlanInput,
	state: RoleState,
	last: AppliedRole | null,
	mode: { readonly fresh: boolean; readonly exclusive: boolean },
): Parts {
	const { wanted, target, origin } = d;
	const access: AccessContext = input;
	const { inlinePolicies, managedPolicies } = wanted.ignore;
	const leftAttached = (arn: Arn): boolean =>
		isIgnored(managedPolicies, arn) ||
		(isIgnored(ALWAYS_IGNORED.managed, arn) && isQuarantine(arn, managedDocument(access, arn)));
	const leftInline = (name: string, document: PolicyDocument): boolean =>
		isIgnored(inlinePolicies, name) ||
		(isIgnored(ALWAYS_IGNORED.inline, name) && document.Statement.every((s) => s.Effect === "Deny"));
	const common = { ...mode, state, wanted, last, access, origin, name: target.name, person: input.person };
	const attachments = diffAttachments({ ...common, ignored: leftAttached });
	const others = { ...common, ignored: () => false };
	const boundary = diffBoundary(others);
	const live = Object.fromEntries(Object.entries(state.inline).filter(([name, document]) => !leftInline(name, document)));
	const inline = diffInline({
		...mode,
		roleName: target.name,
		partition: input.account.partition,
		live,
		wanted,
		last,
		origin,
		attaches: attachments.attach.length > 0,
		detaches: attachments.detach.length > 0 || boundary.some((b) => b.phase === PHASE.lift),
	});
	return {
		// Within one phase, attachments before documents: a document may lose what an attachment brings.
		drafts: [
			...boundary,
			...attachments.attach,
			...inline.drafts,
			...diffTrust(others),
			...diffTags(others),
			...attachments.detach,
		],
		surplus: [
			...inline.surplus.map((s) => `inline policy "${s.document}": ${statementWords(s.statement)}`),
			...attachments.surplus.map((arn) => `attached policy ${arn}`),
		],
	};
}

/** One that cannot be read is taken for it where it is AWS's own. */
function isQuarantine(arn: Arn, document: PolicyDocument | null): boolean {
	return document === null ? /^arn:[^:]*:iam::aws:policy\//.test(arn) : document.Statement.every((s) => s.Effect === "Deny");
}

function isIgnored(patterns: readonly string[], name: string): boolean {
	return patterns.some((p) => matches(glob(p, false), name) === true);
}

function surplusFinding(name: string, path: string, surplus: readonly string[], finding: MakeFinding): Finding {
	return finding({
		id: "SurplusAccess",
		severity: "warning",
		message: `role ${name} is not exclusive and has what git does not say: ${surplus.join("; ")}`,
		fix: `to keep it, write it into ${path}; to have apply remove all of it, write there into spec: management: { exclusive: true }`,
	});
}

function driftFinding(name: string, drafts: readonly Draft[], finding: MakeFinding): Finding {
	const words = drafts
		.filter((d) => d.why === "drifted")
		.flatMap((d) => d.diff)
		.map((c) => `${c.op} ${c.what} ${c.name}`);
	return finding({
		id: "Drifted",
		severity: "warning",
		message: `role ${name} has been changed by hand and is left so (drift: Report); healing it would be: ${words.join(", ")}`,
		fix: "write management.drift: Enforce to heal it, or write the change into the policy",
	});
}

function statementWords(s: Statement): string {
	const actions = s.Action === undefined ? `not ${list(s.NotAction).join(", ")}` : list(s.Action).join(", ");
	const resources = s.Resource === undefined ? `not ${list(s.NotResource).join(", ")}` : list(s.Resource).join(", ");
	const effect = s.Effect === "Deny" ? "Deny " : "";
	return `${effect}${actions} on ${resources}${s.Condition === undefined ? "" : ", under conditions"}`;
}
