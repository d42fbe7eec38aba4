import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { applyCall } from "../../../controller/model/apply-call.ts";
import type { RoleWanted } from "../../../controller/model/desired.ts";
import type { Plan } from "../../../controller/model/plan.ts";
import type { RoleState } from "../../../controller/model/target.ts";
import { targetId } from "../../../controller/model/target.ts";
import { appliedRole } from "../../../controller/plan/applied.ts";
import type { PlanInput } from "../../../controller/plan/input.ts";
import { planInstance } from "../../../controller/plan/instance.ts";
import { rechain } from "../../../controller/plan/rechain.ts";
import { accessSide } from "../../../controller/plan/role-access.ts";
import type { Witness } from "../../../controller/policy/access.ts";
import { statementSet } from "../../../controller/policy/canonical.ts";
import type { PolicyDocument, Statement } from "../../../controller/policy/document.ts";
import { evaluate } from "../../../controller/policy/evaluate.ts";
import { account, allow, applyReady, deny, doc, input, MANAGED, MARKS, ROLE, roleState, trust, wanted, wants } from "./world.ts";

const BUCKET = "arn:aws:s3:::catalogue/*";
const POOL: readonly Statement[] = [
	allow("s3:GetObject", BUCKET),
	allow("s3:*", BUCKET),
	allow(["s3:GetObject", "s3:PutObject"]),
	allow("sqs:ReceiveMessage"),
	allow("*"),
	deny("s3:PutObject", BUCKET),
	deny("sqs:*"),
	{ Effect: "Deny", NotAction: "s3:*", Resource: "*" },
];
const OTHER_TRUST: PolicyDocument = doc({
	Effect: "Allow",
	Principal: { AWS: "arn:aws:iam::123456789012:root" },
	Action: "sts:AssumeRole",
});
const ARNS = Object.keys(MANAGED).filter((a) => !a.endsWith("boundary"));
const BOUNDARIES = [null, "arn:aws:iam::123456789012:policy/boundary", "arn:aws:iam::123456789012:policy/quarantine"];
/** One of them has a document that nobody can read. */
const ATTACHABLE = [...ARNS, "arn:aws:iam::123456789012:policy/secret"];

const REQUESTS: readonly Witness[] = [
	"s3:GetObject",
	"s3:PutObject",
	"s3:DeleteObject",
	"sqs:ReceiveMessage",
	"sqs:SendMessage",
	"iam:CreateUser",
	"logs:PutLogEvents",
].flatMap((action) =>
	["arn:aws:s3:::catalogue/x", "arn:aws:s3:::other/y"].map((resource) => ({ action, resource, context: {} })),
);

const document = fc.uniqueArray(fc.constantFrom(...POOL), { minLength: 1, maxLength: 3 }).map((s) => doc(...s));
const attachments = fc.uniqueArray(fc.constantFrom(...ATTACHABLE), { maxLength: 3 }).map((a) => a.sort());

const wantedRole: fc.Arbitrary<RoleWanted> = fc
	.record({
		statements: fc.uniqueArray(fc.constantFrom(...POOL), { maxLength: 3 }),
		managed: attachments,
		permissionsBoundary: fc.constantFrom(...BOUNDARIES, "none" as const),
		trust: fc.constantFrom(trust, null),
		exclusive: fc.constantFrom(true, false, null),
		tags: fc.constantFrom({}, { team: "orders" }),
	})
	.map(({ statements, managed, ...rest }) =>
		wanted({
			...rest,
			statements: statements.map((s) => wants(s)),
			managedPolicies: managed.map((arn) => ({ arn, origin: wants(POOL[0] as Statement).origin })),
		}),
	);

const liveRole: fc.Arbitrary<RoleState> = fc
	.record({
		inline: fc.dictionary(fc.constantFrom("ecs-access", "quick-fix", "a", "zz"), document, { maxKeys: 3 }),
		managedPolicies: attachments,
		permissionsBoundary: fc.constantFrom(...BOUNDARIES),
		trust: fc.constantFrom(trust, OTHER_TRUST),
		tags: fc.constantFrom(MARKS, { ...MARKS, "ecs-access.dev/adopted": "true" }, { ...MARKS, team: "x" }),
	})
	.map((over) => roleState({ ...over, inline: { ...over.inline } }));

