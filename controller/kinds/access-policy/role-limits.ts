import type { RoleWanted } from "../../model/desired.ts";
import type { Finding } from "../../model/finding.ts";
import type { AccessPolicySpec } from "../../model/generated/specs.ts";
import { isSymbolic } from "../../model/interpolate.ts";
import type { Instance } from "../../model/kind.ts";
import { isMark } from "../../model/marks.ts";
import type { FieldPath } from "../../model/resource.ts";
import { countedSize } from "../../policy/size.ts";
import { problem, warning } from "../problem.ts";
import type { RoleStatements } from "./role-statements.ts";
import type { Policy } from "./roles.ts";
import { accountIdOf, type ResolvedRole, type RoleUse } from "./roles.ts";

type PolicyInstance = Instance<AccessPolicySpec>;

/** Inline documents of a role, all together; not adjustable (aws-facts §2). */
const ROLE_POLICY_LIMIT = 10_240;
/** Default, and as far as AWS raises it (aws-facts §2). */
const TRUST_LIMIT = [2_048, 8_192] as const;
const ATTACHMENT_LIMIT = [10, 25] as const;
/** AWS-owned: aws-facts §2 and the IAM User Guide's service-linked and Identity Center roles. */
const RESERVED_NAME = /^(AWSServiceRole|AWSReservedSSO_)/i;
const RESERVED_PATH = /^\/(aws-service-role|aws-reserved)\//i;

export function checkName(i: PolicyInstance, role: ResolvedRole, out: Finding[]): void {
	const r = i.resource;
	const { spec, path } = role.use;
	if (role.faults.length > 0) return;
	const at = spec.name === undefined ? r.at(path) : r.at([...path, "name"], "value");
	const say = (id: string, message: string, fix: string) => out.push(problem(id, message, at, fix, r.key));
	const { name, rolePath } = role;
	if (name.startsWith("arn:")) {
		const account = name.split(":")[4];
		if (account !== undefined && account !== accountIdOf(i))
			say("OutsideAccount", `role ${name} is in another account`, `this policy is for ${accountIdOf(i)}`);
		else say("InvalidRoleName", `"${name}" is an ARN, a role name is wanted`, `write name: ${name.split("/").at(-1) ?? ""}`);
		return;
	}
	const known = name.replace(/\$\{account\.[^}]*\}/g, "x");
	if (name.length > 64 && !isSymbolic(name)) {
		say("InvalidRoleName", `role name "${name}" has ${name.length} characters, IAM allows 64`, "give the role a shorter name");
	} else if (!/^[\w+=,.@-]+$/.test(known)) {
		say("InvalidRoleName", `role name "${name}" holds what IAM does not allow`, "letters, digits and +=,.@_-");
	}
	if (i.account.assumeRole?.roleArn.toLowerCase().endsWith(`/${name.toLowerCase()}`)) {
		say("ReservedRole", `role ${name} is the one that ecs-access acts as in Account ${i.account.name}`, "name another");
	}
	if (RESERVED_NAME.test(name) || RESERVED_PATH.test(rolePath)) {
		say("ReservedRole", `role ${rolePath}${name} belongs to AWS`, "name another");
	}
	if (!/^\/([\x21-\x7E]+\/)?$/.test(rolePath)) {
		const place = spec.path === undefined ? at : r.at([...path, "path"], "value");
		out.push(problem("InvalidRoleName", `path "${rolePath}" must begin and end with /`, place, "e.g. /ecs-access/", r.key));
	}
}

