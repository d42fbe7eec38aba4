import { describe, expect, test } from "vitest";
import { applyCall } from "../../controller/model/apply-call.ts";
import { ConflictError, TerminalError } from "../../controller/model/errors.ts";
import { roleFingerprint } from "../../controller/model/fingerprint.ts";
import { MARK } from "../../controller/model/marks.ts";
import type { Step, StepCall, Why } from "../../controller/model/plan.ts";
import type { Provider } from "../../controller/model/ports.ts";
import type { RoleState, Target } from "../../controller/model/target.ts";
import type { PolicyDocument } from "../../controller/policy/document.ts";

/** One account behind a provider of roles. Whatever stands behind it, the same sentences hold. */
export interface RoleWorld {
	readonly account: string;
	/** Of a new pass each time: nothing is remembered from the one before. */
	readonly provider: () => Provider<"iam.role">;
	/** Puts a role there, by a hand that is not ours. */
	readonly put: (name: string, state: RoleState) => Promise<void>;
	/** Writes that were carried out so far. */
	readonly writes: () => Promise<number>;
}

export const INSTALLATION = "main";
const ARN = "arn:aws:iam::aws:policy/ReadOnlyAccess";
const signal = AbortSignal.timeout(120_000);

export const TRUST: PolicyDocument = {
	Version: "2012-10-17",
	Statement: [{ Effect: "Allow", Principal: { Service: "ecs-tasks.amazonaws.com" }, Action: "sts:AssumeRole" }],
};

export function allow(action: string): PolicyDocument {
	return { Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: action, Resource: "*" }] };
}

export const OUR_MARKS = {
	[MARK.installation]: INSTALLATION,
	[MARK.owner]: "AccessPolicy/orders",
	[MARK.source]: "directory",
	[MARK.deletion]: "orphan",
};

export function aRole(more: Partial<RoleState> = {}): RoleState {
	return {
		path: "/ecs-access/",
		trust: TRUST,
		inline: { "ecs-access": allow("s3:GetObject") },
		managedPolicies: [],
		permissionsBoundary: null,
		tags: OUR_MARKS,
		...more,
	};
}

export function roleTarget(account: string, name: string): Target<"iam.role"> {
	return { type: "iam.role", account, region: "global", name };
}

export function aStep(account: string, name: string, call: StepCall, before: RoleState | null, why: Why = "spec-changed"): Step {
	return {
		id: `${account}/global/iam.role/${name}#1`,
		target: roleTarget(account, name),
		call,
		why,
		effect: "none",
		gains: [],
		losses: [],
		diff: [],
		before: null,
		after: null,
		precondition: before === null ? null : roleFingerprint(before),
		after_: [],
		settle: 0,
		state: "ready",
	};
}

