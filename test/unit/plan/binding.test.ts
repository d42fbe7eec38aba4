import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { bindingDigest } from "../../../controller/model/binding.ts";
import type { AnyDesired, AnyObserved } from "../../../controller/model/desired.ts";
import type { Plan } from "../../../controller/model/plan.ts";
import type { Fact, Reference, Revision } from "../../../controller/model/reference.ts";
import type { Binding, Bound, Deployment, PastDeployment, Rollouts, ServiceState } from "../../../controller/model/target.ts";
import { bindingReferences } from "../../../controller/plan/binding-references.ts";
import { planInstance } from "../../../controller/plan/instance.ts";
import { rolloutOf } from "../../../controller/plan/rollout.ts";
import {
	ACCOUNT_ID,
	account,
	allow,
	desire,
	doc,
	factsOf,
	input,
	NOW,
	observe,
	origin,
	role,
	roleState,
	wanted,
} from "./world.ts";

const TASK = `arn:aws:iam::${ACCOUNT_ID}:role/ecs-access/orders-api-task`;
const LEGACY = `arn:aws:iam::${ACCOUNT_ID}:role/legacy`;
const SERVICE = { type: "ecs.service", account: ACCOUNT_ID, region: "eu-west-1", name: "prod/orders-api" } as const;
const WANTED: Partial<Binding> = { taskRole: TASK };
const inForce = roleState({ inline: { "ecs-access": doc(allow("s3:GetObject", "arn:aws:s3:::catalogue/*")) } });

function known(...facts: readonly (readonly [Reference, Fact])[]): ReturnType<typeof factsOf> {
	return factsOf({}, facts);
}

function revision(n: number): string {
	return `arn:aws:ecs:eu-west-1:${ACCOUNT_ID}:task-definition/orders-api:${n}`;
}

/** Made by us of `base` for what git says. */
function bound(base: number): Bound {
	return { digest: bindingDigest(WANTED, revision(base)), base: revision(base) };
}

function minutesAgo(n: number): string {
	return new Date(Date.parse(NOW) - n * 60_000).toISOString();
}

function deployment(over: Partial<Deployment> = {}): Deployment {
	return {
		id: "ecs-svc/1",
		status: "PRIMARY",
		rollout: "COMPLETED",
		reason: null,
		taskDefinition: revision(7),
		desired: 4,
		running: 4,
		pending: 0,
		failed: 0,
		createdAt: minutesAgo(5),
		updatedAt: minutesAgo(5),
		...over,
	};
}

function rollouts(over: Partial<Rollouts> = {}, ...deployments: readonly Deployment[]): Rollouts {
	return {
		deployments: deployments.length === 0 ? [deployment()] : deployments,
		rollsBack: false,
		bakeMinutes: 0,
		stack: null,
		...over,
	};
}

function state(over: Partial<ServiceState> = {}): ServiceState {
	return {
		taskRole: LEGACY,
		executionRole: null,
		secrets: {},
		taskDefinition: revision(7),
		controller: "ECS",
		express: false,
		desiredCount: 4,
		runningCount: 4,
		plaintext: [],
		containers: ["app"],
		bound: null,
		rollouts: rollouts(),
		...over,
	};
}

/** The service with what we made of revision 7, and its deployment. */
function ours(d: Partial<Deployment>, more: Partial<Rollouts> = {}): ServiceState {
	return state({
		taskRole: TASK,
		taskDefinition: revision(8),
		bound: bound(7),
		rollouts: rollouts(more, deployment({ taskDefinition: revision(8), ...d })),
	});
}

function service(s: ServiceState): AnyObserved {
	return {
		target: SERVICE,
		exists: true,
		arn: "arn",
		state: s,
		fingerprint: "sha256:1",
		owner: null,
		holdUntil: null,
		lastUsed: null,
	};
}

function binds(binding: Partial<Binding> = WANTED): AnyDesired {
	return { target: SERVICE, wanted: { mode: "Enforce", binding, workloadRegion: "eu-west-1" }, origin: origin(8) };
}

interface Story {
	readonly revisions?: readonly Revision[];
	readonly deployments?: readonly PastDeployment[];
}

function past(n: number, status = "SUCCESSFUL"): PastDeployment {
	return { taskDefinition: revision(n), status, reason: null, at: minutesAgo(60), paused: false };
}

