import { describe, expect, it } from "vitest";
import type { PlanFile } from "../../../controller/model/plan.ts";
import type { Target } from "../../../controller/model/target.ts";
import { renderPlanText } from "../../../controller/plan/render/plan-text.ts";
import { ACCOUNT, APPROVAL_ID, change, companyPlan, finding, line, plan, planFile, role, step } from "./fixtures.ts";

const text = (
	file: PlanFile,
	opts: { readonly verbose?: boolean; readonly width?: number; readonly color?: boolean } = {},
): string => renderPlanText(file, { color: false, width: 120, verbose: false, ...opts });

describe("a plan on a terminal", () => {
	it("reads as the design shows it", () => {
		expect(
			text(companyPlan()),
		).toBe(`policies @ 3f2a91c  ->  prod  123456789012 (acme-prod)  eu-west-1         read 214 roles, 96 services in 41 calls, 1.9 s

! orders-api  has changed
    role /ecs-access/orders-api-task
      - inline policy "quick-fix"                        gave: everything   e.g. iam:CreateUser on *
        will be removed: the role is exclusive           policies/orders-api.yaml:31

~ billing  will be updated                               policies/billing.yaml:14
    role /ecs-access/billing-task                                                  BROADENS
      + s3:PutObject on arn:aws:s3:::invoices-prod/*     was refused, e.g. s3:PutObject on arn:aws:s3:::invoices-prod/x
      - s3:DeleteObject on arn:aws:s3:::invoices-prod/*
          was allowed, e.g. s3:DeleteObject on arn:aws:s3:::invoices-prod/x
      ~ inline policy "ecs-access"
      + tag team = billing
      waits for approval: guardrail production-baseline/ask-before-broadening   policies/platform/guardrails.yaml:22
        ecs-access approve b04d77e1 --reason "…"

+ search  will be created                                policies/search.yaml:1
    role /ecs-access/search-task                                                   BROADENS
      + es:ESHttpGet on arn:aws:es:eu-west-1:123456789012:domain/catalogue/*
          was refused, e.g. es:ESHttpGet on arn:aws:es:eu-west-1:123456789012:domain/catalogue/x
      + trust policy, who may become the role: ecs-tasks.amazonaws.com
      + inline policy "ecs-access"
    service prod/search does not exist yet: its binding waits

? legacy-batch-task  is not ours and carries our name: policies/legacy.yaml:1 wants it; adopt: true takes it over

Plan 7c1e0a9f: 1 to create, 1 to update, 1 to heal, 0 to delete; 3 wait (approval, binding, not ours). 212 unchanged.
Access: 2 broader, 2 narrower. Restarts: none.
Next: ecs-access apply            (exit code 2)
`);
	});

	it("says of an empty plan what was looked at, in two lines", () => {
		const file = planFile([plan("a", "unchanged", [], { roles: 214, workloads: 96, unchanged: 310 })]);
		expect(text(file).split("\n")).toEqual([
			"policies @ 3f2a91c  ->  prod  123456789012 (acme-prod)  eu-west-1         read 214 roles, 96 services in 41 calls, 1.9 s",
			"Nothing to do: 214 roles and 96 workloads are as git says.",
			"",
		]);
	});

	it("never says 'as git says' of a role that grants more", () => {
		const surplus = finding("SurplusAccess", "warning", "role a-task also allows s3:*", { subject: "role a-task" });
		const out = text(planFile([plan("a", "unchanged", [], { findings: [surplus] }), plan("b", "unchanged", [])]));
		expect(out).toContain(
			"Nothing to do: 1 role and 2 workloads are as git says. 1 role grants more than git says (SurplusAccess, above).",
		);
		expect(out).toContain("role a-task also allows s3:*");
	});

	it("colours only when asked to, and says the same", () => {
		const plain = text(companyPlan());
		const painted = text(companyPlan(), { color: true });
		expect(plain).not.toContain("\u001b");
		expect(painted).toContain("\u001b[");
		// biome-ignore lint/suspicious/noControlCharactersInRegex: what is looked for are control characters.
		expect(painted.replace(/\u001b\[\d+m/g, "")).toBe(plain);
	});

	it("loses nothing on a narrow terminal", () => {
		const words = (s: string): readonly string[] => s.split(/\s+/).filter((w) => w !== "");
		expect(words(text(companyPlan(), { width: 60 }))).toEqual(words(text(companyPlan())));
	});

	it("prints no control character that a policy name or tag carries", () => {
		const evil = change("-", "inline policy", "x\u001b[2J\r\nPlan 0: nothing");
		const out = text(
			planFile([
				plan("a", "heal", [step(role("a-task"), { why: "drifted", effect: "narrows", diff: [evil], losses: [line("*", "*")] })]),
			]),
		);
		expect(out).toContain('inline policy "x\\x1b[2J\\x0d\\nPlan 0: nothing"');
		expect(out).not.toContain("\u001b");
	});

	it("names every removal, however many", () => {
		const diff = Array.from({ length: 30 }, (_, i) => change("-", "inline policy", `old-${i}`));
		const out = text(planFile([plan("a", "update", [step(role("a-task"), { diff })])]));
		for (const c of diff) expect(out).toContain(`- inline policy "${c.name}"`);
	});

	it("says that a line was shortened, and the flag that shows it", () => {
		const many = line("s3:A s3:B s3:C s3:D s3:E s3:F", "*", "s3:A on *");
		const file = planFile([plan("a", "update", [step(role("a-task"), { effect: "broadens", gains: [many] })])]);
		expect(text(file)).toContain("s3:A, s3:B, s3:C and 3 more on * (--verbose lists all)");
		expect(text(file, { verbose: true })).toContain("s3:A, s3:B, s3:C, s3:D, s3:E, s3:F on *");
	});

	it("counts an undecided effect as broader, and says so", () => {
		const out = text(planFile([plan("a", "update", [step(role("a-task"), { effect: "unknown", gains: [line("s3:*", "*")] })])]));
		expect(out).toContain("BROADENS (not decided, so it counts as broader)");
		expect(out).toContain("no example found: counts as broader");
		expect(out).toContain("Access: 1 broader (1 not decided, counted as broader), 0 narrower.");
	});

	it("gives the command that ends each wait", () => {
		const waits = (waiting: "approval" | "budget" | "hold" | "in-use"): string =>
			text(
				planFile([
					plan(
						"a",
						"update",
						[step(role("a-task"), { diff: [change("~", "trust", "")], state: { waiting, detail: "because" } })],
						{ approvalId: APPROVAL_ID },
					),
				]),
			);
		expect(waits("approval")).toContain('ecs-access approve b04d77e1 --reason "…"');
		expect(waits("budget")).toContain('ecs-access approve b04d77e1 --reason "…"');
		expect(waits("hold")).toContain("aws iam untag-role --role-name a-task --tag-keys ecs-access.dev/hold-until");
		expect(waits("in-use")).toContain("ends when nothing names it any more: run plan again");
	});

	it("prints the next command ready to paste, with the flags of this plan", () => {
		const request = {
			git: { url: "https://git.example/a b.git", ref: "main", subdir: "access" },
			only: ["AccessPolicy/a"],
			prune: true,
		};
		const file = { ...companyPlan(), request };
		expect(text(file)).toContain(
			"Next: ecs-access apply --git 'https://git.example/a b.git' --ref main --subdir access --only AccessPolicy/a --prune",
		);
	});

	it("asks for the approval next where nothing else can be done", () => {
		const only = planFile([
			plan(
				"a",
				"update",
				[step(role("a-task"), { diff: [change("~", "trust", "")], state: { waiting: "approval", detail: "g" } })],
				{ approvalId: APPROVAL_ID },
			),
		]);
		expect(text(only)).toContain('Next: ecs-access approve b04d77e1 --reason "…"');
	});

	it("sends from two revisions, compared offline, to a plan against the account", () => {
		const plan = companyPlan();
		const accounts = plan.accounts.map((a) => ({ ...a, caller: null }));
		const offline = { ...plan, accounts, reads: { roles: 0, services: 0, calls: 0, milliseconds: 3 } };
		expect(text(offline)).toContain("nothing was read from AWS\n");
		expect(text(offline)).toContain("Next: ecs-access plan  ");
	});

	it("tells what was not looked at, and why", () => {
		const out = text(planFile([], { unpruned: { count: 2, reason: "--prune was not given" } }));
		expect(out).toContain("2 roles of ours no longer in git, not looked at: --prune was not given");
	});

	it("does not say 'nothing to do' of an account that it could not read", () => {
		const out = text(
			planFile([], { accounts: [{ account: ACCOUNT, caller: null, error: "the token has expired: aws sso login" }] }),
		);
		expect(out).toContain("error  the token has expired: aws sso login");
		expect(out).toContain("Nothing is known of 1 account");
		expect(out).not.toContain("Nothing to do");
	});

	it("says of an account that could not be read what to do, and that the exit code is 1", () => {
		const accounts = [
			{
				account: ACCOUNT,
				caller: null,
				error: "account prod is declared as 1, but these credentials are of 2\nuse credentials of it",
			},
			{ account: { ...ACCOUNT, name: "dev" }, caller: null, error: null },
		];
		const out = text(planFile([plan("a", "create", [step(role("a-task"))])], { accounts }));
		expect(out).toContain(
			"    error  account prod is declared as 1, but these credentials are of 2\n           use credentials of it\n",
		);
		expect(out).toMatch(/Next: .* \(exit code 1\)/);
	});

	it("says once, on one line, that a binding waits for its service", () => {
		const service: Target = { type: "ecs.service", account: "123456789012", region: "eu-west-1", name: "prod/a" };
		const awaited = step(service, {
			call: { api: "none" },
			diff: [change("+", "binding", "task role", { to: "arn:aws:iam::123456789012:role/a-task" })],
			state: { waiting: "reference", detail: "service prod/a does not exist yet: its binding waits" },
		});
		const out = text(planFile([plan("a", "create", [step(role("a-task")), awaited])]));
		expect(out).toContain("\n    service prod/a does not exist yet: its binding waits\n");
		expect(out.match(/its binding waits/g)).toHaveLength(1);
		expect(out).not.toContain("+ binding");
	});

	it("says which of its three forms a removal has", () => {
		const form = (call: Parameters<typeof step>[1]): string =>
			text(planFile([plan("a", "delete", [step(role("a-task"), call)])]));
		expect(form({ call: { api: "iam:DeleteRole", input: { RoleName: "a-task" } } })).toContain("will be deleted");
		expect(form({ call: { api: "iam:UntagRole", input: { RoleName: "a-task", TagKeys: [] } } })).toContain(
			"our marks are removed, the role stays as it is",
		);
		expect(form({ call: { api: "iam:TagRole", input: { RoleName: "a-task", Tags: {} } } })).toContain("will be retired");
	});

	it("does not call it deleting when a role is let go", () => {
		const untag = step(role("a-task"), { call: { api: "iam:UntagRole", input: { RoleName: "a-task", TagKeys: [] } } });
		expect(text(planFile([plan("a", "delete", [untag])]))).toContain("1 to let go, 0 to delete");
	});

	it("shows a newcomer without a policy where one comes from", () => {
		expect(text(planFile([]))).toContain("ecs-access import writes policies for what runs");
	});

	it("tells repeated findings once, with the number of the others", () => {
		const findings = Array.from({ length: 13 }, (_, i) =>
			finding("PlaintextSecret", "warning", `variable PASSWORD_${i} looks like a secret`, { fix: "name it under spec.secrets" }),
		);
		const out = text(planFile([], { findings }));
		expect(out).toContain("13 warnings");
		expect(out).toContain("PASSWORD_1 ");
		expect(out).not.toContain("PASSWORD_2 ");
		expect(out).toContain("and 11 more like this (--verbose lists them)");
		expect(out.match(/name it under spec\.secrets/g)).toHaveLength(1);
		expect(text(planFile([], { findings }), { verbose: true })).toContain("PASSWORD_12 ");
	});

	it("names the account of a policy where there are several", () => {
		const accounts = ["dev", "prod"].map((name) => ({ account: { ...ACCOUNT, name }, caller: null, error: null }));
		const out = text({ ...companyPlan(), accounts });
		expect(out).toContain("~ billing (prod)  will be updated");
		expect(out.split("\n").slice(0, 2).join("\n")).toMatch(/dev {2}123456789012.*\n.*prod {2}123456789012/);
	});
});
