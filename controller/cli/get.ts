import { type Command, Option } from "commander";
import { instancesOf, keyOf, kindOf, notFound } from "../engine/find-resource.ts";
import type { Status } from "../model/status.ts";
import { type CliContext, type CliDeps, type ExitCode, verb } from "./context.ts";
import { withFooter } from "./help.ts";
import { openState, type StateOptions } from "./open-state.ts";
import { notePause, noteRefused } from "./pause-words.ts";
import { parseSelector } from "./selector.ts";
import { readyOf, shortRevision, splitKey, statusWords } from "./status-words.ts";
import { age, table } from "./table.ts";

interface GetOptions extends StateOptions {
	readonly format: "text" | "wide" | "name" | "json" | "yaml";
	readonly selector?: string;
	readonly notReady?: boolean;
}

/** What is in force and how it stands, from the last pass's status; nothing is read from AWS. */
export function registerGet(program: Command, deps: CliDeps): void {
	const command = program
		.command("get")
		.summary("what is in force, and how it stands")
		.description("List what apply recorded last; nothing is read from AWS.")
		.argument("[kind]", "a kind (accesspolicies), KIND/NAME, or the name of an AccessPolicy")
		.argument("[name]", "one of it")
		.addOption(
			new Option("-o, --format <format>", "how to print the result")
				.choices(["text", "wide", "name", "json", "yaml"])
				.default("text"),
		)
		.option("-l, --selector <labels>", "only what bears these labels: team=orders,env!=dev")
		.option("--not-ready", "only what is not Ready")
		.option("--path <dir>", "the source root whose Installation is meant (default: policies)")
		.option("--installation <name>", "the installation, where there are several")
		.action(verb<GetOptions>(deps, get));
	withFooter(command, {
		examples: [
			["ecs-access get", "everything that is known"],
			["ecs-access get accesspolicies --not-ready", "what waits or fails"],
			["ecs-access get accesspolicy orders-api -o yaml", "one of them, in full"],
		],
		two: "never from this command",
	});
}

async function get(ctx: CliContext, opts: GetOptions, args: readonly string[]): Promise<ExitCode> {
	const { store, where } = await openState(ctx, opts);
	try {
		const all = (await store?.listStatus()) ?? [];
		const named = await select(all, args);
		const matches = opts.selector === undefined ? () => true : parseSelector(opts.selector);
		const shown = named.filter((s) => matches(s.labels ?? {}) && (opts.notReady !== true || readyOf(s) !== "True"));
		await notePause(ctx, store);
		await noteRefused(ctx, store);
		ctx.print(await listing(opts.format, shown, ctx.clock.now()));
		const hidden = named.length - shown.length;
		if (store === null) ctx.note(`nothing is recorded in ${where}: ecs-access apply records what it finds\n`);
		else if (named.length === 0) ctx.note("nothing of that kind is recorded\n");
		else if (hidden > 0 && opts.format === "text")
			ctx.note(
				`${shown.length === 0 ? "none of" : `${shown.length} of`} ${named.length} shown: ${filters(opts)} leaves out the rest\n`,
			);
		return 0;
	} finally {
		await store?.close();
	}
}

/** The flags that leave something out, as they are typed. */
function filters(opts: GetOptions): string {
	const given = [opts.selector === undefined ? "" : `--selector ${opts.selector}`, opts.notReady === true ? "--not-ready" : ""];
	return given.filter((f) => f !== "").join(" ");
}

async function select(all: readonly Status[], args: readonly string[]): Promise<readonly Status[]> {
	const [word] = args;
	if (word === undefined) return all;
	const policies = instancesOf(
		`AccessPolicy/${word}`,
		all.map((s) => s.key),
	);
	if (args.length === 1 && !word.includes("/") && policies.length === 0) {
		const kind = await kindOf(word);
		return all.filter((s) => splitKey(s.key).kind === kind);
	}
	const key = await keyOf(args);
	const known = all.map((s) => s.key);
	const keys = instancesOf(key, known);
	if (keys.length === 0) throw notFound(key, known);
	return all.filter((s) => keys.includes(s.key));
}

async function listing(format: GetOptions["format"], items: readonly Status[], now: string): Promise<string> {
	switch (format) {
		case "name":
			return items.map((s) => `${s.key}\n`).join("");
		case "json":
		case "yaml": {
			const { structured } = await import("./structured.ts");
			return structured(format, { apiVersion: "ecs-access.dev/v1alpha1", kind: "StatusList", items });
		}
		case "text":
		case "wide":
			return items.length === 0 ? "" : statusTable(items, now, format === "wide");
	}
}

function statusTable(items: readonly Status[], now: string, wide: boolean): string {
	// One kind needs no column that says so.
	const mixed = new Set(items.map((s) => splitKey(s.key).kind)).size > 1;
	const header = ["NAME", "ACCOUNT", "READY", "STATUS", "REVISION", "AGE", ...(wide ? ["LAST LOOKED AT", "OWNS"] : [])];
	const rows = items.map((s) => [
		mixed ? s.key : splitKey(s.key).name,
		s.account,
		readyOf(s),
		statusWords(s, now),
		shortRevision(s.lastAppliedRevision ?? s.lastAttemptedRevision),
		age(s.firstSeen, now),
		...(wide ? [`${age(s.updatedAt, now)} ago`, s.inventory.map((e) => e.target.name).join(", ")] : []),
	]);
	return table(header, rows);
}