function made(n: number, base: number): Revision {
	return {
		arn: revision(n),
		binding: { taskRole: TASK, executionRole: null, secrets: {} },
		bound: bound(base),
		registeredBy: null,
	};
}

function theirs(n: number, taskRole = LEGACY): Revision {
	return {
		arn: revision(n),
		binding: { taskRole, executionRole: null, secrets: {} },
		bound: null,
		registeredBy: "arn:aws:sts::123456789012:assumed-role/deploy/ci",
	};
}

function plan(
	s: ServiceState,
	story: Story = {},
	more: { readonly binding?: Partial<Binding>; readonly legacy?: boolean } = {},
): Plan {
	const ref: Reference = {
		type: "ecs.revisions",
		account: ACCOUNT_ID,
		region: "eu-west-1",
		taskDefinition: s.taskDefinition,
		service: SERVICE.name,
	};
	const fact: Fact = { type: "ecs.revisions", revisions: story.revisions ?? [], deployments: story.deployments ?? [] };
	const legacy: [Reference, Fact] = [
		{ type: "iam.role", account: ACCOUNT_ID, name: "legacy" },
		{ type: "iam.role", arn: LEGACY, state: roleState({ path: "/", tags: {}, inline: { all: doc(allow("s3:*")) } }) },
	];
	return planInstance(
		input(wanted(), inForce, {
			desired: [desire(wanted()), binds(more.binding)],
			observed: observe(role(inForce), service(s)),
			facts: known([ref, fact], ...(more.legacy === false ? [] : [legacy])),
		}),
	);
}

function said(p: Plan): readonly string[] {
	return p.steps.map((s) => (s.state === "ready" ? `${s.call.api} ${s.why}` : `${s.call.api} waits: ${s.state.waiting}`));
}

describe("a service that differs from git", () => {
	test("is bound in one step, with what its tasks gain and lose, and the base and the digest in the call", () => {
		const p = plan(state());
		expect(said(p)).toEqual(["ecs:UpdateService spec-changed"]);
		expect(p.steps[0]).toMatchObject({
			effect: "narrows",
			precondition: "sha256:1",
			call: {
				input: { cluster: "prod", service: "orders-api", base: revision(7), binding: WANTED, digest: bound(7).digest },
			},
		});
		expect(p.steps[0]?.losses[0]?.actions).toEqual(["s3:*"]);
	});

	test("changes access that is not known where the old role cannot be read", () => {
		expect(plan(state(), {}, { legacy: false }).steps[0]?.effect).toBe("unknown");
	});

	test("waits while a deployment is under way", () => {
		const s = state({ rollouts: rollouts({}, deployment({ rollout: "IN_PROGRESS", running: 1 })) });
		expect(said(plan(s))).toEqual(["none waits: rollout"]);
	});

	test("is not bound where what was rolled out before cannot be read", () => {
		const p = planInstance(
			input(wanted(), inForce, {
				desired: [desire(wanted()), binds()],
				observed: observe(role(inForce), service(state())),
			}),
		);
		expect(said(p)).toEqual(["none waits: reference"]);
		expect(p.findings.map((f) => f.id)).toContain("BindingMismatch");
	});

	test("is not bound where a container is missing, and the finding stays", () => {
		const secret = `arn:aws:secretsmanager:eu-west-1:${ACCOUNT_ID}:secret:prod/db`;
		const p = plan(state(), {}, { binding: { secrets: { "web/URL": secret } } });
		expect(said(p)).toEqual(["none waits: reference"]);
		expect(p.findings.map((f) => f.id)).toContain("SecretMissing");
	});

	test("is left where a role does not exist", () => {
		const gone = `arn:aws:iam::${ACCOUNT_ID}:role/gone`;
		const ref: Reference = { type: "iam.role", account: ACCOUNT_ID, name: "gone" };
		const p = planInstance(
			input(wanted(), inForce, {
				desired: [desire(wanted()), binds({ executionRole: gone })],
				observed: observe(role(inForce), service(state())),
				facts: known(
					[ref, { type: "absent" }],
					[
						{
							type: "ecs.revisions",
							account: ACCOUNT_ID,
							region: "eu-west-1",
							taskDefinition: revision(7),
							service: SERVICE.name,
						},
						{ type: "ecs.revisions", revisions: [], deployments: [] },
					],
				),
			}),
		);
		expect(p.steps[0]?.state).toMatchObject({ waiting: "reference", detail: "role gone does not exist yet" });
	});

	test("comes after what makes its role, with ten seconds for IAM", () => {
		const ref: Reference = {
			type: "ecs.revisions",
			account: ACCOUNT_ID,
			region: "eu-west-1",
			taskDefinition: revision(7),
			service: SERVICE.name,
		};
		const p = planInstance(
			input(wanted(), null, {
				desired: [desire(wanted()), binds()],
				observed: observe({ target: desire(wanted()).target, exists: false } as AnyObserved, service(state())),
				facts: known([ref, { type: "ecs.revisions", revisions: [], deployments: [] }]),
			}),
		);
		expect(said(p)).toEqual(["iam:CreateRole missing", "iam:PutRolePolicy missing", "ecs:UpdateService spec-changed"]);
		expect(p.steps[2]).toMatchObject({ settle: 10, after_: [p.steps[0]?.id, p.steps[1]?.id] });
	});
});

