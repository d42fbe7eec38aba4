import { homedir } from "node:os";
import { join } from "node:path";
import { TerminalError } from "../model/errors.ts";
import type { CliContext } from "./context.ts";

/** `$XDG_STATE_HOME/ecs-access/<installation>`, or `--state-dir` as it is given. */
function stateDirOf(ctx: Pick<CliContext, "env" | "stateDir">, installation: string): string {
	return ctx.stateDir ?? join(stateHome(ctx), installation);
}

/** Where the state of every installation lies that has no `--state-dir` of its own. */
export function stateHome(ctx: Pick<CliContext, "env">): string {
	// The specification: an unset, empty or relative value is as if it were the default.
	const xdg = ctx.env.XDG_STATE_HOME;
	const base = xdg?.startsWith("/") ? xdg : join(ctx.env.HOME ?? homedir(), ".local", "state");
	return join(base, "ecs-access");
}

/** The store's file in a state directory. */
export function storePath(ctx: Pick<CliContext, "env" | "stateDir">, installation: string): string {
	// The name becomes a folder: nothing that could lead out of the state directory.
	if (!/^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/.test(installation)) {
		throw new TerminalError("InvalidInstallation", `installation name ${JSON.stringify(installation)} is not a DNS-1123 label`);
	}
	return join(stateDirOf(ctx, installation), "state.sqlite");
}
