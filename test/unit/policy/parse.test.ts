import { describe, expect, it } from "vitest";
import { InvalidDocumentError } from "../../../controller/policy/json.ts";
import { type DocumentKind, parsePolicyDocument } from "../../../controller/policy/parse.ts";

const parse = (text: string, kind?: DocumentKind) => {
	try {
		parsePolicyDocument(text, kind === undefined ? {} : { kind });
		return "valid";
	} catch (error) {
		if (!(error instanceof InvalidDocumentError)) throw error;
		expect(error.message).not.toContain("\n");
		return error.message;
	}
};
const with1 = (more: object) =>
	JSON.stringify({ Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: "s3:GetObject", Resource: "*", ...more }] });

describe("a policy document", () => {
	it("has its statements in a list, however it was written", () => {
		const one = { Effect: "Allow", Action: "s3:GetObject", Resource: "*" };
		expect(parsePolicyDocument(JSON.stringify({ Statement: one }))).toEqual({ Statement: [one] });
	});

	it("keeps digits that a number of JavaScript would lose", () => {
		const big = with1({ Condition: { NumericEquals: { "s3:max-keys": 0 } } }).replace(":0}", ":12345678901234567891}");
		expect(JSON.stringify(parsePolicyDocument(big))).toContain('"12345678901234567891"');
	});

	it.each([
		["{", /^not JSON: /],
		["[]", "the document: expected an object, got an empty list"],
		['{"Statement":[]}', "Statement: at least one statement is needed"],
		['{"Version":"2012-10-17"}', "the document: Statement is missing"],
		['{"Version":"2012-10-18","Statement":[]}', 'Version: expected "2012-10-17" or "2008-10-17", got "2012-10-18"'],
		['{\n "Statement": 1,\n "Statement": 2}', 'the key "Statement" stands twice in one object, line 3, column 2'],
		['{"Statement":1,"\\u0053tatement":2}', 'the key "Statement" stands twice in one object, line 1, column 16'],
		[with1({}).replace('"s3:GetObject"', '"s3:GetObject","Action":"*"'), /the key "Action" stands twice/],
		[with1({ Sid: "\u201cquoted\u201d" }), /^IAM does not accept the character U\+201C, line 1, column [0-9]+$/],
		[with1({ Sid: "X" }).replace("X", "\\u201c"), /^Statement\[0\]\.Sid: IAM does not accept the character U\+201C/],
		[with1({ Sid: "\ud83d\ude00" }), /U\+1F600/],
		[with1({ Efect: "Allow" }), 'Statement[0]: unknown element "Efect"'],
		[with1({ Effect: "allow" }), 'Statement[0].Effect: expected "Allow" or "Deny", got "allow"'],
		[with1({ NotAction: "s3:*" }), "Statement[0]: Action and NotAction exclude each other"],
		[with1({ NotResource: "*" }), "Statement[0]: Resource and NotResource exclude each other"],
		[with1({ Action: [] }), "Statement[0].Action: the list is empty"],
		[with1({ Action: ["s3:GetObject", ""] }), "Statement[0].Action[1]: the string is empty"],
		[with1({ Action: "GetObject" }), 'Statement[0].Action: expected "*" or "service:action", got "GetObject"'],
		[with1({ Action: 7 }), "Statement[0].Action: expected a string, got 7"],
		[with1({ Principal: "kim" }), 'Statement[0].Principal: expected "*" or an object, got "kim"'],
		[with1({ Principal: { aws: "*" } }), 'Statement[0].Principal: unknown kind of principal "aws"'],
		[with1({ Condition: [] }), "Statement[0].Condition: expected an object, got an empty list"],
		[with1({ Condition: { Bool: { "aws:x": null } } }), "Statement[0].Condition.Bool.aws:x: expected a string, got null"],
		[with1({ Condition: { Bool: { "aws:x": [{}] } } }), "Statement[0].Condition.Bool.aws:x: expected a string, got an object"],
		[
			'{"Statement":[{"Effect":"Allow","Action":"a:b","Sid":"x"},{"Effect":"Allow","Action":"a:b","Sid":"x"}]}',
			'Statement: the Sid "x" stands twice',
		],
	])("%s is refused, with where and why", (text, why) => {
		const message = parse(text);
		if (typeof why === "string") expect(message).toBe(why);
		else expect(message).toMatch(why);
	});

	it("nested without end is refused like any other", () => {
		const deep = `${"[".repeat(100_000)}${"]".repeat(100_000)}`;
		expect(parse(`{"Version":${deep},"Statement":${deep}}`)).toMatch(/^(Version: expected|not JSON)/);
	});

	it("names a principal in a trust policy only, and resources everywhere else", () => {
		const trust =
			'{"Statement":[{"Effect":"Allow","Principal":{"Service":"ecs-tasks.amazonaws.com"},"Action":"sts:AssumeRole"}]}';
		expect([parse(trust, "trust"), parse(trust, "any"), parse(with1({}), "identity"), parse(with1({}))]).toEqual(
			Array(4).fill("valid"),
		);
		expect(parse(trust, "identity")).toBe("Statement[0]: Resource or NotResource is missing");
		expect(parse(with1({ Principal: "*" }), "identity")).toBe(
			"Statement[0]: Principal has no place here: a role's own policy names no principal",
		);
		expect(parse(with1({}), "trust")).toBe("Statement[0]: Resource has no place here: a trust policy names no resource");
		expect(parse('{"Statement":{"Effect":"Allow","Action":"sts:AssumeRole"}}', "trust")).toBe(
			"Statement: Principal or NotPrincipal is missing",
		);
		expect(parse(with1({ Resource: "my-bucket" }), "identity")).toBe(
			'Statement[0].Resource: expected "*" or an ARN, got "my-bucket"',
		);
	});
});
