import { parseArtifact } from "../kinds/parse.ts";
import { KINDS, kindOf } from "../kinds/registry.ts";
import type { Account } from "../model/account.ts";
import type { Finding } from "../model/finding.ts";
import type { AccountSpec, InstallationSpec } from "../model/generated/specs.ts";
import type { Instant, ResourceKey } from "../model/ids.ts";
import type { CatalogView, Instance } from "../model/kind.ts";
import { nearest } from "../model/nearest.ts";
import { partitionOf } from "../model/partition.ts";
import type { Artifact, Resource } from "../model/resource.ts";
import type { ActionCatalogue } from "../policy/action-catalogue.ts";

export interface Catalog {
	readonly view: CatalogView;
	/** What is planned: one a policy and account, those of `only` where it is given. */
	readonly instances: readonly Instance[];
	/** Of the documents, by themselves and among one another; what only an account's values show is said by `expand`. */
	readonly findings: readonly Finding[];
}

export interface CatalogOptions {
	readonly actions: ActionCatalogue;
	/** The caller's own account and region, for a source without an Account. Null: offline, they stay symbolic. */
	readonly defaults: { readonly accountId: string; readonly region: string } | null;
	readonly now: Instant;
	/** Keys of policies, or of their instances. */
	readonly only?: readonly ResourceKey[];
}

/** From the files of a source to the resources in force, checked. Reads nothing else and never throws for what they hold. */
export function loadCatalog(artifact: Artifact, options: CatalogOptions): Catalog {
	const parsed = parseArtifact(artifact);
	const view = viewOf(artifact, parsed.resources, parsed.broken, options);
	const findings = [...parsed.findings];
	const all: Instance[] = [];
	for (const r of parsed.resources) {
		const kind = kindOf(r.kind);
		findings.push(...kind.check(r, view));
		all.push(...kind.instances(r, view));
	}
	if (options.only === undefined) return { view, instances: all, findings };
	const { only } = options;
	for (const key of only) if (!names(all, key)) findings.push(unknownKey(key, all, view));
	return { view, instances: all.filter((i) => only.includes(i.key) || only.includes(i.resource.key)), findings };
}

function viewOf(
	artifact: Artifact,
	resources: readonly Resource[],
	broken: ReadonlySet<ResourceKey>,
	options: CatalogOptions,
): CatalogView {
	const byKey = new Map(resources.map((r) => [r.key, r]));
	const byKind = Map.groupBy(resources, (r) => r.kind);
	const ofKind = <S>(kind: string): readonly Resource<S>[] => (byKind.get(kind) ?? []) as readonly Resource<S>[];
	const installation = ofKind<InstallationSpec>("Installation")[0];
	const declared = ofKind<AccountSpec>("Account").map(accountOf);
	const none = declared.length === 0 && ![...broken].some((key) => key.startsWith("Account/"));
	return {
		installation: installation?.metadata.name ?? "default",
		source: installation?.spec.source ?? artifact.source,
		resources,
		get: (key) => byKey.get(key),
		ofKind,
		accounts: none ? [callersAccount(options.defaults)] : declared,
		broken,
		actions: options.actions,
		now: options.now,
	};
}

function accountOf(r: Resource<AccountSpec>): Account {
	const { accountId, region, regions, rolePath, permissionsBoundary, vars, deployers, assumeRole } = r.spec;
	return {
		name: r.metadata.name,
		accountId,
		region,
		regions: regions ?? [region],
		partition: partitionOf(region),
		rolePath: rolePath ?? "/ecs-access/",
		permissionsBoundary: permissionsBoundary ?? null,
		vars: vars ?? {},
		labels: r.metadata.labels ?? {},
		deployers: deployers ?? [],
		assumeRole: assumeRole ?? null,
		origin: r.origin,
	};
}

/** What a source without an Account means: the caller's own; offline nobody's, so its values stand for any. */
function callersAccount(caller: CatalogOptions["defaults"]): Account {
	return {
		name: "default",
		accountId: caller?.accountId ?? null,
		region: caller?.region ?? null,
		regions: caller === null ? [] : [caller.region],
		partition: caller === null ? "${account.partition}" : partitionOf(caller.region),
		rolePath: "/ecs-access/",
		permissionsBoundary: null,
		vars: {},
		labels: {},
		deployers: [],
		assumeRole: null,
		origin: null,
	};
}

function names(instances: readonly Instance[], key: ResourceKey): boolean {
	return instances.some((i) => i.key === key || i.resource.key === key);
}

/** Nothing asked for must never look like nothing to do. */
function unknownKey(key: ResourceKey, instances: readonly Instance[], view: CatalogView): Finding {
	const known = [...new Set(instances.flatMap((i) => [i.key, i.resource.key]))];
	const owns = view.get(key) === undefined && !KINDS.some((k) => k.kind === key);
	const message = owns ? `no ${key} in this source` : `${key} has nothing of its own to plan`;
	const near = nearest(key, known, 3);
	const fix = near.length > 0 ? `did you mean ${near.join(", ")}?` : "KIND/NAME of an AccessPolicy, e.g. AccessPolicy/orders-api";
	return { id: "UnknownReference", severity: "error", message, fix, origin: null };
}
