import type { Command } from "commander";
import type { PlanResult } from "../engine/plan-all.ts";
import { shortDigest } from "../model/digest.ts";
import { durationMs } from "../model/duration.ts";
import { TerminalError } from "../model/errors.ts";
import type { PlanFile, PlanRequest } from "../model/plan.ts";
import { escapeTerminal } from "../plan/render/escape.ts";
import { type CliContext, type CliDeps, type ExitCode, verb } from "./context.ts";
import { withFooter } from "./help.ts";
import { admittedKey, type Executable, type Library, openLibrary, withoutSecrets } from "./library.ts";
import { exitCodeOf, hasMistake } from "./plan.ts";
import { printPlan } from "./plan-output.ts";
import { readNamed } from "./read-input.ts";
import { requestOf, type SourceFlags, withFreezeFlag, withSourceFlags } from "./source-flags.ts";
import { recordSeen, runUnderLease } from "./write.ts";

interface ApplyOptions extends SourceFlags {
	readonly yes?: boolean;
	readonly newStore?: boolean;
	readonly wait?: boolean;
	readonly waitFor?: string;
}

/** Plans, shows, asks, and carries out; with a saved plan, exactly that plan or nothing. */
export function registerApply(program: Command, deps: CliDeps): void {
	const command = withFreezeFlag(
		withSourceFlags(
			program
				.command("apply")
				.summary("carry out a plan")
				.description(
					"Plan, show the plan, ask, and carry out its ready steps. With a saved plan: exactly that one, or a refusal that says what moved.",
				)
				.argument("[plan.json]", "a plan saved with plan --out"),
		),
	)
		.option("--yes", "do not ask")
		.option("--new-store", "the shared store is new: go on though roles already bear our marks")
		.option("--wait", "stay until services that were rolled run as git says; take back what fails")
		.option("--wait-for <duration>", "the same, for so long at most: 90s, 10m, 1h")
		.action(verb<ApplyOptions>(deps, apply));
	withFooter(command, {
		examples: [
			["ecs-access apply", "plan ./policies, show, ask, apply"],
			["ecs-access apply plan.json", "the plan that was saved and reviewed"],
			["ecs-access apply --wait", "and stay until the services that were rolled run"],
			["ecs-access apply --only AccessPolicy/orders-api --yes", "one policy, without the question"],
		],
		two: "some steps wait, or a rollout goes on when the time of --wait-for is over",
	});
}

async function apply(ctx: CliContext, opts: ApplyOptions, args: readonly string[]): Promise<ExitCode> {
	const [saved] = args;
	const waitFor = opts.waitFor === undefined ? null : waitLimit(opts.waitFor);
	const library = await openLibrary(ctx);
	try {
		const planned = saved === undefined ? await planFresh(library, opts) : await planSaved(ctx, library, saved, opts);
		const { result } = planned;
		if (result.file === null) return await library.printInvalid(planned);
		const { file } = result;
		if (saved === undefined) await printPlan(ctx, file, "text", false);
		else ctx.print(savedWords(saved, file));
		const ready = file.plans.flatMap((p) => p.steps).filter((s) => s.state === "ready").length;
		// An account that cannot be read stops itself, and the others go on; a policy that is wrong stops all.
		const planCode = exitCodeOf(file);
		if (hasMistake(file)) {
			ctx.note("nothing was applied: correct the errors above first\n");
			return 1;
		}
		const { partial } = planned.artifact;
		const whole = partial === null && file.request.only === undefined && planCode !== 1;
		if (ready === 0) {
			await recordSeen(ctx, library, result, { whole, newStore: opts.newStore === true });
			if (planCode !== 1) await remember(library, file);
			if (saved !== undefined && planCode !== 1)
				ctx.print(planCode === 2 ? "Nothing is ready: all of it waits.\n" : "Nothing to do.\n");
			return awaited(ctx, library, { file, request: planned.request, code: planCode, waitFor }, opts);
		}
		const asks = saved === undefined && opts.yes !== true;
		if (asks && !(await ctx.ask(question(file, ready), "--yes"))) {
			ctx.print("Nothing was applied.\n");
			return 2;
		}
		const confirmed = asks && deletesRoles(file) ? await planAgain(library, opts, file) : result;
		const code = await runUnderLease(ctx, library, confirmed, {
			shown: saved !== undefined || opts.yes !== true,
			whole,
			newStore: opts.newStore === true,
		});
		if (code !== 1) await remember(library, file);
		const done = planCode === 1 && code !== 130 ? 1 : await rotated(ctx, library, confirmed.file, code, opts);
		return await awaited(ctx, library, { file: confirmed.file, request: planned.request, code: done, waitFor }, opts);
	} finally {
		await library.close();
	}
}

