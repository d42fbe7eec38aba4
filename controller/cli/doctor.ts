import { existsSync } from "node:fs";
import type { Command } from "commander";
import type { Aws } from "../aws/process.ts";
import type { Check, Checked } from "../engine/doctor.ts";
import type { Patient } from "../engine/doctor-checks.ts";
import { TerminalError } from "../model/errors.ts";
import type { InstallationSpec } from "../model/generated/specs.ts";
import type { Store } from "../model/ports.ts";
import type { Artifact } from "../model/resource.ts";
import type { CliContext, CliDeps, ExitCode } from "./context.ts";
import { verb } from "./context.ts";
import { formatOption, withFooter } from "./help.ts";
import { type FollowFlags, requestOf, withPlace } from "./source-flags.ts";
import { storePath } from "./state-dir.ts";

interface DoctorFlags extends FollowFlags {
	readonly canary?: boolean;
	readonly keep?: boolean;
	readonly wait: number;
	readonly yes?: boolean;
	readonly format: "text" | "json" | "yaml";
}

/** Whether an installation has what it needs to work, part by part. */
export function registerDoctor(program: Command, deps: CliDeps): void {
	const command = withPlace(
		program
			.command("doctor")
			.summary("check credentials, permissions, events, store and git")
			.description(
				"Look at everything that run needs, each part by itself, and say of what is not well what to do. Writes nothing but with --canary.",
			),
	)
		.option("--credentials-secret <secret>", "Secrets Manager secret that opens --git (default: the Installation's)")
		.option("--known-hosts <file>", "ssh host keys of --git that are trusted (default: the Installation's)")
		.option("--canary", "also make a role of its own, change it, see whether the event comes, and remove it")
		.option("--wait <seconds>", "how long to wait for that event", seconds, 180)
		.option("--keep", "leave the canary where it is")
		.option("--yes", "do not ask")
		.addOption(formatOption(["text", "json", "yaml"]))
		.action(verb<DoctorFlags>(deps, doctor));
	withFooter(command, {
		examples: [
			["ecs-access doctor", "./policies and all accounts that it names"],
			["ecs-access doctor --canary", "does a change in IAM come back as an event?"],
		],
		two: "the canary was not confirmed",
	});
}

function seconds(text: string): number {
	const value = Number(text);
	if (/^\d{1,4}$/.test(text) && value >= 1 && value <= 3_600) return value;
	throw new TerminalError("BadOptions", `--wait ${JSON.stringify(text)} is no number of seconds from 1 to 3600`);
}

async function doctor(ctx: CliContext, flags: DoctorFlags): Promise<ExitCode> {
	const [{ createAws }, { runChecks }, { doctorReport, renderDoctor }] = await Promise.all([
		import("../aws/process.ts"),
		import("../engine/doctor.ts"),
		import("./doctor-text.ts"),
	]);
	let named = { installation: "default", revision: "none" };
	const aws = createAws({
		clock: ctx.clock,
		cacheDir: null,
		version: ctx.version,
		reconcileId: crypto.randomUUID(),
		installation: () => named.installation,
		revision: () => named.revision,
	});
	const opened: (() => Promise<void>)[] = [];
	try {
		ctx.progress.phase("reading the source");
		const found = await examine(ctx, flags, aws, (n) => {
			named = n;
		});
		opened.push(found.close);
		if (flags.canary === true && flags.yes !== true && found.question !== null) {
			ctx.progress.stop();
			if (!(await ctx.ask(found.question, "--yes"))) {
				ctx.print("Nothing was looked at, and nothing changed.\n");
				return 2;
			}
		}
		const progress = (done: number, total: number): void => ctx.progress.update(done, total, "checks");
		ctx.progress.phase("looking");
		const checked: readonly Checked[] = await runChecks(found.checks, { progress }, ctx.signal);
		ctx.progress.stop();
		const report = doctorReport({ installation: found.installation, checkedAt: ctx.clock.now(), checks: checked });
		ctx.print(await renderDoctor(report, flags.format, ctx.color.stdout));
		return report.counts.failed > 0 ? 1 : 0;
	} finally {
		for (const close of opened) await close();
		aws.close();
	}
}

