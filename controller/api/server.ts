import { randomUUID } from "node:crypto";
import type { AddressInfo } from "node:net";
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import { asError } from "../model/errors.ts";
import { nearest } from "../model/nearest.ts";
import { actRoutes } from "./acts.ts";
import { HttpError, shown } from "./errors.ts";
import { createReadiness } from "./health.ts";
import { createIdentify } from "./identity.ts";
import { overviewRoutes } from "./overview.ts";
import { createPlans, PLAN_TIMEOUT_MS } from "./plans.ts";
import { resourceRoutes } from "./resources.ts";
import type { ApiDeps } from "./served.ts";
import { webhookRoutes } from "./webhook.ts";

export interface Api {
	/** Where it listens. Rejects where the address is taken. `port` 0: a free one. */
	readonly listen: (host: string, port: number) => Promise<{ readonly host: string; readonly port: number }>;
	/** Answers what is under way, for at most two seconds, and ends. */
	readonly close: () => Promise<void>;
	/** For tests of what needs no socket. */
	readonly inject: FastifyInstance["inject"];
}

const BODY_LIMIT = 16 * 1024;
/** A load balancer adds up to 11 KB of claims and 16 KB of cookies. */
const HEADER_LIMIT = 64 * 1024;
/** In which a whole request must have come. */
const REQUEST_MS = 10_000;
const CONNECTIONS = 256;
const CLOSE_MS = 2_000;

/** No page may be made of what is answered, and nobody keeps it. */
const HEADERS = {
	"cache-control": "no-store",
	"content-security-policy": "default-src 'none'; frame-ancestors 'none'",
	"cross-origin-resource-policy": "same-origin",
	"referrer-policy": "no-referrer",
	"x-content-type-options": "nosniff",
	"x-frame-options": "DENY",
} as const;

/**
 * The HTTP server of a process: what is asked of it is answered from `deps.served()` as it is then, so that it outlives the
 * controller it shows. Throws TerminalError where the access to it cannot be checked as it is asked.
 */
export async function createApi(deps: ApiDeps): Promise<Api> {
	const stopping = new AbortController();
	const identify = await createIdentify(deps);
	const readiness = createReadiness(deps);
	const app = fastify({
		bodyLimit: BODY_LIMIT,
		requestTimeout: REQUEST_MS,
		handlerTimeout: PLAN_TIMEOUT_MS + REQUEST_MS,
		forceCloseConnections: "idle",
		http: { maxHeaderSize: HEADER_LIMIT },
		routerOptions: { maxParamLength: 512 },
		ajv: { customOptions: { removeAdditional: false, coerceTypes: true, allowUnionTypes: true } },
		genReqId: () => randomUUID(),
		frameworkErrors: (error, request, reply) => void answer(deps, error, request, reply),
		clientErrorHandler: (_error, socket) => {
			const body = JSON.stringify({ error: "the request is not HTTP", fix: "see docs/http-api.md" });
			const head = `HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\nconnection: close\r\n\r\n`;
			if (socket.writable) socket.end(head + body);
			else socket.destroy();
		},
	});
	app.server.maxConnections = CONNECTIONS;
	acceptNoBody(app);
	const routes = new Set<string>();
	app.addHook("onRoute", (r) => void routes.add(r.url));
	app.setErrorHandler((error, request, reply) => answer(deps, error, request, reply));
	app.setNotFoundHandler((request, reply) => answer(deps, notThere(request, routes), request, reply));

	let loopback = true;
	app.addHook("onRequest", async (request, reply) => {
		reply.headers(HEADERS);
		if (loopback && !isLoopback(request.hostname)) {
			// A page of a name that was made to lead here could read what only this machine may.
			throw new HttpError(403, "this process answers to this machine only", "ask for localhost, or 127.0.0.1");
		}
		const url = request.routeOptions.url ?? "";
		if (deps.access.reads === "guarded" && url.startsWith("/api/") && request.method !== "POST") await identify(request.headers);
	});
	app.addHook("onResponse", async (request, reply) => {
		deps.observe({
			type: "request",
			id: request.id,
			method: request.method,
			route: request.routeOptions.url ?? "none",
			status: reply.statusCode,
			milliseconds: Math.round(reply.elapsedTime),
		});
	});

	app.get("/healthz", async () => ({ status: "ok", version: deps.version }));
	app.get("/readyz", async (_request, reply) => {
		const answered = await readiness();
		return reply.code(answered.ready ? 200 : 503).send(answered);
	});
	app.get("/metrics", async (_request, reply) => reply.type(deps.metrics.contentType).send(await deps.metrics.text()));
	overviewRoutes(app, deps, readiness);
	resourceRoutes(app, deps, createPlans(deps.clock, stopping.signal));
	actRoutes(app, deps, identify);
	webhookRoutes(app, deps);
	await app.ready();

	return {
		inject: app.inject.bind(app),
		listen: async (host, port) => {
			loopback = isLoopback(host);
			await app.listen({ host, port });
			const address = app.server.address() as AddressInfo;
			return { host: address.address, port: address.port };
		},
		close: async () => {
			stopping.abort(new Error("the server is being closed"));
			const late = setTimeout(() => app.server.closeAllConnections(), CLOSE_MS);
			await app.close();
			clearTimeout(late);
		},
	};
}

function isLoopback(host: string): boolean {
	return /^(localhost|127(\.\d{1,3}){3}|\[?::1\]?)$/i.test(host);
}

/** `curl -X POST` sends no body, with or without a media type. */
function acceptNoBody(app: FastifyInstance): void {
	const json = app.getDefaultJsonParser("error", "error");
	app.removeContentTypeParser("application/json");
	app.addContentTypeParser("application/json", { parseAs: "string" }, (request, body, done) => {
		if (body === "") done(null, null);
		else json(request, String(body), done);
	});
}

function answer(deps: ApiDeps, error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
	const known = shown(error);
	if (known === null) {
		const cause = asError(error);
		deps.observe({ type: "failed", id: request.id, route: request.routeOptions.url ?? "none", error: cause });
	}
	const { status, message, fix, headers } =
		known ?? new HttpError(500, "something went wrong here", `look for ${request.id} in the log of the process`);
	return reply
		.code(status)
		.headers({ ...HEADERS, ...headers })
		.send({ error: message, fix });
}

/** The nearest address, of those that there are. */
function notThere(request: FastifyRequest, routes: ReadonlySet<string>): HttpError {
	const path = request.url.split("?")[0] ?? "";
	const known = [...routes].filter((r) => !r.includes("*"));
	if (known.includes(path)) return new HttpError(405, `${request.method} is not for ${path}`, "see docs/http-api.md");
	const [near] = nearest(path, known);
	const fix = near === undefined ? `there are ${known.toSorted().join(", ")}` : `did you mean ${near}?`;
	return new HttpError(404, `nothing is at ${JSON.stringify(path.slice(0, 200))}`, fix);
}