/** A rotation is more than its first step: half of its consumers with one value and half with another is no end. */
async function rotated(ctx: CliContext, library: Library, file: PlanFile, code: ExitCode, opts: ApplyOptions): Promise<ExitCode> {
	if (code === 1 || code === 130 || !file.plans.some((p) => p.rotation !== undefined)) return code;
	const { driveApplied } = await import("./rotate-drive.ts");
	const end = await driveApplied(ctx, library, file, { newStore: opts.newStore === true, force: opts.force === true });
	return end === null || end === 0 ? code : end;
}

/** With --wait, what comes of the rollouts counts as well; what already is an error stays one. */
async function awaited(
	ctx: CliContext,
	library: Library,
	applied: {
		readonly file: PlanFile;
		readonly request: PlanRequest;
		readonly code: ExitCode;
		readonly waitFor: number | null;
	},
	opts: ApplyOptions,
): Promise<ExitCode> {
	const { file, request, code, waitFor } = applied;
	if ((opts.wait !== true && waitFor === null) || code === 130) return code;
	const { rollingServices, waitForRollouts } = await import("./wait.ts");
	const rolling = rollingServices(file);
	if (rolling.length === 0) return code;
	const newStore = opts.newStore === true;
	const end = await waitForRollouts(ctx, library, file, rolling, {
		request,
		atMost: waitFor,
		newStore,
		force: opts.force === true,
	});
	if (code === 1 || end !== 0) return code === 1 && end !== 130 ? 1 : end;
	// What waited for nothing but the rollouts waits no more.
	const others = file.plans.flatMap((p) => p.steps).some((s) => s.state !== "ready" && s.state.waiting !== "rollout");
	return others ? 2 : 0;
}

function waitLimit(text: string): number {
	const ms = durationMs(text);
	if (ms !== null) return ms;
	throw new TerminalError("BadOptions", `--wait-for ${text} is no duration`, { fix: "write 90s, 10m or 1h" });
}

function deletesRoles(file: PlanFile): boolean {
	return file.plans.some((p) => p.steps.some((s) => s.state === "ready" && s.call.api === "iam:DeleteRole"));
}

/** A question may stand for an hour, and a role that nothing used then may be in use now (KINDS.md, Deletion). */
async function planAgain(library: Library, opts: ApplyOptions, shown: PlanFile): Promise<Executable> {
	const { artifact, result } = await planFresh(library, opts);
	const moved = await whatMoved(shown, artifact.digest, result);
	if (result.file !== null && moved.length === 0) return result;
	throw new TerminalError("StalePlan", `the plan is refused: it is not what would be planned now\n${moved.join("\n")}`, {
		fix: "run apply again",
	});
}

async function planFresh(library: Library, opts: ApplyOptions) {
	const request = requestOf(opts);
	return { request, ...(await library.plan(request, { shown: opts.yes !== true, force: opts.force === true })) };
}

/** The account's id and alias stand last before the answer. */
function question(file: PlanFile, ready: number): string {
	return `Apply ${ready} ${ready === 1 ? "step" : "steps"} of plan ${shortDigest(file.id)} to ${accountWords(file)}?`;
}

/** A saved plan was read before it was saved; what is said again is which one it is, and where it goes. */
function savedWords(path: string, file: PlanFile): string {
	const { git, path: folder } = file.request;
	const from = escapeTerminal(`${file.sourceLabel} from ${git?.url ?? `folder ${folder}`}`);
	return `${path}: plan ${shortDigest(file.id)} of ${from} holds, for ${accountWords(file)}\n`;
}

function accountWords(file: PlanFile): string {
	const words = file.accounts.flatMap(({ account, caller, error }) => {
		if (error !== null) return [];
		const alias = caller?.alias == null ? "" : ` (${caller.alias})`;
		return [`${account.name} ${caller?.accountId ?? account.accountId}${alias}`];
	});
	return escapeTerminal(words.join(", "));
}

