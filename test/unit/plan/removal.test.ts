import { describe, expect, test } from "vitest";
import type { Plan } from "../../../controller/model/plan.ts";
import type { InUse } from "../../../controller/model/ports.ts";
import type { RoleState } from "../../../controller/model/target.ts";
import { applyBudgets } from "../../../controller/plan/budgets.ts";
import { planForget } from "../../../controller/plan/forget.ts";
import { planFileId } from "../../../controller/plan/plan-file.ts";
import { planRemoval, type RemovalInput } from "../../../controller/plan/removal.ts";
import { allow, applyReady, deny, doc, input, MARKS, origin, resource, role, roleState, shown, view, wanted } from "./world.ts";

const OWN = { team: "orders" };
const FREE: InUse = { by: [], unread: [] };
const full = roleState({
	inline: { "ecs-access": doc(allow("s3:GetObject")), guard: doc(deny("s3:PutObject"), allow("s3:*")) },
	managedPolicies: ["arn:aws:iam::aws:policy/ReadQueues", "arn:aws:iam::123456789012:policy/lockdown"],
	permissionsBoundary: "arn:aws:iam::123456789012:policy/boundary",
});

function tagged(more: Readonly<Record<string, string>>, state: RoleState = full): RoleState {
	return { ...state, tags: { ...MARKS, ...OWN, ...more } };
}

const retired = (at: string): RoleState => tagged({ "ecs-access.dev/deletion": "delete:14d", "ecs-access.dev/retired-at": at });
const LONG_AGO = "2026-11-10T12:00:00Z";

function removal(state: RoleState, over: Partial<RemovalInput> & { lastUsed?: string } = {}): Plan | null {
	const { lastUsed, ...rest } = over;
	return planRemoval({
		...input(wanted(), null),
		role: role(state, lastUsed === undefined ? {} : { lastUsed }),
		named: false,
		inUse: FREE,
		...rest,
	});
}

function waits(p: Plan | null): readonly (string | undefined)[] {
	return [...new Set(p?.steps.map((s) => (s.state === "ready" ? "ready" : s.state.waiting)))];
}

