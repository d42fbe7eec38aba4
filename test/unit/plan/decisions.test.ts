import { describe, expect, test } from "vitest";
import type { RoleWanted } from "../../../controller/model/desired.ts";
import type { Plan } from "../../../controller/model/plan.ts";
import type { Resource } from "../../../controller/model/resource.ts";
import type { Existing, RoleState } from "../../../controller/model/target.ts";
import { applyBudgets, type BudgetContext, budgetLimit } from "../../../controller/plan/budgets.ts";
import { checkGuardrails } from "../../../controller/plan/guardrails.ts";
import type { PlanInput } from "../../../controller/plan/input.ts";
import { planInstance } from "../../../controller/plan/instance.ts";
import { planFileId } from "../../../controller/plan/plan-file.ts";
import {
	allow,
	applyReady,
	deny,
	desire,
	doc,
	factsOf,
	input,
	observe,
	origin,
	plan,
	ROLE,
	resource,
	role,
	roleState,
	shown,
	view,
	wanted,
	wants,
} from "./world.ts";

const GET = allow("s3:GetObject", "arn:aws:s3:::catalogue/*");
const PUT = allow("s3:PutObject", "arn:aws:s3:::invoices/*");
const live = roleState({ inline: { "ecs-access": doc(GET) } });

function guardrail(rule: object, over: object = {}): Resource {
	return {
		...resource("base", { kind: "Guardrail", key: "Guardrail/base" }),
		spec: { enforcement: "Deny", rules: [{ id: "rule", ...rule }], ...over },
		at: () => origin(22, "policies/platform/guardrails.yaml"),
	};
}

function approval(id: string | null, over: object = {}): Resource {
	return { ...resource("ok", { kind: "Approval", key: "Approval/ok" }), spec: { approvalId: id, reason: "reviewed", ...over } };
}

function grant(spec: object): Resource {
	return {
		...resource("g", { kind: "AccessGrant", key: "AccessGrant/g" }),
		spec: { policyRef: "orders-api", reason: "r", statements: [], ...spec },
	};
}

function withRule(w: RoleWanted, state: RoleState | null, ...more: readonly Resource[]): Plan {
	return plan(w, state, { view: view([resource(), ...more]) });
}

function check(
	w: RoleWanted,
	rails: readonly Resource[],
	over: Partial<PlanInput> = {},
	offline = false,
): readonly { id: string; message: string; line: number | undefined; guardrail: unknown }[] {
	const i = input(w, live, { view: view([resource(), ...rails]), ...over });
	return checkGuardrails({
		...i,
		instance: { key: i.key, resource: i.resource, account: i.account },
		observed: offline ? null : i.observed,
	}).map((f) => ({
		id: f.id,
		message: f.message,
		line: f.origin?.line,
		guardrail: f.guardrail,
	}));
}

const budgets = (over: Partial<BudgetContext> = {}): BudgetContext => ({
	...input(wanted(), live),
	spec: {},
	owned: 0,
	removable: [],
	used: { deletions: 0, narrowings: 0 },
	shown: false,
	...over,
});

