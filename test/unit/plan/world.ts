import { applyCall } from "../../../controller/model/apply-call.ts";
import type { AnyDesired, AnyObserved, RoleWanted, WantedStatement } from "../../../controller/model/desired.ts";
import { roleFingerprint } from "../../../controller/model/fingerprint.ts";
import type { CatalogView } from "../../../controller/model/kind.ts";
import { holdOf, ownerOf } from "../../../controller/model/marks.ts";
import type { Plan, Step } from "../../../controller/model/plan.ts";
import { type Fact, type Facts, type Reference, referenceId } from "../../../controller/model/reference.ts";
import type { Origin, Resource } from "../../../controller/model/resource.ts";
import type { Existing, RoleState, Target } from "../../../controller/model/target.ts";
import { targetId } from "../../../controller/model/target.ts";
import type { PlanInput } from "../../../controller/plan/input.ts";
import { planInstance } from "../../../controller/plan/instance.ts";
import { createCatalogue } from "../../../controller/policy/catalogue.ts";
import type { PolicyDocument, Statement } from "../../../controller/policy/document.ts";
import { accountOf } from "../../account.ts";

export const ACCOUNT_ID = "123456789012";
export const NOW = "2026-11-24T12:00:00Z";
const catalogue = createCatalogue();

export const account = accountOf(ACCOUNT_ID);

export function origin(line = 1, path = "policies/orders-api.yaml"): Origin {
	return { path, line, column: 1 };
}

export const trust: PolicyDocument = {
	Version: "2012-10-17",
	Statement: [{ Effect: "Allow", Principal: { Service: "ecs-tasks.amazonaws.com" }, Action: "sts:AssumeRole" }],
};

export function doc(...Statement: readonly Statement[]): PolicyDocument {
	return { Version: "2012-10-17", Statement };
}

export function allow(action: string | readonly string[], resource: string | readonly string[] = "*"): Statement {
	return { Effect: "Allow", Action: action, Resource: resource };
}

export function deny(action: string | readonly string[], resource: string | readonly string[] = "*"): Statement {
	return { Effect: "Deny", Action: action, Resource: resource };
}

export function wants(statement: Statement, line = 10): WantedStatement {
	return { statement, origin: origin(line), expiresAt: null, from: null };
}

export function wanted(over: Partial<RoleWanted> = {}): RoleWanted {
	return {
		path: "/ecs-access/",
		trust,
		statements: [wants(allow("s3:GetObject", "arn:aws:s3:::catalogue/*"))],
		expired: [],
		managedPolicies: [],
		permissionsBoundary: null,
		tags: {},
		adopt: false,
		drift: "Enforce",
		exclusive: null,
		ignore: { inlinePolicies: [], managedPolicies: [] },
		deletion: "orphan",
		suspended: false,
		renamedFrom: null,
		...over,
	};
}

export const MARKS = {
	"ecs-access.dev/installation": "main",
	"ecs-access.dev/owner": "AccessPolicy/orders-api",
	"ecs-access.dev/source": "github.com/acme/access//policies",
	"ecs-access.dev/deletion": "orphan",
} as const;

export function roleState(over: Partial<RoleState> = {}): RoleState {
	return { path: "/ecs-access/", trust, inline: {}, managedPolicies: [], permissionsBoundary: null, tags: MARKS, ...over };
}

export const ROLE: Target<"iam.role"> = { type: "iam.role", account: ACCOUNT_ID, region: "global", name: "orders-api-task" };

export function role(state: RoleState, more: { lastUsed?: string; name?: string } = {}): Existing<"iam.role"> {
	const target = more.name === undefined ? ROLE : { ...ROLE, name: more.name };
	return {
		target,
		exists: true,
		arn: `arn:aws:iam::${ACCOUNT_ID}:role${state.path}${target.name}`,
		state,
		fingerprint: roleFingerprint(state),
		owner: ownerOf(state.tags),
		holdUntil: holdOf(state.tags),
		lastUsed: more.lastUsed ?? null,
	};
}

export function resource(name = "orders-api", over: Partial<Resource> = {}): Resource {
	return {
		apiVersion: "ecs-access.dev/v1alpha1",
		kind: "AccessPolicy",
		key: `AccessPolicy/${name}`,
		metadata: { name },
		spec: {},
		generation: "sha256:0",
		origin: origin(1, `policies/${name}.yaml`),
		at: () => origin(1, `policies/${name}.yaml`),
		lines: () => ({ first: 1, last: 1 }),
		...over,
	};
}

