import { bindingDifference, bindingDigest, isOurs, type TaskPlace } from "../model/binding.ts";
import type { Finding } from "../model/finding.ts";
import type { Arn, StepId } from "../model/ids.ts";
import type { BindingCall, Change, NewRevision, Step, StepState } from "../model/plan.ts";
import type { Fact } from "../model/reference.ts";
import {
	type Binding,
	type Deployment,
	type Existing,
	type FamilyState,
	type ServiceState,
	type Target,
	targetId,
} from "../model/target.ts";
import type { AccessChange } from "../policy/access.ts";
import { bindingAccess, type RoleSeen, roleAt, roleName } from "./binding-access.ts";
import { revisionsReference, whyNotEnforced } from "./binding-references.ts";
import { afterRoles, roleAfter } from "./binding-roles.ts";
import { change } from "./draft.ts";
import type { PlanInput } from "./input.ts";
import { boundBefore, earlierTry, primaryOf, rivalOf, rolloutOf, taskWords, underWay } from "./rollout.ts";
import { verifyWorkload, type Workload, type WorkloadDiff } from "./workloads.ts";

export interface BindingPlanning {
	/** The steps on this instance's roles, which come first. */
	readonly roleSteps: readonly Step[];
	/** A guardrail's word on a step that is ready. */
	readonly decide: (step: Step) => StepState;
}

/** What the step itself mends is not said a second time. */
const MENDED: ReadonlySet<string> = new Set(["BindingMismatch", "SecretMissing", "SecretDiffers"]);

/**
 * What `binding: Enforce` wants done for one service or family: at most one step. Pure; AWS is the memory (KINDS.md,
 * Binding): the tags of revisions say which are ours and for what, the service's deployments what became of them.
 */
export function planBinding(d: Workload, input: PlanInput, planning: BindingPlanning): WorkloadDiff {
	const verified = verifyWorkload(d, input);
	const live = input.observed.get(targetId(d.target));
	if (live?.exists !== true || live.unreadable !== undefined || !("taskDefinition" in live.state)) return verified;
	const { state } = live;
	const why = whyNotEnforced(state) ?? (runsUs(state, input) ? "it runs this program" : null);
	const w = wishOf(d, live as Existing<"ecs.service" | "ecs.family">, state, input, planning);
	if (why !== null) {
		const message = `${w.subject} is only looked at, although git says binding: Enforce: ${why}`;
		return { steps: [], findings: [...verified.findings, w.finding("BindingNotEnforced", message, "write binding: Verify")] };
	}
	const difference = bindingDifference(d.wanted.binding, state, w.place);
	if (Object.keys(difference).length === 0) return withFindings(verified, settle(w));
	const bound = bind(w, difference);
	const said = bound.unmended === true ? verified.findings : verified.findings.filter((f) => !MENDED.has(f.id));
	return { steps: bound.steps, findings: [...said, ...bound.findings] };
}

/** Who rolls itself does not see how it ends. */
function runsUs({ taskRole }: Binding, { ownRoles }: PlanInput): boolean {
	return taskRole !== null && ownRoles?.has(roleName(taskRole).toLowerCase()) === true;
}

function withFindings(verified: WorkloadDiff, more: WorkloadDiff): WorkloadDiff {
	return { steps: more.steps, findings: [...verified.findings, ...more.findings] };
}

interface Wish {
	readonly d: Workload;
	readonly live: Existing<"ecs.service" | "ecs.family">;
	readonly state: ServiceState | FamilyState;
	readonly subject: string;
	readonly place: TaskPlace;
	readonly input: PlanInput;
	readonly planning: BindingPlanning;
	readonly history: Fact | undefined;
	readonly finding: (id: string, message: string, fix?: string) => Finding;
}

function wishOf(
	d: Workload,
	live: Wish["live"],
	state: ServiceState | FamilyState,
	input: PlanInput,
	planning: BindingPlanning,
): Wish {
	const subject = `${d.target.type === "ecs.service" ? "service" : "family"} ${d.target.name}`;
	return {
		d,
		live,
		state,
		subject,
		place: { region: d.target.region, account: d.target.account },
		input,
		planning,
		history: input.facts.get(revisionsReference(d.target, state.taskDefinition)),
		finding: (id, message, fix) => ({
			id,
			severity: "warning",
			message,
			origin: d.origin,
			key: input.key,
			subject,
			...(fix !== undefined && { fix }),
		}),
	};
}