/** Plans again as the saved plan was asked for, and refuses when the answer differs (ARCHITECTURE.md, Types). */
async function planSaved(ctx: CliContext, library: Library, path: string, opts: ApplyOptions) {
	const saved = readPlanFile(ctx.cwd, path);
	const contradicting = contradiction(saved.request, opts);
	if (contradicting !== null) {
		throw new TerminalError(
			"BadOptions",
			`--${contradicting} and a saved plan contradict each other: ${path} says how it was asked for`,
		);
	}
	const { git } = saved.request;
	// A branch may have moved on; what was planned was one commit of it. An address that was given again may hold a password.
	const request =
		git === undefined ? saved.request : { ...saved.request, git: { ...git, url: opts.git ?? git.url, ref: saved.revision.id } };
	const planned = { request, ...(await library.plan(request, { shown: true, force: opts.force === true })) };
	if (planned.result.file === null) return planned;
	const moved = await whatMoved(saved, planned.artifact.digest, planned.result);
	if (moved.length > 0) {
		throw new TerminalError("StalePlan", `${path} is refused: it is not what would be planned now\n${moved.join("\n")}`, {
			fix: `plan again: ecs-access plan --out ${path}`,
		});
	}
	return planned;
}

/**
 * A flag that says otherwise than the file. Those that say the same are welcome: with them, a pipeline holds fast where its
 * policies come from, whatever the file that it is handed claims.
 */
function contradiction(saved: PlanRequest, opts: ApplyOptions): string | null {
	if (opts.path !== undefined && opts.path !== saved.path) return "path";
	if (opts.git !== undefined) {
		const given = withoutSecrets({ git: { url: opts.git }, prune: false });
		if (given.git?.url !== saved.git?.url) return "git";
	}
	if (opts.ref !== undefined && opts.ref !== saved.git?.ref) return "ref";
	if (opts.subdir !== undefined && opts.subdir !== saved.git?.subdir) return "subdir";
	if (opts.only !== undefined && opts.only.join("\n") !== (saved.only ?? []).join("\n")) return "only";
	if (opts.prune === true && !saved.prune) return "prune";
	if (opts.duringFreeze !== undefined && opts.duringFreeze !== saved.duringFreeze) return "during-freeze";
	if (opts.requireSignatures === true && saved.requireSignatures !== true) return "require-signatures";
	return opts.allowedSigners !== undefined && opts.allowedSigners !== saved.allowedSigners ? "allowed-signers" : null;
}

async function whatMoved(saved: PlanFile, digest: string, result: PlanResult): Promise<readonly string[]> {
	if (saved.digest !== digest)
		return [
			`the policies have changed since ${saved.createdAt} (they were ${shortDigest(saved.digest)}, they are ${shortDigest(digest)})`,
		];
	if (result.file === null || result.file.id === saved.id) {
		const { planFileId } = await import("../plan/plan-file.ts");
		// Somebody who edits the steps cannot keep the id, and we carry out our own plan in any case.
		return planFileId(saved.plans) === saved.id ? [] : ["its steps do not have the id that the file claims: it was edited"];
	}
	const { planDifference } = await import("../plan/plan-difference.ts");
	return planDifference(saved.plans, result.file.plans);
}

function readPlanFile(cwd: string, path: string): PlanFile {
	const text = readNamed(cwd, path);
	let parsed: unknown;
	try {
		parsed = JSON.parse(text);
	} catch (cause) {
		throw new TerminalError("BadPlanFile", `cannot read ${path}: it is not JSON`, {
			cause,
			fix: `save a plan again: ecs-access plan --out ${path}`,
		});
	}
	if (!isPlanFile(parsed)) {
		throw new TerminalError("BadPlanFile", `${path} is not a saved plan of this version`, {
			fix: `save one: ecs-access plan --out ${path}`,
		});
	}
	return parsed;
}

function isPlanFile(value: unknown): value is PlanFile {
	const f = value as Partial<PlanFile> | null;
	return (
		typeof f === "object" &&
		f !== null &&
		f.kind === "PlanFile" &&
		f.apiVersion === "ecs-access.dev/v1alpha1" &&
		typeof f.id === "string" &&
		typeof f.digest === "string" &&
		typeof f.createdAt === "string" &&
		typeof f.revision?.id === "string" &&
		typeof f.request === "object" &&
		Array.isArray(f.plans) &&
		f.plans.every((p) => typeof p?.key === "string" && Array.isArray(p.steps))
	);
}

async function remember(library: Library, file: PlanFile): Promise<void> {
	const { git } = file.request;
	if (git === undefined) return;
	const store = await library.store(file.installation);
	const before = await store.getControl(admittedKey(git.url));
	await store.putControl(admittedKey(git.url), file.revision.id, before?.version ?? 0);
}
