import { join } from "node:path";
import { PutRolePolicyCommand } from "@aws-sdk/client-iam";
import { beforeAll, expect, test } from "vitest";
import { settleFleet } from "../bench/settled.ts";
import { type Person, person } from "../e2e/cli.ts";
import { iamOf } from "../e2e/live.ts";
import { fleetName } from "../sandbox/fleet.ts";
import { seedDocument } from "../sandbox/seed-data.ts";
import { useSandbox } from "../sandbox/use.ts";

/**
 * How many calls the real program makes, counted at the wire: a change that reads more of AWS fails here. With
 * so many policies one read more for each of them, or for each of their roles, cannot be missed.
 */
const POLICIES = 100;

const sandbox = useSandbox();
const account = sandbox.newAccount();
let who: Person;

type Counts = Readonly<Record<string, number>>;

/** Of the first plan ever: nothing is cached. */
let first: Counts;

beforeAll(async () => {
	who = person(sandbox, account);
	for (const [path, text] of await settleFleet(sandbox, account, POLICIES)) who.write(join("policies", path), text);
	first = await calls(0, "plan");
});

/** Runs one command, and says what it asked of AWS. */
async function calls(code: number, ...args: readonly string[]): Promise<Counts> {
	await sandbox.resetCounts(account);
	const result = await who.run(...args, "--state-dir", "state");
	expect(result, result.stdout + result.stderr).toMatchObject({ code });
	return sandbox.counts(account);
}

/** Once a pass, however many policies there are. */
const CALLER: Counts = { "sts:GetCallerIdentity": 1, "iam:ListAccountAliases": 1 };
/** One cluster, one bus, no schedule; and the caller's role, read by itself. */
const SCHEDULES: Counts = {
	"scheduler:ListSchedules": 1,
	"ecs:ListClusters": 1,
	"events:ListEventBuses": 1,
	"events:ListRuleNamesByTarget": 1,
};
const singly = (roles: number, documents: number): Counts => ({
	"iam:GetRole": roles,
	"iam:ListRolePolicies": roles,
	"iam:ListAttachedRolePolicies": roles,
	"iam:GetRolePolicy": documents,
});
/** The boundary of all, and the policy that every execution role has attached. */
const DOCUMENTS: Counts = { "iam:GetPolicy": 2 };

test("a plan of 100 unchanged policies reads their 200 roles in one call, their services ten at a time, each task definition once", async () => {
	expect(first).toEqual({
		...CALLER,
		...SCHEDULES,
		...singly(1, 1),
		...DOCUMENTS,
		"iam:GetPolicyVersion": 2,
		"iam:GetAccountAuthorizationDetails": 1,
		"ecs:DescribeServices": POLICIES / 10,
		"ecs:DescribeTaskDefinition": POLICIES,
	});
	expect(await calls(0, "plan")).toEqual({
		...CALLER,
		...SCHEDULES,
		...singly(1, 1),
		...DOCUMENTS,
		"iam:GetAccountAuthorizationDetails": 1,
		"ecs:DescribeServices": POLICIES / 10,
	});
});

test("a plan of one policy of them reads its two roles and its service, and no list of all", async () => {
	expect(await calls(0, "plan", "--only", `AccessPolicy/${fleetName(7)}`)).toEqual({
		...CALLER,
		...SCHEDULES,
		...singly(3, 2),
		...DOCUMENTS,
		"ecs:DescribeServices": 1,
	});
});

test("an apply reads, beyond its plan, who we are, and the roles that it writes to, each once", async () => {
	const iam = iamOf(sandbox, account);
	const PolicyDocument = JSON.stringify(seedDocument({ Effect: "Allow", Action: "s3:*", Resource: "*" }));
	for (const n of [3, 8, 21]) {
		await iam.send(new PutRolePolicyCommand({ RoleName: `${fleetName(n)}-task`, PolicyName: "rogue", PolicyDocument }));
	}
	const plan = await calls(2, "plan");
	const apply = await calls(0, "apply", "--yes");
	// Who we are is asked again under the lease. Two documents a role: ours, and the one by hand that goes.
	expect(beyond(plan, apply)).toEqual({ ...CALLER, ...singly(3, 6), "iam:DeleteRolePolicy": 3 });
	expect(await calls(0, "plan")).toEqual(plan);
});

/** What `more` holds that `less` does not. */
function beyond(less: Counts, more: Counts): Counts {
	const extra = Object.entries(more).map(([operation, n]) => [operation, n - (less[operation] ?? 0)] as const);
	return Object.fromEntries(extra.filter(([, n]) => n !== 0));
}
