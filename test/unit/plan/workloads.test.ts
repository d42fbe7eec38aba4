import { describe, expect, test } from "vitest";
import type { AnyDesired, AnyObserved } from "../../../controller/model/desired.ts";
import type { Finding } from "../../../controller/model/finding.ts";
import type { Passer } from "../../../controller/model/reference.ts";
import type { Resource } from "../../../controller/model/resource.ts";
import type { Binding, ServiceState } from "../../../controller/model/target.ts";
import { planInstance } from "../../../controller/plan/instance.ts";
import { passRoleGaps } from "../../../controller/plan/pass-role.ts";
import type { PolicyDocument } from "../../../controller/policy/document.ts";
import {
	ACCOUNT_ID,
	account,
	allow,
	deny,
	desire,
	doc,
	factsOf,
	input,
	MANAGED,
	observe,
	origin,
	resource,
	role,
	roleState,
	trust,
	view,
	wanted,
} from "./world.ts";

const TASK = `arn:aws:iam::${ACCOUNT_ID}:role/ecs-access/orders-api-task`;
const EXECUTION = `arn:aws:iam::${ACCOUNT_ID}:role/ecsTaskExecutionRole`;
const SECRET = `arn:aws:secretsmanager:eu-west-1:${ACCOUNT_ID}:secret:prod/db`;
const SERVICE = { type: "ecs.service", account: ACCOUNT_ID, region: "eu-west-1", name: "prod/orders-api" } as const;
const live = roleState({ inline: { "ecs-access": doc(allow("s3:GetObject", "arn:aws:s3:::catalogue/*")) } });

function service(over: Partial<ServiceState> = {}, name: string = SERVICE.name): AnyObserved {
	const target = { ...SERVICE, name };
	const state: ServiceState = {
		taskRole: TASK,
		executionRole: EXECUTION,
		secrets: {},
		taskDefinition: `arn:aws:ecs:eu-west-1:${ACCOUNT_ID}:task-definition/orders:7`,
		controller: "ECS",
		express: false,
		desiredCount: 1,
		runningCount: 1,
		plaintext: [],
		containers: ["app"],
		...over,
	};
	return {
		target,
		exists: true,
		arn: "arn:aws:ecs:eu-west-1:123456789012:service/prod/x",
		state,
		fingerprint: "",
		owner: null,
		holdUntil: null,
		lastUsed: null,
	};
}

function binds(binding: Partial<Binding>): AnyDesired {
	return { target: SERVICE, wanted: { mode: "Verify", binding, workloadRegion: "eu-west-1" }, origin: origin(8) };
}

function findings(binding: Partial<Binding>, ...seen: readonly AnyObserved[]): readonly Finding[] {
	const p = planInstance(
		input(wanted(), live, { desired: [desire(wanted()), binds(binding)], observed: observe(role(live), ...seen) }),
	);
	expect(p.steps).toEqual([]);
	return p.findings;
}

const both: Partial<Binding> = { taskRole: TASK, executionRole: EXECUTION };

