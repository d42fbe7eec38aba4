import { type Command, Option } from "commander";
import { TerminalError } from "../model/errors.ts";
import type { PlanRequest } from "../model/plan.ts";
import { positive } from "./positive.ts";

export interface SourceFlags {
	readonly path?: string;
	readonly git?: string;
	readonly ref?: string;
	readonly subdir?: string;
	readonly only?: readonly string[];
	readonly prune?: boolean;
	readonly force?: boolean;
	readonly requireSignatures?: boolean;
	readonly allowedSigners?: string;
	/** Of the verbs that have it: see withFreezeFlag. */
	readonly duringFreeze?: string;
}

/** Where the policies come from and which of them; the same on every verb that plans. */
export function withSourceFlags(command: Command): Command {
	return command
		.option("--path <dir>", "a folder of policies (default: policies)")
		.addOption(new Option("--git <url>", "a git repository instead").conflicts("path"))
		.option("--ref <ref>", "branch, tag or commit of --git (default: its default branch)")
		.option("--subdir <dir>", "the source root inside --git")
		.option("--only <kind/name...>", "plan only these; never removes anything")
		.option("--prune", "also remove what is ours in AWS and gone from the source")
		.option("--force", "take a revision of --git that does not descend from the last one applied")
		.addOption(requireSignatures())
		.addOption(allowedSigners());
}

const requireSignatures = (): Option =>
	new Option("--require-signatures", "take only a commit of --git signed by one of --allowed-signers");
const allowedSigners = (): Option => new Option("--allowed-signers <file>", "ssh allowed signers file for --require-signatures");

/** A person's word against the windows of the Installation; on the verbs that plan what a person will apply. */
export function withFreezeFlag(command: Command): Command {
	return command.option("--during-freeze <reason>", "go on though a window of the Installation freezes changes; recorded");
}

/** What a controller is told of its source. */
export interface FollowFlags
	extends Pick<SourceFlags, "path" | "git" | "ref" | "subdir" | "requireSignatures" | "allowedSigners"> {
	readonly credentialsSecret?: string;
	readonly knownHosts?: string;
}

/** The source that a controller follows; which of its resources and whether it removes is not the flags' to say. */
export function withFollowFlags(command: Command): Command {
	return command
		.option("--path <dir>", "a folder of policies, read again and again (default: policies)")
		.addOption(new Option("--git <url>", "a git repository instead").conflicts("path"))
		.option("--ref <branch>", "the branch of --git that is in force (default: the Installation's, else its default branch)")
		.option("--subdir <dir>", "the source root inside --git")
		.option("--credentials-secret <secret>", "Secrets Manager secret that opens --git (default: the Installation's)")
		.option("--known-hosts <file>", "ssh host keys of --git that are trusted (default: the Installation's)")
		.addOption(new Option("--poll <seconds>", "between two looks at the source").argParser(positive).default(15))
		.addOption(requireSignatures())
		.addOption(allowedSigners());
}

/** Where the policies come from, for what concerns them as a whole. */
export function withPlace(command: Command): Command {
	return command
		.option("--path <dir>", "a folder of policies (default: policies)")
		.addOption(new Option("--git <url>", "a git repository instead").conflicts("path"))
		.option("--ref <ref>", "branch, tag or commit of --git (default: its default branch)")
		.option("--subdir <dir>", "the source root inside --git")
		.option("--require-signatures", "take only a commit of --git signed by one of --allowed-signers")
		.option("--allowed-signers <file>", "ssh allowed signers file for --require-signatures");
}

/** What is recorded in the plan, so that `apply plan.json` can ask again the same way. Throws TerminalError on contradictions. */
export function requestOf(flags: SourceFlags & FollowFlags): PlanRequest {
	if (flags.git === undefined) {
		for (const name of ["ref", "subdir", "requireSignatures", "allowedSigners", "credentialsSecret", "knownHosts"] as const) {
			if (flags[name] !== undefined) {
				throw new TerminalError("BadOptions", `--${name.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`)} goes with --git`);
			}
		}
	}
	return {
		...(flags.git === undefined
			? { path: flags.path ?? "policies" }
			: {
					git: {
						url: flags.git,
						...(flags.ref === undefined ? {} : { ref: flags.ref }),
						...(flags.subdir === undefined ? {} : { subdir: flags.subdir }),
					},
				}),
		...(flags.only === undefined ? {} : { only: flags.only }),
		prune: flags.prune === true,
		...(flags.requireSignatures === true ? { requireSignatures: true } : {}),
		...(flags.allowedSigners === undefined ? {} : { allowedSigners: flags.allowedSigners }),
		...(flags.duringFreeze === undefined ? {} : { duringFreeze: freezeReason(flags.duringFreeze) }),
	};
}

function freezeReason(text: string): string {
	const reason = text.trim();
	if (reason === "") throw new TerminalError("BadOptions", "--during-freeze is empty", { fix: "say why it cannot wait" });
	return reason;
}
