import { generateKeyPairSync } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import Provider, { type Adapter, type AdapterPayload, type ClientMetadata } from "oidc-provider";

/** A client as the registration endpoint hands it out. */
export interface RegisteredClient {
	readonly clientId: string;
	readonly clientSecret: string;
	readonly registrationClientUri: string;
	readonly registrationAccessToken: string;
}

export interface OidcProviderOptions {
	/** A new secret is refused for this long, and the one before is taken meanwhile. */
	readonly acceptAfterMs?: number;
	/** Milliseconds since 1970 by which `acceptAfterMs` is counted. */
	readonly now?: () => number;
	/** Whether an update issues another secret. RFC 7592 leaves it to the provider, and this one keeps it unless told. */
	readonly secretAtUpdate?: boolean;
	/** Whether an update replaces the registration access token, as this provider does by default. */
	readonly tokenAtUpdate?: boolean;
}

export interface OidcProvider {
	readonly issuer: string;
	/** Registers a client, of the client_credentials grant unless said. */
	readonly registerClient: (metadata?: Partial<ClientMetadata>) => Promise<RegisteredClient>;
	/** Requests to the token endpoint so far. */
	readonly tokenRequests: () => number;
	/** The next answer to this method at the registration endpoint is lost: the work is done, the connection cut. */
	readonly loseNextAnswer: (method: "GET" | "PUT") => void;
	readonly close: () => Promise<void>;
}

const POLICY = "secret-at-update";

/**
 * The real `oidc-provider` on loopback, with dynamic registration (RFC 7591) and its management (RFC 7592). That a secret
 * is issued at each update is a policy in its own sense (`features.registration.policies`).
 */
export async function startOidcProvider(options: OidcProviderOptions = {}): Promise<OidcProvider> {
	const { acceptAfterMs = 0, now = Date.now, secretAtUpdate = true, tokenAtUpdate = false } = options;
	const server = createServer();
	await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
	const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
	const secrets = createSecretHistory(acceptAfterMs, now);
	let tokenRequests = 0;
	let lost: string | undefined;

	const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
	const provider = new Provider(issuer, {
		adapter: createMemory(),
		jwks: { keys: [{ ...privateKey.export({ format: "jwk" }), use: "sig" }] },
		ttl: { ClientCredentials: 600 },
		features: {
			devInteractions: { enabled: false },
			clientCredentials: { enabled: true },
			registration: {
				enabled: true,
				initialAccessToken: true,
				policies: {
					[POLICY]: (context, properties) => {
						if (context.method === "PUT" && secretAtUpdate) properties.client_secret = randomSecret();
						secrets.issued(String(properties.client_id), String(properties.client_secret));
					},
				},
			},
			registrationManagement: { enabled: true, rotateRegistrationAccessToken: tokenAtUpdate },
		},
	});
	provider.Client.prototype.compareClientSecret = function compare(this: { readonly clientId: string }, actual: string) {
		return secrets.takes(this.clientId, actual);
	};
	const handle = provider.callback();
	server.on("request", (request, response) => {
		const path = request.url ?? "";
		if (path === "/token") tokenRequests += 1;
		if (path.startsWith("/reg/") && request.method === lost) {
			lost = undefined;
			response.end = () => response.destroy();
		}
		void handle(request, response);
	});

	return {
		issuer,
		registerClient: async (metadata = {}) => {
			const initial = await new provider.InitialAccessToken({ policies: [POLICY] }).save();
			const response = await fetch(`${issuer}/reg`, {
				method: "POST",
				headers: { authorization: `Bearer ${initial}`, "content-type": "application/json" },
				body: JSON.stringify({ redirect_uris: [], response_types: [], grant_types: ["client_credentials"], ...metadata }),
			});
			if (response.status !== 201) throw new Error(`no client: ${response.status} ${await response.text()}`);
			const client = (await response.json()) as Readonly<Record<string, string>>;
			const text = (name: string) => client[name] ?? "";
			return {
				clientId: text("client_id"),
				clientSecret: text("client_secret"),
				registrationClientUri: text("registration_client_uri"),
				registrationAccessToken: text("registration_access_token"),
			};
		},
		tokenRequests: () => tokenRequests,
		loseNextAnswer: (method) => {
			lost = method;
		},
		close: async () => {
			server.closeAllConnections();
			await new Promise((resolve) => server.close(resolve));
		},
	};
}

interface SecretHistory {
	readonly issued: (clientId: string, secret: string) => void;
	readonly takes: (clientId: string, secret: string) => boolean;
}

/** The first secret of a client is good at once; each later one after the delay, and the one before it until then. */
function createSecretHistory(acceptAfterMs: number, now: () => number): SecretHistory {
	const issued = new Map<string, readonly { readonly secret: string; readonly from: number }[]>();
	return {
		issued: (clientId, secret) => {
			const before = issued.get(clientId) ?? [];
			if (before.at(-1)?.secret === secret) return;
			issued.set(clientId, [...before, { secret, from: before.length === 0 ? 0 : now() + acceptAfterMs }]);
		},
		takes: (clientId, secret) => issued.get(clientId)?.findLast(({ from }) => from <= now())?.secret === secret,
	};
}

/** What the provider keeps, in memory and of this provider alone. Tokens of users are never made here. */
function createMemory(): (model: string) => Adapter {
	const kept = new Map<string, AdapterPayload>();
	return (model) => ({
		upsert: async (id, payload) => {
			kept.set(`${model} ${id}`, payload);
		},
		find: async (id) => kept.get(`${model} ${id}`),
		findByUid: async () => undefined,
		findByUserCode: async () => undefined,
		consume: async () => {},
		destroy: async (id) => {
			kept.delete(`${model} ${id}`);
		},
		revokeByGrantId: async () => {},
	});
}

function randomSecret(): string {
	return Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString("base64url");
}
