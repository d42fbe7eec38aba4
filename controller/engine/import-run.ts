import { kindOf } from "../kinds/registry.ts";
import type { Account, Caller } from "../model/account.ts";
import { TerminalError } from "../model/errors.ts";
import type { Finding } from "../model/finding.ts";
import type { ResourceKey } from "../model/ids.ts";
import type { CatalogView, Instance } from "../model/kind.ts";
import { nearest } from "../model/nearest.ts";
import type { AccountAccess, DiscoveredWorkload } from "../model/ports.ts";
import type { Facts } from "../model/reference.ts";
import type { Artifact } from "../model/resource.ts";
import type { Existing, Target } from "../model/target.ts";
import type { ActionCatalogue } from "../policy/action-catalogue.ts";
import { loadCatalog } from "./catalog.ts";
import { type Imported, type ImportOptions, importDocuments, workloadId } from "./import.ts";
import { groupByTaskRole, parseRole } from "./import-group.ts";
import { fileNames } from "./import-names.ts";
import { proveFiles } from "./import-proof.ts";

export interface ImportInput {
	/** What the folder holds already; an empty one for a new folder. */
	readonly artifact: Artifact;
	/** Name of the Account document to import into; needed where there are several. */
	readonly account: string | null;
	readonly filter: { readonly clusters: readonly string[]; readonly services: readonly string[] };
}

export interface ImportDeps {
	readonly actions: ActionCatalogue;
	readonly access: (account: Account, installation: string) => AccountAccess;
	/** The caller's own account and region, for a folder that declares no Account. */
	readonly self: (signal: AbortSignal) => Promise<{ readonly accountId: string; readonly region: string }>;
	readonly now: string;
	/** Told once, before anything else is read. */
	readonly onAccount: (account: Account, caller: Caller) => void;
	readonly progress: (words: string) => void;
}

/** Either the files, or what is wrong with the folder: then nothing was read from AWS. */
export type ImportResult =
	| { readonly imported: Imported; readonly findings: null }
	| { readonly imported: null; readonly findings: readonly Finding[] };

/** Each round makes the files that failed their proof say less; the second at the latest leaves them out. */
const ROUNDS = 4;

/**
 * Reads what runs, writes its policies as text, and proves each by reading it back: a file that is not valid, or that would
 * change its role, becomes one that only names the role, or none. Writes nothing.
 */
export async function runImport(input: ImportInput, deps: ImportDeps, signal: AbortSignal): Promise<ImportResult> {
	const { artifact } = input;
	const load = (a: Artifact, defaults: { readonly accountId: string; readonly region: string } | null) =>
		loadCatalog(a, { actions: deps.actions, defaults, now: deps.now });
	let catalog = load(artifact, null);
	if (catalog.findings.some(isMistake)) return { imported: null, findings: catalog.findings };
	const declared = catalog.view.accounts.filter((a) => a.origin !== null);
	const needsSelf = catalog.view.accounts.some((a) => a.accountId === null || a.region === null);
	const defaults = needsSelf ? await deps.self(signal) : null;
	if (needsSelf) catalog = load(artifact, defaults);
	const account = choose(catalog.view.accounts, declared, input.account);

	const access = deps.access(account, catalog.view.installation);
	const caller = await access.caller(signal);
	deps.onAccount(account, caller);
	deps.progress(`reading what runs in ${account.regions.join(", ")}`);
	const workloads = await access.discover(input.filter, signal);
	await refuseUnknown(workloads, input.filter, access, signal);
	deps.progress("reading the roles");
	const roles = await readRoles(workloads, caller.accountId, access, signal);

	const facts: Facts = { now: deps.now, get: () => undefined };
	// A file of the same name is not a claim of somebody else: it is replaced, or it stops the import.
	const names = new Set(fileNames(groupByTaskRole(workloads).uses.map((u) => u.name)).values());
	const others: Artifact = { ...artifact, files: new Map([...artifact.files].filter(([path]) => !names.has(path))) };
	const { view, instances } = load(others, defaults);
	let options: ImportOptions = {
		account: { ...account, accountId: caller.accountId },
		accountRef: declared.length > 0 ? account.name : null,
		installation: view.installation,
		ownRole: /:assumed-role\/([^/]+)\//.exec(caller.arn)?.[1] ?? null,
		inGit: claims(
			instances.filter((i) => i.account.name === account.name),
			view,
			facts,
		),
		unmanaged: new Map(),
		omitted: new Map(),
	};
	for (let round = 1; ; round++) {
		const imported = importDocuments(workloads, roles, options);
		const written: Artifact = { ...others, files: new Map([...others.files, ...imported.files]) };
		const wrong = proveFiles(written, imported.roles, roles, { facts, load: (a) => load(a, defaults) });
		if (wrong.size === 0) return { imported, findings: null };
		if (round === ROUNDS)
			throw new Error(`files that cannot be read back: ${[...wrong].map(([f, why]) => `${f}: ${why}`).join("; ")}`);
		options = sayLess(options, imported, wrong);
	}
}

