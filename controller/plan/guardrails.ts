import type { AnyDesired, AnyObserved, Desired, RoleWanted } from "../model/desired.ts";
import { durationMs } from "../model/duration.ts";
import type { Finding } from "../model/finding.ts";
import type { AccessGrantSpec, AccessPolicySpec } from "../model/generated/specs.ts";
import { interpolate } from "../model/interpolate.ts";
import type { CatalogView, Instance } from "../model/kind.ts";
import type { Step, StepState } from "../model/plan.ts";
import type { Facts } from "../model/reference.ts";
import type { Origin } from "../model/resource.ts";
import { targetId } from "../model/target.ts";
import type { ActionCatalogue } from "../policy/action-catalogue.ts";
import type { PolicyDocument } from "../policy/document.ts";
import { contains, glob } from "../policy/glob.ts";
import { type Reach, reaches } from "../policy/reach.ts";
import { guardedClusters } from "./guarded-clusters.ts";
import {
	approvalFor,
	approvalRules,
	type GuardedPolicy,
	type RuleInForce,
	type RuleScope,
	ruleName,
	rulesFor,
} from "./guardrail-rules.ts";
import { type AccessContext, managedDocument } from "./role-access.ts";
import { deletes } from "./step-kinds.ts";

export interface GuardrailInput {
	readonly instance: Instance;
	readonly desired: readonly AnyDesired[];
	readonly view: CatalogView;
	readonly facts: Facts;
	readonly actions: ActionCatalogue;
	/** By targetId; null: offline, and what only AWS knows is said not to have been looked at. */
	readonly observed: ReadonlyMap<string, AnyObserved> | null;
}

/**
 * What the guardrails say of the access that one policy asks for in one account: an error for Deny, a warning for Warn,
 * at the statement at fault. Evaluated on the effective access of each role: its statements together with what is
 * attached, under its boundary (KINDS.md, Guardrail).
 */
export function checkGuardrails(input: GuardrailInput): readonly Finding[] {
	const rules = rulesFor(scopeOf(input));
	if (rules.length === 0) return [];
	const unread = new Map<string, Finding>();
	const findings = rules.flatMap((r): readonly Finding[] => {
		const checks = CHECKS.filter((c) => c.speaks(r));
		const known = checks.length > 0 || r.rule.requireApprovalFor !== undefined;
		if (!known || r.rule.privilegeEscalation !== undefined) return [unknownRule(r, input)];
		return checks.flatMap((c) => c.check(r, input, (f) => unread.set(`${f.id} ${f.message}`, f)));
	});
	return [...findings, ...unread.values()];
}

/**
 * What guardrails make of the steps that are ready: under a Deny that is broken nothing goes on but what narrows, and what
 * a rule wants a person's word for waits for it. Expiry is not asked about.
 */
export function guardrailDecision(input: GuardrailInput, findings: readonly Finding[]): (step: Step) => StepState {
	const broken = findings.find((f) => f.guardrail !== undefined);
	const asking = approvalRules(scopeOf(input));
	return (step) => {
		if (broken !== undefined && step.effect !== "narrows") {
			return { waiting: "guardrail", detail: broken.message, ...(broken.origin !== null && { origin: broken.origin }) };
		}
		const broader = step.effect === "broadens" || step.effect === "both" || step.effect === "unknown";
		return (
			(broader ? approvalFor("broadens", asking) : null) ?? (deletes(step) ? approvalFor("deletes", asking) : null) ?? "ready"
		);
	};
}

function scopeOf(input: GuardrailInput): RuleScope {
	const { resource, account } = input.instance;
	const policy: GuardedPolicy = {
		name: resource.metadata.name,
		path: resource.origin.path,
		labels: resource.metadata.labels ?? {},
		clusters: guardedClusters(
			input.instance,
			rolesOf(input).map((d) => d.target.name),
			input.view,
		),
	};
	return { view: input.view, account, policy, now: input.facts.now };
}

interface Check {
	readonly speaks: (r: RuleInForce) => boolean;
	readonly check: (r: RuleInForce, input: GuardrailInput, unread: (f: Finding) => void) => readonly Finding[];
}

const CHECKS: readonly Check[] = [
	{ speaks: (r) => r.rule.denyActions !== undefined, check: deniedActions },
	{ speaks: (r) => r.rule.requirePermissionsBoundary !== undefined, check: requiredBoundary },
	{ speaks: (r) => r.rule.denyPlaintextSecrets !== undefined, check: plaintextSecrets },
	{ speaks: (r) => r.rule.maxGrantDuration !== undefined, check: grantDurations },
];

