import { describe, expect, it } from "vitest";
import type { PlanFile } from "../../../controller/model/plan.ts";
import { COMMENT_LIMIT, renderPlanMarkdown } from "../../../controller/plan/render/plan-markdown.ts";
import { APPROVAL_ID, change, companyPlan, line, plan, planFile, role, step } from "./fixtures.ts";

function large(plans: number, changes: number): PlanFile {
	return planFile(
		Array.from({ length: plans }, (_, i) =>
			plan(
				`service-${i}`,
				"update",
				[
					step(role(`service-${i}-task`), {
						effect: "broadens",
						gains: [line("s3:PutObject", `arn:aws:s3:::bucket-${i}/*`, `s3:PutObject on arn:aws:s3:::bucket-${i}/x`)],
						diff: Array.from({ length: changes }, (_, c) => change("-", "inline policy", `with-\`\`\`-fence-${c}`)),
					}),
				],
				{ approvalId: i === 0 ? APPROVAL_ID : null },
			),
		),
	);
}

/** Fences are opened and closed in turn, and no notice stands inside one. */
function expectClosedFences(markdown: string): void {
	let open: string | null = null;
	for (const l of markdown.split("\n")) {
		const fence = /^(`{3,})(\w*)$/.exec(l);
		if (fence?.[1] !== undefined && (open === null || fence[1].length >= open.length)) open = open === null ? fence[1] : null;
		else if (open !== null) expect(l).not.toMatch(/left out/);
	}
	expect(open).toBeNull();
}

describe("a plan in a pull request", () => {
	it("says first what is gained and lost, and whether somebody must approve", () => {
		const [first] = renderPlanMarkdown(companyPlan()).split("\n");
		expect(first).toBe("### Access plan for 3f2a91c — 1 service gains access, 2 lose, 1 is new. Needs approval.");
	});

	it("has a row a workload whose access changes, with an example", () => {
		const rows = renderPlanMarkdown(companyPlan())
			.split("\n")
			.filter((l) => l.startsWith("| **"));
		expect(rows).toHaveLength(3);
		expect(rows[1]).toBe(
			"| **billing** (prod) | `s3:PutObject` invoices-prod/\\* | `s3:DeleteObject` invoices-prod/\\* | can now `s3:PutObject` invoices-prod/x<br>can no longer `s3:DeleteObject` invoices-prod/x | no |",
		);
	});

	it("gives the approval to commit, with the full id and its path", () => {
		const out = renderPlanMarkdown(companyPlan());
		expect(out).toContain("To approve billing: add `policies/platform/approvals/billing-b04d77e1.yaml` (below)");
		expect(out).toContain(`spec: { approvalId: "${APPROVAL_ID}", reason: "say why", expiresAt: 2026-12-01T10:00:00Z }`);
	});

	it("says nothing but that where there is nothing to do", () => {
		const out = renderPlanMarkdown(planFile([plan("a", "unchanged", [])]));
		expect(out).toContain("— nothing to do: 1 role and 1 workload are as git says.");
		expect(out).not.toContain("<details>");
	});

	for (const [name, file] of [
		["many workloads", large(3000, 1)],
		["long steps", large(40, 400)],
		["one endless step", large(1, 20_000)],
	] as const) {
		it(`stays under the limit with ${name}, keeps head and foot, closes every fence and says what is cut`, () => {
			const out = renderPlanMarkdown(file);
			expect(out.length).toBeLessThan(COMMENT_LIMIT);
			expect(out.length).toBeGreaterThan(COMMENT_LIMIT / 2);
			const lines = out.split("\n");
			expect(lines[0]).toMatch(/^### Access plan/);
			expect(lines[2]).toMatch(/^> \*\*Shortened:\*\*/);
			expect(out).toMatch(/left out/);
			expect(out).toContain("Plan `7c1e0a9f`.");
			expect(out).toContain(`approvalId: "${APPROVAL_ID}"`);
			expectClosedFences(out);
		});
	}

	it("keeps the rows of the table where only the steps are too long", () => {
		const out = renderPlanMarkdown(large(40, 400));
		expect(out.split("\n").filter((l) => l.startsWith("| **service-"))).toHaveLength(40);
	});

	it("cuts nothing that fits", () => {
		expect(renderPlanMarkdown(large(20, 5))).not.toContain("left out");
	});

	it("lets no name break the table or call a person", () => {
		const evil = planFile([
			plan("a", "update", [
				step(role("a"), { effect: "broadens", gains: [line("s3:Get|Object", "@team", "s3:Get|Object on <b>")] }),
			]),
		]);
		const row = renderPlanMarkdown(evil)
			.split("\n")
			.find((l) => l.startsWith("| **a**"));
		expect(row?.replace(/\\\|/g, "").split("|")).toHaveLength(7);
		expect(row).not.toMatch(/@|<b>/);
	});
});
