import type { TriedCall } from "../model/doctor.ts";
import { AwsError } from "./errors.ts";

/** That there is no such thing is an answer, and only who may ask gets one. */
export function outcomeOf(error: unknown): Pick<TriedCall, "outcome" | "said"> {
	const cause =
		error instanceof AwsError ? error : error instanceof Error && error.cause instanceof AwsError ? error.cause : null;
	if (cause === null) throw error;
	if (/AccessDenied|UnauthorizedOperation|^403$/.test(cause.code)) return { outcome: "denied", said: cause.said };
	const isAnswer = /^NoSuchEntity$|NotFound|^ClientException$|^ClientError$|^InvalidParameter|^Validation/.test(cause.code);
	return isAnswer ? { outcome: "allowed", said: null } : { outcome: "unclear", said: `${cause.code}: ${cause.said ?? ""}` };
}
