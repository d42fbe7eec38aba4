import { describe, expect, test } from "vitest";
import {
	ACCOUNT_ID,
	allow,
	applyReady,
	deny,
	doc,
	factsOf,
	MANAGED,
	MARKS,
	NOW,
	observe,
	origin,
	plan,
	ROLE,
	roleState,
	shown,
	wanted,
	wants,
} from "./world.ts";

const GET = allow("s3:GetObject", "arn:aws:s3:::catalogue/*");
const PUT = allow("s3:PutObject", "arn:aws:s3:::invoices/*");
const asGitSays = roleState({ inline: { "ecs-access": doc(GET) } });

describe("a role that does not exist", () => {
	test("is made with its marks, path, trust and boundary, and gets its access after that", () => {
		const p = plan(wanted({ permissionsBoundary: "arn:aws:iam::123456789012:policy/boundary", tags: { team: "orders" } }), null);
		expect(shown(p)).toEqual(["CreateRole missing none", "PutRolePolicy ecs-access missing broadens"]);
		expect(p.summary).toBe("create");
		expect(p.steps[0]?.precondition).toBeNull();
		expect(p.steps[0]?.call).toMatchObject({
			input: {
				Path: "/ecs-access/",
				PermissionsBoundary: "arn:aws:iam::123456789012:policy/boundary",
				Tags: { ...MARKS, team: "orders" },
			},
		});
		expect(p.steps[1]?.after_).toEqual([p.steps[0]?.id]);
	});

	test("cannot be made where git does not say whom it trusts", () => {
		const p = plan(wanted({ trust: null }), null);
		expect(p.steps).toEqual([]);
		expect(p.findings.map((f) => [f.id, f.severity])).toEqual([["TrustUnknown", "error"]]);
	});
});

describe("a managed policy that does not exist", () => {
	const arn = "arn:aws:iam::123456789012:policy/gone";
	const facts = factsOf(MANAGED, [[{ type: "iam.managedPolicy", account: ACCOUNT_ID, arn }, { type: "absent" }]]);

	test("makes its attachment wait, and nothing else", () => {
		const w = wanted({ statements: [wants(GET), wants(PUT)], managedPolicies: [{ arn, origin: origin(9) }] });
		const p = plan(w, asGitSays, { facts });
		expect(shown(p).toSorted()).toEqual([
			"AttachRolePolicy gone spec-changed unknown (waits: reference)",
			"PutRolePolicy ecs-access spec-changed broadens",
		]);
	});

	test("makes a role that is to have it as boundary wait as a whole: it is never made without", () => {
		const p = plan(wanted({ permissionsBoundary: arn }), null, { facts });
		expect(p.steps.every((s) => s.state !== "ready" && s.state.waiting === "reference")).toBe(true);
		expect(p.steps.map((s) => s.call.api)).toEqual(["iam:CreateRole", "iam:PutRolePolicy"]);
	});
});

describe("a role that is as git says", () => {
	test("needs nothing", () => {
		const p = plan(wanted(), asGitSays);
		expect(p).toMatchObject({ steps: [], findings: [], summary: "unchanged", unchanged: 1, approvalId: null });
	});

	test("needs nothing where only names, splits, order, case and Sids differ", () => {
		const live = roleState({ inline: { a: doc({ ...GET, Sid: "Read", Action: ["S3:getobject"] }), b: doc(PUT) } });
		expect(plan(wanted({ statements: [wants(PUT), wants(GET)] }), live).steps).toEqual([]);
	});

	test("needs nothing for what the policy ignores, nor for what is always ignored", () => {
		const live = roleState({
			inline: { "ecs-access": doc(GET), AWSRevokeOlderSessions: doc(deny("*")), "debug-1": doc(PUT) },
			managedPolicies: ["arn:aws:iam::aws:policy/AWSCompromisedKeyQuarantineV3"],
		});
		expect(plan(wanted({ ignore: { inlinePolicies: ["debug-?"], managedPolicies: [] } }), live).steps).toEqual([]);
	});

	test("needs nothing for tags that git does not declare", () => {
		expect(plan(wanted(), roleState({ inline: { "ecs-access": doc(GET) }, tags: { ...MARKS, owner: "kim" } })).steps).toEqual([]);
	});
});

describe("inline documents", () => {
	test("that are surplus are deleted whole, by name, as drift, and nothing else is written", () => {
		const live = roleState({ inline: { "ecs-access": doc(GET), "quick-fix": doc(allow("*")) } });
		const p = plan(wanted(), live);
		expect(shown(p)).toEqual(["DeleteRolePolicy quick-fix drifted narrows"]);
		expect(p.summary).toBe("heal");
		expect(p.steps[0]?.diff).toEqual([{ op: "-", what: "inline policy", name: "quick-fix", from: null, to: null, origin: null }]);
		expect(p.steps[0]?.losses[0]?.witness).not.toBeNull();
	});

	test("that hold a needed statement beside a surplus one are replaced by ecs-access, and deleted after it is in force", () => {
		const live = roleState({ inline: { mine: doc(GET, PUT) } });
		const p = plan(wanted(), live);
		expect(shown(p)).toEqual(["PutRolePolicy ecs-access spec-changed none", "DeleteRolePolicy mine drifted narrows"]);
		expect(p.steps[1]).toMatchObject({ after_: [p.steps[0]?.id], settle: 60 });
		expect(applyReady(p, live)?.inline).toEqual({ "ecs-access": doc(GET) });
	});

	test("gain and lose in one write", () => {
		const p = plan(wanted({ statements: [wants(PUT, 14)] }), asGitSays);
		expect(shown(p)).toEqual(["PutRolePolicy ecs-access spec-changed both"]);
		expect(p.steps[0]?.diff[0]?.origin?.line).toBe(14);
	});

	test("that hold a Deny which somebody added wait for an approval, their Allows included", () => {
		const live = roleState({ inline: { "ecs-access": doc(GET), incident: doc(deny("s3:GetObject"), PUT) } });
		const p = plan(wanted(), live);
		expect(shown(p)).toEqual(["DeleteRolePolicy incident drifted both (waits: approval)"]);
		expect(applyReady(p, live)).toEqual(live);
		expect(p.approvalId).toMatch(/^sha256:[0-9a-f]{64}$/);
		expect(p.steps[0]?.state).toMatchObject({ command: `ecs-access approve ${p.approvalId?.slice(7, 15)} --reason "…"` });
	});
});

