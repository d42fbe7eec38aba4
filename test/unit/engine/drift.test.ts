import { afterEach, describe, expect, test } from "vitest";
import { createDriftMemory, type Drifts, recordDrift, withDrifts } from "../../../controller/engine/drift.ts";
import { execute } from "../../../controller/engine/execute.ts";
import { applyCall } from "../../../controller/model/apply-call.ts";
import type { Culprit, Hint } from "../../../controller/model/hint.ts";
import type { Plan, PlanFile } from "../../../controller/model/plan.ts";
import type { AccountAccess, Store } from "../../../controller/model/ports.ts";
import type { HistoryEntry } from "../../../controller/model/status.ts";
import { type RoleState, targetId } from "../../../controller/model/target.ts";
import { openStore } from "../../../controller/store/sqlite.ts";
import {
	ACCOUNT_ID,
	account,
	allow,
	deny,
	desire,
	doc,
	input,
	observe,
	plan,
	ROLE,
	role,
	roleState,
	wanted,
	wants,
} from "../plan/world.ts";
import { createFakeClock } from "./fake-clock.ts";

const GET = allow("s3:GetObject", "arn:aws:s3:::catalogue/*");
const AS_GIT_SAYS = roleState({ inline: { "ecs-access": doc(GET) } });
const KIM = `arn:aws:sts::${ACCOUNT_ID}:assumed-role/Admin/kim`;
const LEE = `arn:aws:sts::${ACCOUNT_ID}:assumed-role/Ops/lee`;
const US = `arn:aws:sts::${ACCOUNT_ID}:assumed-role/controller/i-1`;
const HINT: Hint = { type: "iam.role", account: ACCOUNT_ID, name: ROLE.name };
const MINUTE = 60_000;

const open: Store[] = [];
afterEach(async () => {
	await Promise.all(open.splice(0).map((s) => s.close()));
});

/** One role, a controller that passes over it, and others that write to it. */
function createWorld(memory: Drifts = createDriftMemory()) {
	const clock = createFakeClock();
	const store = openStore({ path: ":memory:" });
	open.push(store);
	let state: RoleState = AS_GIT_SAYS;
	let queries = 0;
	let passes = 0;
	let events = 0;
	const counted: Store = {
		...store,
		history: (filter) => {
			queries += 1;
			return store.history(filter);
		},
	};
	const fileOf = (p: Plan): PlanFile =>
		({
			plans: [p],
			accounts: [{ account, caller: { accountId: ACCOUNT_ID, arn: US, partition: "aws", alias: null }, error: null }],
			revision: { kind: "commit", id: "3f2a91c" },
		}) as unknown as PlanFile;
	const access = {
		provider: () => ({
			apply: async (step: Plan["steps"][number]) => {
				state = applyCall(state, step.call) ?? state;
				return { result: "applied", requestId: null };
			},
		}),
	} as unknown as AccountAccess;
	const world = {
		clock,
		store,
		memory,
		queries: () => queries,
		state: () => state,
		hand: (change: (s: RoleState) => RoleState) => {
			state = change(state);
		},
		/** An event: who changed the role now, by which call. */
		told: (arn: string, action: string, more: Partial<Culprit> = {}): Culprit => {
			const culprit = {
				arn,
				action,
				at: clock.now(),
				sourceIp: "203.0.113.9",
				userAgent: "aws-cli/2.17",
				eventId: `e${++events}`,
				...more,
			};
			memory.note(HINT, culprit);
			return culprit;
		},
		plan: async (w = wanted(), more: { readonly person?: boolean; readonly memory?: Drifts | null } = {}): Promise<Plan> => {
			const heard = more.memory === undefined ? memory : more.memory;
			const given = input(w, state, {
				person: more.person === true,
				now: clock.now(),
				...(heard !== null && { drifts: heard }),
				last: LAST,
			});
			const [made] = await withDrifts([plan(w, state, given)], given, counted);
			if (made === undefined) throw new Error("one plan in, one out");
			return made;
		},
		/** Plans, records what has drifted, heals it, as `reconcileId`. */
		pass: async (w = wanted(), more: { readonly person?: boolean } = {}): Promise<Plan> => {
			const reconcileId = `pass-${++passes}`;
			const made = await world.plan(w, more);
			const file = fileOf(made);
			const gathered = { instances: [{ instance: { key: made.key }, desired: [desire(w)] }], observed: observe(role(state)) };
			await recordDrift(file, {
				store: counted,
				clock,
				reconcileId,
				memory,
				gathered: new Map([[account.name, gathered]]) as never,
			});
			await execute(
				file,
				{ access: () => access, actor: () => US, store, clock, reconcileId, progress: () => {}, leaseRemaining: () => 60_000 },
				new AbortController().signal,
			);
			return made;
		},
		drifted: async (): Promise<readonly HistoryEntry[]> =>
			(await store.history({ limit: 1000 })).filter((e) => e.event === "drifted").toReversed(),
	};
	return world;
}