interface Examination {
	/** Null where the source does not tell. */
	readonly installation: string | null;
	readonly checks: readonly Check[];
	/** What is asked before a canary is sent; null: none will be. */
	readonly question: string | null;
	readonly close: () => Promise<void>;
}

/** What there is to check: all, or without a source what can be said without one. */
async function examine(
	ctx: CliContext,
	flags: DoctorFlags,
	aws: Aws,
	name: (of: { readonly installation: string; readonly revision: string }) => void,
): Promise<Examination> {
	const [{ failedBy, skipped }, { createCatalogue }, { firstLook }] = await Promise.all([
		import("../engine/doctor.ts"),
		import("../policy/catalogue.ts"),
		import("./first-look.ts"),
	]);
	const actions = createCatalogue();
	const readSecret = (id: string, signal: AbortSignal) => aws.readSecret(id, null, signal);
	let first: Awaited<ReturnType<typeof firstLook>>;
	try {
		first = await firstLook(ctx, flags, { actions, readSecret });
	} catch (error) {
		if (ctx.signal.aborted) throw error;
		const answer = failedBy(error);
		const checks: readonly Check[] = [
			{ id: "source", account: null, needs: [], run: async () => answer },
			{
				id: "credentials",
				account: null,
				needs: [],
				run: async (signal) => {
					const { accountId, region } = await aws.self(signal);
					return { result: "ok", message: `the environment's own are of ${accountId}, in ${region}` };
				},
			},
			{
				id: "policies",
				account: null,
				needs: ["source"],
				run: async () => skipped("needs source"),
			},
		];
		return { installation: null, checks, question: null, close: async () => {} };
	}
	const { artifact, view, spec } = first;
	name({ installation: view.installation, revision: artifact.revision.id });
	const { patient, close, question } = await patientOf(ctx, flags, { aws, actions, artifact, spec, readSecret });
	const { checksOf } = await import("../engine/doctor-checks.ts");
	return { installation: view.installation, checks: checksOf(patient), question, close };
}

interface PatientInput {
	readonly aws: Aws;
	readonly actions: ReturnType<typeof import("../policy/catalogue.ts").createCatalogue>;
	readonly artifact: Artifact;
	readonly spec: InstallationSpec;
	readonly readSecret: (id: string, signal: AbortSignal) => ReturnType<Aws["readSecret"]>;
}

async function patientOf(ctx: CliContext, flags: DoctorFlags, input: PatientInput) {
	const [{ loadCatalog }, { mistakesOf }, { eventHome }, { parseStoreUrl }, { leaseHolder }, { shortRevision }] =
		await Promise.all([
			import("../engine/catalog.ts"),
			import("../engine/validate.ts"),
			import("../model/event-home.ts"),
			import("../model/store-url.ts"),
			import("../store/lease.ts"),
			import("./status-words.ts"),
		]);
	const { aws, actions, artifact, spec, readSecret } = input;
	const load = (defaults: { readonly accountId: string; readonly region: string } | null) =>
		loadCatalog(artifact, { actions, defaults, now: ctx.clock.now() });
	let catalog = load(null);
	// Who cannot be asked is told of by the check of the credentials.
	const isVague = catalog.view.accounts.some((a) => a.accountId === null || a.region === null);
	if (isVague) catalog = await aws.self(ctx.signal).then(load, () => catalog);
	const { view } = catalog;
	const { installation } = view;
	const accounts = view.accounts.map((account) => ({
		account,
		access: aws.access(account),
		doctor: aws.doctor(account),
	}));
	const home = () => eventHome(view.accounts, installation, spec.events);
	const ref = spec.store === undefined ? null : parseStoreUrl(spec.store);
	const path = storePath(ctx, installation);
	const open = once(async (): Promise<Store | null> => {
		if (ref !== null) return aws.openStore(ref, { make: false }, ctx.signal);
		if (!existsSync(path)) return null;
		const { openStore } = await import("../store/sqlite.ts");
		return openStore({ path });
	});
	const triggers = once(async () => {
		const { planTriggersAll } = await import("../engine/triggers.ts");
		const self = (signal: AbortSignal) => aws.self(signal);
		const byName = new Map(accounts.map((a) => [a.account.name, a.access]));
		const access: Parameters<typeof planTriggersAll>[1]["access"] = (a) => byName.get(a.name) ?? aws.access(a);
		const { withoutSecrets } = await import("./library.ts");
		const { file } = await planTriggersAll(
			{ artifact, request: withoutSecrets(requestOf(flags)) },
			{ actions, access, self, clock: ctx.clock, progress: () => {} },
			ctx.signal,
		);
		if (file === null) throw new Error("the documents are mistaken");
		return file;
	});
	const patient: Patient = {
		clock: ctx.clock,
		source: `${artifact.root} @ ${shortRevision(artifact.revision.id)}`,
		mistakes: mistakesOf(catalog, ctx.clock.now()),
		view,
		spec,
		accounts,
		home,
		git: await gitOf(ctx, flags, spec, readSecret),
		store: {
			name: spec.store ?? path,
			problems: ref === null ? null : (signal) => aws.checkStore(ref, signal),
			open,
			holder: async (store) => leaseHolder((await store.getControl("lease"))?.value, ctx.clock.millis()),
		},
		triggers,
		canary: flags.canary === true ? once(() => sendCanary(ctx, flags, { installation, accounts, home, open })) : null,
	};
	const close = async (): Promise<void> => {
		const store = await open().catch(() => null);
		await store?.close();
	};
	return { patient, close, question: questionOf(flags, patient, installation) };
}