export function checkQuotas(
	i: PolicyInstance,
	role: ResolvedRole,
	wanted: RoleWanted,
	all: RoleStatements,
	out: Finding[],
): void {
	const r = i.resource;
	const { path, spec } = role.use;
	const number = (n: number) => n.toLocaleString("en-US");
	if (all.statements.length > 0) {
		const size = countedSize([{ Version: "2012-10-17", Statement: all.statements.map((s) => s.statement) }]);
		if (size > ROLE_POLICY_LIMIT) {
			const message = `the policy of role ${role.name} has ${number(size)} characters, IAM allows ${number(ROLE_POLICY_LIMIT)}`;
			out.push(problem("SizeExceeded", message, r.at(path), "use wildcards, or move statements to a managed policy", r.key));
		}
	}
	const trust = wanted.trust === null ? 0 : countedSize([wanted.trust]);
	if (trust > TRUST_LIMIT[0]) {
		const over = trust > TRUST_LIMIT[1];
		const message = `the trust policy of role ${role.name} has ${number(trust)} characters, IAM allows ${number(over ? TRUST_LIMIT[1] : TRUST_LIMIT[0])}${over ? "" : " by default"}`;
		out.push(
			(over ? problem : warning)(
				"SizeExceeded",
				message,
				r.at([...path, "trust"]),
				"name fewer principals, or raise the quota",
				r.key,
			),
		);
	}
	const attached = wanted.managedPolicies.length;
	if (attached > ATTACHMENT_LIMIT[0]) {
		const over = attached > ATTACHMENT_LIMIT[1];
		const message = `${attached} managed policies are attached to role ${role.name}, IAM allows ${over ? ATTACHMENT_LIMIT[1] : `${ATTACHMENT_LIMIT[0]} by default`}`;
		out.push(
			(over ? problem : warning)(
				"QuotaExceeded",
				message,
				r.at([...path, "managedPolicies"]),
				"attach fewer, or raise the quota",
				r.key,
			),
		);
	}
	wanted.managedPolicies.forEach(({ arn }, n) => {
		policyArn(i, arn, [...path, "managedPolicies", n], out);
	});
	const boundary = wanted.permissionsBoundary;
	if (boundary !== null && boundary !== "none" && spec.permissionsBoundary !== undefined) {
		policyArn(i, boundary, [...path, "permissionsBoundary"], out);
	}
}

/** A policy can only be attached in its own account, or be one of AWS's. */
function policyArn(i: PolicyInstance, arn: string, path: FieldPath, out: Finding[]): void {
	if (isSymbolic(arn)) return;
	const r = i.resource;
	const m = /^arn:([^:]+):iam::([0-9]{12}|aws):policy\/.+$/.exec(arn);
	if (m === null) {
		out.push(
			problem(
				"InvalidValue",
				`"${arn}" is not the ARN of a managed policy`,
				r.at(path, "value"),
				"e.g. arn:aws:iam::aws:policy/ReadOnlyAccess",
				r.key,
			),
		);
	} else if (m[2] !== "aws" && i.account.accountId !== null && m[2] !== i.account.accountId) {
		out.push(
			problem(
				"OutsideAccount",
				`policy ${arn} is in another account`,
				r.at(path, "value"),
				`this policy is for ${i.account.accountId}`,
				r.key,
			),
		);
	}
}

/** IAM API reference, Tag: what keys and values may hold. */
const TAG_TEXT = /^[\p{L}\p{Z}\p{N}_.:/=+@-]*$/u;

/** IAM keeps 50 tags a role; our own marks take up to seven of them. */
export function checkTags(r: Policy, use: RoleUse, out: Finding[]): void {
	const tags = Object.keys(use.spec.tags ?? {});
	const seen = new Map<string, string>();
	for (const [key, value] of Object.entries(use.spec.tags ?? {})) {
		const at = r.at([...use.path, "tags", key]);
		if (!value.includes("${") && !TAG_TEXT.test(value)) {
			const place = r.at([...use.path, "tags", key], "value");
			out.push(
				problem(
					"InvalidValue",
					`tag value "${value}" is not possible in IAM`,
					place,
					"letters, digits, spaces and _.:/=+-@",
					r.key,
				),
			);
		}
		const twin = seen.get(key.toLowerCase());
		seen.set(key.toLowerCase(), key);
		if (isMark(key)) out.push(problem("ReservedTag", `tag "${key}" is one of this program's marks`, at, "delete it", r.key));
		else if (key.toLowerCase().startsWith("aws:"))
			out.push(problem("ReservedTag", `tag "${key}" is reserved for AWS`, at, "delete it", r.key));
		else if (twin !== undefined)
			out.push(problem("ReservedTag", `tags "${twin}" and "${key}" are one tag to IAM`, at, "keep one", r.key));
		if (key === "" || key.length > 128 || !TAG_TEXT.test(key)) {
			out.push(
				problem(
					"InvalidValue",
					`tag key "${key}" is not possible in IAM`,
					at,
					"letters, digits, spaces and _.:/=+-@, up to 128",
					r.key,
				),
			);
		}
	}
	if (tags.length > 43) {
		out.push(
			problem(
				"QuotaExceeded",
				`${tags.length} tags, IAM allows 50 and our marks need 7`,
				r.at([...use.path, "tags"]),
				"declare fewer",
				r.key,
			),
		);
	}
}