describe("a workload that is only checked", () => {
	test("is unchanged where its task definition says what git says", () => {
		const p = planInstance(
			input(wanted(), live, { desired: [desire(wanted()), binds(both)], observed: observe(role(live), service()) }),
		);
		expect(p).toMatchObject({ steps: [], findings: [], roles: 1, workloads: 1, unchanged: 2 });
	});

	test("that does not exist yet makes its binding wait, and its role is made", () => {
		const absent: AnyObserved = { target: SERVICE, exists: false };
		const p = planInstance(
			input(wanted(), null, {
				desired: [desire(wanted()), binds(both)],
				observed: observe(absent, { target: desire(wanted()).target, exists: false } as AnyObserved),
			}),
		);
		expect(p.steps.map((s) => [s.call.api, s.state === "ready" ? "ready" : s.state.waiting])).toEqual([
			["iam:CreateRole", "ready"],
			["iam:PutRolePolicy", "ready"],
			["none", "reference"],
		]);
		expect(p.steps[2]).toMatchObject({
			state: { detail: "service prod/orders-api does not exist yet: its binding waits" },
			diff: [{ what: "binding", to: TASK }, { to: EXECUTION }],
		});
		expect(p.summary).toBe("create");
		expect(p.approvalId).toBeNull();
	});

	test.each([
		[
			"another task role",
			both,
			{ taskRole: "arn:aws:iam::123456789012:role/old" },
			/runs with task role arn:aws:iam::123456789012:role\/old, and git says arn/,
		],
		["no task role", both, { taskRole: null }, /runs without a task role, and git says arn/],
		["a task role where git says none", { taskRole: null }, {}, /runs with task role arn.*, and git says none/],
		["another execution role", both, { executionRole: null }, /runs without an execution role/],
	])("that has %s is a mismatch that names both", (_what, binding, state, message) => {
		const found = findings(binding, service(state)).filter((f) => f.id === "BindingMismatch");
		expect(found).toHaveLength(1);
		expect(found[0]?.message).toMatch(message);
		expect(found[0]?.origin?.line).toBe(8);
	});

	test("says nothing of an execution role that git does not name", () => {
		expect(findings({ taskRole: TASK }, service({ executionRole: null }))).toEqual([]);
	});

	test.each([
		[{ controller: "CODE_DEPLOY" as const }, /CodeDeploy/],
		[{ controller: "EXTERNAL" as const }, /task set/],
		[{ express: true }, /Express/],
		[{}, /render task-definition FILE --policy orders-api.*update the service/],
	])("is put right in the way it is deployed: %o", (state, fix) => {
		expect(findings(both, service({ ...state, taskRole: null })).find((f) => f.id === "BindingMismatch")?.fix).toMatch(fix);
	});

	test("that lacks a secret, or has another, is said so by name", () => {
		const wants = { ...both, secrets: { "app/DB": `${SECRET}:url::`, "side/DB": SECRET } };
		const ids = (secrets: Record<string, string>): readonly string[] =>
			findings(wants, service({ secrets })).map((f) => `${f.id} ${/(app|side)\/DB/.exec(f.message)?.[0]}`);
		expect(ids({})).toEqual(["SecretMissing app/DB", "SecretMissing side/DB"]);
		expect(ids({ "app/DB": `${SECRET}-AbCdEf:url::`, "side/DB": SECRET })).toEqual([]);
		expect(ids({ "app/DB": `${SECRET}-AbCdEf:password::`, "side/DB": SECRET })).toEqual(["SecretDiffers app/DB"]);
		expect(ids({ "app/DB": `${SECRET}-AbCdEf:url::1b2c`, "side/DB": SECRET })).toEqual(["SecretPinned app/DB"]);
	});

	test("with a secret in plain text, or one role for both uses, is told with the fix", () => {
		const found = findings(
			{},
			service({ executionRole: TASK, plaintext: [{ container: "app", name: "DB_PASSWORD", rule: "name" }] }),
		);
		expect(found.map((f) => f.id)).toEqual(["MergedRole", "PlaintextSecret"]);
		expect(found[1]?.message).toContain("DB_PASSWORD of container app");
	});

	test("with a secret in plain text that a guardrail speaks of is told once, by the guardrail", () => {
		const rule: Resource = {
			...resource("advice", { kind: "Guardrail", key: "Guardrail/advice" }),
			spec: { enforcement: "Warn", rules: [{ id: "no-plaintext", denyPlaintextSecrets: true }] },
		};
		const seen = service({ plaintext: [{ container: "app", name: "DB_PASSWORD", rule: "name" }] });
		const p = planInstance(
			input(wanted(), live, {
				desired: [desire(wanted()), binds(both)],
				observed: observe(role(live), seen),
				view: view([resource(), rule]),
			}),
		);
		expect(p.findings.map((f) => f.id)).toEqual(["GuardrailWarns"]);
		expect(p.findings[0]?.message).toContain("DB_PASSWORD of container app");
	});
});

