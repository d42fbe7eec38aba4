import { describe, expect, it } from "vitest";
import type { Finding } from "../../../controller/model/finding.ts";
import { renderFindingsGithub } from "../../../controller/plan/render/findings-github.ts";
import { findingList } from "../../../controller/plan/render/findings-json.ts";
import { renderFindingsJunit } from "../../../controller/plan/render/findings-junit.ts";
import { renderFindingsSarif } from "../../../controller/plan/render/findings-sarif.ts";
import { renderFindingsText } from "../../../controller/plan/render/findings-text.ts";
import { finding } from "./fixtures.ts";

const FILE = ["kind: AccessPolicy", "spec:", "  taskRole:", "    statments:", "      - actions: [s3:GetObjct]", ""].join("\n");
const at = (line: number, column: number): Pick<Finding, "origin"> => ({
	origin: { path: "policies/orders-api.yaml", line, column },
});

const FINDINGS: readonly Finding[] = [
	finding("ExpiredEntry", "warning", "statement 2 has expired", { ...at(5, 9), fix: "delete lines 5 to 6" }),
	finding("UnknownField", "error", 'unknown field "statments" in AccessPolicy.spec.taskRole', {
		...at(4, 5),
		fix: 'did you mean "statements"?',
	}),
	finding("UnknownAction", "error", "no such action: s3:GetObjct", { ...at(5, 19), fix: "did you mean s3:GetObject?" }),
];
const report = (findings: readonly Finding[], strict = false) => ({ findings, files: 43, strict });
const text = (findings: readonly Finding[], strict = false): string =>
	renderFindingsText(report(findings, strict), {
		color: false,
		verbose: false,
		source: (path) => (path === "policies/orders-api.yaml" ? FILE : undefined),
	});

describe("findings as text", () => {
	it("point at the very word, say what to do, and count last", () => {
		expect(text(FINDINGS)).toBe(`policies/orders-api.yaml:4:5  error  unknown field "statments" in AccessPolicy.spec.taskRole
    3 |   taskRole:
    4 |     statments:
      |     ^^^^^^^^^ did you mean "statements"?
policies/orders-api.yaml:5:19  error  no such action: s3:GetObjct
    4 |     statments:
    5 |       - actions: [s3:GetObjct]
      |                   ^^^^^^^^^^^ did you mean s3:GetObject?
policies/orders-api.yaml:5:9  warning  statement 2 has expired
    4 |     statments:
    5 |       - actions: [s3:GetObjct]
      |         ^^^^^^^ delete lines 5 to 6
2 errors, 1 warning in 1 of 43 files. Nothing was read from AWS.
`);
	});

	it("say what to do also where there is no line to show", () => {
		expect(text([finding("X", "error", "no Guardrail any more", { fix: "put one back" })])).toContain(
			"error  no Guardrail any more — put one back\n",
		);
	});

	it("tell the same thing once, with the places of the others", () => {
		const same = Array.from({ length: 12 }, (_, i) =>
			finding("UnknownAction", "error", "no such action: s3:GetObjct", {
				origin: { path: `policies/p${i}.yaml`, line: 3, column: 1 },
			}),
		);
		const out = text(same);
		expect(out.match(/no such action/g)).toHaveLength(1);
		expect(out).toContain("and 11 more like this: policies/p1.yaml:3:1, policies/p2.yaml:3:1,");
		expect(out).toContain("12 errors in 12 of 43 files.");
	});

	it("say that there are none, and of how many files", () => {
		expect(text([])).toBe("No findings in 43 files. Nothing was read from AWS.\n");
	});

	it("name the guardrail that speaks, and that warnings fail under --strict", () => {
		const denied = finding("GuardrailDenied", "error", "billing may not iam:PassRole", {
			guardrail: { name: "baseline", rule: "no-iam" },
		});
		expect(text([denied])).toContain("(guardrail baseline/no-iam)");
		expect(text([denied])).toContain("1 error, 1 of them by a guardrail");
		expect(text(FINDINGS, true)).toContain("Warnings fail under --strict.");
	});

	it("show two notes of a kind, each on a line, unless --verbose", () => {
		const notes = Array.from({ length: 7 }, (_, i) =>
			finding("Unused", "note", `no policy uses PermissionSet "p${i}"`, at(4, 5)),
		);
		expect(text(notes).split("\n")).toEqual([
			'policies/orders-api.yaml:4:5  note  no policy uses PermissionSet "p0"',
			'policies/orders-api.yaml:4:5  note  no policy uses PermissionSet "p1"',
			"      and 5 more like this (--verbose lists them)",
			"7 notes in 1 of 43 files. Nothing was read from AWS.",
			"",
		]);
		expect(renderFindingsText(report(notes), { color: false, verbose: true, source: () => undefined })).toContain('"p6"');
	});

	it("show no control character of the file", () => {
		const out = renderFindingsText(report([finding("X", "error", "bad", at(1, 1))]), {
			color: false,
			verbose: false,
			source: () => "a: \u001b[2Jx",
		});
		expect(out).toContain("a: \\x1b[2Jx");
	});
});

describe("findings for machines", () => {
	it("are JSON with counts, worst first", () => {
		const list = findingList(report(FINDINGS));
		expect(list.counts).toEqual({ error: 2, warning: 1, note: 0 });
		expect(list.findings.map((f) => f.severity)).toEqual(["error", "error", "warning"]);
	});

	it("are SARIF with a rule each and a place", () => {
		const sarif = JSON.parse(renderFindingsSarif(report(FINDINGS), "1.2.3"));
		const [run] = sarif.runs;
		expect(sarif.version).toBe("2.1.0");
		expect(run.tool.driver.rules.map((r: { id: string }) => r.id)).toEqual(["UnknownField", "UnknownAction", "ExpiredEntry"]);
		expect(run.results).toHaveLength(3);
		expect(run.results[1]).toMatchObject({
			ruleId: "UnknownAction",
			ruleIndex: 1,
			level: "error",
			locations: [
				{
					physicalLocation: { artifactLocation: { uri: "policies/orders-api.yaml" }, region: { startLine: 5, startColumn: 19 } },
				},
			],
		});
	});

	it("are JUnit in which a warning fails only under --strict", () => {
		expect(renderFindingsJunit(report(FINDINGS))).toContain('tests="3" failures="2"');
		expect(renderFindingsJunit(report(FINDINGS, true))).toContain('tests="3" failures="3"');
		expect(renderFindingsJunit(report([]))).toContain('tests="1" failures="0"');
	});

	it("are annotations that cannot be broken out of", () => {
		const evil = finding("X", "error", "a%b\n::set-output::", { origin: { path: "policies/a,b:c.yaml", line: 2, column: 3 } });
		expect(renderFindingsGithub(report([evil])).split("\n")).toEqual([
			"::error file=policies/a%2Cb%3Ac.yaml,line=2,col=3,title=X::a%25b\\n::set-output::",
			"1 error in 43 files",
			"",
		]);
		expect(renderFindingsGithub(report([finding("Y", "note", "look")]))).toContain("::notice title=Y::look");
	});
});