/** One violation: `guardrail` is set where it is a Deny, and makes steps wait. */
function violation(
	r: RuleInForce,
	input: GuardrailInput,
	f: { readonly message: string; readonly fix: string; readonly origin: Origin; readonly subject?: string },
): Finding {
	const denies = r.guardrail.spec.enforcement === "Deny";
	return {
		id: denies ? "GuardrailDenies" : "GuardrailWarns",
		severity: denies ? "error" : "warning",
		message: `${f.message} (guardrail ${ruleName(r)}, ${r.origin.path}:${r.origin.line})`,
		fix: f.fix,
		origin: f.origin,
		key: input.instance.key,
		...(f.subject !== undefined && { subject: f.subject }),
		...(denies && { guardrail: { name: r.guardrail.metadata.name, rule: r.rule.id } }),
	};
}

/** A rule that this version cannot evaluate is fatal, never skipped, whatever its enforcement says. */
function unknownRule(r: RuleInForce, input: GuardrailInput): Finding {
	return {
		id: "InvalidGuardrail",
		severity: "error",
		message: `guardrail ${ruleName(r)} asks for what this version cannot evaluate`,
		fix: "use a version that knows the rule, or delete it",
		origin: r.origin,
		key: input.instance.key,
		guardrail: { name: r.guardrail.metadata.name, rule: r.rule.id },
	};
}

function deniedActions(r: RuleInForce, input: GuardrailInput, unread: (f: Finding) => void): readonly Finding[] {
	const rule = {
		denyActions: r.rule.denyActions ?? [],
		exceptResources: filled(r.rule.exceptResources ?? [], input),
	};
	return rolesOf(input).flatMap((d): readonly Finding[] => {
		const sources = documentsOf(d, input, r, unread);
		const documents = sources.docs.map((s) => s.document);
		const found = reaches({ documents, ...boundaryOf(d.wanted, input) }, rule, input.actions);
		const reached = found.map((reach) =>
			violation(r, input, {
				message: reachWords(reach, d.target.name),
				fix: "take it out, or add an exception with an end to the guardrail",
				origin: sources.docs[reach.document]?.origin ?? d.origin,
				subject: `role ${d.target.name}`,
			}),
		);
		return [...reached, ...sources.undecided];
	});
}

/**
 * A rule's patterns with the account's values. One with a value that this account has not, or that several clusters have,
 * is left out: what it would allow cannot be said.
 */
function filled(patterns: readonly string[], { instance }: GuardrailInput): readonly string[] {
	const { account, resource } = instance;
	const named = ((resource.spec as Partial<AccessPolicySpec>).workloads ?? []).flatMap((w) => w.cluster ?? []);
	const inAccount = { account, policy: resource.metadata.name, cluster: null, params: null };
	const clusters = new Set(named.map((c) => interpolate(c, inAccount).text));
	const [cluster = null] = clusters.size === 1 ? clusters : [];
	return patterns.flatMap((pattern) => {
		const { text, faults } = interpolate(pattern, { ...inAccount, cluster });
		return faults.length > 0 ? [] : [text];
	});
}

function reachWords(reach: Reach, role: string): string {
	const example = reach.witness === null ? "" : `, e.g. ${reach.witness.action} on ${reach.witness.resource}`;
	return `role ${role} would get ${reach.actions.join(", ")} on ${reach.resource}${example}`;
}

/** One document a statement, so that what is at fault has its place in git. */
function documentsOf(
	d: Desired<"iam.role">,
	input: GuardrailInput,
	r: RuleInForce,
	unread: (f: Finding) => void,
): {
	readonly docs: readonly { readonly document: PolicyDocument; readonly origin: Origin }[];
	readonly undecided: readonly Finding[];
} {
	const docs = d.wanted.statements.map((w) => ({
		document: { Version: "2012-10-17", Statement: [w.statement] } as PolicyDocument,
		origin: w.origin,
	}));
	const undecided: Finding[] = [];
	for (const { arn, origin } of d.wanted.managedPolicies) {
		const document = managedDocument(accessOf(input), arn);
		if (document !== null) docs.push({ document, origin });
		else if (input.observed === null) unread(notOffline(`what attached policy ${arn} grants`, origin, input));
		else {
			undecided.push(
				violation(r, input, {
					message: `attached policy ${arn} cannot be read, so what role ${d.target.name} would get is not known`,
					fix: "allow iam:GetPolicy and iam:GetPolicyVersion on it, or take it out",
					origin,
					subject: `role ${d.target.name}`,
				}),
			);
		}
	}
	return { docs, undecided };
}

