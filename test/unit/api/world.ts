import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Ajv } from "ajv";
import { stringify } from "yaml";
import { createMetrics, type Metrics } from "../../../controller/api/metrics.ts";
import type { Access, ApiEvent, Served, Webhook } from "../../../controller/api/served.ts";
import { type Api, createApi } from "../../../controller/api/server.ts";
import { createManager, type Manager, type ManagerEvent } from "../../../controller/engine/manager.ts";
import type { Passes } from "../../../controller/engine/pass.ts";
import { watchHistory } from "../../../controller/engine/watch-history.ts";
import { digest } from "../../../controller/model/digest.ts";
import type { Hint } from "../../../controller/model/hint.ts";
import type { ResourceKey } from "../../../controller/model/ids.ts";
import type { Store } from "../../../controller/model/ports.ts";
import { Secret } from "../../../controller/model/secret.ts";
import { createCatalogue } from "../../../controller/policy/catalogue.ts";
import { openStore } from "../../../controller/store/sqlite.ts";
import { BILLING, entry, status } from "../cli/state-fixture.ts";
import { createFakeClock, type FakeClock } from "../engine/fake-clock.ts";
import { planFile } from "../render/fixtures.ts";

export const TOKEN = "0123456789abcdef0123456789abcdef";
export const CLOSED: Access = { token: null, alb: null, reads: "open" };
export const BY_TOKEN: Access = { token: async () => new Secret(TOKEN), alb: null, reads: "open" };
const COMMIT = "3f2a91c0000000000000000000000000000000000";

const actions = createCatalogue();

/** A server over a real manager, whose source a test writes, and a real store; only AWS is not there. */
export interface ApiWorld {
	readonly api: Api;
	readonly store: Store;
	readonly clock: FakeClock;
	readonly manager: Manager;
	readonly metrics: Metrics;
	readonly events: ApiEvent[];
	/** What the manager was asked for by HTTP. */
	readonly hints: Hint[];
	readonly asked: (ResourceKey | null)[];
	/** Plans that were made, by their keys. */
	readonly planned: (readonly ResourceKey[])[];
	/** How a plan is made; a test may let it wait, or fail. */
	plan: Served["plan"];
	/** What is served; a test may change or take it away. */
	served: Served | null;
	trouble: { readonly message: string; readonly fix?: string } | null;
	/** A revision with these files, and the manager looks at it. */
	readonly commit: (files: Readonly<Record<string, object | string>>) => Promise<void>;
	readonly close: () => Promise<void>;
}

export async function apiWorld(access: Access = CLOSED, webhook: Webhook | null = null): Promise<ApiWorld> {
	const clock = createFakeClock();
	const events: ApiEvent[] = [];
	const hints: Hint[] = [];
	const asked: (ResourceKey | null)[] = [];
	const planned: (readonly ResourceKey[])[] = [];
	let files: ReadonlyMap<string, string> | null = null;
	let metrics: Metrics | null = null;
	const store = watchHistory(openStore({ path: ":memory:", now: clock.now }), (entries) => metrics?.history(entries));
	const manager = createManager({
		source: {
			peek: async () => null,
			fetch: async () => {
				if (files === null) throw new Error("the git server cannot be reached");
				return {
					revision: { kind: "commit", id: COMMIT, author: "kim", committedAt: "2026-11-24T08:00:00Z", subject: "grow" },
					digest: digest([...files]),
					root: "policies",
					files,
					source: "github.com/acme/access//policies",
					partial: null,
				};
			},
			fetchRevision: async () => {
				throw new Error("no other revision");
			},
		},
		actions,
		passes: NO_PASSES,
		store,
		clock,
		random: () => 0.5,
		pollMs: 15_000,
		again: () => null,
		observe: (event: ManagerEvent) => metrics?.manager(event),
	});
	const world = {
		store,
		clock,
		manager,
		events,
		hints,
		asked,
		planned,
		trouble: null as ApiWorld["trouble"],
		plan: (async (keys) => planFile([], { request: { path: "policies", prune: true, only: keys } })) as Served["plan"],
		served: {
			installation: "main",
			mode: "Enforce",
			store,
			storeName: ":memory:",
			term: { state: "writing" },
			manager: {
				state: manager.state,
				hint: (hint: Hint) => void hints.push(hint),
				ask: (key: ResourceKey | null) => void asked.push(key),
			},
			plan: (keys: readonly ResourceKey[], signal: AbortSignal) => {
				planned.push(keys);
				return world.plan(keys, signal);
			},
			webhook,
			deaf: null,
		} as Served | null,
		commit: async (written: Readonly<Record<string, object | string>>) => {
			files = new Map(Object.entries(written).map(([path, d]) => [path, typeof d === "string" ? d : stringify(d)]));
			await manager.poll(AbortSignal.timeout(20_000));
		},
	};
	metrics = await createMetrics({ served: () => world.served, clock, version: "0.1.0" });
	const api = await createApi({
		version: "0.1.0",
		clock,
		served: () => world.served,
		trouble: () => world.trouble,
		access,
		metrics,
		observe: (event) => {
			events.push(event);
			metrics?.api(event);
		},
	});
	return Object.assign(world, {
		api,
		metrics,
		close: async () => {
			await api.close();
			await store.close();
		},
	});
}

const never = async (): Promise<never> => {
	throw new Error("nothing is passed over here");
};
const NO_PASSES: Passes = { plan: never, sweep: never, record: never, carryOut: never, paused: () => null };

const INSTALLATION = {
	apiVersion: "ecs-access.dev/v1alpha1",
	kind: "Installation",
	metadata: { name: "main" },
	spec: { mode: "Enforce" },
};
const ACCOUNT = {
	apiVersion: "ecs-access.dev/v1alpha1",
	kind: "Account",
	metadata: { name: "prod" },
	spec: { accountId: "123456789012", region: "eu-west-1" },
};
export const SOUND = { "platform/installation.yaml": INSTALLATION, "platform/prod.yaml": ACCOUNT };

/** What the store of a company holds: orders-api and billing, with a little history. */
export async function remember(store: Store): Promise<void> {
	const [orders, billing] = [status("orders-api"), BILLING];
	await store.putStatus([orders, billing].map((after) => ({ key: after.key, before: undefined, after })));
	await store.append([
		entry("2026-11-24T08:00:00Z", { event: "drifted", why: "drifted" }),
		entry("2026-11-24T08:00:05Z"),
		entry("2026-11-24T08:30:00Z", { key: "AccessPolicy/billing", why: "spec-changed" }),
	]);
}

/** Of an answer, against its published schema. */
export function problems(schema: string, value: unknown): unknown {
	const ajv = new Ajv({ strict: true, allErrors: true, formats: { "date-time": (s: string) => !Number.isNaN(Date.parse(s)) } });
	const text = readFileSync(join(import.meta.dirname, "../../../docs/schemas", schema), "utf8");
	const validate = ajv.compile(JSON.parse(text));
	return validate(value) ? [] : validate.errors;
}
