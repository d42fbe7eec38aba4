import { describe, expect, test } from "vitest";
import type { Account } from "../../../controller/model/account.ts";
import { applyTriggerCall, isTriggerAlready, triggerFingerprint } from "../../../controller/model/apply-trigger-call.ts";
import { eventHome } from "../../../controller/model/event-home.ts";
import { ownerOf } from "../../../controller/model/marks.ts";
import type { Plan } from "../../../controller/model/plan.ts";
import { type Observed, targetId } from "../../../controller/model/target.ts";
import type { TriggerCall, TriggerState } from "../../../controller/model/trigger-target.ts";
import { marksOf } from "../../../controller/plan/ownership.ts";
import { type KnownAccount, targetsOf, wantedTriggers } from "../../../controller/plan/trigger-wanted.ts";
import { planTriggers } from "../../../controller/plan/triggers.ts";
import { accountOf } from "../../account.ts";

const HOME = "123456789012";
const SPOKE = "210987654321";
const ORIGIN = { path: "policies/platform/installation.yaml", line: 1, column: 1 };
const KEY = "Triggers/main";
const MARKS = marksOf({ installation: "main", source: "ecs-access triggers", key: KEY }, "orphan");

function account(name: string, accountId: string, more: Partial<Omit<Account, "accountId">> = {}): KnownAccount {
	return {
		...accountOf(accountId, { name, region: "us-east-1", regions: [], ...more }),
		accountId,
		region: more.region ?? "us-east-1",
	};
}

const prod = account("prod", HOME);
const spoke = account("spoke", SPOKE, { assumeRole: { roleArn: `arn:aws:iam::${SPOKE}:role/ecs-access-spoke` } });

/** What AWS has, by target; the planner and these tests change it by the same calls. */
type World = ReadonlyMap<string, TriggerState>;

function wanted(of: KnownAccount = prod, accounts: readonly KnownAccount[] = [of]) {
	return wantedTriggers({ installation: "main", home: eventHome(accounts, "main", undefined), account: of, accounts });
}

function plan(world: World, of: KnownAccount = prod, accounts: readonly KnownAccount[] = [of], role: Plan | null = null): Plan {
	const w = wanted(of, accounts);
	const targets = (["sqs.queue", "events.rule", "events.bus"] as const).flatMap((type) => targetsOf(w, type));
	const observed = targets.map((target): Observed => {
		const state = world.get(targetId(target));
		if (state === undefined) return { target, exists: false };
		const owner = "tags" in state ? ownerOf(state.tags) : null;
		const fingerprint = triggerFingerprint(state);
		return { target, exists: true, arn: "", state, fingerprint, owner, holdUntil: null, lastUsed: null };
	});
	return planTriggers({
		key: KEY,
		account: of.name,
		origin: ORIGIN,
		installation: "main",
		marks: MARKS,
		wanted: w,
		observed: new Map(observed.map((o) => [targetId(o.target), o])),
		role,
	});
}

/** Carries out every ready step, checking each one's precondition. */
function done(world: World, p: Plan): World {
	const next = new Map(world);
	for (const s of p.steps) {
		if (s.state !== "ready") continue;
		const call = s.call as TriggerCall;
		const before = next.get(targetId(s.target)) ?? null;
		expect(before === null ? null : triggerFingerprint(before), s.id).toBe(s.precondition);
		expect(isTriggerAlready(before, call), s.id).toBe(false);
		const after = applyTriggerCall(before, call);
		if (after === null) throw new Error(`${s.id} left nothing`);
		expect(isTriggerAlready(after, call), s.id).toBe(true);
		next.set(targetId(s.target), after);
	}
	return next;
}

function calls(p: Plan): readonly string[] {
	return p.steps.map((s) => `${s.call.api} ${s.target.name} ${s.target.region}`);
}

