import {
	AttachRolePolicyCommand,
	CreateRoleCommand,
	DeleteRolePermissionsBoundaryCommand,
	PutRolePermissionsBoundaryCommand,
	PutRolePolicyCommand,
	TagRoleCommand,
	UpdateAssumeRolePolicyCommand,
} from "@aws-sdk/client-iam";
import { describe, expect, test } from "vitest";
import { ecsTasksTrust, roleSeed, seedDocument } from "../sandbox/seed-data.ts";
import { useSandbox } from "../sandbox/use.ts";
import { allow, calls, createWorld, documentOf, failures, findingIds, planOf, policy, steps, type World } from "./world.ts";

const sandbox = useSandbox();
const XRAY = "arn:aws:iam::aws:policy/AWSXRayDaemonWriteAccess";
const READ_ONLY = "arn:aws:iam::aws:policy/ReadOnlyAccess";
const ROLE = "orders-task";

async function ordersWorld(taskRole: object, spec: object = {}): Promise<World> {
	const world = createWorld(sandbox);
	await world.services("orders");
	world.write("orders.yaml", policy("orders", taskRole, spec));
	return world;
}

/** Applied in full, and nothing is left to do. */
async function converges(world: World, options: Parameters<World["apply"]>[0] = {}): Promise<readonly string[]> {
	const { file, execution } = await world.apply(options);
	expect(failures(execution)).toEqual([]);
	expect(calls(await world.plan(options))).toEqual([]);
	return calls(file);
}

async function inlineOf(world: World, role = ROLE): Promise<unknown> {
	return (await world.roles())[role]?.inline;
}

describe("the life of a role", () => {
	test("is created, gains and loses in one document, takes a boundary, an attachment, tags and another trust", async () => {
		const world = await ordersWorld({ statements: [allow("s3:GetObject")] });
		expect(await converges(world)).toEqual(["iam:CreateRole", "iam:PutRolePolicy"]);
		expect((await world.roles())[ROLE]).toMatchObject({
			path: "/ecs-access/",
			inline: {
				"ecs-access": { Statement: [{ Effect: "Allow", Action: "s3:GetObject", Resource: "arn:aws:s3:::catalogue/*" }] },
			},
			tags: { "ecs-access.dev/owner": "AccessPolicy/orders", "ecs-access.dev/installation": "default" },
		});

		world.write("orders.yaml", policy("orders", { statements: [allow("s3:PutObject")] }));
		const both = await world.plan();
		expect(steps(both)).toMatchObject([{ call: { api: "iam:PutRolePolicy" }, effect: "both", why: "spec-changed" }]);
		await converges(world);
		expect(await inlineOf(world)).toMatchObject({ "ecs-access": { Statement: [{ Action: "s3:PutObject" }] } });

		const boundary = `arn:aws:iam::${world.account}:policy/workload`;
		await world.seed({
			policies: [{ name: "workload", document: seedDocument({ Effect: "Allow", Action: "*", Resource: "*" }) }],
		});
		world.write(
			"orders.yaml",
			policy("orders", {
				statements: [allow("s3:PutObject")],
				managedPolicies: [XRAY],
				permissionsBoundary: boundary,
				tags: { team: "orders" },
				trust: { mode: "Generated", additional: [{ principals: { Service: ["ec2.amazonaws.com"] } }] },
			}),
		);
		const done = await converges(world);
		expect(done[0]).toBe("iam:PutRolePermissionsBoundary");
		expect([...done].sort()).toEqual([
			"iam:AttachRolePolicy",
			"iam:PutRolePermissionsBoundary",
			"iam:TagRole",
			"iam:UpdateAssumeRolePolicy",
		]);
		const role = (await world.roles())[ROLE];
		expect(role).toMatchObject({ boundary, attached: [XRAY], tags: { team: "orders" } });
		expect(JSON.stringify(role?.trust)).toContain("ec2.amazonaws.com");

		// All of it goes again, and what was declared once is ours to remove.
		world.write("orders.yaml", policy("orders", { statements: [allow("s3:PutObject")], permissionsBoundary: "none" }));
		await converges(world);
		const bare = (await world.roles())[ROLE];
		expect(bare).toMatchObject({ boundary: null, attached: [] });
		expect(bare?.tags).not.toHaveProperty("team");
		expect(JSON.stringify(bare?.trust)).not.toContain("ec2.amazonaws.com");
	});

	test("is renamed without being touched, and the old name is forgotten", async () => {
		const world = await ordersWorld({ name: ROLE, statements: [allow("s3:GetObject")] });
		await converges(world);
		const before = (await world.roles())[ROLE];
		const shop = (annotations: object): void =>
			world.write(
				"orders.yaml",
				policy(
					"shop",
					{ name: ROLE, statements: [allow("s3:GetObject")] },
					{ workloads: [{ cluster: "prod", services: ["orders"] }] },
					{ annotations },
				),
			);
		shop({});
		expect(calls(await world.plan())).toEqual(["none waits: not-owned"]);
		shop({ "ecs-access.dev/renamed-from": "orders" });
		expect(await converges(world, { prune: true })).toEqual(["iam:TagRole"]);
		const after = (await world.roles())[ROLE];
		expect(after).toEqual({ ...before, tags: { ...before?.tags, "ecs-access.dev/owner": "AccessPolicy/shop" } });
		expect((await world.store().listStatus()).map((s) => s.key)).toEqual(["AccessPolicy/shop"]);
	});

	test("that its policy leaves out of git waits for --prune, and is given up with everything it has", async () => {
		const world = await ordersWorld({ statements: [allow("s3:GetObject")] });
		await converges(world);
		world.files.clear();
		world.write("other.yaml", documentOf("PermissionSet", "unused", { statements: [allow("s3:GetObject")] }));
		const kept = await world.plan();
		expect([calls(kept), kept.unpruned]).toEqual([[], { count: 1, reason: "--prune was not given" }]);
		expect(await converges(world, { prune: true })).toEqual(["iam:UntagRole"]);
		expect((await world.roles())[ROLE]).toMatchObject({ tags: {}, inline: { "ecs-access": {} } });
		expect(await world.store().listStatus()).toEqual([]);
		const history = await world.store().history({ key: "AccessPolicy/orders", limit: 50 });
		expect(history.filter((e) => e.event === "applied")).toHaveLength(3);
	});
});

