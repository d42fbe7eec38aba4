import type { AnyDesired, BindingWanted, Desired } from "../model/desired.ts";
import type { Finding } from "../model/finding.ts";
import type { Arn } from "../model/ids.ts";
import type { Change, Step } from "../model/plan.ts";
import { matchSecretRef } from "../model/secret-ref.ts";
import { type Existing, type FamilyState, type ServiceState, type Target, targetId } from "../model/target.ts";
import { change } from "./draft.ts";
import type { PlanInput } from "./input.ts";

export interface WorkloadDiff {
	/** At most one, which waits: what does not exist yet cannot be bound. */
	readonly steps: readonly Step[];
	readonly findings: readonly Finding[];
}

export type Workload = Extract<AnyDesired, { target: { type: "ecs.service" | "ecs.family" } }>;

export function isWorkload(d: AnyDesired): d is Workload {
	return d.target.type === "ecs.service" || d.target.type === "ecs.family";
}

/** What is to be said of a service or family that `binding: Verify` only looks at; it is never written. */
export function verifyWorkload(d: Workload, input: PlanInput): WorkloadDiff {
	const subject = `${d.target.type === "ecs.service" ? "service" : "family"} ${d.target.name}`;
	const observed = input.observed.get(targetId(d.target));
	const make: MakeFinding = (f) => ({ ...f, origin: d.origin, key: input.key, subject });
	if (observed === undefined) {
		return {
			steps: [],
			findings: [make({ id: "NotRead", severity: "error", message: `${subject} was not read, so its binding is not checked` })],
		};
	}
	if (!observed.exists) return { steps: [awaited(d, subject)], findings: [] };
	if (!("taskDefinition" in observed.state)) return { steps: [], findings: [] };
	const w: Seen = {
		subject,
		wanted: d.wanted,
		state: observed.state,
		account: d.target.account,
		make,
		how: howToDeploy(observed.state, input),
	};
	return { steps: [], findings: [...roleFindings(w), ...secretFindings(w), ...plaintextFindings(w)] };
}

type MakeFinding = (f: Omit<Finding, "origin" | "key" | "subject">) => Finding;

interface Seen {
	readonly subject: string;
	readonly wanted: BindingWanted;
	readonly state: ServiceState | FamilyState;
	readonly account: string;
	readonly make: MakeFinding;
	/** How a new task definition gets into force there. */
	readonly how: string;
}

function awaited(d: Workload, subject: string): Step {
	const { taskRole, executionRole } = d.wanted.binding;
	const roles: [string, Arn | null | undefined][] = [
		["task role", taskRole],
		["execution role", executionRole],
	];
	const diff = roles.flatMap(([name, to]): Change[] =>
		to == null ? [] : [change("+", "binding", name, { to, origin: d.origin })],
	);
	return {
		id: `${targetId(d.target)}#1`,
		target: d.target,
		call: { api: "none" },
		why: "missing",
		effect: "none",
		gains: [],
		losses: [],
		diff,
		before: null,
		after: null,
		precondition: null,
		after_: [],
		settle: 0,
		state: { waiting: "reference", detail: `${subject} does not exist yet: its binding waits`, origin: d.origin },
	};
}

/** What must be done for another task definition, said for the way this workload is deployed (aws-facts §4.5). */
function howToDeploy(state: ServiceState | FamilyState, input: PlanInput): string {
	const render = `ecs-access render task-definition FILE --policy ${input.resource.metadata.name}`;
	if (!("controller" in state)) return `register a new revision of the family (${render})`;
	if (state.express) return "an Express service: change its roles with UpdateExpressGatewayService, which rolls it itself";
	switch (state.controller) {
		case "CODE_DEPLOY":
			return `register a new revision (${render}) and deploy it through CodeDeploy, which owns this service's deployments`;
		case "EXTERNAL":
			return `register a new revision (${render}) and make a task set of it, since an external controller deploys this service`;
		case "ECS":
			return `register a new revision (${render}) and update the service to it`;
	}
}

function roleFindings(w: Seen): readonly Finding[] {
	const findings: Finding[] = [];
	const use = (name: "task role" | "execution role", wanted: Arn | null | undefined, live: Arn | null): void => {
		if (wanted === undefined || wanted === live) return;
		const runs = live === null ? `runs without ${article(name)}` : `runs with ${name} ${live}`;
		const says = wanted === null ? "none" : wanted;
		findings.push(
			w.make({ id: "BindingMismatch", severity: "warning", message: `${w.subject} ${runs}, and git says ${says}`, fix: w.how }),
		);
	};
	use("task role", w.wanted.binding.taskRole, w.state.taskRole);
	use("execution role", w.wanted.binding.executionRole, w.state.executionRole);
	// Where git says so itself, SharedRole has said it at its line.
	const asGitSays = w.wanted.binding.taskRole === w.state.taskRole && w.wanted.binding.executionRole === w.state.taskRole;
	if (w.state.taskRole !== null && w.state.taskRole === w.state.executionRole && !asGitSays) {
		findings.push(
			w.make({
				id: "MergedRole",
				severity: "warning",
				message: `${w.subject} uses ${w.state.taskRole} as both task and execution role, so its code can read every secret that ECS injects`,
				fix: "give it an executionRole of its own",
			}),
		);
	}
	return findings;
}