function notOffline(what: string, origin: Origin, input: GuardrailInput): Finding {
	return {
		id: "NotEvaluatedOffline",
		severity: "note",
		message: `${what} is not known offline: plan decides`,
		origin,
		key: input.instance.key,
	};
}

/** A boundary that git does not say, or that cannot be read, excuses nothing. */
function boundaryOf(wanted: RoleWanted, input: GuardrailInput): { readonly boundary: PolicyDocument | null } {
	const { permissionsBoundary } = wanted;
	if (permissionsBoundary === null || permissionsBoundary === "none") return { boundary: null };
	return { boundary: managedDocument(accessOf(input), permissionsBoundary) };
}

function requiredBoundary(r: RuleInForce, input: GuardrailInput): readonly Finding[] {
	const written = r.rule.requirePermissionsBoundary ?? [];
	const patterns = filled(written, input);
	return rolesOf(input).flatMap((d): readonly Finding[] => {
		const { permissionsBoundary: wanted } = d.wanted;
		const observed = input.observed?.get(targetId(d.target));
		// Where git says nothing of the boundary, the one that is there stays there.
		const live =
			wanted === null && observed?.exists === true && "permissionsBoundary" in observed.state
				? observed.state.permissionsBoundary
				: null;
		const arn = wanted === "none" ? null : (wanted ?? live);
		if (arn !== null && patterns.some((p) => contains(glob(p, true), glob(arn, true), true))) return [];
		return [
			violation(r, input, {
				message: `role ${d.target.name} has ${arn === null ? "no permissions boundary" : `permissions boundary ${arn}`}, and needs ${written.join(" or ")}`,
				fix: "write permissionsBoundary, or set it in the Account",
				origin: d.origin,
				subject: `role ${d.target.name}`,
			}),
		];
	});
}

/** Whether a rule in force for this policy looks for secrets in plain text. */
export function looksForPlaintext(input: GuardrailInput): boolean {
	return rulesFor(scopeOf(input)).some((r) => r.rule.denyPlaintextSecrets !== undefined);
}

function plaintextSecrets(r: RuleInForce, input: GuardrailInput, unread: (f: Finding) => void): readonly Finding[] {
	return input.desired.flatMap((d): readonly Finding[] => {
		if (d.target.type === "iam.role") return [];
		if (input.observed === null) {
			unread(notOffline("whether task definitions hold secrets in plain text", r.origin, input));
			return [];
		}
		const observed = input.observed.get(targetId(d.target));
		if (observed?.exists !== true || !("plaintext" in observed.state)) return [];
		const subject = `${d.target.type === "ecs.service" ? "service" : "family"} ${d.target.name}`;
		return observed.state.plaintext.map((p) =>
			violation(r, input, {
				message: `${subject} has what looks like a secret in plain text: ${p.name} of container ${p.container}`,
				fix: "move the value to Secrets Manager and write it under secrets of the policy",
				origin: d.origin,
				subject,
			}),
		);
	});
}

function grantDurations(r: RuleInForce, input: GuardrailInput): readonly Finding[] {
	const longest = durationMs(r.rule.maxGrantDuration ?? "");
	if (longest === null) return [unknownRule(r, input)];
	const now = Date.parse(input.facts.now);
	return input.view.ofKind<AccessGrantSpec>("AccessGrant").flatMap((g): readonly Finding[] => {
		if (g.spec.policyRef !== input.instance.resource.metadata.name || Date.parse(g.spec.expiresAt) <= now) return [];
		if (g.spec.startsAt === undefined) {
			const message = `AccessGrant ${g.metadata.name} needs startsAt: its length is measured from it, and may be ${r.rule.maxGrantDuration}`;
			return [violation(r, input, { message, fix: "write startsAt", origin: g.at(["spec"]) })];
		}
		if (Date.parse(g.spec.expiresAt) - Date.parse(g.spec.startsAt) <= longest) return [];
		const message = `AccessGrant ${g.metadata.name} lasts from ${g.spec.startsAt} to ${g.spec.expiresAt}, longer than ${r.rule.maxGrantDuration}`;
		return [violation(r, input, { message, fix: "let it end earlier", origin: g.at(["spec", "expiresAt"], "value") })];
	});
}

function rolesOf(input: GuardrailInput): readonly Desired<"iam.role">[] {
	return input.desired.filter((d): d is Desired<"iam.role"> => d.target.type === "iam.role");
}

function accessOf(input: GuardrailInput): AccessContext {
	return { account: input.instance.account, facts: input.facts, actions: input.actions };
}
