import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { RoleWanted } from "../../../controller/model/desired.ts";
import type { InstallationSpec } from "../../../controller/model/generated/specs.ts";
import type { Halt, Pause } from "../../../controller/model/halt.ts";
import type { Plan } from "../../../controller/model/plan.ts";
import type { Resource } from "../../../controller/model/resource.ts";
import type { RoleState } from "../../../controller/model/target.ts";
import { applyHalt, haltAt, haltOf } from "../../../controller/plan/halt.ts";
import { planRemoval } from "../../../controller/plan/removal.ts";
import {
	allow,
	applyReady,
	doc,
	input,
	MARKS,
	NOW,
	origin,
	plan,
	resource,
	role,
	roleState,
	view,
	wanted,
	wants,
} from "./world.ts";

const PAUSE: Pause = {
	by: "kim@laptop",
	reason: "incident 4711",
	since: "2026-11-24T11:00:00Z",
	until: "2026-11-24T15:00:00Z",
};
const PAUSED = haltOf(PAUSE);
const FREEZE: Halt = { waiting: "freeze", detail: "a freeze holds" };

const GET = allow("s3:GetObject", "arn:aws:s3:::catalogue/*");
const PUT = allow("s3:PutObject", "arn:aws:s3:::invoices/*");
const QUEUE = allow("sqs:SendMessage", "arn:aws:sqs:eu-west-1:123456789012:orders");

function installation(spec: InstallationSpec): Resource<InstallationSpec> {
	return {
		...resource("main", { kind: "Installation", key: "Installation/main" }),
		spec,
		at: () => origin(9, "policies/platform/installation.yaml"),
	};
}

function halted(w: RoleWanted, state: RoleState | null, halt: Halt | null): Plan {
	const given = input(w, state);
	const [made] = applyHalt([plan(w, state)], halt, given);
	if (made === undefined) throw new Error("one plan in, one out");
	return made;
}

function states(p: Plan): readonly string[] {
	return p.steps.map((s) => `${s.why} ${s.state === "ready" ? "ready" : s.state.waiting}`);
}

describe("what stands against writing", () => {
	const frozen = view([installation({ windows: [{ kind: "Deny", cron: "0 10 * * *", duration: "4h" }] })]);

	test("is nothing without a pause or a window", () => {
		expect(haltAt(view(), null, NOW)).toBe(null);
		expect(haltAt(frozen, null, "2026-11-24T09:00:00Z")).toBe(null);
	});

	test("is a freeze, with its end, its window and the way around it", () => {
		expect(haltAt(frozen, null, NOW)).toEqual({
			waiting: "freeze",
			detail: 'frozen until 2026-11-24T14:00:00Z by the window Deny "0 10 * * *" of 4h, UTC',
			advice: "ends by itself; a person can go on before that:",
			command: 'ecs-access apply --during-freeze "…"',
			origin: origin(9, "policies/platform/installation.yaml"),
		});
	});

	test("is a pause before a freeze: nobody goes on against it", () => {
		expect(haltAt(frozen, PAUSE, NOW)).toEqual({
			waiting: "paused",
			detail: "paused by kim@laptop since 2026-11-24T11:00:00Z until 2026-11-24T15:00:00Z: incident 4711",
			command: "ecs-access resume",
		});
	});
});

describe("a plan that is halted", () => {
	const expired = wanted({ statements: [wants(GET), wants(PUT, 20)], expired: [wants(QUEUE, 30)] });
	const live = roleState({ inline: { "ecs-access": doc(GET, QUEUE) } });

	test("in a freeze removes what has expired, and only that", () => {
		const frozen = halted(expired, live, FREEZE);
		expect(states(frozen)).toEqual(["expired ready", "spec-changed freeze"]);
		expect(applyReady(frozen, live)?.inline["ecs-access"]?.Statement).toEqual([expect.objectContaining(GET)]);
	});

	test("under a pause does nothing at all", () => {
		expect(states(halted(expired, live, PAUSED))).toEqual(["expired paused", "spec-changed paused"]);
	});

	test("does not remove what has expired before the marks of the role are written, which wait", () => {
		const unmarked = roleState({ inline: { "ecs-access": doc(GET, QUEUE) }, tags: {} });
		const adopting = { ...expired, adopt: true };
		expect(plan(adopting, unmarked).steps.every((s) => s.state === "ready")).toBe(true);
		expect(halted(adopting, unmarked, FREEZE).steps.every((s) => s.state !== "ready")).toBe(true);
	});

	test("heals no drift", () => {
		const drifted = roleState({ inline: { "ecs-access": doc(GET), "quick-fix": doc(allow("*")) } });
		expect(states(halted(wanted(), drifted, FREEZE))).toEqual(["drifted freeze"]);
	});

	test("is as it was without a halt, and where there is nothing to do", () => {
		const made = plan(expired, live);
		expect(halted(expired, live, null)).toEqual(made);
		const done = roleState({ inline: { "ecs-access": doc(GET) } });
		expect(halted(wanted(), done, PAUSED)).toEqual(plan(wanted(), done));
	});
});

