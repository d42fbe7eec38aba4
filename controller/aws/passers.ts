import type { Caller } from "../model/account.ts";
import type { Arn, Region } from "../model/ids.ts";
import type { Fact, Passer } from "../model/reference.ts";
import type { PolicyDocument } from "../policy/document.ts";
import { parseArn, roleNameOf } from "./arn.ts";
import { brief } from "./errors.ts";
import type { ManagedPolicies } from "./managed-policy.ts";
import type { Roles } from "./roles.ts";
import type { Schedules } from "./schedules.ts";
import { familyOf } from "./task-definition.ts";

export interface PasserDeps {
	readonly roles: Roles;
	readonly policies: ManagedPolicies;
	readonly schedules: (region: Region, signal: AbortSignal) => Promise<Schedules>;
	readonly caller: Caller;
	readonly accountName: string;
}

type PrincipalAccess = Pick<Passer, "documents" | "boundary">;

/**
 * Who starts or deploys tasks here, with what each may do (aws-facts §4.6): the caller, the Account's deployers, what
 * EventBridge and Scheduler act as. What may not be read is listed, and never fails the plan.
 */
export async function readPassers(
	regions: readonly Region[],
	deployers: readonly Arn[],
	deps: PasserDeps,
	signal: AbortSignal,
): Promise<Extract<Fact, { type: "passers" }>> {
	const schedules = await Promise.all(regions.map((region) => deps.schedules(region, signal)));
	const unread = schedules.flatMap((s) => s.unread);
	const wanted: Pick<Passer, "arn" | "as" | "families">[] = [
		{ arn: deps.caller.arn, as: "the caller", families: null },
		...deployers.map((arn) => ({ arn, as: `Account ${deps.accountName} deployers`, families: null })),
		...schedules
			.flatMap((s) => s.tasks)
			.flatMap((t) =>
				t.role === null
					? []
					: [{ arn: t.role, as: t.as, families: t.taskDefinition === null ? null : [familyOf(t.taskDefinition)] }],
			),
	];
	const names = [...new Set(wanted.map((w) => nameHere(w.arn, deps.caller)).filter((n) => n !== undefined))];
	const live = new Map<string, PrincipalAccess>();
	try {
		const roles = await deps.roles.many(names, signal);
		await Promise.all(
			names.map(async (name, n) => {
				const role = roles[n];
				if (role === undefined) return;
				if (role.unreadable !== null) {
					unread.push(role.unreadable);
					return;
				}
				const attached = await Promise.all(
					role.state.managedPolicies.map((arn) => readPolicy(arn, `${arn}, attached to ${name}`, deps.policies, unread, signal)),
				);
				const { permissionsBoundary } = role.state;
				const boundary =
					permissionsBoundary === null
						? null
						: await readPolicy(permissionsBoundary, `the boundary of ${name}`, deps.policies, unread, signal);
				// One policy that cannot be read makes the whole answer unknown: it may hold the permission, or the cap.
				if (attached.includes(undefined) || boundary === undefined) return;
				live.set(name, {
					documents: [...Object.values(role.state.inline), ...attached.filter((d) => d !== undefined)],
					boundary,
				});
			}),
		);
	} catch (error) {
		signal.throwIfAborted();
		unread.push(`the roles of those who deploy (${brief(error)})`);
	}
	return {
		type: "passers",
		passers: wanted.map((w) => {
			const name = nameHere(w.arn, deps.caller);
			return { ...w, ...((name === undefined ? undefined : live.get(name)) ?? { documents: null, boundary: null }) };
		}),
		unread,
	};
}

async function readPolicy(
	arn: Arn,
	what: string,
	policies: ManagedPolicies,
	unread: string[],
	signal: AbortSignal,
): Promise<PolicyDocument | undefined> {
	try {
		const document = await policies.document(arn, signal);
		if (document === undefined) unread.push(`${what} (it does not exist)`);
		return document;
	} catch (error) {
		signal.throwIfAborted();
		unread.push(`${what} (${brief(error)})`);
		return undefined;
	}
}

/** A role of this account; users and other accounts' roles cannot be read from here. */
function nameHere(arn: Arn, caller: Caller): string | undefined {
	return parseArn(arn)?.account === caller.accountId ? roleNameOf(arn) : undefined;
}
