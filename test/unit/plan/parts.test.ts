import { describe, expect, test } from "vitest";
import type { RoleWanted } from "../../../controller/model/desired.ts";
import { targetId } from "../../../controller/model/target.ts";
import { appliedRole } from "../../../controller/plan/applied.ts";
import type { PlanInput } from "../../../controller/plan/input.ts";
import type { PolicyDocument } from "../../../controller/policy/document.ts";
import { allow, applyReady, deny, doc, MARKS, NOW, origin, plan, ROLE, roleState, shown, trust, wanted, wants } from "./world.ts";

const GET = allow("s3:GetObject", "arn:aws:s3:::catalogue/*");
const PUT = allow("s3:PutObject", "arn:aws:s3:::invoices/*");
const QUEUES = "arn:aws:iam::aws:policy/ReadQueues";
const BUCKETS = "arn:aws:iam::aws:policy/ReadBuckets";
const LOCKDOWN = "arn:aws:iam::123456789012:policy/lockdown";
const BOUNDARY = "arn:aws:iam::123456789012:policy/boundary";
const QUARANTINE = "arn:aws:iam::123456789012:policy/quarantine";

function attached(...arns: readonly string[]): Pick<RoleWanted, "managedPolicies"> {
	return { managedPolicies: arns.map((arn, n) => ({ arn, origin: origin(20 + n) })) };
}

/** What is remembered as last applied. */
function last(w: RoleWanted): Partial<PlanInput> {
	return { last: new Map([[targetId(ROLE), { target: ROLE, applied: appliedRole(w), appliedAt: NOW }]]) };
}

const live = roleState({ inline: { "ecs-access": doc(GET) } });

describe("why a step is there", () => {
	test("git changed: the role is as it was applied, and git says something else", () => {
		expect(shown(plan(wanted({ statements: [wants(GET), wants(PUT)] }), live, last(wanted())))).toEqual([
			"PutRolePolicy ecs-access spec-changed broadens",
		]);
	});

	test("a hand changed: git says what was applied, and the role is something else", () => {
		const edited = roleState({ inline: { "ecs-access": doc(GET, PUT) } });
		const p = plan(wanted(), edited, last(wanted()));
		expect(shown(p)).toEqual(["PutRolePolicy ecs-access drifted narrows"]);
		expect(p.steps[0]?.diff[0]?.origin).toBeNull();
		expect(p.summary).toBe("heal");
	});

	test("both changed: what a hand added goes as drift, what git asks comes as its own", () => {
		const edited = roleState({ inline: { "ecs-access": doc(GET), "quick-fix": doc(allow("dynamodb:*")) } });
		expect(shown(plan(wanted({ statements: [wants(GET), wants(PUT)] }), edited, last(wanted())))).toEqual([
			"PutRolePolicy ecs-access spec-changed broadens",
			"DeleteRolePolicy quick-fix drifted narrows",
		]);
	});

	test("with nothing remembered, what stands beside ecs-access is a hand's", () => {
		const edited = roleState({ ...live, managedPolicies: [QUEUES] });
		expect(shown(plan(wanted(), edited))).toEqual(["DetachRolePolicy ReadQueues drifted narrows"]);
		expect(shown(plan(wanted(), edited, last(wanted(attached(QUEUES)))))).toEqual([
			"DetachRolePolicy ReadQueues spec-changed narrows",
		]);
	});

	test("drift: Report says what is drifted and plans nothing for it", () => {
		const edited = roleState({ inline: { "ecs-access": doc(GET), "quick-fix": doc(PUT) } });
		const p = plan(wanted({ drift: "Report" }), edited);
		expect(p.steps).toEqual([]);
		expect(p.findings.map((f) => f.id)).toEqual(["Drifted"]);
		expect(p.findings[0]?.message).toContain("quick-fix");
	});
});