const NOTHING: World = new Map();
const settled = done(NOTHING, plan(NOTHING));
const ruleId = `${HOME}/us-east-1/events.rule/default/ecs-access-main-iam`;
const queueId = `${HOME}/us-east-1/sqs.queue/ecs-access-main`;

function changed(id: string, more: object): World {
	const state = settled.get(id);
	if (state === undefined) throw new Error(`${id} is not there`);
	return new Map([...settled, [id, { ...state, ...more } as TriggerState]]);
}

describe("what is missing", () => {
	test("the dead-letter queue is made before the queue, and both before any rule sends there", () => {
		const made = calls(plan(NOTHING));
		expect(made.slice(0, 2)).toEqual([
			"sqs:CreateQueue ecs-access-main-dead us-east-1",
			"sqs:CreateQueue ecs-access-main us-east-1",
		]);
		expect(made.filter((c) => c.startsWith("events:PutRule"))).toHaveLength(6);
		expect(made.filter((c) => c.startsWith("events:PutTargets"))).toHaveLength(6);
		for (const s of plan(NOTHING).steps.filter((x) => x.call.api === "events:PutTargets")) {
			expect(s.after_).toContain(`${queueId}#1`);
		}
	});

	test("everything is made with our marks, and then nothing is to do", () => {
		for (const state of settled.values()) if ("tags" in state) expect(state.tags).toEqual(MARKS);
		expect(plan(NOTHING).summary).toBe("create");
		expect(plan(settled)).toMatchObject({ summary: "unchanged", steps: [], unchanged: 8 });
	});

	test("the queue lets in EventBridge alone, for the rules of ours by name, and of this account", () => {
		const policy = JSON.stringify((settled.get(queueId) as { readonly policy: unknown }).policy);
		expect(JSON.parse(policy).Statement).toEqual([
			expect.objectContaining({
				Principal: { Service: "events.amazonaws.com" },
				Action: "sqs:SendMessage",
				Condition: {
					ArnEquals: { "aws:SourceArn": expect.arrayContaining([`arn:aws:events:us-east-1:${HOME}:rule/ecs-access-main-iam`]) },
					StringEquals: { "aws:SourceAccount": HOME },
				},
			}),
		]);
	});
});

describe("what a hand changed", () => {
	test.each([
		["a disabled rule is enabled", ruleId, { enabled: false }, ["events:PutRule"], "heal"],
		["a removed target is put back", ruleId, { targets: {} }, ["events:PutTargets"], "heal"],
		["another pattern is written back", ruleId, { pattern: { source: ["aws.s3"] } }, ["events:PutRule"], "update"],
		["a queue's policy is written back", queueId, { policy: null }, ["sqs:SetQueueAttributes"], "update"],
		["a queue gets its dead-letter queue back", queueId, { redrive: null }, ["sqs:SetQueueAttributes"], "heal"],
	])("%s", (_name, id, more, apis, summary) => {
		const world = changed(id, more);
		const p = plan(world);
		expect(p.steps.map((s) => s.call.api)).toEqual(apis);
		expect(p.summary).toBe(summary);
		expect(plan(done(world, p)).steps).toEqual([]);
	});

	test("a target that somebody added to a rule of ours is left, and said", () => {
		const stranger = { arn: `arn:aws:sqs:us-east-1:${HOME}:theirs`, roleArn: null, deadLetter: null };
		const state = settled.get(ruleId) as { readonly targets: object };
		const p = plan(changed(ruleId, { targets: { ...state.targets, theirs: stranger } }));
		expect(p.steps).toEqual([]);
		expect(p.findings.map((f) => f.id)).toEqual(["StrangeTarget"]);
	});
});

