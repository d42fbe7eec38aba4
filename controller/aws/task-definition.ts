import { join } from "node:path";
import type { LogConfiguration, Tag, TaskDefinition } from "@aws-sdk/client-ecs";
import { boundOf } from "../model/binding.ts";
import type { AccountId, Arn, Region } from "../model/ids.ts";
import type { LogTarget } from "../model/reference.ts";
import { Secret } from "../model/secret.ts";
import type { Binding, Bound, PlaintextSecret } from "../model/target.ts";
import { parseArn } from "./arn.ts";
import { createDiskCache, type DiskCache } from "./disk-cache.ts";
import { awsCode } from "./errors.ts";
import type { CallAws } from "./operations.ts";
import { plaintextSecrets } from "./plaintext.ts";
import type { Roles } from "./roles.ts";

/**
 * What is kept of a task definition, in memory and on disk. Never a value of `environment`, never `command`: both hold
 * secrets more often than they should.
 */
export interface TaskDefinitionView {
	/** Of this shape and of the plain-text rules: a change of either makes cached ones unread. */
	readonly version: typeof VERSION;
	readonly arn: Arn;
	readonly family: string;
	/** As written: an ARN or a short name. */
	readonly taskRole: string | null;
	readonly executionRole: string | null;
	readonly secrets: Readonly<Record<string, string>>;
	/** Of log drivers, private registries and file systems. */
	readonly otherSecrets: readonly OtherSecret[];
	readonly images: readonly string[];
	readonly logs: readonly LogTarget[];
	/** ARNs of environment files and of the configuration of log routers, in S3. */
	readonly files: readonly string[];
	readonly containers: readonly string[];
	/** Names only, by container. */
	readonly environment: Readonly<Record<string, readonly string[]>>;
	readonly plaintext: readonly PlaintextSecret[];
	/** Our tags; they are written with the revision, and never after. */
	readonly bound: Bound | null;
	readonly registeredBy: Arn | null;
}

/** What a task needs before it starts and no container sees. `place`: `app log option token`. */
export interface OtherSecret {
	readonly place: string;
	readonly via: "secretOptions" | "repositoryCredentials" | "fileSystem";
	readonly ref: string;
}

const VERSION = 4;

export interface TaskDefinitions {
	/** By ARN or `family:revision`; undefined when there is none. */
	readonly get: (arn: string, region: Region, signal: AbortSignal) => Promise<TaskDefinitionView | undefined>;
	/** The newest ACTIVE revision, always asked of AWS. */
	readonly newest: (family: string, region: Region, signal: AbortSignal) => Promise<TaskDefinitionView | undefined>;
	/** Bindings in the same order, short role names resolved to ARNs with the account's roles (their path counts). */
	readonly bindings: (views: readonly (TaskDefinitionView | undefined)[], signal: AbortSignal) => Promise<readonly Binding[]>;
}

