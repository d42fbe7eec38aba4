import { stableJson } from "../model/digest.ts";
import { isMark } from "../model/marks.ts";
import type { RoleState } from "../model/target.ts";
import { canonicalDocument } from "../policy/canonical.ts";

/** Names what differs between two states of a role, in the words of a plan; empty when their fingerprints are equal. */
export function whatMoved(planned: RoleState, now: RoleState): readonly string[] {
	return [
		...(planned.path === now.path ? [] : [`path ${now.path}`]),
		...(document(planned.trust) === document(now.trust) ? [] : ["trust"]),
		...keys(planned.inline, now.inline)
			.filter((name) => document(planned.inline[name]) !== document(now.inline[name]))
			.map((name) => `inline policy "${name}"${appeared(name in planned.inline, name in now.inline)}`),
		...[...new Set([...planned.managedPolicies, ...now.managedPolicies])]
			.filter((arn) => planned.managedPolicies.includes(arn) !== now.managedPolicies.includes(arn))
			.map((arn) => `${arn}${now.managedPolicies.includes(arn) ? " attached" : " detached"}`),
		...(planned.permissionsBoundary === now.permissionsBoundary ? [] : ["permissions boundary"]),
		...keys(planned.tags, now.tags)
			.filter((key) => isMark(key) && planned.tags[key] !== now.tags[key])
			.map((key) => `tag ${key}`),
	];
}

function appeared(before: boolean, after: boolean): string {
	return before === after ? "" : after ? " added" : " removed";
}

function keys(a: Readonly<Record<string, unknown>>, b: Readonly<Record<string, unknown>>): readonly string[] {
	return [...new Set([...Object.keys(a), ...Object.keys(b)])].sort();
}

function document(doc: RoleState["trust"] | undefined): string {
	return doc === undefined ? "" : stableJson(canonicalDocument(doc));
}
