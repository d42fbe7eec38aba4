import fc from "fast-check";
import { expect, test } from "vitest";
import { applyCall, isAlready } from "../../../controller/model/apply-call.ts";
import { roleFingerprint } from "../../../controller/model/fingerprint.ts";
import type { StepCall } from "../../../controller/model/plan.ts";
import type { RoleState } from "../../../controller/model/target.ts";
import type { PolicyDocument } from "../../../controller/policy/document.ts";

const RoleName = "r";
const name = fc.constantFrom("a", "b", "ecs-access");
const arn = fc.constantFrom("arn:aws:iam::aws:policy/A", "arn:aws:iam::aws:policy/B");
const tagKey = fc.constantFrom("team", "Team", "ecs-access.dev/installation", "ecs-access.dev/owner");
const document = fc
	.constantFrom("s3:*", "sqs:*", "iam:*")
	.map((Action): PolicyDocument => ({ Version: "2012-10-17", Statement: [{ Effect: "Allow", Action, Resource: "*" }] }));
const tags = fc
	.dictionary(tagKey, fc.constantFrom("x", "y"), { maxKeys: 2 })
	.filter((t) => new Set(Object.keys(t).map((k) => k.toLowerCase())).size === Object.keys(t).length);

const call: fc.Arbitrary<StepCall> = fc.oneof(
	fc
		.record({ AssumeRolePolicyDocument: document, Tags: tags })
		.map((i): StepCall => ({ api: "iam:CreateRole", input: { RoleName, Path: "/", ...i } })),
	document.map((PolicyDocument): StepCall => ({ api: "iam:UpdateAssumeRolePolicy", input: { RoleName, PolicyDocument } })),
	fc
		.record({ PolicyName: name, PolicyDocument: document })
		.map((i): StepCall => ({ api: "iam:PutRolePolicy", input: { RoleName, ...i } })),
	name.map((PolicyName): StepCall => ({ api: "iam:DeleteRolePolicy", input: { RoleName, PolicyName } })),
	arn.map((PolicyArn): StepCall => ({ api: "iam:AttachRolePolicy", input: { RoleName, PolicyArn } })),
	arn.map((PolicyArn): StepCall => ({ api: "iam:DetachRolePolicy", input: { RoleName, PolicyArn } })),
	arn.map(
		(PermissionsBoundary): StepCall => ({ api: "iam:PutRolePermissionsBoundary", input: { RoleName, PermissionsBoundary } }),
	),
	fc.constant<StepCall>({ api: "iam:DeleteRolePermissionsBoundary", input: { RoleName } }),
	tags.map((Tags): StepCall => ({ api: "iam:TagRole", input: { RoleName, Tags } })),
	fc.uniqueArray(tagKey).map((TagKeys): StepCall => ({ api: "iam:UntagRole", input: { RoleName, TagKeys } })),
	fc.constant<StepCall>({ api: "iam:DeleteRole", input: { RoleName } }),
	fc.constant<StepCall>({ api: "none" }),
);
/** Any state that calls can lead to. */
const state = fc.array(call, { maxLength: 12 }).map((calls) => calls.reduce<RoleState | null>((s, c) => applyCall(s, c), null));

test("a call carried out twice is carried out once", () => {
	fc.assert(
		fc.property(state, call, (before, c) => {
			const once = applyCall(before, c);
			expect(applyCall(once, c)).toEqual(once);
		}),
	);
});

test("what a call made is already so; what is already so, the call does not change", () => {
	fc.assert(
		fc.property(state, call, (before, c) => {
			const after = applyCall(before, c);
			// CreateRole on a role that exists is refused, so it need not hold afterwards.
			if (c.api !== "iam:CreateRole" || before === null) {
				if (after !== null || c.api === "iam:DeleteRole" || c.api === "none") expect(isAlready(after, c)).toBe(true);
			}
			if (isAlready(before, c))
				expect(after === null ? null : roleFingerprint(after)).toBe(before === null ? null : roleFingerprint(before));
		}),
	);
});

test("a call that changes the fingerprint was not already so", () => {
	fc.assert(
		fc.property(state, call, (before, c) => {
			const after = applyCall(before, c);
			const changed = (before === null ? null : roleFingerprint(before)) !== (after === null ? null : roleFingerprint(after));
			if (changed) expect(isAlready(before, c)).toBe(false);
		}),
	);
});

test("tag keys are one whatever their case, and the last spelling stays", () => {
	const made = applyCall(null, {
		api: "iam:CreateRole",
		input: { RoleName, Path: "/", AssumeRolePolicyDocument: { Statement: [] }, Tags: { Team: "a" } },
	});
	expect(applyCall(made, { api: "iam:TagRole", input: { RoleName, Tags: { team: "b" } } })?.tags).toEqual({ team: "b" });
	expect(applyCall(made, { api: "iam:UntagRole", input: { RoleName, TagKeys: ["TEAM"] } })?.tags).toEqual({});
});
