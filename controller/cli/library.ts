import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import type { GatheredAccount } from "../engine/gather.ts";
import type { PlanResult } from "../engine/plan-all.ts";
import type { Account } from "../model/account.ts";
import type { Finding } from "../model/finding.ts";
import type { InstallationSpec } from "../model/generated/specs.ts";
import type { ResourceKey } from "../model/ids.ts";
import type { PlanFile, PlanRequest } from "../model/plan.ts";
import type { AccountAccess, Store } from "../model/ports.ts";
import type { Artifact } from "../model/resource.ts";
import type { Asks } from "../model/rotation-ask.ts";
import { parseStoreUrl, storeUrl, type TableRef } from "../model/store-url.ts";
import { parseGitUrl } from "../source/url.ts";
import type { CliContext, ExitCode } from "./context.ts";
import { renderFindings } from "./findings-output.ts";
import { createSource } from "./sources.ts";
import { stateHome, storePath } from "./state-dir.ts";

export interface Asked {
	readonly artifact: Artifact;
	readonly result: PlanResult;
}

/** What `forget` found: the plan, whether the resource is still in git, and who owns anything. */
export interface Forgetting extends Asked {
	readonly inSource: boolean;
	readonly owners: readonly ResourceKey[];
}

/** Something that can be carried out. */
export interface Executable {
	readonly file: PlanFile;
	readonly gathered: ReadonlyMap<string, GatheredAccount>;
}

/** The library as the verbs call it: sources, AWS and store joined. */
export interface Library {
	readonly reconcileId: string;
	/** `shown`: a person will have read the plan before it is applied. */
	readonly plan: (
		request: PlanRequest,
		options: {
			readonly shown: boolean;
			readonly force?: boolean;
			readonly resuming?: true;
			readonly asked?: Asks;
			/** Says nothing of what it reads: it is one look of many. */
			readonly quiet?: true;
		},
	) => Promise<Asked>;
	/** Two revisions, offline: `base` is what stands in AWS's place. */
	readonly compare: (request: PlanRequest, base: string) => Promise<Asked>;
	readonly forget: (path: string, key: ResourceKey) => Promise<Forgetting>;
	/** The way of events to this installation: queue, rules, and what lets them. */
	readonly triggers: (request: PlanRequest) => Promise<Asked>;
	/** Opens, and where it is missing makes, the store of an installation. */
	readonly store: (installation: string) => Promise<Store>;
	/** The shared store that the Installation last read names; null: a private one. */
	readonly sharedStore: () => string | null;
	readonly access: (account: Account) => AccountAccess;
	/** From here on nothing read before counts for a write. */
	readonly readAgain: () => void;
	/** Prints what is wrong with a source; nothing was read from AWS. */
	readonly printInvalid: (asked: Asked) => Promise<ExitCode>;
	readonly close: () => Promise<void>;
}

