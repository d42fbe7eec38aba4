import { asError, TerminalError, WaitingError } from "../model/errors.ts";

const TIMEOUT_MILLISECONDS = 10_000;
/** The largest answer that is read: client metadata are a few KB. */
const MAX_BYTES = 1024 * 1024;
/** For one that says it is busy, but not how long. */
const BUSY_SECONDS = 30;
/** No provider is waited for longer than this at a time, whatever its headers say. */
const MOST_BUSY_SECONDS = 900;

/** Who is spoken to, in the words of an error; and what to do where it refuses. */
export interface Peer {
	readonly name: string;
	readonly fix: string;
}

export interface HttpRequest {
	readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
	readonly url: string;
	readonly headers?: Readonly<Record<string, string>>;
	/** JSON where it is an object, a form where it is URLSearchParams. */
	readonly body?: URLSearchParams | Readonly<Record<string, unknown>>;
}

export interface HttpAnswer {
	readonly status: number;
	/** Null where it is none. */
	readonly json: unknown;
}

export interface Http {
	/**
	 * Whatever was answered below 500, but for 408 and 429. WaitingError `ProviderBusy` for those and where nothing was
	 * answered: a write may have been done all the same. TerminalError for an address or an answer that is not taken.
	 */
	readonly send: (request: HttpRequest, signal: AbortSignal) => Promise<HttpAnswer>;
	/** Like `send`, but only what succeeded; else the error of `refused`. */
	readonly call: (request: HttpRequest, signal: AbortSignal) => Promise<unknown>;
	/** The error that an answer is. A 404 is `ProviderClientMissing`, the rest `ProviderRefused`. */
	readonly refused: (request: HttpRequest, answer: HttpAnswer) => TerminalError;
}

/**
 * HTTP to an identity provider: https only (loopback excepted), no redirect followed, 10 s, 1 MiB. Errors name the
 * provider, method and path; never a query, a header, a body or a value.
 */
export function createHttp(peer: Peer, timeoutMilliseconds = TIMEOUT_MILLISECONDS): Http {
	const refused = (request: HttpRequest, answer: HttpAnswer): TerminalError => {
		const code = knownCode(answer.json);
		return new TerminalError(
			answer.status === 404 ? "ProviderClientMissing" : "ProviderRefused",
			`${peer.name} answered ${place(request)} with ${answer.status}${code === undefined ? "" : ` ${code}`}`,
			{ fix: peer.fix },
		);
	};

	const send = async (request: HttpRequest, signal: AbortSignal): Promise<HttpAnswer> => {
		checkAddress(peer, request.url);
		const timeout = AbortSignal.timeout(timeoutMilliseconds);
		const response = await answered(peer, request, signal, () =>
			fetch(request.url, init(request, AbortSignal.any([signal, timeout]))),
		);
		if (response.status >= 300 && response.status < 400) {
			await response.body?.cancel();
			throw new TerminalError("ProviderRefused", `${peer.name} redirects ${place(request)}, and credentials are not sent on`, {
				fix: "say the address that it redirects to",
			});
		}
		if (response.status >= 500 || response.status === 429 || response.status === 408) {
			await response.body?.cancel();
			const words = response.status === 429 ? "throttles us" : "is not well";
			throw busy(`${peer.name} ${words}: it answered ${place(request)} with ${response.status}`, secondsToWait(response.headers));
		}
		const text = await answered(peer, request, signal, () => textOf(response));
		if (text === null) {
			throw new TerminalError("ProviderRefused", `${peer.name} answered ${place(request)} with more than ${MAX_BYTES} bytes`);
		}
		return { status: response.status, json: parsed(text) };
	};

	return {
		send,
		refused,
		call: async (request, signal) => {
			const answer = await send(request, signal);
			if (answer.status >= 300) throw refused(request, answer);
			return answer.json;
		},
	};
}

/** `https://id.acme.io`, and for tests and tunnels `http://127.0.0.1:8080`. */
function isSafeAddress(url: URL): boolean {
	const loopback = url.hostname === "localhost" || url.hostname === "[::1]" || /^127(\.\d+){3}$/.test(url.hostname);
	return url.protocol === "https:" || (url.protocol === "http:" && loopback);
}

