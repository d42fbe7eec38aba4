import { canonicalDocument } from "../policy/canonical.ts";
import { stableJson } from "./digest.ts";
import type { Tags } from "./ids.ts";
import { isRoleCall, type StepCall } from "./plan.ts";
import type { RoleState } from "./target.ts";

/**
 * The state of a role after a call that succeeded; null: no such role. The same projection serves the planner (state
 * between steps), the provider (what is remembered after a write) and the tests' in-memory world. A call on a role that
 * does not exist leaves it so; CreateRole on one that exists leaves it as it was (IAM refuses it).
 */
export function applyCall(state: RoleState | null, call: StepCall): RoleState | null {
	if (call.api === "iam:CreateRole") {
		if (state !== null) return state;
		return {
			path: call.input.Path,
			trust: call.input.AssumeRolePolicyDocument,
			inline: {},
			managedPolicies: [],
			permissionsBoundary: call.input.PermissionsBoundary ?? null,
			tags: call.input.Tags,
		};
	}
	if (state === null || !isRoleCall(call)) return state;
	switch (call.api) {
		case "iam:UpdateAssumeRolePolicy":
			return { ...state, trust: call.input.PolicyDocument };
		case "iam:PutRolePolicy":
			return { ...state, inline: { ...state.inline, [call.input.PolicyName]: call.input.PolicyDocument } };
		case "iam:DeleteRolePolicy": {
			const { [call.input.PolicyName]: _gone, ...inline } = state.inline;
			return { ...state, inline };
		}
		case "iam:AttachRolePolicy":
			return { ...state, managedPolicies: [...new Set([...state.managedPolicies, call.input.PolicyArn])].sort() };
		case "iam:DetachRolePolicy":
			return { ...state, managedPolicies: state.managedPolicies.filter((arn) => arn !== call.input.PolicyArn) };
		case "iam:PutRolePermissionsBoundary":
			return { ...state, permissionsBoundary: call.input.PermissionsBoundary };
		case "iam:DeleteRolePermissionsBoundary":
			return { ...state, permissionsBoundary: null };
		case "iam:TagRole":
			return { ...state, tags: { ...withoutTags(state.tags, Object.keys(call.input.Tags)), ...call.input.Tags } };
		case "iam:UntagRole":
			return { ...state, tags: withoutTags(state.tags, call.input.TagKeys) };
		case "iam:DeleteRole":
			return null;
		case "none":
			return state;
	}
}

/**
 * Whether the call would change nothing that is compared: its intent already holds. For CreateRole: the role exists
 * as it would just have been made, with every tag it would be given and no policy yet.
 */
export function isAlready(state: RoleState | null, call: StepCall): boolean {
	if (call.api === "iam:CreateRole") {
		if (state === null) return false;
		const wanted = call.input;
		return (
			state.path === wanted.Path &&
			Object.keys(state.inline).length === 0 &&
			state.managedPolicies.length === 0 &&
			sameDocument(state.trust, wanted.AssumeRolePolicyDocument) &&
			state.permissionsBoundary === (wanted.PermissionsBoundary ?? null) &&
			sameTags(
				applyCall(state, { api: "iam:TagRole", input: { RoleName: wanted.RoleName, Tags: wanted.Tags } })?.tags,
				state.tags,
			)
		);
	}
	if (call.api === "iam:DeleteRole") return state === null;
	const after = applyCall(state, call);
	if (state === null || after === null) return isRemoval(call);
	return stableJson(comparable(after)) === stableJson(comparable(state));
}

/** What takes something away is done when there is nothing to take it from. */
function isRemoval(call: StepCall): boolean {
	return (
		call.api === "none" ||
		call.api === "iam:DeleteRolePolicy" ||
		call.api === "iam:DetachRolePolicy" ||
		call.api === "iam:UntagRole" ||
		call.api === "iam:DeleteRolePermissionsBoundary"
	);
}

function comparable(s: RoleState): unknown {
	return {
		...s,
		trust: canonicalDocument(s.trust),
		inline: Object.fromEntries(Object.entries(s.inline).map(([name, doc]) => [name, canonicalDocument(doc)])),
		tags: lowerKeys(s.tags),
	};
}

function sameDocument(a: RoleState["trust"], b: RoleState["trust"]): boolean {
	return stableJson(canonicalDocument(a)) === stableJson(canonicalDocument(b));
}

function sameTags(a: Tags | undefined, b: Tags): boolean {
	return a !== undefined && stableJson(lowerKeys(a)) === stableJson(lowerKeys(b));
}

/** Role tag keys are case-insensitive (aws-facts §2). */
function withoutTags(tags: Tags, keys: readonly string[]): Tags {
	const gone = new Set(keys.map((k) => k.toLowerCase()));
	return Object.fromEntries(Object.entries(tags).filter(([k]) => !gone.has(k.toLowerCase())));
}

function lowerKeys(tags: Tags): Tags {
	return Object.fromEntries(Object.entries(tags).map(([k, v]) => [k.toLowerCase(), v]));
}
