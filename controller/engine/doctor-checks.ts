import type { Account } from "../model/account.ts";
import type { DoctorAccount, Quotas, TriedCall } from "../model/doctor.ts";
import { deadLetterOf, type EventHome } from "../model/event-home.ts";
import type { Finding } from "../model/finding.ts";
import type { InstallationSpec } from "../model/generated/specs.ts";
import type { Instant } from "../model/ids.ts";
import type { CatalogView } from "../model/kind.ts";
import { permissionFor } from "../model/permissions.ts";
import type { PlanFile } from "../model/plan.ts";
import type { AccountAccess, Clock, Store } from "../model/ports.ts";
import { haltAt } from "../plan/halt.ts";
import { commandWords, count, targetWords } from "../plan/render/words.ts";
import { type Answer, type Check, failed, failedBy, ok, skipped, warning } from "./doctor.ts";
import type { CanaryOutcome } from "./doctor-canary.ts";
import { readPause } from "./pause.ts";

/** One installation, as far as its source could be read, and how each part of it is asked. Each probe may reject. */
export interface Patient {
	readonly clock: Clock;
	/** `policies @ content d6058208`. */
	readonly source: string;
	/** What is wrong with the documents. */
	readonly mistakes: readonly Finding[];
	readonly view: CatalogView;
	readonly spec: InstallationSpec;
	readonly accounts: readonly { readonly account: Account; readonly access: AccountAccess; readonly doctor: DoctorAccount }[];
	/** Throws TerminalError `NoEventHome`. */
	readonly home: () => EventHome;
	/** Null: the source is a folder, and the Installation names no repository. */
	readonly git: { readonly url: string; readonly tip: (signal: AbortSignal) => Promise<string | null> } | null;
	readonly store: {
		/** A file or a table. */
		readonly name: string;
		/** Null: a private one. */
		readonly problems: ((signal: AbortSignal) => Promise<readonly string[]>) | null;
		/** Null: nothing was ever recorded. Opened once. */
		readonly open: () => Promise<Store | null>;
		readonly holder: (store: Store) => Promise<{ readonly heldBy: string; readonly until: Instant } | null>;
	};
	/** What `triggers plan` shows; planned once. */
	readonly triggers: () => Promise<PlanFile>;
	/** Null: nothing may be written. Run once; by account name. */
	readonly canary: (() => Promise<ReadonlyMap<string, CanaryOutcome>>) | null;
}

/** Every check of an installation, in the order in which they are shown. */
export function checksOf(patient: Patient): readonly Check[] {
	const whole: readonly Check[] = [
		{ id: "source", account: null, needs: [], run: async () => ok(`${patient.source} can be read`) },
		{ id: "git", account: null, needs: [], run: (signal) => gitAnswer(patient, signal) },
		{ id: "policies", account: null, needs: [], run: async () => policiesAnswer(patient) },
		{ id: "mode", account: null, needs: [], run: async () => ok(modeWords(patient.spec)) },
		{ id: "clock", account: null, needs: [], run: (signal) => clockAnswer(patient, signal) },
		{ id: "store", account: null, needs: [], run: (signal) => storeAnswer(patient, signal) },
		{ id: "lease", account: null, needs: ["store"], run: () => leaseAnswer(patient) },
		{ id: "pause", account: null, needs: ["store"], run: () => pauseAnswer(patient) },
	];
	const each = patient.accounts.flatMap(({ account, access, doctor }): readonly Check[] => {
		const of = { account: account.name };
		return [
			{ id: "credentials", ...of, needs: [], run: (signal) => credentialsAnswer(account, access, signal) },
			{ id: "permissions", ...of, needs: ["credentials"], run: (signal) => permissionsAnswer(account, doctor, signal) },
			{ id: "quotas", ...of, needs: ["credentials"], run: async (signal) => quotasAnswer(await doctor.quotas(signal)) },
			{ id: "triggers", ...of, needs: ["policies", "credentials"], run: () => triggersAnswer(account, patient) },
			...(isHome(account, patient) ? queueChecks(doctor, patient, of.account) : []),
			{ id: "writes", ...of, needs: ["credentials", "pause"], run: () => canaryAnswer(account, patient, "writes") },
			{ id: "events", ...of, needs: ["credentials", "pause"], run: () => canaryAnswer(account, patient, "events") },
		];
	});
	return [...whole, ...each];
}

function isHome(account: Account, { home }: Patient): boolean {
	try {
		return home().account.name === account.name;
	} catch {
		return false;
	}
}

async function gitAnswer({ git }: Patient, signal: AbortSignal): Promise<Answer> {
	if (git === null) return skipped("the source is a folder, and the Installation names no repository (spec.git.url)");
	const tip = await git.tip(signal);
	return ok(tip === null ? `${git.url} answers` : `${git.url} answers: ${tip.slice(0, 7)}`);
}