describe("a role that is not exclusive", () => {
	const before = wanted({ exclusive: false, statements: [wants(GET), wants(PUT)], ...attached(QUEUES) });

	test("loses what git once said and no longer does, and keeps what nobody of ours wrote", () => {
		const theirs = allow("dynamodb:Query");
		const state = roleState({ inline: { legacy: doc(GET, PUT, theirs) }, managedPolicies: [QUEUES, BUCKETS] });
		const p = plan(wanted({ exclusive: false }), state, last(before));
		expect(applyReady(p, state)).toMatchObject({ inline: { legacy: doc(GET, theirs) }, managedPolicies: [BUCKETS] });
		expect(p.findings.map((f) => f.id)).toEqual(["SurplusAccess"]);
		expect(p.findings[0]?.message).toContain("dynamodb:Query on *");
		expect(p.findings[0]?.message).toContain(BUCKETS);
	});

	test("is what an adopted role stays when the line adopt: true is gone", () => {
		const state = roleState({ inline: { other: doc(GET, PUT) }, tags: { ...MARKS, "ecs-access.dev/adopted": "true" } });
		expect(plan(wanted(), state).steps).toEqual([]);
		expect(shown(plan(wanted({ exclusive: true }), state))).toEqual([
			"PutRolePolicy ecs-access spec-changed none",
			"DeleteRolePolicy other drifted narrows",
		]);
	});

	test("gets what is missing beside what it has, with the statements a hand put into ecs-access kept", () => {
		const state = roleState({ inline: { "ecs-access": doc(GET) } });
		const p = plan(wanted({ exclusive: false, statements: [wants(PUT)] }), state);
		expect(shown(p)).toEqual(["PutRolePolicy ecs-access spec-changed broadens"]);
		expect(applyReady(p, state)?.inline["ecs-access"]).toEqual(doc(PUT, GET));
	});

	test("keeps the meaning of what a document of 2008 says with ${", () => {
		const old: PolicyDocument = { Statement: [allow("s3:GetObject", "arn:aws:s3:::${aws:username}/*")] };
		const state = roleState({ inline: { "ecs-access": old } });
		const after = applyReady(plan(wanted({ exclusive: false }), state), state);
		expect(after?.inline["ecs-access"]).toEqual(doc(GET, allow("s3:GetObject", "arn:aws:s3:::${$}{aws:username}/*")));
	});
});

describe("what somebody else's Deny, boundary or hold protects", () => {
	test.each([
		["an attachment that holds a Deny", LOCKDOWN],
		["an attachment that nobody can read", "arn:aws:iam::123456789012:policy/secret"],
	])("%s is not detached by healing", (_what, arn) => {
		const p = plan(wanted(), roleState({ ...live, managedPolicies: [arn] }));
		expect(p.steps.map((s) => [s.call.api, s.state !== "ready" && s.state.waiting])).toEqual([
			["iam:DetachRolePolicy", "approval"],
		]);
	});

	test("ecs-access itself, with a hand's Deny in it, is not rewritten, also for what git adds", () => {
		const state = roleState({ inline: { "ecs-access": doc(GET, deny("s3:*")) } });
		expect(shown(plan(wanted({ statements: [wants(GET), wants(PUT)] }), state, last(wanted())))).toEqual([
			"PutRolePolicy ecs-access spec-changed broadens (waits: approval)",
		]);
	});

	test("a Deny that git said and no longer does is git's to remove", () => {
		const state = roleState({ inline: { "ecs-access": doc(GET, deny("s3:*")) } });
		const before = wanted({ statements: [wants(GET), wants(deny("s3:*"))] });
		expect(shown(plan(wanted(), state, last(before)))).toEqual(["PutRolePolicy ecs-access spec-changed broadens"]);
	});

	test("a trust policy with a hand's Deny is not rewritten", () => {
		const state = roleState({
			...live,
			trust: doc(...trust.Statement, { Effect: "Deny", Principal: "*", Action: "sts:AssumeRole" }),
		});
		expect(plan(wanted(), state).steps.map((s) => [s.call.api, s.state !== "ready" && s.state.waiting])).toEqual([
			["iam:UpdateAssumeRolePolicy", "approval"],
		]);
	});

	test("a boundary that git does not speak of is not ours", () => {
		expect(plan(wanted(), roleState({ ...live, permissionsBoundary: QUARANTINE })).steps).toEqual([]);
	});

	test("a boundary that somebody set is replaced only after an approval; one that git set is git's", () => {
		const w = wanted({ permissionsBoundary: BOUNDARY });
		const state = roleState({ ...live, permissionsBoundary: QUARANTINE });
		const waits = (p: ReturnType<typeof plan>): unknown => p.steps.map((s) => (s.state === "ready" ? "ready" : s.state.waiting));
		expect(waits(plan(w, state, last(w)))).toEqual(["approval"]);
		expect(waits(plan(w, state))).toEqual(["approval"]);
		expect(waits(plan(w, state, last(wanted({ permissionsBoundary: QUARANTINE }))))).toEqual(["ready"]);
		expect(waits(plan(w, live))).toEqual(["ready"]);
	});

	test("permissionsBoundary: none removes it by a person's apply only", () => {
		const w = wanted({ permissionsBoundary: "none" });
		const state = roleState({ ...live, permissionsBoundary: BOUNDARY });
		expect(plan(w, state).steps[0]?.state).toMatchObject({ waiting: "paused", command: "ecs-access apply" });
		const p = plan(w, state, { person: true });
		expect(p.steps[0]).toMatchObject({ state: "ready", call: { api: "iam:DeleteRolePermissionsBoundary" } });
		expect(applyReady(p, state)?.permissionsBoundary).toBeNull();
	});

	test("a hold keeps every step waiting until its time, and says so", () => {
		const held = (until: string): ReturnType<typeof roleState> =>
			roleState({ tags: { ...MARKS, "ecs-access.dev/hold-until": until } });
		const p = plan(wanted(), held("2026-11-25T00:00:00Z"));
		expect(shown(p)).toEqual(["PutRolePolicy ecs-access spec-changed broadens (waits: hold)"]);
		expect(p.findings.map((f) => [f.id, f.severity])).toEqual([["Held", "warning"]]);
		expect(p.approvalId).toBeNull();
		expect(plan(wanted(), held("whenever")).steps.map((s) => s.state !== "ready")).toEqual([true]);
		expect(shown(plan(wanted(), held("2026-11-24T11:59:59Z")))).toEqual(["PutRolePolicy ecs-access spec-changed broadens"]);
	});

	test("a suspended policy plans and waits", () => {
		expect(shown(plan(wanted({ suspended: true }), live)).length).toBe(0);
		expect(shown(plan(wanted({ suspended: true }), roleState()))).toEqual([
			"PutRolePolicy ecs-access spec-changed broadens (waits: suspended)",
		]);
	});
});

