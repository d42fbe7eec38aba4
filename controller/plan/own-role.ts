import type { Account, Caller } from "../model/account.ts";
import type { Finding } from "../model/finding.ts";
import type { ResourceKey } from "../model/ids.ts";
import type { Origin } from "../model/resource.ts";

/** The names, in lower case, of the roles that this program acts as in an account: whoever they are, they are not managed by it. */
export function ownRoles(account: Account, caller: Caller | null): ReadonlySet<string> {
	const assumed = /:assumed-role\/([^/]+)\//.exec(caller?.arn ?? "")?.[1];
	const spoke = account.assumeRole?.roleArn.split("/").at(-1);
	return new Set([assumed, spoke].flatMap((name) => name?.toLowerCase() ?? []));
}

/** Null: it is another role. */
export function ownRoleFinding(
	name: string,
	own: ReadonlySet<string> | undefined,
	key: ResourceKey,
	origin: Origin | null,
): Finding | null {
	if (own?.has(name.toLowerCase()) !== true) return null;
	return {
		id: "ReservedRole",
		severity: "error",
		message: `role ${name} is the one that ecs-access acts as here, and is never written by it`,
		fix: "take it out of the policy: whoever may write policies could give themselves all that it may",
		origin,
		key,
		subject: `role ${name}`,
	};
}
