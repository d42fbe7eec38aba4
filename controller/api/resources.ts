import type { FastifyInstance } from "fastify";
import { instancesOf, kindOf, notFound } from "../engine/find-resource.ts";
import type { ResourceKey } from "../model/ids.ts";
import { instantAt } from "../model/instant.ts";
import type { Status } from "../model/status.ts";
import { HttpError } from "./errors.ts";
import type { Plans } from "./plans.ts";
import type { ApiDeps, Served } from "./served.ts";

const API_VERSION = "ecs-access.dev/v1alpha1";
const PAGE = { default: 500, most: 5_000 } as const;
const HISTORY = { default: 100, most: 1_000 } as const;

interface ResourceQuery {
	readonly kind?: string;
	readonly account?: string;
	readonly ready?: boolean;
	readonly limit: number;
	readonly after?: string;
}

interface HistoryQuery {
	readonly key?: string;
	readonly since?: string;
	readonly limit: number;
}

interface Named {
	readonly kind: string;
	readonly name: string;
}

const LIMIT = (limits: { readonly default: number; readonly most: number }) => ({
	type: "integer",
	minimum: 1,
	maximum: limits.most,
	default: limits.default,
});
const TEXT = { type: "string", minLength: 1, maxLength: 512 } as const;
const RESOURCES = query({ kind: TEXT, account: TEXT, ready: { type: "boolean" }, limit: LIMIT(PAGE), after: TEXT });
const OF_ALL = query({ key: TEXT, since: TEXT, limit: LIMIT(HISTORY) });
const OF_ONE = query({ since: TEXT, limit: LIMIT(HISTORY) });

/** What is known of resources: status, plan and history, as the command line prints them with `-o json`. */
export function resourceRoutes(app: FastifyInstance, deps: ApiDeps, plans: Plans): void {
	app.get<{ Querystring: ResourceQuery }>("/api/v1/resources", { schema: RESOURCES }, async (request, reply) => {
		const { account, ready, limit, after } = request.query;
		const kind = request.query.kind === undefined ? undefined : await kindOf(request.query.kind);
		const found = (await open(deps).store.listStatus()).filter(
			(s) =>
				(kind === undefined || s.key.startsWith(`${kind}/`)) &&
				(account === undefined || s.account === account) &&
				(ready === undefined || isReady(s) === ready) &&
				(after === undefined || s.key > after),
		);
		const items = found.slice(0, limit);
		const last = items.at(-1);
		if (found.length > items.length && last !== undefined) reply.header("link", next(request.query, last.key));
		return { apiVersion: API_VERSION, kind: "StatusList", items };
	});

	app.get<{ Params: Named }>("/api/v1/resources/:kind/:name", async (request) => {
		const served = open(deps);
		const keys = await keysOf(request.params, served);
		const items = (await Promise.all(keys.map((key) => served.store.getStatus(key)))).flatMap((s) => s ?? []);
		return { apiVersion: API_VERSION, kind: "StatusList", items };
	});

	app.get<{ Params: Named }>("/api/v1/resources/:kind/:name/plan", async (request) => {
		const served = open(deps);
		const { manager } = served;
		if (manager === null) throw standingBy(served);
		const inForce = manager.state().inForce;
		if (inForce === null)
			throw new HttpError(503, "no revision is in force yet", "GET /readyz says why", { "retry-after": "10" });
		const keys = await keysOf(request.params, served);
		return await plans.plan(served, keys);
	});

	app.get<{ Params: Named; Querystring: HistoryQuery }>(
		"/api/v1/resources/:kind/:name/history",
		{ schema: OF_ONE },
		async (request) => {
			const served = open(deps);
			const key = await keyOf(request.params);
			// What has no status any more may still have a history; `Kind/name` takes in its instances.
			const items = await historyOf(served, { ...request.query, key });
			if (items.length === 0) await keysOf(request.params, served);
			return { apiVersion: API_VERSION, kind: "HistoryList", items };
		},
	);

	app.get<{ Querystring: HistoryQuery }>("/api/v1/history", { schema: OF_ALL }, async (request) => {
		const items = await historyOf(open(deps), request.query);
		return { apiVersion: API_VERSION, kind: "HistoryList", items };
	});
}

function query(properties: object): { readonly querystring: object } {
	return { querystring: { type: "object", properties, additionalProperties: false } };
}

/** The controller that is open, or why there is none. */
export function open(deps: Pick<ApiDeps, "served" | "trouble">): Served {
	const served = deps.served();
	if (served !== null) return served;
	const trouble = deps.trouble();
	throw new HttpError(503, trouble?.message ?? "the installation is being opened", trouble?.fix ?? "ask again in a few seconds", {
		"retry-after": "10",
	});
}

export function standingBy(served: Served): HttpError {
	const { term } = served;
	const who = term.state === "standby" ? `${term.holder} is the writer` : "it is between two terms";
	return new HttpError(503, `this process stands by: ${who}`, "ask the one that works, or again in a minute", {
		"retry-after": "60",
	});
}

async function keyOf({ kind, name }: Named): Promise<ResourceKey> {
	// No document's kind: what `triggers apply` does has a history of its own.
	const known = /^(triggers|installation)$/i.test(kind)
		? `${kind[0]?.toUpperCase()}${kind.slice(1).toLowerCase()}`
		: await kindOf(kind);
	return `${known}/${name}`;
}

/** The resource, or all its account instances. Throws TerminalError `NotFound` with the nearest names. */
export async function keysOf(named: Named, served: Served): Promise<readonly ResourceKey[]> {
	const key = await keyOf(named);
	const inForce = served.manager?.state().inForce?.asks.keys() ?? [];
	const recorded = await served.store.listStatus();
	const known = [...new Set([...recorded.map((s) => s.key), ...inForce])].toSorted();
	const keys = instancesOf(key, known);
	if (keys.length === 0) throw notFound(key, known);
	return keys;
}

async function historyOf(served: Served, { key, since, limit }: HistoryQuery) {
	const from = since === undefined ? undefined : instant(since);
	return await served.store.history({ limit, ...(key !== undefined && { key }), ...(from !== undefined && { since: from }) });
}

function instant(text: string): string {
	const at = Date.parse(text);
	if (Number.isNaN(at)) throw new HttpError(400, `since ${JSON.stringify(text)} is no time`, "write it as 2026-11-24T09:00:00Z");
	return instantAt(at);
}

export function isReady(s: Status): boolean {
	return s.conditions.some((c) => c.type === "Ready" && c.status === "True");
}

/** RFC 8288; relative, since what stands in front of us is not known. */
function next(query: ResourceQuery, last: ResourceKey): string {
	const given = Object.entries({ ...query, after: last }).map(([k, v]) => [k, String(v)] as [string, string]);
	return `</api/v1/resources?${new URLSearchParams(given)}>; rel="next"`;
}