describe("expiry", () => {
	const expired = { ...wants(PUT, 33), expiresAt: "2026-11-23T00:00:00Z" };

	test("is a step of its own, ahead of what waits for an approval", () => {
		const state = roleState({ inline: { "ecs-access": doc(GET, PUT, deny("sqs:*")) } });
		const p = plan(wanted({ statements: [wants(GET), wants(allow("sqs:*"))], expired: [expired] }), state);
		expect(shown(p)).toEqual([
			"PutRolePolicy ecs-access expired narrows",
			"PutRolePolicy ecs-access spec-changed broadens (waits: approval)",
		]);
		expect(p.steps[0]?.diff[0]?.origin?.line).toBe(33);
		expect(applyReady(p, state)?.inline["ecs-access"]).toEqual(doc(GET, deny("sqs:*")));
	});

	test("deletes a document that held nothing else, and leaves a plan that is empty", () => {
		const state = roleState({ inline: { "ecs-access": doc(GET), grant: doc(PUT) } });
		const w = wanted({ expired: [expired] });
		const p = plan(w, state);
		expect(shown(p)).toEqual(["DeleteRolePolicy grant expired narrows"]);
		expect(p.summary).toBe("expire");
		expect(plan(w, applyReady(p, state)).steps).toEqual([]);
	});

	test("takes nothing away that is still granted by other words", () => {
		expect(plan(wanted({ expired: [{ ...wants(GET), expiresAt: "2026-11-23T00:00:00Z" }] }), live).steps).toEqual([]);
	});
});