/** What was applied last is what git says now: what differs was done by a hand. */
const LAST = new Map([
	[
		targetId(ROLE),
		{
			target: ROLE,
			applied: { inline: doc(GET), managedPolicies: [], permissionsBoundary: null, trust: AS_GIT_SAYS.trust, tags: {} },
			appliedAt: "2026-11-24T08:00:00Z",
		},
	],
]);

function quickFix(s: RoleState): RoleState {
	return { ...s, inline: { ...s.inline, "quick-fix": doc(allow("*")) } };
}

describe("a drift", () => {
	test("is recorded once, with what changed, since when and by whom, before what was done about it", async () => {
		const world = createWorld();
		world.hand(quickFix);
		const kim = world.told(KIM, "iam:PutRolePolicy");
		await world.clock.advance(5_000);
		const made = await world.pass();
		expect(made.drifts).toMatchObject([{ part: 'inline policy "quick-fix"', since: "2026-11-24T09:00:00Z", culprit: kim }]);
		const entries = (await world.store.history({ limit: 10 })).toReversed();
		expect(entries.map((e) => [e.event, e.culprit?.arn, e.drift?.part])).toEqual([
			["drifted", KIM, 'inline policy "quick-fix"'],
			["intended", KIM, 'inline policy "quick-fix"'],
			["applied", KIM, 'inline policy "quick-fix"'],
		]);
		expect(entries[0]).toMatchObject({
			at: "2026-11-24T09:00:05Z",
			since: "2026-11-24T09:00:00Z",
			before: null,
			after: { Statement: [{ Action: ["*"] }] },
			outcome: 'inline policy "quick-fix" was added',
			api: null,
		});
		expect(world.state()).toEqual(AS_GIT_SAYS);
	});

	test("that stands is recorded once, however often it is looked at, and known to who starts anew", async () => {
		const world = createWorld();
		const reported = wanted({ drift: "Report" });
		world.hand((s) => ({ ...s, inline: {} }));
		world.told(KIM, "iam:DeleteRolePolicy");
		for (let n = 0; n < 3; n++) {
			await world.pass(reported);
			await world.clock.advance(10 * MINUTE);
		}
		expect(await world.drifted()).toHaveLength(1);
		expect(world.queries()).toBe(1);
		const anew = await world.plan(reported, { memory: null });
		expect(anew.drifts).toMatchObject([{ since: "2026-11-24T09:00:00Z", culprit: { arn: KIM }, recorded: true }]);
	});

	test("that came again after it was healed is another one", async () => {
		const world = createWorld();
		for (let n = 0; n < 2; n++) {
			world.hand(quickFix);
			world.told(KIM, "iam:PutRolePolicy");
			await world.pass();
			await world.clock.advance(30 * MINUTE);
		}
		expect((await world.drifted()).map((e) => e.since)).toEqual(["2026-11-24T09:00:00Z", "2026-11-24T09:30:00Z"]);
	});

	test("names nobody whose call cannot have done it, and nobody twice", async () => {
		const world = createWorld();
		world.told(LEE, "iam:TagRole");
		world.hand(quickFix);
		world.told(KIM, "iam:PutRolePolicy");
		await world.pass();
		await world.clock.advance(MINUTE);
		world.hand(quickFix);
		const second = await world.pass();
		expect(second.drifts).toMatchObject([{ culprit: null, since: "2026-11-24T09:01:00Z" }]);
	});

	test("is named after each of those who changed a part", async () => {
		const world = createWorld();
		world.hand((s) => ({ ...quickFix(s), trust: doc() }));
		world.told(KIM, "iam:PutRolePolicy");
		world.told(LEE, "iam:UpdateAssumeRolePolicy");
		const { drifts } = await world.pass();
		expect(Object.fromEntries(drifts?.map((d) => [d.part, d.culprit?.arn]) ?? [])).toEqual({
			'inline policy "quick-fix"': KIM,
			"trust policy": LEE,
		});
	});

	test("is named when the event comes after it was seen, and once when it comes after it was healed", async () => {
		const world = createWorld();
		const held = roleState({ tags: { ...AS_GIT_SAYS.tags, "ecs-access.dev/hold-until": "2027-01-01T00:00:00Z" } });
		world.hand((s) => quickFix({ ...s, tags: held.tags }));
		const at = world.clock.now();
		await world.clock.advance(5_000);
		await world.pass();
		expect((await world.drifted()).map((e) => e.culprit?.arn)).toEqual([undefined]);
		world.told(KIM, "iam:PutRolePolicy", { at });
		await world.pass();
		expect((await world.drifted()).map((e) => [e.why, e.since, e.culprit?.arn])).toEqual([
			["drifted", "2026-11-24T09:00:05Z", undefined],
			["drifted", at, KIM],
		]);
		world.hand(() => AS_GIT_SAYS);
		world.hand((s) => ({ ...s, trust: doc() }));
		await world.pass();
		await world.clock.advance(20_000);
		world.told(LEE, "iam:UpdateAssumeRolePolicy", { at });
		await world.pass();
		await world.pass();
		expect((await world.drifted()).slice(2).map((e) => [e.drift?.part, e.why, e.culprit?.arn])).toEqual([
			["trust policy", "drifted", undefined],
			["trust policy", "named", LEE],
		]);
	});

	test("is never blamed on our own call, and never hidden by who pretends to be us", async () => {
		const world = createWorld();
		world.hand(quickFix);
		await world.pass();
		const agent = "aws-sdk-js/3 ecs-access/0.1.0 reconcile/pass-1 revision/3f2a91c";
		world.told(US.replace("i-1", "i-2"), "iam:DeleteRolePolicy", { userAgent: agent });
		world.hand(quickFix);
		expect((await world.plan()).drifts).toMatchObject([{ culprit: null }]);
		world.told(KIM, "iam:PutRolePolicy", { userAgent: agent });
		expect((await world.plan()).drifts).toMatchObject([{ culprit: { arn: KIM } }]);
		// Who acts as us without being us.
		world.told(US, "iam:PutRolePolicy", { userAgent: "aws-cli/2.17" });
		expect((await world.plan()).drifts).toMatchObject([{ culprit: { arn: US } }]);
	});

	test("costs a plan without drift no look at the history", async () => {
		const world = createWorld();
		expect((await world.plan()).drifts).toBeUndefined();
		expect(world.queries()).toBe(0);
	});
});