describe("a guardrail that denies", () => {
	test.each([
		["as written", allow("iam:CreateUser")],
		["by a wildcard", allow("*")],
		["in another case", allow("IAM:Create*")],
		["by NotAction", { Effect: "Allow", NotAction: "s3:*", Resource: "*" } as const],
	])("finds the access %s, at the statement's own place, with an example", (_how, statement) => {
		const found = check(wanted({ statements: [wants(GET, 10), wants(statement, 17)] }), [guardrail({ denyActions: ["iam:*"] })]);
		expect(found).toHaveLength(1);
		expect(found[0]).toMatchObject({ id: "GuardrailDenies", line: 17, guardrail: { name: "base", rule: "rule" } });
		expect(found[0]?.message).toMatch(/e\.g\. iam:/i);
		expect(found[0]?.message).toContain("guardrail base/rule, policies/platform/guardrails.yaml:22");
	});

	test("looks at several statements together: a Deny beside the Allow takes the access away", () => {
		expect(
			check(wanted({ statements: [wants(allow("*")), wants(deny("iam:*"))] }), [guardrail({ denyActions: ["iam:*"] })]),
		).toEqual([]);
	});

	test("looks at what is attached; offline it says that it did not", () => {
		const w = wanted({ managedPolicies: [{ arn: "arn:aws:iam::aws:policy/ReadQueues", origin: origin(20) }] });
		const rails = [guardrail({ denyActions: ["sqs:*"] })];
		expect(check(w, rails)).toMatchObject([{ id: "GuardrailDenies", line: 20 }]);
		expect(check(w, rails, { facts: factsOf({}) }, true)).toMatchObject([{ id: "NotEvaluatedOffline", line: 20 }]);
		expect(check(w, rails, { facts: factsOf({}) })).toMatchObject([
			{ id: "GuardrailDenies", message: expect.stringContaining("cannot be read") },
		]);
	});

	test("lets the policy have its own resources", () => {
		const rail = guardrail({
			denyActions: ["secretsmanager:GetSecretValue"],
			exceptResources: ["arn:aws:secretsmanager:*:*:secret:prod/${policy.name}/*"],
		});
		const secret = (name: string): RoleWanted =>
			wanted({
				statements: [
					wants(
						allow("secretsmanager:GetSecretValue", `arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/${name}/db-??????`),
					),
				],
			});
		expect(check(secret("orders-api"), [rail])).toEqual([]);
		expect(check(secret("billing"), [rail])).toMatchObject([{ id: "GuardrailDenies" }]);
	});

	test("stands aside for an exception until it ends", () => {
		const except = (expiresAt: string): Resource =>
			guardrail({ denyActions: ["s3:*"] }, { exceptions: [{ policy: "orders-api", rule: "rule", reason: "x", expiresAt }] });
		expect(check(wanted(), [except("2026-11-24T12:00:01Z")])).toEqual([]);
		expect(check(wanted(), [except("2026-11-24T12:00:00Z")])).toHaveLength(1);
	});

	test.each([
		["accounts", { accounts: ["dev"] }, { accounts: ["pro*"] }],
		["paths", { paths: ["other/*"] }, { paths: ["policies/*"] }],
		["clusters", { clusters: ["dev"] }, { clusters: ["prod"] }],
		["labels", { labels: { team: "billing" } }, { labels: { team: "orders" } }],
	])("binds whom its match of %s names and nobody else", (_what, others, mine) => {
		const r = resource("orders-api", {
			metadata: { name: "orders-api", labels: { team: "orders" } },
			spec: { workloads: [{ cluster: "prod", services: ["a"] }] },
		});
		const rails = (match: object): readonly Resource[] => [guardrail({ denyActions: ["s3:*"] }, { match })];
		expect(check(wanted(), rails(others), { resource: r, view: view([r, ...rails(others)]) })).toEqual([]);
		expect(check(wanted(), rails(mine), { resource: r, view: view([r, ...rails(mine)]) })).toHaveLength(1);
	});

	test("makes everything wait but what narrows, what has expired, and what does not depend on the rest", () => {
		const rail = guardrail({ denyActions: ["s3:PutObject"] });
		const state = roleState({
			inline: { "ecs-access": doc(GET), "quick-fix": doc(allow("dynamodb:*")), old: doc(allow("sqs:*")) },
		});
		const p = withRule(
			wanted({ statements: [wants(GET), wants(PUT)], expired: [wants(allow("sqs:*"))], tags: { team: "x" } }),
			state,
			rail,
		);
		expect(shown(p)).toEqual([
			"DeleteRolePolicy old expired narrows",
			"PutRolePolicy ecs-access spec-changed broadens (waits: guardrail)",
			"TagRole spec-changed none (waits: guardrail)",
			"DeleteRolePolicy quick-fix drifted narrows",
		]);
		expect(p.approvalId).toBeNull();
		expect(applyReady(p, state)?.inline).toEqual({ "ecs-access": doc(GET) });
	});

	test("only warns where it says Warn", () => {
		const p = withRule(
			wanted({ statements: [wants(PUT)] }),
			live,
			guardrail({ denyActions: ["s3:PutObject"] }, { enforcement: "Warn" }),
		);
		expect(p.findings.map((f) => [f.id, f.severity, f.guardrail])).toEqual([["GuardrailWarns", "warning", undefined]]);
		expect(p.steps.map((s) => s.state)).toEqual(["ready"]);
	});

	test("is fatal where this version cannot evaluate it, also as a Warn", () => {
		for (const rule of [{ somethingNew: true }, { privilegeEscalation: true }, { maxGrantDuration: "a fortnight" }]) {
			expect(check(wanted(), [guardrail(rule, { enforcement: "Warn" })])).toMatchObject([
				{ id: "InvalidGuardrail", guardrail: { name: "base", rule: "rule" } },
			]);
		}
	});
});

