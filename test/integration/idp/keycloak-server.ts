import { type Answer, type Asked, credentialsOf, type Loopback, startLoopback } from "./loopback.ts";

export const KEYCLOAK_ADMIN = { clientId: "rotator", clientSecret: "rotator-secret-value" };
const UUID = "57d53ee4-7de7-4816-83d8-7743f71d7ff9";

export interface KeycloakServer extends Loopback {
	readonly issuer: string;
	/** Sets the client policy with the secret-rotation executor, or disables it; what was rotated stays. */
	readonly policy: (on: boolean) => void;
	/** Whether the administrator has view-realm. */
	readonly viewRealm: (may: boolean) => void;
	readonly grant: (allowed: boolean) => void;
	readonly secret: () => string;
}

/**
 * Speaks what a Keycloak 26.5.6 was seen to answer (`keycloak-real.test.ts`) and
 * https://www.keycloak.org/docs-api/latest/rest-api/index.html describes.
 */
export async function startKeycloak(first: string): Promise<KeycloakServer> {
	let secret = first;
	let rotated: string | undefined;
	let underPolicy = false;
	let on = false;
	let views = true;
	let granted = true;

	const attributes = () => ({
		"client.secret.creation.time": "1795635258",
		...(underPolicy ? { "client.secret.expiration.time": "1798140858" } : {}),
		...(rotated === undefined
			? {}
			: {
					"client.secret.rotated": rotated,
					"client.secret.rotated.creation.time": "1795635200",
					"client.secret.rotated.expiration.time": "4102444800",
				}),
	});

	const token = (asked: Asked): Answer => {
		const who = credentialsOf(asked);
		const refuse = (words: string): Answer => ({ status: 401, json: { error: "unauthorized_client", error_description: words } });
		const good = who.id === "rotator" ? [KEYCLOAK_ADMIN.clientSecret] : [secret, rotated];
		if (!good.includes(who.secret)) return refuse("Invalid client or Invalid client credentials");
		if (who.id !== "rotator" && !granted) return refuse("Client not enabled to retrieve service account");
		return { status: 200, json: { access_token: "admin-token", expires_in: 60, token_type: "Bearer" } };
	};

	const ofSecret = (asked: Asked): Answer => {
		if (asked.path.endsWith("/rotated")) {
			if (asked.method === "DELETE") rotated = undefined;
			if (asked.method === "DELETE") return { status: 204 };
			return rotated === undefined ? missing("Client does not have a rotated secret") : value(rotated);
		}
		if (asked.method === "POST") {
			rotated = on ? secret : undefined;
			underPolicy = on;
			secret = `made-by-keycloak-${crypto.randomUUID()}`;
		}
		return value(secret);
	};

	const admin = (asked: Asked): Answer => {
		const path = asked.path.slice("/admin/realms/acme".length);
		if (path.startsWith("/client-policies/")) {
			if (!views) return { status: 403, json: { error: "HTTP 403 Forbidden" } };
			const profiles = [{ name: "rot", executors: [{ executor: "secret-rotation", configuration: {} }] }];
			return {
				status: 200,
				json: path.endsWith("policies") ? { policies: [{ name: "rot", enabled: on, profiles: ["rot"] }] } : { profiles },
			};
		}
		if (path === "/clients") {
			const found = asked.query.get("clientId") === "orders";
			return { status: 200, json: found ? [{ id: UUID, clientId: "orders", secret, attributes: attributes() }] : [] };
		}
		if (path === `/clients/${UUID}` && asked.method === "PUT") {
			secret = String(JSON.parse(asked.body).secret);
			return { status: 204 };
		}
		return path.startsWith(`/clients/${UUID}/client-secret`) ? ofSecret(asked) : missing("Could not find client");
	};

	const server = await startLoopback((asked, origin): Answer => {
		const issuer = `${origin}/realms/acme`;
		const endpoint = "/protocol/openid-connect/token";
		if (asked.path === "/realms/acme/.well-known/openid-configuration") {
			return { status: 200, json: { issuer, token_endpoint: `${issuer}${endpoint}` } };
		}
		if (asked.path === `/realms/acme${endpoint}`) return token(asked);
		return asked.headers.authorization === "Bearer admin-token"
			? admin(asked)
			: { status: 401, json: { error: "HTTP 401 Unauthorized" } };
	});
	return {
		...server,
		issuer: `${server.origin}/realms/acme`,
		policy: (enabled) => {
			on = enabled;
		},
		viewRealm: (may) => {
			views = may;
		},
		grant: (allowed) => {
			granted = allowed;
		},
		secret: () => secret,
	};
}

function value(secret: string): Answer {
	return { status: 200, json: { type: "secret", value: secret } };
}

function missing(error: string): Answer {
	return { status: 404, json: { error } };
}
