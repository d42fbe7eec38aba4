import type { Plan, PlanFile, Step } from "../../model/plan.ts";
import { type Target, targetId } from "../../model/target.ts";
import { combinedEffect, waitingOf, waitingWord } from "./words.ts";

/** The figures of a plan file, the same in every format. */
export interface PlanCounts {
	readonly create: number;
	readonly update: number;
	readonly heal: number;
	readonly adopt: number;
	readonly rename: number;
	readonly expire: number;
	/** Retired or deleted. */
	readonly delete: number;
	/** Gone from git, and only our marks are removed. */
	readonly letGo: number;
	/** What waits, each target and reason once. */
	readonly waits: number;
	/** The reasons, as words, in order of appearance. */
	readonly waitsFor: readonly string[];
	readonly ready: number;
	readonly unchanged: number;
	/** Roles whose access grows or shrinks; one may do both. `undecided` is among the broader. */
	readonly broader: number;
	readonly narrower: number;
	readonly undecided: number;
	readonly roles: number;
	readonly workloads: number;
	/** Roles that are not exclusive and grant more than git says: of them "as git says" would be a lie. */
	readonly surplus: number;
	readonly needsApproval: boolean;
	/** Services whose tasks are replaced, as `cluster/name`, those that wait among them. */
	readonly restarts: readonly string[];
}

export function countPlan(file: PlanFile): PlanCounts {
	const steps = file.plans.flatMap((p) => p.steps);
	const of = (summary: Plan["summary"]): number => file.plans.filter((p) => p.summary === summary).length;
	const letGo = file.plans.filter(isLetGo).length;
	const waits = new Map<string, string>();
	for (const step of steps) {
		const wait = waitingOf(step);
		if (wait !== null) waits.set(`${targetId(step.target)} ${wait.waiting}`, waitingWord(wait.waiting, step.target));
	}
	const effects = byTarget(steps).map((t) => combinedEffect(t.steps));
	return {
		create: of("create"),
		update: of("update"),
		heal: of("heal"),
		adopt: of("adopt"),
		rename: of("rename"),
		expire: of("expire"),
		delete: of("delete") - letGo,
		letGo,
		waits: waits.size,
		waitsFor: [...new Set(waits.values())],
		ready: steps.filter((s) => s.state === "ready").length,
		unchanged: sum(file.plans.map((p) => p.unchanged)),
		broader: effects.filter((e) => e === "broadens" || e === "both" || e === "unknown").length,
		narrower: effects.filter((e) => e === "narrows" || e === "both").length,
		undecided: effects.filter((e) => e === "unknown").length,
		roles: sum(file.plans.map((p) => p.roles)),
		workloads: sum(file.plans.map((p) => p.workloads)),
		surplus: new Set(
			file.plans.flatMap((p) => p.findings.filter((f) => f.id === "SurplusAccess").map((f) => `${p.key} ${f.subject ?? ""}`)),
		).size,
		restarts: [...new Set([...steps.filter(restarts).map((s) => s.target.name), ...file.plans.flatMap(toRestart)])],
		needsApproval: steps.some((s) => ["approval", "budget"].includes(waitingOf(s)?.waiting ?? "")),
	};
}

/** Another task definition, or another secret: ECS starts every task of the service anew. */
export function restarts(step: Step): boolean {
	return step.call.api === "ecs:UpdateService" || step.call.api === "ecs:ForceNewDeployment";
}

/** Services that a rotation, begun or about to, has yet to restart: its plan holds the next step alone. */
function toRestart({ rotation }: Plan): readonly string[] {
	if (rotation === undefined || rotation.phase === "idle" || rotation.phase === "failed" || rotation.phase === "waiting")
		return [];
	return rotation.consumers.filter((c) => c.kind === "service" && c.state === "restart").map((c) => c.name);
}

/** `none`, `prod/a, prod/b`, `prod/a, prod/b, prod/c and 4 more`. */
export function restartWords(services: readonly string[]): string {
	if (services.length === 0) return "none";
	const named = services.slice(0, NAMED).join(", ");
	return services.length > NAMED ? `${named} and ${services.length - NAMED} more` : named;
}

const NAMED = 3;

/** Two revisions were compared, offline: nothing of it is a fact about an account (engine/compare.ts). */
export function isComparison(file: PlanFile): boolean {
	return file.accounts.every((a) => a.caller === null && a.error === null);
}

/** A removal that takes our marks from roles and leaves the roles as they are. */
function isLetGo(plan: Plan): boolean {
	return plan.summary === "delete" && plan.steps.length > 0 && plan.steps.every((s) => s.call.api === "iam:UntagRole");
}

/** A removal says which of its forms it is; null: it is none. What is still in git was forgotten by a person's word. */
export function removalWords(plan: Plan): string | null {
	if (plan.summary !== "delete") return null;
	const apis = new Set(plan.steps.map((s) => s.call.api));
	if (apis.has("iam:DeleteRole")) return "is no longer in git and will be deleted";
	if (isLetGo(plan)) {
		return `${plan.origin === null ? "is no longer in git" : "will be let go"}: our marks are removed, the role stays as it is`;
	}
	if (apis.has("iam:TagRole")) return "is no longer in git and will be retired; a later plan deletes it";
	return "is no longer in git";
}

/** Exit code 2: something to do or waiting. Findings alone do not count. */
export function hasWork(file: PlanFile): boolean {
	return file.plans.some((p) => p.steps.length > 0);
}

export interface TargetSteps {
	readonly target: Target;
	readonly steps: readonly Step[];
}

/** The steps of one thing in AWS together, in order of first appearance. */
export function byTarget(steps: readonly Step[]): readonly TargetSteps[] {
	const groups = Map.groupBy(steps, (s) => targetId(s.target));
	return [...groups.values()].flatMap((group) => (group[0] === undefined ? [] : [{ target: group[0].target, steps: group }]));
}

/** `1 to create, 1 to update, 1 to heal, 0 to delete`: the four always, the rarer ones where there are any. */
export function actionWords(c: PlanCounts): string {
	const rare: readonly [number, string][] = [
		[c.adopt, "to take over"],
		[c.rename, "to rename"],
		[c.expire, "to expire"],
		[c.letGo, "to let go"],
	];
	return [
		`${c.create} to create`,
		`${c.update} to update`,
		`${c.heal} to heal`,
		...rare.filter(([n]) => n > 0).map(([n, words]) => `${n} ${words}`),
		`${c.delete} to delete`,
	].join(", ");
}

function sum(values: readonly number[]): number {
	return values.reduce((a, b) => a + b, 0);
}
