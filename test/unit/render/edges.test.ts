import { describe, expect, test } from "vitest";
import type { PlanFile } from "../../../controller/model/plan.ts";
import { renderPlanMarkdown } from "../../../controller/plan/render/plan-markdown.ts";
import { renderPlanText } from "../../../controller/plan/render/plan-text.ts";
import { APPROVAL_ID, line, plan, planFile, role, step } from "./fixtures.ts";

const text = (file: PlanFile, next?: { readonly savedTo: string }): string =>
	renderPlanText(file, { color: false, width: 160, verbose: false, ...(next !== undefined && { next }) });

function foreign(name: string) {
	return plan(name, "wait", [
		step(role(`${name}-task`), {
			call: { api: "none" },
			state: {
				waiting: "not-owned",
				detail: `${name}-task belongs to source directory (AccessPolicy/${name}); policies/${name}.yaml:1 wants it for source github.com/acme/access//policies`,
				advice: "if source directory was this repository, write into spec of the Installation; else forget it there first",
				command: 'previousSources: ["directory"]',
			},
		}),
	]);
}

const PUT = {
	api: "iam:PutRolePolicy",
	input: { RoleName: "a-task", PolicyName: "ecs-access", PolicyDocument: { Version: "2012-10-17", Statement: [] } },
} as const;
const CREATE = {
	api: "iam:CreateRole",
	input: { RoleName: "a-task", Path: "/", AssumeRolePolicyDocument: { Version: "2012-10-17", Statement: [] }, Tags: {} },
} as const;
const ASK = {
	waiting: "approval",
	detail: "guardrail baseline/ask-before-broadening",
	command: 'ecs-access approve b04d77e1 --reason "…"',
} as const;

describe("what is not ours", () => {
	test("says whose it is in its own words, and what to write once for all", () => {
		const out = text(planFile([foreign("orders"), foreign("billing")]));
		expect(out).toContain("? orders-task  belongs to source directory (AccessPolicy/orders); policies/orders.yaml:1 wants it");
		expect(out).toContain("? billing-task  belongs to source directory");
		expect(out).not.toContain("adopt: true");
		expect(out.split('previousSources: ["directory"]')).toHaveLength(2);
	});

	test("is said once, where nobody marked it", () => {
		const detail = "a-task is not ours and carries our name: policies/a.yaml:1 wants it; adopt: true takes it over";
		const out = text(
			planFile([plan("a", "wait", [step(role("a-task"), { call: { api: "none" }, state: { waiting: "not-owned", detail } })])]),
		);
		expect(out.split("is not ours")).toHaveLength(2);
		expect(out.split("adopt: true")).toHaveLength(2);
	});
});

describe("what is let go", () => {
	const untag = { api: "iam:UntagRole", input: { RoleName: "a-task", TagKeys: ["ecs-access.dev/installation"] } } as const;
	const orphan = plan("a", "delete", [step(role("a-task"), { call: untag, why: "removed-from-git" })], { origin: null });

	test("is not counted among what is deleted", () => {
		expect(text(planFile([orphan]))).toContain("0 to create, 0 to update, 0 to heal, 1 to let go, 0 to delete");
		expect(renderPlanMarkdown(planFile([orphan]))).toMatch(/— 1 is let go\./);
	});

	test("is gone from git only where it is", () => {
		expect(text(planFile([orphan]))).toContain("a  is no longer in git: our marks are removed, the role stays as it is");
		const forgotten = { ...orphan, origin: { path: "policies/a.yaml", line: 1, column: 1 } };
		expect(text(planFile([forgotten]))).toContain("a  will be let go: our marks are removed, the role stays as it is");
	});
});

describe("what waits in part", () => {
	const created = step(role("a-task"), {
		call: CREATE,
		why: "missing",
		diff: [{ op: "+", what: "role", name: "/a-task", from: null, to: null, origin: null }],
	});
	const put = step(role("a-task"), {
		id: "a-task#2",
		call: PUT,
		why: "missing",
		effect: "broadens",
		gains: [line("s3:GetObject", "*")],
		diff: [{ op: "+", what: "inline policy", name: "ecs-access", from: null, to: null, origin: null }],
		state: ASK,
	});

	test("of a creation says that the role is made, and what is not", () => {
		const out = text(planFile([plan("a", "create", [created, put], { approvalId: APPROVAL_ID })]));
		expect(out).toContain('the role is created now, without access; + inline policy "ecs-access" waits');
	});

	test("tells one cause of several steps once", () => {
		const later = { ...put, id: "a-task#3", state: { ...ASK, detail: `after a step that waits: ${ASK.detail}` } };
		const out = text(planFile([plan("a", "update", [put, later], { approvalId: APPROVAL_ID })]));
		expect(out.split("waits for approval")).toHaveLength(2);
		expect(out.split("  ecs-access approve")).toHaveLength(2);
	});
});

test("a plan that was saved ends with the command that applies it", () => {
	const file = planFile([plan("a", "update", [step(role("a-task"))])]);
	expect(text(file, { savedTo: "my plan.json" }).trimEnd().split("\n").at(-1)).toMatch(/^Next: ecs-access apply 'my plan.json' /);
});

test("what there is none of is not as git says", () => {
	const counts = (roles: number, workloads: number) => text(planFile([plan("a", "unchanged", [], { roles, workloads })]));
	expect(counts(0, 1)).toContain("Nothing to do: 1 workload is as git says.");
	expect(counts(1, 0)).toContain("Nothing to do: 1 role is as git says.");
	expect(counts(1, 1)).toContain("Nothing to do: 1 role and 1 workload are as git says.");
});

test("the Approval that a comment offers has an end", () => {
	const put = step(role("a-task"), { call: PUT, effect: "broadens", state: ASK });
	const out = renderPlanMarkdown(planFile([plan("a", "update", [put], { approvalId: APPROVAL_ID })]));
	expect(out).toContain('reason: "say why", expiresAt: 2026-12-01T10:00:00Z }');
});
