import { describe, expect, test } from "vitest";
import { stringify } from "yaml";
import { compareRevisions } from "../../../controller/engine/compare.ts";
import { validateArtifact } from "../../../controller/engine/validate.ts";
import { digest } from "../../../controller/model/digest.ts";
import type { PlanFile } from "../../../controller/model/plan.ts";
import type { Artifact } from "../../../controller/model/resource.ts";
import { renderPlanMarkdown } from "../../../controller/plan/render/plan-markdown.ts";
import { renderPlanText } from "../../../controller/plan/render/plan-text.ts";
import { createCatalogue } from "../../../controller/policy/catalogue.ts";

const actions = createCatalogue();
const NOW = "2026-11-24T12:00:00Z";
const clock = { now: () => NOW, millis: () => Date.parse(NOW), sleep: async () => {} };

function artifact(files: Readonly<Record<string, readonly object[]>>): Artifact {
	const texts = new Map(Object.entries(files).map(([path, docs]) => [path, docs.map((d) => stringify(d)).join("---\n")]));
	const id = digest(JSON.stringify([...texts]));
	return { revision: { kind: "commit", id }, digest: id, root: "policies", files: texts, source: "directory", partial: null };
}

function document(kind: string, name: string, spec: object): object {
	return { apiVersion: "ecs-access.dev/v1alpha1", kind, metadata: { name }, spec };
}

function policy(taskRole: object, more: object = {}): object {
	return document("AccessPolicy", "orders", { workloads: [{ cluster: "prod", services: ["orders"] }], taskRole, ...more });
}

const READ = { actions: ["s3:GetObject"], resources: ["arn:aws:s3:::catalogue/*"] };
const QUEUE = { actions: ["sqs:SendMessage"], resources: ["arn:aws:sqs:eu-west-1:123456789012:orders"] };
const ATTACHED = ["arn:aws:iam::123456789012:policy/audit"];
const GUARDRAIL = document("Guardrail", "baseline", { enforcement: "Deny", rules: [{ id: "no-iam", denyActions: ["iam:*"] }] });
const ASK = document("Guardrail", "ask", {
	enforcement: "Deny",
	rules: [{ id: "ask-before-broadening", requireApprovalFor: ["broadens"] }],
});
const ACCOUNT = document("Account", "prod", { accountId: "123456789012", region: "eu-west-1" });

function compare(base: Readonly<Record<string, readonly object[]>>, head: typeof base): PlanFile {
	const request = { path: "policies", prune: false };
	const result = compareRevisions({ base: artifact(base), head: artifact(head), request }, { actions, clock });
	if (result.file === null) throw new Error(result.findings.map((f) => f.message).join("\n"));
	return result.file;
}

function findings(file: PlanFile): readonly string[] {
	return [...file.findings, ...file.plans.flatMap((p) => p.findings)].map((f) => `${f.severity} ${f.id}`);
}

const text = (file: PlanFile): string => renderPlanText(file, { color: false, width: 140, verbose: false });

describe("two revisions, compared without AWS", () => {
	test("what an attached policy grants is not known, as in validate, and is no error", () => {
		const attached = policy({ statements: [READ], managedPolicies: ATTACHED });
		const same = { "orders.yaml": [attached], "platform/rules.yaml": [GUARDRAIL] };
		expect(findings(compare(same, same))).toEqual([]);
		const changed = { ...same, "orders.yaml": [policy({ statements: [READ, QUEUE], managedPolicies: ATTACHED })] };
		const told = validateArtifact(artifact(changed), { actions, now: NOW }).findings.map((f) => `${f.severity} ${f.id}`);
		expect(told).toEqual(["note NotEvaluatedOffline"]);
		expect(findings(compare(same, changed))).toEqual(told);
	});

	test("without an Account, nothing is said of one: no id, no claim outside it, no surplus", () => {
		const base = { "orders.yaml": [policy({ statements: [READ, QUEUE], managedPolicies: ATTACHED })] };
		const head = { "orders.yaml": [policy({ statements: [READ], managedPolicies: ATTACHED })] };
		const file = compare(base, head);
		expect(findings(file)).toEqual([]);
		expect(text(file)).not.toMatch(/0000000|us-east-1|unknown|-> {2}default/);
		expect(text(file)).toContain("- sqs:SendMessage on arn:aws:sqs:eu-west-1:123456789012:orders");
	});

	test("a statement that left a policy whose role was taken over is a loss, no surplus", () => {
		const of = (statements: readonly object[]) => ({ "orders.yaml": [policy({ name: "orders-role", adopt: true, statements })] });
		const file = compare(of([READ, QUEUE]), of([READ]));
		expect(findings(file)).toEqual([]);
		const losses = file.plans.flatMap((p) => p.steps.flatMap((s) => s.losses.flatMap((l) => l.actions)));
		expect(losses).toEqual(["sqs:SendMessage"]);
	});

	test("asked for what is not there, only that is said, and no warning of anything else", () => {
		const expired = { ...READ, expiresAt: "2026-01-01T00:00:00Z" };
		const files = artifact({ "orders.yaml": [policy({ statements: [READ, expired] })] });
		const request = { path: "policies", prune: false, only: ["AccessPolicy/order"] };
		const result = compareRevisions({ base: files, head: files, request }, { actions, clock });
		expect(validateArtifact(files, { actions, now: NOW }).findings.map((f) => f.id)).toContain("Expired");
		expect(result.file === null && result.findings.map((f) => f.id)).toEqual(["UnknownReference"]);
	});

	test("an Account that is declared in one revision only moves no role", () => {
		const bare = { "orders.yaml": [policy({ statements: [READ] })] };
		const declared = { ...bare, "platform/accounts.yaml": [ACCOUNT] };
		expect(compare(bare, declared).plans.flatMap((p) => p.steps)).toEqual([]);
		expect(compare(declared, bare).plans.flatMap((p) => p.steps)).toEqual([]);
	});

	const asking = { "platform/rules.yaml": [ASK, ACCOUNT] };
	const before = { ...asking, "orders.yaml": [policy({ statements: [READ] })] };
	const after = { ...asking, "orders.yaml": [policy({ statements: [READ, QUEUE] })] };

	test("what waits for approval says that a plan against the account gives the id, and offers none", () => {
		const file = compare(before, after);
		expect(file.plans.map((p) => p.approvalId)).toEqual([null]);
		expect(text(file)).toContain("waits for approval");
		expect(text(file)).toContain("ecs-access plan, against the account, gives the id to approve");
		expect(text(file)).not.toContain("ecs-access approve");
		const markdown = renderPlanMarkdown(file);
		expect(markdown).toContain("`ecs-access plan` against the account gives the ids to approve");
		expect(markdown).not.toMatch(/approvalId|ecs-access approve/);
		expect(JSON.stringify(file)).not.toContain("ecs-access approve");
	});

	test("an Approval of the head that names the same steps releases them", async () => {
		// The id that a live plan gives of a role that is as the base says: nothing of it but the state is in the hash.
		const waits = compare(before, after).plans.flatMap((p) => p.steps);
		const { approvalId } = await import("../../../controller/plan/approval.ts");
		const approval = document("Approval", "orders", { approvalId: approvalId(waits), reason: "reviewed" });
		const file = compare(before, { ...after, "platform/approvals.yaml": [approval] });
		expect(file.plans.flatMap((p) => p.steps.map((s) => s.state))).toEqual(["ready"]);
	});
});
