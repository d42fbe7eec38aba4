import type { Finding } from "../../model/finding.ts";
import type { AccessPolicySpec } from "../../model/generated/specs.ts";
import type { Instance } from "../../model/kind.ts";
import type { Facts, Reference } from "../../model/reference.ts";
import { problem, warning } from "../problem.ts";
import type { ResolvedRole } from "./roles.ts";

/** Null offline, where the account is not known. */
export function roleReference(i: Instance, name: string): Reference | null {
	return i.account.accountId === null ? null : { type: "iam.role", account: i.account.accountId, name };
}

/** What a role that is only checked is in AWS: there, and where git says. */
export function liveRoleFindings(i: Instance<AccessPolicySpec>, role: ResolvedRole, f: Facts): readonly Finding[] {
	const ref = roleReference(i, role.name);
	const fact = ref === null ? undefined : f.get(ref);
	const r = i.resource;
	const at = r.at([...role.use.path, "name"], "value");
	const subject = `role ${role.rolePath}${role.name}`;
	switch (fact?.type) {
		case "absent":
			return [
				{
					...problem("RoleMissing", `role ${role.name} does not exist`, at, "create it, or write mode: Managed", i.key),
					subject,
				},
			];
		case "unknown":
			return [{ ...warning("NotRead", `role ${role.name} could not be read: ${fact.reason}`, at, undefined, i.key), subject }];
		case "iam.role": {
			if (fact.state.path === role.rolePath) return [];
			const message = `role ${role.name} lives under ${fact.state.path}, git says ${role.rolePath}`;
			const place = role.use.spec.path === undefined ? at : r.at([...role.use.path, "path"], "value");
			return [{ ...problem("PathDiffers", message, place, `write path: ${fact.state.path}`, i.key), subject }];
		}
		default:
			return [];
	}
}
