import { describe, expect, test } from "vitest";
import { wantedOf } from "../../../controller/plan/applied.ts";
import { planForget } from "../../../controller/plan/forget.ts";
import { ownRoles } from "../../../controller/plan/own-role.ts";
import { planRemoval } from "../../../controller/plan/removal.ts";
import {
	ACCOUNT_ID,
	account,
	allow,
	deny,
	doc,
	factsOf,
	input,
	MANAGED,
	MARKS,
	observe,
	plan,
	role,
	roleState,
	shown,
	trust,
	wanted,
	wants,
} from "./world.ts";

const GET = allow("s3:GetObject", "arn:aws:s3:::catalogue/*");
const theirs = doc({ Effect: "Allow", Principal: { Service: "ec2.amazonaws.com" }, Action: "sts:AssumeRole" });
const adopted = { ...MARKS, "ecs-access.dev/adopted": "true" };

describe("the trust of a role that was taken over", () => {
	const state = roleState({ trust: theirs, inline: { "ecs-access": doc(GET) }, tags: adopted });

	test("stays as it is when git says nothing of it, also without the line adopt: true", () => {
		const p = plan(wanted({ trustIsDefault: true }), state);
		expect(shown(p)).toEqual([]);
	});

	test("is tightened when git says so", () => {
		expect(shown(plan(wanted(), state))).toEqual([expect.stringMatching(/^UpdateAssumeRolePolicy spec-changed/)]);
	});

	test("is not remembered as applied while git says nothing of it", () => {
		expect(wantedOf(wanted({ trustIsDefault: true }), true).trust).toBeNull();
		expect(wantedOf(wanted({ trustIsDefault: true }), false).trust).toBe(trust);
	});

	test("of a role that we made is compared all the same", () => {
		const made = roleState({ trust: theirs, inline: { "ecs-access": doc(GET) } });
		expect(shown(plan(wanted({ trustIsDefault: true }), made))).toEqual([
			expect.stringMatching(/^UpdateAssumeRolePolicy spec-changed/),
		]);
	});
});

describe("what incident responders put on a role", () => {
	const quarantine = "arn:aws:iam::123456789012:policy/AWSCompromisedKeyQuarantineV9";

	test("is left where it only denies", () => {
		const state = roleState({
			inline: { "ecs-access": doc(GET), AWSRevokeOlderSessions: doc(deny("*")) },
			managedPolicies: [quarantine],
		});
		expect(shown(plan(wanted(), state, { facts: factsOf({ ...MANAGED, [quarantine]: doc(deny("iam:*")) }) }))).toEqual([]);
	});

	test("is no disguise for access", () => {
		const state = roleState({
			inline: { "ecs-access": doc(GET), AWSRevokeOlderSessions: doc(allow("*")) },
			managedPolicies: [quarantine],
		});
		const p = plan(wanted(), state, { facts: factsOf({ ...MANAGED, [quarantine]: doc(allow("iam:*")) }) });
		expect([...shown(p)].sort()).toEqual([
			"DeleteRolePolicy AWSRevokeOlderSessions drifted narrows",
			expect.stringMatching(/^DetachRolePolicy AWSCompromisedKeyQuarantineV9 drifted/),
		]);
	});

	test("under AWS's name and another account's is not believed unread", () => {
		const state = roleState({ inline: { "ecs-access": doc(GET) }, managedPolicies: [quarantine] });
		expect(shown(plan(wanted(), state))).toEqual([
			"DetachRolePolicy AWSCompromisedKeyQuarantineV9 drifted unknown (waits: approval)",
		]);
	});
});

describe("a role of which a part cannot be read", () => {
	const odd = {
		...role(roleState({ tags: { ...MARKS, "ecs-access.dev/deletion": "orphan" } })),
		unreadable: 'the inline policy "odd"',
	};
	const finding = { id: "NotRead", severity: "error", subject: "role orders-api-task" };

	test("is left as it is, and said to be", () => {
		const p = plan(wanted({ statements: [wants(allow("s3:*"))] }), null, { observed: observe(odd) });
		expect(p.steps).toEqual([]);
		expect(p.findings).toMatchObject([finding]);
	});

	test("is neither removed nor forgotten", () => {
		const context = input(wanted(), null);
		const removal = planRemoval({ ...context, role: odd, named: false, inUse: null });
		expect(removal?.steps).toEqual([]);
		expect(removal?.findings).toMatchObject([finding]);
		const forgotten = planForget("AccessPolicy/orders-api", [odd], context);
		expect(forgotten.steps).toEqual([]);
		expect(forgotten.findings).toMatchObject([finding]);
	});
});

test("two states under one boundary that cannot be read differ by what is written alone", () => {
	const boundary = "arn:aws:iam::123456789012:policy/secret";
	const state = roleState({ inline: { "ecs-access": doc(GET), rogue: doc(allow("sqs:*")) }, permissionsBoundary: boundary });
	expect(shown(plan(wanted(), state))).toEqual(["DeleteRolePolicy rogue drifted narrows"]);
});

describe("the role that this program acts as", () => {
	const caller = {
		accountId: ACCOUNT_ID,
		arn: `arn:aws:sts::${ACCOUNT_ID}:assumed-role/Orders-API-task/kim`,
		partition: "aws",
		alias: null,
	};
	const refusal = { id: "ReservedRole", severity: "error", subject: "role orders-api-task" };

	test("is never written, by whatever name it is assumed", () => {
		const spoke = { roleArn: `arn:aws:iam::${ACCOUNT_ID}:role/ecs-access/orders-api-task` };
		for (const own of [ownRoles(account, caller), ownRoles({ ...account, assumeRole: spoke }, null)]) {
			for (const state of [null, roleState({ inline: { rogue: doc(allow("*")) } })]) {
				const p = plan(wanted({ adopt: true }), state, { ownRoles: own });
				expect(p.steps).toEqual([]);
				expect(p.findings).toMatchObject([refusal]);
			}
		}
		expect(plan(wanted(), null, { ownRoles: ownRoles(account, null) }).steps).toHaveLength(2);
	});

	test("is not removed either", () => {
		const removal = planRemoval({
			...input(wanted(), null, { ownRoles: ownRoles(account, caller) }),
			role: role(roleState()),
			named: false,
			inUse: null,
		});
		expect(removal?.steps).toEqual([]);
		expect(removal?.findings).toMatchObject([refusal]);
	});
});
