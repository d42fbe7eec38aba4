import type { Account } from "../model/account.ts";
import type { ResourceKey } from "../model/ids.ts";
import type { DiscoveredWorkload } from "../model/ports.ts";
import type { Existing } from "../model/target.ts";
import { type ImportedEntry, type ImportedRoleRef, type ImportedTaskRole, importedYaml } from "./import-document.ts";
import {
	groupByTaskRole,
	parseRole,
	type RoleUse,
	secretsKey,
	sharedByAll,
	workloadEntries,
	workloadLabel,
} from "./import-group.ts";
import { fileNames, policyNames } from "./import-names.ts";
import { comparedPart, leftOutBecause, nameOf } from "./import-roles.ts";
import { type ImportedSecrets, importSecrets } from "./import-secrets.ts";
import { importStatements } from "./import-statements.ts";

type Role = Existing<"iam.role">;

export interface ImportOptions {
	readonly account: Account;
	/** Name of the Account document that the policies shall refer to; null where there is none. */
	readonly accountRef: string | null;
	readonly installation: string;
	/** Name of the role we act as, which is never ours to write; null when we are no role. */
	readonly ownRole: string | null;
	/** What git says already, so that nothing is claimed twice. */
	readonly inGit: {
		/** `metadata.name` of the policies. */
		readonly names: ReadonlySet<string>;
		/** Role name in lower case -> the policy that owns it. */
		readonly roles: ReadonlyMap<string, ResourceKey>;
		/** `workloadId` -> the policy that owns it. */
		readonly workloads: ReadonlyMap<string, ResourceKey>;
	};
	/** Role name in lower case -> why a file can only name it, not own it. Found by the proof. */
	readonly unmanaged: ReadonlyMap<string, string>;
	/** Role name in lower case -> why no file can be written at all. Found by the proof. */
	readonly omitted: ReadonlyMap<string, string>;
}

export interface Imported {
	/** File name -> text. */
	readonly files: ReadonlyMap<string, string>;
	/** File name -> role, and whether the file owns it. */
	readonly roles: ReadonlyMap<string, { readonly name: string; readonly managed: boolean }>;
	/** Workloads that the files name. */
	readonly services: number;
	readonly families: number;
	/** What a person should know, one line each: what was left out and why, and what could not be said. */
	readonly notes: readonly string[];
	/** Statements that several roles repeat. */
	readonly repeated: number;
}

/** The identity of a workload among those that git names. */
export function workloadId(w: {
	readonly kind: "service" | "family";
	readonly region: string;
	readonly cluster: string | null;
	readonly name: string;
}): string {
	return w.kind === "service" ? `service/${w.region}/${w.cluster ?? ""}/${w.name}` : `family/${w.region}/${w.name}`;
}

/**
 * AccessPolicy files for what runs today, one a task role. Pure and deterministic. `roles` holds every role that the
 * workloads name and that exists, by name. Nothing is weakened: a role that a file cannot describe exactly is named
 * Unmanaged, with the reason.
 */
export function importDocuments(
	workloads: readonly DiscoveredWorkload[],
	roles: ReadonlyMap<string, Role>,
	opts: ImportOptions,
): Imported {
	const home = opts.account.region;
	const live = new Map([...roles].map(([name, role]) => [name.toLowerCase(), role]));
	const notes: string[] = [];
	const { uses, roleless, unread } = groupByTaskRole(workloads);
	for (const w of unread) notes.push(`left out: ${workloadLabel(w, home)} could not be read: ${w.unread}`);
	for (const w of roleless) notes.push(`left out: ${workloadLabel(w, home)} has no task role`);

	const drafts: Draft[] = [];
	for (const use of uses) {
		const role = live.get(use.name.toLowerCase());
		const workloads = use.workloads.filter((w) => {
			const owner = opts.inGit.workloads.get(workloadId(w));
			if (owner !== undefined) notes.push(`left out: ${workloadLabel(w, home)}: ${owner} names it already`);
			return owner === undefined;
		});
		const reason = leftOutBecause(use, role, opts) ?? opts.omitted.get(use.name.toLowerCase()) ?? null;
		if (role === undefined || reason !== null) {
			notes.push(`left out: role ${use.name}, of ${named(use.workloads, home)}: ${reason ?? "it does not exist"}`);
			continue;
		}
		if (workloads.length > 0) drafts.push(draft({ name: nameOf(role), workloads }, role, opts));
	}
	const repeated = repeatedStatements(drafts);
	const policies = policyNames(
		drafts.map((d) => d.use.name),
		opts.inGit.names,
	);
	const names = fileNames(drafts.map((d) => d.use.name));
	const executionRoles = new Set(
		workloads.flatMap((w) => (w.executionRole === null ? [] : [parseRole(w.executionRole).name.toLowerCase()])),
	);

	const files = new Map<string, string>();
	const owned = new Map<string, { name: string; managed: boolean }>();
	for (const d of drafts) {
		const file = names.get(d.use.name) ?? `${d.use.name}.yaml`;
		const name = policies.get(d.use.name) ?? d.use.name;
		const written = policyText(d, name, { live, repeated, policies, executionRoles }, opts);
		for (const note of written.notes) notes.push(`${file}: ${note}`);
		files.set(file, written.text);
		owned.set(file, { name: d.use.name, managed: d.taskRole.mode === "Managed" });
	}
	const imported = drafts.flatMap((d) => d.use.workloads);
	return {
		files,
		roles: owned,
		services: imported.filter((w) => w.kind === "service").length,
		families: imported.filter((w) => w.kind === "family").length,
		notes,
		repeated: repeated.size,
	};
}

