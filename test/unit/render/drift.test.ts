import { describe, expect, it } from "vitest";
import type { Drift } from "../../../controller/model/drift.ts";
import type { Plan, PlanFile } from "../../../controller/model/plan.ts";
import { driftWords } from "../../../controller/plan/render/drift-words.ts";
import { renderPlanMarkdown } from "../../../controller/plan/render/plan-markdown.ts";
import { renderPlanText } from "../../../controller/plan/render/plan-text.ts";
import { change, line, plan, planFile, role, step } from "./fixtures.ts";

const ROLE = role("orders-api-task");
const KIM = {
	arn: "arn:aws:sts::123456789012:assumed-role/Admin/kim",
	at: "2026-11-24T09:12:30Z",
	sourceIp: "203.0.113.9",
	userAgent: "aws-cli/2.17",
	action: "iam:PutRolePolicy",
	eventId: "e1",
};
const QUICK_FIX: Drift = {
	target: ROLE,
	part: 'inline policy "quick-fix"',
	live: "sha256:1",
	since: KIM.at,
	culprit: KIM,
	recorded: true,
};
const LEE: Drift = {
	...QUICK_FIX,
	part: "trust policy",
	since: "2026-11-24T10:00:00Z",
	culprit: { ...KIM, arn: "arn:aws:iam::123456789012:user/lee", action: "iam:UpdateAssumeRolePolicy" },
};

const fix = step(ROLE, {
	why: "drifted",
	effect: "narrows",
	call: { api: "iam:DeleteRolePolicy", input: { RoleName: ROLE.name, PolicyName: "quick-fix" } },
	losses: [line("*", "*", "iam:CreateUser on *")],
	diff: [change("-", "inline policy", "quick-fix")],
});
const trust = step(ROLE, {
	why: "drifted",
	call: {
		api: "iam:UpdateAssumeRolePolicy",
		input: { RoleName: ROLE.name, PolicyDocument: { Version: "2012-10-17", Statement: [] } },
	},
	diff: [change("~", "trust", "trust policy")],
});

function healed(drifts: readonly Drift[], steps = [fix], more: Partial<Plan> = {}): PlanFile {
	return planFile([plan("orders-api", "heal", steps, { drifts, ...more })]);
}

const text = (file: PlanFile, verbose = false): string => renderPlanText(file, { color: false, width: 120, verbose });

describe("a drift on a terminal", () => {
	it("says since when and by whom it was changed, where an event told", () => {
		expect(text(healed([QUICK_FIX]))).toContain(
			"! orders-api  has changed since 2026-11-24 09:12 UTC, by arn:aws:sts::123456789012:assumed-role/Admin/kim\n",
		);
	});

	it("says how with --verbose", () => {
		expect(text(healed([QUICK_FIX]), true)).toContain(
			"iam:PutRolePolicy at 2026-11-24 09:12 UTC from 203.0.113.9 with aws-cli/2.17\n",
		);
	});

	it("says when it was first seen, where no event told, and nothing where it is seen now", () => {
		expect(text(healed([{ ...QUICK_FIX, culprit: null }]))).toContain(
			"! orders-api  has changed (first seen 2026-11-24 09:12 UTC)\n",
		);
		expect(text(healed([{ ...QUICK_FIX, culprit: null, recorded: false }]))).toContain("! orders-api  has changed\n");
	});

	it("says it beneath each part where different people changed them, or where git asks for more", () => {
		const two = text(healed([QUICK_FIX, LEE], [fix, trust]));
		expect(two).toContain("! orders-api  has changed\n");
		expect(two).toContain("        changed since 2026-11-24 09:12 UTC, by arn:aws:sts::123456789012:assumed-role/Admin/kim\n");
		expect(two).toContain("        changed since 2026-11-24 10:00 UTC, by arn:aws:iam::123456789012:user/lee\n");
		const mixed = text(healed([QUICK_FIX], [fix], { summary: "update" }));
		expect(mixed).toContain("        changed since 2026-11-24 09:12 UTC, by arn:aws:sts::123456789012:assumed-role/Admin/kim\n");
	});

	it("shows the names of others as text, on a terminal and in a pull request", () => {
		const evil = { ...KIM, arn: "arn:aws:sts::1:assumed-role/a/\u001b[2J@all|`x`", userAgent: "\u001b]0;x\u0007 \n" };
		const file = healed([{ ...QUICK_FIX, culprit: evil }]);
		for (const out of [text(file), text(file, true)]) expect(/\p{Cc}/u.test(out.replaceAll("\n", ""))).toBe(false);
		expect(text(file, true)).toContain("\\x1b]0;x\\x07 \\n");
		const markdown = renderPlanMarkdown(file);
		const row = markdown.split("\n").find((l) => l.includes("**orders") && l.includes("drift since"));
		expect(row).toContain("&#64;all\\|\\`x\\`");
	});
});

describe("a drift in a status", () => {
	it("is one line: what, since when, who and by which call", () => {
		expect(driftWords(plan("a", "heal", [], { drifts: [QUICK_FIX, { ...LEE, culprit: null }] }))).toBe(
			'inline policy "quick-fix" of orders-api-task since 2026-11-24T09:12:30Z, by arn:aws:sts::123456789012:assumed-role/Admin/kim (iam:PutRolePolicy); trust policy of orders-api-task, first seen 2026-11-24T10:00:00Z',
		);
		expect(driftWords(plan("a", "unchanged", []))).toBe("");
	});
});