/** Every call there is, on a state in which it changes something. */
const CALLS: readonly {
	readonly api: StepCall["api"];
	readonly before: RoleState | null;
	readonly call: (name: string) => StepCall;
}[] = [
	{
		api: "iam:CreateRole",
		before: null,
		call: (RoleName) => ({
			api: "iam:CreateRole",
			input: { RoleName, Path: "/ecs-access/", AssumeRolePolicyDocument: TRUST, Tags: OUR_MARKS },
		}),
	},
	{
		api: "iam:UpdateAssumeRolePolicy",
		before: aRole({
			trust: {
				...TRUST,
				Statement: [{ Effect: "Allow", Principal: { Service: "ec2.amazonaws.com" }, Action: "sts:AssumeRole" }],
			},
		}),
		call: (RoleName) => ({ api: "iam:UpdateAssumeRolePolicy", input: { RoleName, PolicyDocument: TRUST } }),
	},
	{
		api: "iam:PutRolePolicy",
		before: aRole(),
		call: (RoleName) => ({
			api: "iam:PutRolePolicy",
			input: { RoleName, PolicyName: "ecs-access", PolicyDocument: allow("s3:PutObject") },
		}),
	},
	{
		api: "iam:DeleteRolePolicy",
		before: aRole({ inline: { "ecs-access": allow("s3:GetObject"), "quick-fix": allow("*") } }),
		call: (RoleName) => ({ api: "iam:DeleteRolePolicy", input: { RoleName, PolicyName: "quick-fix" } }),
	},
	{
		api: "iam:AttachRolePolicy",
		before: aRole(),
		call: (RoleName) => ({ api: "iam:AttachRolePolicy", input: { RoleName, PolicyArn: ARN } }),
	},
	{
		api: "iam:DetachRolePolicy",
		before: aRole({ managedPolicies: [ARN] }),
		call: (RoleName) => ({ api: "iam:DetachRolePolicy", input: { RoleName, PolicyArn: ARN } }),
	},
	{
		api: "iam:PutRolePermissionsBoundary",
		before: aRole(),
		call: (RoleName) => ({ api: "iam:PutRolePermissionsBoundary", input: { RoleName, PermissionsBoundary: ARN } }),
	},
	{
		api: "iam:DeleteRolePermissionsBoundary",
		before: aRole({ permissionsBoundary: ARN }),
		call: (RoleName) => ({ api: "iam:DeleteRolePermissionsBoundary", input: { RoleName } }),
	},
	{
		api: "iam:TagRole",
		before: aRole(),
		call: (RoleName) => ({ api: "iam:TagRole", input: { RoleName, Tags: { [MARK.retiredAt]: "2026-11-24T09:12:00Z" } } }),
	},
	{
		api: "iam:UntagRole",
		before: aRole(),
		call: (RoleName) => ({ api: "iam:UntagRole", input: { RoleName, TagKeys: Object.keys(OUR_MARKS) } }),
	},
	{
		api: "iam:DeleteRole",
		before: aRole({ inline: {} }),
		call: (RoleName) => ({ api: "iam:DeleteRole", input: { RoleName } }),
	},
];