describe("what is not ours", () => {
	test.each([
		["without a mark", {}, "ecs-access-main carries our name and not our mark"],
		["of another installation", { ...MARKS, "ecs-access.dev/installation": "other" }, "belongs to installation other"],
		["of a stack", { ...MARKS, "aws:cloudformation:stack-name": "infra" }, "belongs to the CloudFormation stack infra"],
	])("a queue %s is left, and no rule sends there", (_name, tags, detail) => {
		const broken: World = new Map([[queueId, { ...(settled.get(queueId) as TriggerState), tags } as TriggerState]]);
		const p = plan(broken);
		const queue = p.steps.find((s) => targetId(s.target) === queueId);
		expect(queue).toMatchObject({
			call: { api: "none" },
			state: { waiting: "not-owned", detail: expect.stringContaining(detail) },
		});
		const targets = p.steps.filter((s) => s.call.api === "events:PutTargets");
		expect(targets).toHaveLength(6);
		for (const t of targets) expect(t.state).toMatchObject({ waiting: "not-owned" });
	});

	test("a rule of our name without our mark is left, and the others are made", () => {
		const p = plan(new Map([[ruleId, { pattern: {}, enabled: true, targets: {}, tags: {} }]]));
		const rule = p.steps.filter((s) => targetId(s.target) === ruleId);
		expect(rule).toEqual([expect.objectContaining({ call: { api: "none" } })]);
		expect(p.steps.filter((s) => s.state === "ready" && s.call.api === "events:PutTargets")).toHaveLength(5);
	});
});

describe("other regions and accounts", () => {
	test("the IAM region forwards to the bus at home by a role, and so does every other region", () => {
		const far = account("prod", HOME, { region: "eu-west-1", regions: ["eu-west-1", "eu-central-1"] });
		const w = wanted(far);
		const forwards = w.rules.filter((r) => r.to.roleArn !== null).map((r) => `${r.trigger.id} ${r.target.region}`);
		expect(forwards.toSorted()).toEqual([
			"ecs-calls eu-central-1",
			"ecs-state eu-central-1",
			"iam us-east-1",
			"secret-labels eu-central-1",
			"secret-rotations eu-central-1",
		]);
		expect(w.forwardsTo).toBe(`arn:aws:events:eu-west-1:${HOME}:event-bus/default`);
		expect(wanted(prod).forwardsTo).toBeNull();
	});

	test.each([
		["aws-cn", "cn-northwest-1", "cn-north-1"],
		["aws-us-gov", "us-gov-east-1", "us-gov-west-1"],
		["aws-eusc", "eusc-de-west-1", "eusc-de-east-1"],
	])("in partition %s IAM is heard in its own region", (partition, region, iam) => {
		const w = wanted(account("prod", HOME, { partition, region }));
		expect(w.rules.filter((r) => r.to.roleArn !== null).map((r) => r.target.region)).toEqual([iam]);
		expect(w.forwardsTo).toBe(`arn:${partition}:events:${region}:${HOME}:event-bus/default`);
	});

	test("another account forwards all it has, and the bus at home lets it in", () => {
		const both = [prod, spoke];
		const home = plan(settled, prod, both);
		expect(home.steps.map((s) => s.call)).toEqual([
			{
				api: "events:PutPermission",
				input: {
					EventBusName: "default",
					StatementId: `ecs-access-main-${SPOKE}`,
					Action: "events:PutEvents",
					Principal: SPOKE,
				},
			},
		]);
		expect(plan(done(settled, home), prod, both).steps).toEqual([]);
		const far = plan(NOTHING, spoke, both);
		expect(far.summary).toBe("create");
		expect(far.steps.every((s) => s.target.type === "events.rule")).toBe(true);
		expect(plan(done(NOTHING, far), spoke, both).steps).toEqual([]);
	});

	test("nothing is planned for an account of another partition", () => {
		const china = account("china", SPOKE, { partition: "aws-cn", region: "cn-north-1" });
		expect(wanted(china, [prod, china])).toEqual({ queues: [], rules: [], bus: null, forwardsTo: null });
		expect(wanted(prod, [prod, china]).bus).toBeNull();
	});
});