/** Of what was thrown, the code that says why nothing was answered: `ECONNREFUSED`. Never its text, which may quote. */
export function failureCode(thrown: unknown): string {
	const error = asError(thrown);
	if (error.name === "TimeoutError") return "time ran out";
	const { cause } = error;
	const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
	return typeof code === "string" && /^[A-Z][A-Z0-9_]{2,60}$/.test(code) ? code : "the connection broke";
}

function checkAddress(peer: Peer, address: string): void {
	const url = URL.parse(address);
	if (url !== null && isSafeAddress(url) && url.username === "" && url.password === "") return;
	throw new TerminalError("ProviderAddressInvalid", `the address of ${peer.name} is no https URL without credentials`, {
		fix: "give the issuer, and what the admin secret says, as https:// addresses",
	});
}

function init(request: HttpRequest, signal: AbortSignal): RequestInit {
	const { body } = request;
	const form = body instanceof URLSearchParams;
	const type = form ? "application/x-www-form-urlencoded" : "application/json";
	return {
		method: request.method,
		headers: { accept: "application/json", ...(body === undefined ? {} : { "content-type": type }), ...request.headers },
		...(body === undefined ? {} : { body: form ? body.toString() : JSON.stringify(body) }),
		redirect: "manual",
		signal,
	};
}

async function answered<R>(peer: Peer, request: HttpRequest, signal: AbortSignal, work: () => Promise<R>): Promise<R> {
	try {
		return await work();
	} catch (thrown) {
		signal.throwIfAborted();
		const done = request.method === "GET" ? "" : "; it may have been done all the same";
		throw busy(`${peer.name} did not answer ${place(request)}: ${failureCode(thrown)}${done}`, BUSY_SECONDS);
	}
}

function busy(message: string, seconds: number): WaitingError {
	return new WaitingError("ProviderBusy", message, seconds);
}

function place(request: HttpRequest): string {
	return `${request.method} ${new URL(request.url).pathname}`;
}

/** Null where it is larger than is read. */
async function textOf(response: Response): Promise<string | null> {
	const decoder = new TextDecoder();
	let text = "";
	let bytes = 0;
	for await (const chunk of response.body ?? []) {
		bytes += chunk.byteLength;
		if (bytes > MAX_BYTES) return null;
		text += decoder.decode(chunk, { stream: true });
	}
	return text + decoder.decode();
}

function parsed(text: string): unknown {
	try {
		return JSON.parse(text);
	} catch {
		return null;
	}
}

/** The codes of RFC 6749 §5.2, RFC 7591 §3.2.2 and of Okta. Any other word of an answer may be what we sent. */
const CODES = new Set([
	"invalid_request",
	"invalid_client",
	"invalid_grant",
	"unauthorized_client",
	"unsupported_grant_type",
	"invalid_scope",
	"invalid_token",
	"insufficient_scope",
	"access_denied",
	"invalid_redirect_uri",
	"invalid_client_metadata",
]);

function knownCode(json: unknown): string | undefined {
	const code = textField(json, "error") ?? textField(json, "errorCode");
	return code !== undefined && (CODES.has(code) || /^E\d{7}$/.test(code)) ? code : undefined;
}

/**
 * `Retry-After` in seconds (RFC 9110 §10.2.3), or the time at which the limit ends: `X-Rate-Limit-Reset` of Okta and
 * `x-ratelimit-reset` of Auth0, both in seconds since 1970. By the provider's own clock where it tells its `Date`.
 */
function secondsToWait(headers: Headers): number {
	const after = Number(headers.get("retry-after") ?? Number.NaN);
	const reset = Number(headers.get("x-rate-limit-reset") ?? headers.get("x-ratelimit-reset") ?? Number.NaN);
	const told = Date.parse(headers.get("date") ?? "");
	const seconds = Number.isFinite(after) ? after : reset - (Number.isNaN(told) ? Date.now() : told) / 1000;
	if (!Number.isFinite(seconds)) return BUSY_SECONDS;
	return Math.min(Math.max(Math.ceil(seconds), 1), MOST_BUSY_SECONDS);
}

/** A field of an answer, whatever it is. */
export function field(json: unknown, name: string): unknown {
	return typeof json === "object" && json !== null && !Array.isArray(json) ? new Map(Object.entries(json)).get(name) : undefined;
}

/** A field of an answer that is text and not empty. */
export function textField(json: unknown, name: string): string | undefined {
	const value = field(json, name);
	return typeof value === "string" && value !== "" ? value : undefined;
}