function policiesAnswer({ mistakes }: Patient): Answer {
	const [first] = mistakes.filter((m) => m.severity === "error");
	if (first === undefined) return ok("no document is mistaken");
	const where = first.origin === null ? "" : ` at ${first.origin.path}:${first.origin.line}`;
	return failed(
		`${count(mistakes.filter((m) => m.severity === "error").length, "mistake")}, the first${where}: ${first.message}`,
		"run ecs-access validate; run keeps to the last good revision meanwhile",
	);
}

function modeWords({ mode }: InstallationSpec): string {
	return mode === "Enforce"
		? "Enforce: run plans, and applies what is ready"
		: "Observe: run plans and reports, and writes nothing; apply does as its person says";
}

/** AWS itself refuses signatures 5 minutes off, and the SDK makes up for that; approvals, ends and pauses go by this clock. */
const MOST_SKEW_SECONDS = 60;

async function clockAnswer({ clock, accounts }: Patient, signal: AbortSignal): Promise<Answer> {
	const [first] = accounts;
	if (first === undefined) return skipped("there is no Account to ask");
	const asked = clock.millis();
	const told = await first.doctor.serverTime(signal);
	if (told === null) return skipped("AWS did not answer");
	// The header says whole seconds: half of one is in the middle of what it may mean.
	const skew = Math.round((clock.millis() + asked) / 2 - (told + 500)) / 1000;
	const seconds = Math.round(Math.abs(skew));
	const words = seconds <= 1 ? "agrees with AWS" : `is ${seconds} s ${skew > 0 ? "ahead of" : "behind"} AWS`;
	if (seconds <= MOST_SKEW_SECONDS) return ok(`this machine's clock ${words}`);
	return failed(
		`this machine's clock ${words}: grants, approvals, pauses and the lease end at the wrong time`,
		"synchronise it (chrony, systemd-timesyncd; on AWS with 169.254.169.123)",
	);
}

async function storeAnswer({ store }: Patient, signal: AbortSignal): Promise<Answer> {
	const problems = (await store.problems?.(signal)) ?? [];
	if (problems.length > 0) return failed(problems.join("; "), "the message says what to do; docs/concepts.md, A shared store");
	const open = await store.open();
	if (open === null) {
		return store.problems === null
			? ok(`${store.name}: nothing is recorded yet`)
			: ok(`${store.name} is as it must be; nothing is recorded yet`);
	}
	const empty = await open.empty();
	const what = empty ? "nothing is recorded yet" : "status and history can be read";
	return ok(store.problems === null ? `${store.name}: ${what}; of this machine only` : `${store.name} is as it must be: ${what}`);
}

async function leaseAnswer({ store }: Patient): Promise<Answer> {
	const open = await store.open();
	const held = open === null ? null : await store.holder(open);
	return ok(held === null ? "free: nobody writes at this moment" : `held by ${held.heldBy}, until ${held.until} unless renewed`);
}

async function pauseAnswer({ store, view, clock }: Patient): Promise<Answer> {
	const halt = haltAt(view, await readPause(await store.open(), clock.millis()), clock.now());
	if (halt === null) return ok("neither paused nor frozen");
	return warning(`${halt.detail}: nothing is written`, [halt.advice, halt.command].filter((w) => w !== undefined).join(" "));
}

async function credentialsAnswer(account: Account, access: AccountAccess, signal: AbortSignal): Promise<Answer> {
	const { accountId, arn, alias } = await access.caller(signal);
	const how = account.assumeRole === null ? "" : ", by assumeRole";
	return ok(`${accountId}${alias === null ? "" : ` (${alias})`} as ${arn}${how}`);
}

/** What only some do without is no failure of everything else. */
function isOptional({ action }: TriedCall): boolean {
	return /optional|binding: Enforce only|triggers only/.test(permissionFor(action).why);
}

async function permissionsAnswer(account: Account, doctor: DoctorAccount, signal: AbortSignal): Promise<Answer> {
	if (account.region === null) return failed("no region is set", "set AWS_REGION, or region in the Account");
	const tried = await doctor.tryReads(signal);
	const denied = tried.filter((t) => t.outcome === "denied");
	const unclear = tried.filter((t) => t.outcome === "unclear");
	const needed = denied.filter((t) => !isOptional(t));
	const list = (calls: readonly TriedCall[]): string =>
		calls.map((t) => `${t.action} (${permissionFor(t.action).why})`).join(", ");
	if (needed.length > 0) {
		return failed(
			`${needed.length} of ${tried.length} reads are refused: ${list(needed)}`,
			"allow them to who is named under credentials: docs/getting-started.md has the policy; a permissions boundary or an SCP may refuse, too",
		);
	}
	if (denied.length > 0) return warning(`all reads that every plan needs are allowed; refused: ${list(denied)}`);
	if (unclear.length > 0) {
		const first = unclear[0]?.said ?? "";
		return warning(`${unclear.length} of ${tried.length} reads gave no clear answer: ${list(unclear)}; ${first}`);
	}
	return ok(`${count(tried.length, "read")} tried, all allowed; writes cannot be tried without writing`);
}