describe("the order of calls", () => {
	test("from an attachment to statements of one's own: grant, wait a minute, take away", () => {
		const state = roleState({ inline: { "ecs-access": doc(GET) }, managedPolicies: [QUEUES] });
		const own = allow(["sqs:ReceiveMessage", "sqs:DeleteMessage"]);
		const p = plan(wanted({ statements: [wants(GET), wants(own)] }), state, last(wanted(attached(QUEUES))));
		expect(shown(p)).toEqual(["PutRolePolicy ecs-access spec-changed none", "DetachRolePolicy ReadQueues spec-changed none"]);
		expect(p.steps[1]).toMatchObject({ after_: [p.steps[0]?.id], settle: 60 });
	});

	test("the boundary is first, and what broadens under it does not go without it", () => {
		const state = roleState({ inline: { "ecs-access": doc(GET) }, permissionsBoundary: QUARANTINE });
		const p = plan(wanted({ permissionsBoundary: BOUNDARY, ...attached(QUEUES) }), state);
		expect(p.steps.map((s) => [s.call.api, s.state === "ready" ? "ready" : s.state.waiting])).toEqual([
			["iam:PutRolePermissionsBoundary", "approval"],
			["iam:AttachRolePolicy", "approval"],
		]);
	});

	test("what has nothing to do with each other does not wait for each other", () => {
		const state = roleState({ inline: { "ecs-access": doc(GET), "quick-fix": doc(allow("dynamodb:*")) } });
		const p = plan(wanted(attached(QUEUES)), state);
		expect(p.steps.map((s) => [s.call.api, s.after_, s.settle])).toEqual([
			["iam:AttachRolePolicy", [], 0],
			["iam:DeleteRolePolicy", [], 0],
		]);
	});

	test("an eleventh attachment waits with the figures, though one is to go, and so does what depends on it", () => {
		const arns = Array.from({ length: 10 }, (_, n) => `arn:aws:iam::aws:policy/p${n}`);
		const before = wanted(attached(...arns));
		const p = plan(wanted(attached(...arns.slice(1), QUEUES)), roleState({ ...live, managedPolicies: arns }), last(before));
		expect(p.steps[0]).toMatchObject({
			call: { api: "iam:AttachRolePolicy" },
			state: { waiting: "guardrail", detail: expect.stringContaining("11 attached policies") },
		});
		expect(p.steps[1]).toMatchObject({ call: { api: "iam:DetachRolePolicy" }, state: { waiting: "guardrail" } });
	});

	test("a document that is too large is an error with its figures, and is not written", () => {
		const big = Array.from({ length: 90 }, (_, n) =>
			wants(allow("s3:GetObject", `arn:aws:s3:::bucket-${n}-${"x".repeat(50)}/*`)),
		);
		const p = plan(wanted({ statements: big }), live);
		expect(p.findings.map((f) => [f.id, f.severity])).toEqual([["QuotaExceeded", "error"]]);
		expect(p.findings[0]?.message).toMatch(/needs [0-9]+ characters of inline policies, 1[0-9]{2} % of 10240/);
		expect(p.steps[0]?.state).toMatchObject({ waiting: "guardrail" });
	});
});

describe("tags", () => {
	test("declared ones are set, ones no more declared are removed unless somebody has changed them since", () => {
		const before = wanted({ tags: { team: "orders", tier: "1", cost: "7" } });
		const state = roleState({ ...live, tags: { ...MARKS, Team: "orders", tier: "2", cost: "7", hers: "x" } });
		const p = plan(wanted({ tags: { team: "billing" } }), state, last(before));
		expect(p.steps.map((s) => s.call)).toEqual([
			{ api: "iam:TagRole", input: { RoleName: ROLE.name, Tags: { team: "billing" } } },
			{ api: "iam:UntagRole", input: { RoleName: ROLE.name, TagKeys: ["cost"] } },
		]);
		expect(applyReady(p, state)?.tags).toEqual({ ...MARKS, team: "billing", tier: "2", hers: "x" });
	});

	test("that look like a mark or a hold are never set or removed by a policy", () => {
		const tags = { "ECS-access.dev/Owner": "AccessPolicy/other", "ecs-access.dev/hold-until": "2027-01-01T00:00:00Z" };
		expect(plan(wanted({ tags }), live).steps).toEqual([]);
		expect(applyReady(plan(wanted({ tags }), null), null)?.tags).toEqual(MARKS);
		expect(plan(wanted(), live, last(wanted({ tags: MARKS }))).steps).toEqual([]);
	});

	test("are compared without regard to the case of the key", () => {
		expect(plan(wanted({ tags: { team: "orders" } }), roleState({ ...live, tags: { ...MARKS, TEAM: "orders" } })).steps).toEqual(
			[],
		);
	});
});
