import { describe, expect, test } from "vitest";
import type { Fault, FaultKind } from "../sandbox/faults.ts";
import { ecsTasksTrust, roleSeed, seedDocument } from "../sandbox/seed-data.ts";
import { useSandbox } from "../sandbox/use.ts";
import { isWrite } from "../sandbox/wire.ts";
import { allow, calls, createWorld, documentOf, failures, policy, type World } from "./world.ts";

const sandbox = useSandbox();
const XRAY = "arn:aws:iam::aws:policy/AWSXRayDaemonWriteAccess";
const SQS = "arn:aws:iam::aws:policy/AmazonSQSReadOnlyAccess";

/**
 * An account in which one plan makes every kind of write there is: role `new` is made, `old` is changed in every part,
 * `plain` loses its boundary, `gone` is deleted, `left` is given up; `theirs` is nobody's to touch.
 */
async function everyWrite(): Promise<World> {
	const world = createWorld(sandbox);
	const boundary = `arn:aws:iam::${world.account}:policy/workload`;
	const marks = (name: string, deletion = "orphan"): Record<string, string> => ({
		"ecs-access.dev/installation": "main",
		"ecs-access.dev/owner": `AccessPolicy/${name}`,
		"ecs-access.dev/source": "directory",
		"ecs-access.dev/deletion": deletion,
	});
	const role = (name: string, more: Parameters<typeof roleSeed>[2] = {}) =>
		roleSeed(`${name}-task`, [], { path: "/ecs-access/", ...more });
	const generated = {
		Version: "2012-10-17",
		Statement: [
			{
				...ecsTasksTrust.Statement[0],
				Condition: {
					StringEquals: { "aws:SourceAccount": world.account },
					ArnLike: { "aws:SourceArn": `arn:aws:ecs:eu-west-1:${world.account}:*` },
				},
			},
		],
	};
	const document = seedDocument({ Effect: "Allow", Action: "s3:ListBucket", Resource: "arn:aws:s3:::old" });
	await world.seed({
		clusters: [{ name: "prod" }],
		policies: [{ name: "workload", document: seedDocument({ Effect: "Allow", Action: "*", Resource: "*" }) }],
		roles: [
			role("old", {
				tags: { ...marks("old"), "ecs-access.dev/retired-at": "2026-01-01T00:00:00Z" },
				attached: [SQS],
				inline: { "quick-fix": document },
			}),
			role("plain", { trust: generated, tags: marks("plain"), boundary }),
			role("gone", {
				tags: { ...marks("gone", "delete:1d"), "ecs-access.dev/retired-at": "2026-01-01T00:00:00Z" },
				inline: { "ecs-access": document },
			}),
			role("left", { tags: marks("left") }),
			role("theirs", { inline: { p: document } }),
		],
	});
	const none = { workloads: [] };
	world.write("platform/installation.yaml", documentOf("Installation", "main", {}));
	world.write(
		"all.yaml",
		policy("new", { statements: [allow("s3:GetObject")], managedPolicies: [XRAY] }, none),
		policy("old", { statements: [allow("s3:GetObject")], permissionsBoundary: boundary, tags: { team: "orders" } }, none),
		policy("plain", { permissionsBoundary: "none" }, none),
	);
	return world;
}

const EVERY_WRITE = [
	"iam:AttachRolePolicy",
	"iam:CreateRole",
	"iam:DeleteRole",
	"iam:DeleteRolePermissionsBoundary",
	"iam:DeleteRolePolicy",
	"iam:DetachRolePolicy",
	"iam:PutRolePermissionsBoundary",
	"iam:PutRolePolicy",
	"iam:TagRole",
	"iam:UntagRole",
	"iam:UpdateAssumeRolePolicy",
];

/** What the account holds, apart from its own number. */
async function stateOf(world: World): Promise<string> {
	return JSON.stringify(await world.roles(), null, 1).replaceAll(world.account, "ACCOUNT");
}

