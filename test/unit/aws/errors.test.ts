import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Attempt, AwsError, awsCode, brief, classify, retryOf } from "../../../controller/aws/errors.ts";
import { ConflictError, TerminalError, WaitingError } from "../../../controller/model/errors.ts";

const attempt: Attempt = {
	operation: "iam:PutRolePolicy",
	wanted: 'write the policy "ecs-access" of role billing-task',
	account: "123456789012",
	caller: "arn:aws:sts::123456789012:assumed-role/ReadOnly/kim",
	rolePath: "/ecs-access/",
};

/** As the SDK throws it. */
function sdkError(name: string, message: string, more: { status?: number; code?: string } = {}): Error {
	return Object.assign(new Error(message), {
		name,
		...(more.code !== undefined && { code: more.code }),
		$metadata: { requestId: "1f0c", httpStatusCode: more.status ?? 400, attempts: 2 },
		$response: { headers: { "x-amz-security-token": "TOKEN-OF-A-SESSION" } },
	});
}

describe("what AWS says becomes", () => {
	test.each([
		["AccessDenied", "no", TerminalError, "AccessDenied"],
		["AccessDeniedException", "no", TerminalError, "AccessDenied"],
		["ExpiredTokenException", "no", TerminalError, "ExpiredToken"],
		["CredentialsProviderError", "no", TerminalError, "NoCredentials"],
		["UnrecognizedClientException", "no", TerminalError, "NoCredentials"],
		["LimitExceededException", "no", TerminalError, "QuotaExceeded"],
		["MalformedPolicyDocumentException", "no", TerminalError, "MalformedPolicyDocument"],
		["DeleteConflictException", "no", TerminalError, "DeleteConflict"],
		["UnmodifiableEntityException", "no", TerminalError, "UnmodifiableEntity"],
		["NotImplemented", "no", TerminalError, "NotImplemented"],
		["ConcurrentModificationException", "no", WaitingError, "Busy"],
		["Throttling", "throttle", WaitingError, "Throttled"],
		["ThrottlingException", "throttle", WaitingError, "Throttled"],
		["RequestLimitExceeded", "throttle", WaitingError, "Throttled"],
	] as const)("%s: retried %s", (name, retry, kind, reason) => {
		const error = sdkError(name, "as AWS puts it");
		expect(retryOf(error)).toBe(retry);
		const classified = classify(error, attempt);
		expect(classified).toBeInstanceOf(kind);
		expect(classified).toMatchObject({ reason });
	});

	test("a conflict, when somebody else was there first or has removed it", () => {
		for (const name of ["EntityAlreadyExistsException", "NoSuchEntityException", "NoSuchEntity"]) {
			expect(classify(sdkError(name, "…"), attempt)).toBeInstanceOf(ConflictError);
		}
	});

	test("transient, when it is nothing known: backed off from, never an outcome", () => {
		for (const error of [
			sdkError("ServiceFailure", "…", { status: 500 }),
			sdkError("TimeoutError", "…"),
			new Error("socket hang up"),
			"odd",
			undefined,
		]) {
			expect(retryOf(error)).toBe("transient");
			expect(classify(error, attempt)).toBeInstanceOf(AwsError);
		}
	});

	test("a wait, when a principal may only just have been made", () => {
		const error = sdkError("MalformedPolicyDocumentException", 'Invalid principal in policy: "AWS":"arn:aws:iam::1:role/ghost"');
		expect(classify(error, attempt)).toMatchObject({ name: "WaitingError", reason: "InvalidPrincipal" });
	});

	test("unreachable, with what to check, when there is no one to answer", () => {
		const error = sdkError("Error", "connect ECONNREFUSED 127.0.0.1:5555", { code: "ECONNREFUSED" });
		expect(classify(error, attempt).message).toContain(
			"AWS: Unreachable, connect ECONNREFUSED 127.0.0.1:5555; check the network",
		);
	});

	test("what it was, when it is classified already", () => {
		const error = new WaitingError("Busy", "…", 1);
		expect(classify(error, attempt)).toBe(error);
		expect(retryOf(error)).toBe("no");
	});
});

describe("the message", () => {
	test("says what was wanted, where, what AWS said, the request, the caller and the missing permission", () => {
		const error = classify(
			sdkError("AccessDenied", "User: arn:x is not authorized to perform: iam:PutRolePolicy on resource: role billing-task"),
			attempt,
		) as TerminalError;
		expect(error.message).toBe(
			'could not write the policy "ecs-access" of role billing-task in 123456789012\n' +
				"AWS: AccessDenied, not authorized to perform iam:PutRolePolicy (request 1f0c)",
		);
		expect(error.fix).toBe(
			"caller: arn:aws:sts::123456789012:assumed-role/ReadOnly/kim; what this command needs: iam:PutRolePolicy on role/ecs-access/*",
		);
		expect(awsCode(error)).toBe("AccessDenied");
		expect(brief(error)).toBe("AccessDenied on iam:PutRolePolicy");
	});

	test("of a wrong signature quotes nothing of the request, whose headers hold the session token", async () => {
		const { inspect } = await import("node:util");
		const said = "The Canonical String for this request should have been 'POST\nx-amz-security-token:TOKEN-OF-A-SESSION'";
		const error = classify(sdkError("SignatureDoesNotMatch", said), attempt);
		expect(inspect(error, { depth: 10, showHidden: true })).not.toContain("TOKEN-OF-A-SESSION");
	});

	test("holds no control character and no credential, whatever AWS or something in its place says", async () => {
		const { inspect } = await import("node:util");
		fc.assert(
			fc.property(
				fc.constantFrom("AccessDenied", "Throttling", "ServiceFailure", "\u001b[31mEvil"),
				fc.string({ unit: "binary" }),
				(name, said) => {
					const error = classify(sdkError(name, said), attempt);
					expect(error.message.replace("\nAWS: ", "").replace("\nstill ", "")).not.toMatch(/[\p{Cc}\p{Cf}]/u);
					expect(inspect(error, { depth: 10, showHidden: true })).not.toContain("TOKEN-OF-A-SESSION");
				},
			),
		);
	});
});