function sayLess(options: ImportOptions, imported: Imported, wrong: ReadonlyMap<string, string>): ImportOptions {
	const unmanaged = new Map(options.unmanaged);
	const omitted = new Map(options.omitted);
	for (const [file, reason] of wrong) {
		const role = imported.roles.get(file);
		if (role === undefined) continue;
		(role.managed ? unmanaged : omitted).set(role.name.toLowerCase(), reason);
	}
	return { ...options, unmanaged, omitted };
}

/** What the folder's own documents own, by any of the names that a new file could claim again. */
function claims(instances: readonly Instance[], view: CatalogView, facts: Facts): ImportOptions["inGit"] {
	const roles = new Map<string, ResourceKey>();
	const workloads = new Map<string, ResourceKey>();
	for (const instance of instances) {
		const { key } = instance.resource;
		for (const { target } of kindOf(instance.resource.kind).expand(instance, view, facts).desired) {
			if (target.type === "iam.role") roles.set(target.name.toLowerCase(), key);
			else if (target.type === "ecs.family") workloads.set(workloadId({ ...target, kind: "family", cluster: null }), key);
			else {
				const [cluster = "", ...name] = target.name.split("/");
				workloads.set(workloadId({ ...target, kind: "service", cluster, name: name.join("/") }), key);
			}
		}
	}
	const names = view.resources.filter((r) => r.kind === "AccessPolicy").map((r) => r.metadata.name);
	return { names: new Set(names), roles, workloads };
}

/** A name that was typed and is nowhere is a mistake, not something to leave out. */
async function refuseUnknown(
	workloads: readonly DiscoveredWorkload[],
	filter: ImportInput["filter"],
	access: AccountAccess,
	signal: AbortSignal,
): Promise<void> {
	const asked = filter.services;
	const found = new Set(workloads.flatMap((w) => (w.kind === "service" && w.cluster !== null ? [w.name] : [])));
	const missing = asked.filter((name) => !found.has(name));
	if (missing.length === 0) return;
	const words = missing.length === 1 ? `no service is named ${missing[0]}` : `no services are named ${missing.join(", ")}`;
	const all = await access.discover({ clusters: filter.clusters, services: [] }, signal);
	const near = missing.flatMap((name) =>
		nearest(
			name,
			all.flatMap((w) => (w.kind === "service" ? [w.name] : [])),
			3,
		),
	);
	const fix =
		near.length > 0 ? `did you mean ${near.join(" or ")}?` : "the name of a service, in one of the clusters that are looked at";
	throw new TerminalError("UnknownService", words, { fix });
}

function choose(all: readonly Account[], declared: readonly Account[], name: string | null): Account {
	const known = declared.map((a) => a.name).join(", ");
	if (name !== null) {
		const account = declared.find((a) => a.name === name);
		if (account !== undefined) return account;
		const fix = declared.length === 0 ? "leave --account away: the caller's own account is used" : `one of ${known}`;
		throw new TerminalError("UnknownAccount", `no Account is named "${name}"`, { fix });
	}
	const [one, ...more] = all;
	if (one === undefined || more.length > 0) {
		throw new TerminalError("AmbiguousAccount", `the folder declares several Accounts: ${known}`, {
			fix: "name one with --account",
		});
	}
	return one;
}

async function readRoles(
	workloads: readonly DiscoveredWorkload[],
	accountId: string,
	access: AccountAccess,
	signal: AbortSignal,
): Promise<ReadonlyMap<string, Existing<"iam.role">>> {
	const names = new Map<string, string>();
	for (const role of workloads.flatMap((w) => [w.taskRole, w.executionRole])) {
		if (role === null) continue;
		const { account, name } = parseRole(role);
		if (account === null || account === accountId) names.set(name.toLowerCase(), name);
	}
	const targets = [...names.values()]
		.sort()
		.map((name): Target<"iam.role"> => ({ type: "iam.role", account: accountId, region: "global", name }));
	const observed = await access.provider("iam.role").observe(targets, signal);
	return new Map(observed.flatMap((o) => (o.exists ? [[o.target.name, o] as const] : [])));
}

function isMistake(f: Finding): boolean {
	return f.severity === "error" && f.guardrail === undefined;
}
