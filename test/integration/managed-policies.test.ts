import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { beforeAll, describe, expect, it } from "vitest";
import { canonicalDocument, list, lowerCase } from "../../controller/policy/canonical.ts";
import { createCatalogue } from "../../controller/policy/catalogue.ts";
import { compareDocuments } from "../../controller/policy/compare.ts";
import type { ConditionBlock, PolicyDocument, Statement } from "../../controller/policy/document.ts";
import { accessChange } from "../../controller/policy/effect.ts";
import { evaluate } from "../../controller/policy/evaluate.ts";
import { parsePolicyDocument } from "../../controller/policy/parse.ts";
import { sandboxPython } from "../sandbox/venv.ts";

/** The policies that AWS manages, as moto carries them: about 1,500 documents written by many hands. */
async function managedPolicies(): Promise<ReadonlyMap<string, string>> {
	const script = [
		"import json",
		"from moto.iam.aws_managed_policies import aws_managed_policies_data as data",
		"policies = json.loads(data)",
		"print(json.dumps({name: json.dumps(p['Document']) for name, p in policies.items()}))",
	].join("\n");
	const { stdout } = await promisify(execFile)(await sandboxPython(), ["-c", script], { maxBuffer: 1 << 28 });
	return new Map(Object.entries(JSON.parse(stdout) as Record<string, string>));
}

let texts: ReadonlyMap<string, string>;
let documents: readonly (readonly [name: string, doc: PolicyDocument])[];

beforeAll(async () => {
	texts = await managedPolicies();
	documents = [...texts].map(([name, text]) => [name, parsePolicyDocument(text, { kind: "identity" })]);
});

function swapCase(text: string): string {
	return [...text].map((c) => (c === c.toLowerCase() ? c.toUpperCase() : c.toLowerCase())).join("");
}

type Rewrite = (s: Statement) => Statement;

function patterns(s: Statement, change: (values: readonly string[], element: string) => string | readonly string[]): Statement {
	const out: Record<string, unknown> = { ...s };
	for (const element of ["Action", "NotAction", "Resource", "NotResource"] as const) {
		const value = s[element];
		if (value !== undefined) out[element] = change(list(value), element);
	}
	return out as unknown as Statement;
}

const reversed = (block: ConditionBlock): ConditionBlock =>
	Object.fromEntries(
		Object.entries(block)
			.reverse()
			.map(([operator, keys]) => [
				operator,
				Object.fromEntries(
					Object.entries(keys)
						.reverse()
						.map(([key, values]) => [swapCase(key), Array.isArray(values) ? [...values].reverse() : [values as string]]),
				),
			]),
	);

/** Each writes a statement otherwise and leaves its meaning. */
const COSMETIC: Readonly<Record<string, Rewrite>> = {
	"reversed lists": (s) => patterns(s, (values) => [...values].reverse()),
	"lists for scalars": (s) => patterns(s, (values) => values),
	"scalars for lists of one": (s) => patterns(s, (values) => (values.length === 1 ? (values[0] ?? "") : values)),
	"the other case of actions": (s) => patterns(s, (values, of) => (of.endsWith("Action") ? values.map(swapCase) : values)),
	"everything twice": (s) => patterns(s, (values) => [...values, ...values]),
	"another Sid": (s) => ({ ...s, Sid: `Other${s.Sid ?? ""}` }),
	"conditions turned around": (s) => (s.Condition === undefined ? s : { ...s, Condition: reversed(s.Condition) }),
};

