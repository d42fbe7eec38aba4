import type { Announcement, AnnouncementDetail, AnnouncementType } from "../model/announcement.ts";
import { digest } from "../model/digest.ts";
import type { Drift } from "../model/drift.ts";
import { TerminalError } from "../model/errors.ts";
import type { Finding } from "../model/finding.ts";
import type { Pause } from "../model/halt.ts";
import type { Arn, ResourceKey } from "../model/ids.ts";
import type { Plan, Step, Waiting } from "../model/plan.ts";
import type { Clock } from "../model/ports.ts";
import { type Target, targetId } from "../model/target.ts";
import { driftedPart, driftParts } from "../plan/drift.ts";
import type { StepRun } from "./execute.ts";
import type { ManagerEvent } from "./manager.ts";
import type { Pass } from "./pass.ts";

export interface AnnounceDeps {
	readonly installation: string;
	readonly clock: Clock;
	/** The pause in force, as the last pass found it. */
	readonly paused: () => Pause | null;
	/** Documents that cannot be planned, and why. */
	readonly stalled: () => ReadonlyMap<ResourceKey, readonly Finding[]>;
	readonly announce: (announcement: Announcement) => void;
}

/** A message is for a person's screen, and an event has a limit. */
const LONGEST_MESSAGE = 2_000;

/**
 * Makes announcements of what a manager tells. What lasts (a stall, a contest, a pause, a revision) is announced when it
 * begins, and once more by a process that starts while it lasts; what happens is announced when it happens.
 */
export function createAnnounce(deps: AnnounceDeps): (event: ManagerEvent) => void {
	/** By resource: what of it was last announced to stall. */
	const stands = new Map<ResourceKey, string>();
	let revision: string | null = null;
	let paused: Pause | null = null;

	const say = (
		type: AnnouncementType,
		message: string,
		more: Partial<AnnouncementDetail>,
		resources: readonly Arn[] = [],
	): void => {
		const cut = message.length > LONGEST_MESSAGE ? `${message.slice(0, LONGEST_MESSAGE - 1)}…` : message;
		const detail = { ...NOTHING, ...more, installation: deps.installation, message: cut };
		deps.announce({ type, at: deps.clock.now(), resources, detail });
	};
	/** Once for as long as it stands. */
	const sayOnce = (
		key: ResourceKey,
		type: AnnouncementType,
		message: string,
		more: Partial<AnnouncementDetail>,
		resources: readonly Arn[] = [],
	): void => {
		const standing = digest([type, more.reason ?? null, more.part ?? null, more.target ?? null]);
		if (stands.get(key) === standing) return;
		stands.set(key, standing);
		say(type, message, { ...more, key }, resources);
	};

	const tellPause = (): void => {
		const now = deps.paused();
		if (now?.since === paused?.since && now?.by === paused?.by) return;
		if (now !== null) {
			say("Paused", `paused by ${now.by} until ${now.until}: ${now.reason}`, {
				actor: now.by,
				since: now.since,
				until: now.until,
			});
		} else say("Resumed", "the pause has ended", { since: paused?.since ?? null });
		paused = now;
	};

	const tellRun = (run: StepRun, pass: Pass): void => {
		const { plan, step, outcome, error } = run;
		const of = detailOf(plan, pass, step);
		const resources = resourcesOf(step.target, plan, pass);
		const what = `${step.call.api} on ${targetWords(step.target)} (${step.why}): ${changesOf(step)}`;
		if (error !== null) {
			const reason = error instanceof TerminalError ? error.reason : error.name;
			say("Step Failed", `failed ${what}: ${error.message}`, { ...of, reason }, resources);
		} else if (outcome?.result === "applied") {
			say("Step Applied", `applied ${what}`, of, resources);
			if (step.why === "expired")
				say("Access Expired", `removed from ${targetWords(step.target)} what has expired: ${changesOf(step)}`, of, resources);
		}
	};

	const tellDrift = (drift: Drift, plan: Plan, pass: Pass): void => {
		const { target, part, culprit, since } = drift;
		const account = pass.file.accounts.find((a) => a.account.name === plan.account)?.account;
		if (account === undefined) return;
		const found = driftParts(plan, { account, observed: new Map() }).find(
			(p) => p.part === part && targetId(p.target) === targetId(target),
		);
		const step = plan.steps.find((s) => driftedPart(s) === part && targetId(s.target) === targetId(target));
		const by = culprit === null ? "" : ` by ${culprit.arn}`;
		const then =
			step === undefined ? "it is left so" : step.state === "ready" ? "it is healed" : `it waits: ${step.state.waiting}`;
		const more = { ...detailOf(plan, pass, step), target, part, why: "drifted", since, culprit };
		say(
			"Drift Detected",
			`${targetWords(target)} has changed${by}: ${found?.words ?? part}; ${then}`,
			more,
			resourcesOf(target, plan, pass),
		);
	};

	/** What does not go on by itself: a commit or a person must act. */
	const tellStall = (plan: Plan, pass: Pass): void => {
		const waiting = (w: Waiting): Step | undefined => plan.steps.find((s) => s.state !== "ready" && s.state.waiting === w);
		const contest = waiting("contested");
		const failed = waiting("failed");
		const run = pass.execution.runs.find((r) => r.plan === plan && r.error instanceof TerminalError);
		if (contest !== undefined && contest.state !== "ready") {
			const drift = plan.drifts?.find((d) => d.culprit !== null && targetId(d.target) === targetId(contest.target));
			const more = { ...detailOf(plan, pass, contest), reason: "Contested", culprit: drift?.culprit ?? null };
			sayOnce(
				plan.key,
				"Resource Contested",
				`${targetWords(contest.target)}: ${contest.state.detail}`,
				more,
				resourcesOf(contest.target, plan, pass),
			);
		} else if (failed !== undefined && failed.state !== "ready") {
			const more = { ...detailOf(plan, pass, failed), reason: "RolloutFailed" };
			sayOnce(
				plan.key,
				"Resource Stalled",
				`${targetWords(failed.target)}: ${failed.state.detail}`,
				more,
				resourcesOf(failed.target, plan, pass),
			);
		} else if (run?.error instanceof TerminalError) {
			const more = { ...detailOf(plan, pass, run.step), reason: run.error.reason };
			sayOnce(plan.key, "Resource Stalled", run.error.message, more, resourcesOf(run.step.target, plan, pass));
		} else if (!pass.lastGood.has(plan.key)) stands.delete(plan.key);
	};

	const tellPass = (pass: Pass): void => {
		for (const plan of pass.file.plans) {
			for (const drift of plan.drifts ?? []) if (!drift.recorded) tellDrift(drift, plan, pass);
			for (const run of pass.execution.runs) if (run.plan === plan) tellRun(run, pass);
			tellStall(plan, pass);
		}
	};

	return (event) => {
		tellPause();
		switch (event.type) {
			case "applied":
			case "looked":
				return tellPass(event.pass);
			case "admitted":
				if (event.revision !== revision) {
					const message = `revision ${event.revision} is in force: ${event.keys} resources, ${event.changed} of them changed`;
					say("Revision Admitted", message, { revision: event.revision });
				}
				revision = event.revision;
				for (const [key, [first]] of deps.stalled()) {
					const why =
						first === undefined
							? "the document is not valid"
							: `${first.origin === null ? "" : `${first.origin.path}:${first.origin.line} `}${first.message}`;
					sayOnce(key, "Resource Stalled", `${key}: ${why}`, {
						revision: event.revision,
						reason: first?.id ?? "InvalidDocument",
					});
				}
				return;
			case "refused": {
				const { revision: refused, reason, message } = event;
				return say("Revision Refused", `revision ${refused} is refused, the last good one stays in force: ${message}`, {
					revision: refused,
					reason,
				});
			}
		}
	};
}

