import { ConflictError, TerminalError, WaitingError } from "../model/errors.ts";
import type { Arn } from "../model/ids.ts";
import { permissionFor } from "../model/permissions.ts";
import type { Operation } from "./operations.ts";

/** What AWS answered, in words that may be printed. Thrown as it is where nothing better is known: transient, back off. */
export class AwsError extends Error {
	/** As AWS names it, without the `Exception` that some services and the SDK append; or `Unreachable`, `Timeout`. */
	readonly code: string;
	/** What AWS said, cleaned; null where it said nothing. */
	readonly said: string | null;
	readonly requestId: string | null;
	readonly operation: Operation;
	readonly status: number | null;
	constructor(message: string, details: Omit<AwsError, keyof Error>) {
		super(message);
		this.name = "AwsError";
		this.code = details.code;
		this.said = details.said;
		this.requestId = details.requestId;
		this.operation = details.operation;
		this.status = details.status;
	}
}

/** The AWS code behind an error of this floor, however it was classified. */
export function awsCode(error: unknown): string | undefined {
	if (error instanceof AwsError) return error.code;
	if (error instanceof Error && error.cause instanceof AwsError) return error.cause.code;
	return undefined;
}

/** One line for a list of what could not be read: `AccessDenied on ecs:ListClusters`. */
export function brief(error: unknown): string {
	const aws = error instanceof AwsError ? error : error instanceof Error && error.cause instanceof AwsError ? error.cause : null;
	if (aws !== null) return `${aws.code} on ${aws.operation}`;
	return error instanceof Error ? clean(error.message) : "an unknown error";
}

/** What was wanted, where, and by whom, for the message. */
export interface Attempt {
	readonly operation: Operation;
	/** `write the policy "ecs-access" of role orders-task`. */
	readonly wanted: string;
	readonly account: string | null;
	readonly caller: Arn | null;
	readonly rolePath: string;
}

export type Retry = "throttle" | "transient" | "no";

/** Codes by what becomes of them; what stands nowhere is transient. Sources: aws-facts §3.3, §3.1; the SDK's own tables. */
const CODES = {
	throttle: [
		"Throttling",
		"Throttled",
		"RequestThrottled",
		"RequestLimitExceeded",
		"TooManyRequests",
		"SlowDown",
		"BandwidthLimitExceeded",
		"ProvisionedThroughputExceeded",
	],
	credentials: ["CredentialsProviderError", "CredentialsError", "TokenProviderError", "ProviderError"],
	expired: ["ExpiredToken", "RequestExpired", "TokenRefreshRequired"],
	refused: ["InvalidClientTokenId", "UnrecognizedClient", "InvalidAccessKeyId", "AuthFailure", "MissingAuthenticationToken"],
	signature: ["SignatureDoesNotMatch", "IncompleteSignature", "InvalidSignature"],
	denied: ["AccessDenied", "UnauthorizedOperation", "403"],
	quota: ["LimitExceeded", "ServiceQuotaExceeded"],
	malformed: ["MalformedPolicyDocument"],
	// A queue's name is free again a minute after the queue was deleted.
	busy: [
		"ConcurrentModification",
		"EntityTemporarilyUnmodifiable",
		"QueueDeletedRecently",
		"AWS.SimpleQueueService.QueueDeletedRecently",
	],
	conflict: ["EntityAlreadyExists", "NoSuchEntity"],
	terminal: [
		"DeleteConflict",
		"UnmodifiableEntity",
		"PolicyNotAttachable",
		"InvalidInput",
		"ValidationError",
		"Validation",
		"InvalidParameter",
		"InvalidParameterValue",
		"ClientException",
		"OptInRequired",
		"NotImplemented",
		"UnknownOperation",
		"ResourceNotFound",
		"ClusterNotFound",
		"ServiceNotFound",
		"InvalidEndpoint",
		"QueueDoesNotExist",
		"AWS.SimpleQueueService.NonExistentQueue",
		"InvalidAttributeValue",
		"InvalidEventPattern",
		"ManagedRule",
		"PolicyLengthExceeded",
		// Secrets Manager: a secret that waits for its deletion, and a key that does not decrypt.
		"InvalidRequest",
		"DecryptionFailure",
	],
} as const;
type Sort = keyof typeof CODES | "region" | "unreachable" | "transient";