interface Draft {
	readonly use: RoleUse;
	readonly role: Role;
	readonly taskRole: ImportedTaskRole;
	/** Canonical text of the statements, in their order. */
	readonly keys: readonly string[];
	/** Said in the file and to the person. */
	readonly remarks: readonly string[];
}

function draft(use: RoleUse, role: Role, opts: ImportOptions): Draft {
	const { name } = use;
	const { path, permissionsBoundary } = role.state;
	const compared = comparedPart(role);
	const imported = importStatements(compared.inline, opts.account.partition);
	const reason = opts.unmanaged.get(name.toLowerCase()) ?? compared.unreadable ?? imported.reason;
	if (reason !== null || imported.statements === null) {
		const remark = `named, not owned: ${reason}; to own it, rewrite the role, then import again`;
		return { use, role, taskRole: { mode: "Unmanaged", name, path }, keys: [], remarks: [remark] };
	}
	return {
		use,
		role,
		taskRole: {
			mode: "Managed",
			name,
			path,
			permissionsBoundary: permissionsBoundary ?? (opts.account.permissionsBoundary === null ? null : "none"),
			statements: [...imported.statements.values()].map((statement) => ({ statement, comment: "" })),
			managedPolicies: compared.managedPolicies,
		},
		keys: [...imported.statements.keys()],
		remarks: compared.remarks,
	};
}

/** Canonical statement -> the roles that hold it, for those that at least two hold. */
function repeatedStatements(drafts: readonly Draft[]): ReadonlyMap<string, readonly string[]> {
	const holders = new Map<string, string[]>();
	for (const d of drafts) for (const key of d.keys) holders.set(key, [...(holders.get(key) ?? []), d.use.name]);
	return new Map([...holders].filter(([, names]) => names.length > 1));
}

interface Surroundings {
	readonly live: ReadonlyMap<string, Role>;
	readonly repeated: ReadonlyMap<string, readonly string[]>;
	readonly policies: ReadonlyMap<string, string>;
	/** Names in lower case. */
	readonly executionRoles: ReadonlySet<string>;
}

function policyText(
	d: Draft,
	name: string,
	s: Surroundings,
	opts: ImportOptions,
): { readonly text: string; readonly notes: readonly string[] } {
	const home = opts.account.region;
	const notes = [...d.remarks];
	const entries = workloadEntries(d.use.workloads, home);
	const executionRole = (text: string | null): ImportedRoleRef | null => {
		if (text === null) return null;
		const parsed = parseRole(text);
		const role = s.live.get(parsed.name.toLowerCase());
		if (role !== undefined) return { name: nameOf(role), path: role.state.path };
		remark(`execution role ${parsed.name} is not declared here: there is none of that name in the account`);
		return null;
	};
	const secrets = (e: {
		readonly region: string;
		readonly secrets: Readonly<Record<string, string>>;
	}): ImportedSecrets["secrets"] => {
		const imported = importSecrets(e.secrets, opts.account, e.region);
		for (const p of imported.problems) remark(p);
		return imported.secrets;
	};
	const remark = (text: string): void => {
		if (!notes.includes(text)) notes.push(text);
	};

	const sharedRole = sharedByAll(entries, (e) => e.executionRole, String);
	// A secret is looked for in its workload's region, so entries of several regions share none.
	const oneRegion = new Set(entries.map((e) => e.region)).size === 1;
	const shared = oneRegion
		? sharedByAll(
				entries,
				(e) => e,
				(e) => secretsKey(e.secrets),
			)
		: null;
	const written = entries.map(
		(e): ImportedEntry => ({
			region: e.region === home ? null : e.region,
			cluster: e.cluster,
			services: e.services,
			taskFamilies: e.taskFamilies,
			executionRole: sharedRole === null ? executionRole(e.executionRole) : null,
			secrets: shared === null ? secrets(e) : [],
		}),
	);
	const policySecrets = shared === null ? [] : secrets(shared);
	const policyRole = executionRole(sharedRole);
	const header = [`Written by \`ecs-access import\` from ${d.role.arn}: what runs today, as it is.`, ...notes];
	if (s.executionRoles.has(d.use.name.toLowerCase())) {
		header.push("It is an execution role as well: what only ECS needs to start tasks, the tasks can do too.");
	}
	const text = importedYaml({
		header,
		name,
		accountRef: opts.accountRef,
		entries: written,
		taskRole: withComments(d, s),
		executionRole: policyRole,
		secrets: policySecrets,
	});
	return { text, notes };
}

function withComments(d: Draft, s: Surroundings): ImportedTaskRole {
	if (d.taskRole.mode !== "Managed") return d.taskRole;
	const statements = d.taskRole.statements.map(({ statement }, n) => {
		const others = (s.repeated.get(d.keys[n] ?? "") ?? []).filter((r) => r !== d.use.name).map((r) => s.policies.get(r) ?? r);
		return { statement, comment: others.length === 0 ? "" : `also in ${few(others)}: a candidate for a PermissionSet` };
	});
	return { ...d.taskRole, statements };
}

const SHOWN = 3;

function few(names: readonly string[]): string {
	const more = names.length - SHOWN;
	return more > 0 ? `${names.slice(0, SHOWN).join(", ")} and ${more} more` : names.join(", ");
}

function named(workloads: readonly DiscoveredWorkload[], home: string | null): string {
	return few(workloads.map((w) => workloadLabel(w, home)));
}
