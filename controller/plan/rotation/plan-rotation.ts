import type { Desired } from "../../model/desired.ts";
import type { Finding } from "../../model/finding.ts";
import type { Step } from "../../model/plan.ts";
import type { RotationView } from "../../model/rotation-view.ts";
import { type Existing, targetId } from "../../model/target.ts";
import type { PlanInput } from "../input.ts";
import { back } from "./back.ts";
import { begin, overlapWords } from "./begin.ts";
import { carry, retire } from "./carry.ts";
import { type Aim, forwardAim, type Sorted, sortConsumers } from "./consumers.ts";
import { make } from "./make.ts";
import { consumersReference } from "./references.ts";
import { type Cause, causeOf, type Sight, sightOf } from "./sight.ts";
import { marks, secretStep, waitStep } from "./steps.ts";
import { viewOf } from "./view.ts";

export interface RotationDiff {
	readonly steps: readonly Step[];
	readonly findings: readonly Finding[];
	readonly view: RotationView | null;
}

/**
 * What the rotation of one secret wants done: the next step, and no more. Level-based: labels, marks, deployments and tasks
 * say how far it is, so whoever plans it next goes on from there, whatever happened in between. Pure.
 */
export function planRotation(d: Desired<"secretsmanager.secret">, input: PlanInput): RotationDiff {
	const observed = input.observed.get(targetId(d.target));
	if (observed?.exists !== true)
		return cannot(
			d,
			input,
			`secret ${d.target.name} does not exist`,
			"make it, or correct its name: a rotation makes values, not secrets",
		);
	if (observed.unreadable !== undefined) return cannot(d, input, observed.unreadable);
	const secret = observed as Existing<"secretsmanager.secret">;
	if (secret.state.deletedAt !== null)
		return cannot(d, input, `secret ${d.target.name} is being deleted`, "restore it, or delete its SecretRotation");
	const s = lookAt(d, secret, input);
	const aim = s.promoted ? forwardAim(s.mark("promotedAt") ?? s.now) : null;
	const sorted = sortConsumers(s, aim, input.ownRoles);
	const cause = s.id === null ? causeOf(s) : null;
	const next = nextOf(s, cause, sorted, aim, input);
	const steps = next.steps.map((step) => held(step, secret, s));
	return {
		steps,
		findings: [...consumerFindings(s, sorted, input), ...rotationFindings(s, cause, input)],
		view: viewOf(s, cause, next.sorted, steps),
	};
}

function lookAt(d: Desired<"secretsmanager.secret">, secret: Existing<"secretsmanager.secret">, input: PlanInput): Sight {
	const glance = { installation: input.installation, key: input.key, now: input.now, ask: input.asked?.get(input.key) ?? null };
	const fact = input.facts.get(consumersReference(d, secret));
	return sightOf(d, secret, glance, {
		consumers: fact?.type === "secret.consumers" ? fact.consumers : null,
		unread: fact?.type === "unknown" ? fact.reason : null,
	});
}

function nextOf(
	s: Sight,
	cause: Cause | null,
	sorted: Sorted,
	aim: Aim | null,
	input: PlanInput,
): { readonly steps: readonly Step[]; readonly sorted: Sorted } {
	const only = (step: Step) => ({ steps: [step], sorted });
	if (s.id === null) return cause === null ? { steps: [], sorted } : only(begin(s, cause, sorted));
	const owner = s.mark("owner");
	if (owner !== s.owner)
		return only(
			waitStep(s, "not-owned", `${owner ?? "somebody"} rotates it: rotation ${s.id.slice(0, 8)} is under way`, {
				advice: "one secret has one SecretRotation: delete the other document, or wait",
			}),
		);
	if (s.mark("back") !== null) {
		const way = back(s, s.id, input.ownRoles);
		return { steps: way.steps, sorted: way.sorted ?? sorted };
	}
	if (s.mark("verified") !== null) {
		const step = retire(s, s.id);
		return step === null ? { steps: [], sorted } : only(step);
	}
	if (s.current === s.id && s.mark("promotedVersion") !== s.id) return only(markPromoted(s, s.id));
	if (aim !== null) return { steps: carry(s, s.id, sorted, aim), sorted };
	// It was current, and somebody moved the label.
	if (s.mark("promotedVersion") === s.id)
		return { steps: carry(s, s.id, sorted, forwardAim(s.mark("promotedAt") ?? s.now)), sorted };
	return only(make(s, s.id));
}

/** The label was moved and the mark was lost, or a function moved it: from now on is late, and never early. */
function markPromoted(s: Sight, id: string): Step {
	const input = { secret: s.secret.arn, marks: marks({ set: { promotedVersion: id }, at: ["promotedAt"] }) };
	return secretStep(s, { api: "secretsmanager:TagResource", input }, "mark since when the new value is current");
}

/** A responder's hold is kept here as on a role. */
function held(step: Step, secret: Existing<"secretsmanager.secret">, s: Sight): Step {
	const { holdUntil } = secret;
	if (holdUntil === null || holdUntil <= s.now || step.state !== "ready") return step;
	return { ...step, state: { waiting: "hold", detail: `it is held until ${holdUntil}` } };
}

function cannot(d: Desired<"secretsmanager.secret">, input: PlanInput, message: string, fix?: string): RotationDiff {
	const finding = {
		id: "RotationBlocked",
		severity: "warning",
		message,
		origin: d.origin,
		key: input.key,
		subject: `secret ${d.target.name}`,
	} as const;
	return { steps: [], findings: [{ ...finding, ...(fix !== undefined && { fix }) }], view: null };
}

function consumerFindings(s: Sight, sorted: Sorted, input: PlanInput): readonly Finding[] {
	const told = new Set(["pinned", "unaffected", "blocked"]);
	return sorted.views.flatMap((v): Finding[] =>
		told.has(v.state)
			? [
					{
						id: "RotationConsumer",
						severity: "warning",
						message: `${v.kind} ${v.name} is not restarted when ${s.d.target.name} rotates: ${v.note ?? v.state}`,
						origin: s.d.origin,
						key: input.key,
						subject: `${v.kind} ${v.name}`,
					},
				]
			: [],
	);
}

function rotationFindings(s: Sight, cause: Cause | null, input: PlanInput): readonly Finding[] {
	const finding = (id: string, severity: Finding["severity"], message: string, fix?: string): Finding => ({
		id,
		severity,
		message,
		origin: s.d.origin,
		key: input.key,
		subject: `secret ${s.d.target.name}`,
		...(fix !== undefined && { fix }),
	});
	const failure = s.id === null && cause === null ? s.mark("failed") : null;
	const overlap = overlapWords(s);
	const name = input.resource.metadata.name;
	return [
		...(failure === null
			? []
			: [
					finding(
						"RotationFailed",
						"warning",
						`the last rotation of ${s.d.target.name} went back: ${failure.replace(/^\w+ /, "")}`,
						`mend what failed, then: ecs-access rotate ${name}`,
					),
				]),
		...(overlap === null
			? []
			: [finding("RotationNoOverlap", "warning", overlap, "rotate in a window in which nobody signs in")]),
	];
}