export function roleProviderConforms(world: () => RoleWorld): void {
	const stateOf = async (name: string): Promise<RoleState | null> => {
		const [observed] = await world()
			.provider()
			.observe([roleTarget(world().account, name)], signal);
		return observed?.exists === true ? observed.state : null;
	};
	let serial = 0;
	const fresh = async (state: RoleState | null): Promise<string> => {
		const name = `role-${serial++}`;
		if (state !== null) await world().put(name, state);
		return name;
	};
	/** A state that differs from any in CALLS in what another hand would do. */
	const moved = (state: RoleState | null): RoleState =>
		state === null
			? aRole({ inline: { theirs: allow("iam:*") } })
			: { ...state, inline: { ...state.inline, theirs: allow("iam:*") } };

	describe("observing", () => {
		test("sees what was put there, and that what is not there is not", async () => {
			const state = aRole({ managedPolicies: [ARN], permissionsBoundary: ARN });
			const name = await fresh(state);
			const observed = await world()
				.provider()
				.observe([roleTarget(world().account, "nobody"), roleTarget(world().account, name)], signal);
			expect(observed.map((o) => o.exists)).toEqual([false, true]);
			expect(observed[1]).toMatchObject({
				state,
				fingerprint: roleFingerprint(state),
				owner: { installation: INSTALLATION, owner: "AccessPolicy/orders" },
				holdUntil: null,
			});
		});

		test("never writes", async () => {
			const name = await fresh(aRole());
			const before = await world().writes();
			const provider = world().provider();
			await provider.observe([roleTarget(world().account, name)], signal);
			for await (const _ of provider.listOwned(INSTALLATION, signal));
			expect(await world().writes()).toBe(before);
		});

		test("lists what bears our mark and nothing else", async () => {
			const ours = await fresh(aRole());
			const foreign = await fresh(aRole({ tags: { ...OUR_MARKS, [MARK.installation]: "other" } }));
			const unmarked = await fresh(aRole({ tags: {} }));
			const listed: string[] = [];
			for await (const o of world().provider().listOwned(INSTALLATION, signal)) listed.push(o.target.name);
			expect(listed).toContain(ours);
			expect(listed).not.toContain(foreign);
			expect(listed).not.toContain(unmarked);
		});
	});

	describe.each(CALLS)("$api", ({ before, call }) => {
		test("does what the projection says, and a second time nothing", async () => {
			const name = await fresh(before);
			const step = aStep(world().account, name, call(name), before);
			expect((await world().provider().apply(step, signal)).result).toBe("applied");
			expect(await stateOf(name)).toEqual(applyCall(before, call(name)));
			const writes = await world().writes();
			expect(await world().provider().apply(step, signal)).toEqual({ result: "already", requestId: null });
			expect(await world().writes()).toBe(writes);
		});

		test("is refused as a conflict when the world has moved, and changes nothing", async () => {
			const state = moved(before);
			const name = await fresh(state);
			const writes = await world().writes();
			await expect(
				world()
					.provider()
					.apply(aStep(world().account, name, call(name), before), signal),
			).rejects.toBeInstanceOf(ConflictError);
			expect(await world().writes()).toBe(writes);
			expect(await stateOf(name)).toEqual(state);
		});

		if (before === null) return;
		test("is refused on a role without our mark, and on one of another installation", async () => {
			for (const tags of [{}, { ...OUR_MARKS, [MARK.installation]: "other" }]) {
				const foreign: RoleState = { ...before, tags };
				const name = await fresh(foreign);
				const wanted = call(name);
				const writes = await world().writes();
				await expect(
					world()
						.provider()
						.apply(aStep(world().account, name, wanted, foreign), signal),
				).rejects.toBeInstanceOf(TerminalError);
				expect(await world().writes()).toBe(writes);
				expect(await stateOf(name)).toEqual(foreign);
			}
		});
	});

	describe("taking over", () => {
		test("sets the mark on a role that nobody marked", async () => {
			const unmarked = aRole({ tags: { team: "orders" } });
			const name = await fresh(unmarked);
			const call: StepCall = { api: "iam:TagRole", input: { RoleName: name, Tags: { ...OUR_MARKS, [MARK.adopted]: "true" } } };
			expect(
				(
					await world()
						.provider()
						.apply(aStep(world().account, name, call, unmarked, "adopted"), signal)
				).result,
			).toBe("applied");
			expect((await stateOf(name))?.tags).toEqual({ team: "orders", ...OUR_MARKS, [MARK.adopted]: "true" });
		});

		test("never takes a role from another installation, whatever the step says", async () => {
			const foreign = aRole({ tags: { ...OUR_MARKS, [MARK.installation]: "other" } });
			const name = await fresh(foreign);
			const call: StepCall = { api: "iam:TagRole", input: { RoleName: name, Tags: OUR_MARKS } };
			await expect(
				world()
					.provider()
					.apply(aStep(world().account, name, call, foreign, "adopted"), signal),
			).rejects.toMatchObject({
				reason: "NotOurs",
			});
			expect(await stateOf(name)).toEqual(foreign);
		});
	});

	describe("a step of another shape", () => {
		test("for a role that is gone is a conflict, unless it only takes away", async () => {
			const put: StepCall = {
				api: "iam:PutRolePolicy",
				input: { RoleName: "gone", PolicyName: "p", PolicyDocument: allow("*") },
			};
			await expect(
				world()
					.provider()
					.apply(aStep(world().account, "gone", put, aRole()), signal),
			).rejects.toBeInstanceOf(ConflictError);
			const remove: StepCall = { api: "iam:DeleteRolePolicy", input: { RoleName: "gone", PolicyName: "p" } };
			expect(
				(
					await world()
						.provider()
						.apply(aStep(world().account, "gone", remove, aRole()), signal)
				).result,
			).toBe("already");
		});

		test("that waits, names another role, or creates one without our mark is refused", async () => {
			const name = await fresh(aRole());
			const call: StepCall = { api: "iam:DeleteRolePolicy", input: { RoleName: name, PolicyName: "ecs-access" } };
			const good = aStep(world().account, name, call, aRole());
			const unmarked: StepCall = {
				api: "iam:CreateRole",
				input: { RoleName: "bare", Path: "/", AssumeRolePolicyDocument: TRUST, Tags: {} },
			};
			const refused: readonly Step[] = [
				{ ...good, state: { waiting: "approval", detail: "" } },
				{ ...good, target: { ...good.target, account: "000000000000" } },
				{ ...good, call: { ...call, input: { ...call.input, RoleName: "another" } } },
				aStep(world().account, "bare", unmarked, null),
			];
			for (const step of refused) {
				await expect(world().provider().apply(step, signal)).rejects.toMatchObject({ reason: "Refused" });
			}
			expect(await stateOf(name)).toEqual(aRole());
		});
	});
}
