import { describe, expect, test } from "vitest";
import { ofPolicy, statement } from "./checked.ts";

describe("a statement that IAM would refuse, or that cannot mean what it says", () => {
	const on = 'resources: ["*"]';
	const cases: readonly (readonly [what: string, text: string, findings: readonly string[]])[] = [
		["no actions", `{ ${on} }`, ["7:7 error InvalidStatement a statement needs actions or notActions -> add actions"]],
		[
			"actions and notActions",
			`{ actions: ["s3:*"], notActions: ["s3:*"], ${on} }`,
			["7:28 error InvalidStatement a statement has either actions or notActions, this has both -> delete one of them"],
		],
		[
			"no resources",
			'{ actions: ["s3:*"] }',
			["7:7 error InvalidStatement a statement needs resources or notResources -> add resources"],
		],
		[
			"an action that does not exist",
			`{ actions: [s3:GetObjct], ${on} }`,
			["7:19 error UnknownAction no such action: s3:GetObjct -> did you mean s3:GetObject?"],
		],
		[
			"a service that does not exist",
			`{ actions: [dynamdb:GetItem], ${on} }`,
			["7:19 error UnknownService no such service: dynamdb -> did you mean dynamodb:GetItem?"],
		],
		[
			"a service that may be new",
			`{ actions: ["zzzqqqxxx:Do"], ${on} }`,
			[
				"7:19 warning UnknownService service zzzqqqxxx is not in the catalogue of actions -> check the name; a service newer than this release is not known yet",
			],
		],
		[
			"a pattern that matches nothing",
			`{ actions: ["s3:Foo*"], ${on} }`,
			["7:19 warning MatchesNothing s3:Foo* matches no action -> delete it or correct it"],
		],
		[
			"an action without a service",
			`{ actions: [GetObject], ${on} }`,
			['7:19 error InvalidStatement action "GetObject" must be SERVICE:ACTION -> e.g. s3:GetObject'],
		],
		[
			"an interpolated action",
			`{ actions: ["s3:\${account.vars.env}"], ${on} }`,
			["7:19 error InvalidStatement interpolation is not possible in an action: s3:${account.vars.env} -> write the action"],
		],
		[
			"a resource that is no ARN",
			'{ actions: ["s3:*"], resources: [my-bucket] }',
			['7:40 error InvalidStatement resource "my-bucket" is neither an ARN nor "*"'],
		],
		[
			"half an ARN",
			'{ actions: ["s3:*"], resources: ["arn:aws:s3"] }',
			[
				'7:40 error InvalidStatement resource "arn:aws:s3" is not a whole ARN -> arn:PARTITION:SERVICE:REGION:ACCOUNT:RESOURCE, parts may be empty',
			],
		],
		[
			"a value that is no ARN",
			'{ actions: ["s3:*"], resources: ["${account.vars.env}"] }',
			['7:41 error InvalidStatement resource "prod" is neither an ARN nor "*"'],
		],
		[
			"a typographic quote",
			'{ actions: ["s3:*"], resources: ["arn:aws:s3:::a“b"] }',
			['7:55 error InvalidCharacter IAM does not allow the character "“" (U+201C) in a policy -> use a straight quote'],
		],
		[
			"an operator that does not exist",
			`{ actions: ["s3:*"], ${on}, conditions: { StringEqual: { "aws:username": a } } }`,
			['7:60 error InvalidStatement no such condition operator: StringEqual -> did you mean "StringEquals"?'],
		],
		[
			"a map for a condition's value",
			`{ actions: ["s3:*"], ${on}, conditions: { StringEquals: { "aws:username": { a: b } } } }`,
			["7:92 error InvalidType the value of condition key aws:username must be a string, number or boolean, or a list of them"],
		],
		[
			"a sid with a dash",
			`{ sid: a-b, actions: ["s3:*"], ${on} }`,
			['7:14 error InvalidValue AccessPolicy.spec.taskRole.statements[0].sid is "a-b", it must be letters and digits only'],
		],
		[
			"two equal sids",
			`{ sid: A, actions: ["s3:*"], ${on} }\n  - { sid: A, actions: ["sqs:*"], ${on} }`,
			['8:14 error DuplicateSid sid "A" is also used in line 7 -> give it another'],
		],
		[
			"an end on a Deny",
			`{ effect: Deny, actions: ["s3:*"], ${on}, expiresAt: 2027-01-01T00:00:00Z }`,
			[
				"7:60 error InvalidStatement expiresAt on a Deny would fail open: after it the access is back -> delete it, and the statement when its time has come",
			],
		],
		[
			"a variable that does not exist",
			'{ actions: ["s3:*"], resources: ["arn:aws:s3:::${account.vars.evn}/*"] }',
			['7:54 error UnknownVariable Account "prod" has no variable "evn" -> did you mean "env"?'],
		],
		[
			"a variable misspelt",
			'{ actions: ["s3:*"], resources: ["arn:aws:s3:::${policy.nme}/*"] }',
			['7:54 error UnknownVariable unknown variable "${policy.nme}" -> did you mean "policy.name"?'],
		],
	];
	test.each(cases)("%s", (_, text, findings) => {
		expect(ofPolicy(statement(text))).toEqual(findings);
	});
});