export function createTaskDefinitions(deps: {
	readonly call: CallAws;
	readonly roles: Roles;
	readonly account: AccountId;
	readonly partition: string;
	readonly cacheDir: string | null;
}): TaskDefinitions {
	const caches = new Map<Region, DiskCache<TaskDefinitionView>>();
	const reading = new Map<string, Promise<TaskDefinitionView | undefined>>();
	const cacheOf = (region: Region): DiskCache<TaskDefinitionView> => {
		const file = deps.cacheDir === null ? null : join(deps.cacheDir, "task-definitions", `${deps.account}-${region}.jsonl`);
		const cache = caches.get(region) ?? createDiskCache(file, isView);
		caches.set(region, cache);
		return cache;
	};
	const read = async (name: string, region: Region, signal: AbortSignal): Promise<TaskDefinitionView | undefined> => {
		try {
			const input = { taskDefinition: name, include: ["TAGS" as const] };
			const { taskDefinition, tags } = await deps.call("ecs:DescribeTaskDefinition", region, input, signal);
			if (taskDefinition?.taskDefinitionArn === undefined) return undefined;
			const view = viewOf(taskDefinition, taskDefinition.taskDefinitionArn, tags ?? []);
			if (cacheOf(region).get(view.arn) === undefined) cacheOf(region).put(view.arn, view);
			return view;
		} catch (error) {
			// "Unable to describe task definition.": there is none of that name, or it was deleted.
			if (awsCode(error) === "ClientException") return undefined;
			throw error;
		}
	};
	const arnOf = (name: string, region: Region): Arn =>
		name.startsWith("arn:") ? name : `arn:${deps.partition}:ecs:${region}:${deps.account}:task-definition/${name}`;
	return {
		get: (name, region, signal) => {
			const arn = arnOf(name, region);
			const known = cacheOf(region).get(arn);
			if (known !== undefined) return Promise.resolve(known);
			const inFlight = reading.get(arn) ?? read(arn, region, signal).finally(() => reading.delete(arn));
			reading.set(arn, inFlight);
			return inFlight;
		},
		newest: read,
		bindings: async (views, signal) => {
			const short = new Set(
				views.flatMap((v) => [v?.taskRole, v?.executionRole]).filter((r) => r != null && !r.startsWith("arn:")),
			);
			const names = [...short].filter((r) => r != null).map((r) => r.replace(/^.*\//, ""));
			const live = await deps.roles.many(names, signal);
			const arns = new Map(names.map((name, n) => [name.toLowerCase(), live[n]?.arn]));
			const resolve = (role: string | null): Arn | null => {
				if (role === null || role.startsWith("arn:")) return role;
				const name = role.replace(/^.*\//, "");
				return arns.get(name.toLowerCase()) ?? `arn:${deps.partition}:iam::${deps.account}:role/${role.replace(/^\//, "")}`;
			};
			return views.map((v) =>
				v === undefined
					? { taskRole: null, executionRole: null, secrets: {} }
					: { taskRole: resolve(v.taskRole), executionRole: resolve(v.executionRole), secrets: v.secrets },
			);
		},
	};
}

function viewOf(td: TaskDefinition, arn: Arn, tags: readonly Tag[]): TaskDefinitionView {
	const containers = (td.containerDefinitions ?? []).map((c) => ({
		...c,
		name: c.name ?? "",
		environment: (c.environment ?? []).map((e) => ({ name: e.name ?? "", value: new Secret(e.value ?? "") })),
	}));
	return {
		version: VERSION,
		arn,
		family: td.family ?? familyOf(arn),
		taskRole: td.taskRoleArn || null,
		executionRole: td.executionRoleArn || null,
		secrets: Object.fromEntries(
			containers.flatMap((c) => (c.secrets ?? []).map((s): [string, string] => [`${c.name}/${s.name ?? ""}`, s.valueFrom ?? ""])),
		),
		otherSecrets: otherSecretsOf(td),
		images: containers.flatMap((c) => c.image ?? []),
		logs: containers.flatMap((c) => logOf(c.logConfiguration)),
		files: containers.flatMap((c) => [
			...(c.environmentFiles ?? []).flatMap((f) => f.value ?? []),
			...(c.firelensConfiguration?.options?.["config-file-type"] === "s3"
				? (c.firelensConfiguration.options["config-file-value"] ?? [])
				: []),
		]),
		containers: containers.map((c) => c.name),
		environment: Object.fromEntries(containers.map((c) => [c.name, c.environment.map((e) => e.name)])),
		plaintext: containers.flatMap((c) => plaintextSecrets(c.name, c.environment)),
		bound: boundOf(Object.fromEntries(tags.map((t) => [t.key ?? "", t.value ?? ""]))),
		registeredBy: td.registeredBy ?? null,
	};
}

function otherSecretsOf({ containerDefinitions = [], volumes = [] }: TaskDefinition): readonly OtherSecret[] {
	const ofContainers = containerDefinitions.flatMap(({ name = "", logConfiguration, repositoryCredentials }): OtherSecret[] => [
		...(logConfiguration?.secretOptions ?? []).flatMap((s): OtherSecret[] =>
			s.valueFrom === undefined ? [] : [{ place: `${name} log option ${s.name ?? ""}`, via: "secretOptions", ref: s.valueFrom }],
		),
		...(repositoryCredentials?.credentialsParameter === undefined
			? []
			: [{ place: `${name} registry`, via: "repositoryCredentials" as const, ref: repositoryCredentials.credentialsParameter }]),
	]);
	const ofVolumes = volumes.flatMap(({ name = "", fsxWindowsFileServerVolumeConfiguration: fsx }): OtherSecret[] => {
		const ref = fsx?.authorizationConfig?.credentialsParameter;
		return ref === undefined ? [] : [{ place: `volume ${name}`, via: "fileSystem", ref }];
	});
	return [...ofContainers, ...ofVolumes];
}

/** Other drivers need nothing of the execution role but their secrets. */
function logOf(log: LogConfiguration | undefined): readonly LogTarget[] {
	if (log?.logDriver !== "awslogs") return [];
	const { "awslogs-group": group, "awslogs-region": region, "awslogs-create-group": create } = log.options ?? {};
	return group === undefined ? [] : [{ group, region: region ?? null, create: create === "true" }];
}

/** Of `arn:…:task-definition/orders:7`: all before the number, the family, and the number. */
export function revisionParts(arn: Arn): { readonly prefix: string; readonly family: string; readonly number: number } {
	const colon = arn.lastIndexOf(":");
	const prefix = arn.slice(0, colon);
	return { prefix, family: prefix.slice(prefix.lastIndexOf("/") + 1), number: Number(arn.slice(colon + 1)) };
}

/** `arn:…:task-definition/orders:7` and `orders:7` are both of family `orders`. */
export function familyOf(taskDefinition: string): string {
	const name = parseArn(taskDefinition)?.resource.replace(/^task-definition\//, "") ?? taskDefinition;
	return name.replace(/:\d+$/, "");
}

function isView(value: unknown): value is TaskDefinitionView {
	const v = value as Partial<TaskDefinitionView> | null;
	return (
		typeof v === "object" &&
		v !== null &&
		v.version === VERSION &&
		typeof v.arn === "string" &&
		typeof v.family === "string" &&
		typeof v.secrets === "object" &&
		Array.isArray(v.plaintext) &&
		Array.isArray(v.containers)
	);
}
