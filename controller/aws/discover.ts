import { TerminalError } from "../model/errors.ts";
import type { Region } from "../model/ids.ts";
import { nearest } from "../model/nearest.ts";
import type { DiscoveredWorkload } from "../model/ports.ts";
import type { Binding } from "../model/target.ts";
import { lastSegment } from "./arn.ts";
import { type Described, describeServices, runsTaskDefinition } from "./ecs-service.ts";
import { listServices } from "./in-use.ts";
import type { CallAws } from "./operations.ts";
import { listClusters, type ScheduledTask, type Schedules } from "./schedules.ts";
import { familyOf, type TaskDefinitions, type TaskDefinitionView } from "./task-definition.ts";

export interface DiscoverDeps {
	readonly call: CallAws;
	readonly taskDefinitions: TaskDefinitions;
	readonly schedules: (region: Region, signal: AbortSignal) => Promise<Schedules>;
	readonly regions: readonly Region[];
	readonly read: (services: number) => void;
}

interface Filter {
	readonly clusters: readonly string[];
	readonly services: readonly string[];
}

/**
 * What runs today, for `import`: every service of the regions, or of the named clusters (name or ARN) and services, and the
 * families that schedules and rules start in those clusters (none when services are named). A named service that is
 * nowhere, and whatever cannot be read of one, is said in its `unread`; a region that cannot be listed is an error.
 */
export async function discover(filter: Filter, deps: DiscoverDeps, signal: AbortSignal): Promise<readonly DiscoveredWorkload[]> {
	const listed = await Promise.all(
		deps.regions.map(async (region) => ({ region, clusters: await listClusters(deps.call, region, signal) })),
	);
	const asked = new Set(filter.clusters.map(lastSegment));
	refuseUnknown(asked, listed);
	const found = (
		await Promise.all(
			listed.map(({ region, clusters }) => {
				const looked = asked.size === 0 ? clusters : clusters.filter((c) => asked.has(lastSegment(c)));
				return discoverRegion(region, looked, filter, deps, signal);
			}),
		)
	).flat();
	const nowhere = filter.services.filter((name) => !found.some((w) => w.kind === "service" && w.name === name));
	return [...found, ...nowhere.map((name) => blank("service", deps.regions.join(", "), null, name, "no such service"))];
}

/** A name that was typed and is nowhere is a mistake; the names that there are correct it. */
function refuseUnknown(
	asked: ReadonlySet<string>,
	listed: readonly { readonly region: Region; readonly clusters: readonly string[] }[],
): void {
	const known = [...new Set(listed.flatMap((l) => l.clusters.map(lastSegment)))].sort();
	const missing = [...asked].filter((name) => !known.includes(name));
	if (missing.length === 0) return;
	const regions = listed.map((l) => l.region).join(", ");
	const words = missing.length === 1 ? `no cluster is named ${missing[0]}` : `no clusters are named ${missing.join(", ")}`;
	const near = [...new Set(missing.flatMap((name) => nearest(name, known, 3)))];
	const all = known.length <= SHOWN ? known.join(", ") : `${known.slice(0, SHOWN).join(", ")} and ${known.length - SHOWN} more`;
	const there = known.length === 0 ? "there is no cluster" : `the clusters are ${all}`;
	throw new TerminalError("ClusterNotFound", `${words} in ${regions}`, {
		fix: near.length > 0 ? `did you mean ${near.join(" or ")}? ${there}` : there,
	});
}

const SHOWN = 10;

async function discoverRegion(
	region: Region,
	clusters: readonly string[],
	filter: Filter,
	deps: DiscoverDeps,
	signal: AbortSignal,
): Promise<readonly DiscoveredWorkload[]> {
	const services = await Promise.all(
		clusters.map(async (cluster) => {
			const names = filter.services.length > 0 ? filter.services : await listServices(deps.call, region, cluster, signal);
			const described = await describeServices(deps.call, region, cluster, names, signal);
			deps.read(described.length);
			return described.map((d, n) => ({ cluster: lastSegment(cluster), name: lastSegment(names[n] ?? ""), described: d }));
		}),
	);
	const serviceWorkloads = await withBindings(
		services.flat().filter((s) => s.described !== "missing"),
		(s) => {
			const runs = taskDefinitionOf(s.described);
			return runs === undefined ? Promise.resolve(undefined) : deps.taskDefinitions.get(runs, region, signal);
		},
		(s, view, binding) => workload("service", region, s.cluster, s.name, view, binding, unreadOf(s.described)),
		deps,
		signal,
	);
	if (filter.services.length > 0) return serviceWorkloads;
	const { tasks, unread } = await deps.schedules(region, signal);
	const families = distinctFamilies(tasks, filter.clusters.length > 0 ? new Set(clusters.map(lastSegment)) : null);
	const familyWorkloads = await withBindings(
		families,
		(f) => deps.taskDefinitions.newest(f.family, region, signal),
		(f, view, binding) => workload("family", region, f.cluster, f.family, view, binding, null),
		deps,
		signal,
	);
	return [...serviceWorkloads, ...familyWorkloads, ...unread.map((what) => blank("family", region, null, what, "not looked at"))];
}

async function withBindings<T>(
	items: readonly T[],
	read: (item: T) => Promise<TaskDefinitionView | undefined>,
	make: (item: T, view: TaskDefinitionView | undefined, binding: Binding) => DiscoveredWorkload,
	deps: DiscoverDeps,
	signal: AbortSignal,
): Promise<readonly DiscoveredWorkload[]> {
	const views = await Promise.all(items.map(read));
	const bindings = await deps.taskDefinitions.bindings(views, signal);
	return items.map((item, n) => make(item, views[n], bindings[n] ?? { taskRole: null, executionRole: null, secrets: {} }));
}

function workload(
	kind: DiscoveredWorkload["kind"],
	region: Region,
	cluster: string | null,
	name: string,
	view: TaskDefinitionView | undefined,
	binding: Binding,
	unread: string | null,
): DiscoveredWorkload {
	if (view === undefined) return blank(kind, region, cluster, name, unread ?? "its task definition cannot be described");
	return { kind, region, cluster, name, ...binding, unread };
}

function blank(
	kind: DiscoveredWorkload["kind"],
	region: Region,
	cluster: string | null,
	name: string,
	unread: string,
): DiscoveredWorkload {
	return { kind, region, cluster, name, taskRole: null, executionRole: null, secrets: {}, unread };
}

function taskDefinitionOf(described: Described): string | undefined {
	return described === "missing" || "failure" in described ? undefined : runsTaskDefinition(described.service);
}

function unreadOf(described: Described): string | null {
	return described !== "missing" && "failure" in described ? described.failure : null;
}

/** `clusters` null: all. */
function distinctFamilies(
	tasks: readonly ScheduledTask[],
	clusters: ReadonlySet<string> | null,
): readonly { readonly family: string; readonly cluster: string | null }[] {
	const all = new Map<string, { family: string; cluster: string | null }>();
	for (const t of tasks) {
		const cluster = t.cluster === null ? null : lastSegment(t.cluster);
		if (t.taskDefinition === null || (clusters !== null && (cluster === null || !clusters.has(cluster)))) continue;
		const family = familyOf(t.taskDefinition);
		all.set(`${cluster}/${family}`, { family, cluster });
	}
	return [...all.values()];
}
