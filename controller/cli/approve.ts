import { existsSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { type Command, Option } from "commander";
import { shortDigest } from "../model/digest.ts";
import { durationMs } from "../model/duration.ts";
import { TerminalError } from "../model/errors.ts";
import type { Digest, ResourceKey } from "../model/ids.ts";
import { instantAt } from "../model/instant.ts";
import type { Plan, PlanFile } from "../model/plan.ts";
import { approvalName } from "../plan/approval.ts";
import { escapeTerminal } from "../plan/render/escape.ts";
import { type CliContext, type CliDeps, type ExitCode, verb } from "./context.ts";
import { withFooter } from "./help.ts";
import { openLibrary } from "./library.ts";
import { requestOf, type SourceFlags, withSourceFlags } from "./source-flags.ts";
import { writeAll } from "./write-files.ts";

interface ApproveOptions extends SourceFlags {
	readonly reason: string;
	readonly expires: string;
}

/** An approval is for what somebody has just looked at; what nobody applied in a week is looked at again. */
const DEFAULT_EXPIRY = "7d";

/** Plans again, and writes the Approval document of what waits; committing it, and its review, is the approval. */
export function registerApprove(program: Command, deps: CliDeps): void {
	const command = withSourceFlags(
		program
			.command("approve")
			.summary("write the Approval document of steps that wait")
			.description(
				"Plan again, find what waits under the id, and write the Approval to commit. It takes effect once it is in the source.",
			)
			.argument("<id>", "the approval id that plan shows, or the beginning of it"),
	)
		.addOption(new Option("--reason <text>", "why it may be done; stands in the document").makeOptionMandatory())
		.option("--expires <in>", "how long it holds: 12h, 7d", DEFAULT_EXPIRY)
		.action(verb<ApproveOptions>(deps, approve));
	withFooter(command, {
		examples: [['ecs-access approve b04d77e1 --reason "reviewed with security"', "writes policies/platform/approvals/…yaml"]],
	});
}

async function approve(ctx: CliContext, opts: ApproveOptions, args: readonly string[]): Promise<ExitCode> {
	const request = requestOf(opts);
	if (request.path === undefined) {
		throw new TerminalError("BadOptions", "an Approval is written into a folder: use --path with a work tree, not --git");
	}
	const expiresAt = expiry(opts.expires, ctx.clock.millis());
	const library = await openLibrary(ctx);
	try {
		const planned = await library.plan(request, { shown: true });
		if (planned.result.file === null) return await library.printInvalid(planned);
		const plan = find(planned.result.file, args[0] ?? "");
		const root = resolve(ctx.cwd, request.path);
		const name = freeName(root, plan.key, ctx.clock.now().slice(0, 10));
		const folder = join(root, "platform", "approvals");
		const { stringify } = await import("yaml");
		const document = {
			apiVersion: "ecs-access.dev/v1alpha1",
			kind: "Approval",
			metadata: { name },
			spec: { approvalId: plan.approvalId, reason: opts.reason, expiresAt },
		};
		await writeAll(folder, new Map([[`${name}.yaml`, stringify(document)]]), { replace: false }, ctx.signal);
		const shown = relative(ctx.cwd, join(folder, `${name}.yaml`));
		ctx.print(`Wrote ${escapeTerminal(shown)}: approves ${escapeTerminal(planSummary(plan))}, until ${expiresAt}.\n`);
		ctx.print(`Next: commit it, have it reviewed, then: ecs-access apply\n`);
		return 0;
	} finally {
		await library.close();
	}
}

/** Throws TerminalError for a prefix that nothing, or more than one thing, waits under. */
function find(file: PlanFile, prefix: string): Plan & { readonly approvalId: Digest } {
	const wanted = prefix.replace(/^sha256:/, "");
	if (!/^[0-9a-f]{4,64}$/.test(wanted)) {
		throw new TerminalError(
			"BadApprovalId",
			`${JSON.stringify(prefix)} is no approval id: 4 to 64 of 0-9 and a-f, as plan shows it`,
		);
	}
	const waiting = file.plans.filter((p): p is Plan & { readonly approvalId: Digest } => p.approvalId !== null);
	const [found, ...more] = waiting.filter((p) => p.approvalId.startsWith(`sha256:${wanted}`));
	if (found === undefined) {
		const ids = waiting.map((p) => `${shortDigest(p.approvalId)} (${p.key})`);
		throw new TerminalError("UnknownApproval", `nothing waits for approval under ${wanted}`, {
			fix: ids.length === 0 ? "nothing waits for approval at all: ecs-access plan" : `what waits: ${ids.join(", ")}`,
		});
	}
	if (more.length > 0) {
		const ids = [found, ...more].map((p) => `${p.approvalId.slice(7, 23)} (${p.key})`);
		throw new TerminalError("AmbiguousApproval", `${wanted} is the beginning of several approval ids`, {
			fix: `give more of it: ${ids.join(", ")}`,
		});
	}
	return found;
}

/** `orders-api-2026-11-24`, numbered when that day has one already. */
function freeName(root: string, key: ResourceKey, day: string): string {
	for (let n = 1; ; n++) {
		const name = approvalName(key, n === 1 ? day : `${day}-${n}`);
		if (!existsSync(join(root, "platform", "approvals", `${name}.yaml`))) return name;
	}
}

function planSummary(plan: Plan): string {
	const steps = plan.steps.filter((s) => s.state !== "ready" && (s.state.waiting === "approval" || s.state.waiting === "budget"));
	return `${steps.length} ${steps.length === 1 ? "step" : "steps"} of ${plan.key} (${shortDigest(plan.approvalId ?? "")})`;
}

function expiry(text: string, nowMs: number): string {
	const ms = /^[1-9][0-9]{0,3}[hd]$/.test(text) ? durationMs(text) : null;
	if (ms === null)
		throw new TerminalError("BadOptions", `--expires ${JSON.stringify(text)} is no duration: use hours or days, 12h or 7d`);
	return instantAt(nowMs + ms);
}