describe("ownership", () => {
	test("a role without our mark is reported and not touched", () => {
		const p = plan(wanted(), roleState({ tags: { team: "x" } }));
		expect(shown(p)).toEqual(["none spec-changed none (waits: not-owned)"]);
		expect(p.steps[0]?.state).toMatchObject({ detail: expect.stringContaining("policies/orders-api.yaml:5") });
		expect(p.summary).toBe("wait");
	});

	test("adopt: true takes it over by its marks alone, and weakens nothing", () => {
		const live = roleState({ tags: {}, inline: { "ecs-access": doc(GET), other: doc(PUT) } });
		const p = plan(wanted({ adopt: true, trust: null }), live);
		expect(shown(p)).toEqual(["TagRole adopted none"]);
		expect(p.findings.map((f) => f.id)).toEqual(["SurplusAccess"]);
		expect(p.findings[0]?.message).toContain("s3:PutObject on arn:aws:s3:::invoices/*");
		expect(p.findings[0]?.fix).toContain("write there into spec: management: { exclusive: true }");
		expect(applyReady(p, live)?.tags).toEqual({ ...MARKS, "ecs-access.dev/adopted": "true" });
	});

	test.each([
		["installation", { ...MARKS, "ecs-access.dev/installation": "staging" }, "installation staging"],
		["source", { ...MARKS, "ecs-access.dev/source": "github.com/other/repo//p" }, "source github.com/other/repo//p"],
		["owner", { ...MARKS, "ecs-access.dev/owner": "AccessPolicy/billing" }, "AccessPolicy/billing"],
	])("another %s's mark is a conflict that names it, also with adopt: true", (_what, tags, named) => {
		const p = plan(wanted({ adopt: true }), roleState({ tags }));
		expect(shown(p)).toEqual(["none spec-changed none (waits: not-owned)"]);
		expect(p.steps[0]?.state).toMatchObject({ detail: expect.stringContaining(named) });
	});

	test("the mark of a source that this repository may have been comes with the line that takes it along", () => {
		const old = { ...MARKS, "ecs-access.dev/source": "directory" };
		const p = plan(wanted(), roleState({ tags: old }), { previousSources: ["github.com/acme/old//policies"] });
		expect(p.steps[0]?.state).toMatchObject({
			detail: expect.stringMatching(/^orders-api-task belongs to source directory /),
			command: 'previousSources: ["github.com/acme/old//policies","directory"]',
		});
	});

	test("a rename moves the mark and touches nothing else", () => {
		const tags = { ...MARKS, "ecs-access.dev/owner": "AccessPolicy/old-orders" };
		const live = roleState({ tags, inline: { "ecs-access": doc(GET) } });
		const p = plan(wanted({ renamedFrom: "AccessPolicy/old-orders" }), live);
		expect(shown(p)).toEqual(["TagRole renamed none"]);
		expect(p.summary).toBe("rename");
		expect(plan(wanted({ renamedFrom: "AccessPolicy/old-orders" }), applyReady(p, live)).steps).toEqual([]);
	});

	test("marks of a previous source are ours and are re-marked", () => {
		const live = roleState({
			tags: { ...MARKS, "ecs-access.dev/source": "github.com/acme/old//policies" },
			inline: { "ecs-access": doc(GET) },
		});
		const p = plan(wanted(), live, { previousSources: ["github.com/acme/old//policies"] });
		expect(shown(p)).toEqual(["TagRole renamed none"]);
	});

	test("a retired role that is back in git is retired no more", () => {
		const live = roleState({ tags: { ...MARKS, "ecs-access.dev/retired-at": NOW }, inline: { "ecs-access": doc(GET) } });
		const p = plan(wanted(), live);
		expect(shown(p)).toEqual(["UntagRole spec-changed none"]);
		expect(applyReady(p, live)?.tags).toEqual(MARKS);
	});

	test("another live path is an error, never a re-creation", () => {
		const p = plan(wanted({ path: "/team/" }), asGitSays);
		expect(p.steps).toEqual([]);
		expect(p.findings.map((f) => [f.id, f.severity])).toEqual([["PathDiffers", "error"]]);
	});

	test("a role that was not read is not planned for", () => {
		const p = plan(wanted(), null, { observed: observe() });
		expect(p.steps).toEqual([]);
		expect(p.findings.map((f) => [f.id, f.severity, f.subject])).toEqual([["NotRead", "error", `role ${ROLE.name}`]]);
	});
});
