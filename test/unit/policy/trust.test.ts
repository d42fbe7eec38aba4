import { describe, expect, it } from "vitest";
import type { PolicyDocument, Statement } from "../../../controller/policy/document.ts";
import { clusterScopedSourceArn, trustAllows, trustChange } from "../../../controller/policy/trust.ts";

const ECS = "ecs-tasks.amazonaws.com";
const ACCOUNT = "123456789012";
const trust = (...statements: Partial<Statement>[]): PolicyDocument => ({
	Version: "2012-10-17",
	Statement: statements.map((s) => ({ Effect: "Allow", Principal: { Service: ECS }, Action: "sts:AssumeRole", ...s })),
});
const generated = (region = "eu-west-1", partition = "aws") =>
	trust({
		Condition: {
			StringEquals: { "aws:SourceAccount": ACCOUNT },
			ArnLike: { "aws:SourceArn": `arn:${partition}:ecs:${region}:${ACCOUNT}:*` },
		},
	});

describe("a change of trust", () => {
	it("compares by meaning", () => {
		expect(trustChange(trust({}), trust({ Sid: "A", Action: ["STS:assumerole"] }))).toBe("none");
		expect(trustChange(null, trust({}))).toBe("broadens");
		expect(trustChange(null, trust({ Effect: "Deny" }))).toBe("none");
	});

	it("narrows under more conditions, and broadens under fewer", () => {
		expect(trustChange(trust({}), generated())).toBe("narrows");
		// Not narrower, and nobody new by name.
		expect(trustChange(generated(), trust({}))).toBe("unknown");
	});

	it("broadens for a new principal, narrows without one, and is both for another", () => {
		const two = trust({ Principal: { Service: [ECS, "lambda.amazonaws.com"] } });
		const lambda = trust({ Principal: { Service: "lambda.amazonaws.com" } });
		expect([trustChange(trust({}), two), trustChange(two, trust({})), trustChange(trust({}), lambda)]).toEqual([
			"broadens",
			"narrows",
			"both",
		]);
	});

	it("is unknown where who is meant is not seen", () => {
		const root = trust({ Principal: { AWS: ACCOUNT } });
		const kim = trust({ Principal: { AWS: `arn:aws:iam::${ACCOUNT}:user/kim` } });
		expect(trustChange(root, kim)).toBe("unknown");
		expect(trustChange(trust({ Principal: "*" }), kim)).toBe("narrows");
		expect(trustChange(trust({ Principal: "*" }), trust({}))).toBe("both");
		expect(trustChange(trust({ NotPrincipal: { AWS: ACCOUNT } }), trust({}))).toBe("unknown");
	});

	it("heeds a Deny that goes or comes", () => {
		const deny: Partial<Statement> = { Effect: "Deny", Condition: { Bool: { "aws:SecureTransport": "false" } } };
		expect(trustChange(trust({}), trust({}, deny))).toBe("narrows");
		expect(trustChange(trust({}, deny), trust({}))).toBe("unknown");
	});
});

describe("whether ECS may assume the role for a task", () => {
	it.each<[string, PolicyDocument, boolean]>([
		["with the generated trust", generated(), true],
		["with no condition", trust({}), true],
		["with the trust of another region", generated("us-east-1"), false],
		["with another service's", trust({ Principal: { Service: "ecs.amazonaws.com" } }), false],
		["with another account's", trust({ Condition: { StringEquals: { "aws:SourceAccount": "999999999999" } } }), false],
		[
			"with one cluster's",
			trust({ Condition: { ArnLike: { "aws:SourceArn": `arn:aws:ecs:eu-west-1:${ACCOUNT}:cluster/prod` } } }),
			false,
		],
		["with another action", trust({ Action: "sts:TagSession" }), false],
		["with sts:*", trust({ Action: "sts:*" }), true],
		["for everybody", trust({ Principal: "*" }), true],
		["with a Deny", trust({}, { Effect: "Deny" }), false],
		["with a Deny that cannot be decided", trust({}, { Effect: "Deny", Condition: { Odd: { "aws:x": "y" } } }), false],
	])("%s: %s", (_, doc, allowed) => {
		expect(trustAllows(doc, ECS, ACCOUNT, "eu-west-1")).toBe(allowed);
	});

	it("knows the partition of the region", () => {
		expect(trustAllows(generated("cn-north-1", "aws-cn"), ECS, ACCOUNT, "cn-north-1")).toBe(true);
		expect(trustAllows(generated("cn-north-1", "aws"), ECS, ACCOUNT, "cn-north-1")).toBe(false);
	});
});

it("names the SourceArn of one cluster, which ECS does not support", () => {
	const cluster = `arn:aws:ecs:eu-west-1:${ACCOUNT}:cluster/prod`;
	const of = (arn: string | string[]) => clusterScopedSourceArn(trust({ Condition: { ArnEquals: { "AWS:sourcearn": arn } } }));
	expect([of(cluster), of([`arn:aws:ecs:*:${ACCOUNT}:*`, cluster]), of(`arn:aws:ecs:*:${ACCOUNT}:*`)]).toEqual([
		cluster,
		cluster,
		null,
	]);
	expect(clusterScopedSourceArn(generated())).toBe(null);
});
