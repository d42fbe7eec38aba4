import { existsSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Command } from "commander";
import { TerminalError } from "../model/errors.ts";
import type { Finding } from "../model/finding.ts";
import type { Artifact } from "../model/resource.ts";
import type { FindingReport } from "../plan/render/findings-text.ts";
import type { CliContext, CliDeps, ExitCode } from "./context.ts";
import { verb } from "./context.ts";
import { FINDING_FORMATS, type FindingFormat, renderFindings } from "./findings-output.ts";
import { formatOption, withFooter } from "./help.ts";
import { isWithin, rootOf } from "./source-root.ts";

interface ValidateOptions {
	readonly path?: string;
	readonly strict?: boolean;
	readonly format: FindingFormat;
}

/** Everything that can be said of a repository without AWS. */
export function registerValidate(program: Command, deps: CliDeps): void {
	const command = program
		.command("validate")
		.summary("check the documents, offline")
		.description("Check every document below the source root, offline: YAML, fields, names, actions, guardrails.")
		.argument("[path...]", "tell only what stands in these files or folders; the whole root is read all the same")
		.option("--path <dir>", "the source root (default: the root that holds PATH, else policies)")
		.option("--strict", "a warning fails as an error does")
		.addOption(formatOption(FINDING_FORMATS))
		.action(verb<ValidateOptions>(deps, validate));
	withFooter(command, {
		examples: [
			["ecs-access validate", "all of ./policies"],
			["ecs-access validate policies/orders-api.yaml", "what stands in one file"],
			["ecs-access validate --strict --format github", "annotations in a pull request"],
		],
		two: "a Deny guardrail speaks, or a warning under --strict",
	});
}

async function validate(ctx: CliContext, opts: ValidateOptions, paths: readonly string[]): Promise<ExitCode> {
	const missing = paths.find((p) => !existsSync(resolve(ctx.cwd, p)));
	if (missing !== undefined) throw new TerminalError("NoSuchPath", `no file or folder ${missing}`);
	const foreign = paths.find((p) => !/\.ya?ml$/.test(p) && statSync(resolve(ctx.cwd, p)).isFile());
	if (foreign !== undefined) {
		throw new TerminalError("NotYaml", `${foreign} is no YAML file`, { fix: "documents are in files that end in .yaml or .yml" });
	}
	const root = rootOf(ctx.cwd, opts.path, paths);
	const [{ createDirectorySource }, { validateArtifact }, { createCatalogue }] = await Promise.all([
		import("../source/directory.ts"),
		import("../engine/validate.ts"),
		import("../policy/catalogue.ts"),
	]);
	const artifact = await createDirectorySource({ path: root, cwd: ctx.cwd, env: ctx.env }).fetch(ctx.signal);
	const found = validateArtifact(artifact, { actions: createCatalogue(), now: ctx.clock.now() });
	const asked = onlyPaths(
		artifact,
		resolve(ctx.cwd, root),
		paths.map((p) => resolve(ctx.cwd, p)),
		found,
	);
	const report: FindingReport = { ...asked, strict: opts.strict === true };
	ctx.print(await renderFindings(ctx, opts.format, report, artifact));
	const elsewhere = found.findings.length - asked.findings.length;
	if (elsewhere > 0) ctx.note(`${elsewhere} more in other files, not shown: ecs-access validate --path ${root}\n`);
	return exitCodeOf(report);
}

/** What stands in the files that were asked for; without any, everything. What has no place concerns all. */
function onlyPaths(
	artifact: Artifact,
	root: string,
	paths: readonly string[],
	found: { readonly findings: readonly Finding[]; readonly files: number },
): { readonly findings: readonly Finding[]; readonly files: number } {
	if (paths.length === 0) return found;
	const prefix = artifact.root === "." ? "" : `${artifact.root}/`;
	const isAsked = (file: string): boolean => paths.some((p) => isWithin(p, join(root, file)));
	return {
		findings: found.findings.filter((f) => f.origin === null || isAsked(f.origin.path.slice(prefix.length))),
		files: [...artifact.files.keys()].filter(isAsked).length,
	};
}

/** An error is 1, but where only guardrails speak it is 2: the documents are right, they are not allowed. */
function exitCodeOf({ findings, strict }: FindingReport): ExitCode {
	const errors = findings.filter((f) => f.severity === "error");
	if (errors.some((f) => f.guardrail === undefined)) return 1;
	return errors.length > 0 || (strict && findings.some((f) => f.severity === "warning")) ? 2 : 0;
}
