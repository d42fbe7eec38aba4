import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createCatalogue } from "../../../controller/policy/catalogue.ts";
import type { PolicyDocument, Statement } from "../../../controller/policy/document.ts";
import { evaluate } from "../../../controller/policy/evaluate.ts";
import { type ReachRule, reaches } from "../../../controller/policy/reach.ts";
import { ACTIONS, RESOURCES, request, side } from "./arbitraries.ts";

const catalogue = createCatalogue();
const doc = (...statements: Partial<Statement>[]): PolicyDocument => ({
	Version: "2012-10-17",
	Statement: statements.map((s) => ({ Effect: "Allow", ...("NotResource" in s ? {} : { Resource: "*" }), ...s })),
});
const reach = (rule: ReachRule | string, ...statements: Partial<Statement>[]) =>
	reaches(
		{ documents: [doc(...statements)], boundary: null },
		typeof rule === "string" ? { denyActions: [rule] } : rule,
		catalogue,
	).map(
		(r) =>
			`${r.statement}: ${r.actions.join(", ")} on ${r.resource}, e.g. ${r.witness === null ? "?" : `${r.witness.action} on ${r.witness.resource}`}`,
	);

describe("a guardrail's forbidden action", () => {
	it.each<[string, Partial<Statement>, string]>([
		["written so", { Action: "iam:CreateUser" }, "iam:CreateUser"],
		["in another case", { Action: "IAM:createuser" }, "iam:CreateUser"],
		["by a wildcard of the policy", { Action: "iam:Create*" }, "iam:CreateUser"],
		["by a question mark", { Action: "iam:CreateUse?" }, "iam:CreateUser"],
		["by a question mark in the service", { Action: "ia?:CreateUser" }, "iam:CreateUser"],
		["by everything", { Action: "*" }, "iam:CreateUser"],
		["by everything spelled out", { Action: "*:*" }, "iam:CreateUser"],
		["by NotAction", { NotAction: "s3:*" }, "iam:CreateUser"],
		["by a wildcard of the rule", { Action: "iam:CreateUser" }, "IAM:*"],
		["by wildcards of both", { Action: "iam:*User" }, "iam:Create*"],
		["on NotResource", { Action: "iam:CreateUser", NotResource: "arn:aws:iam::*:user/admin" }, "iam:CreateUser"],
		["under a condition", { Action: "iam:CreateUser", Condition: { StringEquals: { "aws:SourceVpc": "a" } } }, "iam:CreateUser"],
		["by an action that is not in the catalogue yet", { Action: "iam:BrandNew" }, "iam:*"],
	])("is reached %s", (_, statement, action) => {
		expect(reach(action, statement)).toHaveLength(1);
	});

	it.each<[string, Partial<Statement>[], string]>([
		["by others", [{ Action: ["s3:*", "sts:Get*"] }], "iam:*"],
		["where NotAction leaves it out", [{ NotAction: ["IAM:*"] }], "iam:CreateUser"],
		["where a Deny takes it away", [{ Action: "*" }, { Effect: "Deny", Action: "iam:*" }], "iam:Create*"],
		["where a Deny takes the Allow away", [{ Action: "iam:Create*" }, { Effect: "Deny", Action: "iam:C*" }], "iam:*"],
		["where a Deny of all others does", [{ Action: "*" }, { Effect: "Deny", NotAction: "s3:*" }], "iam:*"],
	])("is not reached %s", (_, statements, action) => {
		expect(reach(action, ...statements)).toEqual([]);
	});

	it("is reached still where the Deny is under a condition, or of less", () => {
		expect(
			reach(
				"iam:*",
				{ Action: "*" },
				{ Effect: "Deny", Action: "iam:*", Condition: { Bool: { "aws:SecureTransport": "false" } } },
			),
		).toHaveLength(1);
		expect(reach("iam:*", { Action: "*" }, { Effect: "Deny", Action: "iam:Create*" })).toHaveLength(1);
		expect(reach("iam:*", { Action: "*" }, { Effect: "Deny", Action: "iam:*", Resource: "arn:aws:iam::*:role/*" })).toHaveLength(
			1,
		);
	});

	it("is shown by statement, as written, with a request", () => {
		expect(reach("iam:*", { Action: "s3:GetObject" }, { Action: ["s3:*", "iam:Get*", "iam:CreateUser"] })).toEqual([
			"1: iam:Get*, iam:CreateUser on *, e.g. iam:CreateUser on *",
		]);
	});
});

