import { TerminalError } from "../model/errors.ts";
import { Secret } from "../model/secret.ts";
import { field, type Http, type HttpAnswer, type HttpRequest, textField } from "./http.ts";

/** Renewed this long before it ends. */
const MARGIN_SECONDS = 10;

/** Sends a request with an administrator's access token. */
export interface AsAdmin {
	readonly send: (request: HttpRequest, signal: AbortSignal) => Promise<HttpAnswer>;
	/** Only what succeeded. */
	readonly call: (request: HttpRequest, signal: AbortSignal) => Promise<unknown>;
}

/** `login`: the request that is answered with a token. One is kept while it is good, and thrown away after a 401. */
export function createAsAdmin(http: Http, login: (signal: AbortSignal) => Promise<HttpRequest>): AsAdmin {
	let kept: { readonly token: Secret; readonly until: number } | undefined;

	const token = async (signal: AbortSignal): Promise<Secret> => {
		if (kept !== undefined && Date.now() < kept.until) return kept.token;
		const request = await login(signal);
		const json = await http.call(request, signal);
		const text = textField(json, "access_token");
		if (text === undefined)
			throw new TerminalError("ProviderRefused", "the login with the admin secret was answered without a token");
		const seconds = Number(field(json, "expires_in") ?? Number.NaN);
		const until = Date.now() + (Number.isFinite(seconds) ? seconds - MARGIN_SECONDS : 0) * 1000;
		kept = { token: new Secret(text), until };
		return kept.token;
	};

	const once = async (request: HttpRequest, signal: AbortSignal): Promise<HttpAnswer> => {
		const bearer = await token(signal);
		return http.send({ ...request, headers: bearer.use((value) => ({ authorization: `Bearer ${value}` })) }, signal);
	};

	const send = async (request: HttpRequest, signal: AbortSignal): Promise<HttpAnswer> => {
		const answer = await once(request, signal);
		if (answer.status !== 401) return answer;
		kept = undefined;
		return once(request, signal);
	};

	return {
		send,
		call: async (request, signal) => {
			const answer = await send(request, signal);
			if (answer.status >= 300) throw http.refused(request, answer);
			return answer.json;
		},
	};
}
