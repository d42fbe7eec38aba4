import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Ajv, type ValidateFunction } from "ajv";
import { describe, expect, it } from "vitest";
import type { Plan, PlanFile } from "../../../controller/model/plan.ts";
import { findingList } from "../../../controller/plan/render/findings-json.ts";
import { BILLING, entry, status } from "../cli/state-fixture.ts";
import { companyPlan, finding } from "./fixtures.ts";

const FOLDER = join(import.meta.dirname, "../../../docs/schemas");

function schema(name: string): ValidateFunction {
	const ajv = new Ajv({ strict: true, allErrors: true, formats: { "date-time": (s: string) => !Number.isNaN(Date.parse(s)) } });
	return ajv.compile(JSON.parse(readFileSync(join(FOLDER, name), "utf8")));
}

/** Through JSON, as a reader gets it. */
function problems(name: string, value: unknown): unknown {
	const validate = schema(name);
	return validate(JSON.parse(JSON.stringify(value))) ? [] : validate.errors;
}

const list = (kind: string, items: readonly unknown[]) => ({ apiVersion: "ecs-access.dev/v1alpha1", kind, items });
const FINDING = finding("X", "error", "wrong", {
	fix: "right",
	origin: { path: "a.yaml", line: 1, column: 1 },
	key: "AccessPolicy/a",
	subject: "role a",
	guardrail: { name: "g", rule: "r" },
	since: "2026-11-24T09:12:00Z",
});

const CULPRIT = {
	arn: "arn:aws:sts::123456789012:assumed-role/Admin/kim",
	at: "2026-11-24T09:12:00Z",
	sourceIp: null,
	userAgent: "aws-cli/2.17",
	action: "iam:TagRole",
	eventId: "e1",
};

const DRIFT = {
	target: { type: "iam.role", account: "123456789012", region: "global", name: "a-task" },
	part: "tags",
	live: "sha256:1",
	since: "2026-11-24T09:12:00Z",
	culprit: CULPRIT,
	recorded: true,
} as const;

describe("the published schemas", () => {
	it("hold for a plan with everything in it", () => {
		const git = { url: "https://git.example/a.git", ref: "main", subdir: "policies" };
		const full: PlanFile = {
			...companyPlan(),
			request: { git, only: ["AccessPolicy/a"], prune: true, requireSignatures: true, allowedSigners: "signers" },
			findings: [FINDING],
			plans: companyPlan().plans.map((p) => ({ ...p, drifts: [DRIFT] })),
			unpruned: { count: 1, reason: "--prune was not given" },
		};
		expect(problems("plan-file.json", full)).toEqual([]);
		expect(problems("plan-file.json", companyPlan())).toEqual([]);
	});

	it("hold for a binding that is made, and one that failed and is taken back", () => {
		const made = JSON.parse(readFileSync(join(FOLDER, "../../test/golden/plan/binding/plan.json"), "utf8")) as Plan;
		const step = made.steps.at(-1);
		const failed = { ...made, steps: [{ ...step, why: "failed", state: { waiting: "failed", detail: "it did not start" } }] };
		expect(problems("plan-file.json", { ...companyPlan(), plans: [made, failed] })).toEqual([]);
	});

	it("hold for findings, status, history and descriptions", () => {
		expect(problems("finding-list.json", findingList({ findings: [FINDING], files: 3, strict: false }))).toEqual([]);
		expect(problems("status-list.json", list("StatusList", [status("a"), BILLING]))).toEqual([]);
		const drifted = { event: "drifted", api: null, since: "2026-11-24T09:12:00Z", culprit: CULPRIT } as const;
		const history = [
			entry("2026-11-24T09:12:00Z"),
			entry("2026-11-24T09:12:00Z", { target: null, api: null }),
			entry("2026-11-24T09:12:00Z", { ...drifted, drift: { part: "tags", live: "sha256:1" }, lease: 3 }),
		];
		expect(problems("history-list.json", list("HistoryList", history))).toEqual([]);
		expect(problems("description-list.json", list("DescriptionList", [{ status: BILLING, history }]))).toEqual([]);
		expect(problems("comparison.json", { verdict: "equivalent" })).toEqual([]);
	});

	it("refuse a field that nobody described, a missing one and a wrong value", () => {
		expect(problems("plan-file.json", { ...companyPlan(), surprise: 1 })).not.toEqual([]);
		expect(problems("plan-file.json", { ...companyPlan(), id: "7c1e0a9f" })).not.toEqual([]);
		const { account: _, ...less } = BILLING;
		expect(problems("status-list.json", list("StatusList", [less]))).not.toEqual([]);
		expect(problems("comparison.json", { verdict: "same" })).not.toEqual([]);
	});

	it("all compile", () => {
		const names = readdirSync(FOLDER);
		expect(names.length).toBeGreaterThan(6);
		for (const name of names) schema(name);
	});
});