/** Each changes the meaning of a statement; null where there is nothing of the kind to change. */
const MUTATIONS: Readonly<Record<string, (s: Statement) => Statement | null>> = {
	"the other effect": (s) => ({ ...s, Effect: s.Effect === "Allow" ? "Deny" : "Allow" }),
	"one action more": (s) => patterns(s, (values, of) => (of.endsWith("Action") ? [...values, "zz:Unheard"] : values)),
	"one action less": (s) => {
		const actions = list(s.Action ?? s.NotAction);
		if (new Set(actions.map(lowerCase)).size < 2) return null;
		return patterns(s, (values, of) =>
			of.endsWith("Action") ? values.filter((v) => lowerCase(v) !== lowerCase(actions[0] ?? "")) : values,
		);
	},
	"a longer action": (s) =>
		patterns(s, ([first = "", ...rest], of) =>
			of.endsWith("Action") ? [`${first}Zz`, ...rest.filter((r) => r !== first)] : [first, ...rest],
		),
	"one resource more": (s) =>
		patterns(s, (values, of) => (of.endsWith("Resource") ? [...values, "arn:aws:s3:::unheard"] : values)),
	"another resource": (s) =>
		patterns(s, (values, of) => (of.endsWith("Resource") ? ["arn:aws:s3:::unheard", ...values.slice(1)] : values)),
	"NotAction for Action": ({ Action, NotAction, ...s }) =>
		Action === undefined ? { ...s, ...(NotAction !== undefined && { Action: NotAction }) } : { ...s, NotAction: Action },
	"a condition more": (s) => ({ ...s, Condition: { ...s.Condition, NumericLessThan: { "zz:unheard": "1" } } }),
	"no condition": ({ Condition, ...s }) => (Condition === undefined ? null : s),
	"another condition value": (s) => {
		const [first] = Object.entries(s.Condition ?? {});
		if (first === undefined) return null;
		const [operator, keys] = first;
		return { ...s, Condition: { ...s.Condition, [operator]: Object.fromEntries(Object.keys(keys).map((k) => [k, "unheard"])) } };
	},
	"another condition key": (s) => {
		const [first] = Object.entries(s.Condition ?? {});
		if (first === undefined) return null;
		const [operator, keys] = first;
		return {
			...s,
			Condition: { ...s.Condition, [operator]: Object.fromEntries(Object.entries(keys).map(([k, v]) => [`${k}zz`, v])) },
		};
	},
};

describe("every policy that AWS manages", () => {
	it("is valid, and equal to its canonical form, which is its own", () => {
		expect(documents.length).toBeGreaterThan(1400);
		for (const [name, doc] of documents) {
			const canonical = canonicalDocument(doc);
			expect([name, compareDocuments(doc, canonical) === "different"]).toEqual([name, false]);
			expect(canonicalDocument(canonical)).toEqual(canonical);
		}
	});

	it.each(Object.entries(COSMETIC))("stays equal with %s", (_, rewrite) => {
		for (const [name, doc] of documents) {
			const other = { ...doc, Statement: doc.Statement.map(rewrite) };
			expect([name, compareDocuments(doc, other), compareDocuments(other, doc)]).not.toContain("different");
		}
	});

	it("stays equal with its statements in another order, one of them twice, and an Id", () => {
		for (const [name, doc] of documents) {
			const other = { ...doc, Id: "x", Statement: [...doc.Statement.slice(0, 1), ...[...doc.Statement].reverse()] };
			expect([name, compareDocuments(doc, other)]).toEqual([name, "equivalent"]);
		}
	});

	it.each(Object.entries(MUTATIONS))("is another with %s in any of its statements", (_, mutate) => {
		let mutated = 0;
		const equal: string[] = [];
		for (const [name, doc] of documents) {
			for (const [i, s] of doc.Statement.entries()) {
				const changed = mutate(s);
				if (changed === null) continue;
				mutated++;
				const other = { ...doc, Statement: doc.Statement.toSpliced(i, 1, changed) };
				if (compareDocuments(doc, other) !== "different") equal.push(`${name} statement ${i}`);
			}
		}
		expect(equal).toEqual([]);
		expect(mutated).toBeGreaterThan(300);
	});

	it("is another under another Version", () => {
		for (const [name, doc] of documents) {
			const other = { ...doc, Version: doc.Version === "2012-10-17" ? "2008-10-17" : "2012-10-17" };
			expect([name, compareDocuments(doc, other)]).toEqual([name, "different"]);
		}
	});

	it("is different from every other", () => {
		const seen = new Map<string, string>();
		for (const [name, doc] of documents) {
			const text = JSON.stringify(canonicalDocument(doc));
			const twin = seen.get(text);
			if (twin !== undefined)
				expect([twin, name, compareDocuments(doc, parsePolicyDocument(texts.get(twin) ?? ""))]).not.toContain("different");
			seen.set(text, name);
		}
		expect(seen.size).toBeGreaterThan(1300);
	});

	it("broadens access when it is attached, shown by a request that is then allowed", () => {
		const catalogue = createCatalogue();
		const nothing = { documents: [], boundary: null };
		const undecided: string[] = [];
		let lines = 0;
		for (const [name, doc] of documents) {
			if (!doc.Statement.some((s) => s.Effect === "Allow")) continue;
			const after = { documents: [doc], boundary: null };
			const { effect, gains } = accessChange(nothing, after, catalogue);
			expect([name, effect]).toEqual([name, expect.stringMatching(/^(broadens|unknown)$/)]);
			for (const { witness } of gains) {
				lines++;
				if (witness === null) undecided.push(name);
				else expect([name, evaluate(after, witness)]).toEqual([name, "allowed"]);
			}
			expect([name, accessChange(after, after, catalogue).effect]).toEqual([name, "none"]);
		}
		expect(undecided.length).toBeLessThan(lines / 500);
	});
});
