import { TerminalError } from "../model/errors.ts";
import { OAUTH_CAPABILITIES } from "../model/oauth-capabilities.ts";
import type { OAuthClient, OAuthClientDriver } from "../model/oauth-client.ts";
import type { Secret } from "../model/secret.ts";
import { readAdminSecret } from "./admin-secret.ts";
import { cannot } from "./cannot.ts";
import { createHttp, type HttpAnswer, type HttpRequest, textField } from "./http.ts";
import { createTokenEndpoint } from "./token-endpoint.ts";

const NAME = "Okta";
/** An app has at most two secrets, inactive ones counted. */
const MAX_SECRETS = 2;

/** A secret as Okta lists it; `value` where it is told. */
interface OktaSecret {
	readonly id: string;
	readonly active: boolean;
	readonly created: string;
	readonly value: string | undefined;
}

/**
 * The client secrets of an app of Okta (developer.okta.com, tag ApplicationSSOPublicKeys). The admin secret holds `token`,
 * an API token. `issuer` is an authorization server of the org; the app's id is the client's id.
 */
export function createOktaDriver(client: OAuthClient, admin: Secret, timeoutMilliseconds?: number): OAuthClientDriver {
	const { token } = readAdminSecret(client, admin, ["token"]);
	const fix = "check the API token in the admin secret: its owner must be an application administrator of this app";
	const http = createHttp({ name: NAME, fix }, timeoutMilliseconds);
	const endpoint = createTokenEndpoint(client, http);

	const send = (method: HttpRequest["method"], path: string, signal: AbortSignal, body?: Readonly<Record<string, string>>) => {
		const url = `${originOf(client)}/api/v1/apps/${encodeURIComponent(client.clientId)}/credentials/secrets${path}`;
		const request = { method, url, headers: token.use((value) => ({ authorization: `SSWS ${value}` })), ...(body && { body }) };
		return http.send(request, signal).then((answer) => ({ request, answer }));
	};
	const call = async (...parts: Parameters<typeof send>): Promise<unknown> => {
		const { request, answer } = await send(...parts);
		if (answer.status >= 300) throw http.refused(request, answer);
		return answer.json;
	};

	const all = async (signal: AbortSignal) => secretsOf(await call("GET", "", signal));
	/** Null where there is none. */
	const one = async (id: string, signal: AbortSignal): Promise<OktaSecret | null> => {
		const { request, answer } = await send("GET", pathOf(id), signal);
		if (answer.status === 404) return null;
		if (answer.status >= 300) throw http.refused(request, answer);
		return secretOf(answer.json);
	};
	const turn = async (id: string, active: boolean, signal: AbortSignal): Promise<void> => {
		const secret = await one(id, signal);
		if (secret === null)
			throw new TerminalError("ProviderClientMissing", `${NAME} has no secret ${id} of client ${client.clientId}`);
		if (secret.active !== active) await call("POST", `${pathOf(id)}/lifecycle/${active ? "activate" : "deactivate"}`, signal);
	};

	return {
		capabilities: OAUTH_CAPABILITIES.okta,
		list: async (signal) => (await all(signal)).map(({ id, created, active }) => ({ id, createdAt: instant(created), active })),
		create: async (value, signal) => {
			if (value === null) throw cannot(NAME, "be asked for a secret of its own choice here: give a value");
			const there = await all(signal);
			const same = there.find((secret) => value.test((text) => text === secret.value));
			if (same !== undefined) {
				if (!same.active) await turn(same.id, true, signal);
				return { id: same.id, value };
			}
			if (there.length >= MAX_SECRETS) {
				// Values may not be told. Then a secret that is taken is the newest, of a request whose answer got lost.
				const newest = there.filter((secret) => secret.active).toSorted((a, b) => b.created.localeCompare(a.created))[0];
				if (newest !== undefined && (await endpoint.test(value, signal)) === "accepted") return { id: newest.id, value };
				throw full(client);
			}
			const made = await value.use((text) => send("POST", "", signal, { client_secret: text }));
			if (isFull(made.answer)) throw full(client);
			if (made.answer.status >= 300) throw http.refused(made.request, made.answer);
			return { id: secretOf(made.answer.json).id, value };
		},
		read: async () => {
			throw cannot(NAME, "be asked for the value of a secret");
		},
		test: endpoint.test,
		deactivate: (id, signal) => turn(id, false, signal),
		activate: (id, signal) => turn(id, true, signal),
		remove: async (id, signal) => {
			const secret = await one(id, signal);
			if (secret === null) return;
			if (secret.active) await turn(id, false, signal);
			const { request, answer } = await send("DELETE", pathOf(id), signal);
			if (answer.status >= 300 && answer.status !== 404) throw http.refused(request, answer);
		},
		restore: async () => {
			throw cannot(NAME, "put a value back: activate the former secret, or remove the new one");
		},
	};
}

/** `https://acme.okta.com` of `https://acme.okta.com/oauth2/default`. */
function originOf(client: OAuthClient): string {
	const origin = URL.parse(client.issuer)?.origin;
	if (origin !== undefined) return origin;
	throw new TerminalError("ProviderAddressInvalid", `the issuer ${client.issuer} is no URL`, {
		fix: "write it as https://HOST/oauth2/ID",
	});
}

function pathOf(id: string): string {
	return `/${encodeURIComponent(id)}`;
}

function secretsOf(json: unknown): readonly OktaSecret[] {
	return Array.isArray(json) ? json.map(secretOf) : [];
}

function secretOf(json: unknown): OktaSecret {
	const id = textField(json, "id");
	if (id === undefined) throw new TerminalError("ProviderRefused", `${NAME} answered with a secret that has no id`);
	const active = textField(json, "status") === "ACTIVE";
	return { id, active, created: textField(json, "created") ?? "", value: textField(json, "client_secret") };
}

function instant(created: string): string | null {
	const time = Date.parse(created);
	return Number.isNaN(time) ? null : new Date(time).toISOString().replace(/\.\d+Z$/, "Z");
}

/** E0000001 stands for any value that is not taken; that there are two is said only in its causes. */
function isFull(answer: HttpAnswer): boolean {
	return answer.status === 400 && JSON.stringify(answer.json).includes("maximum number of client secrets");
}

function full(client: OAuthClient): TerminalError {
	return new TerminalError("ProviderRefused", `client ${client.clientId} of ${NAME} has ${MAX_SECRETS} secrets already`, {
		fix: "deactivate and delete the one that nobody uses, in the Admin Console under the app's client secrets",
	});
}
