import type { FastifyInstance } from "fastify";
import { readPause } from "../engine/pause.ts";
import type { Readiness } from "./health.ts";
import { isReady, open } from "./resources.ts";
import type { ApiDeps, Served } from "./served.ts";

const API_VERSION = "ecs-access.dev/v1alpha1";

/** How the process as a whole stands, and what it follows. */
export function overviewRoutes(app: FastifyInstance, deps: ApiDeps, readiness: () => Promise<Readiness>): void {
	app.get("/api/v1/status", async () => {
		const served = open(deps);
		const state = served.manager?.state() ?? null;
		const [{ ready, reasons, notes }, recorded, pause] = await Promise.all([
			readiness(),
			served.store.listStatus(),
			readPause(served.store, deps.clock.millis()),
		]);
		const isTrue = (type: string) =>
			recorded.filter((s) => s.conditions.some((c) => c.type === type && c.status === "True")).length;
		const ok = recorded.filter(isReady).length;
		return {
			apiVersion: API_VERSION,
			kind: "ControllerStatus",
			now: deps.clock.now(),
			version: deps.version,
			installation: served.installation,
			mode: served.mode,
			store: served.storeName,
			term: served.term,
			ready,
			reasons,
			notes,
			revision: state?.inForce?.artifact.revision.id ?? null,
			pause,
			queue: state?.queue ?? { waiting: 0, running: 0, scheduled: 0 },
			accounts: (state?.inForce?.catalog.view.accounts ?? []).map((a) => ({
				name: a.name,
				accountId: a.accountId,
				resynced: state?.resynced.get(a.name) ?? null,
				error: state?.accountErrors.get(a.name) ?? null,
			})),
			resources: {
				recorded: recorded.length,
				ready: ok,
				notReady: recorded.length - ok,
				stalled: isTrue("Stalled"),
				drifted: isTrue("Drifted"),
			},
		};
	});

	app.get("/api/v1/source", async () => ({ apiVersion: API_VERSION, kind: "SourceStatus", ...sourceOf(open(deps)) }));
}

function sourceOf(served: Served) {
	const state = served.manager?.state() ?? null;
	const inForce = state?.inForce ?? null;
	return {
		inForce:
			inForce === null
				? null
				: {
						revision: inForce.artifact.revision,
						digest: inForce.artifact.digest,
						source: inForce.artifact.source,
						root: inForce.artifact.root,
						partial: inForce.artifact.partial,
						resources: inForce.asks.size,
						stalled: [...inForce.stalled].map(([key, findings]) => ({ key, findings })),
					},
		refused: state?.refused ?? null,
		error: state?.sourceError ?? null,
	};
}