describe("a role of ours", () => {
	test("that no workload runs with is a note; before any workload is there, nothing", () => {
		expect(findings(both, service({ taskRole: EXECUTION })).map((f) => f.id)).toContain("RoleUnused");
	});

	test("that a workload of nobody's runs with is shared", () => {
		const found = findings(both, service(), service({}, "prod/stranger"));
		expect(found.map((f) => [f.id, f.message.includes("service prod/stranger")])).toEqual([["RoleShared", true]]);
	});

	test("whose trust keeps ECS out is said so, with the reason", () => {
		const clustered: PolicyDocument = doc({
			...(trust.Statement[0] ?? { Effect: "Allow" }),
			Condition: { ArnLike: { "aws:SourceArn": `arn:aws:ecs:eu-west-1:${ACCOUNT_ID}:cluster/prod` } },
		});
		const state = { ...live, trust: clustered };
		const w = wanted({ trust: null });
		const p = planInstance(input(w, state, { desired: [desire(w), binds(both)], observed: observe(role(state), service()) }));
		expect(p.findings.map((f) => f.id)).toEqual(["TrustRefusesEcs"]);
		expect(p.findings[0]?.message).toContain("eu-west-1 assume it: its aws:SourceArn");
	});

	test("is asked for its trust too where it is only checked", () => {
		const ref = { type: "iam.role", account: ACCOUNT_ID, name: "ecsTaskExecutionRole" } as const;
		const facts = factsOf(MANAGED, [[ref, { type: "iam.role", arn: EXECUTION, state: roleState({ trust: doc() }) }]]);
		const p = planInstance(
			input(wanted(), live, { facts, desired: [desire(wanted()), binds(both)], observed: observe(role(live), service()) }),
		);
		expect(p.findings.map((f) => [f.id, f.subject])).toEqual([["TrustRefusesEcs", "role ecsTaskExecutionRole"]]);
	});
});

describe("PassRoleGap", () => {
	const pass = (resource: string, service = "ecs-tasks.amazonaws.com"): PolicyDocument =>
		doc({
			Effect: "Allow",
			Action: "iam:PassRole",
			Resource: resource,
			Condition: { StringEquals: { "iam:PassedToService": service } },
		});
	const passer = (documents: readonly PolicyDocument[] | null, over: Partial<Passer> = {}): Passer => ({
		arn: "arn:aws:iam::123456789012:role/ci-deploy",
		as: "Account prod deployers",
		documents,
		boundary: null,
		families: null,
		...over,
	});
	const gaps = (...passers: readonly Passer[]): readonly Finding[] =>
		passRoleGaps({
			account,
			desired: [binds(both)],
			observed: observe(service()),
			facts: factsOf({}, [
				[
					{ type: "passers", account: ACCOUNT_ID, regions: account.regions, deployers: [] },
					{ type: "passers", passers, unread: [] },
				],
			]),
		});

	test("is nothing for who may pass all the roles to ECS", () => {
		expect(gaps(passer([pass("*")]), passer([doc(allow("*"))]))).toEqual([]);
	});

	test("is one finding a principal, with the roles and what to allow", () => {
		const found = gaps(passer([pass(`arn:aws:iam::${ACCOUNT_ID}:role/ecs-access/*`)]));
		expect(found).toMatchObject([{ id: "PassRoleGap", subject: "arn:aws:iam::123456789012:role/ci-deploy" }]);
		expect(found[0]?.message).toContain(`may not pass 1 of 2 roles to ECS: ${EXECUTION}`);
	});

	test.each([
		["to another service only", passer([pass("*", "lambda.amazonaws.com")])],
		["under a Deny", passer([pass("*"), doc(deny("iam:*"))])],
		["outside a boundary", passer([pass("*")], { boundary: doc(allow("ecs:*")) })],
	])("is there for who may pass them %s", (_how, p) => {
		expect(gaps(p).map((f) => f.id)).toEqual(["PassRoleGap"]);
	});

	test("asks who starts certain families for their roles only", () => {
		expect(gaps(passer([], { families: ["nightly"] }))).toEqual([]);
		expect(gaps(passer([], { families: ["orders"] })).map((f) => f.id)).toEqual(["PassRoleGap"]);
	});

	test("is not claimed of who cannot be read", () => {
		expect(gaps(passer(null)).map((f) => [f.id, f.severity])).toEqual([["PassRoleUnread", "note"]]);
	});
});
