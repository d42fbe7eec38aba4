import { describe, expect, it } from "vitest";
import { createCatalogue } from "../../../controller/policy/catalogue.ts";

const catalogue = createCatalogue();

describe("the catalogue of actions", () => {
	it("knows services and actions, whatever their case", () => {
		expect([catalogue.isService("s3"), catalogue.isService("S3"), catalogue.isService("s4")]).toEqual([true, true, false]);
		expect(["s3:GetObject", "S3:getobject", "s3:GetObjct", "s4:GetObject", "s3", "*", "s3:*"].map(catalogue.has)).toEqual([
			true,
			true,
			false,
			false,
			false,
			false,
			false,
		]);
		expect(catalogue.actionsOf("STS")).toContain("sts:AssumeRole");
		expect(catalogue.actionsOf("no-such-service")).toEqual([]);
	});

	it.each([
		["s3:GetObjct", "s3:GetObject"],
		["s3:getobjet", "s3:GetObject"],
		["dynamodbb:GetItem", "dynamodb:GetItem"],
		["secretmanager:GetSecretValue", "secretsmanager:GetSecretValue"],
		["s3:Zzzzzzzzz", null],
		["GetObject", null],
	])("takes %s for %s", (written, meant) => {
		expect(catalogue.nearest(written)).toBe(meant);
	});

	it("names the actions that a pattern matches", () => {
		expect(catalogue.matching("sqs:*Message")).toEqual(["sqs:DeleteMessage", "sqs:ReceiveMessage", "sqs:SendMessage"]);
		expect(catalogue.matching("SQS:sendmessage")).toEqual(["sqs:SendMessage"]);
		expect(catalogue.matching("s3:GetObjec?")).toEqual(["s3:GetObject"]);
		expect(catalogue.matching("sq?:SendMessage")).toEqual(["sqs:SendMessage"]);
		expect(catalogue.matching("sqs:*")).toEqual(catalogue.actionsOf("sqs"));
		expect(catalogue.matching("nonsense")).toEqual([]);
		expect(catalogue.matching("*").length).toBeGreaterThan(20_000);
	});

	it("says on which kinds of resource an action can be asked about", () => {
		expect(catalogue.resourcesOf("sqs:SendMessage")).toEqual(["arn:*:sqs:*:*:*"]);
		expect(catalogue.resourcesOf("s3:ListAllMyBuckets")).toEqual([]);
		expect(catalogue.resourcesOf("s3:NoSuchAction")).toEqual([]);
	});
});