describe("adoption", () => {
	test("takes a role that nobody marked, with its trust, and touches nothing but the marks", async () => {
		const world = await ordersWorld({ path: "/", adopt: true, statements: [allow("s3:GetObject")] });
		await world.seed({
			roles: [
				roleSeed(ROLE, [{ Sid: "A", Effect: "Allow", Action: "s3:GetObject", Resource: "arn:aws:s3:::catalogue/*" }], {
					trust: ecsTasksTrust,
					tags: { cost: "42" },
				}),
			],
		});
		const before = (await world.roles())[ROLE];
		expect(await converges(world)).toEqual(["iam:TagRole"]);
		const after = (await world.roles())[ROLE];
		expect(after).toEqual({ ...before, tags: expect.objectContaining({ cost: "42", "ecs-access.dev/adopted": "true" }) });
		// The line may be deleted later: the tag keeps what it said.
		world.write("orders.yaml", policy("orders", { path: "/", trust: { mode: "Preserve" }, statements: [allow("s3:GetObject")] }));
		expect(calls(await world.plan())).toEqual([]);
	});

	test("reports what git does not know of, keeps it, and removes what we once granted", async () => {
		const world = await ordersWorld({
			path: "/",
			adopt: true,
			statements: [allow("s3:GetObject"), allow("sqs:SendMessage", "*")],
		});
		await world.seed({
			roles: [roleSeed(ROLE, [{ Effect: "Allow", Action: "dynamodb:*", Resource: "*" }], { attached: [READ_ONLY] })],
		});
		await converges(world);
		const file = await world.plan();
		expect(findingIds(file)).toContain("SurplusAccess");
		const surplus = planOf(file, "AccessPolicy/orders").findings.find((f) => f.id === "SurplusAccess");
		expect(surplus?.message).toContain("dynamodb:*");
		expect(surplus?.message).toContain(READ_ONLY);

		world.write("orders.yaml", policy("orders", { path: "/", adopt: true, statements: [allow("s3:GetObject")] }));
		await converges(world);
		const role = (await world.roles())[ROLE];
		const text = JSON.stringify(role?.inline);
		expect(text).not.toContain("sqs:SendMessage");
		expect(text).toContain("s3:GetObject");
		expect(text).toContain("dynamodb:*");
		expect(role?.attached).toEqual([READ_ONLY]);
	});

	test("is needed: a role that is there unmarked is left alone, whatever else is applied", async () => {
		const world = createWorld(sandbox);
		await world.services("orders", "billing");
		world.write(
			"a.yaml",
			policy("orders", { statements: [allow("s3:GetObject")] }),
			policy("billing", { statements: [allow("s3:GetObject")] }),
		);
		await world.seed({ roles: [roleSeed(ROLE, [{ Effect: "Allow", Action: "s3:*", Resource: "*" }])] });
		const before = (await world.roles())[ROLE];
		const { file, execution } = await world.apply({ prune: true });
		expect(calls(file)).toEqual(expect.arrayContaining(["none waits: not-owned", "iam:CreateRole"]));
		expect(execution.waiting).toHaveLength(1);
		expect((await world.roles())[ROLE]).toEqual(before);
	});

	test.each([
		[
			"another installation",
			{ "ecs-access.dev/installation": "other", "ecs-access.dev/source": "directory" },
			"belongs to installation other",
		],
		[
			"another source",
			{ "ecs-access.dev/installation": "default", "ecs-access.dev/source": "github.com/acme/b" },
			"belongs to source github.com/acme/b",
		],
	])("of a role that %s marked is refused, naming it", async (_who, tags, said) => {
		const world = await ordersWorld({ path: "/", adopt: true, statements: [allow("s3:GetObject")] });
		await world.seed({ roles: [roleSeed(ROLE, [], { tags: { ...tags, "ecs-access.dev/owner": "AccessPolicy/theirs" } })] });
		const before = await world.roles();
		const { file } = await world.apply({ prune: true });
		expect(calls(file)).toEqual(["none waits: not-owned"]);
		expect(steps(file)[0]?.state).toMatchObject({ detail: expect.stringContaining(said) });
		expect(await world.roles()).toEqual(before);
	});
});

