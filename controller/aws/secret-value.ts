import { deriveKeys } from "../model/derive-keys.ts";
import { TerminalError } from "../model/errors.ts";
import type { Arn } from "../model/ids.ts";
import type { RotationCall } from "../model/rotation.ts";
import { Secret } from "../model/secret.ts";
import { parseArn } from "./arn.ts";
import { AwsError, awsCode } from "./errors.ts";
import type { CallAws } from "./operations.ts";

/** By which a version is read: never by default, so that what a moved label means is read, and nothing older. */
export type VersionOf = { readonly VersionStage: "AWSCURRENT" } | { readonly VersionId: string };

/** The value of one version. Throws TerminalError `SecretUnreadable` where it is no text. */
export async function readVersion(secret: Arn, of: VersionOf, call: CallAws, signal: AbortSignal): Promise<Secret> {
	const { SecretString } = await call("secretsmanager:GetSecretValue", regionOf(secret), { SecretId: secret, ...of }, signal);
	if (SecretString === undefined)
		throw new TerminalError("SecretUnreadable", `secret ${secret} is binary, and no text`, {
			fix: "rotate it by strategy external",
		});
	return new Secret(SecretString);
}

/** One key of a value that is JSON. Throws TerminalError `SecretKeyMissing`. */
export function keyOf(value: Secret, key: string, secret: Arn): Secret {
	const found = value.use((text) => objectIn(text)?.[key]);
	if (typeof found !== "string") {
		throw new TerminalError("SecretKeyMissing", `secret ${secret} has no text under the key "${key}"`, {
			fix: "put the key into the secret, or correct its name in the SecretRotation",
		});
	}
	return new Secret(found);
}

/** The value with some keys replaced and the derived ones made of them; all others as they were. */
export function withKeys(
	value: Secret,
	replaced: Readonly<Record<string, Secret>>,
	derive: Readonly<Record<string, string>>,
	secret: Arn,
): Secret {
	return value.use((text) => {
		const object = objectIn(text);
		if (object === null) {
			throw new TerminalError("SecretNoJson", `secret ${secret} is no JSON object, and keys of it are to be rotated`, {
				fix: "leave keys out where the whole secret is one plain string",
			});
		}
		const missing = Object.keys(replaced).find((key) => !Object.hasOwn(object, key));
		if (missing !== undefined) {
			throw new TerminalError("SecretKeyMissing", `secret ${secret} has no key "${missing}"`, {
				fix: "put the key into the secret, or correct its name in the SecretRotation",
			});
		}
		const next = { ...object, ...Object.fromEntries(Object.entries(replaced).map(([key, s]) => [key, s.use((v) => v)])) };
		try {
			return new Secret(JSON.stringify(deriveKeys(next, derive)));
		} catch (error) {
			if (!(error instanceof RangeError)) throw error;
			throw new TerminalError("SecretKeyMissing", `secret ${secret}: ${error.message}`, {
				fix: "correct derive in the SecretRotation",
			});
		}
	});
}

type PendingInput = Extract<RotationCall, { api: "secretsmanager:PutSecretValue" }>["input"];

/** The next value of a secret that is generated, made of the current one. Refused where a database would have to learn it. */
export async function generateValue(input: PendingInput, call: CallAws, signal: AbortSignal): Promise<Secret> {
	const { secret, keys } = input;
	const current = await readVersion(secret, { VersionStage: "AWSCURRENT" }, call, signal);
	if (input.refuseDatabase && current.test((text) => isDatabase(objectIn(text)))) {
		throw new TerminalError("DatabaseSecret", `secret ${secret} looks like a database's: it would never learn the new value`, {
			fix: "use strategy lambda: the secret's own rotation function tells the database",
		});
	}
	if (keys.length === 0) {
		if (current.test((text) => objectIn(text) !== null)) {
			throw new TerminalError("SecretIsJson", `secret ${secret} is a JSON object, and no keys are named`, {
				fix: "name the keys that get a new value: strategy.generate.keys",
			});
		}
		return random(input, call, signal);
	}
	const made: Record<string, Secret> = {};
	for (const key of keys) made[key] = await random(input, call, signal);
	return withKeys(current, made, input.derive, secret);
}

/** Puts a value as the version that a rotation is named by, and says whether it did: one that is there already stays. */
export async function putPending(
	secret: Arn,
	version: string,
	value: Secret,
	call: CallAws,
	signal: AbortSignal,
): Promise<string | null> {
	try {
		const { $metadata } = await call(
			"secretsmanager:PutSecretValue",
			regionOf(secret),
			{
				SecretId: secret,
				ClientRequestToken: version,
				SecretString: value.use((v) => v),
				VersionStages: ["AWSPENDING"],
			},
			signal,
		);
		return $metadata.requestId ?? null;
	} catch (error) {
		// Made before its answer was lost, with a value of its own: that one counts (aws-facts §6.1).
		if (awsCode(error) === "ResourceExists") return null;
		throw withheld(error, value, secret);
	}
}

/** What AWS says may quote what it was sent. */
export function withheld(error: unknown, value: Secret, secret: Arn): unknown {
	const message = error instanceof Error ? `${error.message} ${error.cause instanceof Error ? error.cause.message : ""}` : "";
	const quoted = value.test((text) =>
		[text, ...Object.values(objectIn(text) ?? {})].some((v) => typeof v === "string" && v.length >= 5 && message.includes(v)),
	);
	if (!quoted) return error;
	const request = error instanceof AwsError ? (error.requestId ?? "unknown") : "unknown";
	return new TerminalError(
		"Withheld",
		`could not put a new version of secret ${secret}: what AWS said quotes the value and is not shown (request ${request})`,
		{
			fix: "look the request up in CloudTrail",
		},
	);
}

export function regionOf(secret: Arn): string {
	return parseArn(secret)?.region ?? "";
}

async function random(input: PendingInput, call: CallAws, signal: AbortSignal): Promise<Secret> {
	const { length, excludeCharacters } = input;
	const { RandomPassword } = await call(
		"secretsmanager:GetRandomPassword",
		regionOf(input.secret),
		{ PasswordLength: length, ExcludeCharacters: excludeCharacters },
		signal,
	);
	if (RandomPassword === undefined) throw new Error("Secrets Manager made no random value");
	return new Secret(RandomPassword);
}

function objectIn(text: string): Readonly<Record<string, unknown>> | null {
	try {
		const value: unknown = JSON.parse(text);
		return typeof value === "object" && value !== null && !Array.isArray(value)
			? (value as Readonly<Record<string, unknown>>)
			: null;
	} catch {
		return null;
	}
}

/** As the rotation templates of AWS have it: engine, host, username, password (aws-facts §6.4). */
function isDatabase(object: Readonly<Record<string, unknown>> | null): boolean {
	return object !== null && "username" in object && ("host" in object || "engine" in object);
}
