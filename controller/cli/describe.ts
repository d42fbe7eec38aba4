import type { Command } from "commander";
import { instancesOf, keyOf, notFound } from "../engine/find-resource.ts";
import type { HistoryEntry, InventoryEntry, Status } from "../model/status.ts";
import { readApplied } from "../plan/applied.ts";
import { escapeTerminal } from "../plan/render/escape.ts";
import { createPaint, type Paint } from "../plan/render/palette.ts";
import { rotationLines } from "../plan/render/rotation-text.ts";
import { instantWords, principalsOf, statementWords, targetWords } from "../plan/render/words.ts";
import { type CliContext, type CliDeps, type ExitCode, verb } from "./context.ts";
import { formatOption, withFooter } from "./help.ts";
import { foldHistory, whatWords, whenWords, whoWords } from "./history-words.ts";
import { openState, type StateOptions } from "./open-state.ts";
import { notePause, noteRefused } from "./pause-words.ts";
import { readyOf, shortRevision, splitKey, statusWords } from "./status-words.ts";
import { age } from "./table.ts";
import { workloadLines } from "./workload-words.ts";

interface DescribeOptions extends StateOptions {
	readonly format: "text" | "json" | "yaml";
}

/** History entries that `describe` shows; `history` has the rest. */
const LAST = 10;

/** One resource in full: conditions, access in words, workloads, and what happened last. */
export function registerDescribe(program: Command, deps: CliDeps): void {
	const command = program
		.command("describe")
		.summary("one resource in full")
		.description(
			"Conditions with times, the role's access in words, workloads with the roles and secrets they run with, and the last ten entries of the history.",
		)
		.argument("<key...>", "KIND/NAME, or the name of an AccessPolicy")
		.option("--path <dir>", "the source root whose Installation is meant (default: policies)")
		.option("--installation <name>", "the installation, where there are several")
		.addOption(formatOption(["text", "json", "yaml"]))
		.action(verb<DescribeOptions>(deps, describe));
	withFooter(command, {
		examples: [
			["ecs-access describe orders-api", "an AccessPolicy"],
			["ecs-access describe accesspolicy/orders-api -o json", "for a script"],
		],
		two: "never from this command",
	});
}

async function describe(ctx: CliContext, opts: DescribeOptions, args: readonly string[]): Promise<ExitCode> {
	const key = await keyOf(args);
	const { store } = await openState(ctx, opts);
	try {
		const all = (await store?.listStatus()) ?? [];
		const known = all.map((s) => s.key);
		const keys = instancesOf(key, known);
		if (store === null || keys.length === 0) throw notFound(key, known);
		const items = await Promise.all(
			all
				.filter((s) => keys.includes(s.key))
				// A fold must not cost entries: what is written once per minute would leave room for nothing else.
				.map(async (status) => ({ status, history: await store.history({ key: status.key, limit: LAST * 20 }) })),
		);
		await notePause(ctx, store);
		await noteRefused(ctx, store);
		if (opts.format !== "text") {
			const { structured } = await import("./structured.ts");
			ctx.print(await structured(opts.format, { apiVersion: "ecs-access.dev/v1alpha1", kind: "DescriptionList", items }));
			return 0;
		}
		const paint = createPaint(ctx.color.stdout);
		ctx.print(items.map((i) => `${descriptionLines(paint, i.status, i.history, ctx).join("\n")}\n`).join("\n"));
		return 0;
	} finally {
		await store?.close();
	}
}

function descriptionLines(paint: Paint, s: Status, history: readonly HistoryEntry[], ctx: CliContext): string[] {
	const now = ctx.clock.now();
	const pen = { paint, width: ctx.stdout.columns, verbose: ctx.verbose };
	const { kind, name } = splitKey(s.key);
	const field = (label: string, value: string): string => `${`${label}:`.padEnd(14)}${escapeTerminal(value)}`;
	const labels = Object.entries(s.labels ?? {}).map(([k, v]) => `${k}=${v}`);
	return [
		field("Name", name),
		field("Kind", kind),
		field("Account", s.account),
		...(labels.length === 0 ? [] : [field("Labels", labels.join(", "))]),
		field("Ready", `${readyOf(s)}   ${statusWords(s, now)}`),
		field(
			"Revision",
			`applied ${shortRevision(s.lastAppliedRevision)}, last looked at ${shortRevision(s.lastAttemptedRevision)}`,
		),
		field("Known since", `${instantWords(s.firstSeen)} (${age(s.firstSeen, now)})`),
		"",
		paint("bold", "Conditions"),
		...(s.conditions.length === 0 ? ["  none yet"] : s.conditions.map((c) => conditionLine(c, now))),
		"",
		...s.inventory.filter((e) => e.target.type === "iam.role").flatMap((e) => [...roleLines(paint, e, now, ctx.verbose), ""]),
		...(s.rotation === undefined
			? [paint("bold", "Workloads"), ...workloadLines(s.workloads, paint), ""]
			: [paint("bold", "Rotation"), ...rotationLines(pen, s.rotation, null), ""]),
		paint("bold", "History"),
		...historyLines(history, now, s.key),
	];
}

function conditionLine(c: Status["conditions"][number], now: string): string {
	const since = `${age(c.lastTransitionTime, now)}`;
	return `  ${c.type.padEnd(12)} ${c.status.padEnd(7)} ${since.padEnd(5)} ${escapeTerminal(`${c.reason}${c.message === "" ? "" : `: ${c.message}`}`)}`;
}

/** What the role may do as git said when it was last applied, in words. */
function roleLines(paint: Paint, entry: InventoryEntry, now: string, verbose: boolean): string[] {
	const head = paint("bold", `Access of ${targetWords(entry.target)}`);
	const applied = readApplied(entry);
	if (applied === null) return [head, "  never applied by us: ecs-access plan shows what is there"];
	const when = entry.appliedAt === null ? "" : `, checked ${age(entry.appliedAt, now)} ago`;
	const statements = applied.inline.Statement.map((s) => `  ${statementWords(s, verbose)}`);
	return [
		`${head}${when}`,
		...(statements.length === 0 && applied.managedPolicies.length === 0 ? ["  nothing"] : statements),
		...applied.managedPolicies.map((arn) => `  all that ${escapeTerminal(arn)} allows`),
		...(applied.trust === null ? [] : [`  trusted: ${principalsOf(applied.trust)}`]),
		...(applied.permissionsBoundary === null ? [] : [`  boundary: ${escapeTerminal(applied.permissionsBoundary)}`]),
	];
}

function historyLines(history: readonly HistoryEntry[], now: string, key: string): string[] {
	const folded = foldHistory(history);
	if (folded.length === 0) return ["  nothing yet"];
	const lines = folded.slice(0, LAST).map((f) => `  ${whenWords(f, now).padEnd(18)} ${whatWords(f.entry)}, ${whoWords(f.entry)}`);
	const more = folded.length > LAST ? [`  older: ecs-access history ${key}`] : [];
	return [...lines, ...more];
}
