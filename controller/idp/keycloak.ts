import { TerminalError } from "../model/errors.ts";
import type { Instant } from "../model/ids.ts";
import { OAUTH_CAPABILITIES } from "../model/oauth-capabilities.ts";
import type { OAuthCapabilities, OAuthClient, OAuthClientDriver, OAuthSecret } from "../model/oauth-client.ts";
import { Secret } from "../model/secret.ts";
import { type AsAdmin, createAsAdmin } from "./access-token.ts";
import { optionalKey, readAdminSecret } from "./admin-secret.ts";
import { cannot } from "./cannot.ts";
import { createHttp, field, type HttpRequest, textField } from "./http.ts";
import { createTokenEndpoint, type TokenEndpoint } from "./token-endpoint.ts";

const NAME = "Keycloak";
const EXECUTOR = "secret-rotation";

const NO_OVERLAP = OAUTH_CAPABILITIES.keycloak;
const GRACE: OAuthCapabilities = { ...NO_OVERLAP, maxActive: 2, overlap: "grace" };

/** Keycloak names none of its secrets; these are their places. */
const CURRENT = "current";
const ROTATED = "rotated";

/** A client as the admin API tells it, values and all. */
interface KeycloakClient {
	readonly url: string;
	readonly attributes: unknown;
}

/**
 * Keycloak's admin API. `issuer` is `https://HOST/realms/REALM`. The admin secret holds `clientId` and `clientSecret` of a
 * client with a service account, or `username` and `password`; `adminUrl` where the admin API has a host of its own.
 * `capabilities` say `grace` after a `list` that found the secret-rotation policy at work on this client; until then,
 * and where the policies may not be read, they say `none`.
 */
export function createKeycloakDriver(client: OAuthClient, admin: Secret, timeoutMilliseconds?: number): OAuthClientDriver {
	const fix = "check the admin secret, and that its account has the role manage-clients of realm-management";
	const http = createHttp({ name: NAME, fix }, timeoutMilliseconds);
	const endpoint = createTokenEndpoint(client, http, (answer) => {
		// A right secret without the grant is a 401 too, with the code of a wrong one; only the words differ.
		return textField(answer.json, "error_description") === "Client not enabled to retrieve service account";
	});
	const asAdmin = createAsAdmin(http, loginWith(client, admin, endpoint));
	const realm = adminRealm(client, admin);
	let capabilities = NO_OVERLAP;

	const find = (signal: AbortSignal) => findClient(client, asAdmin, realm, signal);

	const value = async (request: Omit<HttpRequest, "url">, signal: AbortSignal): Promise<Secret> => {
		const { url } = await find(signal);
		const secret = textField(await asAdmin.call({ ...request, url: `${url}/client-secret` }, signal), "value");
		if (secret === undefined) throw cannot(NAME, `tell the secret of client ${client.clientId}`);
		return new Secret(secret);
	};

	return {
		get capabilities() {
			return capabilities;
		},
		list: async (signal) => {
			const { attributes } = await find(signal);
			// Its time is written only by the policy's executor, and taken away by a rotation without it.
			const underPolicy = textField(attributes, "client.secret.expiration.time") !== undefined;
			capabilities = underPolicy && (await policyIsOn(asAdmin, realm, signal)) ? GRACE : NO_OVERLAP;
			return secretsOf(attributes, Date.now());
		},
		create: async (chosen, signal) => {
			if (chosen !== null) throw cannot(NAME, "take a secret that we choose");
			return { id: CURRENT, value: await value({ method: "POST" }, signal) };
		},
		read: (signal) => value({ method: "GET" }, signal),
		test: endpoint.test,
		activate: async () => {
			throw cannot(NAME, "activate a secret");
		},
		deactivate: async () => {
			throw cannot(NAME, "deactivate a secret: it can only be removed");
		},
		remove: async (id, signal) => {
			if (id !== ROTATED) throw cannot(NAME, "remove the current secret of a client");
			const { url } = await find(signal);
			await asAdmin.call({ method: "DELETE", url: `${url}/client-secret/rotated` }, signal);
		},
		restore: async (former, signal) => {
			const { url } = await find(signal);
			await asAdmin.call(
				former.use((secret) => ({ method: "PUT", url, body: { secret } })),
				signal,
			);
		},
	};
}

