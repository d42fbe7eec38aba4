import fc from "fast-check";
import { expect, test } from "vitest";
import type { Account } from "../../../controller/model/account.ts";
import { interpolate, type Scope } from "../../../controller/model/interpolate.ts";

const origin = { path: "a.yaml", line: 1, column: 1 };
const prod: Account = {
	name: "prod",
	accountId: "123456789012",
	region: "eu-west-1",
	regions: ["eu-west-1"],
	partition: "aws",
	rolePath: "/",
	permissionsBoundary: null,
	vars: { env: "prod", odd: "${account.id}" },
	labels: {},
	deployers: [],
	assumeRole: null,
	origin,
};
const nobody: Account = { ...prod, accountId: null, region: null, partition: "${account.partition}", vars: {}, origin: null };
const scope: Scope = { account: prod, policy: "orders", cluster: "main", params: null };

test.each([
	["arn:${account.partition}:sqs:${account.region}:${account.id}:q", "arn:aws:sqs:eu-west-1:123456789012:q"],
	["${account.vars.env}-${policy.name}-${workload.cluster}", "prod-orders-main"],
	["a value is not read again: ${account.vars.odd}", "a value is not read again: ${account.id}"],
	["home/${aws:username}/${*}${?}${$}", "home/${aws:username}/${*}${?}${$}"],
	["${aws:PrincipalTag/team, 'none'}", "${aws:PrincipalTag/team, 'none'}"],
	["costs $5 and {braces}", "costs $5 and {braces}"],
])("%s", (text, expected) => {
	expect(interpolate(text, scope)).toEqual({ text: expected, faults: [] });
});

test.each([
	["${acount.id}", 'unknown variable "${acount.id}"', 'did you mean "account.id"?'],
	["${account.vars.evn}", 'Account "prod" has no variable "evn"', 'did you mean "env"?'],
	["${account.vars.toString}", 'Account "prod" has no variable "toString"', "add it to the Account's vars"],
	["${param.table}", '"${param.table}" means something only inside a PermissionSet', undefined],
	["x${account.id", '"${account.id" has no closing brace', undefined],
])("%s is an error", (text, message, fix) => {
	const { faults } = interpolate(text, scope);
	expect(faults.map((f) => [f.message, f.fix])).toEqual([[message, fix]]);
});

test("the cluster is an error where the workloads name more than one", () => {
	expect(interpolate("${workload.cluster}", { ...scope, cluster: null }).faults[0]?.kind).toBe("cluster");
});

test("inside a PermissionSet parameters stand for their values, and unknown ones are errors", () => {
	const params = new Map([["table", "orders"]]);
	expect(interpolate("t/${param.table}", { ...scope, params }).text).toBe("t/orders");
	expect(interpolate("t/${param.tabel}", { ...scope, params }).faults[0]?.fix).toBe('did you mean "table"?');
});

test("offline and without an Account what is the account's stays as it is", () => {
	const text = "arn:${account.partition}:s3:${account.region}:${account.id}:${account.vars.any}";
	expect(interpolate(text, { ...scope, account: nobody })).toEqual({ text, faults: [] });
});

test("the caller's own account has no variables, and nothing unfilled goes to AWS", () => {
	const account: Account = { ...nobody, accountId: "123456789012", region: "eu-west-1", partition: "aws" };
	expect(interpolate("${account.id}", { ...scope, account }).text).toBe("123456789012");
	expect(interpolate("${account.vars.env}", { ...scope, account }).faults[0]?.kind).toBe("variable");
});

test("what is left of a braces expression is either IAM's or a fault", () => {
	const piece = fc.constantFrom("a", ":", "${", "}", "$", "account.id", "aws:username", "*", "param.x", "policy.name");
	fc.assert(
		fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
			const { text, faults } = interpolate(pieces.join(""), scope);
			const left = [...text.matchAll(/\$\{([^}]*)(\}|$)/g)].filter(
				([, inner = "", close]) => close === "" || !(inner.includes(":") || ["*", "?", "$"].includes(inner)),
			);
			expect(left.length > 0).toBe(faults.length > 0);
		}),
		{ numRuns: 2_000 },
	);
});