function article(name: string): string {
	return name.startsWith("e") ? `an ${name}` : `a ${name}`;
}

function secretFindings(w: Seen): readonly Finding[] {
	const task = { region: w.wanted.workloadRegion, account: w.account };
	return Object.entries(w.wanted.binding.secrets ?? {}).flatMap(([name, wanted]): Finding[] => {
		const live = w.state.secrets[name];
		if (live === undefined) {
			const container = name.slice(0, name.lastIndexOf("/"));
			const why = w.state.containers.includes(container) ? "does not inject it" : `has no container ${container}`;
			return [
				w.make({
					id: "SecretMissing",
					severity: "warning",
					message: `${w.subject} wants ${name} from ${wanted}, and its task definition ${why}`,
					fix: w.how,
				}),
			];
		}
		const match = matchSecretRef(wanted, live, task);
		if (!match.matches) {
			return [
				w.make({
					id: "SecretDiffers",
					severity: "warning",
					message: `${w.subject} injects ${name} from ${live}, and git says ${wanted}`,
					fix: w.how,
				}),
			];
		}
		if (!match.pinned) return [];
		const message = `${w.subject} pins the version of ${name} (${live}), so a rotated secret never reaches it`;
		return [w.make({ id: "SecretPinned", severity: "note", message, fix: "leave the version out of valueFrom" })];
	});
}

function plaintextFindings(w: Seen): readonly Finding[] {
	return w.state.plaintext.map((p) =>
		w.make({
			id: "PlaintextSecret",
			severity: "warning",
			message: `${w.subject} has what looks like a secret in plain text: environment variable ${p.name} of container ${p.container} (by its ${p.rule === "name" ? "name" : "value"})`,
			fix: `move the value to Secrets Manager, write it under secrets of the policy, and ${w.how}`,
		}),
	);
}

/** The roles of this instance, beside the workloads that are there: who uses them, and who else does. */
export function roleUseFindings(input: PlanInput): readonly Finding[] {
	const mine = input.desired.filter(isWorkload);
	const ids = new Set(mine.map((d) => targetId(d.target)));
	const bindings = mine.flatMap((d) => stateOf(input, targetId(d.target)) ?? []);
	return input.desired.flatMap((d): readonly Finding[] => {
		const role = input.observed.get(targetId(d.target));
		if (d.target.type !== "iam.role" || role?.exists !== true) return [];
		const arn = (role as Existing).arn;
		const subject = `role ${d.target.name}`;
		const make: MakeFinding = (f) => ({ ...f, origin: (d as Desired<"iam.role">).origin, key: input.key, subject });
		const findings: Finding[] = [];
		// Where git enforces it, it is about to be used.
		const awaited = mine.some(
			({ wanted: { mode, binding: b } }) => mode === "Enforce" && (b.taskRole === arn || b.executionRole === arn),
		);
		if (bindings.length > 0 && !awaited && !bindings.some((b) => b.taskRole === arn || b.executionRole === arn)) {
			findings.push(
				make({ id: "RoleUnused", severity: "note", message: `no workload of ${input.key} that is there runs with ${subject}` }),
			);
		}
		const others = (usersOf(input.observed).get(arn) ?? [])
			.filter((t) => !ids.has(targetId(t)))
			.map((t) => `${t.type === "ecs.service" ? "service" : "family"} ${t.name}`)
			.sort();
		if (others.length > 0) {
			findings.push(
				make({
					id: "RoleShared",
					severity: "warning",
					message: `${subject} is also used by ${others.join(", ")}, which ${input.key} does not name`,
					fix: "add them to its workloads, or give them a role of their own",
				}),
			);
		}
		return findings;
	});
}

const users = new WeakMap<PlanInput["observed"], ReadonlyMap<Arn, readonly Target[]>>();

/** The workloads by the roles they run with: made once for what was observed, not once a policy. */
function usersOf(observed: PlanInput["observed"]): ReadonlyMap<Arn, readonly Target[]> {
	const known = users.get(observed);
	if (known !== undefined) return known;
	const made = new Map<Arn, Target[]>();
	for (const o of observed.values()) {
		if (!o.exists || !("taskDefinition" in o.state)) continue;
		for (const arn of new Set([o.state.taskRole, o.state.executionRole])) {
			if (arn !== null) made.set(arn, [...(made.get(arn) ?? []), o.target]);
		}
	}
	users.set(observed, made);
	return made;
}

function stateOf(input: PlanInput, id: string): ServiceState | FamilyState | null {
	const o = input.observed.get(id);
	return o?.exists === true && "taskDefinition" in o.state ? o.state : null;
}
