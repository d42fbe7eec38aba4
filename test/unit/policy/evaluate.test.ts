import { describe, expect, it } from "vitest";
import type { AccessSide } from "../../../controller/policy/access.ts";
import type { Context } from "../../../controller/policy/conditions.ts";
import { type ConditionBlock, denies, type PolicyDocument, type Statement } from "../../../controller/policy/document.ts";
import { evaluate } from "../../../controller/policy/evaluate.ts";

const doc = (...statements: Partial<Statement>[]): PolicyDocument => ({
	Version: "2012-10-17",
	Statement: statements.map((s) => ({
		Effect: "Allow",
		Action: "s3:*",
		...(s.NotResource === undefined && { Resource: "*" }),
		...s,
	})),
});
const ALL = doc({});
const ask = (side: Partial<AccessSide>, context: Context = {}, resource = "arn:aws:s3:::a/x") =>
	evaluate({ documents: [], boundary: null, ...side }, { action: "s3:GetObject", resource, context });
/** Whether the condition holds. */
const holds = (Condition: ConditionBlock, context: Context) => {
	const decision = ask({ documents: [doc({ Condition })] }, context);
	return decision === "allowed" ? true : decision === "implicitDeny" ? false : null;
};

describe("a request", () => {
	it("is allowed by one statement that speaks of it, and refused by any Deny", () => {
		expect(ask({})).toBe("implicitDeny");
		expect(ask({ documents: [doc({ Action: "S3:getobject" })] })).toBe("allowed");
		expect(ask({ documents: [ALL, doc({ Effect: "Deny", Resource: "arn:aws:s3:::a/*" })] })).toBe("explicitDeny");
		expect(ask({ documents: [ALL, doc({ Effect: "Deny", NotResource: "arn:aws:s3:::a/*" })] })).toBe("allowed");
		expect(ask({ documents: [{ ...ALL, Statement: [{ Effect: "Allow", NotAction: "s3:Get*", Resource: "*" }] }] })).toBe(
			"implicitDeny",
		);
	});

	it("needs its boundary as well", () => {
		expect(ask({ documents: [ALL], boundary: doc({ Action: "sqs:*" }) })).toBe("implicitDeny");
		expect(ask({ documents: [ALL], boundary: ALL })).toBe("allowed");
		expect(ask({ documents: [], boundary: ALL })).toBe("implicitDeny");
		expect(ask({ documents: [ALL], boundary: doc({}, { Effect: "Deny" }) })).toBe("explicitDeny");
	});

	it("is undecided under a boundary that cannot be read, unless it is refused anyway", () => {
		expect(ask({ documents: [ALL], boundary: "unknown" })).toBe("unknown");
		expect(ask({ documents: [], boundary: "unknown" })).toBe("implicitDeny");
		expect(ask({ documents: [doc({ Effect: "Deny" })], boundary: "unknown" })).toBe("explicitDeny");
	});

	it("is undecided where it hangs on an operator that is not known", () => {
		const Condition = { StringRhymesWith: { "aws:SourceVpc": "moon" } };
		expect(ask({ documents: [doc({ Condition })] })).toBe("unknown");
		expect(ask({ documents: [ALL, doc({ Effect: "Deny", Condition })] })).toBe("unknown");
		expect(ask({ documents: [ALL, doc({ Condition })] })).toBe("allowed");
		expect(ask({ documents: [ALL, doc({ Effect: "Deny", Condition }), doc({ Effect: "Deny" })] })).toBe("explicitDeny");
	});

	it("puts policy variables into resources, in a document of 2012 only", () => {
		const Resource = "arn:aws:s3:::a/${aws:PrincipalTag/team}";
		const context = { "aws:principaltag/team": ["x"] };
		expect(ask({ documents: [doc({ Resource })] }, context)).toBe("allowed");
		expect(ask({ documents: [doc({ Resource })] }, { "aws:principaltag/team": ["y"] })).toBe("implicitDeny");
		expect(ask({ documents: [{ ...doc({ Resource }), Version: "2008-10-17" }] }, context)).toBe("implicitDeny");
		expect(ask({ documents: [doc({ Resource: "arn:aws:s3:::a/${aws:PrincipalTag/team, 'x'}" })] })).toBe("allowed");
	});
});

