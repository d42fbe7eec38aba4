import type { FastifyInstance, FastifyRequest } from "fastify";
import { clearPause, readPause, setPause } from "../engine/pause.ts";
import { durationMs } from "../model/duration.ts";
import type { ResourceKey } from "../model/ids.ts";
import { HttpError } from "./errors.ts";
import type { Identify } from "./identity.ts";
import { keysOf, open, standingBy } from "./resources.ts";
import type { ApiDeps, ApiEvent } from "./served.ts";

const API_VERSION = "ecs-access.dev/v1alpha1";

const REASON = { type: "string", minLength: 1, maxLength: 500 } as const;
const SYNC = body({ key: { type: "string", minLength: 3, maxLength: 512 } }, []);
const PAUSE = body({ reason: REASON, until: { type: "string", minLength: 2, maxLength: 40 } }, ["reason", "until"]);
const RESUME = body({ reason: REASON, since: { type: "string", maxLength: 40 } }, ["reason"]);

type Act = Extract<ApiEvent, { readonly type: "act" }>["act"];

/** What a person may ask for: the same words as on the command line, recorded under the same names. */
export function actRoutes(app: FastifyInstance, deps: ApiDeps, identify: Identify): void {
	const allowed = async (request: FastifyRequest): Promise<string> => {
		if (deps.access.token === null && deps.access.alb === null) {
			throw new HttpError(
				403,
				"writing over HTTP is off",
				"start the process with a token, or with the load balancer that signs people in",
			);
		}
		refuseOtherSites(request);
		const by = await identify(request.headers);
		refuseInvalid(request);
		return by;
	};
	const done = (request: FastifyRequest, act: Act, by: string): void => deps.observe({ type: "act", id: request.id, act, by });

	app.post<{ Body: { readonly key?: string } | null }>(
		"/api/v1/sync",
		{ schema: SYNC, attachValidation: true },
		async (request, reply) => {
			const by = await allowed(request);
			const served = open(deps);
			if (served.manager === null) throw standingBy(served);
			const { key } = request.body ?? {};
			let keys: readonly ResourceKey[] | null = null;
			if (key === undefined) {
				served.manager.hint({ type: "source" });
				served.manager.ask(null);
			} else {
				const slash = key.indexOf("/");
				keys = await keysOf(
					slash < 0 ? { kind: "AccessPolicy", name: key } : { kind: key.slice(0, slash), name: key.slice(slash + 1) },
					served,
				);
				for (const k of keys) served.manager.ask(k);
			}
			done(request, "sync", by);
			return reply.code(202).send({ apiVersion: API_VERSION, kind: "SyncAsked", keys });
		},
	);

	app.post<{ Body: { readonly reason: string; readonly until: string } }>(
		"/api/v1/pause",
		{ schema: PAUSE, attachValidation: true },
		async (request) => {
			const by = await allowed(request);
			const served = open(deps);
			const { reason, until } = request.body;
			const word = { by, reason: reasonOf(reason), installation: served.installation, reconcileId: request.id };
			const { before, after } = await setPause(served.store, word, untilMs(until, deps.clock.millis()), deps.clock);
			done(request, "pause", by);
			return { apiVersion: API_VERSION, kind: "PauseChanged", before, after };
		},
	);

	app.post<{ Body: { readonly reason: string; readonly since?: string } }>(
		"/api/v1/resume",
		{ schema: RESUME, attachValidation: true },
		async (request) => {
			const by = await allowed(request);
			const served = open(deps);
			const { reason, since } = request.body;
			const now = await readPause(served.store, deps.clock.millis());
			if (now === null) return { apiVersion: API_VERSION, kind: "PauseChanged", before: null, after: null };
			const expected = since === undefined ? now : { ...now, since };
			const word = { by, reason: reasonOf(reason), installation: served.installation, reconcileId: request.id };
			const { before, after } = await clearPause(served.store, word, expected, deps.clock);
			// What could not be done meanwhile is planned first.
			served.manager?.ask(null);
			done(request, "resume", by);
			return { apiVersion: API_VERSION, kind: "PauseChanged", before, after };
		},
	);
}

function body(properties: object, required: readonly string[]): { readonly body: object } {
	return { body: { type: ["object", "null"], properties, required, additionalProperties: false } };
}

/** Whoever may not write is told that before anything else, so that what a body must hold is looked at late. */
function refuseInvalid(request: FastifyRequest): void {
	if (request.validationError !== undefined) throw request.validationError;
	const required = request.routeOptions.schema?.body as { readonly required: readonly string[] };
	if (request.body === null || request.body === undefined) {
		if (required.required.length > 0)
			throw new HttpError(400, `the body must hold ${required.required.join(" and ")}`, "send it as JSON");
	}
}

/**
 * A load balancer's cookie is sent from any page that a person has open. A browser says where a request comes from, and
 * sends JSON to another site only after asking it.
 */
function refuseOtherSites({ headers }: FastifyRequest): void {
	const site = headers["sec-fetch-site"];
	const json = /^application\/json\b/i.test(headers["content-type"] ?? "");
	if (json && (site === undefined || site === "same-origin" || site === "none")) return;
	throw new HttpError(
		403,
		"a write must be JSON, and not come from a page of another site",
		"send content-type: application/json",
	);
}

/** RFC 3339, or how long from now: `2h`. */
function untilMs(text: string, now: number): number {
	const long = durationMs(text);
	const at = long === null ? Date.parse(text) : now + long;
	// Beyond it there is no date; how long a pause may be is the store's business.
	if (Math.abs(at) <= 8.64e15) return at;
	throw new HttpError(400, `until ${JSON.stringify(text)} is neither a time nor a duration`, "write 2026-11-24T09:00:00Z, or 2h");
}

/** It stands in logs and in the history, on one line. */
function reasonOf(text: string): string {
	const reason = text.replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, " ").trim();
	if (reason === "") throw new HttpError(400, "the reason is empty", "say why, for whoever is stopped by it");
	return reason;
}