describe("the other rules", () => {
	test("a boundary is required of what git says, or of what stays where git says nothing", () => {
		const rail = guardrail({ requirePermissionsBoundary: ["arn:aws:iam::*:policy/boundary"] });
		const boundary = "arn:aws:iam::123456789012:policy/boundary";
		expect(check(wanted({ permissionsBoundary: boundary }), [rail])).toEqual([]);
		expect(check(wanted(), [rail])).toHaveLength(1);
		expect(
			check(wanted({ permissionsBoundary: "none" }), [rail], {
				observed: observe(role({ ...live, permissionsBoundary: boundary })),
			}),
		).toHaveLength(1);
		expect(check(wanted(), [rail], { observed: observe(role({ ...live, permissionsBoundary: boundary })) })).toEqual([]);
		expect(check(wanted({ permissionsBoundary: "arn:aws:iam::123456789012:policy/other" }), [rail])).toHaveLength(1);
	});

	test("a grant is measured from its startsAt, which it must have", () => {
		const rail = guardrail({ maxGrantDuration: "14d" });
		const grants = (spec: object): unknown => check(wanted(), [rail, grant(spec)]).map((f) => f.id);
		expect(grants({ startsAt: "2026-11-20T00:00:00Z", expiresAt: "2026-12-04T00:00:00Z" })).toEqual([]);
		expect(grants({ startsAt: "2026-11-20T00:00:00Z", expiresAt: "2026-12-04T00:00:01Z" })).toEqual(["GuardrailDenies"]);
		expect(grants({ expiresAt: "2026-11-25T00:00:00Z" })).toEqual(["GuardrailDenies"]);
		expect(grants({ policyRef: "billing", expiresAt: "2026-11-25T00:00:00Z" })).toEqual([]);
	});

	test("a person's word is asked for what broadens, and the rule is named with its place", () => {
		const rail = guardrail({ requireApprovalFor: ["broadens"] });
		const p = withRule(wanted({ statements: [wants(GET), wants(PUT)] }), live, rail);
		expect(p.steps[0]?.state).toEqual({
			waiting: "approval",
			detail: "guardrail base/rule",
			origin: origin(22, "policies/platform/guardrails.yaml"),
			command: `ecs-access approve ${p.approvalId?.slice(7, 15)} --reason "…"`,
		});
		const narrowed = withRule(wanted({ statements: [] }), live, rail);
		expect(narrowed.steps.map((s) => s.state)).toEqual(["ready"]);
	});

	test("a role is made while its access waits", () => {
		expect(shown(withRule(wanted(), null, guardrail({ requireApprovalFor: ["broadens"] })))).toEqual([
			"CreateRole missing none",
			"PutRolePolicy ecs-access missing broadens (waits: approval)",
		]);
	});

	test("what a waiting attachment would have covered is judged without it", () => {
		const rail = guardrail({ requireApprovalFor: ["broadens"] });
		const w = wanted({
			statements: [wants(GET), wants(allow("s3:ListBucket"))],
			managedPolicies: [{ arn: "arn:aws:iam::aws:policy/ReadBuckets", origin: origin(20) }],
		});
		expect(withRule(w, live, rail).steps.map((s) => s.state !== "ready")).toEqual([true, true]);
	});
});

describe("an approval", () => {
	const rail = guardrail({ requireApprovalFor: ["broadens"] });
	const w = wanted({ statements: [wants(GET), wants(PUT)] });
	const base = withRule(w, live, rail);
	const released = (...more: readonly Resource[]): readonly Plan[] => {
		const over = { view: view([resource(), rail, ...more]) };
		return applyBudgets([planInstance(input(w, live, over))], budgets(over));
	};

	test("releases the steps that its id is the hash of", () => {
		const [p] = released(approval(base.approvalId));
		expect(p?.steps.map((s) => s.state)).toEqual(["ready"]);
		expect(p?.approvalId).toBeNull();
		expect(p === undefined ? null : applyReady(p, live)?.inline["ecs-access"]).toEqual(doc(GET, PUT));
	});

	test("releases nothing when it has ended, or names the first digits only", () => {
		for (const a of [
			approval(base.approvalId, { expiresAt: "2026-11-24T12:00:00Z" }),
			approval(base.approvalId?.slice(0, 15) ?? ""),
		]) {
			expect(released(a)[0]?.steps.map((s) => s.state !== "ready")).toEqual([true]);
		}
	});

	test("stands whatever becomes of the steps that are ready, and of the revision and the clock", () => {
		const drifted = roleState({ inline: { "ecs-access": doc(GET), "quick-fix": doc(allow("dynamodb:*")) } });
		expect(withRule(w, drifted, rail).approvalId).toBe(base.approvalId);
		const later = plan(w, live, { view: view([resource(), rail]), now: "2026-12-24T12:00:00Z", origin: origin(99) });
		expect(later.approvalId).toBe(base.approvalId);
	});

	test("is void when what it would write has changed, before or after", () => {
		expect(withRule(w, roleState({ inline: { "ecs-access": doc(GET, allow("sqs:SendMessage")) } }), rail).approvalId).not.toBe(
			base.approvalId,
		);
		expect(withRule(wanted({ statements: [wants(GET), wants(allow("s3:PutObject"))] }), live, rail).approvalId).not.toBe(
			base.approvalId,
		);
	});

	test("of one role is not one of another", () => {
		const other = { ...ROLE, name: "billing-task" };
		const p = planInstance(
			input(w, null, {
				desired: [desire(w, other)],
				observed: observe(role(live, { name: "billing-task" })),
				view: view([resource(), rail]),
			}),
		);
		expect(p.steps).toHaveLength(1);
		expect(p.approvalId).not.toBe(base.approvalId);
	});
});

