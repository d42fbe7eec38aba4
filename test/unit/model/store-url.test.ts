import { expect, test } from "vitest";
import { parseStoreUrl, storeUrl } from "../../../controller/model/store-url.ts";

test.each([
	["dynamodb://ecs-access", { table: "ecs-access", region: null }],
	["dynamodb://a.B_1?region=us-gov-west-1", { table: "a.B_1", region: "us-gov-west-1" }],
])("%s names a table, and is written so again", (url, ref) => {
	expect(parseStoreUrl(url)).toEqual(ref);
	expect(storeUrl(ref)).toBe(url);
});

test.each(["dynamodb://", "s3://bucket", "dynamodb://a/b", "dynamodb://a?region=", "dynamodb://a?zone=b"])(
	"%s is no store",
	(url) => {
		expect(() => parseStoreUrl(url)).toThrow("is not a store");
	},
);