describe("drift", () => {
	const WANTED = { statements: [allow("s3:GetObject")], managedPolicies: [XRAY] };

	test("is named and healed: a rogue document, a foreign attachment, a changed trust", async () => {
		const world = await ordersWorld(WANTED);
		await converges(world);
		const before = await world.roles();
		const RoleName = ROLE;
		const everything = JSON.stringify(seedDocument({ Effect: "Allow", Action: "*", Resource: "*" }));
		await world.iam.send(new PutRolePolicyCommand({ RoleName, PolicyName: "quick-fix", PolicyDocument: everything }));
		await world.iam.send(new AttachRolePolicyCommand({ RoleName, PolicyArn: READ_ONLY }));
		const trust = JSON.stringify({
			...ecsTasksTrust,
			Statement: [
				...ecsTasksTrust.Statement,
				{ Effect: "Allow", Principal: { Service: "ec2.amazonaws.com" }, Action: "sts:AssumeRole" },
			],
		});
		await world.iam.send(new UpdateAssumeRolePolicyCommand({ RoleName, PolicyDocument: trust }));

		const file = await world.plan();
		expect(steps(file).every((s) => s.why === "drifted" && s.state === "ready")).toBe(true);
		expect([...calls(file)].sort()).toEqual(["iam:DeleteRolePolicy", "iam:DetachRolePolicy", "iam:UpdateAssumeRolePolicy"]);
		expect(steps(file).flatMap((s) => s.diff.map((c) => `${c.op} ${c.what} ${c.name}`))).toEqual(
			expect.arrayContaining(["- inline policy quick-fix", `- managed policy ${READ_ONLY}`, "~ trust trust policy"]),
		);
		expect(planOf(file, "AccessPolicy/orders").summary).toBe("heal");
		await converges(world);
		expect(await world.roles()).toEqual(before);
	});

	test("of a removed boundary is healed first, before anything else", async () => {
		const world = createWorld(sandbox);
		await world.services("orders");
		await world.seed({
			policies: [{ name: "workload", document: seedDocument({ Effect: "Allow", Action: "s3:*", Resource: "*" }) }],
		});
		const boundary = `arn:aws:iam::${world.account}:policy/workload`;
		world.write("orders.yaml", policy("orders", { ...WANTED, permissionsBoundary: boundary }));
		await converges(world);
		await world.iam.send(new DeleteRolePermissionsBoundaryCommand({ RoleName: ROLE }));
		const file = await world.plan();
		expect(steps(file)).toMatchObject([{ call: { api: "iam:PutRolePermissionsBoundary" }, why: "drifted" }]);
		await converges(world);
		expect((await world.roles())[ROLE]?.boundary).toBe(boundary);
	});

	test("is only reported where the policy says so", async () => {
		const world = await ordersWorld(WANTED, { management: { drift: "Report" } });
		await converges(world);
		await world.iam.send(new AttachRolePolicyCommand({ RoleName: ROLE, PolicyArn: READ_ONLY }));
		const file = await world.plan();
		expect(calls(file)).toEqual([]);
		expect(findingIds(file)).toContain("Drifted");
	});

	test("that incident responders made is never removed by healing", async () => {
		const world = await ordersWorld(WANTED);
		await converges(world);
		const RoleName = ROLE;
		const deny = JSON.stringify(seedDocument({ Effect: "Deny", Action: "*", Resource: "*" }));
		const QUARANTINE = "arn:aws:iam::aws:policy/AWSCompromisedKeyQuarantineV2";
		await world.iam.send(new PutRolePolicyCommand({ RoleName, PolicyName: "AWSRevokeOlderSessions", PolicyDocument: deny }));
		await world.iam.send(new AttachRolePolicyCommand({ RoleName, PolicyArn: QUARANTINE }));
		expect(calls(await world.plan())).toEqual([]);

		await world.iam.send(new PutRolePolicyCommand({ RoleName, PolicyName: "stop", PolicyDocument: deny }));
		const { file } = await world.apply();
		expect(calls(file)).toEqual(["iam:DeleteRolePolicy waits: approval"]);
		expect(Object.keys((await world.roles())[ROLE]?.inline ?? {}).sort()).toEqual([
			"AWSRevokeOlderSessions",
			"ecs-access",
			"stop",
		]);

		// A person's word: the Approval in git, and the next pass does it.
		const { approvalId } = planOf(file, "AccessPolicy/orders");
		world.write(
			"platform/approvals/a.yaml",
			documentOf("Approval", "a", { approvalId, reason: "over", expiresAt: "2030-01-01T00:00:00Z" }),
		);
		expect(await converges(world)).toEqual(["iam:DeleteRolePolicy"]);
		const role = (await world.roles())[ROLE];
		expect(Object.keys(role?.inline ?? {}).sort()).toEqual(["AWSRevokeOlderSessions", "ecs-access"]);
		expect(role?.attached).toEqual([QUARANTINE, XRAY].sort());
	});

	test("waits while a hold is on the role, and is healed when its time is over", async () => {
		const world = await ordersWorld(WANTED);
		await converges(world);
		const until = new Date(world.clock.millis() + 3_600_000).toISOString().replace(".000", "");
		await world.iam.send(new TagRoleCommand({ RoleName: ROLE, Tags: [{ Key: "ecs-access.dev/hold-until", Value: until }] }));
		await world.iam.send(new AttachRolePolicyCommand({ RoleName: ROLE, PolicyArn: READ_ONLY }));
		const { file, execution } = await world.apply();
		expect(calls(file)).toEqual(["iam:DetachRolePolicy waits: hold"]);
		expect(execution.runs).toEqual([]);
		expect(findingIds(file)).toContain("Held");
		world.clock.advance(3_601);
		expect(await converges(world)).toEqual(["iam:DetachRolePolicy"]);
		expect((await world.roles())[ROLE]?.tags).toHaveProperty("ecs-access.dev/hold-until", until);
	});

	test("of a boundary that somebody set is not undone without a word", async () => {
		const world = await ordersWorld({ ...WANTED, permissionsBoundary: "none" });
		await converges(world);
		await world.iam.send(new PutRolePermissionsBoundaryCommand({ RoleName: ROLE, PermissionsBoundary: READ_ONLY }));
		expect(calls(await world.plan())).toEqual(["iam:DeleteRolePermissionsBoundary waits: approval"]);
	});

	test("that deletes the role makes it anew", async () => {
		const world = await ordersWorld({ statements: [allow("s3:GetObject")] });
		await converges(world);
		await sandbox.reset(world.account);
		await world.services("orders");
		expect(await converges(world)).toEqual(["iam:CreateRole", "iam:PutRolePolicy"]);
	});
});

test("a suspended policy is planned and not written", async () => {
	const world = await ordersWorld({ statements: [allow("s3:GetObject")] }, { suspend: true });
	const { file, execution } = await world.apply();
	expect(calls(file)).toEqual(["iam:CreateRole waits: suspended", "iam:PutRolePolicy waits: suspended"]);
	expect([execution.runs, await world.roles()]).toEqual([[], {}]);
	expect((await world.store().getStatus("AccessPolicy/orders"))?.summary).toBe("waits: suspended");
});

test("a role that appears between plan and write is nobody's to take", async () => {
	const world = await ordersWorld({ statements: [allow("s3:GetObject")] });
	const file = await world.plan();
	await world.iam.send(new CreateRoleCommand({ RoleName: ROLE, AssumeRolePolicyDocument: JSON.stringify(ecsTasksTrust) }));
	const before = await world.roles();
	const execution = await world.execute(file);
	expect(execution.runs.map((r) => r.error?.name)).toEqual(["ConflictError"]);
	expect(await world.roles()).toEqual(before);
	expect((await world.store().getStatus("AccessPolicy/orders"))?.conditions).toContainEqual(
		expect.objectContaining({ type: "Ready", status: "False" }),
	);
});