describe("budgets", () => {
	const names = ["a", "b", "c"];
	const removable: readonly Existing<"iam.role">[] = names.map((name) => role(live, { name }));
	const owned = removable.length;
	const less = (name: string, w: RoleWanted = wanted({ statements: [] })): Plan =>
		planInstance(
			input(w, null, {
				key: `AccessPolicy/${name}`,
				desired: [desire(w, { ...ROLE, name })],
				observed: observe(role({ ...live, tags: { ...live.tags, "ecs-access.dev/owner": `AccessPolicy/${name}` } }, { name })),
			}),
		);
	const states = (plans: readonly Plan[]): readonly string[] =>
		plans.map((p) => p.steps.map((s) => (s.state === "ready" ? "ready" : s.state.waiting)).join());

	test.each([
		[20, 20, 1_000, 20],
		[20, 20, 42, 9],
		[5, 20, 1, 1],
		[5, 20, 0, 1],
		[0, 20, 100, 1],
	])("of %i roles and %i percent of %i allow %i", (count, percent, of, limit) => {
		expect(budgetLimit(count, percent, of)).toBe(limit);
	});

	test("let so many roles lose access, in the order of their keys, and the rest wait for an approval", () => {
		const plans = ["c", "a", "b"].map((n) => less(n));
		const spec = { narrowings: 2, percent: 100 };
		expect(states(applyBudgets(plans, budgets({ owned, removable, spec })))).toEqual(["budget", "ready", "ready"]);
		expect(states(applyBudgets(plans, budgets({ owned, removable, spec, used: { deletions: 0, narrowings: 2 } })))).toEqual([
			"budget",
			"budget",
			"budget",
		]);
		const [waits] = applyBudgets(plans, budgets({ owned, removable, spec }));
		expect(waits?.steps[0]?.state).toMatchObject({
			command: expect.stringContaining(`approve ${waits?.approvalId?.slice(7, 15)}`),
		});
		const over = { view: view([resource(), approval(waits?.approvalId ?? null)]) };
		expect(states(applyBudgets(plans, budgets({ owned, removable, spec, ...over })))).toEqual(["ready", "ready", "ready"]);
	});

	test("do not count what a person saw, what broadens, expiry, or the healing of drift", () => {
		const used = { deletions: 0, narrowings: 99 };
		expect(states(applyBudgets([less("a")], budgets({ owned, removable, used, shown: true })))).toEqual(["ready"]);
		expect(
			states(applyBudgets([less("a", wanted({ statements: [wants(GET), wants(PUT)] }))], budgets({ owned, removable, used }))),
		).toEqual(["ready"]);
		const expiry = less("a", wanted({ statements: [], expired: [wants(GET)] }));
		expect(expiry.steps.map((s) => s.why)).toEqual(["expired"]);
		expect(states(applyBudgets([expiry], budgets({ owned, removable, used })))).toEqual(["ready"]);
		const healed = plan(wanted(), roleState({ inline: { "ecs-access": doc(GET), "quick-fix": doc(PUT) } }));
		expect(
			states(
				applyBudgets(
					[healed],
					budgets({
						owned: 1,
						removable: [role(roleState({ inline: { "ecs-access": doc(GET), "quick-fix": doc(PUT) } }))],
						used,
					}),
				),
			),
		).toEqual(["ready"]);
	});
});

describe("the id of a plan", () => {
	test("is the hash of all steps: the same for the same, another for any other", () => {
		const one = plan(wanted({ statements: [wants(PUT)] }), live);
		const two = plan(wanted({ statements: [wants(allow("s3:PutObject"))] }), live);
		expect(planFileId([one])).toBe(planFileId([plan(wanted({ statements: [wants(PUT)] }), live)]));
		expect(planFileId([one])).not.toBe(planFileId([two]));
		expect(planFileId([one])).not.toBe(planFileId([]));
		expect(one.id).not.toBe(two.id);
	});
});
