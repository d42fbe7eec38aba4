import type { AccessPolicySpec } from "../../model/generated/specs.ts";
import type { Kind } from "../../model/kind.ts";
import { instancesOf } from "../accounts.ts";
import { checkPolicy } from "./check.ts";
import { expandPolicy } from "./expand.ts";
import { policyReferences } from "./references.ts";

export const accessPolicy: Kind<AccessPolicySpec> = {
	kind: "AccessPolicy",
	plural: "accesspolicies",
	platform: false,
	check: checkPolicy,
	instances: instancesOf,
	references: policyReferences,
	expand: expandPolicy,
};
