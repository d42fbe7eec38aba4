import type { Usage } from "../../model/derived.ts";
import type { WantedStatement } from "../../model/desired.ts";
import type { Finding } from "../../model/finding.ts";
import type { AccessPolicySpec, ExecutionRoleSpec } from "../../model/generated/specs.ts";
import { interpolate } from "../../model/interpolate.ts";
import type { CatalogView, Instance } from "../../model/kind.ts";
import type { Facts, Reference, RevisionNeeds, WorkloadReference } from "../../model/reference.ts";
import { warning } from "../problem.ts";
import { type Bound, isAllowed, isDeclared } from "./derived-bound.ts";
import { imageNeed, keyNeed, logNeeds, type Need, need, needText, parseNeed, secretNeed, wholeSecret } from "./derived-needs.ts";
import { needsGranted, statementsFor } from "./derived-statements.ts";
import { nextUsage } from "./derived-usage.ts";
import { roleReference } from "./live-role.ts";
import { type RoleUser, roleUsers } from "./role-users.ts";
import { accountIdOf, type ResolvedRole, scopeOf } from "./roles.ts";

type PolicyInstance = Instance<AccessPolicySpec>;

export interface DerivedAccess {
	readonly statements: readonly WantedStatement[];
	readonly usage: Usage;
}

/** What a derived execution role grants: what git names, and what the workloads need within git's bound (KINDS.md). */
export function derivedAccess(
	i: PolicyInstance,
	role: ResolvedRole,
	c: CatalogView,
	f: Facts,
	findings: Finding[],
): DerivedAccess {
	const { bound, usage, findings: found } = derive(i, role, c, f);
	findings.push(...found);
	const origin = i.resource.at([...role.use.path, "mode"], "value");
	const needs = [...bound.declared, ...needsOf(usage)];
	// A key by itself opens nothing.
	const granted = needs.some(isStored) ? needs : needs.filter((n) => n.type !== "key" && n.type !== "alias");
	const statements = statementsFor(granted).map((statement) => ({ statement, origin, expiresAt: null, from: null }));
	return { statements, usage };
}

/** What must be known for that: its workloads, itself, and which keys encrypt its secrets. */
export function derivedReferences(i: PolicyInstance, role: ResolvedRole, c: CatalogView, f: Facts): readonly Reference[] {
	const account = i.account.accountId;
	if (account === null) return [];
	const itself = roleReference(i, role.name);
	const workloads = roleUsers(role, c).flatMap((u) => u.workloads.map(({ ref }): Reference => ({ ...ref, account })));
	const secrets = derive(i, role, c, f).secrets.map((arn): Reference => ({ type: "secret.key", account, arn }));
	return [...(itself === null ? [] : [itself]), ...workloads, ...secrets];
}

interface Derived {
	readonly bound: Bound;
	readonly usage: Usage;
	/** Resources of all secrets that are granted. */
	readonly secrets: readonly string[];
	readonly findings: readonly Finding[];
}

function derive(i: PolicyInstance, role: ResolvedRole, c: CatalogView, f: Facts): Derived {
	const users = roleUsers(role, c);
	const bound = boundOf(i, role, users);
	const seen = lookAt(i, role, users, bound, f);
	const remembered = f.used?.(i.key)?.[role.name.toLowerCase()];
	const inBound = (n: Need | null): n is Need => n !== null && isAllowed(bound, n) && !isDeclared(bound, n);
	const known = remembered === undefined ? undefined : Object.entries(remembered).filter(([text]) => inBound(parseNeed(text)));
	const granted = grantedNow(i, role, f).filter(inBound);
	const part = (isPart: (n: Need) => boolean) => ({
		remembered:
			known === undefined
				? undefined
				: Object.fromEntries(
						known.filter(([text]) => {
							const n = parseNeed(text);
							return n !== null && isPart(n);
						}),
					),
		granted: granted.filter(isPart).map(needText),
	});
	const complete = seen.complete;
	const own = nextUsage({ ...part((n) => !isKey(n)), needed: textsOf(seen.needs), complete, now: f.now });
	const secrets = [...bound.declared, ...needsOf(own)].filter((n) => n.type === "secret").map((n) => n.resource);
	const keys = lookAtKeys(i, role, secrets, bound, f);
	const ofKeys = nextUsage({
		...part(isKey),
		needed: textsOf(keys.needs),
		complete: complete && keys.complete,
		now: f.now,
	});
	return { bound, usage: { ...own, ...ofKeys }, secrets, findings: [...seen.findings, ...keys.findings] };
}

function isKey(n: Need): boolean {
	return n.type === "key" || n.type === "alias";
}

function isStored(n: Need): boolean {
	return n.type === "secret" || n.type === "parameter";
}

function textsOf(needs: readonly Need[]): ReadonlySet<string> {
	return new Set(needs.map(needText));
}

function needsOf(usage: Usage): readonly Need[] {
	return Object.keys(usage).flatMap((text) => parseNeed(text) ?? []);
}

function boundOf(i: PolicyInstance, role: ResolvedRole, users: readonly RoleUser[]): Bound {
	const scope = scopeOf(i);
	const allow = ((role.use.spec as ExecutionRoleSpec).allow ?? []).map((pattern) => interpolate(pattern, scope).text);
	const keys = allow.flatMap((arn) => need("key", arn) ?? need("alias", arn) ?? []);
	const declared = new Map([...users.flatMap(declaredBy), ...keys].map((n) => [needText(n), n]));
	return { declared: [...declared.values()], allow };
}