describe("what was tried before", () => {
	test.each(["ROLLBACK_SUCCESSFUL", "STOPPED", "SUCCESSFUL"])(
		"is not tried again when it ended as %s and the base runs",
		(status) => {
			const p = plan(state(), { revisions: [made(8, 7), theirs(7)], deployments: [past(8, status), past(7)] });
			expect(said(p)).toEqual(["none waits: failed"]);
			expect(p.findings.map((f) => f.id)).toContain("BindingFailed");
		},
	);

	test("is tried again on another base, and where it was registered and never rolled out", () => {
		expect(said(plan(state(), { revisions: [made(8, 7), theirs(7)], deployments: [past(7)] }))).toEqual([
			"ecs:UpdateService drifted",
		]);
		const next = state({ taskDefinition: revision(9) });
		const story = {
			revisions: [theirs(9), made(8, 7), theirs(7)],
			deployments: [past(9), past(8, "ROLLBACK_SUCCESSFUL"), past(7)],
		};
		expect(said(plan(next, story))).toEqual(["ecs:UpdateService drifted"]);
	});
});

describe("somebody who registers over us", () => {
	const twice: Story = {
		revisions: [theirs(11), made(10, 9), theirs(9), made(8, 7), theirs(7)],
		deployments: [past(11), past(10), past(9), past(8), past(7)],
	};
	const live = state({ taskDefinition: revision(11) });

	test("is named at the second time in a row", () => {
		const p = plan(live, twice);
		expect(said(p)).toEqual(["none waits: contested"]);
		expect(p.findings.find((f) => f.id === "BindingContested")?.message).toContain("assumed-role/deploy/ci");
	});

	test("is not fought over once only", () => {
		const once = { revisions: [theirs(9), made(8, 7), theirs(7)], deployments: [past(9), past(8), past(7)] };
		expect(said(plan(state({ taskDefinition: revision(9) }), once))).toEqual(["ecs:UpdateService drifted"]);
	});

	test("is forgiven where it had it right in between", () => {
		const story = { ...twice, revisions: twice.revisions?.map((r) => (r.arn === revision(9) ? theirs(9, TASK) : r)) ?? [] };
		expect(said(plan(live, story))).toEqual(["ecs:UpdateService drifted"]);
	});

	test("is not who a rollout that failed is counted against", () => {
		const story = { ...twice, deployments: [past(11), past(10, "ROLLBACK_SUCCESSFUL"), past(9), past(8), past(7)] };
		expect(said(plan(live, story))).toEqual(["ecs:UpdateService drifted"]);
	});

	test("gains nothing by copying our tags", () => {
		const copy = { ...theirs(9), bound: bound(7) };
		const story = { ...twice, revisions: twice.revisions?.map((r) => (r.arn === revision(9) ? copy : r)) ?? [] };
		expect(said(plan(live, story))).toEqual(["none waits: contested"]);
	});
});

