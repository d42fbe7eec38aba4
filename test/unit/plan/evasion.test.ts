import { describe, expect, test } from "vitest";
import type { RoleWanted } from "../../../controller/model/desired.ts";
import type { Plan } from "../../../controller/model/plan.ts";
import type { Resource } from "../../../controller/model/resource.ts";
import type { Existing, RoleState } from "../../../controller/model/target.ts";
import { applyBudgets } from "../../../controller/plan/budgets.ts";
import type { PlanInput } from "../../../controller/plan/input.ts";
import { planInstance } from "../../../controller/plan/instance.ts";
import { account, allow, deny, doc, input, resource, roleState, shown, view, wanted, wants } from "./world.ts";

/** Ways around a guardrail or an approval that must stay closed. */

const GET = allow("s3:GetObject", "arn:aws:s3:::catalogue/*");
const BOUNDARY = "arn:aws:iam::123456789012:policy/boundary";

function document(kind: string, name: string, spec: object): Resource {
	return { ...resource(name, { kind, key: `${kind}/${name}` }), spec };
}

function rail(rule: object, match?: object): Resource {
	return document("Guardrail", "base", { enforcement: "Deny", ...(match && { match }), rules: [{ id: "rule", ...rule }] });
}

function approval(id: string | null): Resource {
	return document("Approval", "ok", { approvalId: id, reason: "reviewed" });
}

function planned(
	w: RoleWanted,
	state: RoleState | null,
	documents: readonly Resource[],
	over: Partial<PlanInput> = {},
): Plan | undefined {
	const all = view([over.resource ?? resource(), ...documents]);
	const i = input(w, state, { ...over, view: all });
	const removable = [...i.observed.values()].filter((o): o is Existing<"iam.role"> => o.exists && o.target.type === "iam.role");
	return applyBudgets([planInstance(i)], {
		...i,
		spec: {},
		owned: removable.length,
		removable,
		used: { deletions: 0, narrowings: 0 },
		shown: true,
	})[0];
}

function waits(p: Plan | undefined): readonly string[] {
	return (p?.steps ?? []).map((s) => (s.state === "ready" ? "ready" : s.state.waiting));
}

describe("an approval", () => {
	const IAM = rail({ denyActions: ["iam:*"] });

	test("of the removal of somebody's Deny is not one of what a guardrail refuses", () => {
		const w = wanted({ statements: [wants(allow("iam:*"))] });
		const state = roleState({ inline: { "ecs-access": doc(GET, deny("s3:DeleteObject")) } });
		const free = planned(w, state, []);
		expect(waits(free)).toEqual(["approval"]);
		expect(waits(planned(w, state, [IAM]))).toEqual(["guardrail"]);
		expect(waits(planned(w, state, [IAM, approval(free?.approvalId ?? null)]))).toEqual(["guardrail"]);
	});

	test("of what an attachment seems to cover is not one of what would be given without it", () => {
		// Beside the attachment, which waits, the document gives nothing new; by itself it gives iam:*.
		const attached = "arn:aws:iam::aws:policy/Everything";
		const w = wanted({ statements: [wants(allow("iam:*"))], managedPolicies: [{ arn: attached, origin: resource().origin }] });
		const state = roleState({ inline: { "ecs-access": doc(GET, deny("sqs:PurgeQueue")) } });
		expect(waits(planned(w, state, [IAM]))).toEqual(["guardrail", "guardrail"]);
	});

	test("of a new role's access holds for the boundary and the trust that it was given for", () => {
		const ask = rail({ requireApprovalFor: ["broadens"] });
		const w = wanted({ statements: [wants(allow("s3:*"))], permissionsBoundary: BOUNDARY });
		const asked = planned(w, null, [ask]);
		expect(waits(asked)).toEqual(["ready", "approval"]);
		const ok = approval(asked?.approvalId ?? null);
		expect(waits(planned(w, null, [ask, ok]))).toEqual(["ready", "ready"]);
		expect(waits(planned({ ...w, permissionsBoundary: null }, null, [ask, ok]))).toEqual(["ready", "approval"]);
		const everybody = doc({ Effect: "Allow", Principal: { AWS: "*" }, Action: "sts:AssumeRole" });
		expect(waits(planned({ ...w, trust: everybody }, null, [ask, ok]))).toEqual(["ready", "approval"]);
	});

	test("is not voided by the boundary being set meanwhile, and is by its being dropped from git before", () => {
		const ask = rail({ requireApprovalFor: ["broadens"] });
		const w = wanted({ statements: [wants(GET), wants(allow("s3:*"))], permissionsBoundary: BOUNDARY });
		const state = roleState({ inline: { "ecs-access": doc(GET) } });
		const asked = planned(w, state, [ask]);
		expect(shown(asked as Plan)[0]).toMatch(/^PutRolePermissionsBoundary .*none$|^PutRolePermissionsBoundary .*narrows$/);
		const ok = approval(asked?.approvalId ?? null);
		expect(waits(planned(w, { ...state, permissionsBoundary: BOUNDARY }, [ask, ok]))).toEqual(["ready"]);
		expect(waits(planned({ ...w, permissionsBoundary: null }, state, [ask, ok]))).toEqual(["approval"]);
	});
});