/**
 * By its name, the secret of that name, whatever its last characters; by its ARN, that one. Not by the shapes of what task
 * definitions say: git's own words hold `${account.id}` as long as no account is known.
 */
function declaredBy({ instance, region, secrets }: RoleUser): readonly Need[] {
	const scope = scopeOf(instance);
	const { partition } = instance.account;
	const at = `${region}:${accountIdOf(instance)}`;
	const made = secrets.flatMap(({ secret, parameter }): readonly Need[] => {
		const name = interpolate(secret ?? parameter ?? "", scope).text;
		if (name === "") return [];
		if (secret === undefined) {
			const arn = name.startsWith("arn:") ? name : `arn:${partition}:ssm:${at}:parameter/${name.replace(/^\//, "")}`;
			return [{ type: "parameter", resource: arn }];
		}
		const arn = name.startsWith("arn:") ? wholeSecret(name) : `arn:${partition}:secretsmanager:${at}:secret:${name}-??????`;
		return [{ type: "secret", resource: arn }];
	});
	// An entry names one secret: a pattern belongs into `allow`.
	return made.filter(({ resource }) => !/[*?]/.test(resource.replace(/-\?{6}$/, "")));
}

/** Only where nothing is remembered does it count what the role grants today. */
function grantedNow(i: PolicyInstance, role: ResolvedRole, f: Facts): readonly Need[] {
	const ref = roleReference(i, role.name);
	const fact = ref === null ? undefined : f.get(ref);
	return fact?.type === "iam.role" ? needsGranted(Object.values(fact.state.inline)) : [];
}

interface Seen {
	/** Beyond what git names. */
	readonly needs: readonly Need[];
	/** All was looked at that there is. */
	readonly complete: boolean;
	readonly findings: readonly Finding[];
}

function lookAt(i: PolicyInstance, role: ResolvedRole, users: readonly RoleUser[], bound: Bound, f: Facts): Seen {
	const account = i.account.accountId;
	const needs: Need[] = [];
	const findings: Finding[] = [];
	let complete = true;
	for (const { ref, origin } of users.flatMap((u) => u.workloads)) {
		const fact = account === null ? undefined : f.get({ ...ref, account });
		const subject = `${ref.workload} ${ref.name}`;
		if (fact?.type === "absent") continue;
		if (fact?.type !== "ecs.workload") {
			complete = false;
			if (fact?.type !== "unknown") continue;
			const message = `what ${subject} needs of role ${role.name} could not be read: ${fact.reason}`;
			findings.push({ ...warning("NotRead", message, origin, undefined, i.key), subject });
			continue;
		}
		const refused = new Map<string, string[]>();
		for (const revision of fact.revisions) {
			for (const { asked, found } of asks(revision, { ...ref, account: accountIdOf(i) })) {
				if (found !== null && isDeclared(bound, found)) continue;
				if (found !== null && isAllowed(bound, found)) needs.push(found);
				else refused.set(asked, [...(refused.get(asked) ?? []), revision.arn.slice(revision.arn.lastIndexOf("/") + 1)]);
			}
		}
		for (const [asked, revisions] of refused) {
			const message = `${subject} asks in ${[...new Set(revisions)].join(", ")} for ${asked}, which git does not allow: role ${role.name} does not get it`;
			const fix = "write it under secrets, or its ARN into executionRole.allow, or take it out of the task definition";
			findings.push({ ...warning("UndeclaredAccess", message, origin, fix, i.key), subject });
		}
	}
	return { needs, complete, findings };
}

interface Ask {
	/** As the task definition says it. */
	readonly asked: string;
	/** Null: it is nothing that could be granted. */
	readonly found: Need | null;
}

function asks(revision: RevisionNeeds, place: Pick<WorkloadReference, "account" | "region">): readonly Ask[] {
	return [
		...revision.images.flatMap((image): Ask[] => {
			const found = imageNeed(image);
			return found === null ? [] : [{ asked: image, found }];
		}),
		...revision.logs.flatMap((log) => logNeeds(log, place).map((found): Ask => ({ asked: `log group "${log.group}"`, found }))),
		...revision.secrets.map((ref): Ask => ({ asked: withoutVersion(ref), found: secretNeed(ref, place) })),
		...revision.files.map((file): Ask => ({ asked: file, found: need("file", file) })),
	];
}

/** Of a secret's `valueFrom` what a policy can name: the ARN before key and version. */
function withoutVersion(ref: string): string {
	return ref.split(":").slice(0, 7).join(":");
}

/** The key of AWS's own needs no grant, and what is not there has none. */
function lookAtKeys(i: PolicyInstance, role: ResolvedRole, secrets: readonly string[], bound: Bound, f: Facts): Seen {
	const account = i.account.accountId;
	const needs: Need[] = [];
	const findings: Finding[] = [];
	let complete = true;
	for (const arn of new Set(secrets)) {
		const fact = account === null ? undefined : f.get({ type: "secret.key", account, arn });
		if (fact?.type === "secret.key") {
			const found = fact.key === null ? null : keyNeed(fact.key, arn);
			if (found !== null && !isDeclared(bound, found)) needs.push(found);
		} else if (fact?.type === "unknown") {
			complete = false;
			// Git has said which key it is.
			if (bound.declared.some(isKey)) continue;
			const message = `the key of ${arn} could not be read: ${fact.reason}`;
			const fix = "if it is one of your own, write the ARN of the key into executionRole.allow";
			findings.push({ ...warning("NotRead", message, i.resource.at([...role.use.path, "mode"], "value"), fix, i.key) });
		} else if (fact === undefined) complete = false;
	}
	return { needs, complete, findings };
}
