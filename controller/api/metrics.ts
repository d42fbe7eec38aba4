import type { Counter, Gauge, Histogram, Registry } from "prom-client";
import type { ConsumerEvent } from "../engine/consumer.ts";
import type { ManagerEvent } from "../engine/manager.ts";
import type { HistoryEntry, Status } from "../model/status.ts";
import type { ApiDeps, ApiEvent, Served } from "./served.ts";

export interface Metrics {
	readonly contentType: string;
	/** As Prometheus scrapes it. */
	readonly text: () => Promise<string>;
	readonly names: () => readonly string[];
	readonly manager: (event: ManagerEvent) => void;
	readonly consumer: (event: ConsumerEvent) => void;
	readonly api: (event: ApiEvent) => void;
	/** Entries as they are appended: each step, and each drift once. */
	readonly history: (entries: readonly HistoryEntry[]) => void;
	/** As aws/call.ts tells it. */
	readonly awsCall: (operation: string, outcome: string, milliseconds: number, requests: number) => void;
}

/** A store is asked no more often, and only when something has happened since. */
const STATUS_MS = 30_000;
const SECONDS = [0.005, 0.025, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 600];
const CALL_SECONDS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** Metrics in a registry of their own. What stands is read when it is asked for; what happens is told. */
export async function createMetrics(deps: Pick<ApiDeps, "served" | "clock" | "version">): Promise<Metrics> {
	const { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } = await import("prom-client");
	const registry = new Registry();
	collectDefaultMetrics({ register: registry });
	const make = makers({ Counter, Gauge, Histogram }, registry);
	const m = defineMetrics(make);
	m.build.set({ version: deps.version }, 1);
	const statuses = createStatuses(deps);
	const text = async (): Promise<string> => {
		const served = deps.served();
		collectState(m, served, deps.clock.millis());
		collectStatuses(m, await statuses.read(served));
		return registry.metrics();
	};
	return {
		contentType: registry.contentType,
		text,
		names: () => registry.getMetricsAsArray().map((x) => x.name),
		manager: (event) => {
			statuses.stale();
			toldByManager(m, event);
		},
		consumer: (event) => toldByConsumer(m, event),
		api: (event) => toldByApi(m, event),
		history: (entries) => toldByHistory(m, entries),
		awsCall: (operation, outcome, milliseconds, requests) => {
			m.calls.inc({ operation, outcome });
			if (requests > 1) m.resent.inc({ operation }, requests - 1);
			m.callSeconds.observe({ service: operation.split(":")[0] ?? operation }, milliseconds / 1000);
		},
	};
}

interface Make {
	readonly counter: <L extends string = never>(name: string, help: string, labels?: readonly L[]) => Counter<L>;
	readonly gauge: <L extends string = never>(name: string, help: string, labels?: readonly L[]) => Gauge<L>;
	readonly histogram: <L extends string = never>(
		name: string,
		help: string,
		buckets: number[],
		labels?: readonly L[],
	) => Histogram<L>;
}

function makers(classes: Pick<typeof import("prom-client"), "Counter" | "Gauge" | "Histogram">, registry: Registry): Make {
	const registers = [registry];
	const named = <L extends string>(name: string, help: string, labelNames: readonly L[]) => ({
		name: `ecs_access_${name}`,
		help,
		labelNames: [...labelNames],
		registers,
	});
	return {
		counter: (name, help, labels = []) => new classes.Counter(named(name, help, labels)),
		gauge: (name, help, labels = []) => new classes.Gauge(named(name, help, labels)),
		histogram: (name, help, buckets, labels = []) => new classes.Histogram({ ...named(name, help, labels), buckets }),
	};
}

type Defined = ReturnType<typeof defineMetrics>;