describe("a rollout of ours", () => {
	test("that is done is nothing to do, and one that goes on is awaited", () => {
		expect(said(plan(ours({})))).toEqual([]);
		expect(said(plan(ours({ rollout: "IN_PROGRESS", running: 1 })))).toEqual(["none waits: rollout"]);
	});

	test("that failed goes back to its base, whoever would have to approve a binding", () => {
		const p = plan(ours({ rollout: "FAILED", reason: "tasks failed to start" }), { revisions: [made(8, 7), theirs(7)] });
		expect(said(p)).toEqual(["ecs:UpdateService failed"]);
		expect(p.steps[0]?.call).toMatchObject({ input: { taskDefinition: revision(7) } });
		expect(p.findings.find((f) => f.id === "BindingFailed")?.message).toContain("tasks failed to start");
	});

	test("is left to a circuit breaker that takes it back, for two minutes", () => {
		const failed = (n: number) => ours({ rollout: "FAILED", updatedAt: minutesAgo(n) }, { rollsBack: true });
		expect(said(plan(failed(1)))).toEqual(["none waits: rollout"]);
		expect(said(plan(failed(3)))).toEqual(["ecs:UpdateService failed"]);
	});

	test("that hangs goes back, and one that stands at a hook is awaited", () => {
		const hanging = ours({ rollout: "IN_PROGRESS", running: 0, failed: 9, createdAt: minutesAgo(31) });
		const story = { revisions: [made(8, 7), theirs(7)], deployments: [past(8, "IN_PROGRESS"), past(7)] };
		expect(said(plan(hanging, story))).toEqual(["ecs:UpdateService failed"]);
		const paused = { ...story, deployments: [{ ...past(8, "IN_PROGRESS"), paused: true }, past(7)] };
		expect(said(plan(hanging, paused))).toEqual(["none waits: rollout"]);
	});

	test("is nobody's business when somebody else registered it", () => {
		const s = { ...ours({ rollout: "FAILED" }), bound: null };
		expect(said(plan(s))).toEqual([]);
	});
});

describe("whether a rollout has failed", () => {
	const at = (d: Partial<Deployment>, more: Partial<Rollouts> = {}) =>
		rolloutOf(ours({ rollout: "IN_PROGRESS", ...d }, more), NOW).is;

	test("half an hour without more tasks that run than fail is a failure, and three hours are in any case", () => {
		expect(at({ createdAt: minutesAgo(29), running: 0 })).toBe("going");
		expect(at({ createdAt: minutesAgo(31), running: 0 })).toBe("failed");
		expect(at({ createdAt: minutesAgo(31), running: 3, failed: 1 })).toBe("going");
		expect(at({ createdAt: minutesAgo(181), running: 3, failed: 1 })).toBe("failed");
	});

	test("time to bake is not counted", () => {
		expect(at({ createdAt: minutesAgo(80), running: 0 }, { bakeMinutes: 60 })).toBe("going");
		expect(at({ createdAt: minutesAgo(91), running: 0 }, { bakeMinutes: 60 })).toBe("failed");
	});

	test("where ECS says nothing, the tasks do", () => {
		expect(at({ rollout: null, running: 4 })).toBe("done");
		expect(at({ rollout: null, running: 2 })).toBe("going");
	});
});

describe("what is read for a binding", () => {
	const refs = (s: ServiceState, binding?: Partial<Binding>) =>
		bindingReferences(account, [binds(binding)], observe(service(s)), known()).map((r) => r.type);

	test("is nothing where all is as git says, or nothing is enforced", () => {
		expect(refs(ours({}))).toEqual([]);
		expect(refs(state({ controller: "CODE_DEPLOY" }))).toEqual([]);
		expect(refs(state({ rollouts: rollouts({ stack: "shop" }) }))).toEqual([]);
		const verify = { ...binds(), wanted: { mode: "Verify", binding: WANTED, workloadRegion: "eu-west-1" } } as AnyDesired;
		expect(bindingReferences(account, [verify], observe(service(state())), known())).toEqual([]);
	});

	test("is what was rolled out, and the two roles, where it differs", () => {
		expect(refs(state())).toEqual(["ecs.revisions", "iam.role", "iam.role"]);
	});
});

test("the digest is of the wish and the base, in whatever order the wish is written", () => {
	const secrets = fc.dictionary(fc.string(), fc.string());
	fc.assert(
		fc.property(secrets, fc.nat(), (wish, n) => {
			const turned = Object.fromEntries(Object.entries(wish).reverse());
			expect(bindingDigest({ secrets: turned }, revision(n))).toBe(bindingDigest({ secrets: wish }, revision(n)));
			expect(bindingDigest({ secrets: wish }, revision(n + 1))).not.toBe(bindingDigest({ secrets: wish }, revision(n)));
		}),
	);
});