interface Scene {
	readonly w: RoleWanted;
	readonly live: RoleState | null;
	readonly over: Partial<PlanInput>;
	/** What was applied before; null: nothing is remembered. */
	readonly before: RoleWanted | null;
}

const scene: fc.Arbitrary<Scene> = fc
	.record({
		w: wantedRole,
		live: fc.option(liveRole, { freq: 10 }),
		before: fc.option(wantedRole),
		same: fc.boolean(),
		person: fc.boolean(),
	})
	.map(({ w, live, before, same, person }) => {
		const last = same && before !== null ? w : before;
		// A role cannot be made of a trust that nobody says.
		const asked = live === null && w.trust === null ? { ...w, trust } : w;
		const entry = { target: ROLE, applied: last === null ? null : appliedRole(last), appliedAt: null };
		return { w: asked, live, before: last, over: { last: new Map([[targetId(ROLE), entry]]), person } };
	});

const RUNS = { numRuns: 150 };

function planOf({ w, over }: Scene, live: RoleState | null): Plan {
	return planInstance(input(w, live, over));
}

function readySteps(p: Plan): readonly unknown[] {
	return p.steps.filter((s) => s.state === "ready").map((s) => s.call);
}

/** Everything that waits for a person's word gets it. */
function approved(s: Scene, live: RoleState | null): Plan {
	const p = planOf(s, live);
	return rechain(p, input(s.w, live, s.over), { release: new Set(p.steps.map((x) => x.id)) });
}

/** Names and splits of documents are cosmetic; all else is not. */
function meaning(s: RoleState | null): unknown {
	if (s === null) return null;
	return { ...s, inline: [...statementSet(Object.values(s.inline)).keys()].sort() };
}

function statesOf(p: Plan, live: RoleState | null): readonly (RoleState | null)[] {
	const states = [live];
	for (const step of p.steps) if (step.state === "ready") states.push(applyCall(states.at(-1) ?? null, step.call));
	return states;
}