function defineMetrics({ counter, gauge, histogram }: Make) {
	return {
		build: gauge("build_info", "1, with the version of the program", ["version"]),
		term: gauge("term", "1 for the state this process is in: writing, observing, standby, between or closed", ["state"]),
		lease: gauge("lease_held", "1 while this process holds the lease"),
		paused: gauge("paused", "1 while a pause holds, as the last pass found it"),
		queue: gauge("queue_keys", "Keys that wait, run, or are due later", ["state"]),
		queueWait: histogram("queue_wait_seconds", "From when a key was asked for until its pass began", SECONDS),
		passes: counter("passes_total", "Passes over one key, by how they ended", ["outcome"]),
		passSeconds: histogram("pass_seconds", "How long passes take", SECONDS),
		steps: counter("steps_total", "Steps that were tried, by how that ended", ["outcome"]),
		calls: counter("aws_calls_total", "Calls to AWS, each attempt by itself", ["operation", "outcome"]),
		resent: counter("aws_resent_total", "Requests that the SDK sent again by itself within a call", ["operation"]),
		callSeconds: histogram("aws_call_seconds", "How long calls to AWS take, without the wait for their turn", CALL_SECONDS, [
			"service",
		]),
		driftSeen: counter("drift_seen_total", "Drifts that were found"),
		driftHealed: counter("drift_healed_total", "Steps that took a drift back"),
		drifted: gauge("resources_drifted", "Resources that have drifted now and are not healed"),
		resources: gauge("resources", "Resources that are known, by whether they are Ready", ["ready"]),
		stalled: gauge("resources_stalled", "Resources that stall, by reason", ["reason"]),
		waiting: gauge("resources_waiting", "Resources with steps that wait, by what for; one may wait for several", ["reason"]),
		resyncAge: gauge("resync_age_seconds", "Since all of an account was last looked at", ["account"]),
		resyncFailures: counter("resync_failures_total", "Looks at all of an account that failed", ["account"]),
		accountReadable: gauge("account_readable", "0 where an account could not be read the last time", ["account"]),
		revision: gauge("revision_info", "1, with the revision that is in force", ["revision"]),
		revisionAge: gauge("revision_age_seconds", "Since the revision in force was committed"),
		refused: gauge("revision_refused", "1 while a newer revision is refused"),
		refusals: counter("revisions_refused_total", "Revisions that were refused, by reason", ["reason"]),
		sourceErrors: counter("source_errors_total", "Looks at the source that failed"),
		events: counter("events_total", "Messages of the event queue: hint, unknown or malformed", ["kind"]),
		deaf: gauge("events_deaf", "1 while the event queue cannot be heard"),
		webhooks: counter("webhooks_total", "Deliveries of webhooks: hint, ignored or refused", ["sender", "result"]),
		requests: counter("http_requests_total", "Requests to this server", ["route", "status"]),
	};
}

function toldByManager(m: Defined, event: ManagerEvent): void {
	switch (event.type) {
		case "pass":
			m.passes.inc({ outcome: event.pass.outcome });
			m.queueWait.observe(event.pass.waitedMs / 1000);
			m.passSeconds.observe(event.pass.tookMs / 1000);
			return;
		case "refused":
			m.refusals.inc({ reason: event.reason });
			return;
		case "fetchFailed":
			m.sourceErrors.inc();
			return;
		case "resyncFailed":
			m.resyncFailures.inc({ account: event.account });
			return;
	}
}

function toldByConsumer(m: Defined, event: ConsumerEvent): void {
	switch (event.type) {
		case "heard":
			m.events.inc({ kind: "hint" });
			return;
		case "unknown":
		case "malformed":
			m.events.inc({ kind: event.type });
			return;
	}
}

function toldByApi(m: Defined, event: ApiEvent): void {
	if (event.type === "webhook") m.webhooks.inc({ sender: event.sender, result: event.result });
	if (event.type === "request") m.requests.inc({ route: event.route, status: String(event.status) });
}

