import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { TerminalError } from "../model/errors.ts";
import type { Store } from "../model/ports.ts";
import type { CliContext } from "./context.ts";
import { DEFAULT_ROOT } from "./source-root.ts";
import { stateHome, storePath } from "./state-dir.ts";

export interface StateOptions {
	readonly path?: string;
	readonly installation?: string;
}

export interface OpenState {
	/** Null where nothing was ever recorded, and it was not to be made. */
	readonly store: Store | null;
	/** The folder or the table. */
	readonly where: string;
	readonly installation: string;
	/** Several machines use it. */
	readonly shared: boolean;
}

/**
 * The store of the Installation at hand. A reader makes none: an empty one would look like a remembered nothing. Who has
 * something to say to whoever comes next gives `make`, and never gets null.
 */
export async function openState(ctx: CliContext, opts: StateOptions, { make } = { make: false }): Promise<OpenState> {
	const here = await installationIn(resolve(ctx.cwd, opts.path ?? DEFAULT_ROOT, "platform"));
	if (here?.store != null && (opts.installation ?? here.name) === here.name) {
		const store = await openShared(ctx, here.name, here.store, make);
		return { store, where: here.store, installation: here.name, shared: true };
	}
	const installation = opts.installation ?? here?.name ?? installationKnown(ctx);
	const path = storePath(ctx, installation);
	const state = { where: dirname(path), installation, shared: false };
	if (!make && !existsSync(path)) {
		if (opts.installation !== undefined) throw unknownInstallation(ctx, opts.installation);
		return { ...state, store: null };
	}
	const { openStore } = await import("../store/sqlite.ts");
	return { ...state, store: openStore({ path, now: ctx.clock.now }) };
}

async function openShared(ctx: CliContext, installation: string, url: string, make: boolean): Promise<Store | null> {
	const [{ createAws }, { parseStoreUrl }] = await Promise.all([import("../aws/process.ts"), import("../model/store-url.ts")]);
	const aws = createAws({
		clock: ctx.clock,
		cacheDir: null,
		version: ctx.version,
		reconcileId: crypto.randomUUID(),
		installation: () => installation,
		revision: () => "none",
	});
	const store = await aws.openStore(parseStoreUrl(url), { make }, ctx.signal);
	if (store === null) {
		aws.close();
		return null;
	}
	const close = async (): Promise<void> => {
		await store.close();
		aws.close();
	};
	return { ...store, close };
}

/** Where no repository is at hand: the only installation with a state; else `default`. */
function installationKnown(ctx: CliContext): string {
	if (ctx.stateDir !== undefined) return "default";
	const known = installationsWithState(ctx);
	const [only, ...others] = known;
	if (only === undefined || known.includes("default")) return "default";
	if (others.length === 0) return only;
	throw new TerminalError("WhichInstallation", `there is the state of several installations: ${known.join(", ")}`, {
		fix: "name one with --installation, or its repository with --path",
	});
}

function installationsWithState(ctx: CliContext): readonly string[] {
	const home = stateHome(ctx);
	return existsSync(home) ? readdirSync(home).filter((n) => existsSync(join(home, n, "state.sqlite"))) : [];
}

function unknownInstallation(ctx: CliContext, name: string): TerminalError {
	const known = ctx.stateDir === undefined ? installationsWithState(ctx) : [];
	return new TerminalError("NotFound", `nothing is recorded of installation ${name}`, {
		fix: known.length === 0 ? "ecs-access apply records what it does" : `there is the state of ${known.join(", ")}`,
	});
}

/** Name and store of the Installation document below a `platform/` folder, without judging the rest. */
async function installationIn(platform: string): Promise<{ readonly name: string; readonly store: string | null } | null> {
	if (!existsSync(platform) || !statSync(platform).isDirectory()) return null;
	const files = readdirSync(platform, { recursive: true, encoding: "utf8" }).filter((f) => /\.ya?ml$/.test(f));
	const texts = files.sort().map((f) => readFileSync(join(platform, f), "utf8"));
	const candidates = texts.filter((t) => /^kind:\s*["']?Installation\b/m.test(t));
	if (candidates.length === 0) return null;
	const { parseAllDocuments } = await import("yaml");
	for (const document of candidates.flatMap((t) => [...parseAllDocuments(t)])) {
		const value: unknown = "toJS" in document && document.errors.length === 0 ? document.toJS() : null;
		const { kind, metadata, spec } = (value ?? {}) as {
			readonly kind?: unknown;
			readonly metadata?: { readonly name?: unknown };
			readonly spec?: { readonly store?: unknown } | null;
		};
		if (kind !== "Installation" || typeof metadata?.name !== "string") continue;
		return { name: metadata.name, store: typeof spec?.store === "string" ? spec.store : null };
	}
	return null;
}
