import * as fc from "fast-check";
import type { AccessSide, Witness } from "../../../controller/policy/access.ts";
import type { PolicyDocument, Statement } from "../../../controller/policy/document.ts";

/** Small documents over few actions, resources and keys, so that random ones meet and overlap often. */

export const ACTIONS = ["s3:GetObject", "s3:GetObjectAcl", "s3:PutObject", "s3:DeleteObject"];
const ACTION_PATTERNS = [...ACTIONS, "*", "s3:*", "s3:Get*", "S3:PUTOBJECT", "s3:*Object", "s3:GetObject???", "sqs:*"];
export const RESOURCES = ["arn:aws:s3:::a/x", "arn:aws:s3:::a/y/z", "arn:aws:s3:::b/x", "arn:aws:s3:::ab/team"];
const RESOURCE_PATTERNS = [
	...RESOURCES,
	"*",
	"arn:aws:s3:::*",
	"arn:aws:s3:::a/*",
	"arn:aws:s3:::a*/*",
	"arn:aws:s3:::?/x",
	"arn:aws:s3:::ab/${aws:PrincipalTag/team}",
];

const TEXTS = ["team", "other", "x"];
const key = fc.constantFrom("aws:PrincipalTag/team", "aws:principaltag/Team", "aws:SourceVpc");
const texts = fc.oneof(fc.constantFrom(...TEXTS, "t*", "?", "*"), fc.subarray([...TEXTS, "te*"], { minLength: 1 }));

const string = fc.tuple(
	fc.constantFrom("", "", "ForAllValues:", "ForAnyValue:"),
	fc.constantFrom(
		"StringEquals",
		"StringNotEquals",
		"StringEqualsIgnoreCase",
		"StringNotEqualsIgnoreCase",
		"StringLike",
		"StringNotLike",
	),
	fc.constantFrom("", "", "IfExists"),
	key,
	texts,
);

const clause = fc.oneof(
	string.map(([each, op, exists, k, values]) => ({ [`${each}${op}${exists}`]: { [k]: values } })),
	fc
		.tuple(fc.constantFrom("IpAddress", "NotIpAddress"), fc.constantFrom("10.0.0.0/8", "10.1.0.0/16", "192.0.2.7"))
		.map(([op, v]) => ({ [op]: { "aws:SourceIp": v } })),
	fc
		.tuple(
			fc.constantFrom("DateLessThan", "DateLessThanEquals", "DateGreaterThan", "DateEquals", "DateNotEquals"),
			fc.constantFrom("2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z"),
		)
		.map(([op, v]) => ({ [op]: { "aws:CurrentTime": v } })),
	fc
		.tuple(fc.constantFrom("Bool", "BoolIfExists"), fc.constantFrom("true", "false", true))
		.map(([op, v]) => ({ [op]: { "aws:SecureTransport": v } })),
	fc.constantFrom("true", "false").map((v) => ({ Null: { "aws:SourceVpc": v } })),
	fc
		.tuple(
			fc.constantFrom("NumericLessThan", "NumericGreaterThanEquals", "NumericEquals", "NumericNotEquals"),
			fc.constantFrom(10, "20"),
		)
		.map(([op, v]) => ({ [op]: { "aws:MultiFactorAuthAge": v } })),
	fc
		.tuple(
			fc.constantFrom("ArnLike", "ArnEquals", "ArnNotLike", "ArnNotEquals"),
			fc.constantFrom("arn:aws:ecs:*:123456789012:*", "arn:aws:ecs:eu-west-1:123456789012:task/*", "arn:aws:sqs:*:*:q"),
		)
		.map(([op, v]) => ({ [op]: { "aws:SourceArn": v } })),
);

function scalarOrList(patterns: readonly string[]): fc.Arbitrary<string | string[]> {
	return fc.oneof(fc.constantFrom(...patterns), fc.subarray([...patterns], { minLength: 1, maxLength: 3 }));
}

export const statement: fc.Arbitrary<Statement> = fc
	.record({
		Effect: fc.constantFrom("Allow" as const, "Allow" as const, "Deny" as const),
		not: fc.constantFrom("", "", "", "action", "resource"),
		actions: scalarOrList(ACTION_PATTERNS),
		resources: scalarOrList(RESOURCE_PATTERNS),
		conditions: fc.array(clause, { maxLength: 2 }),
		when: fc.boolean(),
	})
	.map(({ Effect, not, actions, resources, conditions, when }) => ({
		Effect,
		...(not === "action" ? { NotAction: actions } : { Action: actions }),
		...(not === "resource" ? { NotResource: resources } : { Resource: resources }),
		...(when && conditions.length > 0 && { Condition: Object.assign({}, ...conditions) }),
	}));

export const document: fc.Arbitrary<PolicyDocument> = fc.record({
	Version: fc.constant("2012-10-17"),
	Statement: fc.array(statement, { minLength: 1, maxLength: 3 }),
});

export const side: fc.Arbitrary<AccessSide> = fc.record({
	documents: fc.array(document, { maxLength: 2 }),
	boundary: fc.option(document, { freq: 4 }),
});

const optional = <T>(values: fc.Arbitrary<T>) => fc.option(values, { nil: undefined, freq: 2 });

export const request: fc.Arbitrary<Witness> = fc
	.record({
		action: fc.constantFrom(...ACTIONS),
		resource: fc.constantFrom(...RESOURCES),
		"aws:principaltag/team": optional(fc.constantFrom(...TEXTS, "Team")),
		"aws:sourcevpc": optional(fc.constantFrom(...TEXTS)),
		"aws:sourceip": optional(fc.constantFrom("10.1.2.3", "10.9.9.9", "192.0.2.7", "198.51.100.1")),
		"aws:currenttime": optional(
			fc.constantFrom("2025-06-01T00:00:00Z", "2026-01-01T00:00:00Z", "2026-06-01T12:00:00Z", "2027-06-01T00:00:00Z"),
		),
		"aws:securetransport": optional(fc.constantFrom("true", "false")),
		"aws:multifactorauthage": optional(fc.constantFrom("5", "10", "15", "20", "25")),
		"aws:sourcearn": optional(
			fc.constantFrom(
				"arn:aws:ecs:eu-west-1:123456789012:task/x",
				"arn:aws:ecs:eu-west-1:123456789012:cluster/x",
				"arn:aws:sqs:eu-west-1:123456789012:q",
			),
		),
	})
	.map(({ action, resource, ...keys }) => ({
		action,
		resource,
		context: Object.fromEntries(Object.entries(keys).flatMap(([k, v]) => (v === undefined ? [] : [[k, [v]]]))),
	}));
