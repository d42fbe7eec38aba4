import { randomBytes } from "node:crypto";
import { TerminalError } from "../model/errors.ts";
import type { OAuthClient } from "../model/oauth-client.ts";
import { Secret } from "../model/secret.ts";
import { field, type Http, type HttpAnswer, type HttpRequest, textField } from "./http.ts";

/** The endpoint that gives tokens, found by OpenID Connect Discovery 1.0 §4. */
export interface TokenEndpoint {
	/** Its address, asked for once. */
	readonly url: (signal: AbortSignal) => Promise<string>;
	/**
	 * Whether a client secret is taken, by a request for a token with the client_credentials grant. An answer that the grant
	 * is not allowed comes after the secret was taken; where the provider gives the same to a wrong one, nothing is known,
	 * and that is a TerminalError.
	 */
	readonly test: (secret: Secret, signal: AbortSignal) => Promise<"accepted" | "refused">;
}

interface Discovered {
	readonly url: string;
	readonly post: boolean;
}

/** `tookIt`: whether an answer of 401 is given only to a client whose secret was right, which the standard does not foresee. */
export function createTokenEndpoint(
	client: OAuthClient,
	http: Http,
	tookIt: (answer: HttpAnswer) => boolean = () => false,
): TokenEndpoint {
	let found: Discovered | undefined;
	const discover = async (signal: AbortSignal): Promise<Discovered> => {
		found ??= await discovered(client, http, signal);
		return found;
	};

	const tryOne = async (secret: Secret, style: "basic" | "post", signal: AbortSignal): Promise<"accepted" | "refused"> => {
		const { url } = await discover(signal);
		const request = tokenRequest(url, client.clientId, secret, style);
		const answer = await http.send(request, signal);
		if (answer.status < 300 || tookIt(answer)) return "accepted";
		if (textField(answer.json, "error_description")?.includes("private_key_jwt") === true) {
			throw untestable(client, "wants private_key_jwt for the client_credentials grant");
		}
		if (isRefusal(answer)) return "refused";
		const wrong = tokenRequest(url, client.clientId, new Secret(randomBytes(24).toString("base64url")), style);
		if (isRefusal(await http.send(wrong, signal))) return "accepted";
		throw untestable(client, `answers the client_credentials grant with ${answer.status} before it looks at the secret`);
	};

	return {
		url: async (signal) => (await discover(signal)).url,
		test: async (secret, signal) => {
			const basic = await tryOne(secret, "basic", signal);
			// A client may be registered for client_secret_post alone, and a provider may not decode what Basic encodes.
			return basic === "refused" && (await discover(signal)).post ? tryOne(secret, "post", signal) : basic;
		},
	};
}

/** RFC 6749 §5.2 wants 401 for a client that used the Authorization header; some send 400 with the same code. */
function isRefusal(answer: HttpAnswer): boolean {
	return answer.status === 401 || textField(answer.json, "error") === "invalid_client";
}

async function discovered(client: OAuthClient, http: Http, signal: AbortSignal): Promise<Discovered> {
	const request: HttpRequest = { method: "GET", url: `${client.issuer}/.well-known/openid-configuration` };
	const answer = await http.send(request, signal);
	const url = textField(answer.json, "token_endpoint");
	const issuer = textField(answer.json, "issuer");
	if (answer.status !== 200 || url === undefined || issuer?.replace(/\/$/, "") !== client.issuer) {
		throw new TerminalError("ProviderRefused", `${client.issuer} is no issuer: it does not describe itself as one`, {
			fix: `make ${client.issuer}/.well-known/openid-configuration answer with this issuer, or correct the issuer`,
		});
	}
	const methods = field(answer.json, "token_endpoint_auth_methods_supported");
	return { url, post: Array.isArray(methods) && methods.includes("client_secret_post") };
}

/** RFC 6749 §2.3.1: id and secret are form-encoded before they are joined and put into the header. */
function tokenRequest(url: string, clientId: string, secret: Secret, style: "basic" | "post"): HttpRequest {
	const grant = { grant_type: "client_credentials" };
	return secret.use((value) => {
		if (style === "post") {
			return { method: "POST", url, body: new URLSearchParams({ ...grant, client_id: clientId, client_secret: value }) };
		}
		const credentials = Buffer.from(`${formEncoded(clientId)}:${formEncoded(value)}`).toString("base64");
		return { method: "POST", url, headers: { authorization: `Basic ${credentials}` }, body: new URLSearchParams(grant) };
	});
}

function formEncoded(value: string): string {
	return new URLSearchParams([["", value]]).toString().slice(1);
}

function untestable(client: OAuthClient, words: string): TerminalError {
	return new TerminalError("ProviderRefused", `no secret of client ${client.clientId} can be tested: ${client.issuer} ${words}`, {
		fix: "allow the client_credentials grant for the client, or name an issuer that takes it",
	});
}