describe("for every role and everything that git may say of it", () => {
	test("a plan that was carried out leaves nothing that is ready", () => {
		fc.assert(
			fc.property(scene, (s) => {
				const after = applyReady(planOf(s, s.live), s.live);
				expect(readySteps(planOf(s, after))).toEqual([]);
			}),
			RUNS,
		);
	});

	test("a plan that was approved and carried out leaves nothing at all", () => {
		fc.assert(
			fc.property(scene, (s) => {
				const after = applyReady(approved(s, s.live), s.live);
				expect(planOf(s, after).steps.map((x) => x.call)).toEqual([]);
			}),
			RUNS,
		);
	});

	test("carrying it out twice is carrying it out once", () => {
		fc.assert(
			fc.property(scene, (s) => {
				const once = applyReady(planOf(s, s.live), s.live);
				expect(applyReady(planOf(s, once), once)).toEqual(once);
			}),
			RUNS,
		);
	});

	test("stopped after any step and planned again, it comes to the same end", () => {
		fc.assert(
			fc.property(scene, fc.nat(8), (s, stop) => {
				const whole = applyReady(approved(s, s.live), s.live);
				let n = 0;
				const part = applyReady(approved(s, s.live), s.live, () => n++ === stop);
				expect(meaning(applyReady(approved(s, part), part))).toEqual(meaning(whole));
			}),
			RUNS,
		);
	});

	test("at no step in between is there less access than both ends allow, nor more than either does", () => {
		fc.assert(
			fc.property(scene, fc.boolean(), (s, yes) => {
				const p = yes ? approved(s, s.live) : planOf(s, s.live);
				const context = input(s.w, s.live, s.over);
				// One boundary for another that both opens and closes has no right moment: it goes first, as every boundary does.
				const swapped = p.steps.some((x) => x.call.api === "iam:PutRolePermissionsBoundary" && x.before !== null);
				const decisions = statesOf(p, s.live).map((state) => {
					const side = accessSide(state, context);
					return REQUESTS.map((r) => evaluate(side, r));
				});
				const [first, last] = [decisions[0], decisions.at(-1)];
				for (const [n, request] of REQUESTS.entries()) {
					const ends = [first?.[n], last?.[n]];
					for (const [k, between] of decisions.entries()) {
						const at = { request, after: p.steps.slice(0, k).map((x) => x.call), decision: between[n] };
						if (ends.every((d) => d === "allowed")) expect(at).toMatchObject({ decision: "allowed" });
						if (!swapped && ends.every((d) => d === "explicitDeny" || d === "implicitDeny"))
							expect(at).not.toMatchObject({ decision: "allowed" });
					}
				}
			}),
			RUNS,
		);
	});

	test("no Deny goes that git did not say before, without a person's word", () => {
		fc.assert(
			fc.property(scene, (s) => {
				if (s.live === null) return;
				const said = statementSet([...(s.before?.statements ?? []), ...s.w.statements].map((x) => doc(x.statement)));
				const attached = new Set([...(s.before?.managedPolicies ?? []), ...s.w.managedPolicies].map((m) => m.arn));
				const after = applyReady(planOf(s, s.live), s.live);
				const left = statementSet(Object.values(after?.inline ?? {}));
				for (const [key, statement] of statementSet(Object.values(s.live.inline))) {
					if (statement.Effect === "Deny" && !said.has(key)) expect([...left.keys()]).toContain(key);
				}
				for (const arn of s.live.managedPolicies) {
					const opaque = !(arn in MANAGED) || arn.endsWith("lockdown");
					if (opaque && !attached.has(arn)) expect(after?.managedPolicies).toContain(arn);
				}
				const boundary = s.live.permissionsBoundary;
				const theirs = boundary !== null && s.before?.permissionsBoundary !== boundary;
				const byWord = s.over.person === true && s.w.permissionsBoundary === "none";
				if (theirs && !byWord) expect(after?.permissionsBoundary).toBe(boundary);
			}),
			RUNS,
		);
	});

	test("a role that is not ours is never touched", () => {
		const tags = fc.constantFrom(
			{},
			{ team: "x" },
			{ ...MARKS, "ecs-access.dev/installation": "staging" },
			{ ...MARKS, "ecs-access.dev/source": "elsewhere" },
			{ ...MARKS, "ecs-access.dev/owner": "AccessPolicy/other" },
		);
		fc.assert(
			fc.property(scene, liveRole, tags, (s, live, theirs) => {
				const p = planOf(s, { ...live, tags: theirs });
				expect(readySteps(p)).toEqual([]);
				expect(p.steps.every((x) => x.call.api === "none" && x.state !== "ready" && x.state.waiting === "not-owned")).toBe(true);
			}),
			RUNS,
		);
	});

	test("a held role is left alone, and so is a suspended one", () => {
		fc.assert(
			fc.property(scene, (s) => {
				const held =
					s.live === null ? null : { ...s.live, tags: { ...s.live.tags, "ecs-access.dev/hold-until": "2026-11-25T00:00:00Z" } };
				if (held !== null) expect(readySteps(planOf(s, held))).toEqual([]);
				expect(readySteps(planInstance(input({ ...s.w, suspended: true }, s.live, s.over)))).toEqual([]);
			}),
			RUNS,
		);
	});

	test("the same input gives the same plan, and is left as it was", () => {
		fc.assert(
			fc.property(scene, (s) => {
				const asked = input(deepFreeze(s.w), deepFreeze(s.live), { ...s.over, account: deepFreeze(account) });
				expect(planInstance(asked)).toEqual(planInstance(asked));
			}),
			{ numRuns: 100 },
		);
	});
});

function deepFreeze<T>(value: T): T {
	if (value !== null && typeof value === "object") {
		for (const v of Object.values(value)) deepFreeze(v);
		Object.freeze(value);
	}
	return value;
}