/** Loads what planning needs; nothing is read before the first call. */
export async function openLibrary(ctx: CliContext): Promise<Library> {
	const [{ planAll }, { mistakesOf }, { loadCatalog }, { createCatalogue }, { createAws }, { openStore }, { createOutside }] =
		await Promise.all([
			import("../engine/plan-all.ts"),
			import("../engine/validate.ts"),
			import("../engine/catalog.ts"),
			import("../policy/catalogue.ts"),
			import("../aws/process.ts"),
			import("../store/sqlite.ts"),
			import("../idp/outside.ts"),
		]);
	const reconcileId = crypto.randomUUID();
	const actions = createCatalogue();
	const cacheDir = join(stateHome(ctx), "cache");
	const stores = new Map<string, Store>();
	const accesses = new Map<string, AccountAccess>();
	let revision = "none";
	let installation = "default";
	const aws = createAws({
		clock: ctx.clock,
		outside: createOutside(),
		// An emulator that starts over gives out the same names again, for other things.
		cacheDir: ctx.env.AWS_ENDPOINT_URL === undefined || ctx.stateDir !== undefined ? join(ctx.stateDir ?? cacheDir, "aws") : null,
		version: ctx.version,
		reconcileId,
		installation: () => installation,
		revision: () => revision,
	});

	/** Null: a private one. */
	let shared: TableRef | null = null;
	const openShared = async (ref: TableRef, make: boolean): Promise<Store | null> => {
		const known = stores.get(storeUrl(ref));
		if (known !== undefined) return known;
		const opened = await aws.openStore(ref, { make }, ctx.signal);
		if (opened !== null) stores.set(storeUrl(ref), opened);
		return opened;
	};
	const store = async (name: string): Promise<Store> => {
		const open =
			shared === null ? (stores.get(name) ?? openStore({ path: storePath(ctx, name) })) : await openShared(shared, true);
		if (open === null) throw new Error("a store that is made where it is missing is never null");
		if (shared === null) stores.set(name, open);
		return open;
	};
	/** What planning may look back at. Planning makes no store: it writes nothing anywhere. */
	const remembered = async (name: string): Promise<Store | null> => {
		if (shared !== null) return openShared(shared, false);
		return stores.has(name) || existsSync(storePath(ctx, name)) ? store(name) : null;
	};
	const access = (account: Account): AccountAccess => {
		const made = accesses.get(account.name) ?? aws.access(account);
		accesses.set(account.name, made);
		return made;
	};
	/**
	 * Reads the source, and again where the Installation in it or the store says more of how it must be read. `before` opens
	 * what is remembered: nothing but a file is read while the source holds a mistake, or where nobody asks for it.
	 */
	const fetch = async (
		request: PlanRequest,
		force: boolean,
		quiet = false,
	): Promise<{ readonly artifact: Artifact; readonly before: () => Promise<Store | null> }> => {
		const shown = withoutSecrets(request);
		const read = async (more: { branch?: string; previous?: string }): Promise<Artifact> =>
			(await createSource(ctx, request, { cacheDir, force, ...more })).fetch(ctx.signal);
		if (!quiet) ctx.progress.phase(request.git === undefined ? `reading ${request.path}` : `fetching ${shown.git?.url}`);
		let mistaken = false;
		const learn = (artifact: Artifact): InstallationSpec | undefined => {
			const catalog = loadCatalog(artifact, { actions, defaults: null, now: ctx.clock.now() });
			const { view } = catalog;
			installation = view.installation;
			const spec = view.ofKind<InstallationSpec>("Installation")[0]?.spec;
			shared = spec?.store === undefined ? null : parseStoreUrl(spec.store);
			mistaken = shared !== null && mistakesOf(catalog, ctx.clock.now()).length > 0;
			return spec;
		};
		const before = async (): Promise<Store | null> => (mistaken ? null : remembered(installation));
		let artifact = await read({});
		const branch = learn(artifact)?.git?.branch;
		const previous =
			shown.git === undefined ? undefined : (await (await before())?.getControl(admittedKey(shown.git.url)))?.value;
		if (branch !== undefined || (typeof previous === "string" && previous !== artifact.revision.id)) {
			artifact = await read({ ...(branch !== undefined && { branch }), ...(typeof previous === "string" && { previous }) });
			learn(artifact);
		}
		revision = artifact.revision.id;
		return { artifact, before };
	};

	return {
		reconcileId,
		store,
		sharedStore: () => (shared === null ? null : storeUrl(shared)),
		access,
		readAgain: () => {
			for (const a of accesses.values()) a.readAgain();
		},
		plan: async (request, options) => {
			const { artifact, before } = await fetch(request, options.force === true, options.quiet === true);
			if (request.prune && request.only !== undefined) ctx.note("--prune removes nothing together with --only\n");
			// What is remembered belongs to one pass: a second plan must see the account as it is then.
			accesses.clear();
			const progress = (words: string): void => (options.quiet === true ? undefined : ctx.progress.phase(words));
			const self = (signal: AbortSignal) => aws.self(signal);
			const deps = { actions, access, self, store: await before(), clock: ctx.clock, progress };
			const { shown, resuming, asked } = options;
			const input = {
				artifact,
				request: withoutSecrets(request),
				shown,
				...(resuming === true && { resuming }),
				...(asked !== undefined && { asked }),
			};
			const result = await planAll(input, deps, ctx.signal);
			if (options.quiet !== true) ctx.progress.stop();
			return { artifact, result };
		},
		compare: async (request, base) => {
			const [{ compareRevisions }, { readRevision }] = await Promise.all([
				import("../engine/compare.ts"),
				import("../source/revision.ts"),
			]);
			const { artifact: head } = await fetch(request, false);
			const from = { folder: resolve(ctx.cwd, request.path ?? "policies"), rev: base, root: head.root, env: ctx.env };
			const before = await readRevision(from, ctx.signal);
			ctx.progress.stop();
			return { artifact: head, result: compareRevisions({ base: before, head, request }, { actions, clock: ctx.clock }) };
		},
		triggers: async (request) => {
			const { planTriggersAll } = await import("../engine/triggers.ts");
			const { artifact } = await fetch(request, false);
			accesses.clear();
			const progress = (words: string): void => ctx.progress.phase(words);
			const deps = { actions, access, self: (signal: AbortSignal) => aws.self(signal), clock: ctx.clock, progress };
			const result = await planTriggersAll({ artifact, request: withoutSecrets(request) }, deps, ctx.signal);
			ctx.progress.stop();
			return { artifact, result };
		},
		forget: async (path, key) => {
			const { planForgetAll } = await import("../engine/forget.ts");
			const request: PlanRequest = { path, prune: false };
			const { artifact } = await fetch(request, false);
			accesses.clear();
			ctx.progress.phase("reading AWS");
			const found = await planForgetAll(
				{ artifact, request, key },
				{ actions, access, self: (signal) => aws.self(signal), clock: ctx.clock },
				ctx.signal,
			);
			ctx.progress.stop();
			return { artifact, ...found };
		},
		printInvalid: async ({ artifact, result }) => {
			const findings: readonly Finding[] = result.file === null ? result.findings : [];
			ctx.print(await renderFindings(ctx, "text", { findings, files: artifact.files.size, strict: false }, artifact));
			return 1;
		},
		close: async () => {
			await Promise.all([...stores.values()].map((s) => s.close()));
			aws.close();
		},
	};
}

/** As a request may be shown, saved and remembered: the user of an https address may be a token, like its password. */
export function withoutSecrets(request: PlanRequest): PlanRequest {
	if (request.git === undefined) return request;
	const url = parseGitUrl(request.git.url);
	// A refused address may be a mistyped one with a password in it; a relative folder holds none.
	const shown = url.kind === "refused" ? request.git.url.replace(/^[^/]*:.*$/, "the repository") : url.address;
	return { ...request, git: { ...request.git, url: shown } };
}

/** Control-state key of the last revision that was applied from a repository. */
export function admittedKey(url: string): string {
	return `admitted/${url}`;
}
