import type { Existing } from "../model/target.ts";
import type { PolicyDocument } from "../policy/document.ts";
import type { RoleUse } from "./import-group.ts";
import { parseRole } from "./import-group.ts";

type Role = Existing<"iam.role">;

/** The name as IAM spells it; ECS keeps the spelling that a task definition used. */
export function nameOf(role: Role): string {
	return parseRole(role.arn).name;
}

/** Roles that AWS itself owns: nobody else can change them (IAM User Guide, service-linked roles; IAM Identity Center). */
const AWS_PATHS = ["/aws-service-role/", "/aws-reserved/"];
const AWS_NAMES = /^AWS(ServiceRoleFor|ReservedSSO_)/i;

/** Why no file may own the role, or null. */
export function leftOutBecause(
	use: RoleUse,
	role: Role | undefined,
	opts: {
		readonly account: { readonly accountId: string | null };
		readonly installation: string;
		readonly ownRole: string | null;
		readonly inGit: { readonly roles: ReadonlyMap<string, string> };
	},
): string | null {
	const foreign = use.workloads
		.map((w) => parseRole(w.taskRole ?? "").account)
		.find((id) => id !== null && opts.account.accountId !== null && id !== opts.account.accountId);
	if (foreign !== undefined) return `it belongs to account ${foreign}`;
	const inGit = opts.inGit.roles.get(use.name.toLowerCase());
	if (inGit !== undefined) return `${inGit} owns it already`;
	if (role === undefined) return "it does not exist";
	if (AWS_PATHS.some((p) => role.state.path.startsWith(p)) || AWS_NAMES.test(use.name)) return "it is reserved for AWS";
	if (use.name.toLowerCase() === opts.ownRole?.toLowerCase()) return "it is the role that these credentials act as";
	if (role.owner !== null) {
		return role.owner.installation === opts.installation
			? `it is managed already, as ${role.owner.owner}${role.owner.source === "" ? "" : ` of ${role.owner.source}`}`
			: `installation "${role.owner.installation}" manages it, as ${role.owner.owner}`;
	}
	return null;
}

/** The part of a role that is compared with git; what incident responders add is not (KINDS.md, management.ignore). */
export function comparedPart(role: Role): {
	readonly inline: Readonly<Record<string, PolicyDocument>>;
	readonly managedPolicies: readonly string[];
	/** Why it cannot be told what the role is, or null. */
	readonly unreadable: string | null;
	readonly remarks: readonly string[];
} {
	const { inline, managedPolicies } = role.state;
	const ignoredInline: readonly string[] = Object.keys(inline).filter((name) => name === "AWSRevokeOlderSessions");
	const ignoredManaged = managedPolicies.filter((arn) => /\/AWSCompromisedKeyQuarantine[^/]*$/.test(arn));
	return {
		inline: Object.fromEntries(Object.entries(inline).filter(([name]) => !ignoredInline.includes(name))),
		managedPolicies: managedPolicies.filter((arn) => !ignoredManaged.includes(arn)),
		unreadable: unreadable(role),
		remarks: [
			...ignoredInline.map((name) => `inline policy "${name}" is an incident responder's: left as it is, not written here`),
			...ignoredManaged.map((arn) => `managed policy ${arn} is an incident responder's: left as it is, not written here`),
		],
	};
}

/** A document that could not be parsed stands in the state with a version that IAM does not have. */
function unreadable(role: Role): string | null {
	const readable = (d: PolicyDocument): boolean => d.Version === undefined || VERSIONS.includes(d.Version);
	if (!readable(role.state.trust)) return "its trust policy cannot be read";
	const name = Object.entries(role.state.inline).find(([, d]) => !readable(d))?.[0];
	return name === undefined ? null : `inline policy "${name}" cannot be read`;
}

const VERSIONS: readonly string[] = ["2008-10-17", "2012-10-17"];
