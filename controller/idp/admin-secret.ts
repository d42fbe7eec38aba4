import { TerminalError } from "../model/errors.ts";
import type { OAuthClient } from "../model/oauth-client.ts";
import { Secret } from "../model/secret.ts";

/** What an admin secret holds, by key. */
export type AdminValues<K extends string> = Readonly<Record<K, Secret>>;

/**
 * Reads an admin secret: a JSON object whose named keys are text. TerminalError `AdminSecretInvalid` names the keys that
 * are missing, never what is there.
 */
export function readAdminSecret<K extends string>(client: OAuthClient, admin: Secret, keys: readonly K[]): AdminValues<K> {
	const values = admin.use(textValues);
	if (values === null) throw invalid(client, `is no JSON object; it must have ${list(keys)}`);
	const missing = keys.filter((key) => !values.has(key));
	if (missing.length > 0) throw invalid(client, `has no text under ${list(missing)}`);
	return Object.fromEntries(keys.map((key) => [key, values.get(key)])) as AdminValues<K>;
}

/** One key that need not be there. */
export function optionalKey(admin: Secret, key: string): Secret | undefined {
	return admin.use(textValues)?.get(key);
}

/** The admin secret with other values under some of its keys; all others stay. */
export function withKeys(admin: Secret, changed: Readonly<Record<string, Secret>>): Secret {
	const entries = Object.entries(changed).map(([key, secret]) => [key, secret.use((value) => value)]);
	return admin.use((text) => new Secret(JSON.stringify({ ...JSON.parse(text), ...Object.fromEntries(entries) })));
}

export function invalid(client: OAuthClient, words: string): TerminalError {
	return new TerminalError(
		"AdminSecretInvalid",
		`the admin secret for client ${client.clientId} of ${client.provider} ${words}`,
		{
			fix: "write the admin secret as docs/oauth-clients.md says for this provider",
		},
	);
}

function textValues(text: string): ReadonlyMap<string, Secret> | null {
	let json: unknown;
	try {
		json = JSON.parse(text);
	} catch {
		return null;
	}
	if (typeof json !== "object" || json === null || Array.isArray(json)) return null;
	const entries = Object.entries(json);
	return new Map(
		entries.flatMap(([key, value]) => (typeof value === "string" && value !== "" ? [[key, new Secret(value)]] : [])),
	);
}

function list(keys: readonly string[]): string {
	return keys.map((key) => `"${key}"`).join(", ");
}
