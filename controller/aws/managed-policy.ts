import { join } from "node:path";
import type { AccountId, Arn } from "../model/ids.ts";
import type { PolicyDocument } from "../policy/document.ts";
import { createDiskCache } from "./disk-cache.ts";
import { awsCode } from "./errors.ts";
import type { CallAws } from "./operations.ts";
import { parseDocument } from "./role-read.ts";

export interface ManagedPolicies {
	/** The default version; undefined when there is no such policy. Throws where it cannot be read or parsed. */
	readonly document: (arn: Arn, signal: AbortSignal) => Promise<PolicyDocument | undefined>;
}

/** A version never changes, so its text is kept on disk; which version is the default is asked once a pass. */
export function createManagedPolicies(deps: {
	readonly call: CallAws;
	readonly account: AccountId;
	readonly cacheDir: string | null;
}): ManagedPolicies {
	const file = deps.cacheDir === null ? null : join(deps.cacheDir, "managed-policies", `${deps.account}.jsonl`);
	const texts = createDiskCache(file, (v): v is string => typeof v === "string");
	const asked = new Map<Arn, Promise<PolicyDocument | undefined>>();
	const read = async (arn: Arn, signal: AbortSignal): Promise<PolicyDocument | undefined> => {
		try {
			const { Policy: policy } = await deps.call("iam:GetPolicy", "global", { PolicyArn: arn }, signal);
			const VersionId = policy?.DefaultVersionId ?? "v1";
			// By id as well: a policy that is deleted and made again starts at v1 again.
			const key = `${arn} ${policy?.PolicyId ?? ""} ${VersionId}`;
			const known = texts.get(key);
			if (known !== undefined) return parseDocument(known);
			const { PolicyVersion } = await deps.call("iam:GetPolicyVersion", "global", { PolicyArn: arn, VersionId }, signal);
			const text = PolicyVersion?.Document ?? "";
			const document = parseDocument(text);
			texts.put(key, text);
			return document;
		} catch (error) {
			if (awsCode(error) === "NoSuchEntity") return undefined;
			throw error;
		}
	};
	return {
		document: (arn, signal) => {
			const known = asked.get(arn);
			if (known !== undefined) return known;
			const asking = read(arn, signal);
			asked.set(arn, asking);
			asking.catch(() => asked.delete(arn));
			return asking;
		},
	};
}