const SORT_OF: ReadonlyMap<string, Sort> = new Map(
	(Object.keys(CODES) as (keyof typeof CODES)[]).flatMap((sort) => CODES[sort].map((code): [string, Sort] => [code, sort])),
);
const UNREACHABLE = new Set(["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "EHOSTUNREACH", "ENETUNREACH", "CERT_HAS_EXPIRED"]);
const WAIT_SECONDS = 30;
/** Longer than this, AWS is quoting a document at us. */
const LONGEST = 400;

export function retryOf(error: unknown): Retry {
	if (isClassified(error)) return "no";
	const sort = sortOf(facts(error));
	if (sort === "throttle") return "throttle";
	return sort === "transient" || sort === "unreachable" ? "transient" : "no";
}

/** False where no answer came at all: nobody listens there, or not in time. */
export function wasAnswered(error: unknown): boolean {
	const { code } = facts(error);
	return code !== "Unreachable" && code !== "Timeout";
}

/** AWS name -> class, once. `error` is what the SDK threw; what is already classified comes back as it is. */
export function classify(error: unknown, attempt: Attempt): Error {
	if (isClassified(error)) return error;
	const known = facts(error);
	const sort = sortOf(known);
	// A signature error quotes the request's headers, the session token among them.
	const said = sort === "signature" ? "the signature does not match" : sort === "denied" ? denial(known.said) : known.said;
	const where = attempt.account === null ? "" : ` in ${attempt.account}`;
	const request = known.requestId === null ? "" : ` (request ${known.requestId})`;
	const message = `could not ${attempt.wanted}${where}\nAWS: ${known.code}${said === null ? "" : `, ${said}`}${request}`;
	// The SDK's own error is not kept: it holds the whole request, credentials among its headers.
	const aws = new AwsError(message, {
		code: known.code,
		said,
		requestId: known.requestId,
		operation: attempt.operation,
		status: known.status,
	});
	const terminal = (reason: string, fix: string): TerminalError => new TerminalError(reason, message, { cause: aws, fix });
	switch (sort) {
		case "credentials":
			return new TerminalError(
				/expired/i.test(known.said ?? "") ? "ExpiredToken" : "NoCredentials",
				`could not ${attempt.wanted}: no usable AWS credentials${known.said === null ? "" : `\nAWS SDK: ${known.said}`}`,
				{
					cause: aws,
					fix: "sign in (aws sso login, or AWS_PROFILE, or AWS_ACCESS_KEY_ID), then check with: aws sts get-caller-identity",
				},
			);
		case "expired":
			return terminal("ExpiredToken", "the credentials have expired: sign in again (aws sso login) and repeat the command");
		case "refused":
			return terminal(
				"NoCredentials",
				"AWS does not know these credentials: check AWS_PROFILE, the key, and the partition of the region",
			);
		case "signature":
			return terminal("NoCredentials", "check the secret key and this machine's clock");
		case "denied":
			return terminal("AccessDenied", denialFix(attempt));
		case "quota":
			return terminal("QuotaExceeded", "raise the quota in Service Quotas, or ask for less; waiting does not help");
		case "malformed":
			if (/invalid principal/i.test(known.said ?? "")) return new WaitingError("InvalidPrincipal", message, 10, { cause: aws });
			return terminal("MalformedPolicyDocument", "correct the statement in git that IAM does not accept");
		case "busy":
			return new WaitingError("Busy", message, WAIT_SECONDS, { cause: aws });
		case "throttle":
			return new WaitingError("Throttled", `${message}\nstill refused after several attempts`, WAIT_SECONDS, { cause: aws });
		case "conflict":
			return new ConflictError(message, { cause: aws });
		case "region":
			return new TerminalError("NoRegion", `could not ${attempt.wanted}${where}: no region is set`, {
				cause: aws,
				fix: "set AWS_REGION, or region in the Account or the profile",
			});
		case "terminal":
			return terminal(known.code, TERMINAL_FIX[known.code] ?? "see the AWS documentation of this error");
		case "unreachable":
		case "transient":
			return aws;
	}
}

const TERMINAL_FIX: Readonly<Record<string, string>> = {
	DeleteConflict: "something still holds it, such as an instance profile: remove it there, then plan again",
	UnmodifiableEntity: "this role belongs to an AWS service: take it out of git",
	PolicyNotAttachable: "this AWS managed policy may not be attached to a role: take it out of git",
	ClusterNotFound: "check its name and the region; those that are there: aws ecs list-clusters",
	InvalidEndpoint: "AWS_ENDPOINT_URL, or endpoint_url of the profile, must be a URL such as http://127.0.0.1:5000",
	OptInRequired: "enable the region or service for this account, or take the region out of the Account",
};

interface ErrorFacts {
	readonly code: string;
	readonly said: string | null;
	readonly requestId: string | null;
	readonly status: number | null;
}

/** Reads what the SDK threw; of the error nothing but these is used. */
function facts(error: unknown): ErrorFacts {
	if (error instanceof AwsError) return error;
	if (typeof error !== "object" || error === null) return { code: "Unknown", said: null, requestId: null, status: null };
	const e = error as {
		name?: unknown;
		code?: unknown;
		message?: unknown;
		$metadata?: { requestId?: unknown; httpStatusCode?: unknown };
	};
	const system = typeof e.code === "string" ? e.code : "";
	const status = typeof e.$metadata?.httpStatusCode === "number" ? e.$metadata.httpStatusCode : null;
	const name = typeof e.name === "string" ? e.name : "Unknown";
	const code = UNREACHABLE.has(system)
		? "Unreachable"
		: system === "ERR_INVALID_URL"
			? "InvalidEndpoint"
			: name === "TimeoutError"
				? "Timeout"
				: name === "SyntaxError" && status === 403
					? "AccessDenied"
					: name.replace(/(?<!^Client)Exception$/, "");
	const requestId = e.$metadata?.requestId;
	const message = typeof e.message === "string" ? clean(e.message) : "";
	const said =
		code === "Unreachable" ? `${message === "" ? system : message}; check the network, the region and AWS_ENDPOINT_URL` : message;
	return {
		code: clean(code),
		said: said === "" ? null : said,
		requestId: typeof requestId === "string" ? clean(requestId) : null,
		status,
	};
}

function sortOf(known: ErrorFacts): Sort {
	if (known.code === "Unreachable") return "unreachable";
	if (/^region is missing/i.test(known.said ?? "")) return "region";
	return SORT_OF.get(known.code) ?? (known.status === 429 ? "throttle" : "transient");
}

/** Of `User: … is not authorized to perform: iam:X on resource: … because …` the part that is not said elsewhere. */
function denial(said: string | null): string | null {
	const m = /not authorized to perform:? (\S+)(?:.*?)( because .+| with an explicit deny.*)?$/i.exec(said ?? "");
	return m === null ? said : `not authorized to perform ${m[1]}${m[2] ?? ""}`;
}

function denialFix(attempt: Attempt): string {
	const { on, grantedBy } = permissionFor(attempt.operation);
	const actions = grantedBy?.join(" and ") ?? attempt.operation;
	const resource = on === "role" ? `role${attempt.rolePath}*` : on === "*" ? "*" : `every ${on.replace(/^any /, "")}`;
	const caller = attempt.caller === null ? "" : `caller: ${attempt.caller}; `;
	return `${caller}what this command needs: ${actions} on ${resource}`;
}

/** AWS text is untrusted: no control characters, no direction overrides, no more than a few lines' worth. */
function clean(text: string): string {
	const plain = text
		.replace(/[\p{Cc}\p{Cf}\u2028\u2029]+/gu, " ")
		.trim()
		.replace(/\.$/, "");
	return plain.length > LONGEST ? `${plain.slice(0, LONGEST)}…` : plain;
}

function isClassified(error: unknown): error is Error {
	return error instanceof TerminalError || error instanceof WaitingError || error instanceof ConflictError;
}
