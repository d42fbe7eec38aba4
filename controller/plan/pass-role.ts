import type { Account } from "../model/account.ts";
import type { AnyDesired, AnyObserved } from "../model/desired.ts";
import type { Finding } from "../model/finding.ts";
import type { Arn } from "../model/ids.ts";
import type { Facts, Passer } from "../model/reference.ts";
import { targetId } from "../model/target.ts";
import { evaluate } from "../policy/evaluate.ts";

export interface PassRoleInput {
	readonly account: Account;
	/** Of every policy of the account. */
	readonly desired: readonly AnyDesired[];
	readonly observed: ReadonlyMap<string, AnyObserved>;
	readonly facts: Facts;
}

/** So many names make the point; the count says the rest. */
const NAMED = 3;

/**
 * Which known principals that deploy could not pass a role that git binds (aws-facts §4.6): one finding a principal. A
 * principal that starts certain families only is asked about their roles only.
 */
export function passRoleGaps(input: PassRoleInput): readonly Finding[] {
	const { account } = input;
	if (account.accountId === null) return [];
	const fact = input.facts.get({
		type: "passers",
		account: account.accountId,
		regions: account.regions,
		deployers: account.deployers,
	});
	if (fact?.type === "unknown") return [unread(account, `who deploys could not be read: ${fact.reason}`)];
	if (fact?.type !== "passers") return [];
	const bound = boundRoles(input);
	return [
		...fact.passers.flatMap((p) => gapOf(p, bound, account)),
		...fact.unread.map((what) => unread(account, `${what} could not be read, so whether it may pass the roles is not known`)),
	];
}

/** The roles that workloads are to run with, and the families that name them; null: a service whose family is not known. */
function boundRoles(input: PassRoleInput): ReadonlyMap<Arn, ReadonlySet<string | null>> {
	const roles = new Map<Arn, Set<string | null>>();
	for (const d of input.desired) {
		if (d.target.type === "iam.role" || !("binding" in d.wanted)) continue;
		const family = d.target.type === "ecs.family" ? d.target.name : familyOf(input.observed.get(targetId(d.target)));
		for (const arn of [d.wanted.binding.taskRole, d.wanted.binding.executionRole]) {
			if (arn != null) roles.set(arn, (roles.get(arn) ?? new Set()).add(family));
		}
	}
	return roles;
}

function familyOf(o: AnyObserved | undefined): string | null {
	if (o?.exists !== true || !("taskDefinition" in o.state)) return null;
	return /task-definition\/([^:]+)/.exec(o.state.taskDefinition)?.[1] ?? null;
}

function gapOf(p: Passer, bound: ReadonlyMap<Arn, ReadonlySet<string | null>>, account: Account): readonly Finding[] {
	const { documents, families } = p;
	if (documents === null)
		return [
			unread(
				account,
				`the policies of ${p.as} (${p.arn}) could not be read, so whether it may pass the roles is not known`,
				p.arn,
			),
		];
	const asked = [...bound].filter(([, of]) => families === null || families.some((f) => of.has(f))).map(([arn]) => arn);
	const refused = asked.filter((resource) => {
		const request = { action: "iam:PassRole", resource, context: { "iam:passedtoservice": ["ecs-tasks.amazonaws.com"] } };
		const decision = evaluate({ documents, boundary: p.boundary }, request);
		return decision === "implicitDeny" || decision === "explicitDeny";
	});
	if (refused.length === 0) return [];
	const more = refused.length > NAMED ? ` and ${refused.length - NAMED} more` : "";
	return [
		{
			id: "PassRoleGap",
			severity: "warning",
			message: `${p.as} (${p.arn}) may not pass ${refused.length} of ${asked.length} roles to ECS: ${refused.slice(0, NAMED).join(", ")}${more}`,
			fix: `allow it iam:PassRole on ${resourceFor(refused)}, with iam:PassedToService ecs-tasks.amazonaws.com`,
			origin: account.origin,
			subject: p.arn,
		},
	];
}

/** One pattern where the roles share a path, which is what a path is for (aws-facts §9.2). */
function resourceFor(arns: readonly Arn[]): string {
	const folders = new Set(arns.map((a) => a.slice(0, a.lastIndexOf("/") + 1)));
	const [folder] = folders;
	return folders.size === 1 && folder !== undefined && !folder.endsWith(":role/")
		? `${folder}*`
		: arns.slice(0, NAMED).join(", ");
}

function unread(account: Account, message: string, subject?: string): Finding {
	return { id: "PassRoleUnread", severity: "note", message, origin: account.origin, ...(subject !== undefined && { subject }) };
}
