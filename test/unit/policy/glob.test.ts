import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { contains, glob, instance, intersects, matches, meet } from "../../../controller/policy/glob.ts";

const g = (text: string) => glob(text, true);

/** Every string over `alphabet` up to `length`. */
function strings(alphabet: string, length: number): string[] {
	let last = [""];
	const all = [""];
	for (let n = 0; n < length; n++) {
		last = last.flatMap((s) => [...alphabet].map((c) => s + c));
		all.push(...last);
	}
	return all;
}

const brute = (pattern: string) => new RegExp(`^${pattern.replaceAll("*", ".*").replaceAll("?", ".")}$`, "s");
/** `z` stands for a character that no pattern names; 6 is longer than any of the patterns needs to show a difference. */
const WORDS = strings("abz", 6);
const pattern = fc.string({ unit: fc.constantFrom("a", "b", "*", "?"), maxLength: 4 });

describe("a pattern", () => {
	it("matches what a regular expression of the same meaning matches", () => {
		fc.assert(
			fc.property(pattern, (p) => {
				const r = brute(p);
				return WORDS.every((w) => matches(g(p), w) === r.test(w));
			}),
			{ numRuns: 200 },
		);
	});

	it("contains another exactly when it matches every string of the other", () => {
		fc.assert(
			fc.property(pattern, pattern, (outer, inner) => {
				const [o, i] = [brute(outer), brute(inner)];
				expect(contains(g(outer), g(inner))).toBe(WORDS.every((w) => !i.test(w) || o.test(w)));
			}),
			{ numRuns: 1500 },
		);
	});

	it("intersects another exactly when some string is matched by both, and says which", () => {
		fc.assert(
			fc.property(pattern, pattern, (p, q) => {
				const [a, b] = [brute(p), brute(q)];
				const both = WORDS.some((w) => a.test(w) && b.test(w));
				expect(intersects(g(p), g(q))).toBe(both);
				const word = meet(g(p), g(q));
				expect(word !== null && a.test(word) && b.test(word)).toBe(both);
			}),
			{ numRuns: 1500 },
		);
	});

	it.each([
		["*?a*", "*a?*", false],
		["*a?*", "*a*a*", true],
		["?*", "*?", true],
		["*a*", "*a?*", true],
		["*a?*", "*a*", false],
		["arn:aws:s3:::*", "arn:aws:s3:::b/*", true],
	])("%s contains %s: %s", (outer, inner, yes) => {
		expect(contains(g(outer), g(inner))).toBe(yes);
	});

	it("stays quick for patterns made to be slow", () => {
		const slow = "*a".repeat(60);
		expect(contains(g(`${"*a?".repeat(40)}b`), g(slow))).toBe(false);
		expect(matches(g(slow), `${"a".repeat(5000)}b`)).toBe(false);
		expect(intersects(g(slow), g(`${"*b".repeat(60)}c`))).toBe(false);
		expect(instance(g("*a".repeat(3000))).length).toBe(6000);
	});
});

describe("a policy variable", () => {
	it("is some string: contained in * and in itself, never in ? or in another", () => {
		expect(contains(g("home/*"), g("home/${aws:username}"))).toBe(true);
		expect(contains(g("home/${aws:username}/*"), g("home/${aws:username}/x"))).toBe(true);
		expect(contains(g("home/?"), g("home/${aws:username}"))).toBe(false);
		expect(contains(g("home/${aws:userid}"), g("home/${aws:username}"))).toBe(false);
		expect(contains(g("home/${aws:username}"), g("home/*"))).toBe(false);
		expect(contains(g("home/${aws:username}"), g("home/kim"))).toBe(false);
	});

	it("may be any string where two patterns might meet", () => {
		expect(intersects(g("home/${aws:username}"), g("home/kim"))).toBe(true);
		expect(intersects(g("home/${aws:username}"), g("away/kim"))).toBe(false);
	});

	it("takes its value literally, wildcards and all, and without a value decides nothing", () => {
		expect(matches(g("home/${aws:username}"), "home/kim", () => "*")).toBe(false);
		expect(matches(g("home/${aws:username}"), "home/kim", () => "kim")).toBe(true);
		expect(matches(g("home/${aws:username}"), "home/kim")).toBe(null);
	});

	it("is plain text in a document of 2008, and the escapes are wildcards there", () => {
		expect(matches(glob("home/${aws:username}", false), "home/${aws:username}")).toBe(true);
		expect(matches(g("a${*}b"), "a*b")).toBe(true);
		expect(matches(g("a${*}b"), "axb")).toBe(false);
		expect(matches(glob("a${*}b", false), "a${x}b")).toBe(true);
	});
});

describe("a value that is not known offline", () => {
	it("matches any string", () => {
		expect(matches(g("arn:aws:sqs:eu-west-1:${account.id}:q"), "arn:aws:sqs:eu-west-1:123456789012:q")).toBe(true);
	});

	it("is contained leniently where some value of it would be, and strictly only in * and itself", () => {
		const exact = g("secret:${account.id}:prod/a");
		expect(contains(g("secret:*:prod/*"), exact)).toBe(true);
		expect(contains(g("secret:123456789012:prod/*"), exact)).toBe(false);
		expect(contains(g("secret:123456789012:prod/*"), exact, true)).toBe(true);
		expect(contains(g("secret:${account.id}:prod/*"), g("secret:123456789012:prod/a"))).toBe(false);
		expect(contains(g("secret:${account.id}:prod/*"), g("secret:123456789012:prod/a"), true)).toBe(true);
		expect(contains(g("secret:${account.id}:prod/*"), g("secret:123456789012:test/a"), true)).toBe(false);
		expect(contains(g("secret:123456789012:prod/*"), g("secret:${account.id}:test/a"), true)).toBe(false);
	});
});
