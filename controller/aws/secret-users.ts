import type { Arn, Region } from "../model/ids.ts";
import type { Clock } from "../model/ports.ts";
import type { ConsumerFamily, SecretUse } from "../model/rotation.ts";
import { parseSecretRef, sameSecret } from "../model/secret-ref.ts";
import { lastSegment } from "./arn.ts";
import { describeServices, runsTaskDefinition } from "./ecs-service.ts";
import { brief } from "./errors.ts";
import { listServices } from "./in-use.ts";
import type { CallAws } from "./operations.ts";
import type { RotationMemory, SecretUsers, Taken } from "./rotation-memory.ts";
import { listClusters, type Schedules } from "./schedules.ts";
import { familyOf, type TaskDefinitions, type TaskDefinitionView } from "./task-definition.ts";

export interface SecretUsersDeps {
	readonly call: CallAws;
	readonly clock: Clock;
	readonly account: string;
	readonly taskDefinitions: TaskDefinitions;
	readonly schedules: (region: Region, signal: AbortSignal) => Promise<Schedules>;
	readonly memory: RotationMemory;
}

/**
 * Two hundred rotations that are due at once ask for the same. What begins to use a secret meanwhile reads its value as it
 * starts, so nobody is missed who could hold an old one.
 */
const REMEMBERED_MS = 10 * 60_000;

/** Who takes a secret, of a whole region; read once in a while for all who ask. */
export function usersIn(region: Region, deps: SecretUsersDeps, signal: AbortSignal): Promise<SecretUsers> {
	const key = `${deps.account}/${region}`;
	const now = deps.clock.millis();
	const known = deps.memory.sweeps.get(key);
	if (known !== undefined && now - known.at < REMEMBERED_MS && now >= known.at) return known.users;
	const users = sweep(region, deps, signal);
	deps.memory.sweeps.set(key, { at: now, users });
	// What failed, or was not all read, is read again.
	const forget = (): void => void (deps.memory.sweeps.get(key)?.users === users && deps.memory.sweeps.delete(key));
	users.then((all) => all.unread.length > 0 && forget(), forget);
	return users;
}

/** Where in these references the secret is; empty: nowhere. */
export function usesOf(
	refs: readonly Taken[],
	secret: Arn,
	task: { readonly region: Region; readonly account: string },
): readonly SecretUse[] {
	return refs.flatMap(({ place, via, ref }): SecretUse[] => {
		const parts = parseSecretRef(ref);
		if (parts === null || !sameSecret(secret, ref, task)) return [];
		return [{ place, via, jsonKey: parts.jsonKey, versionStage: parts.versionStage, versionId: parts.versionId }];
	});
}

/** Families that take the secret: their next task reads it. */
export function familiesOf(
	users: SecretUsers,
	secret: Arn,
	task: { readonly region: Region; readonly account: string },
): readonly ConsumerFamily[] {
	return users.families.flatMap(({ cluster, family, refs }): ConsumerFamily[] => {
		const uses = usesOf(refs, secret, task);
		return uses.length === 0 ? [] : [{ region: task.region, cluster, family, uses }];
	});
}

/** Of one task definition. A file system's credentials are read by no container. */
export function refsOf(view: TaskDefinitionView): readonly Taken[] {
	const injected = Object.entries(view.secrets).map(([place, ref]): Taken => ({ place, via: "secrets", ref }));
	const others = view.otherSecrets.flatMap(({ place, via, ref }): Taken[] => (via === "fileSystem" ? [] : [{ place, via, ref }]));
	return [...injected, ...others];
}

async function sweep(region: Region, deps: SecretUsersDeps, signal: AbortSignal): Promise<SecretUsers> {
	const { call, taskDefinitions } = deps;
	const unread: string[] = [];
	const look = async <T>(what: string, read: () => Promise<readonly T[]>): Promise<readonly T[]> => {
		try {
			return await read();
		} catch (error) {
			signal.throwIfAborted();
			unread.push(`${what} (${brief(error)})`);
			return [];
		}
	};
	const ofCluster = (cluster: string) =>
		look(`services of ${lastSegment(cluster)}`, async () => {
			const names = await listServices(call, region, cluster, signal);
			const described = await describeServices(call, region, cluster, names, signal);
			const found = await Promise.all(
				described.map(async (d, n) => {
					if (d === "missing") return [];
					const name = `${lastSegment(cluster)}/${lastSegment(names[n] ?? "")}`;
					const runs = "failure" in d ? undefined : runsTaskDefinition(d.service);
					const view = runs === undefined ? undefined : await taskDefinitions.get(runs, region, signal);
					if (view === undefined) {
						unread.push(`service ${name} (${"failure" in d ? d.failure : "its task definition cannot be described"})`);
						return [];
					}
					const refs = refsOf(view);
					return refs.length === 0 ? [] : [{ name, refs }];
				}),
			);
			return found.flat();
		});
	const clusters = await look(`clusters of ${region}`, () => listClusters(call, region, signal));
	const [services, { tasks, unread: schedules }] = await Promise.all([
		Promise.all(clusters.map(ofCluster)),
		deps.schedules(region, signal),
	]);
	unread.push(...schedules);
	const started = new Map<string, { readonly cluster: string | null; readonly family: string }>();
	for (const t of tasks) {
		if (t.taskDefinition === null) continue;
		const cluster = t.cluster === null ? null : lastSegment(t.cluster);
		const family = familyOf(t.taskDefinition);
		started.set(`${cluster}/${family}`, { cluster, family });
	}
	const families = await Promise.all(
		[...started.values()].map((f) =>
			look(`task family ${f.family}`, async () => {
				const view = await taskDefinitions.newest(f.family, region, signal);
				return view === undefined ? [] : [{ ...f, refs: refsOf(view) }];
			}),
		),
	);
	return { services: services.flat(), families: families.flat(), unread };
}
