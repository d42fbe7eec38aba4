import type { SecretRotationSpec } from "../../model/generated/specs.ts";
import type { Kind } from "../../model/kind.ts";
import { instancesOf } from "../accounts.ts";
import { checkRotation } from "./check.ts";
import { expandRotation } from "./expand.ts";

export const secretRotation: Kind<SecretRotationSpec> = {
	kind: "SecretRotation",
	plural: "secretrotations",
	platform: false,
	check: checkRotation,
	instances: instancesOf,
	// Who uses a secret is asked once it is known whether it moves: plan/rotation/references.ts.
	references: () => [],
	expand: expandRotation,
};
