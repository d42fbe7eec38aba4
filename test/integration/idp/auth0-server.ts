import { type Answer, type Asked, credentialsOf, type Loopback, startLoopback } from "./loopback.ts";

export const AUTH0_CLIENT = "AaiyAPdpYdesoKnqjj8HJqRn4T5titww";
export const AUTH0_ADMIN = { clientId: "m2m-admin", clientSecret: "m2m-admin-secret-value" };

export interface Auth0Server extends Loopback {
	readonly secret: () => string;
	/** Every access token handed out so far is expired. */
	readonly expireTokens: () => void;
}

/**
 * Speaks what Auth0 documents: https://auth0.com/docs/api/management/v2/clients/patch-clients-by-id (the request, 400, 401,
 * 403, 404, 429), https://auth0.com/docs/api/authentication/client-credential-flow/get-token (the login, and the answers
 * to a wrong secret and to a missing audience), https://auth0.com/docs/troubleshoot/customer-support/operational-policies/rate-limit-policy
 * (headers). Its issuer ends with a slash.
 */
export async function startAuth0(first: string, grantTypes: readonly string[] = ["client_credentials"]): Promise<Auth0Server> {
	let secret = first;
	let generation = 1;

	const token = (asked: Asked, origin: string): Answer => {
		const form = new URLSearchParams(asked.body);
		const who = credentialsOf(asked);
		const admin = who.id === AUTH0_ADMIN.clientId;
		if (who.secret !== (admin ? AUTH0_ADMIN.clientSecret : secret)) {
			return { status: 401, json: { error: "access_denied", error_description: "Unauthorized" } };
		}
		if (!admin && !grantTypes.includes("client_credentials")) {
			const words = "Grant type 'client_credentials' not allowed for the client.";
			return { status: 403, json: { error: "unauthorized_client", error_description: words } };
		}
		if (admin && form.get("audience") !== `${origin}/api/v2/`) {
			return { status: 403, json: { error: "access_denied", error_description: "Service not found" } };
		}
		const scope = "update:clients update:client_keys";
		return { status: 200, json: { access_token: `admin-token-${generation}`, scope, expires_in: 86400, token_type: "Bearer" } };
	};

	const server = await startLoopback((asked, origin): Answer => {
		if (asked.path === "/.well-known/openid-configuration") {
			const methods = ["client_secret_basic", "client_secret_post", "private_key_jwt"];
			const json = {
				issuer: `${origin}/`,
				token_endpoint: `${origin}/oauth/token`,
				token_endpoint_auth_methods_supported: methods,
			};
			return { status: 200, json };
		}
		if (asked.path === "/oauth/token") return token(asked, origin);
		if (asked.headers.authorization !== `Bearer admin-token-${generation}`) {
			const json = { statusCode: 401, error: "Unauthorized", message: "Expired token received for JSON Web Token validation" };
			return { status: 401, json: { ...json, attributes: { error: "Expired token" } } };
		}
		if (asked.path !== `/api/v2/clients/${AUTH0_CLIENT}` || asked.method !== "PATCH") {
			const json = { statusCode: 404, error: "Not Found", message: "The client does not exist", errorCode: "inexistent_client" };
			return { status: 404, json };
		}
		secret = String(JSON.parse(asked.body).client_secret);
		return {
			status: 200,
			json: { client_id: AUTH0_CLIENT, name: "orders", app_type: "non_interactive", grant_types: grantTypes },
		};
	});
	return {
		...server,
		secret: () => secret,
		expireTokens: () => {
			generation += 1;
		},
	};
}