describe("a condition", () => {
	const is = (v: string) => ({ "aws:sourcevpc": [v] });

	it.each<[string, ConditionBlock, Context, boolean | null]>([
		["equals", { StringEquals: { "aws:SourceVpc": ["a", "b"] } }, is("b"), true],
		["equals, case counts", { StringEquals: { "aws:SourceVpc": "a" } }, is("A"), false],
		["equals, wildcards do not", { StringEquals: { "aws:SourceVpc": "*" } }, is("a"), false],
		["equals, key missing", { StringEquals: { "aws:SourceVpc": "a" } }, {}, false],
		["equals if it exists", { StringEqualsIfExists: { "aws:SourceVpc": "a" } }, {}, true],
		["not equals, all of them", { StringNotEquals: { "aws:SourceVpc": ["a", "b"] } }, is("b"), false],
		["not equals, key missing", { StringNotEquals: { "aws:SourceVpc": "a" } }, {}, true],
		["ignoring case", { StringEqualsIgnoreCase: { "aws:SourceVpc": "ABC" } }, is("abc"), true],
		["like", { StringLike: { "aws:SourceVpc": "vpc-?*" } }, is("vpc-1"), true],
		["like, case counts", { StringLike: { "aws:SourceVpc": "VPC*" } }, is("vpc-1"), false],
		["not like", { StringNotLike: { "aws:SourceVpc": "vpc-*" } }, is("vpc-1"), false],
		["two operators, both", { StringLike: { "aws:SourceVpc": "a*" }, Bool: { "aws:SecureTransport": "true" } }, is("a"), false],
		["bool, unquoted", { Bool: { "aws:SecureTransport": true } }, { "aws:securetransport": ["true"] }, true],
		["null: missing", { Null: { "aws:SourceVpc": "true" } }, {}, true],
		["null: there", { Null: { "aws:SourceVpc": "false" } }, is("a"), true],
		["null: there after all", { Null: { "aws:SourceVpc": true } }, is("a"), false],
		["number", { NumericLessThan: { "s3:max-keys": "10" } }, { "s3:max-keys": ["9.5"] }, true],
		["number at the limit", { NumericLessThan: { "s3:max-keys": "10" } }, { "s3:max-keys": ["10.0"] }, false],
		["number, spelled otherwise", { NumericEquals: { "s3:max-keys": 10 } }, { "s3:max-keys": ["10.0"] }, true],
		["no number", { NumericLessThan: { "s3:max-keys": "10" } }, { "s3:max-keys": ["few"] }, null],
		[
			"date",
			{ DateLessThan: { "aws:CurrentTime": "2026-12-01T00:00:00Z" } },
			{ "aws:currenttime": ["2026-11-30T23:59:59Z"] },
			true,
		],
		[
			"date in seconds",
			{ DateGreaterThan: { "aws:EpochTime": "1700000000" } },
			{ "aws:epochtime": ["2026-01-01T00:00:00Z"] },
			true,
		],
		[
			"date with a zone",
			{ DateEquals: { "aws:CurrentTime": "2026-12-01T01:00:00+01:00" } },
			{ "aws:currenttime": ["2026-12-01T00:00:00Z"] },
			true,
		],
		["address in a block", { IpAddress: { "aws:SourceIp": "10.0.0.0/8" } }, { "aws:sourceip": ["10.255.0.1"] }, true],
		["address outside", { NotIpAddress: { "aws:SourceIp": "10.0.0.0/8" } }, { "aws:sourceip": ["11.0.0.1"] }, true],
		["address of version 6", { IpAddress: { "aws:SourceIp": "2001:db8::/32" } }, { "aws:sourceip": ["2001:db8:1::7"] }, true],
		["address of the other version", { IpAddress: { "aws:SourceIp": "0.0.0.0/0" } }, { "aws:sourceip": ["2001:db8::7"] }, false],
		[
			"arn by parts",
			{ ArnLike: { "aws:SourceArn": "arn:aws:ecs:*:1:*" } },
			{ "aws:sourcearn": ["arn:aws:ecs:eu:1:task/a:b"] },
			true,
		],
		[
			"arn, a star stays in its part",
			{ ArnLike: { "aws:SourceArn": "arn:aws:ecs:*:task" } },
			{ "aws:sourcearn": ["arn:aws:ecs:eu:1:task"] },
			null,
		],
		[
			"arn equals takes wildcards too",
			{ ArnEquals: { "aws:SourceArn": "arn:aws:sns:*:1:t" } },
			{ "aws:sourcearn": ["arn:aws:sns:eu:1:t"] },
			true,
		],
		["any of several", { "ForAnyValue:StringEquals": { "aws:TagKeys": ["a"] } }, { "aws:tagkeys": ["a", "b"] }, true],
		["any of none", { "ForAnyValue:StringEquals": { "aws:TagKeys": ["a"] } }, {}, false],
		["all of several", { "ForAllValues:StringEquals": { "aws:TagKeys": ["a"] } }, { "aws:tagkeys": ["a", "b"] }, false],
		["all of none", { "ForAllValues:StringEquals": { "aws:TagKeys": ["a"] } }, {}, true],
		["several without a word for it", { StringEquals: { "aws:TagKeys": ["a"] } }, { "aws:tagkeys": ["a", "b"] }, null],
		[
			"a variable",
			{ StringEquals: { "aws:SourceVpc": "${aws:PrincipalTag/vpc}" } },
			{ ...is("a"), "aws:principaltag/vpc": ["a"] },
			true,
		],
		["a variable without a value", { StringEquals: { "aws:SourceVpc": "${aws:PrincipalTag/vpc}" } }, is("a"), null],
	])("%s", (_, condition, context, expected) => {
		expect(holds(condition, context)).toBe(expected);
	});
});

it("a document denies when one of its statements does", () => {
	expect([denies(ALL), denies(doc({}, { Effect: "Deny" }))]).toEqual([false, true]);
});