/** It is, or will be, as git says; of what we rolled out the end is awaited, or it is taken back. */
function settle(w: Wish): WorkloadDiff {
	const { state } = w;
	if (!("controller" in state) || !isOurs(state, w.d.wanted.binding, w.place)) return NOTHING;
	const primary = primaryOf(state);
	const rollout = rolloutOf(state, w.input.now);
	if (primary === null || rollout.is === "done") return NOTHING;
	const name = revisionName(state.taskDefinition);
	if (rollout.is === "going") return waits(w, "rollout", `${name} is being rolled out, ${taskWords(primary)}`, []);
	if (isPaused(w.history))
		return waits(w, "rollout", `the deployment of ${name} stands at a hook until somebody lets it go on`, []);
	return takeBack(w, state, primary, rollout.reason);
}

function isPaused(history: Fact | undefined): boolean {
	return history?.type === "ecs.revisions" && history.deployments[0]?.paused === true;
}

function takeBack(w: Wish, state: ServiceState, primary: Deployment, reason: string): WorkloadDiff {
	const base = state.bound?.base ?? "";
	const [from, to] = [revisionName(primary.taskDefinition), revisionName(base)];
	const known = w.history?.type === "ecs.revisions" ? w.history.revisions.find((r) => r.arn === base) : undefined;
	// Nobody has to approve that a service goes back to what it ran, so what it means for its access is said, not asked.
	const access: AccessChange =
		known === undefined
			? { effect: "unknown", gains: [], losses: [] }
			: bindingAccess(state, known.binding, (arn) => roleAt(arn, w.input), w.input);
	const step = stepOf(w, {
		call: { api: "ecs:UpdateService", input: { ...serviceOf(w.d.target), taskDefinition: base } },
		why: "failed",
		diff: [change("~", "binding", "task definition", { from, to, origin: w.d.origin })],
		access,
		before: state.taskDefinition,
		after: base,
	});
	return {
		steps: [suspended(w, step)],
		findings: [w.finding("BindingFailed", `${w.subject} goes back to ${to}: the rollout of ${from} failed (${reason})`)],
	};
}

interface Bound extends WorkloadDiff {
	/** No step mends what differs, so that must still be said. */
	readonly unmended?: boolean;
}

/** It differs from git: a step that binds it, or why there is none now. */
function bind(w: Wish, difference: Partial<Binding>): Bound {
	const { d, state, history } = w;
	const base = state.taskDefinition;
	const wanted = d.wanted.binding;
	const diff = changesOf(state, difference, d.origin);
	const flight = "controller" in state ? underWay(state) : null;
	if (history?.type === "ecs.revisions") {
		const tried = earlierTry(history, wanted, base);
		// The service is read a moment late: what was just begun is no failure.
		if (tried?.status === "PENDING" || tried?.status === "IN_PROGRESS") {
			return waits(w, "rollout", `${revisionName(tried.taskDefinition)} is being rolled out`, diff);
		}
		if (tried !== null) return failed(w, tried.taskDefinition, tried.reason ?? statusWords(tried.status), diff);
	}
	if (flight !== null) {
		return waits(w, "rollout", `a deployment of ${revisionName(flight.taskDefinition)} is under way, ${taskWords(flight)}`, diff);
	}
	if (history?.type !== "ecs.revisions") {
		const reason = history?.type === "unknown" ? history.reason : "not looked at";
		return {
			...waits(w, "reference", `what was rolled out to ${w.subject} before cannot be read (${reason})`, diff),
			unmended: true,
		};
	}
	const rival = rivalOf(history, wanted, base, w.place);
	if (rival !== null) return contested(w, rival.arn, rival.registeredBy, diff);
	const missing = missingContainers(state, difference);
	if (missing.length > 0) {
		return { ...waits(w, "reference", `${revisionName(base)} has no container ${missing.join(", ")}`, diff), unmended: true };
	}
	const drifted = boundBefore(history, wanted, w.place);
	// It is reported as in Verify.
	if (drifted && d.wanted.drift === "Report") return { ...NOTHING, unmended: true };
	const after = (arn: Arn): RoleSeen => roleAfter(arn, w.planning.roleSteps, w.input);
	const step = stepOf(w, {
		call: callOf(w, { base, binding: wanted, digest: bindingDigest(wanted, base) }),
		why: drifted ? "drifted" : "spec-changed",
		diff,
		access: bindingAccess(state, difference, after, w.input),
		before: partOf(state, difference),
		after: difference,
	});
	const placed = afterRoles(step, w.planning.roleSteps, w.input);
	if (placed.state !== "ready") return { steps: [placed], findings: [] };
	const decided = suspended(w, { ...placed, state: w.planning.decide(placed) });
	return { steps: [decided], findings: [] };
}

