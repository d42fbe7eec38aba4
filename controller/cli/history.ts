import { type Command, InvalidArgumentError } from "commander";
import { instancesOf, keyOf, notFound } from "../engine/find-resource.ts";
import { durationMs } from "../model/duration.ts";
import { instantAt } from "../model/instant.ts";
import type { HistoryEntry } from "../model/status.ts";
import { createPaint } from "../plan/render/palette.ts";
import { instantWords } from "../plan/render/words.ts";
import { type CliContext, type CliDeps, type ExitCode, verb } from "./context.ts";
import { formatOption, withFooter } from "./help.ts";
import { beforeAndAfter, foldHistory, whatWords, whoWords } from "./history-words.ts";
import { openState, type StateOptions } from "./open-state.ts";
import { positive } from "./positive.ts";
import { age } from "./table.ts";

interface HistoryOptions extends StateOptions {
	readonly format: "text" | "json" | "yaml";
	readonly limit: number;
	readonly since?: string;
}

/** Who did what, when, why, from which commit, and what it was before and after. */
export function registerHistory(program: Command, deps: CliDeps): void {
	const command = program
		.command("history")
		.summary("who did what, when and why")
		.description("What was written to AWS or seen to have changed: who, what, when, why, before and after, and the commit.")
		.argument("[key...]", "KIND/NAME, or the name of an AccessPolicy")
		.option("--since <time>", "RFC 3339, or an age: 36h, 7d", sinceOf)
		.option("--limit <n>", "how many entries, newest first", positive, 20)
		.option("--path <dir>", "the source root whose Installation is meant (default: policies)")
		.option("--installation <name>", "the installation, where there are several")
		.addOption(formatOption(["text", "json", "yaml"]))
		.action(verb<HistoryOptions>(deps, history));
	withFooter(command, {
		examples: [
			["ecs-access history", "the last 20 entries of all"],
			["ecs-access history orders-api --since 7d", "one policy, the last week"],
		],
		two: "never from this command",
	});
}

async function history(ctx: CliContext, opts: HistoryOptions, args: readonly string[]): Promise<ExitCode> {
	const { store, where } = await openState(ctx, opts);
	try {
		if (store === null) {
			if (opts.format !== "text") ctx.print(await list(opts.format, []));
			ctx.note(`nothing is recorded in ${where}: ecs-access apply records what it does\n`);
			return 0;
		}
		const since = opts.since === undefined ? {} : { since: instantOf(opts.since, ctx.clock.millis()) };
		const read = (key?: string): Promise<readonly HistoryEntry[]> =>
			store.history({ ...since, ...(key === undefined ? {} : { key }), limit: opts.limit + 1 });
		const keys =
			args.length === 0
				? [undefined]
				: await keysOf(
						args,
						(await store.listStatus()).map((s) => s.key),
						read,
					);
		const found = (await Promise.all(keys.map(read))).flat().toSorted((a, b) => (a.at < b.at ? 1 : a.at > b.at ? -1 : 0));
		const entries = found.slice(0, opts.limit);
		if (opts.format !== "text") {
			ctx.print(await list(opts.format, entries));
			return 0;
		}
		const paint = createPaint(ctx.color.stdout);
		for (const folded of foldHistory(entries)) {
			const { entry, times } = folded;
			const repeated = times === 1 ? "" : `  (x${times} over ${age(folded.since, entry.at)})`;
			const lines = [
				`${paint("dim", instantWords(entry.at))}  ${paint("bold", entry.key)}  ${whatWords(entry)}${repeated}`,
				`    ${whoWords(entry)}`,
				...beforeAndAfter(entry, paint, ctx.verbose).map((l) => `    ${l}`),
			];
			ctx.print(`${lines.join("\n")}\n`);
		}
		if (entries.length === 0) ctx.note("nothing has happened yet\n");
		if (found.length > entries.length)
			ctx.note(`these are the newest ${opts.limit}; there are older ones: --limit ${opts.limit * 5} shows more\n`);
		return 0;
	} finally {
		await store?.close();
	}
}

/** What has no status any more may still have a history. */
async function keysOf(
	args: readonly string[],
	known: readonly string[],
	read: (key: string) => Promise<readonly unknown[]>,
): Promise<readonly string[]> {
	const key = await keyOf(args);
	const instances = instancesOf(key, known);
	if (instances.length > 0) return instances;
	if ((await read(key)).length > 0) return [key];
	throw notFound(key, known);
}

async function list(format: "json" | "yaml", items: readonly unknown[]): Promise<string> {
	const { structured } = await import("./structured.ts");
	return structured(format, { apiVersion: "ecs-access.dev/v1alpha1", kind: "HistoryList", items });
}

const AGE = /^\d{1,6}[smhd]$/;

function sinceOf(text: string): string {
	if (!AGE.test(text) && Number.isNaN(Date.parse(text)))
		throw new InvalidArgumentError("it is a time such as 2026-11-24T09:00:00Z, or an age such as 36h");
	return text;
}

function instantOf(since: string, nowMillis: number): string {
	const age = durationMs(since);
	return instantAt(age === null ? Date.parse(since) : nowMillis - age);
}
