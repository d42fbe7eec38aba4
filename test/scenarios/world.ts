import { stringify } from "yaml";
import { createAccountAccess } from "../../controller/aws/account.ts";
import { createAwsShared } from "../../controller/aws/shared.ts";
import { beginToRemember, recordBudget } from "../../controller/engine/budget-use.ts";
import { type Execution, execute } from "../../controller/engine/execute.ts";
import type { GatheredAccount } from "../../controller/engine/gather.ts";
import { planAll } from "../../controller/engine/plan-all.ts";
import { report } from "../../controller/engine/report.ts";
import type { Account } from "../../controller/model/account.ts";
import { digest } from "../../controller/model/digest.ts";
import type { Finding } from "../../controller/model/finding.ts";
import type { Outside } from "../../controller/model/oauth-client.ts";
import type { Plan, PlanFile, PlanRequest, Step } from "../../controller/model/plan.ts";
import type { AccountAccess, Clock, Store } from "../../controller/model/ports.ts";
import type { Artifact } from "../../controller/model/resource.ts";
import { createCatalogue } from "../../controller/policy/catalogue.ts";
import { openStore } from "../../controller/store/sqlite.ts";
import { iamOf, type LiveRole, liveRoles } from "../e2e/live.ts";
import type { Sandbox } from "../sandbox/sandbox.ts";
import { type SeedData, serviceSeed, taskDefinitionSeed } from "../sandbox/seed-data.ts";

/** The library on one sandbox account, with a clock that stands still but when somebody sleeps: no test waits for a minute. */
export interface World {
	readonly account: string;
	readonly iam: ReturnType<typeof iamOf>;
	readonly clock: Clock & { readonly advance: (seconds: number) => void };
	/** Files below the source root; each value one or more documents. */
	readonly files: Map<string, string>;
	readonly write: (path: string, ...documents: readonly object[]) => void;
	/** A cluster `prod` with a service of each name, running as the role that a policy of that name makes. */
	readonly services: (...names: readonly string[]) => Promise<void>;
	readonly seed: Sandbox["seed"] extends (account: string, data: SeedData) => infer R ? (data: SeedData) => R : never;
	readonly plan: (options?: PlanOptions) => Promise<PlanFile>;
	/** Plans, and applies what is ready. */
	readonly apply: (options?: PlanOptions) => Promise<Applied>;
	/** Carries out a plan that was made before. */
	readonly execute: (file: PlanFile, signal?: AbortSignal) => Promise<Execution>;
	readonly roles: () => Promise<Readonly<Record<string, LiveRole>>>;
	readonly store: () => Store;
	/** The process ends: what it knew of AWS is gone with it. */
	readonly forget: () => void;
	/** The disk is lost: nothing is remembered. */
	readonly loseStore: () => void;
}

export interface PlanOptions extends Partial<PlanRequest> {
	/** A person has seen the plan; default true. */
	readonly shown?: boolean;
	/** Why the source is not whole; default null: it is. */
	readonly partial?: string | null;
}

export interface Applied {
	readonly file: PlanFile;
	readonly execution: Execution;
}

const actions = createCatalogue();

