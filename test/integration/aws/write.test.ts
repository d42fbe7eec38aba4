import { describe, expect, test } from "vitest";
import { applyCall } from "../../../controller/model/apply-call.ts";
import { ConflictError, TerminalError, WaitingError } from "../../../controller/model/errors.ts";
import type { StepCall } from "../../../controller/model/plan.ts";
import type { Existing, RoleState } from "../../../controller/model/target.ts";
import { accountOf } from "../../account.ts";
import { allow, aRole, aStep, OUR_MARKS, roleTarget, TRUST } from "../../conformance/provider.ts";
import { useSandbox } from "../../sandbox/use.ts";
import { accessTo } from "./access.ts";

const sandbox = useSandbox();
const signal = AbortSignal.timeout(55_000);
const READ_ONLY = "arn:aws:iam::aws:policy/ReadOnlyAccess";

async function accountWith(roles: Readonly<Record<string, RoleState>>): Promise<string> {
	const account = sandbox.newAccount();
	await sandbox.seed(account, {
		roles: Object.entries(roles).map(([name, s]) => ({
			name,
			path: s.path,
			trust: s.trust,
			inline: s.inline,
			attached: s.managedPolicies,
			tags: s.tags,
		})),
	});
	return account;
}

async function stateOf(account: string, name: string): Promise<RoleState | undefined> {
	const [o] = await accessTo(sandbox, accountOf(account))
		.provider("iam.role")
		.observe([roleTarget(account, name)], signal);
	return o?.exists === true ? (o as Existing<"iam.role">).state : undefined;
}

const put = (RoleName: string, action = "s3:PutObject"): StepCall => ({
	api: "iam:PutRolePolicy",
	input: { RoleName, PolicyName: "ecs-access", PolicyDocument: allow(action) },
});
const create = (RoleName: string): Extract<StepCall, { api: "iam:CreateRole" }> => ({
	api: "iam:CreateRole",
	input: { RoleName, Path: "/ecs-access/", AssumeRolePolicyDocument: TRUST, Tags: OUR_MARKS },
});

/** Every write, on a state it changes. */
const WRITES: readonly (readonly [before: RoleState | null, call: StepCall])[] = [
	[null, create("r")],
	[
		aRole({
			trust: {
				...TRUST,
				Statement: [...TRUST.Statement, ...TRUST.Statement.map((s) => ({ ...s, Principal: { Service: "ec2.amazonaws.com" } }))],
			},
		}),
		{ api: "iam:UpdateAssumeRolePolicy", input: { RoleName: "r", PolicyDocument: TRUST } },
	],
	[aRole(), put("r")],
	[aRole(), { api: "iam:DeleteRolePolicy", input: { RoleName: "r", PolicyName: "ecs-access" } }],
	[aRole(), { api: "iam:AttachRolePolicy", input: { RoleName: "r", PolicyArn: READ_ONLY } }],
	[aRole({ managedPolicies: [READ_ONLY] }), { api: "iam:DetachRolePolicy", input: { RoleName: "r", PolicyArn: READ_ONLY } }],
	[aRole(), { api: "iam:PutRolePermissionsBoundary", input: { RoleName: "r", PermissionsBoundary: READ_ONLY } }],
	[aRole(), { api: "iam:UntagRole", input: { RoleName: "r", TagKeys: Object.keys(OUR_MARKS) } }],
	[aRole(), { api: "iam:TagRole", input: { RoleName: "r", Tags: { team: "orders" } } }],
	[aRole({ inline: {} }), { api: "iam:DeleteRole", input: { RoleName: "r" } }],
];

describe("an answer that is lost after the write", () => {
	test.each(WRITES.map(([before, call]) => ({ api: call.api, before, call })))("$api is found done", async ({ before, call }) => {
		const account = await accountWith(before === null ? {} : { r: before });
		// Both attempts of the SDK lose their answer: nothing but the role itself can tell.
		await sandbox.fault(account, { kind: "lostAnswer", operation: call.api, times: 2 });
		const outcome = await accessTo(sandbox, accountOf(account))
			.provider("iam.role")
			.apply(aStep(account, "r", call, before), signal);
		expect(["applied", "already"]).toContain(outcome.result);
		expect(await stateOf(account, "r")).toEqual(applyCall(before, call) ?? undefined);
	});

	test("is no excuse for taking a role that somebody else made in between", async () => {
		const account = await accountWith({});
		const provider = accessTo(sandbox, accountOf(account)).provider("iam.role");
		const hold = await sandbox.hold(account, { operation: "iam:CreateRole" });
		const applying = provider.apply(aStep(account, "r", create("r"), null), signal);
		applying.catch(() => {});
		await hold.reached(signal);
		const theirs = aRole({ tags: {}, inline: { theirs: allow("*") } });
		await sandbox.seed(account, { roles: [{ name: "r", path: theirs.path, trust: theirs.trust, inline: theirs.inline }] });
		await hold.release();
		await expect(applying).rejects.toBeInstanceOf(ConflictError);
		expect(await stateOf(account, "r")).toEqual(theirs);
	});
});