const NOTHING: Omit<AnnouncementDetail, "installation" | "message"> = {
	key: null,
	account: null,
	accountId: null,
	target: null,
	part: null,
	api: null,
	why: null,
	effect: null,
	reason: null,
	since: null,
	until: null,
	revision: null,
	reconcileId: null,
	planId: null,
	actor: null,
	culprit: null,
};

function detailOf(plan: Plan, { file, reconcileId }: Pass, step: Step | undefined): Partial<AnnouncementDetail> {
	const found = file.accounts.find((a) => a.account.name === plan.account);
	const part = step === undefined ? null : driftedPart(step);
	const drift =
		part === null
			? undefined
			: plan.drifts?.find((d) => d.part === part && targetId(d.target) === targetId(step?.target ?? d.target));
	return {
		key: plan.key,
		account: plan.account,
		accountId: found?.account.accountId ?? null,
		revision: file.revision.id,
		reconcileId,
		planId: plan.id,
		actor: found?.caller?.arn ?? null,
		...(step !== undefined && { target: step.target, part, api: step.call.api, why: step.why, effect: step.effect }),
		...(drift !== undefined && { since: drift.since, culprit: drift.culprit }),
	};
}

/** By name alone: what stands in documents and values is nothing for a channel. */
function changesOf(step: Step): string {
	const words = step.diff.map((c) => `${c.op} ${c.what}${c.name === "" || c.name === c.what ? "" : ` ${c.name}`}`);
	return words.length === 0 ? "no change" : words.join(", ");
}

function targetWords(t: Target): string {
	return `${t.type.replace(/^[a-z]+\./, "")} ${t.name}`;
}

/** Of a role only where a step knows its path. */
function resourcesOf(target: Target, plan: Plan, { file }: Pass): readonly Arn[] {
	const partition = file.accounts.find((a) => a.account.name === plan.account)?.account.partition ?? "aws";
	if (target.type === "ecs.service") return [`arn:${partition}:ecs:${target.region}:${target.account}:service/${target.name}`];
	if (target.type !== "iam.role") return [];
	const path = plan.steps.find((s) => s.path !== undefined && targetId(s.target) === targetId(target))?.path;
	return path === undefined ? [] : [`arn:${partition}:iam::${target.account}:role${path}${target.name}`];
}
