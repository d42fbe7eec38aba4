import { existsSync } from "node:fs";
import { dirname, relative, resolve } from "node:path";
import type { Command } from "commander";
import type { Imported } from "../engine/import.ts";
import type { ImportInput, ImportResult } from "../engine/import-run.ts";
import type { Account, Caller } from "../model/account.ts";
import { TerminalError } from "../model/errors.ts";
import type { Artifact } from "../model/resource.ts";
import { escapeTerminal } from "../plan/render/escape.ts";
import { type CliContext, type CliDeps, type ExitCode, verb } from "./context.ts";
import { withFooter } from "./help.ts";
import { DEFAULT_ROOT } from "./source-root.ts";

interface ImportFlags {
	readonly cluster?: readonly string[];
	readonly service?: readonly string[];
	readonly out: string;
	readonly account?: string;
	readonly dryRun?: boolean;
	readonly force?: boolean;
}

/** Policies for what runs today: the way from an account that grew by hand to one that git describes. */
export function registerImport(program: Command, deps: CliDeps): void {
	const several = (value: string, before: readonly string[] = []): readonly string[] => [...before, value];
	const command = program
		.command("import")
		.summary("write policies for what runs today")
		.description(
			"Write an AccessPolicy file for every task role that ECS services use today, as it is. Reads AWS, changes nothing there:\n" +
				"a plan afterwards shows that the roles are taken over, and no change of access.",
		)
		.option("--cluster <name>", "only services of this cluster; may be repeated (default: every cluster of the region)", several)
		.option("--service <name>", "only services of this name; may be repeated", several)
		.option("--out <dir>", "the source root to write to", DEFAULT_ROOT)
		.option("--account <name>", "the Account document to import into, where the root declares several")
		.option("--dry-run", "print the documents and write nothing")
		.option("--force", "overwrite files that exist")
		.action(verb<ImportFlags>(deps, importWorkloads));
	withFooter(command, {
		examples: [
			["ecs-access import", "everything in the region, to ./policies"],
			["ecs-access import --cluster prod --dry-run", "look at one cluster first"],
			["ecs-access import --service orders-api --out team/policies", "one service, elsewhere"],
		],
		two: "never from this command",
	});
}

async function importWorkloads(ctx: CliContext, opts: ImportFlags): Promise<ExitCode> {
	const out = relative(ctx.cwd, resolve(ctx.cwd, opts.out)) || ".";
	const artifact = await read(ctx, out);
	const looked: { account: Account; caller: Caller }[] = [];
	const { imported, findings } = await readAws(
		ctx,
		{
			artifact,
			account: opts.account ?? null,
			filter: { clusters: opts.cluster ?? [], services: opts.service ?? [] },
		},
		(account, caller) => looked.push({ account, caller }),
	);
	if (imported === null) {
		const { renderFindings } = await import("./findings-output.ts");
		ctx.print(await renderFindings(ctx, "text", { findings, files: artifact.files.size, strict: false }, artifact));
		return 1;
	}
	for (const note of imported.notes) ctx.note(`${escapeTerminal(note)}\n`);
	const shown = out === "." ? "." : `${out}/`;
	if (opts.dryRun === true) {
		ctx.print([...imported.files.values()].join("---\n"));
		ctx.note(`${summary(imported, `would be written to ${shown}`)}\nNothing was written: --dry-run\n`);
		return 0;
	}
	await write(ctx, out, imported, opts.force === true);
	ctx.print(`${summary(imported, `written to ${shown}`)}\n`);
	for (const { account, caller } of looked)
		if (account.origin === null) ctx.note(accountOffer(out === "." ? "" : `${out}/`, account, caller));
	if (imported.files.size > 0) {
		const path = out === DEFAULT_ROOT ? "" : ` --path ${out}`;
		ctx.print(`Next: ecs-access validate${path}    then: ecs-access plan${path}, ecs-access apply${path}\n`);
	}
	return 0;
}