describe("whatever git asks of a role, and whatever it has", () => {
	const statements = fc.subarray([GET, PUT, QUEUE]);
	const asks: Resource = {
		...resource("base", { kind: "Guardrail", key: "Guardrail/base" }),
		spec: { enforcement: "Deny", rules: [{ id: "ask", requireApprovalFor: ["broadens"] }] },
	};

	test("a halt changes no id of an approval, and makes no step ready that was not", () => {
		fc.assert(
			fc.property(
				statements,
				statements,
				statements,
				fc.constantFrom(PAUSED, FREEZE),
				fc.boolean(),
				(git, gone, has, halt, ask) => {
					const given = input(
						wanted({ statements: git.map((s) => wants(s)), expired: gone.filter((s) => !git.includes(s)).map((s) => wants(s)) }),
						roleState({ inline: has.length === 0 ? {} : { "ecs-access": doc(...has) } }),
						{ view: view([resource(), ...(ask ? [asks] : [])]) },
					);
					const [desired] = given.desired;
					if (desired === undefined || !("trust" in desired.wanted)) throw new Error("it asks for a role");
					const before = plan(desired.wanted, roleOf(given), { view: given.view });
					const [after] = applyHalt([before], halt, given);
					expect(after?.approvalId).toBe(before.approvalId);
					expect(after?.steps.map((s) => s.id)).toEqual(before.steps.map((s) => s.id));
					for (const [n, step] of (after?.steps ?? []).entries()) {
						const was = before.steps[n]?.state;
						if (step.state === "ready") expect(was).toBe("ready");
						else if (was !== "ready") expect(step.state).toEqual(was);
						if (step.state === "ready") expect([halt.waiting, step.why]).toEqual(["freeze", "expired"]);
					}
					// What goes on still meets the role as it is then.
					if (after !== undefined) applyReady(after, roleOf(given));
				},
			),
		);
	});
});

function roleOf(given: ReturnType<typeof input>): RoleState | null {
	const [observed] = given.observed.values();
	return observed?.exists && "trust" in observed.state ? observed.state : null;
}

describe("a policy that says suspend: true", () => {
	const unwanted = (spec: object, resources: readonly Resource[] = [{ ...resource(), spec }]): readonly string[] => {
		const { tags } = roleState();
		const removal = planRemoval({
			...input(wanted(), null, { view: view(resources) }),
			role: role(roleState({ tags: { ...tags, "ecs-access.dev/deletion": "delete:14d" } })),
			named: false,
			inUse: null,
		});
		return removal === null ? [] : states(removal);
	};

	test("keeps every step of its role waiting, those that take away and those that have expired too", () => {
		const state = roleState({ inline: { "ecs-access": doc(PUT, QUEUE), "quick-fix": doc(allow("*")) } });
		const made = plan(wanted({ suspended: true, expired: [wants(QUEUE)] }), state);
		expect(made.steps.length).toBeGreaterThan(1);
		expect(new Set(made.steps.map((s) => (s.state === "ready" ? "ready" : s.state.waiting)))).toEqual(new Set(["suspended"]));
	});

	test("keeps the role that it no longer asks for, until it says so no more", () => {
		expect(MARKS["ecs-access.dev/owner"]).toBe("AccessPolicy/orders-api");
		expect(unwanted({ suspend: true })).toEqual(["removed-from-git suspended"]);
		expect(unwanted({ suspend: false })).toEqual(["removed-from-git ready"]);
	});

	test("says nothing once it is gone from git itself", () => {
		expect(unwanted({}, [])).toEqual(["removed-from-git ready"]);
	});
});

test("in a freeze what goes on takes nothing else along, of roles nor of services", () => {
	const w = wanted({ statements: [wants(GET)], expired: [wants(PUT)] });
	const state = roleState({ inline: { "ecs-access": doc(GET, PUT) } });
	const made = plan(w, state);
	const [step] = made.steps;
	if (step === undefined) throw new Error("the expired statement is a step");
	const target = { ...step.target, type: "ecs.service" as const, region: "eu-west-1", name: "prod/orders" };
	const update = { api: "ecs:UpdateService" as const, input: { cluster: "prod", service: "orders", taskDefinition: "orders:1" } };
	const rolls = (why: "spec-changed" | "failed", name: string) => ({
		...step,
		id: `${name}#1`,
		target: { ...target, name },
		call: update,
		why,
	});
	const all = { ...made, steps: [...made.steps, rolls("spec-changed", "prod/a"), rolls("failed", "prod/b")] };
	const [held] = applyHalt([all], FREEZE, input(w, state));
	expect(held?.steps.map((s) => `${s.why} ${s.state === "ready" ? "ready" : s.state.waiting}`)).toEqual([
		"expired ready",
		"spec-changed freeze",
		"failed ready",
	]);
});