/** From here on somebody should ask AWS for more. */
const NEARLY_FULL = 0.9;

function quotasAnswer({ roles, rolesQuota, inlineSize, trustSize, attachments }: Quotas): Answer {
	if (roles === undefined || rolesQuota === undefined) return warning("AWS does not say how many roles there are and may be");
	const more = [
		...(trustSize === undefined ? [] : [`trust policy ${trustSize} characters`]),
		...(inlineSize === undefined ? [] : [`inline policies ${inlineSize}`]),
		...(attachments === undefined ? [] : [`${attachments} attachments`]),
	];
	const words = `${roles} of ${rolesQuota} roles used${more.length === 0 ? "" : `; a role: ${more.join(", ")}`}`;
	const fix = "ask for more: Service Quotas, IAM, Roles per account; or delete roles that nobody uses";
	if (roles >= rolesQuota) return failed(`${words}: no role can be created`, fix);
	return roles >= rolesQuota * NEARLY_FULL ? warning(words, fix) : ok(words);
}

const MOST_NAMED = 3;

async function triggersAnswer(account: Account, patient: Patient): Promise<Answer> {
	const file = await patient.triggers();
	const error = file.accounts.find((a) => a.account.name === account.name)?.error;
	if (error != null) return failedBy(new Error(error));
	const plans = file.plans.filter((p) => p.account === account.name);
	const steps = plans.flatMap((p) => p.steps);
	const names = [...new Set(steps.map((s) => targetWords(s.target, s.path)))];
	if (names.length > 0) {
		const rest = names.length > MOST_NAMED ? `, and ${names.length - MOST_NAMED} more` : "";
		const waits = steps.find((s) => s.state !== "ready");
		const why = waits === undefined || waits.state === "ready" ? "" : `; waits: ${waits.state.detail}`;
		return failed(
			`missing, or not as they must be: ${names.slice(0, MOST_NAMED).join(", ")}${rest}${why}`,
			`run ${commandWords("apply", file)}`,
		);
	}
	const [strange] = [...plans.flatMap((p) => p.findings), ...file.findings].filter((f) => f.severity !== "note");
	if (strange !== undefined) return warning(strange.message, strange.fix);
	return ok(
		`all ${count(
			plans.reduce((n, p) => n + p.unchanged, 0),
			"queue, rule or role",
			"queues, rules and roles",
		)} are there`,
	);
}

function queueChecks(doctor: DoctorAccount, patient: Patient, account: string): readonly Check[] {
	const needs = ["credentials"] as const;
	return [
		{ id: "queue", account, needs, run: (signal) => queueAnswer(doctor, patient.home(), signal) },
		{ id: "dead-letters", account, needs: ["queue"], run: (signal) => deadLettersAnswer(doctor, patient.home(), signal) },
	];
}

/** More than a controller takes in a minute: nobody listens. */
const BACKLOG = 1_000;

async function queueAnswer(doctor: DoctorAccount, { queue, region }: EventHome, signal: AbortSignal): Promise<Answer> {
	const found = await doctor.queue(queue, signal);
	if (found === null) {
		return failed(
			`there is no event queue ${queue} in ${region}: only the resync sees what others change`,
			"run ecs-access triggers apply",
		);
	}
	// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-troubleshooting.html: the key's policy must let EventBridge use it.
	if (found.kmsKey === "alias/aws/sqs") {
		return failed(
			`queue ${queue} is encrypted with alias/aws/sqs, which EventBridge may not use: nothing is delivered`,
			"use SSE-SQS, or a key of your own whose policy lets events.amazonaws.com use it",
		);
	}
	const words = `${queue} in ${region}: ${count(found.messages, "message")} waiting`;
	if (found.messages >= BACKLOG) return warning(words, "is run at work? its log says whether events are heard");
	return ok(`${words}${found.kmsKey === null ? "" : `; encrypted with ${found.kmsKey}, whose policy must let EventBridge in`}`);
}

async function deadLettersAnswer(doctor: DoctorAccount, home: EventHome, signal: AbortSignal): Promise<Answer> {
	const name = deadLetterOf(home.queue);
	const found = await doctor.queue(name, signal);
	if (found === null) return failed(`there is no dead-letter queue ${name}`, "run ecs-access triggers apply");
	if (found.messages === 0) return ok(`${name} is empty`);
	return warning(
		`${count(found.messages, "message")} in ${name}: events that could not be delivered, or that no parser takes`,
		`look at them with aws sqs receive-message; their attributes say why; then purge ${name}`,
	);
}

async function canaryAnswer(account: Account, { canary }: Patient, which: "writes" | "events"): Promise<Answer> {
	if (canary === null) {
		return skipped(
			which === "writes"
				? "cannot be tried without writing"
				: "whether a change comes back as an event is not known without a change",
			"run ecs-access doctor --canary: it changes a role of its own and takes it away again",
		);
	}
	return (await canary()).get(account.name)?.[which] ?? skipped("no canary was sent there");
}