async function readAws(
	ctx: CliContext,
	input: ImportInput,
	onAccount: (account: Account, caller: Caller) => void,
): Promise<ImportResult> {
	const [{ runImport }, { createCatalogue }, { createAws }] = await Promise.all([
		import("../engine/import-run.ts"),
		import("../policy/catalogue.ts"),
		import("../aws/process.ts"),
	]);
	let installation = "default";
	const aws = createAws({
		clock: ctx.clock,
		cacheDir: null,
		version: ctx.version,
		reconcileId: crypto.randomUUID(),
		installation: () => installation,
		revision: () => input.artifact.revision.id,
	});
	try {
		return await runImport(
			input,
			{
				actions: createCatalogue(),
				access: (account, name) => {
					installation = name;
					return aws.access(account);
				},
				self: (signal) => aws.self(signal),
				now: ctx.clock.now(),
				onAccount: (account, caller) => {
					ctx.progress.say(accountLine(account, caller));
					onAccount(account, caller);
				},
				progress: (words) => ctx.progress.phase(words),
			},
			ctx.signal,
		);
	} finally {
		ctx.progress.stop();
		aws.close();
	}
}

/** No document names the account: the one that would. */
function accountOffer(root: string, account: Account, caller: Caller): string {
	return `No Account document names this account. With one, other credentials are refused and render works offline; write into
${root}platform/accounts.yaml:

  apiVersion: ecs-access.dev/v1alpha1
  kind: Account
  metadata: { name: ${account.name} }
  spec: { accountId: "${caller.accountId}", region: ${account.region} }

`;
}

/** As at the head of a plan. */
function accountLine(account: Account, caller: Caller): string {
	const alias = caller.alias === null ? "" : ` (${caller.alias})`;
	return escapeTerminal(`${account.name}  ${caller.accountId}${alias}  ${account.regions.join(", ")}`);
}

async function write(ctx: CliContext, out: string, imported: Imported, replace: boolean): Promise<void> {
	const { existingFiles, writeAll } = await import("./write-files.ts");
	const dir = resolve(ctx.cwd, out);
	const names = [...imported.files.keys()];
	const existing = replace ? [] : await existingFiles(dir, names);
	if (existing.length > 0) {
		const all = someOf(existing.map((name) => (out === "." ? name : `${out}/${name}`)));
		throw new TerminalError(
			"FileExists",
			`${existing.length === 1 ? "a file exists" : `${existing.length} files exist`} already: ${all}`,
			{
				fix: "nothing was written: move them away, write elsewhere with --out, or overwrite them with --force",
			},
		);
	}
	if (names.length > 0) await writeAll(dir, imported.files, { replace }, ctx.signal);
}

/** A few names tell which files are meant. */
function someOf(names: readonly string[]): string {
	return names.length <= 4 ? names.join(", ") : `${names.slice(0, 3).join(", ")} and ${names.length - 3} more`;
}

/** What the folder says already; a folder that does not exist says nothing. */
async function read(ctx: CliContext, out: string): Promise<Artifact> {
	const dir = resolve(ctx.cwd, out);
	if (existsSync(dir)) {
		const { createDirectorySource } = await import("../source/directory.ts");
		return createDirectorySource({ path: out, cwd: ctx.cwd, env: ctx.env }).fetch(ctx.signal);
	}
	const [{ isSourceRoot }, { contentDigest, insideRoot }] = await Promise.all([
		import("../source/walk.ts"),
		import("../source/files.ts"),
	]);
	for (let at = dirname(dir); at !== dirname(at); at = dirname(at)) {
		if (isSourceRoot(at, ctx.signal)) throw insideRoot(out, relative(ctx.cwd, at) || ".");
	}
	const digest = contentDigest(new Map());
	return { revision: { kind: "directory", id: digest }, digest, root: out, files: new Map(), source: "directory", partial: null };
}

function summary(imported: Imported, where: string): string {
	const { files, roles, services, families, repeated, notes } = imported;
	const leftOut = notes.filter((n) => n.startsWith("left out: ")).length;
	const aside = leftOut > 0 ? ` ${leftOut} left out, each named with its reason.` : "";
	if (files.size === 0) return `Nothing to import.${aside}`;
	const managed = [...roles.values()].filter((r) => r.managed).length;
	const named = files.size - managed;
	const parts = [
		`${count(files.size, "file")} ${where}: ${count(managed, "role")} to take over${named > 0 ? `, ${named} only named` : ""}`,
		`${count(services, "service")}${families > 0 ? `, ${count(families, "task family", "task families")}` : ""}.${aside}`,
	];
	const lines = [parts.join("; ")];
	if (repeated > 0)
		lines.push(`${count(repeated, "statement")} repeated by several roles: look for "PermissionSet" in the files.`);
	return lines.join("\n");
}

function count(n: number, one: string, many = `${one}s`): string {
	return `${n} ${n === 1 ? one : many}`;
}
