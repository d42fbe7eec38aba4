import { type Answer, type Asked, credentialsOf, type Loopback, startLoopback } from "./loopback.ts";

export const OKTA_TOKEN = "00-okta-api-token";
export const OKTA_APP = "0oafxqCAJWWGELFTYASJ";

interface Kept {
	readonly id: string;
	readonly value: string;
	readonly created: string;
	status: "ACTIVE" | "INACTIVE";
}

export interface OktaServer extends Loopback {
	readonly issuer: string;
	readonly secrets: readonly Kept[];
	/** Whether lists tell values, which Okta's reference shows, or leave them out, which its console does. */
	readonly tellValues: (tell: boolean) => void;
	/** Whether the app may use the client_credentials grant. */
	readonly allowGrant: (allow: boolean) => void;
}

/**
 * Speaks what Okta documents of the client secrets of an app:
 * https://developer.okta.com/docs/api/openapi/okta-management/management/tag/ApplicationSSOPublicKeys/ (shapes, two at
 * most, an active one is not deleted), https://developer.okta.com/docs/reference/error-codes/ (errors),
 * https://developer.okta.com/docs/reference/rl-best-practices/ (rate limit headers),
 * https://developer.okta.com/docs/api/openapi/okta-oauth/oauth/tag/CustomAS/ (discovery and token).
 */
export async function startOkta(first: string): Promise<OktaServer> {
	const secrets: Kept[] = [{ id: "ocs1", value: first, created: "2026-01-01T00:00:00.000Z", status: "ACTIVE" }];
	let told = true;
	let granted = true;
	let made = 1;
	const base = `/api/v1/apps/${OKTA_APP}/credentials/secrets`;
	const shown = (secret: Kept) => ({
		id: secret.id,
		created: secret.created,
		lastUpdated: secret.created,
		status: secret.status,
		secret_hash: "yk4SVx4sUWVJVbHt6M-UPA",
		...(told ? { client_secret: secret.value } : {}),
		_links: { self: { href: `${base}/${secret.id}` } },
	});

	const create = (asked: Asked): Answer => {
		if (secrets.length === 2) return failure(400, "E0000001", "Api validation failed: OAuth2ClientSecretMediated", FULL);
		const value = String(JSON.parse(asked.body).client_secret);
		made += 1;
		const secret: Kept = { id: `ocs${made}`, value, created: `2026-01-0${made}T00:00:00.000Z`, status: "ACTIVE" };
		secrets.push(secret);
		return { status: 201, json: { ...shown(secret), client_secret: value } };
	};

	const one = (asked: Asked): Answer => {
		const [, id, act] = /^\/(\w+)(?:\/lifecycle\/(activate|deactivate))?$/.exec(asked.path.slice(base.length)) ?? [];
		const secret = secrets.find((candidate) => candidate.id === id);
		if (secret === undefined)
			return failure(404, "E0000007", `Not found: Resource not found: ${id} (OAuth2ClientSecretMediated)`);
		if (act !== undefined) secret.status = act === "activate" ? "ACTIVE" : "INACTIVE";
		if (asked.method !== "DELETE") return { status: 200, json: shown(secret) };
		if (secret.status === "ACTIVE") return failure(400, "E0000001", "Api validation failed: active secrets cannot be deleted");
		secrets.splice(secrets.indexOf(secret), 1);
		return { status: 204 };
	};

	const server = await startLoopback((asked, origin): Answer => {
		if (asked.path === "/oauth2/default/.well-known/openid-configuration") {
			const issuer = `${origin}/oauth2/default`;
			return { status: 200, json: { issuer, token_endpoint: `${issuer}/v1/token` } };
		}
		if (asked.path === "/oauth2/default/v1/token") {
			const { secret } = credentialsOf(asked);
			const known = secrets.some((candidate) => candidate.value === secret && candidate.status === "ACTIVE");
			if (!known) return { status: 401, json: { error: "invalid_client", error_description: "Client authentication failed." } };
			if (!granted)
				return { status: 400, json: { error: "unauthorized_client", error_description: "The client is not authorized." } };
			return { status: 200, json: { access_token: "eyJ", token_type: "Bearer", expires_in: 3600, scope: "app" } };
		}
		if (asked.headers.authorization !== `SSWS ${OKTA_TOKEN}`) return failure(401, "E0000011", "Invalid token provided");
		if (!asked.path.startsWith(base)) return failure(404, "E0000007", "Not found: Resource not found: (AppInstance)");
		if (asked.path !== base) return one(asked);
		return asked.method === "POST" ? create(asked) : { status: 200, json: secrets.map(shown) };
	});
	return {
		...server,
		issuer: `${server.origin}/oauth2/default`,
		secrets,
		tellValues: (tell) => {
			told = tell;
		},
		allowGrant: (allow) => {
			granted = allow;
		},
	};
}

const FULL = "You have reached the maximum number of client secrets per client.";

function failure(status: number, errorCode: string, errorSummary: string, cause?: string): Answer {
	const errorCauses = cause === undefined ? [] : [{ errorSummary: cause }];
	return { status, json: { errorCode, errorSummary, errorLink: errorCode, errorId: "oae4f2ugrhlTtKZPYN3M61Mrg", errorCauses } };
}
