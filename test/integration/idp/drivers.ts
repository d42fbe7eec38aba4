import { createOutside } from "../../../controller/idp/outside.ts";
import { TerminalError, WaitingError } from "../../../controller/model/errors.ts";
import type { OAuthClient, OAuthClientDriver } from "../../../controller/model/oauth-client.ts";
import { Secret } from "../../../controller/model/secret.ts";

export const signal = new AbortController().signal;

/** The driver that the controller gets, from an admin secret as it stands in Secrets Manager. */
export function driverOf(client: OAuthClient, admin: Readonly<Record<string, unknown>>): OAuthClientDriver {
	return createOutside({ timeoutMilliseconds: 5_000 }).oauthClient(client, new Secret(JSON.stringify(admin)));
}

/** What a test may see of a secret. */
export function plain(secret: Secret | null | undefined): string | undefined {
	return secret?.use((value) => value);
}

export interface Failure {
	readonly reason: string;
	readonly message: string;
	/** Of one that waits. */
	readonly afterSeconds?: number;
}

/** What was thrown, which must be of the two classes that say what to do. */
export async function failureOf(work: Promise<unknown>): Promise<Failure> {
	const thrown = await work.then(
		() => undefined,
		(error: unknown) => error,
	);
	if (thrown instanceof TerminalError) return { reason: thrown.reason, message: thrown.message };
	if (thrown instanceof WaitingError)
		return { reason: thrown.reason, message: thrown.message, afterSeconds: thrown.afterSeconds };
	throw new Error("neither a TerminalError nor a WaitingError was thrown", { cause: thrown });
}