describe("the memory of events", () => {
	test("holds the last of each target, each once, and no more targets than it may", () => {
		const memory = createDriftMemory();
		const culprit = (eventId: string): Culprit => ({
			arn: KIM,
			at: "2026-11-24T09:00:00Z",
			sourceIp: null,
			userAgent: null,
			action: "iam:TagRole",
			eventId,
		});
		for (let n = 0; n < 5_000; n++) memory.note({ ...HINT, name: `role-${n}` }, culprit(`e${n}`));
		expect(memory.heard.size).toBe(2_000);
		expect(memory.heard.has(targetId({ ...ROLE, name: "role-4999" }))).toBe(true);
		for (let n = 0; n < 50; n++) memory.note(HINT, culprit(`f${n % 40}`));
		expect(
			memory.heard
				.get(targetId(ROLE))
				?.map((c) => c.eventId)
				.slice(-2),
		).toEqual(["f8", "f9"]);
		expect(memory.heard.get(targetId(ROLE))).toHaveLength(16);
		memory.note({ type: "source" }, culprit("g"));
		memory.note(HINT, null);
		expect(memory.heard.size).toBe(2_000);
	});
});

describe("a role that somebody changes back each time", () => {
	/** So often, so many minutes apart. */
	async function fought(rounds: number, minutes: number) {
		const world = createWorld();
		const passes: Plan[] = [];
		for (let n = 0; n < rounds; n++) {
			if (n > 0) await world.clock.advance(minutes * MINUTE);
			world.hand(quickFix);
			world.told(LEE, "iam:PutRolePolicy");
			passes.push(await world.pass());
		}
		return { ...world, passes };
	}
	const waits = (p: Plan | undefined): readonly string[] =>
		(p?.steps ?? []).map((s) => (s.state === "ready" ? "ready" : s.state.waiting));

	test("is healed three times within ten minutes, and then left, with the rival's name", async () => {
		const { passes, ...world } = await fought(4, 3);
		expect(passes.map(waits)).toEqual([["ready"], ["ready"], ["ready"], ["contested"]]);
		expect(world.state()).toEqual(quickFix(AS_GIT_SAYS));
		expect(passes[3]?.steps[0]?.state).toMatchObject({
			detail: expect.stringContaining(`${LEE} has changed inline policy "quick-fix" back 3 times since 2026-11-24T09:03:00Z`),
			command: "ecs-access apply --only AccessPolicy/orders-api",
		});
		expect(passes[3]?.findings.map((f) => f.id)).toContain("Contested");
		await world.clock.advance(30 * MINUTE);
		expect(waits(await world.pass())).toEqual(["contested"]);
	});

	test("is healed on where it takes longer than that", async () => {
		const { passes } = await fought(8, 6);
		expect(passes.every((p) => waits(p).every((w) => w === "ready"))).toBe(true);
	});

	test("is healed once more when nothing was changed for an hour, and left at once when it is changed back again", async () => {
		const world = await fought(4, 1);
		await world.clock.advance(61 * MINUTE);
		expect(waits(await world.pass())).toEqual(["ready"]);
		await world.clock.advance(20 * MINUTE);
		world.hand(quickFix);
		expect(waits(await world.pass())).toEqual(["contested"]);
		await world.clock.advance(61 * MINUTE);
		expect(waits(await world.pass())).toEqual(["ready"]);
		await world.clock.advance(61 * MINUTE);
		world.hand(quickFix);
		expect(waits(await world.pass())).toEqual(["ready"]);
	});

	test("is healed by a person, who is told of it, and after that as at the beginning", async () => {
		const world = await fought(4, 1);
		const byHand = await world.pass(wanted(), { person: true });
		expect(waits(byHand)).toEqual(["ready"]);
		expect(byHand.findings.map((f) => f.id)).toContain("Contested");
		await world.clock.advance(MINUTE);
		world.hand(quickFix);
		expect(waits(await world.pass())).toEqual(["ready"]);
	});

	test("gets what git says anew, and that ends it", async () => {
		const world = await fought(4, 1);
		const more = wanted({ statements: [wants(GET), wants(allow("s3:ListBucket"))] });
		expect(waits(await world.pass(more))).toContain("ready");
		expect(waits(await world.plan(more))).toEqual(["ready"]);
	});

	test("is not contested for being changed in another place each time", async () => {
		const world = createWorld();
		for (let n = 0; n < 6; n++) {
			world.hand((s) => ({ ...s, inline: { ...s.inline, [`fix-${n}`]: doc(allow("*")) } }));
			expect(waits(await world.pass())).toEqual(["ready"]);
			await world.clock.advance(MINUTE);
		}
	});

	test("keeps waiting for an approval where a Deny was added", async () => {
		const world = createWorld();
		for (let n = 0; n < 5; n++) {
			world.hand((s) => ({ ...quickFix(s), inline: { ...quickFix(s).inline, stop: doc(deny("*")) } }));
			const made = await world.pass();
			expect(waits(made)).toContain("approval");
			await world.clock.advance(MINUTE);
		}
		expect((await world.drifted()).filter((e) => e.drift?.part === 'inline policy "stop"')).toHaveLength(1);
	});
});
