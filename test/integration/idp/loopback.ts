import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";

export interface Asked {
	readonly method: string;
	readonly path: string;
	readonly query: URLSearchParams;
	readonly headers: Readonly<Record<string, string | undefined>>;
	readonly body: string;
}

export interface Answer {
	readonly status: number;
	readonly json?: unknown;
	readonly headers?: Readonly<Record<string, string>>;
}

export interface Loopback {
	readonly origin: string;
	readonly asked: readonly Asked[];
	/** The next request to this method and path gets this instead, and nothing is done. */
	readonly insteadOf: (place: string, answer: Answer) => void;
	/** The next request to this method and path is done, and its answer lost: the connection is cut. */
	readonly loseAnswerOf: (place: string) => void;
	readonly close: () => Promise<void>;
}

/** A real HTTP server on loopback. A place is `POST /oauth/token`. */
export async function startLoopback(answer: (asked: Asked, origin: string) => Answer): Promise<Loopback> {
	const asked: Asked[] = [];
	const instead = new Map<string, Answer>();
	const lost = new Set<string>();
	const server = createServer(async (request, response) => {
		const one = await read(request);
		asked.push(one);
		const place = `${one.method} ${one.path}`;
		const forced = instead.get(place);
		instead.delete(place);
		const { status, json, headers } = forced ?? answer(one, origin);
		if (lost.delete(place)) {
			response.destroy();
			return;
		}
		response.writeHead(status, { "content-type": "application/json", ...headers });
		response.end(json === undefined ? undefined : JSON.stringify(json));
	});
	await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
	const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
	return {
		origin,
		asked,
		insteadOf: (place, given) => void instead.set(place, given),
		loseAnswerOf: (place) => void lost.add(place),
		close: async () => {
			server.closeAllConnections();
			await new Promise((resolve) => server.close(resolve));
		},
	};
}

async function read(request: IncomingMessage): Promise<Asked> {
	const url = new URL(request.url ?? "/", "http://loopback");
	const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]));
	return { method: request.method ?? "", path: url.pathname, query: url.searchParams, headers, body: await text(request) };
}

/** Who logs in at a token endpoint, by header or by form. */
export function credentialsOf(asked: Asked): { readonly id: string; readonly secret: string } {
	const form = new URLSearchParams(asked.body);
	const basic = /^Basic (.+)$/.exec(asked.headers.authorization ?? "")?.[1];
	if (basic === undefined) return { id: form.get("client_id") ?? "", secret: form.get("client_secret") ?? "" };
	const [id = "", secret = ""] = Buffer.from(basic, "base64").toString().split(":");
	return { id: decodeURIComponent(id.replaceAll("+", " ")), secret: decodeURIComponent(secret.replaceAll("+", " ")) };
}
