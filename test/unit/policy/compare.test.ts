import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { canonicalDocument, list, statementSet } from "../../../controller/policy/canonical.ts";
import { compareDocuments } from "../../../controller/policy/compare.ts";
import type { PolicyDocument, Statement } from "../../../controller/policy/document.ts";
import { evaluate } from "../../../controller/policy/evaluate.ts";
import { toPolicyDocument } from "../../../controller/policy/parse.ts";
import { countedSize, minified } from "../../../controller/policy/size.ts";
import { document, request } from "./arbitraries.ts";

const GET: Statement = { Effect: "Allow", Action: "s3:GetObject", Resource: "*" };
const identity = (more: object, version: string | null = "2012-10-17") =>
	toPolicyDocument({ ...(version !== null && { Version: version }), Statement: [{ ...GET, ...more }] });
const trust = (principal: unknown) =>
	toPolicyDocument({
		Version: "2012-10-17",
		Statement: [{ Effect: "Allow", ...(principal !== undefined && { Principal: principal }), Action: "sts:AssumeRole" }],
	});
const when = (Condition: unknown) => identity({ Condition });

describe("equivalent, where a naive comparer sees a difference", () => {
	it.each<[string, PolicyDocument, PolicyDocument]>([
		["the case of an action", identity({ Action: "s3:getobject" }), identity({ Action: "S3:GetObject" })],
		["an action given twice", identity({ Action: ["s3:GetObject", "s3:GetObject"] }), identity({})],
		["an empty Condition and none", identity({ Condition: {} }), identity({})],
		["an empty operator and none", identity({ Condition: { Bool: {} } }), identity({})],
		[
			"the case of a condition key",
			when({ Bool: { "aws:SecureTransport": "true" } }),
			when({ Bool: { "aws:securetransport": "true" } }),
		],
		[
			"the case of a tag key in a condition key",
			when({ StringEquals: { "aws:ResourceTag/Team": "a" } }),
			when({ StringEquals: { "aws:ResourceTag/team": "a" } }),
		],
		['"*" and {"AWS": "*"}', trust("*"), trust({ AWS: "*" })],
		["a Sid", identity({ Sid: "A" }), identity({ Sid: "B" })],
		["an Id", { ...identity({}), Id: "x" }, identity({})],
		["true and its quotes", when({ Bool: { "aws:SecureTransport": true } }), when({ Bool: { "aws:SecureTransport": "true" } })],
		["a number and its quotes", when({ NumericEquals: { "s3:max-keys": 10 } }), when({ NumericEquals: { "s3:max-keys": "10" } })],
		[
			"spellings of a number",
			when({ NumericEquals: { "s3:max-keys": "10.0" } }),
			when({ NumericEquals: { "s3:max-keys": "010" } }),
		],
		["a Version left out and the one it means", identity({}, null), identity({}, "2008-10-17")],
		["one resource, or a list of it", identity({ Resource: ["*"] }), identity({})],
		[
			"the order of values",
			when({ StringEquals: { "aws:SourceVpc": ["a", "b"] } }),
			when({ StringEquals: { "aws:SourceVpc": ["b", "a", "a"] } }),
		],
		["an account and its root", trust({ AWS: "123456789012" }), trust({ AWS: "arn:aws:iam::123456789012:root" })],
	])("%s", (_, a, b) => {
		expect([compareDocuments(a, b), compareDocuments(b, a)]).toEqual(["equivalent", "equivalent"]);
	});
});

describe("different, where a careless comparer sees none", () => {
	it.each<[string, PolicyDocument, PolicyDocument]>([
		["everybody and nobody named", trust("*"), trust(undefined)],
		["everybody and an empty principal", trust("*"), trust({})],
		["everybody and an empty list", trust("*"), trust({ AWS: [] })],
		["everybody of AWS and everybody by Service", trust({ AWS: "*" }), trust({ Service: "*" })],
		[
			"an account and the root of another partition",
			trust({ AWS: "123456789012" }),
			trust({ AWS: "arn:aws-cn:iam::123456789012:root" }),
		],
		[
			"a role and the id left by its deletion",
			trust({ AWS: "arn:aws:iam::123456789012:role/r" }),
			trust({ AWS: "AROAEXAMPLEEXAMPLE" }),
		],
		[
			"the case of a service principal",
			trust({ Service: "ecs-tasks.amazonaws.com" }),
			trust({ Service: "ECS-tasks.amazonaws.com" }),
		],
		["the case of a resource", identity({ Resource: "arn:aws:s3:::A" }), identity({ Resource: "arn:aws:s3:::a" })],
		[
			"the case of a condition's value",
			when({ StringEquals: { "aws:SourceVpc": "A" } }),
			when({ StringEquals: { "aws:SourceVpc": "a" } }),
		],
		["a Version left out and 2012", identity({}, null), identity({})],
		[
			"Action and NotAction",
			identity({}),
			toPolicyDocument({ Version: "2012-10-17", Statement: [{ Effect: "Allow", NotAction: "s3:GetObject", Resource: "*" }] }),
		],
		["Allow and Deny", identity({}), identity({ Effect: "Deny" })],
		[
			"an operator and its IfExists",
			when({ Bool: { "aws:SecureTransport": "true" } }),
			when({ BoolIfExists: { "aws:SecureTransport": "true" } }),
		],
		["a number as text", when({ StringEquals: { "aws:SourceVpc": "1" } }), when({ StringEquals: { "aws:SourceVpc": "1.0" } })],
		[
			"the Kelvin sign, which lower-cases to k",
			identity({ Action: "kms:Decrypt" }),
			{ ...identity({}), Statement: [{ ...GET, Action: "\u212ams:Decrypt" }] },
		],
	])("%s", (_, a, b) => {
		expect([compareDocuments(a, b), compareDocuments(b, a)]).toEqual(["different", "different"]);
	});

	it("an account stands for the root of its own partition", () => {
		const [id, root] = [trust({ AWS: "123456789012" }), trust({ AWS: "arn:aws-cn:iam::123456789012:root" })];
		expect(compareDocuments(id, root, "aws-cn")).toBe("equivalent");
	});
});

