import { TerminalError } from "../model/errors.ts";
import { OAUTH_CAPABILITIES } from "../model/oauth-capabilities.ts";
import type { OAuthClient, OAuthClientDriver } from "../model/oauth-client.ts";
import { Secret } from "../model/secret.ts";
import { invalid, readAdminSecret, withKeys } from "./admin-secret.ts";
import { cannot, oneSecretAlone } from "./cannot.ts";
import { createHttp, field, type HttpRequest, textField } from "./http.ts";
import { createTokenEndpoint } from "./token-endpoint.ts";

const NAME = "the OpenID provider";

/** RFC 7592 §2.2: a request to update must not have these. The secret is left out so that another can be issued. */
const NOT_SENT = new Set([
	"registration_access_token",
	"registration_client_uri",
	"client_secret_expires_at",
	"client_id_issued_at",
	"client_secret",
]);

/**
 * Any provider that keeps RFC 7592. A client cannot choose its secret; whether it gets another one when its metadata are
 * updated is up to the provider, and one that keeps the old secret is `ProviderRefused`. The admin secret holds
 * `registrationClientUri` and `registrationAccessToken`; an answer may replace the token (RFC 7592 §3): see `adminNow`.
 */
export function createOidcDriver(client: OAuthClient, admin: Secret, timeoutMilliseconds?: number): OAuthClientDriver {
	const keys = readAdminSecret(client, admin, ["registrationClientUri", "registrationAccessToken"]);
	const fix = "renew the registration access token of the client in the admin secret";
	const http = createHttp({ name: NAME, fix }, timeoutMilliseconds);
	const endpoint = createTokenEndpoint(client, http);
	let token = keys.registrationAccessToken;
	let replaced = false;

	const manage = async (request: Omit<HttpRequest, "url">, signal: AbortSignal): Promise<unknown> => {
		const headers = token.use((value) => ({ authorization: `Bearer ${value}` }));
		const json = await http.call({ ...request, headers, url: keys.registrationClientUri.use((value) => value) }, signal);
		const next = textField(json, "registration_access_token");
		if (next !== undefined && !token.test((value) => value === next)) {
			token = new Secret(next);
			replaced = true;
		}
		if (field(json, "client_id") !== client.clientId) throw invalid(client, "manages another client");
		return json;
	};

	const secretOf = (json: unknown): Secret | undefined => {
		const value = textField(json, "client_secret");
		return value === undefined ? undefined : new Secret(value);
	};

	return {
		...oneSecretAlone(NAME),
		capabilities: OAUTH_CAPABILITIES.oidc,
		adminNow: () => (replaced ? withKeys(admin, { registrationAccessToken: token }) : null),
		create: async (value, signal) => {
			if (value !== null) throw cannot(NAME, "take a secret that we choose");
			const before = await manage({ method: "GET" }, signal);
			const body = Object.fromEntries(Object.entries(Object(before)).filter(([key]) => !NOT_SENT.has(key)));
			const made = secretOf(await manage({ method: "PUT", body }, signal));
			if (made === undefined || made.test((text) => text === textField(before, "client_secret"))) {
				throw new TerminalError(
					"ProviderRefused",
					`${NAME} keeps the secret of client ${client.clientId} when the client is updated`,
					{
						fix: "make the provider issue a secret at each update (RFC 7592 leaves it to the provider), or rotate by another strategy",
					},
				);
			}
			return { id: null, value: made };
		},
		read: async (signal) => {
			const secret = secretOf(await manage({ method: "GET" }, signal));
			if (secret === undefined) throw cannot(NAME, `tell the secret of client ${client.clientId}`);
			return secret;
		},
		test: endpoint.test,
		restore: async () => {
			throw cannot(NAME, "put a former secret back");
		},
	};
}
