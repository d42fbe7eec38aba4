import type { DiscoveredWorkload } from "../model/ports.ts";

/** What runs as one role. */
export interface RoleUse {
	/** As ECS names it; IAM compares it without case. */
	readonly name: string;
	readonly workloads: readonly DiscoveredWorkload[];
}

/** Workloads of one cluster that agree in execution role and secrets: one entry of `spec.workloads`. */
export interface WorkloadEntry {
	readonly region: string;
	readonly cluster: string | null;
	readonly services: readonly string[];
	readonly taskFamilies: readonly string[];
	/** Role name or ARN, as ECS names it. */
	readonly executionRole: string | null;
	/** `valueFrom` by `container/NAME`. */
	readonly secrets: Readonly<Record<string, string>>;
}

/** A role as ECS names it: an ARN, or a bare name (aws-facts §4.2). Account and path are null for a bare name. */
export function parseRole(text: string): {
	readonly account: string | null;
	readonly path: string | null;
	readonly name: string;
} {
	const m = /^arn:[^:]+:iam::([0-9]{12}):role(\/(?:.*\/)?)([^/]+)$/.exec(text);
	if (m === null) return { account: null, path: null, name: text };
	const [, account = null, path = null, name = ""] = m;
	return { account, path, name };
}

/** By task role, in the order of the roles' names; those without a task role, and those that could not be read, apart. */
export function groupByTaskRole(workloads: readonly DiscoveredWorkload[]): {
	readonly uses: readonly RoleUse[];
	readonly roleless: readonly DiscoveredWorkload[];
	readonly unread: readonly DiscoveredWorkload[];
} {
	const uses = new Map<string, { name: string; workloads: DiscoveredWorkload[] }>();
	const roleless: DiscoveredWorkload[] = [];
	const unread: DiscoveredWorkload[] = [];
	for (const w of [...workloads].sort(byPlace)) {
		if (w.unread !== null) unread.push(w);
		else if (w.taskRole === null) roleless.push(w);
		else {
			const { name } = parseRole(w.taskRole);
			const use = uses.get(name.toLowerCase()) ?? { name, workloads: [] };
			use.workloads.push(w);
			uses.set(name.toLowerCase(), use);
		}
	}
	return { uses: [...uses.entries()].sort(([a], [b]) => compare(a, b)).map(([, use]) => use), roleless, unread };
}

/** The entries that say what the workloads of one role do, each workload once; those of the home region come first. */
export function workloadEntries(workloads: readonly DiscoveredWorkload[], home: string | null): readonly WorkloadEntry[] {
	const entries = new Map<string, { sample: DiscoveredWorkload; services: string[]; families: string[] }>();
	for (const w of [...workloads].sort((a, b) => Number(a.region !== home) - Number(b.region !== home) || byPlace(a, b))) {
		const key = JSON.stringify([w.region, w.cluster, w.executionRole, secretsKey(w.secrets)]);
		const entry = entries.get(key) ?? { sample: w, services: [], families: [] };
		(w.kind === "service" ? entry.services : entry.families).push(w.name);
		entries.set(key, entry);
	}
	return [...entries.values()].map(({ sample, services, families }) => ({
		region: sample.region,
		cluster: sample.cluster,
		services,
		taskFamilies: families,
		executionRole: sample.executionRole,
		secrets: sample.secrets,
	}));
}

/** What all entries say alike stands once, at the policy; anything else stands at each entry. */
export function sharedByAll<T>(
	entries: readonly WorkloadEntry[],
	of: (e: WorkloadEntry) => T,
	key: (value: T) => string,
): T | null {
	const [first] = entries;
	if (first === undefined) return null;
	const wanted = key(of(first));
	return entries.every((e) => key(of(e)) === wanted) ? of(first) : null;
}

export function secretsKey(secrets: Readonly<Record<string, string>>): string {
	return JSON.stringify(Object.entries(secrets).sort(([a], [b]) => compare(a, b)));
}

/** `service prod/orders-api`, with the region where it is not the home region. */
export function workloadLabel(w: DiscoveredWorkload, home: string | null): string {
	const place = w.cluster === null ? w.name : `${w.cluster}/${w.name}`;
	return `${w.kind} ${place}${w.region === home ? "" : ` (${w.region})`}`;
}

function byPlace(a: DiscoveredWorkload, b: DiscoveredWorkload): number {
	return (
		compare(a.region, b.region) ||
		Number(a.cluster === null) - Number(b.cluster === null) ||
		compare(a.cluster ?? "", b.cluster ?? "") ||
		compare(b.kind, a.kind) ||
		compare(a.name, b.name)
	);
}

function compare(a: string, b: string): number {
	return a < b ? -1 : a > b ? 1 : 0;
}
