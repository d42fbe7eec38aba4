import { Command, Option } from "commander";
import { registerAdmit } from "./admit.ts";
import { registerApply } from "./apply.ts";
import { registerApprove } from "./approve.ts";
import { registerBootstrap } from "./bootstrap.ts";
import { registerCompletion } from "./completion.ts";
import { type CliDeps, LOG_LEVELS } from "./context.ts";
import { registerDescribe } from "./describe.ts";
import { registerDoctor } from "./doctor.ts";
import { registerExplain } from "./explain-verb.ts";
import { registerForget } from "./forget.ts";
import { registerGet } from "./get.ts";
import { commandLineError, exitCodes } from "./help.ts";
import { registerHistory } from "./history.ts";
import { registerImport } from "./import.ts";
import { registerInit } from "./init.ts";
import { registerPause } from "./pause.ts";
import { registerPlan } from "./plan.ts";
import { registerPolicy } from "./policy.ts";
import { registerReconcile } from "./reconcile.ts";
import { registerRender } from "./render.ts";
import { registerResume } from "./resume.ts";
import { registerRotate } from "./rotate.ts";
import { registerRun } from "./run.ts";
import { registerTriggers } from "./triggers.ts";
import { registerValidate } from "./validate.ts";

/**
 * Adds one verb to the program. A verb's file imports only what it needs to describe itself; its action imports the
 * rest when it runs, so that `--help` and `--version` stay quick.
 */
type RegisterVerb = (program: Command, deps: CliDeps) => void;

/** In the order of the help: what one does first, first. */
const VERBS: readonly RegisterVerb[] = [
	registerInit,
	registerImport,
	registerValidate,
	registerPlan,
	registerApply,
	registerRun,
	registerReconcile,
	registerRotate,
	registerTriggers,
	registerDoctor,
	registerBootstrap,
	registerPause,
	registerResume,
	registerApprove,
	registerAdmit,
	registerForget,
	registerGet,
	registerDescribe,
	registerHistory,
	registerExplain,
	registerRender,
	registerPolicy,
	registerCompletion,
];

/** The whole command tree; `completion` is generated from it. */
export function createProgram(deps: CliDeps): Command {
	const program = new Command("ecs-access")
		.description("Access of ECS workloads from YAML in git: IAM roles, planned, applied and kept as git says.")
		.version(deps.version, "-V, --version", "print the version")
		.addOption(new Option("-v, --verbose", "everything in full: access lines, calls, causes of errors"))
		.addOption(new Option("--no-color", "no colour, also on a terminal (as NO_COLOR)"))
		.addOption(new Option("--log-level <level>", "logs on stderr").choices(LOG_LEVELS).default("warn"))
		.addOption(
			new Option("--state-dir <dir>", "where status and history lie (default: $XDG_STATE_HOME/ecs-access/<installation>)"),
		)
		.helpOption("-h, --help", "print this help")
		.helpCommand("help [command]", "print the help of a command")
		.configureHelp({ showGlobalOptions: true })
		.configureOutput({
			writeOut: deps.stdout.write,
			writeErr: deps.stderr.write,
			getOutHelpWidth: () => deps.stdout.columns,
			getErrHelpWidth: () => deps.stderr.columns,
			getOutHasColors: () => false,
			getErrHasColors: () => false,
			outputError: (message, write) => write(`error  ${commandLineError(message)}\n`),
		})
		.exitOverride()
		.addHelpText("after", `\n${exitCodes()}\n\nStart with: ecs-access init    then: ecs-access validate, ecs-access plan`);
	for (const register of VERBS) register(program, deps);
	return program;
}
