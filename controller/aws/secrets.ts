import { TerminalError } from "../model/errors.ts";
import type { Region } from "../model/ids.ts";
import { Secret } from "../model/secret.ts";
import { parseArn } from "./arn.ts";
import { AwsError, awsCode } from "./errors.ts";
import type { CallAws } from "./operations.ts";

/**
 * The current value of a Secrets Manager secret, by name (in `region`; null: the environment's) or ARN (in its own region).
 * Throws TerminalError `SecretMissing`, `SecretUnreadable`, or as call.ts does; no message holds any of it.
 */
export async function readSecret(call: CallAws, id: string, region: Region | null, signal: AbortSignal): Promise<Secret> {
	const at = parseArn(id)?.region ?? region;
	try {
		const { SecretString, SecretBinary } = await call("secretsmanager:GetSecretValue", at, { SecretId: id }, signal);
		if (SecretString !== undefined) return new Secret(SecretString);
		return new Secret(new TextDecoder("utf-8", { fatal: true }).decode(SecretBinary ?? new Uint8Array()));
	} catch (error) {
		const code = awsCode(error);
		const said = error instanceof AwsError ? error.said : null;
		// A secret without a version answers as a missing one; one that waits for its deletion is InvalidRequest.
		if (code === "ResourceNotFound" || code === "InvalidRequest") {
			const why = code === "InvalidRequest" ? "is being deleted" : "does not exist, or has no value";
			throw new TerminalError("SecretMissing", `secret ${id} ${why}${at === null ? "" : ` in ${at}`}`, {
				cause: error,
				fix: "make it, restore it, or correct its name in the Installation; a secret of another account or region needs its ARN",
			});
		}
		if (code === "DecryptionFailure") {
			throw new TerminalError("SecretUnreadable", `secret ${id} cannot be decrypted${said === null ? "" : `: ${said}`}`, {
				cause: error,
				fix: "allow kms:Decrypt on its key, and check that the key is enabled",
			});
		}
		if (error instanceof TypeError) {
			throw new TerminalError("SecretUnreadable", `secret ${id} is binary, and no text`, { fix: "put it there as text" });
		}
		throw error;
	}
}