describe("a write that does not reach AWS", () => {
	test("is an error, never an outcome, and the role is as it was", async () => {
		const account = await accountWith({ r: aRole() });
		await sandbox.fault(account, { kind: "reset", operation: "iam:PutRolePolicy" });
		const error = await accessTo(sandbox, accountOf(account))
			.provider("iam.role")
			.apply(aStep(account, "r", put("r"), aRole()), signal)
			.catch((e: unknown) => e);
		expect(error).toMatchObject({ name: "AwsError", operation: "iam:PutRolePolicy" });
		expect(await stateOf(account, "r")).toEqual(aRole());
	});

	test("ends when AWS never answers", async () => {
		const account = await accountWith({ r: aRole() });
		await sandbox.fault(account, { kind: "hang", operation: "iam:PutRolePolicy" });
		const apply = accessTo(sandbox, accountOf(account), { requestTimeout: 500 })
			.provider("iam.role")
			.apply(aStep(account, "r", put("r"), aRole()), signal);
		await expect(apply).rejects.toMatchObject({ name: "AwsError", code: "Timeout" });
		await sandbox.clearFaults(account);
		expect(await stateOf(account, "r")).toEqual(aRole());
	});

	test("is tried again while AWS throttles, at a lower pace", async () => {
		const account = await accountWith({ r: aRole() });
		await sandbox.fault(account, { kind: "throttle", operation: "iam:PutRolePolicy", times: 5 });
		const outcome = await accessTo(sandbox, accountOf(account))
			.provider("iam.role")
			.apply(aStep(account, "r", put("r"), aRole()), signal);
		expect(outcome.result).toBe("applied");
		expect((await sandbox.counts(account))["iam:PutRolePolicy"]).toBe(6);
	});

	test("waits when AWS throttles for good", async () => {
		const account = await accountWith({ r: aRole() });
		await sandbox.fault(account, { kind: "throttle", operation: "iam:PutRolePolicy" });
		const apply = accessTo(sandbox, accountOf(account))
			.provider("iam.role")
			.apply(aStep(account, "r", put("r"), aRole()), signal);
		await expect(apply).rejects.toMatchObject({ name: "WaitingError", reason: "Throttled" });
	});
});

describe("what AWS refuses", () => {
	const refusal = async (account: string, call: StepCall, before: RoleState | null): Promise<unknown> =>
		accessTo(sandbox, accountOf(account))
			.provider("iam.role")
			.apply(aStep(account, "r", call, before), signal)
			.catch((e: unknown) => e);

	test("names what was wanted, what AWS said, the caller and the permission that is missing", async () => {
		const account = await accountWith({ r: aRole() });
		await sandbox.fault(account, { kind: "denied", operation: "iam:PutRolePolicy" });
		const error = await refusal(account, put("r"), aRole());
		expect(error).toBeInstanceOf(TerminalError);
		expect(error).toMatchObject({
			reason: "AccessDenied",
			message: expect.stringMatching(
				new RegExp(
					`^could not write the policy "ecs-access" of role r in ${account}\nAWS: AccessDenied, not authorized to perform iam:PutRolePolicy because no identity-based policy allows the iam:PutRolePolicy action`,
				),
			),
			fix: `caller: arn:aws:sts::${account}:assumed-role/Admin/kim; what this command needs: iam:PutRolePolicy on role/ecs-access/*`,
		});
	});

	test("an expired token says to sign in again, and shows no credential", async () => {
		const account = await accountWith({ r: aRole() });
		await sandbox.fault(account, { kind: "expiredToken" });
		const error = await accessTo(sandbox, accountOf(account))
			.caller(signal)
			.catch((e: unknown) => e);
		expect(error).toMatchObject({ reason: "ExpiredToken", fix: expect.stringContaining("sign in again") });
		const { credentials } = sandbox.config(account);
		const { inspect } = await import("node:util");
		const everything = inspect(error, { depth: 20, showHidden: true });
		expect(everything).not.toContain(credentials.secretAccessKey);
		expect(everything).not.toContain(credentials.accessKeyId);
		expect(everything).not.toContain("Signature=");
	});

	test("an invalid principal waits, since it may only just have been made", async () => {
		const account = await accountWith({});
		const call = create("r");
		const ghost = {
			...call,
			input: {
				...call.input,
				AssumeRolePolicyDocument: {
					...TRUST,
					Statement: [
						{ Effect: "Allow" as const, Principal: { AWS: `arn:aws:iam::${account}:role/ghost` }, Action: "sts:AssumeRole" },
					],
				},
			},
		};
		const error = await refusal(account, ghost, null);
		expect(error).toBeInstanceOf(WaitingError);
		expect(error).toMatchObject({ reason: "InvalidPrincipal" });
	});

	test("a name that differs from another by its capitals alone is taken", async () => {
		const account = await accountWith({ Orders: aRole({ tags: {} }) });
		const provider = accessTo(sandbox, accountOf(account)).provider("iam.role");
		const error = await provider.apply(aStep(account, "orders", create("orders"), null), signal).catch((e: unknown) => e);
		expect(error).toBeInstanceOf(TerminalError);
		expect(error).toMatchObject({ reason: "NameTaken", message: expect.stringContaining("in other capitals exists") });
	});

	test("an attachment of a policy that does not exist is not a role that moved", async () => {
		const account = await accountWith({ r: aRole() });
		const PolicyArn = `arn:aws:iam::${account}:policy/none`;
		expect(await refusal(account, { api: "iam:AttachRolePolicy", input: { RoleName: "r", PolicyArn } }, aRole())).toMatchObject({
			reason: "NoSuchPolicy",
		});
	});

	test("a document over the quota is the commit's to solve", async () => {
		const account = await accountWith({ r: aRole() });
		const long: StepCall = {
			api: "iam:PutRolePolicy",
			input: {
				RoleName: "r",
				PolicyName: "ecs-access",
				PolicyDocument: {
					Version: "2012-10-17",
					Statement: [
						{
							Effect: "Allow",
							Action: "s3:GetObject",
							Resource: Array.from({ length: 400 }, (_, n) => `arn:aws:s3:::bucket-number-${n}/*`),
						},
					],
				},
			},
		};
		expect(await refusal(account, long, aRole())).toMatchObject({ name: "TerminalError", reason: "QuotaExceeded" });
		expect(await stateOf(account, "r")).toEqual(aRole());
	});
});