/** Either form of the admin secret, sent to the realm's own token endpoint. */
function loginWith(client: OAuthClient, admin: Secret, endpoint: TokenEndpoint): (signal: AbortSignal) => Promise<HttpRequest> {
	const form = new URLSearchParams();
	if (optionalKey(admin, "username") !== undefined) {
		const { username, password } = readAdminSecret(client, admin, ["username", "password"]);
		set(form, { grant_type: "password", client_id: "admin-cli" });
		set(form, { username: username.use((text) => text), password: password.use((text) => text) });
	} else {
		const { clientId, clientSecret } = readAdminSecret(client, admin, ["clientId", "clientSecret"]);
		set(form, { grant_type: "client_credentials" });
		set(form, { client_id: clientId.use((text) => text), client_secret: clientSecret.use((text) => text) });
	}
	return async (signal) => ({ method: "POST", url: await endpoint.url(signal), body: form });
}

function set(form: URLSearchParams, fields: Readonly<Record<string, string>>): void {
	for (const [name, text] of Object.entries(fields)) form.set(name, text);
}

/** `https://HOST/admin/realms/REALM`. */
function adminRealm(client: OAuthClient, admin: Secret): string {
	const [, base, realm] = /^(.+)\/realms\/([^/]+)$/.exec(client.issuer) ?? [];
	if (base === undefined || realm === undefined) {
		throw new TerminalError("ProviderAddressInvalid", `the issuer ${client.issuer} is no realm of Keycloak`, {
			fix: "write the issuer as https://HOST/realms/REALM",
		});
	}
	const host = optionalKey(admin, "adminUrl")?.use((url) => url.replace(/\/$/, "")) ?? base;
	return `${host}/admin/realms/${realm}`;
}

async function findClient(client: OAuthClient, asAdmin: AsAdmin, realm: string, signal: AbortSignal): Promise<KeycloakClient> {
	const query = new URLSearchParams({ clientId: client.clientId });
	const json = await asAdmin.call({ method: "GET", url: `${realm}/clients?${query}` }, signal);
	const found: unknown = Array.isArray(json) ? json.find((one) => field(one, "clientId") === client.clientId) : undefined;
	const id = textField(found, "id");
	if (id === undefined) {
		throw new TerminalError("ProviderClientMissing", `${NAME} has no client ${client.clientId} in ${client.issuer}`, {
			fix: "correct the clientId, or make the client",
		});
	}
	return { url: `${realm}/clients/${encodeURIComponent(id)}`, attributes: field(found, "attributes") };
}

/** Whether an enabled client policy of the realm rotates secrets. No, where we may not look: that takes view-realm. */
async function policyIsOn(asAdmin: AsAdmin, realm: string, signal: AbortSignal): Promise<boolean> {
	const look = async (path: string, name: string): Promise<readonly unknown[]> => {
		const { status, json } = await asAdmin.send({ method: "GET", url: `${realm}/client-policies/${path}` }, signal);
		const found = field(json, name);
		return status === 200 && Array.isArray(found) ? found : [];
	};
	const profiles = await look("profiles", "profiles");
	const rotating = profiles.filter((profile) => some(profile, "executors", (one) => field(one, "executor") === EXECUTOR));
	const names = new Set(rotating.map((profile) => field(profile, "name")));
	const policies = await look("policies", "policies");
	return policies.some((policy) => field(policy, "enabled") === true && some(policy, "profiles", (name) => names.has(name)));
}

function some(json: unknown, name: string, predicate: (one: unknown) => boolean): boolean {
	const values = field(json, name);
	return Array.isArray(values) && values.some(predicate);
}

function secretsOf(attributes: unknown, now: number): readonly OAuthSecret[] {
	const current = { id: CURRENT, createdAt: instant(attributes, "client.secret.creation.time"), active: true };
	if (textField(attributes, "client.secret.rotated") === undefined) return [current];
	const expiresAt = instant(attributes, "client.secret.rotated.expiration.time");
	const active = expiresAt === null || Date.parse(expiresAt) > now;
	const rotated = { id: ROTATED, createdAt: instant(attributes, "client.secret.rotated.creation.time"), active };
	return [current, expiresAt === null ? rotated : { ...rotated, expiresAt }];
}

/** Keycloak writes times as seconds since 1970, in text. */
function instant(attributes: unknown, name: string): Instant | null {
	const seconds = Number(textField(attributes, name) ?? Number.NaN);
	return Number.isFinite(seconds) ? new Date(seconds * 1000).toISOString().replace(/\.\d+Z$/, "Z") : null;
}
