import type { Arn } from "../model/ids.ts";
import type { Fact } from "../model/reference.ts";
import { parseArn } from "./arn.ts";
import { awsCode, brief } from "./errors.ts";
import type { CallAws } from "./operations.ts";

/** Which key encrypts a secret; by an ARN that may end in `-??????` for the characters that Secrets Manager appends. */
export async function readSecretKey(arn: Arn, account: string, call: CallAws, signal: AbortSignal): Promise<Fact> {
	const parts = parseArn(arn);
	if (parts === undefined) return { type: "unknown", reason: `${arn} is not an ARN` };
	const whole = arn.replace(/-\?{6}$/, "");
	// An ARN without its end is looked up as if it ended with its last six characters; a name is not (DescribeSecret, SecretId).
	const id = whole !== arn && parts.account === account ? whole.slice(whole.indexOf(":secret:") + ":secret:".length) : whole;
	try {
		const { KmsKeyId } = await call("secretsmanager:DescribeSecret", parts.region, { SecretId: id }, signal);
		return { type: "secret.key", key: isOwn(KmsKeyId) ? null : (KmsKeyId ?? null) };
	} catch (error) {
		signal.throwIfAborted();
		return awsCode(error) === "ResourceNotFound" ? { type: "absent" } : { type: "unknown", reason: brief(error) };
	}
}

/** AWS's key for all secrets of an account: whoever may read the secret may use it (Secrets Manager User Guide, Encryption). */
function isOwn(key: string | undefined): boolean {
	return key?.endsWith("alias/aws/secretsmanager") === true;
}