describe("a role whose policy is gone", () => {
	test("loses our tags and nothing else where its deletion is Orphan; a hold stays with who set it", () => {
		const state = tagged({ "ecs-access.dev/adopted": "true", "ecs-access.dev/hold-until": "2026-11-01T00:00:00Z" });
		const p = removal(state);
		expect(p === null ? null : applyReady(p, state)).toEqual({
			...state,
			tags: { ...OWN, "ecs-access.dev/hold-until": "2026-11-01T00:00:00Z" },
		});
		expect(p).toMatchObject({ key: "AccessPolicy/orders-api", summary: "delete" });
		expect(p?.steps.map((s) => [s.call.api, s.why, s.effect])).toEqual([["iam:UntagRole", "removed-from-git", "none"]]);
	});

	test("is first marked retired where its deletion is Delete; the time is not in the plan's id", () => {
		const state = tagged({ "ecs-access.dev/deletion": "delete:14d" });
		const p = removal(state);
		expect(p === null ? null : applyReady(p, state)).toEqual({
			...state,
			tags: { ...state.tags, "ecs-access.dev/retired-at": "2026-11-24T12:00:00Z" },
		});
		const later = removal(state, { now: "2026-11-24T12:01:00Z" });
		expect(p?.steps).not.toEqual(later?.steps);
		expect(p?.id).toBe(later?.id);
		expect(planFileId(p === null ? [] : [p])).toBe(planFileId(later === null ? [] : [later]));
	});

	test("is kept for the time it was promised", () => {
		const p = removal(retired("2026-11-10T12:00:01Z"));
		expect(waits(p)).toEqual(["retention"]);
		expect(p?.steps[0]?.state).toMatchObject({ detail: expect.stringContaining("kept until 2026-11-24T12:00:01Z") });
		expect(waits(removal(retired("whenever")))).toEqual(["retention"]);
	});

	test("is then deleted: Allows first, what holds a Deny after them, the role last, and nothing is left", () => {
		const state = retired(LONG_AGO);
		const p = removal(state, { lastUsed: "2026-11-10T11:59:59Z" });
		expect(p === null ? null : shown(p).map((s) => s.split(" removed-from-git")[0])).toEqual([
			"DetachRolePolicy ReadQueues",
			"DeleteRolePolicy ecs-access",
			"DetachRolePolicy lockdown",
			"DeleteRolePolicy guard",
			"DeleteRole",
		]);
		expect(waits(p)).toEqual(["ready"]);
		expect(p === null ? null : applyReady(p, state)).toBeNull();
	});

	test.each([
		[
			"used by services",
			{ inUse: { by: ["service prod/a", "service prod/b"], unread: [] } },
			"in use by 2 users: service prod/a, service prod/b",
		],
		["not wholly looked at", { inUse: { by: [], unread: ["running tasks of cluster prod"] } }, "running tasks of cluster prod"],
		["not looked at", { inUse: null }, "was not looked at"],
		["used lately", { lastUsed: "2026-11-10T12:00:00Z" }, "last used 2026-11-10T12:00:00Z"],
	])("is not deleted while it is %s", (_how, over, detail) => {
		const p = removal(retired(LONG_AGO), over);
		expect(waits(p)).toEqual(["in-use"]);
		expect(p?.steps[0]?.state).toMatchObject({ detail: expect.stringContaining(detail) });
		expect(p?.approvalId).toBeNull();
	});

	test("is left alone while it is held", () => {
		const state = {
			...retired(LONG_AGO),
			tags: { ...retired(LONG_AGO).tags, "ecs-access.dev/hold-until": "2026-12-01T00:00:00Z" },
		};
		expect(waits(removal(state))).toEqual(["hold"]);
	});

	test.each([
		["nobody's", OWN],
		["another installation's", { ...MARKS, "ecs-access.dev/installation": "staging" }],
		["another source's", { ...MARKS, "ecs-access.dev/source": "elsewhere" }],
	])("is not ours to remove when its mark is %s", (_whose, tags) => {
		expect(removal({ ...full, tags })).toBeNull();
	});

	test("waits for a person's word where a guardrail may have wanted it", () => {
		const rail = {
			...resource("base", { kind: "Guardrail", key: "Guardrail/base" }),
			spec: { enforcement: "Deny", match: { paths: ["teams/*"] }, rules: [{ id: "ask", requireApprovalFor: ["deletes"] }] },
			at: () => origin(22, "policies/platform/guardrails.yaml"),
		};
		const p = removal(retired(LONG_AGO), { view: view([rail]) });
		expect(waits(p)).toEqual(["approval"]);
		expect(p?.approvalId).not.toBeNull();
	});

	test("counts in the budget of deletions, also where a person saw the plan", () => {
		const state = retired(LONG_AGO);
		const p = removal(state);
		const context = { ...input(wanted(), null), observed: new Map(), spec: {}, owned: 1, removable: [role(state)], shown: true };
		const decide = (deletions: number): readonly (string | undefined)[] =>
			applyBudgets(p === null ? [] : [p], { ...context, used: { deletions, narrowings: 0 } }).flatMap(waits);
		expect(decide(0)).toEqual(["ready"]);
		expect(decide(1)).toEqual(["budget"]);
	});
});

describe("forget", () => {
	test("takes our marks and nothing else, and touches no role of another installation", () => {
		const state = tagged({});
		const other = tagged({ "ecs-access.dev/installation": "staging" });
		const p = planForget("AccessPolicy/orders-api", [role(state), role(other, { name: "theirs" })], input(wanted(), null));
		expect(p.steps.map((s) => s.target.name)).toEqual(["orders-api-task"]);
		expect(applyReady(p, state)).toEqual({ ...state, tags: OWN });
	});
});

test("a role that a workload in git still runs with is given up, never deleted, also long after it was retired", () => {
	for (const retired of [{}, { "ecs-access.dev/retired-at": "2020-01-01T00:00:00Z" }]) {
		const p = planRemoval({
			...input(wanted(), null),
			role: role(roleState({ tags: { ...MARKS, "ecs-access.dev/deletion": "delete:1s", ...retired } })),
			named: true,
			inUse: FREE,
		});
		expect(p === null ? [] : shown(p)).toEqual(["UntagRole removed-from-git none"]);
	}
});
