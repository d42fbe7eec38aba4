import { AttachRolePolicyCommand, DeleteRolePolicyCommand, PutRolePolicyCommand, UntagRoleCommand } from "@aws-sdk/client-iam";
import fc from "fast-check";
import { expect, test } from "vitest";
import { roleSeed, seedDocument } from "../sandbox/seed-data.ts";
import { useSandbox } from "../sandbox/use.ts";
import { calls, createWorld, documentOf, failures, policy, steps, type World } from "./world.ts";

const sandbox = useSandbox();
const NAMES = ["a", "b", "c", "d"] as const;
const MANAGED = ["AWSXRayDaemonWriteAccess", "AmazonSQSReadOnlyAccess", "AmazonSNSReadOnlyAccess"].map(
	(n) => `arn:aws:iam::aws:policy/${n}`,
);

const statement = fc.record(
	{
		effect: fc.constantFrom("Allow", "Allow", "Deny"),
		actions: fc.uniqueArray(fc.constantFrom("s3:GetObject", "s3:Put*", "sqs:SendMessage", "dynamodb:Query", "S3:getobject"), {
			minLength: 1,
			maxLength: 3,
		}),
		resources: fc.uniqueArray(
			fc.constantFrom("*", "arn:aws:s3:::a/*", "arn:aws:s3:::${account.id}-b", "arn:aws:sqs:eu-west-1:123456789012:q"),
			{ minLength: 1, maxLength: 2 },
		),
		conditions: fc.constantFrom(
			{ StringEquals: { "aws:ResourceAccount": "${account.id}" } },
			{ Bool: { "aws:SecureTransport": "true" } },
		),
	},
	{ requiredKeys: ["effect", "actions", "resources"] },
);

const taskRole = fc.record(
	{
		statements: fc.array(statement, { minLength: 1, maxLength: 3 }),
		managedPolicies: fc.uniqueArray(fc.constantFrom(...MANAGED), { maxLength: 2 }),
		tags: fc.dictionary(fc.constantFrom("team", "Cost", "env"), fc.constantFrom("x", "y z"), { maxKeys: 2 }),
		permissionsBoundary: fc.constantFrom("none", "arn:aws:iam::${account.id}:policy/workload"),
		trust: fc.constant({ mode: "Generated", additional: [{ principals: { Service: ["ec2.amazonaws.com"] } }] }),
	},
	{ requiredKeys: ["statements"] },
);

/** One state of git: which policies there are, and what they say. */
const revision = fc.record(Object.fromEntries(NAMES.map((n) => [n, fc.option(taskRole, { freq: 4 })])));

/** What hands do between two applies: nothing of it may stop the next from getting to what git says. */
const hands = fc.uniqueArray(fc.constantFrom("rogue", "attach", "empty", "untag"), { maxLength: 2 });

async function meddle(world: World, how: string): Promise<void> {
	const role = Object.values(await world.roles()).find((r) => r.tags["ecs-access.dev/owner"] !== undefined);
	if (role === undefined) return;
	const RoleName = role.name;
	if (how === "rogue") {
		const PolicyDocument = JSON.stringify(seedDocument({ Effect: "Allow", Action: "iam:*", Resource: "*" }));
		await world.iam.send(new PutRolePolicyCommand({ RoleName, PolicyName: "quick-fix", PolicyDocument }));
	} else if (how === "attach") {
		await world.iam.send(new AttachRolePolicyCommand({ RoleName, PolicyArn: "arn:aws:iam::aws:policy/AmazonSQSFullAccess" }));
	} else if (how === "untag") {
		await world.iam.send(new UntagRoleCommand({ RoleName, TagKeys: ["team", "ecs-access.dev/deletion"] }));
	} else {
		for (const PolicyName of Object.keys(role.inline))
			await world.iam.send(new DeleteRolePolicyCommand({ RoleName, PolicyName }));
	}
}

test("whatever git says and hands do, an apply leaves nothing to do, and roles of others as they are", async () => {
	await fc.assert(
		fc.asyncProperty(
			fc.array(fc.tuple(revision, hands), { minLength: 2, maxLength: 3 }),
			fc.boolean(),
			async (revisions, forgetful) => {
				const world = createWorld(sandbox);
				await world.services(...NAMES);
				await world.seed({
					policies: [{ name: "workload", document: seedDocument({ Effect: "Allow", Action: "*", Resource: "*" }) }],
					roles: [
						roleSeed("theirs", [{ Effect: "Allow", Action: "*", Resource: "*" }], { tags: { team: "x" } }),
						roleSeed("other-installation", [], {
							tags: { "ecs-access.dev/installation": "other", "ecs-access.dev/owner": "AccessPolicy/a" },
						}),
					],
				});
				const { theirs, "other-installation": other } = await world.roles();
				for (const [git, done] of revisions) {
					world.files.clear();
					world.write(
						"set.yaml",
						documentOf("PermissionSet", "unused", { statements: [{ actions: ["s3:GetObject"], resources: ["*"] }] }),
					);
					// What is given up and comes back is nobody's, and asks to be taken over.
					for (const [name, role] of Object.entries(git)) {
						if (role !== null)
							world.write(
								`${name}.yaml`,
								policy(
									name,
									{ trust: { mode: "Generated" }, ...role, adopt: true, path: "/ecs-access/" },
									{ management: { exclusive: true } },
								),
							);
					}
					const { file, execution } = await world.apply({ prune: true });
					expect(failures(execution)).toEqual([]);
					const waits = steps(file).filter((s) => s.state !== "ready");
					// A Deny that nothing remembers is somebody's: it alone may wait, for a person.
					expect(waits.filter((s) => s.state !== "ready" && s.state.waiting !== "approval").map((s) => s.state)).toEqual([]);
					if (waits.length === 0) expect(calls(await world.plan({ prune: true }))).toEqual([]);
					const now = await world.roles();
					expect([now.theirs, now["other-installation"]]).toEqual([theirs, other]);
					for (const how of done) await meddle(world, how);
					if (forgetful) world.loseStore();
				}
			},
		),
		{ numRuns: 6, seed: 4711, endOnFailure: true },
	);
});
