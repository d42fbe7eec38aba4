import { describe, expect, test } from "vitest";
import { type Check, type CheckId, failed, ok, runChecks, skipped, warning } from "../../../controller/engine/doctor.ts";
import { checksOf, type Patient } from "../../../controller/engine/doctor-checks.ts";
import type { DoctorAccount, QueueDepth, Quotas, TriedCall } from "../../../controller/model/doctor.ts";
import { TerminalError } from "../../../controller/model/errors.ts";
import type { PlanFile } from "../../../controller/model/plan.ts";
import type { AccountAccess } from "../../../controller/model/ports.ts";
import { accountOf } from "../../account.ts";
import { createFakeClock } from "./fake-clock.ts";

const signal = new AbortController().signal;

describe("checks", () => {
	const check = (id: CheckId, account: string | null, needs: readonly CheckId[], run: Check["run"]): Check => ({
		id,
		account,
		needs,
		run,
	});

	test("are answered in their order, though the last is done first", async () => {
		let last: () => void = () => {};
		const done = new Promise<void>((resolve) => {
			last = resolve;
		});
		const answers = await runChecks(
			[
				check("clock", null, [], () => done.then(() => ok("first"))),
				check("git", null, [], async () => {
					last();
					return ok("second");
				}),
			],
			{},
			signal,
		);
		expect(answers.map((a) => a.message)).toEqual(["first", "second"]);
	});

	test("are skipped where what they need has failed or was skipped, of their account and not of another", async () => {
		let runs = 0;
		const counted = async () => {
			runs += 1;
			return ok("looked");
		};
		const answers = await runChecks(
			[
				check("store", null, [], async () => warning("odd")),
				check("credentials", "a", [], async () => failed("wrong", "correct it")),
				check("credentials", "b", [], async () => ok("right")),
				check("triggers", "a", ["credentials"], counted),
				check("queue", "a", ["triggers"], counted),
				check("triggers", "b", ["credentials", "store"], counted),
			],
			{},
			signal,
		);
		expect(answers.map((a) => a.result)).toEqual(["warning", "failed", "ok", "skipped", "skipped", "ok"]);
		expect(answers[4]?.message).toBe("needs triggers");
		expect(runs).toBe(1);
	});

	test("that throw have failed, with all that the error says in one line and what to do", async () => {
		const [answer, other] = await runChecks(
			[
				check("git", null, [], async () => {
					throw new TerminalError("X", "could not fetch\nAWS: AccessDenied", { fix: "allow it" });
				}),
				check("clock", null, [], async () => {
					throw new Error("broken");
				}),
			],
			{},
			signal,
		);
		expect(answer).toMatchObject({ result: "failed", message: "could not fetch; AWS: AccessDenied", fix: "allow it" });
		expect(other).toMatchObject({ result: "failed", message: "broken", fix: expect.stringContaining("doctor again") });
	});

	test("end with the abort and no answer", async () => {
		const stop = new AbortController();
		const reason = new Error("Ctrl-C");
		const running = runChecks(
			[
				check("clock", null, [], async (s) => {
					stop.abort(reason);
					s.throwIfAborted();
					return skipped("never");
				}),
			],
			{},
			stop.signal,
		);
		await expect(running).rejects.toBe(reason);
	});
});

const account = accountOf("123456789012");

interface World {
	readonly serverAhead?: number;
	readonly tried?: readonly TriedCall[];
	readonly quotas?: Partial<Quotas>;
	readonly queue?: Partial<QueueDepth> | null;
	readonly dead?: number;
	readonly file?: Partial<PlanFile>;
	readonly mode?: "Observe";
}