function failed(w: Wish, revision: Arn, reason: string, diff: readonly Change[]): WorkloadDiff {
	const name = revisionName(revision);
	const message = `${w.subject} is back on ${revisionName(w.state.taskDefinition)}: the rollout of ${name} failed (${reason})`;
	const fix = "change the policy, or deploy another task definition: the same is not tried again";
	const waiting = waits(w, "failed", `${name} was rolled out and did not stay: ${reason}`, diff);
	return { steps: waiting.steps, findings: [w.finding("BindingFailed", message, fix)] };
}

function contested(w: Wish, revision: Arn, by: Arn | null, diff: readonly Change[]): WorkloadDiff {
	const who = by === null ? "somebody" : by;
	const detail = `${who} has replaced the binding twice in a row, the last time with ${revisionName(revision)}`;
	const name = w.input.resource.metadata.name;
	const fix = `let the pipeline register what git says: ecs-access render task-definition FILE --policy ${name}`;
	const waiting = waits(w, "contested", detail, diff);
	return { steps: waiting.steps, findings: [w.finding("BindingContested", `${w.subject}: ${detail}`, fix)] };
}

const NOTHING: WorkloadDiff = { steps: [], findings: [] };

function waits(w: Wish, waiting: Exclude<StepState, "ready">["waiting"], detail: string, diff: readonly Change[]): WorkloadDiff {
	const step = stepOf(w, {
		call: { api: "none" },
		why: "spec-changed",
		diff,
		access: { effect: "none", gains: [], losses: [] },
		before: null,
		after: null,
	});
	return { steps: [{ ...step, precondition: null, state: { waiting, detail, origin: w.d.origin } }], findings: [] };
}

function stepOf(w: Wish, s: Pick<Step, "call" | "why" | "diff" | "before" | "after"> & { readonly access: AccessChange }): Step {
	const { access, ...rest } = s;
	return {
		id: `${targetId(w.d.target)}#1` satisfies StepId,
		target: w.d.target,
		...rest,
		...access,
		precondition: w.live.fingerprint,
		after_: [],
		settle: 0,
		state: "ready",
	};
}

function suspended(w: Wish, step: Step): Step {
	if (w.d.wanted.suspended !== true || step.state !== "ready") return step;
	return { ...step, state: { waiting: "suspended", detail: `${w.input.key} says suspend: true`, origin: w.input.origin } };
}

function callOf(w: Wish, revision: NewRevision): BindingCall {
	const { target } = w.d;
	return target.type === "ecs.service"
		? { api: "ecs:UpdateService", input: { ...serviceOf(target), ...revision } }
		: { api: "ecs:RegisterTaskDefinition", input: { family: target.name, ...revision } };
}

function serviceOf(target: Target): { readonly cluster: string; readonly service: string } {
	const slash = target.name.indexOf("/");
	return { cluster: target.name.slice(0, slash), service: target.name.slice(slash + 1) };
}

function missingContainers(state: ServiceState | FamilyState, difference: Partial<Binding>): readonly string[] {
	const named = Object.keys(difference.secrets ?? {}).map((place) => place.slice(0, place.lastIndexOf("/")));
	return [...new Set(named)].filter((name) => !state.containers.includes(name));
}

/** What of a binding a step writes, as it is before it. */
function partOf(live: Binding, difference: Partial<Binding>): Partial<Binding> {
	const secrets = Object.keys(difference.secrets ?? {}).flatMap((name) => {
		const ref = live.secrets[name];
		return ref === undefined ? [] : [[name, ref] as const];
	});
	return {
		...(difference.taskRole !== undefined && { taskRole: live.taskRole }),
		...(difference.executionRole !== undefined && { executionRole: live.executionRole }),
		...(difference.secrets !== undefined && { secrets: Object.fromEntries(secrets) }),
	};
}

function changesOf(live: Binding, difference: Partial<Binding>, origin: Change["origin"]): readonly Change[] {
	const line = (name: string, from: string | null, to: string | null): Change =>
		change(from === null ? "+" : to === null ? "-" : "~", "binding", name, { from, to, origin });
	const roles = (
		[
			["task role", "taskRole"],
			["execution role", "executionRole"],
		] as const
	).flatMap(([name, field]) => {
		const to = difference[field];
		return to === undefined ? [] : [line(name, live[field], to)];
	});
	const secrets = Object.entries(difference.secrets ?? {}).map(([name, to]) =>
		line(`secret ${name}`, live.secrets[name] ?? null, to),
	);
	return [...roles, ...secrets];
}

function statusWords(status: string): string {
	return status === "SUCCESSFUL" ? "somebody put the old one back" : status.toLowerCase().replace(/_/g, " ");
}

/** `orders-api:8`. */
function revisionName(arn: Arn): string {
	return arn.slice(arn.lastIndexOf("/") + 1);
}
