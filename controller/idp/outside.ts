import type { OAuthClient, OAuthClientDriver, OAuthProvider, Outside } from "../model/oauth-client.ts";
import type { Secret } from "../model/secret.ts";
import { createAuth0Driver } from "./auth0.ts";
import { checkHttp } from "./check-http.ts";
import { createKeycloakDriver } from "./keycloak.ts";
import { createOidcDriver } from "./oidc.ts";
import { createOktaDriver } from "./okta.ts";

type CreateDriver = (client: OAuthClient, admin: Secret, timeoutMilliseconds?: number) => OAuthClientDriver;

const DRIVERS: Readonly<Record<OAuthProvider, CreateDriver>> = {
	oidc: createOidcDriver,
	keycloak: createKeycloakDriver,
	okta: createOktaDriver,
	auth0: createAuth0Driver,
};

/** The real world. `timeoutMilliseconds`: how long one answer is waited for, 10 s unless said. */
export function createOutside(options: { readonly timeoutMilliseconds?: number } = {}): Outside {
	const { timeoutMilliseconds } = options;
	return {
		oauthClient: (client, admin) => DRIVERS[client.provider](client, admin, timeoutMilliseconds),
		checkHttp: (check, signal) => checkHttp(check, signal, timeoutMilliseconds),
	};
}
