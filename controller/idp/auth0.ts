import { OAUTH_CAPABILITIES } from "../model/oauth-capabilities.ts";
import type { OAuthClient, OAuthClientDriver } from "../model/oauth-client.ts";
import type { Secret } from "../model/secret.ts";
import { createAsAdmin } from "./access-token.ts";
import { readAdminSecret } from "./admin-secret.ts";
import { cannot, oneSecretAlone } from "./cannot.ts";
import { createHttp, type HttpRequest } from "./http.ts";
import { createTokenEndpoint } from "./token-endpoint.ts";

const NAME = "Auth0";

/**
 * Auth0's Management API (auth0.com/docs/api/management/v2/clients/patch-clients-by-id). `issuer` is the tenant's own
 * domain, not a custom one. The admin secret holds `clientId` and `clientSecret` of a machine-to-machine application that
 * may use the Management API with the scopes update:clients and update:client_keys.
 */
export function createAuth0Driver(client: OAuthClient, admin: Secret, timeoutMilliseconds?: number): OAuthClientDriver {
	const { clientId, clientSecret } = readAdminSecret(client, admin, ["clientId", "clientSecret"]);
	const fix = "check the admin secret, and that its application has the scopes update:clients and update:client_keys";
	const http = createHttp({ name: NAME, fix }, timeoutMilliseconds);
	const endpoint = createTokenEndpoint(client, http);
	const api = `${client.issuer}/api/v2/`;
	const form = new URLSearchParams({ grant_type: "client_credentials", audience: api });
	form.set(
		"client_id",
		clientId.use((text) => text),
	);
	form.set(
		"client_secret",
		clientSecret.use((text) => text),
	);
	const asAdmin = createAsAdmin(http, async () => ({ method: "POST", url: `${client.issuer}/oauth/token`, body: form }));

	const put = async (value: Secret, signal: AbortSignal): Promise<void> => {
		const url = `${api}clients/${encodeURIComponent(client.clientId)}`;
		await asAdmin.call(
			value.use((text): HttpRequest => ({ method: "PATCH", url, body: { client_secret: text } })),
			signal,
		);
	};

	return {
		...oneSecretAlone(NAME),
		capabilities: OAUTH_CAPABILITIES.auth0,
		create: async (value, signal) => {
			if (value === null) throw cannot(NAME, "be asked for a secret of its own choice here: give a value");
			await put(value, signal);
			return { id: null, value };
		},
		read: async () => {
			throw cannot(NAME, "be asked for the value of a secret");
		},
		test: endpoint.test,
		restore: put,
	};
}
