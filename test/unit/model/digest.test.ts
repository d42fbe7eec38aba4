import { expect, test } from "vitest";
import { digest, shortDigest, stableJson } from "../../../controller/model/digest.ts";

test("equal values give equal digests, whatever the order of their keys", () => {
	expect(digest({ a: 1, b: { c: [1, 2], d: undefined } })).toBe(digest({ b: { c: [1, 2] }, a: 1 }));
});

test("the order of a list counts", () => {
	expect(stableJson([1, 2])).not.toBe(stableJson([2, 1]));
});

test("a short digest is the first eight hex digits", () => {
	expect(shortDigest("sha256:7c1e0a9f00")).toBe("7c1e0a9f");
});
