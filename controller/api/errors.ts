import { TerminalError, WaitingError } from "../model/errors.ts";

/** What a request is refused with. Both texts are shown: no text of others in them but quoted, and never a value of a header. */
export class HttpError extends Error {
	readonly status: number;
	readonly fix: string;
	readonly headers: Readonly<Record<string, string>>;
	constructor(status: number, message: string, fix: string, headers: Readonly<Record<string, string>> = {}) {
		super(message);
		this.name = "HttpError";
		this.status = status;
		this.fix = fix;
		this.headers = headers;
	}
}

/** By the reason of a TerminalError; any other is something that this process waits for. */
const STATUS: Readonly<Record<string, number>> = {
	NotFound: 404,
	UnknownKind: 404,
	BadPause: 400,
	PauseMoved: 409,
};

/** What of an error may be shown; null: nothing, it is told to whoever runs the process. */
export function shown(error: unknown): HttpError | null {
	if (error instanceof HttpError) return error;
	if (error instanceof TerminalError) {
		return new HttpError(STATUS[error.reason] ?? 503, error.message, error.fix ?? "see the log of the process");
	}
	if (error instanceof WaitingError) {
		const after = String(error.afterSeconds);
		return new HttpError(503, error.message, `ask again in ${after} s`, { "retry-after": after });
	}
	return fastifyError(error);
}

/** Fastify's own refusals, by code: their messages repeat what was sent. */
function fastifyError(error: unknown): HttpError | null {
	if (!(error instanceof Error)) return null;
	if ("validation" in error && Array.isArray(error.validation)) {
		const [first] = error.validation as readonly { readonly instancePath?: string; readonly message?: string }[];
		const field = first?.instancePath?.slice(1).replaceAll("/", ".") ?? "";
		return new HttpError(
			400,
			`${field === "" ? "the request" : field} ${first?.message ?? "is not valid"}`,
			"see docs/http-api.md",
		);
	}
	const code = "code" in error && typeof error.code === "string" ? error.code : "";
	switch (code) {
		case "FST_ERR_CTP_BODY_TOO_LARGE":
			return new HttpError(413, "the body is too large", "send less");
		case "FST_ERR_CTP_INVALID_MEDIA_TYPE":
			return new HttpError(415, "the body is not of a known media type", "send it with content-type: application/json");
		case "FST_ERR_HANDLER_TIMEOUT":
			return new HttpError(503, "it took too long", "ask again; the log of the process may say why", { "retry-after": "10" });
	}
	if (!("statusCode" in error) || typeof error.statusCode !== "number") return null;
	return error.statusCode >= 400 && error.statusCode < 500
		? new HttpError(error.statusCode, "the request is not valid", "see docs/http-api.md")
		: null;
}