async function writesOf(world: World): Promise<number> {
	const counts = await sandbox.counts(world.account);
	return Object.entries(counts).reduce(
		(sum, [operation, n]) => sum + (isWrite(operation) && operation.startsWith("iam:") ? n : 0),
		0,
	);
}

async function undisturbed(): Promise<{ readonly end: string; readonly writes: number; readonly called: readonly string[] }> {
	const world = await everyWrite();
	const { file, execution } = await world.apply({ prune: true });
	expect(failures(execution)).toEqual([]);
	expect(calls(await world.plan({ prune: true }))).toEqual([]);
	return { end: await stateOf(world), writes: await writesOf(world), called: calls(file) };
}

const reference = undisturbed();

/** Whatever became of the first apply, the next ones bring the account to the same end, and no write hits what is not ours. */
async function convergesAfter(
	faults: readonly Fault[],
): Promise<{ readonly failed: readonly string[]; readonly writes: number }> {
	const world = await everyWrite();
	for (const fault of faults) await sandbox.fault(world.account, fault);
	const { execution } = await world.apply({ prune: true });
	const writes = await writesOf(world);
	await sandbox.clearFaults(world.account);
	const second = await world.apply({ prune: true });
	expect(failures(second.execution)).toEqual([]);
	expect(calls(await world.plan({ prune: true }))).toEqual([]);
	expect(await stateOf(world)).toBe((await reference).end);
	return { failed: failures(execution), writes };
}

test("one plan makes every kind of write", async () => {
	const { called } = await reference;
	expect([...new Set(called)].sort()).toEqual(EVERY_WRITE);
});

describe("an answer that is lost after the write", () => {
	test.each(EVERY_WRITE)("of %s is found done, and no failure is told", async (operation) => {
		// Both attempts of the SDK: only the role itself can tell.
		expect((await convergesAfter([{ kind: "lostAnswer", operation, times: 2 }])).failed).toEqual([]);
	});
});

describe("a write that AWS does not take", () => {
	const KINDS: readonly FaultKind[] = ["serverError", "unavailable", "reset", "denied"];
	test.each(KINDS)("by %s, every time, is told once a role and done by the next run", async (kind) => {
		const { failed } = await convergesAfter([{ kind, writes: true }]);
		// Every role's first write failed, none was tried after it.
		expect(failed).toHaveLength(5);
	});

	test("for an expired token stops everything in the account", async () => {
		const { failed, writes } = await convergesAfter([{ kind: "expiredToken", writes: true, after: 3 }]);
		expect(failed.length).toBeGreaterThan(0);
		expect(failed.every((f) => f.includes("ExpiredToken"))).toBe(true);
		expect(writes).toBeLessThanOrEqual(3 + 8);
	});

	test("once, by any fault, is done all the same where nothing was carried out", async () => {
		for (const kind of ["throttle", "reset", "unavailable", "serverError"] as const) {
			expect((await convergesAfter([{ kind, writes: true, times: 1 }])).failed).toEqual([]);
		}
	});
});

test("a storm of throttles is waited out, in reads and in writes", async () => {
	const { failed } = await convergesAfter([{ kind: "throttle", operation: "iam:*", probability: 0.4 }]);
	expect(failed).toEqual([]);
});

describe("a fault from the n-th write on", async () => {
	const total = 14;
	test("is tried at every position", async () => {
		expect((await reference).writes).toBe(total);
	});

	test.each(Array.from({ length: total }, (_, n) => n))("after %i writes converges", async (after) => {
		const kind = (["denied", "reset", "lostAnswer"] as const)[after % 3] ?? "denied";
		await convergesAfter([{ kind, writes: true, after }]);
	});
});

test("what cannot be read stops its account before anything is written", async () => {
	for (const operation of ["iam:GetAccountAuthorizationDetails", "sts:GetCallerIdentity"]) {
		const world = await everyWrite();
		await sandbox.fault(world.account, { kind: "denied", operation });
		await expect(world.apply({ prune: true })).rejects.toThrow(/AccessDenied/);
		expect(await writesOf(world)).toBe(0);
	}
});
