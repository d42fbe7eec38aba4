import { digest } from "../../../controller/model/digest.ts";
import type { Finding } from "../../../controller/model/finding.ts";
import type { Change, Plan, PlanFile, Step, StepCall, StepState, Why } from "../../../controller/model/plan.ts";
import type { Target } from "../../../controller/model/target.ts";
import type { AccessEffect, AccessLine } from "../../../controller/policy/access.ts";
import { accountOf } from "../../account.ts";

/** Plan files made by hand, in the words of a small company. */

export const ACCOUNT = accountOf("123456789012");

export function line(actions: string, resources: string, example?: string): AccessLine {
	const witness =
		example === undefined
			? null
			: { action: example.split(" on ")[0] ?? "", resource: example.split(" on ")[1] ?? "", context: {} };
	return { actions: actions.split(" "), resources: resources.split(" "), when: null, witness };
}

export function role(name: string): Target {
	return { type: "iam.role", account: "123456789012", region: "global", name };
}

export function change(op: Change["op"], what: Change["what"], name: string, rest: Partial<Change> = {}): Change {
	return { op, what, name, from: null, to: null, origin: null, ...rest };
}

export function step(target: Target, rest: Partial<Step> & { readonly why?: Why; readonly state?: StepState } = {}): Step {
	const call: StepCall = { api: "iam:DeleteRolePolicy", input: { RoleName: target.name, PolicyName: "x" } };
	const base: Step = {
		id: `${target.name}#1`,
		target,
		path: "/ecs-access/",
		call,
		why: "spec-changed",
		effect: "none" as AccessEffect,
		gains: [],
		losses: [],
		diff: [],
		before: null,
		after: null,
		precondition: null,
		after_: [],
		settle: 0,
		state: "ready",
	};
	return { ...base, ...rest };
}

export function plan(name: string, summary: Plan["summary"], steps: readonly Step[], rest: Partial<Plan> = {}): Plan {
	return {
		id: digest(name),
		key: `AccessPolicy/${name}`,
		account: "prod",
		origin: { path: `policies/${name}.yaml`, line: 1, column: 1 },
		summary,
		steps,
		findings: [],
		approvalId: null,
		roles: 1,
		workloads: 1,
		unchanged: steps.length === 0 ? 2 : 1,
		...rest,
	};
}

export function planFile(plans: readonly Plan[], rest: Partial<PlanFile> = {}): PlanFile {
	return {
		apiVersion: "ecs-access.dev/v1alpha1",
		kind: "PlanFile",
		id: `sha256:7c1e0a9f${"0".repeat(56)}`,
		createdAt: "2026-11-24T10:00:00Z",
		request: { path: "policies", prune: false },
		revision: { kind: "commit", id: "3f2a91c0000000000000000000000000000000000" },
		digest: digest("content"),
		sourceLabel: "policies @ 3f2a91c",
		installation: "main",
		accounts: [
			{
				account: ACCOUNT,
				caller: { accountId: "123456789012", arn: "arn:aws:iam::123456789012:user/kim", partition: "aws", alias: "acme-prod" },
				error: null,
			},
		],
		plans,
		findings: [],
		unpruned: null,
		reads: { roles: 214, services: 96, calls: 41, milliseconds: 1_930 },
		...rest,
	};
}

export const APPROVAL_ID = `sha256:b04d77e1${"0".repeat(56)}`;

/** The plan of the design: one drift, one update that waits for approval, one creation, one role that is not ours. */
export function companyPlan(): PlanFile {
	const search: Target = { type: "ecs.service", account: "123456789012", region: "eu-west-1", name: "prod/search" };
	return planFile([
		plan(
			"orders-api",
			"heal",
			[
				step(role("orders-api-task"), {
					why: "drifted",
					effect: "narrows",
					diff: [
						change("-", "inline policy", "quick-fix", { origin: { path: "policies/orders-api.yaml", line: 31, column: 5 } }),
					],
					losses: [line("*", "*", "iam:CreateUser on *")],
				}),
			],
			{ unchanged: 1 },
		),
		plan(
			"billing",
			"update",
			[
				step(role("billing-task"), {
					effect: "both",
					gains: [line("s3:PutObject", "arn:aws:s3:::invoices-prod/*", "s3:PutObject on arn:aws:s3:::invoices-prod/x")],
					losses: [line("s3:DeleteObject", "arn:aws:s3:::invoices-prod/*", "s3:DeleteObject on arn:aws:s3:::invoices-prod/x")],
					diff: [change("~", "inline policy", "ecs-access"), change("+", "tag", "team", { to: "billing" })],
					state: {
						waiting: "approval",
						detail: "guardrail production-baseline/ask-before-broadening",
						origin: { path: "policies/platform/guardrails.yaml", line: 22, column: 7 },
					},
				}),
			],
			{ approvalId: APPROVAL_ID, origin: { path: "policies/billing.yaml", line: 14, column: 1 } },
		),
		plan("search", "create", [
			step(role("search-task"), {
				why: "missing",
				call: {
					api: "iam:CreateRole",
					input: {
						RoleName: "search-task",
						Path: "/ecs-access/",
						AssumeRolePolicyDocument: {
							Version: "2012-10-17",
							Statement: [{ Effect: "Allow", Principal: { Service: "ecs-tasks.amazonaws.com" }, Action: "sts:AssumeRole" }],
						},
						Tags: {},
					},
				},
				diff: [change("+", "role", "search-task"), change("+", "trust", "")],
			}),
			step(role("search-task"), {
				why: "missing",
				effect: "broadens",
				gains: [
					line(
						"es:ESHttpGet",
						"arn:aws:es:eu-west-1:123456789012:domain/catalogue/*",
						"es:ESHttpGet on arn:aws:es:eu-west-1:123456789012:domain/catalogue/x",
					),
				],
				diff: [change("+", "inline policy", "ecs-access")],
			}),
			step(search, {
				why: "missing",
				call: { api: "none" },
				state: { waiting: "reference", detail: "service prod/search does not exist yet" },
			}),
		]),
		plan("legacy", "wait", [
			step(role("legacy-batch-task"), {
				call: { api: "none" },
				state: {
					waiting: "not-owned",
					detail:
						"legacy-batch-task is not ours and carries our name: policies/legacy.yaml:1 wants it; adopt: true takes it over",
				},
			}),
		]),
		plan("quiet", "unchanged", [], { roles: 210, workloads: 95, unchanged: 208 }),
	]);
}

export function finding(id: string, severity: Finding["severity"], message: string, rest: Partial<Finding> = {}): Finding {
	return { id, severity, message, origin: null, ...rest };
}