describe("a guardrail for some clusters", () => {
	const IAM = rail({ denyActions: ["iam:*"] }, { clusters: ["prod"] });
	const prod = { ...account, vars: { stage: "prod" } };
	const w = wanted({ statements: [wants(allow("iam:*"))] });
	const policy = (workloads: readonly object[] | undefined): Resource => resource("orders-api", { spec: { workloads } });
	const of = (workloads: readonly object[] | undefined, more: readonly Resource[] = []) =>
		new Set(waits(planned(w, null, [IAM, ...more], { account: prod, resource: policy(workloads) })));
	const REFUSED = new Set(["guardrail"]);

	test("speaks where the cluster is written by a variable", () => {
		expect(of([{ cluster: "${account.vars.stage}", services: ["a"] }])).toEqual(REFUSED);
		expect(of([{ cluster: "dev", services: ["a"] }])).toEqual(new Set(["ready"]));
	});

	test("speaks where a workload names no cluster, or none is named at all", () => {
		expect(of([{ cluster: "dev", services: ["a"] }, { taskFamilies: ["nightly"] }])).toEqual(REFUSED);
		expect(of(undefined)).toEqual(REFUSED);
	});

	test("speaks where another policy of that cluster runs with the role", () => {
		const dev = [{ cluster: "dev", services: ["a"] }];
		const there = { workloads: [{ cluster: "prod", services: ["b"] }] };
		const through = document("AccessPolicy", "through", { workloads: dev, taskRole: { ref: "orders-api" } });
		for (const other of [
			[document("AccessPolicy", "b", { ...there, taskRole: { ref: "orders-api" } })],
			[document("AccessPolicy", "b", { ...there, executionRole: { mode: "Unmanaged", name: "Orders-API-task" } })],
			[document("AccessPolicy", "b", { ...there, taskRole: { mode: "Unmanaged", name: "orders-${policy.name}" } })],
			[through, document("AccessPolicy", "b", { ...there, taskRole: { ref: "through" } })],
		]) {
			const named = other.some((r) => JSON.stringify(r.spec).includes("${policy.name}"));
			expect(of(dev, other)).toEqual(named ? new Set(["ready"]) : REFUSED);
		}
	});
});

test("an exception for resources means this account and its own variables, and nothing where it has none", () => {
	const refused = (except: string, to: string): boolean => {
		const secrets = rail({ denyActions: ["secretsmanager:GetSecretValue"], exceptResources: [except] });
		const w = wanted({ statements: [wants(allow("secretsmanager:GetSecretValue", `arn:aws:secretsmanager:eu-west-1:${to}`))] });
		return waits(planned(w, null, [secrets], { account: { ...account, vars: { stage: "prod" } } })).includes("guardrail");
	};
	const own = "arn:aws:secretsmanager:*:${account.id}:secret:prod/*";
	expect(refused(own, "123456789012:secret:prod/db")).toBe(false);
	expect(refused(own, "999999999999:secret:prod/db")).toBe(true);
	const stage = "arn:aws:secretsmanager:*:*:secret:${account.vars.stage}/*";
	expect(refused(stage, "123456789012:secret:prod/db")).toBe(false);
	expect(refused(stage, "123456789012:secret:dev/db")).toBe(true);
	expect(refused("arn:aws:secretsmanager:*:*:secret:${account.vars.none}/*", "123456789012:secret:prod/db")).toBe(true);
});

test("a required boundary is one of this account", () => {
	const rule = rail({ requirePermissionsBoundary: ["arn:aws:iam::${account.id}:policy/*"] });
	expect(waits(planned(wanted({ permissionsBoundary: BOUNDARY }), null, [rule]))).toEqual(["ready", "ready"]);
	const foreign = "arn:aws:iam::999999999999:policy/boundary";
	expect(waits(planned(wanted({ permissionsBoundary: foreign }), null, [rule]))).toEqual(["guardrail", "guardrail"]);
});
