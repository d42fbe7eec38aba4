import type { Command } from "commander";
import { suggestions } from "../engine/find-resource.ts";
import { TerminalError } from "../model/errors.ts";
import { isSymbolic } from "../model/interpolate.ts";
import type { Instance } from "../model/kind.ts";
import type { Binding } from "../model/target.ts";
import { type CliContext, type CliDeps, type ExitCode, verb } from "./context.ts";
import { withFooter } from "./help.ts";
import { readInput } from "./read-input.ts";
import { DEFAULT_ROOT } from "./source-root.ts";

interface RenderOptions {
	readonly policy: string;
	readonly account?: string;
	readonly workload?: string;
	readonly path: string;
}

/** What git says of a workload, written into the files that a pipeline deploys. */
export function registerRender(program: Command, deps: CliDeps): void {
	const render = program
		.command("render")
		.summary("write what git says into a deployment's files")
		.description("Write what git says into the files that a pipeline deploys, offline.")
		.helpCommand(false);
	withFooter(render, {
		examples: [["ecs-access render task-definition task.json --policy orders-api", "roles and secrets of a task definition"]],
		two: "never from these commands",
	});
	const command = render
		.command("task-definition")
		.summary("roles and secrets of a task definition")
		.description(
			"Print the task definition FILE with the roles and secrets of a policy; every other field stays as it is. Offline.",
		)
		.argument("<file>", "the JSON that aws ecs register-task-definition takes; - reads stdin")
		.requiredOption("--policy <name>", "the AccessPolicy")
		.option("--account <name>", "the Account, where the policy is for several")
		.option("--workload <name>", "CLUSTER/SERVICE or a task family, where the policy's workloads differ (default: FILE's family)")
		.option("--path <dir>", "the source root", DEFAULT_ROOT)
		.action(verb<RenderOptions>(deps, renderTaskDefinition));
	withFooter(command, {
		examples: [
			["ecs-access render task-definition task.json --policy orders-api > filled.json", "in a pipeline"],
			["ecs-access render task-definition task.json --policy orders-api --account prod", "of several accounts, one"],
		],
		two: "never from this command",
	});
}

async function renderTaskDefinition(ctx: CliContext, opts: RenderOptions, [file = "-"]: readonly string[]): Promise<ExitCode> {
	const [{ fillTaskDefinition, familyOf }, { createDirectorySource }, { loadCatalog }, { createCatalogue }, { kindOf }] =
		await Promise.all([
			import("./task-definition.ts"),
			import("../source/directory.ts"),
			import("../engine/catalog.ts"),
			import("../policy/catalogue.ts"),
			import("../kinds/registry.ts"),
		]);
	const shown = file === "-" ? "stdin" : file;
	const text = await readInput(ctx, file);
	const family = familyOf(text, shown);
	const artifact = await createDirectorySource({ path: opts.path, cwd: ctx.cwd, env: ctx.env }).fetch(ctx.signal);
	const now = ctx.clock.now();
	const catalog = loadCatalog(artifact, { actions: createCatalogue(), defaults: null, now });
	const instance = pick(catalog.instances, opts);
	const wrong = catalog.findings.filter(
		(f) => f.severity === "error" && (f.key === undefined || f.key === instance.resource.key),
	);
	if (wrong.length > 0) {
		const { renderFindings } = await import("./findings-output.ts");
		const report = { findings: wrong, files: artifact.files.size, strict: false };
		ctx.note(await renderFindings({ ...ctx, color: { ...ctx.color, stdout: ctx.color.stderr } }, "text", report, artifact));
		return 1;
	}
	const { desired } = kindOf(instance.resource.kind).expand(instance, catalog.view, { now, get: () => undefined });
	const bindings = desired.flatMap((d) => ("binding" in d.wanted ? [{ name: d.target.name, binding: d.wanted.binding }] : []));
	const binding = choose(bindings, opts.workload, family, instance.key);
	refuseSymbolic(binding, instance);
	ctx.print(fillTaskDefinition(text, binding, shown));
	return 0;
}

function pick(instances: readonly Instance[], opts: RenderOptions): Instance {
	const key = `AccessPolicy/${opts.policy.replace(/^AccessPolicy\//, "")}`;
	const all = instances.filter((i) => i.resource.key === key);
	const own = opts.account === undefined ? all : all.filter((i) => i.account.name === opts.account);
	const [one, ...others] = own;
	if (one !== undefined && others.length === 0) return one;
	const accounts = all.map((i) => i.account.name).join(", ");
	if (one !== undefined)
		throw new TerminalError("WhichAccount", `${key} is for several accounts: ${accounts}`, { fix: "name one with --account" });
	const near = suggestions(
		opts.policy,
		instances.map((i) => i.resource.metadata.name),
	);
	const other =
		near.length > 0 ? `did you mean ${near.join(" or ")}?` : `ecs-access validate --path ${opts.path} tells what is there`;
	const fix = all.length > 0 ? `it is in ${accounts}` : other;
	const where = opts.account === undefined || all.length === 0 ? "" : ` in account ${opts.account}`;
	throw new TerminalError("NotFound", `no ${key}${where} in ${opts.path}`, { fix });
}

interface Named {
	readonly name: string;
	readonly binding: Partial<Binding>;
}

/** The workload that is named; else the family of the file, or a service of that name; else what all of them share. */
function choose(
	bindings: readonly Named[],
	workload: string | undefined,
	family: string | undefined,
	key: string,
): Partial<Binding> {
	const names = bindings.map((b) => b.name).join(", ");
	if (workload !== undefined) {
		const found = bindings.find((b) => b.name === workload);
		if (found !== undefined) return found.binding;
		throw new TerminalError("NotFound", `${key} has no workload ${workload}`, { fix: `its workloads are ${names}` });
	}
	const same = bindings.filter((b) => b.name === family || b.name.endsWith(`/${family}`));
	const candidates = same.length > 0 ? same : bindings;
	const [first] = candidates;
	if (first === undefined)
		throw new TerminalError("NoWorkload", `${key} names no workload`, { fix: "add one to spec.workloads" });
	if (new Set(candidates.map((b) => JSON.stringify(b.binding))).size === 1) return first.binding;
	throw new TerminalError("WhichWorkload", `the workloads of ${key} differ in roles or secrets: ${names}`, {
		fix: "name one with --workload",
	});
}

/** Offline, the id of an account that no document names is not known; a task definition with a guess would not start. */
function refuseSymbolic(binding: Partial<Binding>, instance: Instance): void {
	const values = [binding.taskRole, binding.executionRole, ...Object.values(binding.secrets ?? {})];
	const open = values.find((v) => v != null && isSymbolic(v));
	if (open === undefined) return;
	throw new TerminalError(
		"AccountUnknown",
		`${open} is not known offline: no Account document names the id and region of ${instance.account.name}`,
		{
			fix: "add an Account with accountId and region below platform/",
		},
	);
}