function toldByHistory(m: Defined, entries: readonly HistoryEntry[]): void {
	for (const e of entries) {
		if (e.event === "applied" || e.event === "failed") m.steps.inc({ outcome: e.event });
		if (e.event === "applied" && e.why === "drifted") m.driftHealed.inc();
		// `named` says who did what was counted when it was seen.
		if (e.event === "drifted" && e.why === "drifted") m.driftSeen.inc();
	}
}

const TERMS = ["writing", "observing", "standby", "between", "closed"] as const;

function collectState(m: Defined, served: Served | null, now: number): void {
	const term = served?.term.state ?? "closed";
	for (const state of TERMS) m.term.set({ state }, state === term ? 1 : 0);
	m.lease.set(term === "writing" ? 1 : 0);
	m.deaf.set(served !== null && served.deaf !== null ? 1 : 0);
	const state = served?.manager?.state();
	m.paused.set(state?.paused != null ? 1 : 0);
	const queue = state?.queue ?? { waiting: 0, running: 0, scheduled: 0 };
	for (const [name, keys] of Object.entries(queue)) m.queue.set({ state: name }, keys);
	m.refused.set(state?.refused != null ? 1 : 0);
	m.resyncAge.reset();
	for (const [account, at] of state?.resynced ?? []) m.resyncAge.set({ account }, secondsSince(at, now));
	m.accountReadable.reset();
	for (const { name } of state?.inForce?.catalog.view.accounts ?? []) {
		m.accountReadable.set({ account: name }, state?.accountErrors.has(name) === true ? 0 : 1);
	}
	const revision = state?.inForce?.artifact.revision;
	m.revision.reset();
	if (revision !== undefined) m.revision.set({ revision: revision.id }, 1);
	// A gauge without labels is 0 where it is not known, which here would be a lie.
	m.revisionAge.set(revision?.committedAt === undefined ? Number.NaN : secondsSince(revision.committedAt, now));
}

function secondsSince(at: string, now: number): number {
	return Math.max(0, (now - Date.parse(at)) / 1000);
}

function collectStatuses(m: Defined, statuses: readonly Status[]): void {
	const is = (s: Status, type: string): boolean => s.conditions.some((c) => c.type === type && c.status === "True");
	const ready = statuses.filter((s) => is(s, "Ready")).length;
	m.resources.set({ ready: "true" }, ready);
	m.resources.set({ ready: "false" }, statuses.length - ready);
	m.drifted.set(statuses.filter((s) => is(s, "Drifted")).length);
	m.stalled.reset();
	m.waiting.reset();
	for (const s of statuses) {
		for (const c of s.conditions) if (c.type === "Stalled" && c.status === "True") m.stalled.inc({ reason: c.reason });
		for (const reason of waitingReasons(s.summary)) m.waiting.inc({ reason });
	}
}

/** `waits: approval b04d77e1, freeze` -> approval, freeze (engine/report.ts). Ids are no label. */
export function waitingReasons(summary: string): readonly string[] {
	const [, list] = /^waits: (.+)$/.exec(summary) ?? [];
	return [...new Set((list ?? "").split(", ").map((w) => w.replace(/ [0-9a-f]{8}$/, "")))].filter((w) => w !== "");
}

/** What stands in the store, as of the last time that something had happened. */
function createStatuses({ clock }: Pick<ApiDeps, "clock">): {
	readonly read: (served: Served | null) => Promise<readonly Status[]>;
	readonly stale: () => void;
} {
	let known: readonly Status[] = [];
	let of: Served["store"] | null = null;
	let changed = true;
	let readAt = Number.NEGATIVE_INFINITY;
	return {
		stale: () => {
			changed = true;
		},
		read: async (served) => {
			if (served === null) return known;
			const old = Math.abs(clock.millis() - readAt) >= STATUS_MS;
			if (served.store === of && !(changed && old)) return known;
			changed = false;
			readAt = clock.millis();
			of = served.store;
			// A store that does not answer is told of by /readyz; metrics go on.
			known = await served.store.listStatus().catch(() => {
				changed = true;
				return known;
			});
			return known;
		},
	};
}