async function gitOf(
	ctx: CliContext,
	flags: DoctorFlags,
	spec: InstallationSpec,
	readSecret: PatientInput["readSecret"],
): Promise<Patient["git"]> {
	const url = flags.git ?? spec.git?.url;
	if (url === undefined) return null;
	const [{ followSource }, { withoutSecrets }] = await Promise.all([import("./follow.ts"), import("./library.ts")]);
	const { path: _, ...others } = flags;
	const shown = withoutSecrets({ git: { url }, prune: false }).git?.url ?? url;
	return {
		url: shown,
		tip: (signal) => followSource(ctx, { ...others, git: url }, { spec: spec.git, readSecret }).peek(signal),
	};
}

/** Only in accounts that are the declared ones, and while nobody has paused. */
async function sendCanary(
	ctx: CliContext,
	flags: DoctorFlags,
	{
		installation,
		accounts,
		home,
		open,
	}: Pick<Patient, "accounts" | "home"> & {
		readonly installation: string;
		readonly open: () => Promise<Store | null>;
	},
) {
	const [{ runCanary }, { readPause }, { skipped }, { pauseWords }] = await Promise.all([
		import("../engine/doctor-canary.ts"),
		import("../engine/pause.ts"),
		import("../engine/doctor.ts"),
		import("../plan/halt.ts"),
	]);
	const pause = await readPause(await open(), ctx.clock.millis());
	if (pause !== null) {
		const answer = skipped(`${pauseWords(pause)}: no canary is sent`, "ecs-access resume");
		return new Map(accounts.map((a) => [a.account.name, { writes: answer, events: answer }]));
	}
	const at = accounts.find((a) => a.account.name === home().account.name);
	if (at === undefined) throw new Error("where events come to is none of the Accounts");
	await at.access.caller(ctx.signal);
	const known = await Promise.all(
		accounts.map((a) =>
			a.access.caller(ctx.signal).then(
				() => [a],
				() => [],
			),
		),
	);
	return runCanary(
		{
			installation,
			home: home(),
			at: at.doctor,
			accounts: known.flat(),
			waitSeconds: flags.wait,
			keep: flags.keep === true,
			clock: ctx.clock,
			progress: (words) => ctx.progress.phase(words),
		},
		ctx.signal,
	);
}

function questionOf(flags: DoctorFlags, { accounts }: Patient, installation: string): string {
	const names = accounts.map((a) => a.account.name).join(", ");
	const end = flags.keep === true ? "and leave it there" : "and remove it again";
	return `Make a role that nobody can assume in ${names}, a queue and a rule for its events (installation ${installation}), change its tags, ${end}?`;
}

function once<T>(work: () => Promise<T>): () => Promise<T> {
	let running: Promise<T> | undefined;
	return () => {
		running ??= work();
		return running;
	};
}