describe("a role that moved after it was planned", () => {
	test("is named with what moved", async () => {
		const account = await accountWith({ r: aRole() });
		const access = accessTo(sandbox, accountOf(account), { clock: aged() });
		await access.provider("iam.role").observe([roleTarget(account, "r")], signal);
		await sandbox.reset(account);
		await sandbox.seed(account, {
			roles: [
				{
					name: "r",
					path: "/ecs-access/",
					trust: TRUST,
					inline: { ...aRole().inline, "quick-fix": allow("*") },
					tags: OUR_MARKS,
				},
			],
		});
		const apply = access.provider("iam.role").apply(aStep(account, "r", put("r"), aRole()), signal);
		await expect(apply).rejects.toThrow(
			`role arn:aws:iam::${account}:role/ecs-access/r has changed since it was planned (inline policy "quick-fix" added): plan again`,
		);
	});

	test("a read under five seconds old counts, so that several writes to a role read it once", async () => {
		const account = await accountWith({});
		const provider = accessTo(sandbox, accountOf(account), { clock: stopped() }).provider("iam.role");
		let state: RoleState | null = null;
		for (const call of [
			create("r"),
			put("r"),
			{ api: "iam:AttachRolePolicy", input: { RoleName: "r", PolicyArn: READ_ONLY } } as const,
		]) {
			expect((await provider.apply(aStep(account, "r", call, state), signal)).result).toBe("applied");
			state = applyCall(state, call);
		}
		expect((await sandbox.counts(account))["iam:GetRole"]).toBe(1);
		expect(await stateOf(account, "r")).toEqual(state);
	});

	test("with a document that no parser takes is shown as unreadable, and is never written to", async () => {
		const account = sandbox.newAccount();
		await sandbox.seed(account, {
			roles: [
				{ name: "r", path: "/ecs-access/", trust: TRUST, inline: { odd: "{'Statement': 1}" }, tags: OUR_MARKS },
				{ name: "fine", path: "/ecs-access/", trust: TRUST, tags: OUR_MARKS },
			],
		});
		const provider = accessTo(sandbox, accountOf(account)).provider("iam.role");
		const observed = await provider.observe([roleTarget(account, "r"), roleTarget(account, "fine")], signal);
		expect(observed[0]).toMatchObject({ exists: true, unreadable: expect.stringContaining('the inline policy "odd" of role r') });
		expect(observed[1]).not.toHaveProperty("unreadable");
		await expect(provider.apply(aStep(account, "r", put("r"), aRole()), signal)).rejects.toMatchObject({
			reason: "UnreadableDocument",
		});
		expect((await sandbox.counts(account))["iam:PutRolePolicy"]).toBeUndefined();
	});
});

/** Six seconds pass between any two looks at it: no read is ever fresh. */
function aged() {
	let now = 0;
	return { now: () => "2026-11-24T09:12:00Z", millis: () => (now += 6_000), sleep: async () => {} };
}

/** No time passes. */
function stopped() {
	return { now: () => "2026-11-24T09:12:00Z", millis: () => 0, sleep: async () => {} };
}