describe("identical", () => {
	it("is the same value, whatever the order of keys", () => {
		expect(
			compareDocuments(identity({ Sid: "A" }), {
				Statement: [{ Resource: "*", Action: "s3:GetObject", Sid: "A", Effect: "Allow" }],
				Version: "2012-10-17",
			}),
		).toBe("identical");
	});
});

/** The same meaning, written otherwise. */
function rewritten(doc: PolicyDocument, seed: number): PolicyDocument {
	const turn = <T>(values: readonly T[]): T[] => (seed % 2 === 0 ? [...values].reverse() : [...values]);
	const patterns = (value: string | readonly string[] | undefined, change: (p: string) => string) => {
		const all = turn(list(value).map(change));
		return all.length === 1 && seed % 3 === 0 ? all[0] : [...all, ...all.slice(0, seed % 2)];
	};
	const upper = (p: string) => (seed % 5 < 2 ? p.toUpperCase() : p);
	const statements = doc.Statement.map((s, i) => ({
		...s,
		Sid: `S${seed}x${i}`,
		...(s.Action !== undefined && { Action: patterns(s.Action, upper) }),
		...(s.NotAction !== undefined && { NotAction: patterns(s.NotAction, upper) }),
		...(s.Resource !== undefined && { Resource: patterns(s.Resource, (p) => p) }),
		...(s.NotResource !== undefined && { NotResource: patterns(s.NotResource, (p) => p) }),
	})) as Statement[];
	return { ...doc, Id: "rewritten", Statement: turn([...statements, ...statements.slice(0, seed % 3)]) };
}

describe("on random documents", () => {
	const requests = fc.array(request, { minLength: 40, maxLength: 40 });
	const same = (a: PolicyDocument, b: PolicyDocument) => compareDocuments(a, b) !== "different";

	it("equality is reflexive, symmetric and transitive", () => {
		fc.assert(
			fc.property(document, fc.nat(), fc.nat(), document, (a, n, m, other) => {
				const [b, c] = [rewritten(a, n), rewritten(rewritten(a, n), m)];
				expect(compareDocuments(a, a)).toBe("identical");
				expect([same(a, b), same(b, a), same(b, c), same(a, c)]).toEqual([true, true, true, true]);
				expect(same(a, other)).toBe(same(other, a));
				expect(same(b, other)).toBe(same(a, other));
			}),
		);
	});

	it("never holds across a change that flips an evaluation", () => {
		let flips = 0;
		fc.assert(
			fc.property(document, document, fc.nat(), requests, (a, b, n, asked) => {
				for (const other of [b, rewritten(a, n), { ...a, Statement: [...a.Statement.slice(1), ...b.Statement.slice(0, 1)] }]) {
					const flipped = asked.some(
						(r) => evaluate({ documents: [a], boundary: null }, r) !== evaluate({ documents: [other], boundary: null }, r),
					);
					if (flipped) flips++;
					expect(flipped && same(a, other)).toBe(false);
				}
			}),
			{ numRuns: 300 },
		);
		expect(flips).toBeGreaterThan(50);
	});

	it("the canonical form is its own canonical form, and answers every request as the document does", () => {
		fc.assert(
			fc.property(document, requests, (a, asked) => {
				const canonical = canonicalDocument(a);
				expect(canonicalDocument(canonical)).toEqual(canonical);
				for (const r of asked) {
					expect(evaluate({ documents: [canonical], boundary: null }, r)).toBe(evaluate({ documents: [a], boundary: null }, r));
				}
			}),
		);
	});
});

describe("the union of documents", () => {
	it("is the same however the statements are spread and named", () => {
		fc.assert(
			fc.property(document, document, fc.nat(), (a, b, n) => {
				const apart = [...statementSet([a, b]).keys()].sort();
				const together = [...statementSet([rewritten({ ...a, Statement: [...b.Statement, ...a.Statement] }, n)]).keys()].sort();
				expect(together).toEqual(apart);
			}),
		);
	});

	it("heeds the Version only of a statement that it gives a meaning", () => {
		const of = (Version: string, Resource: string) => ({ Version, Statement: [{ ...GET, Resource }] });
		const size = (Resource: string) => statementSet([of("2008-10-17", Resource), of("2012-10-17", Resource)]).size;
		expect([size("arn:aws:s3:::a/*"), size("arn:aws:s3:::${aws:username}/*")]).toEqual([1, 2]);
	});
});

describe("the size that IAM counts", () => {
	it("is every character but white space, in strings too, of all documents together", () => {
		const doc = identity({ Sid: "" });
		expect(countedSize([doc, doc])).toBe(2 * minified(doc).length);
		const spaced: PolicyDocument = { ...doc, Statement: [{ ...GET, Resource: "arn:aws:s3:::a b/\u00e9" }] };
		expect(countedSize([spaced])).toBe(minified(spaced).length - 1);
	});
});