export function createWorld(sandbox: Sandbox, account = sandbox.newAccount(), outside?: Outside): World {
	process.env.AWS_ENDPOINT_URL = sandbox.endpoint;
	let now = Math.floor(Date.now() / 1000) * 1000;
	const clock = {
		now: () => `${new Date(now).toISOString().slice(0, 19)}Z`,
		millis: () => now,
		sleep: (ms: number, signal: AbortSignal) => {
			signal.throwIfAborted();
			now += ms;
			// Others get their turn, as they would in a real sleep.
			return new Promise<void>((resolve) => setImmediate(resolve));
		},
		advance: (seconds: number) => {
			now += seconds * 1000;
		},
	};
	const sharedAnew = () => ({ ...createAwsShared(clock), credentials: async () => sandbox.config(account).credentials });
	let shared = sharedAnew();
	const files = new Map<string, string>();
	const iam = iamOf(sandbox, account);
	let store = openStore({ path: ":memory:" });
	// Of a store that is new, deletions wait for a day.
	const remembers = beginToRemember(store, { ...clock, now: () => new Date(now - 86_400_000).toISOString() });
	let accesses = new Map<string, AccountAccess>();
	let gathered: ReadonlyMap<string, GatheredAccount> = new Map();
	let installation = "default";

	const accessOf = (a: Account): AccountAccess => {
		const made =
			accesses.get(a.name) ??
			createAccountAccess({
				account: a,
				installation,
				reconcileId: "scenario",
				revision: "3f2a91c",
				version: "0.0.0",
				clock,
				cacheDir: null,
				shared,
				random: () => 0.5,
				...(outside !== undefined && { outside }),
			});
		accesses.set(a.name, made);
		return made;
	};
	const artifact = (partial: string | null): Artifact => {
		const id = digest(JSON.stringify([...files].sort()));
		return {
			revision: { kind: "directory", id },
			digest: id,
			root: "policies",
			files: new Map(files),
			source: "directory",
			partial,
		};
	};
	const plan = async (options: PlanOptions = {}): Promise<PlanFile> => {
		await remembers;
		const { shown = true, partial = null, ...request } = options;
		accesses = new Map();
		const all = [...files.values()].join("\n");
		installation = /kind: Installation\nmetadata:\n {2}name: (\S+)/.exec(all)?.[1] ?? "default";
		const result = await planAll(
			{ artifact: artifact(partial), request: { path: "policies", prune: false, ...request }, shown },
			{
				actions,
				access: accessOf,
				self: async () => ({ accountId: account, region: "eu-west-1" }),
				store,
				clock,
				progress: () => {},
			},
			AbortSignal.timeout(60_000),
		);
		if (result.file === null) throw new Error(`the source is refused:\n${findingLines(result.findings)}`);
		gathered = result.gathered;
		return result.file;
	};
	const run = async (file: PlanFile, signal = new AbortController().signal, shown = true, whole = true): Promise<Execution> => {
		const execution = await execute(
			file,
			{
				access: (name) => {
					const found = file.accounts.find((a) => a.account.name === name);
					if (found === undefined) throw new Error(`no account ${name}`);
					return accessOf(found.account);
				},
				actor: (name) => file.accounts.find((a) => a.account.name === name)?.caller?.arn ?? "unknown",
				store,
				clock,
				reconcileId: "scenario",
				progress: () => {},
				leaseRemaining: () => 60_000,
			},
			signal,
		);
		await recordBudget(execution.runs, { shown, accounts: file.accounts, store, clock });
		await report(file, execution, gathered, { store, clock, whole });
		return execution;
	};
	return {
		account,
		iam,
		clock,
		files,
		write: (path, ...documents) => void files.set(path, documents.map((d) => stringify(d)).join("---\n")),
		services: async (...names) => {
			await sandbox.seed(account, {
				clusters: [{ name: "prod" }],
				taskDefinitions: names.map((name) =>
					taskDefinitionSeed(name, { taskRoleArn: `arn:aws:iam::${account}:role/ecs-access/${name}-task` }),
				),
				services: names.map((name) => serviceSeed("prod", name)),
			});
		},
		seed: (data) => sandbox.seed(account, data),
		plan,
		apply: async (options = {}) => {
			const file = await plan(options);
			const whole = (options.partial ?? null) === null && options.only === undefined;
			return { file, execution: await run(file, undefined, options.shown ?? true, whole) };
		},
		execute: (file, signal) => run(file, signal),
		roles: () => liveRoles(iam),
		store: () => store,
		forget: () => {
			shared = sharedAnew();
		},
		loseStore: () => {
			store = openStore({ path: ":memory:" });
		},
	};
}

function findingLines(findings: readonly Finding[]): string {
	return findings.map((f) => `${f.origin?.path}:${f.origin?.line} ${f.severity} ${f.id} ${f.message}`).join("\n");
}

const API = "ecs-access.dev/v1alpha1";

/** Any document: `documentOf("AccessGrant", "incident", {…})`. */
export function documentOf(kind: string, name: string, spec: object, metadata: object = {}): object {
	return { apiVersion: API, kind, metadata: { name, ...metadata }, spec };
}

/** A policy for the service of its name in cluster `prod`; `spec` wins. */
export function policy(name: string, taskRole: object, spec: object = {}, metadata: object = {}): object {
	return documentOf("AccessPolicy", name, { workloads: [{ cluster: "prod", services: [name] }], taskRole, ...spec }, metadata);
}

export function allow(actionsOf: string | readonly string[], ...resources: readonly string[]): object {
	return { actions: [actionsOf].flat(), resources: resources.length === 0 ? ["arn:aws:s3:::catalogue/*"] : resources };
}

/** What a plan would call, in order: `iam:PutRolePolicy`, or `iam:DeleteRole waits: in-use`. */
export function calls(file: PlanFile): readonly string[] {
	return steps(file).map((s) => (s.state === "ready" ? s.call.api : `${s.call.api} waits: ${s.state.waiting}`));
}

export function steps(file: PlanFile): readonly Step[] {
	return file.plans.flatMap((p) => p.steps);
}

export function planOf(file: PlanFile, key: string): Plan {
	const found = file.plans.find((p) => p.key === key);
	if (found === undefined) throw new Error(`no plan of ${key}: ${file.plans.map((p) => p.key).join(", ")}`);
	return found;
}

export function findingIds(file: PlanFile): readonly string[] {
	return [...file.findings, ...file.plans.flatMap((p) => p.findings)].map((f) => f.id);
}

/** The error of each step that failed. */
export function failures(execution: Execution): readonly string[] {
	return execution.runs.flatMap((r) => (r.error === null ? [] : [`${r.step.call.api}: ${r.error.message}`]));
}