export function view(resources: readonly Resource[] = [resource()]): CatalogView {
	return {
		installation: "main",
		source: MARKS["ecs-access.dev/source"],
		resources,
		get: (key) => resources.find((r) => r.key === key),
		ofKind: <S>(kind: string) => resources.filter((r) => r.kind === kind) as readonly Resource<S>[],
		accounts: [account],
		broken: new Set(),
		actions: catalogue,
		now: NOW,
	};
}

export function factsOf(
	managed: Readonly<Record<string, PolicyDocument>>,
	more: readonly (readonly [Reference, Fact])[] = [],
): Facts {
	const known = new Map<string, Fact>(more.map(([ref, fact]) => [referenceId(ref), fact]));
	for (const [arn, document] of Object.entries(managed)) {
		known.set(referenceId({ type: "iam.managedPolicy", account: ACCOUNT_ID, arn }), { type: "iam.managedPolicy", arn, document });
	}
	return { now: NOW, get: (ref) => known.get(referenceId(ref)) };
}

/** Managed policies that the tests attach. */
export const MANAGED = {
	"arn:aws:iam::aws:policy/ReadQueues": doc(allow(["sqs:ReceiveMessage", "sqs:DeleteMessage"])),
	"arn:aws:iam::aws:policy/ReadBuckets": doc(allow(["s3:GetObject", "s3:ListBucket"])),
	"arn:aws:iam::123456789012:policy/lockdown": doc(deny("s3:*")),
	"arn:aws:iam::123456789012:policy/boundary": doc(allow(["s3:*", "sqs:*", "dynamodb:*"])),
	"arn:aws:iam::123456789012:policy/quarantine": doc(allow("logs:*")),
} as const;

export function observe(...all: readonly AnyObserved[]): ReadonlyMap<string, AnyObserved> {
	return new Map(all.map((o) => [targetId(o.target), o]));
}

export function desire(w: RoleWanted, target: Target<"iam.role"> = ROLE): AnyDesired {
	return { target, wanted: w, origin: origin(5) };
}

/** A plan's input: one policy, one role, which is `state` now (null: does not exist). */
export function input(w: RoleWanted, state: RoleState | null, over: Partial<PlanInput> = {}): PlanInput {
	return {
		key: "AccessPolicy/orders-api",
		resource: resource(),
		origin: origin(),
		account,
		desired: [desire(w)],
		findings: [],
		observed: observe(state === null ? { target: ROLE, exists: false } : role(state)),
		facts: factsOf(MANAGED),
		view: view(),
		installation: "main",
		source: MARKS["ecs-access.dev/source"],
		previousSources: [],
		last: new Map(),
		person: false,
		now: NOW,
		actions: catalogue,
		...over,
	};
}

export function plan(w: RoleWanted, state: RoleState | null, over: Partial<PlanInput> = {}): Plan {
	return planInstance(input(w, state, over));
}

/** Carries out the ready steps as the provider would: precondition first. `fails` drops a step, and all after it. */
export function applyReady(p: Plan, start: RoleState | null, fails: (step: Step) => boolean = () => false): RoleState | null {
	let state = start;
	const done = new Set<string>();
	for (const step of p.steps) {
		if (step.state !== "ready" || step.call.api === "none") continue;
		if (fails(step)) break;
		if (!step.after_.every((id) => done.has(id))) throw new Error(`${step.id} runs before a step it follows`);
		const now = state === null ? null : roleFingerprint(state);
		if (now !== step.precondition) throw new Error(`${step.id} ${step.call.api}: the precondition is not the state it meets`);
		state = applyCall(state, step.call);
		done.add(step.id);
	}
	return state;
}

/** `PutRolePolicy ecs-access` and so on, with what it waits for. */
export function shown(p: Plan): readonly string[] {
	return p.steps.map((s) => {
		const name =
			"input" in s.call
				? "PolicyName" in s.call.input
					? ` ${s.call.input.PolicyName}`
					: "PolicyArn" in s.call.input
						? ` ${s.call.input.PolicyArn.split("/").at(-1)}`
						: ""
				: "";
		const waits = s.state === "ready" ? "" : ` (waits: ${s.state.waiting})`;
		return `${s.call.api.replace("iam:", "")}${name} ${s.why} ${s.effect}${waits}`;
	});
}
