import { describe, expect, it } from "vitest";
import { comparePolicies, runBatch } from "../../../controller/cli/policy-compare.ts";

const doc = (statement: unknown) => JSON.stringify({ Version: "2012-10-17", Statement: statement });
const GET = { Effect: "Allow", Action: "s3:GetObject", Resource: "*" };

async function batch(...chunks: (string | Uint8Array)[]): Promise<unknown[]> {
	const out: string[] = [];
	async function* input() {
		yield* chunks;
	}
	await runBatch(input(), (line) => {
		out.push(line);
	});
	return out.map((line) => {
		expect(line).toMatch(/^[^\n]+\n$/);
		return JSON.parse(line);
	});
}

describe("policy compare", () => {
	it("answers identical for white space and the order of keys alone", () => {
		expect(
			comparePolicies(
				doc([GET]),
				`{ "Statement": [{"Resource":"*", "Action":"s3:GetObject", "Effect":"Allow"}],\n"Version":"2012-10-17"}`,
			),
		).toEqual({ verdict: "identical" });
		expect(comparePolicies(doc(GET), doc([GET]))).toEqual({ verdict: "equivalent" });
		expect(comparePolicies(doc([GET]), doc([{ ...GET, Action: "s3:PutObject" }]))).toEqual({ verdict: "different" });
	});

	it("says which document is invalid", () => {
		expect(comparePolicies("{", doc(GET))).toEqual({ error: expect.stringMatching(/^old: not JSON: /) });
		expect(comparePolicies(doc(GET), doc([]))).toEqual({ error: "new: Statement: at least one statement is needed" });
	});
});

describe("policy compare --batch", () => {
	it("answers a line a line, in order, and goes on after a bad one", async () => {
		const lines = [
			`{"old":${doc([GET])},"new":${doc([GET])}}`,
			`{"old":${JSON.stringify(doc([GET]))},"new":${doc(GET)}}`,
			"nonsense",
			"[]",
			`{"old":${doc([GET])}}`,
			`{"old":null,"new":${doc([GET])}}`,
			`{"old":${doc([GET])},"new":{"Statement":[{"Effect":"Allow","Action":"a:b","Action":"c:d"}]}}`,
			`{"old":"{\\"Statement\\":1,\\"Statement\\":2}","new":${doc([GET])}}`,
			`{"old":${doc([GET])},"new":${doc([{ ...GET, Effect: "Deny" }])}}`,
		];
		expect(await batch(lines.join("\n"))).toEqual([
			{ verdict: "identical" },
			{ verdict: "equivalent" },
			{ error: expect.stringMatching(/^the line: not JSON: /) },
			{ error: 'the line: expected {"old": …, "new": …}' },
			{ error: 'the line: "new" is missing' },
			{ error: "old: the document: expected an object, got null" },
			{ error: expect.stringMatching(/^the line: the key "Action" stands twice/) },
			{ error: expect.stringMatching(/^old: the key "Statement" stands twice/) },
			{ verdict: "different" },
		]);
	});

	it("reads lines and characters that arrive in pieces", async () => {
		const bytes = new TextEncoder().encode(
			`{"old":${doc([{ ...GET, Resource: "arn:aws:s3:::é" }])},"new":${doc([GET])}}\n\n{"old":1,"new":2}`,
		);
		const pieces = [...bytes].map((b) => Uint8Array.of(b));
		expect(await batch(...pieces)).toEqual([{ verdict: "different" }, { error: "old: the document: expected an object, got 1" }]);
	});
});