async function answers(world: World) {
	const clock = createFakeClock();
	const doctor = {
		serverTime: async () => clock.millis() + (world.serverAhead ?? 0) * 1000,
		tryReads: async () => world.tried ?? [{ action: "iam:GetRole", outcome: "allowed", said: null }],
		quotas: async () => ({
			roles: 1,
			rolesQuota: 1000,
			inlineSize: 10_240,
			trustSize: 2048,
			attachments: 10,
			...world.quotas,
		}),
		queue: async (name: string) => {
			if (name.endsWith("-dead")) return { messages: world.dead ?? 0, kmsKey: null };
			return world.queue === null ? null : { messages: 0, kmsKey: null, ...world.queue };
		},
	} as unknown as DoctorAccount;
	const access = {
		caller: async () => ({ accountId: "123456789012", arn: "arn:aws:iam::123456789012:user/kim", partition: "aws", alias: null }),
	} as unknown as AccountAccess;
	const file = {
		accounts: [{ account, caller: null, error: null }],
		plans: [],
		findings: [],
		request: { prune: false },
		...world.file,
	};
	const patient: Patient = {
		clock,
		source: "policies @ 6ca77bf",
		mistakes: [],
		view: { ofKind: () => [] } as unknown as Patient["view"],
		spec: world.mode === undefined ? { mode: "Enforce" } : { mode: world.mode },
		accounts: [{ account, access, doctor }],
		home: () => ({ account, accountId: "123456789012", region: "eu-west-1", queue: "ecs-access-main", bus: "default" }),
		git: null,
		store: { name: "state.sqlite", problems: null, open: async () => null, holder: async () => null },
		triggers: async () => ({ of: "triggers", ...file }) as unknown as PlanFile,
		canary: null,
	};
	const all = await runChecks(checksOf(patient), {}, signal);
	return (id: CheckId) => all.find((c) => c.id === id);
}

describe("an installation", () => {
	test("whose clock is off by up to a minute is well, and beyond that not, in either direction", async () => {
		for (const [ahead, result] of [
			[0, "ok"],
			[59, "ok"],
			[62, "failed"],
			[-59, "ok"],
			[-62, "failed"],
		] as const) {
			expect((await answers({ serverAhead: ahead }))("clock"), `${ahead}`).toMatchObject({ result });
		}
		expect((await answers({ serverAhead: 300 }))("clock")?.message).toContain("is 301 s behind AWS");
	});

	test("names each read that is refused and what it is for; what only some need is a warning", async () => {
		const denied = (action: TriedCall["action"]): TriedCall => ({ action, outcome: "denied", said: "no" });
		const needed = (await answers({ tried: [denied("iam:GetRole"), denied("iam:ListAccountAliases")] }))("permissions");
		expect(needed).toMatchObject({ result: "failed", message: "1 of 2 reads are refused: iam:GetRole (to read one role)" });
		const optional = (await answers({ tried: [denied("ecs:ListServiceDeployments")] }))("permissions");
		expect(optional).toMatchObject({ result: "warning", message: expect.stringContaining("binding: Enforce only") });
		const unclear = (await answers({ tried: [{ action: "iam:GetRole", outcome: "unclear", said: "NotImplemented: x" }] }))(
			"permissions",
		);
		expect(unclear).toMatchObject({ result: "warning", message: expect.stringContaining("NotImplemented") });
	});

	test("is warned before there is no room for roles, and fails when there is none", async () => {
		const results = await Promise.all(
			[899, 900, 1000].map(async (roles) => (await answers({ quotas: { roles } }))("quotas")?.result),
		);
		expect(results).toEqual(["ok", "warning", "failed"]);
		expect((await answers({ quotas: { roles: undefined } }))("quotas")?.result).toBe("warning");
	});

	test("hears nothing by a queue with a key that EventBridge may not use", async () => {
		expect((await answers({ queue: { kmsKey: "alias/aws/sqs" } }))("queue")).toMatchObject({
			result: "failed",
			fix: expect.stringContaining("SSE-SQS"),
		});
		expect((await answers({ queue: { kmsKey: "alias/events" } }))("queue")?.result).toBe("ok");
	});

	test("without a queue has no dead letters to look at; a full one means that nobody listens", async () => {
		const missing = await answers({ queue: null });
		expect([missing("queue")?.result, missing("dead-letters")?.result]).toEqual(["failed", "skipped"]);
		expect((await answers({ queue: { messages: 1_000 } }))("queue")?.result).toBe("warning");
		expect((await answers({ dead: 2 }))("dead-letters")).toMatchObject({
			result: "warning",
			message: expect.stringContaining("2 messages"),
		});
	});

	test("whose account triggers could not read says why, and one in Observe what that means", async () => {
		const at = { accounts: [{ account, caller: null, error: "could not read rule x\nAWS: AccessDenied" }] };
		expect((await answers({ file: at }))("triggers")).toMatchObject({
			result: "failed",
			message: "could not read rule x; AWS: AccessDenied",
		});
		expect((await answers({ mode: "Observe" }))("mode")?.message).toContain("writes nothing");
	});
});
