import type { Arn, Tags } from "../model/ids.ts";
import type { RoleCall } from "../model/plan.ts";
import { minified } from "../policy/size.ts";
import type { CallAws } from "./operations.ts";

export interface Sent {
	readonly requestId: string | null;
	/** Of a role that was created. */
	readonly arn: Arn | undefined;
}

/** Carries out one call as the step gives it. `none` sends nothing. */
export async function sendStep(call: CallAws, step: RoleCall, signal: AbortSignal): Promise<Sent> {
	switch (step.api) {
		case "iam:CreateRole": {
			const { AssumeRolePolicyDocument, Tags, ...input } = step.input;
			const output = await call(
				step.api,
				"global",
				{ ...input, AssumeRolePolicyDocument: minified(AssumeRolePolicyDocument), Tags: tagList(Tags) },
				signal,
			);
			return { requestId: output.$metadata.requestId ?? null, arn: output.Role?.Arn };
		}
		case "iam:UpdateAssumeRolePolicy":
			return sent(await call(step.api, "global", { ...step.input, PolicyDocument: minified(step.input.PolicyDocument) }, signal));
		case "iam:PutRolePolicy":
			return sent(await call(step.api, "global", { ...step.input, PolicyDocument: minified(step.input.PolicyDocument) }, signal));
		case "iam:TagRole":
			return sent(await call(step.api, "global", { RoleName: step.input.RoleName, Tags: tagList(step.input.Tags) }, signal));
		case "iam:UntagRole":
			return sent(await call(step.api, "global", { RoleName: step.input.RoleName, TagKeys: [...step.input.TagKeys] }, signal));
		case "iam:DeleteRolePolicy":
			return sent(await call(step.api, "global", step.input, signal));
		case "iam:AttachRolePolicy":
			return sent(await call(step.api, "global", step.input, signal));
		case "iam:DetachRolePolicy":
			return sent(await call(step.api, "global", step.input, signal));
		case "iam:PutRolePermissionsBoundary":
			return sent(await call(step.api, "global", step.input, signal));
		case "iam:DeleteRolePermissionsBoundary":
			return sent(await call(step.api, "global", step.input, signal));
		case "iam:DeleteRole":
			return sent(await call(step.api, "global", step.input, signal));
		case "none":
			return { requestId: null, arn: undefined };
	}
}

function sent(output: { readonly $metadata: { readonly requestId?: string | undefined } }): Sent {
	return { requestId: output.$metadata.requestId ?? null, arn: undefined };
}

function tagList(tags: Tags): { Key: string; Value: string }[] {
	return Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
}
