import type { Finding } from "../model/finding.ts";
import type { ResourceKey } from "../model/ids.ts";
import type { Origin } from "../model/resource.ts";
import type { Existing } from "../model/target.ts";

/**
 * Nothing is planned for a role of which a part cannot be read: what is not seen might be a Deny, or the access that a step
 * would claim to add. Null: all of it was read.
 */
export function unreadableFinding(role: Existing, key: ResourceKey, origin: Origin | null): Finding | null {
	if (role.unreadable === undefined) return null;
	return {
		id: "NotRead",
		severity: "error",
		message: `role ${role.target.name} is left as it is, because a part of it cannot be read: ${role.unreadable}`,
		fix: "replace or remove that document by hand, then plan again",
		origin,
		key,
		subject: `role ${role.target.name}`,
	};
}
