import { parseSecretRef } from "../model/secret-ref.ts";

/** What is wrong with a name or ARN that git gives a secret or parameter, variables still in it; null: nothing. */
export function secretProblem(store: "secret" | "parameter", value: string): string | null {
	if (!value.startsWith("arn:")) {
		return /^[\w/+=.@${}-]+$/.test(value) ? null : `"${value}" is not the name of a ${store}`;
	}
	const parts = parseSecretRef(value);
	if (parts === null || parts.store !== store) return `"${value}" is not the ARN of a ${store}`;
	if (parts.jsonKey !== null || parts.versionId !== null || parts.versionStage !== null)
		return "the key stands in jsonKey, and versions are not pinned";
	return null;
}
