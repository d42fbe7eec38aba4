import { TerminalError } from "../model/errors.ts";
import type { Clock } from "../model/ports.ts";
import type { Credentials } from "./clients.ts";
import type { CallAws } from "./operations.ts";

/** Credentials are renewed this long before they end; a session of role chaining lasts one hour (aws-facts §10). */
const RENEW_BEFORE_MS = 5 * 60_000;
const SESSION_SECONDS = 3_600;

/** Asks once, and again shortly before what was given expires; callers at the same time share one question. */
export function remembered(ask: () => Promise<Credentials>, clock: Clock): () => Promise<Credentials> {
	let current: Promise<Credentials> | undefined;
	let renewAt = Number.POSITIVE_INFINITY;
	return () => {
		if (current === undefined || clock.millis() >= renewAt) {
			renewAt = Number.POSITIVE_INFINITY;
			const asked = ask();
			current = asked;
			asked.then(
				(c) => {
					if (c.expiration !== undefined) renewAt = c.expiration.getTime() - RENEW_BEFORE_MS;
				},
				() => {
					if (current === asked) current = undefined;
				},
			);
		}
		return current;
	};
}

/** The SDK's own chain: environment, profiles, SSO, processes, containers, instances. */
export function defaultCredentials(): () => Promise<Credentials> {
	let chain: Promise<() => Promise<Credentials>> | undefined;
	return async () => {
		chain ??= import("@aws-sdk/credential-providers").then((sdk) => {
			const provider = sdk.fromNodeProviderChain();
			return () => provider();
		});
		return (await chain)();
	};
}

/** Credentials of an Account's `assumeRole`. */
export function assumedCredentials(
	call: CallAws,
	role: { readonly roleArn: string; readonly externalId?: string },
	sessionName: string,
	region: string | null,
): () => Promise<Credentials> {
	return async () => {
		const { Credentials: c } = await call(
			"sts:AssumeRole",
			region,
			{
				RoleArn: role.roleArn,
				RoleSessionName: sessionName,
				DurationSeconds: SESSION_SECONDS,
				...(role.externalId !== undefined && { ExternalId: role.externalId }),
			},
			new AbortController().signal,
		);
		if (c?.AccessKeyId === undefined || c.SecretAccessKey === undefined) {
			throw new TerminalError("NoCredentials", `assuming ${role.roleArn} gave no credentials`);
		}
		return {
			accessKeyId: c.AccessKeyId,
			secretAccessKey: c.SecretAccessKey,
			...(c.SessionToken !== undefined && { sessionToken: c.SessionToken }),
			...(c.Expiration !== undefined && { expiration: c.Expiration }),
		};
	};
}

/** `ecs-access-<reconcile id>`, within what a session name may hold: 2 to 64 of `[\w+=,.@-]` (aws-facts §2). */
export function sessionName(reconcileId: string): string {
	return `ecs-access-${reconcileId}`.replace(/[^\w+=,.@-]/g, "-").slice(0, 64);
}
