import { join, resolve } from "node:path";
import type { Command } from "commander";
import { TerminalError } from "../model/errors.ts";
import type { Artifact } from "../model/resource.ts";
import { escapeTerminal } from "../plan/render/escape.ts";
import { instantWords } from "../plan/render/words.ts";
import { type CliContext, type CliDeps, type ExitCode, verb } from "./context.ts";
import { withFooter } from "./help.ts";
import { openState, type StateOptions } from "./open-state.ts";
import { requestOf, type SourceFlags, withPlace } from "./source-flags.ts";
import { DEFAULT_ROOT } from "./source-root.ts";
import { createSource } from "./sources.ts";
import { stateHome } from "./state-dir.ts";
import { shortRevision } from "./status-words.ts";

interface AdmitOptions extends StateOptions, Omit<SourceFlags, "path"> {
	readonly reason: string;
	readonly yes?: boolean;
}

/** A person's word for a revision that the controller refuses for what it loses (ARCHITECTURE.md, Admission). */
export function registerAdmit(program: Command, deps: CliDeps): void {
	const command = withPlace(
		program
			.command("admit")
			.summary("accept a revision that run refuses for what it loses")
			.description(
				"Give your word for a revision that rewrites history, or that loses platform/, the Installation or the last Guardrail. Kept in the store; run takes the revision at its next look, if it is still what the branch has.",
			)
			.argument("<revision>", "the commit, by its id or the beginning of it, as run and get show it"),
	)
		.requiredOption("--reason <text>", "why it is meant; stands in the history")
		.option("--installation <name>", "the installation, where there are several")
		.option("--yes", "do not ask")
		.action(verb<AdmitOptions>(deps, admitRevision));
	withFooter(command, {
		examples: [
			['ecs-access admit 3f2a91c --reason "history rewritten to drop a leaked key"', "looked up in the clone around ./policies"],
			['ecs-access admit 3f2a91c --git https://github.com/acme/access.git --subdir policies --reason "…"', "without a clone"],
		],
		two: "not confirmed",
	});
}

async function admitRevision(ctx: CliContext, opts: AdmitOptions, args: readonly string[]): Promise<ExitCode> {
	const [given = ""] = args;
	const rev = given.replace(/^sha256:/, "");
	if (!/^[0-9a-f]{7,64}$/.test(rev)) {
		throw new TerminalError("BadRevision", `${JSON.stringify(given)} is no id of a revision`, {
			fix: "a branch or a tag may move: name the commit, by 7 to 64 of 0-9 and a-f",
		});
	}
	const reason = opts.reason.trim();
	if (reason === "") throw new TerminalError("BadOptions", "--reason is empty", { fix: "say why it is meant" });
	const [{ admit, lossesOf }, { giveAdmitWord, readAdmitted }, { loadCatalog }, { createCatalogue }, { personAt }] =
		await Promise.all([
			import("../engine/admission.ts"),
			import("../engine/admitted.ts"),
			import("../engine/catalog.ts"),
			import("../policy/catalogue.ts"),
			import("./pause-words.ts"),
		]);
	const { store, where, installation } = await openState(ctx, opts);
	try {
		const before = store === null ? null : await readAdmitted(store);
		if (store === null || before === null) {
			throw new TerminalError("NothingAdmitted", `${where} knows of no revision that run has admitted`, {
				fix: "the first one that run reads needs no word; if run keeps its state elsewhere, name the source root whose Installation says where: --path",
			});
		}
		const { artifact, descends } = await find(ctx, opts, rev, before.revision);
		const { id } = artifact.revision;
		const name = escapeTerminal(shortRevision(id));
		const catalog = loadCatalog(artifact, { actions: createCatalogue(), defaults: null, now: ctx.clock.now() });
		const decision = admit({ artifact, catalog, before, descends, word: id });
		if (!decision.admitted) {
			throw new TerminalError(decision.reason, `${name} cannot be admitted by anybody: ${decision.message}`, {
				fix: `run ecs-access validate there, correct it and push; a word accepts only what is lost`,
			});
		}
		const losses = lossesOf(decision.summary, before, descends);
		if (id === before.revision || losses.length === 0) {
			ctx.print(`${name} needs no word: ${id === before.revision ? "it is in force" : "it loses nothing"}.\n`);
			return 0;
		}
		ctx.print(`${described(artifact)}\n`);
		ctx.print(`It takes the place of ${escapeTerminal(shortRevision(before.revision))}, in installation ${installation}:\n`);
		for (const l of losses)
			ctx.print(`  ${l.reason}  ${escapeTerminal(l.message.replaceAll(/[0-9a-f]{40,64}/g, shortRevision))}\n`);
		if (opts.yes !== true && !(await ctx.ask("Admit it all the same?", "--yes"))) {
			ctx.print("Nothing was changed.\n");
			return 2;
		}
		const word = { by: personAt(ctx), reason, installation, reconcileId: crypto.randomUUID() };
		await giveAdmitWord(store, word, { revision: id, before, losses }, ctx.clock);
		ctx.print(`Admitted ${name}: run takes it at its next look, if it is what the branch has then.\n`);
		return 0;
	} finally {
		await store?.close();
	}
}

/** The revision as its source has it, and whether it follows the one in force, as far as can be told from here. */
async function find(
	ctx: CliContext,
	opts: AdmitOptions,
	rev: string,
	before: string,
): Promise<{ readonly artifact: Artifact; readonly descends: boolean }> {
	const request = requestOf(opts);
	const settings = { cacheDir: join(stateHome(ctx), "cache") };
	if (request.git !== undefined) {
		const at = { ...request, git: { ...request.git, ref: rev } };
		try {
			return {
				artifact: await (await createSource(ctx, at, { ...settings, previous: before })).fetch(ctx.signal),
				descends: true,
			};
		} catch (error) {
			if (!(error instanceof TerminalError && error.reason === "NotDescendant")) throw error;
			return { artifact: await (await createSource(ctx, at, { ...settings, force: true })).fetch(ctx.signal), descends: false };
		}
	}
	const folder = resolve(ctx.cwd, request.path ?? DEFAULT_ROOT);
	const here = await (await createSource(ctx, request, settings)).fetch(ctx.signal);
	const isHere = here.revision.id.replace(/^sha256:/, "").startsWith(rev);
	// A folder that is followed as it is has no history to descend from.
	if (isHere && here.revision.kind === "directory") return { artifact: here, descends: true };
	const { descendsFrom, readRevision } = await import("../source/revision.ts");
	const artifact = isHere ? here : await readRevision({ folder, rev, root: here.root, env: ctx.env }, ctx.signal);
	const commit = artifact.revision.id;
	const comparable = /^[0-9a-f]{40,64}$/.test(before);
	const descends = !comparable || (await descendsFrom({ folder, commit, ancestor: before, env: ctx.env }, ctx.signal));
	return { artifact, descends };
}

function described({ revision }: Artifact): string {
	const { id, kind, subject, author, committedAt } = revision;
	if (kind === "directory") return `The folder as it is now (${shortRevision(id)})`;
	const when = committedAt === undefined ? "" : `, ${instantWords(committedAt)}`;
	return [`commit ${id}`, `  ${subject ?? ""}`, `  ${author ?? "unknown"}${when}`].map(escapeTerminal).join("\n");
}