describe("excepted resources", () => {
	const rule: ReachRule = {
		denyActions: ["secretsmanager:GetSecretValue"],
		exceptResources: ["arn:aws:secretsmanager:*:*:secret:prod/orders/*"],
	};
	const get = (Resource: string): Partial<Statement> => ({ Action: "secretsmanager:*", Resource });

	it("are free, and nothing beside them", () => {
		expect(reach(rule, get("arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/orders/db-??????"))).toEqual([]);
		expect(reach(rule, get("arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/order*"))).toHaveLength(1);
		expect(reach(rule, get("*"))).toEqual([
			"0: secretsmanager:* on *, e.g. secretsmanager:GetSecretValue on arn:aws:secretsmanager:eu-west-1:123456789012:secret:x",
		]);
		expect(reach(rule, { Action: "*", NotResource: "arn:aws:s3:::a" })).toHaveLength(1);
	});

	it("are what is left where a Deny refuses the rest", () => {
		const deny: Partial<Statement> = {
			Effect: "Deny",
			Action: "secretsmanager:*",
			NotResource: "arn:aws:secretsmanager:*:*:secret:prod/orders/a*",
		};
		expect(reach(rule, get("*"), deny)).toEqual([]);
		expect(reach(rule, get("*"), { ...deny, NotResource: "arn:aws:secretsmanager:*:*:secret:prod/*" })).toHaveLength(1);
	});

	it("match what is not known offline", () => {
		expect(
			reach(rule, get("arn:${account.partition}:secretsmanager:${account.region}:${account.id}:secret:prod/orders/db")),
		).toEqual([]);
		expect(
			reach(rule, get("arn:${account.partition}:secretsmanager:${account.region}:${account.id}:secret:prod/billing/db")),
		).toHaveLength(1);
		const own: ReachRule = { ...rule, exceptResources: ["arn:aws:secretsmanager:*:${account.id}:secret:prod/orders/*"] };
		expect(reach(own, get("arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/orders/db"))).toEqual([]);
	});

	it("are not met by a policy variable, which may be anything", () => {
		expect(reach(rule, get("arn:aws:secretsmanager:eu-west-1:123456789012:secret:${aws:PrincipalTag/team}/db"))).toHaveLength(1);
	});
});

describe("a boundary", () => {
	const all = doc({ Action: "*" });
	const under = (boundary: PolicyDocument | "unknown", action: string) =>
		reaches({ documents: [all], boundary }, { denyActions: [action] }, catalogue).length;

	it("takes away what it does not allow, and nothing when it cannot be read", () => {
		expect(under(doc({ Action: "s3:*" }), "iam:*")).toBe(0);
		expect(under(doc({ Action: ["s3:*", "iam:Get*"] }), "iam:*")).toBe(1);
		expect(under(doc({ NotAction: "iam:*" }), "iam:*")).toBe(0);
		expect(under(doc({ Action: "*" }, { Effect: "Deny", Action: "iam:*" }), "iam:*")).toBe(0);
		expect(under("unknown", "iam:*")).toBe(1);
	});
});

it("on random policies, whatever is allowed and forbidden is reached", () => {
	const rule = fc.record({
		denyActions: fc.subarray([...ACTIONS, "s3:*", "s3:Get*", "s3:?etObject", "*"], { minLength: 1 }),
		exceptResources: fc.subarray([...RESOURCES, "arn:aws:s3:::a/*", "arn:aws:s3:::?b/*"], { maxLength: 2 }),
	});
	let met = 0;
	fc.assert(
		fc.property(side, rule, fc.array(request, { minLength: 20, maxLength: 20 }), (access, r, requests) => {
			const found = reaches(access, r, catalogue);
			const only: PolicyDocument = doc({
				Action: r.denyActions,
				...(r.exceptResources.length > 0 ? { NotResource: r.exceptResources } : { Resource: "*" }),
			});
			const { Resource: _, ...first } = only.Statement[0] ?? { Effect: "Allow" as const };
			const forbidden = { ...only, Statement: r.exceptResources.length > 0 ? [first] : only.Statement };
			for (const asked of requests) {
				const isForbidden = evaluate({ documents: [forbidden], boundary: null }, asked) === "allowed";
				if (!isForbidden || evaluate(access, asked) !== "allowed") continue;
				met++;
				expect(found).not.toEqual([]);
			}
			for (const { witness } of found) if (witness !== null) expect(evaluate(access, witness)).toBe("allowed");
		}),
		{ numRuns: 400 },
	);
	expect(met).toBeGreaterThan(50);
});
