import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import type { Command } from "commander";
import { TerminalError } from "../model/errors.ts";
import { escapeTerminal } from "../plan/render/escape.ts";
import { type CliContext, type CliDeps, type ExitCode, verb } from "./context.ts";
import { withFooter } from "./help.ts";
import { EDITOR_SCHEMA, type Template, templates } from "./init-templates.ts";
import { packageRoot } from "./package-files.ts";

/** A repository to start from. */
export function registerInit(program: Command, deps: CliDeps): void {
	const command = program
		.command("init")
		.summary("a repository to start from")
		.description(
			"Write the folders, the guardrails, the permission-set library, CODEOWNERS, an editor schema and a workflow. Nothing is overwritten.",
		)
		.argument("[dir]", "where", ".")
		.action(verb(deps, init));
	withFooter(command, {
		examples: [
			["ecs-access init", "here"],
			["ecs-access init access && cd access && ecs-access validate", "in a new folder"],
		],
		two: "never from this command",
	});
}

async function init(ctx: CliContext, _opts: unknown, [dir = "."]: readonly string[]): Promise<ExitCode> {
	const folder = resolve(ctx.cwd, dir);
	const library = await packaged();
	const planned = [...templates(ctx.version, null), ...library];
	const taken = planned.filter((f) => existsSync(join(folder, f.path))).map((f) => f.path);
	if (taken.length > 0) {
		const what =
			taken.length === 1
				? `${taken[0]} exists already`
				: `${taken.length} of its files exist already: ${taken.slice(0, 3).join(", ")}${taken.length > 3 ? " and more" : ""}`;
		throw new TerminalError("FileExists", `${what}; nothing was written`, {
			fix: "move them away, or name a new folder: ecs-access init DIR",
		});
	}
	mkdirSync(folder, { recursive: true });
	const { originMark } = await import("../source/origin.ts");
	const files = [...templates(ctx.version, await originMark(folder, "policies", ctx.env, ctx.signal)), ...library];
	for (const { path, text } of files) {
		mkdirSync(dirname(join(folder, path)), { recursive: true });
		// `wx`: a file that came to exist meanwhile is somebody else's.
		writeFileSync(join(folder, path), text, { flag: "wx" });
	}
	const shown = (path: string): string => escapeTerminal(relative(ctx.cwd, join(folder, path)));
	const width = Math.max(...files.map((f) => shown(f.path).length));
	ctx.print(`${files.map((f) => `wrote  ${shown(f.path).padEnd(width)}  ${f.about}`).join("\n")}\n`);
	ctx.note(nextSteps(ctx, folder));
	return 0;
}

function nextSteps(ctx: CliContext, folder: string): string {
	const where = relative(ctx.cwd, folder);
	const steps = [
		...(where === "" ? [] : [[`cd ${where}`, ""]]),
		...(isInGit(folder) ? [] : [["git init", "plans are for a commit"]]),
		["ecs-access validate", "check it, offline"],
		["ecs-access import", "write policies for what runs in your account today"],
		["ecs-access explain AccessPolicy", "or write one yourself"],
		["ecs-access plan", "see what would change"],
	] as const;
	const width = Math.max(...steps.map(([line]) => line.length));
	const lines = steps.map(([line, about]) => (about === "" ? `  ${line}` : `  ${line.padEnd(width)}  # ${about}`));
	return `\nNext:\n${lines.join("\n")}\n`;
}

function isInGit(folder: string): boolean {
	for (let at = folder; ; at = dirname(at)) {
		if (existsSync(join(at, ".git"))) return true;
		if (dirname(at) === at) return false;
	}
}

/** What comes with the program: the editor schema, and each file of the example repository that holds PermissionSets alone. */
async function packaged(): Promise<readonly Template[]> {
	const root = packageRoot();
	const schema = { path: EDITOR_SCHEMA, about: "the kinds, for the editor", text: read(root, "crds/editor-schema.json") };
	const platform = "policies/platform";
	const { parseAllDocuments } = await import("yaml");
	const names = readdirSync(join(root, platform), { recursive: true, encoding: "utf8" }).filter((n) => /\.ya?ml$/.test(n));
	const library = names.sort().flatMap((name) => {
		const text = read(root, `${platform}/${name}`);
		const documents = [...parseAllDocuments(text)];
		const isLibrary = documents.length > 0 && documents.every((d) => "get" in d && d.get("kind") === "PermissionSet");
		return isLibrary ? [{ path: `${platform}/${name.replaceAll("\\", "/")}`, about: "permission-set library", text }] : [];
	});
	if (library.length === 0) throw new Error(`no PermissionSet below ${join(root, platform)}: the installation is incomplete`);
	return [schema, ...library];
}

function read(root: string, path: string): string {
	return readFileSync(join(root, path), "utf8");
}
