import { describe, expect, test } from "vitest";
import { type CanaryDeps, runCanary } from "../../../controller/engine/doctor-canary.ts";
import type { DoctorAccount, TriedCall } from "../../../controller/model/doctor.ts";
import { ConflictError } from "../../../controller/model/errors.ts";
import { accountOf } from "../../account.ts";
import { createFakeClock } from "./fake-clock.ts";

const HOME = "123456789012";
const SPOKE = "210987654321";

interface World {
	/** Tags of an account after which its event comes; 0: never. */
	readonly comesAfter?: Readonly<Record<string, number>>;
	readonly refusedWrites?: readonly TriedCall[];
	readonly openFails?: Error;
	readonly removeFails?: Error;
	/** Tags that fail because the role is not yet known. */
	readonly unknownFor?: number;
	readonly onHear?: () => void;
	readonly spoke?: Partial<Parameters<typeof accountOf>[1]>;
}

function event(account: string, nonce: string, role = "ecs-access-canary-main"): string {
	return JSON.stringify({
		id: `event-${nonce}`,
		source: "aws.iam",
		"detail-type": "AWS API Call via CloudTrail",
		account,
		region: "us-east-1",
		time: "2026-11-24T09:00:00Z",
		resources: [],
		detail: {
			eventName: "TagRole",
			eventSource: "iam.amazonaws.com",
			requestParameters: { roleName: role, tags: [{ key: "ecs-access.dev/canary", value: nonce }] },
		},
	});
}

function world(options: World = {}) {
	const still = createFakeClock();
	// Who sleeps is alone: time passes for nobody else.
	const clock = { ...still, sleep: (ms: number) => still.advance(ms) };
	const done: string[] = [];
	const coming: string[] = [];
	let unknown = options.unknownFor ?? 0;
	const doctorOf = (id: string): DoctorAccount => {
		let tags = 0;
		return {
			canary: {
				make: async () => {
					done.push(`make ${id}`);
					return "arn";
				},
				tag: async (_: string, nonce: string) => {
					if (unknown-- > 0) throw new ConflictError("there is no role");
					tags += 1;
					done.push(`tag ${id}`);
					const after = options.comesAfter?.[id] ?? 1;
					if (after !== 0 && tags >= after) coming.push(event(id, nonce));
				},
				tryWrites: async () => options.refusedWrites ?? [{ action: "iam:PutRolePolicy", outcome: "allowed", said: null }],
				remove: async () => {
					if (options.removeFails !== undefined) throw options.removeFails;
					done.push(`remove ${id}`);
				},
			},
			listener: {
				open: async () => {
					if (options.openFails !== undefined) throw options.openFails;
					done.push("open");
				},
				hear: async (_: unknown, wait: number) => {
					options.onHear?.();
					if (coming.length > 0) return coming.splice(0);
					await clock.sleep(wait * 1000);
					// What others did, and what came twice or late, counts for nothing.
					return [event(id, "of-long-ago"), event(id, "x", "orders-task"), "no event"];
				},
				close: async () => {
					done.push("close");
				},
			},
		} as unknown as DoctorAccount;
	};
	const home = accountOf(HOME, { region: "us-east-1" });
	const spoke = accountOf(SPOKE, { name: "spoke", ...options.spoke });
	const at = doctorOf(HOME);
	const deps: CanaryDeps = {
		installation: "main",
		home: { account: home, accountId: HOME, region: "us-east-1", queue: "ecs-access-main", bus: "default" },
		at,
		accounts: [
			{ account: home, doctor: at },
			{ account: spoke, doctor: doctorOf(SPOKE) },
		],
		waitSeconds: 60,
		keep: false,
		clock,
		progress: () => {},
	};
	return { deps, done, clock };
}

const signal = new AbortController().signal;

describe("a canary", () => {
	test("is sent to each account, heard of from each, and taken away", async () => {
		const { deps, done } = world();
		const outcome = await runCanary(deps, signal);
		expect([...outcome].map(([name, o]) => [name, o.events.result, o.writes.result])).toEqual([
			["prod", "ok", "ok"],
			["spoke", "ok", "ok"],
		]);
		expect(done.filter((d) => /close|remove/.test(d)).toSorted()).toEqual(["close", `remove ${HOME}`, `remove ${SPOKE}`]);
	});

	test("sings again where a new rule did not hear it at first, in that account alone", async () => {
		const { deps, done } = world({ comesAfter: { [SPOKE]: 3 } });
		const outcome = await runCanary(deps, signal);
		expect(outcome.get("spoke")?.events.result).toBe("ok");
		expect(done.filter((d) => d === `tag ${HOME}`)).toHaveLength(1);
		expect(done.filter((d) => d === `tag ${SPOKE}`)).toHaveLength(3);
	});

	test("of which nothing comes names the account, the region of its trail and what forwards, and not another's event", async () => {
		const { deps, done, clock } = world({ comesAfter: { [SPOKE]: 0 } });
		const began = clock.millis();
		const outcome = await runCanary(deps, signal);
		expect(outcome.get("prod")?.events.result).toBe("ok");
		expect(outcome.get("spoke")?.events).toMatchObject({
			result: "failed",
			message: expect.stringContaining("in 60 s"),
			fix: expect.stringMatching(new RegExp(`account ${SPOKE}.* in us-east-1, and ecs-access triggers plan`)),
		});
		expect(clock.millis() - began).toBeGreaterThanOrEqual(60_000);
		expect(done).toContain(`remove ${SPOKE}`);
	});

	test("waits for its role to be known", async () => {
		const { deps } = world({ unknownFor: 3 });
		expect((await runCanary(deps, signal)).get("prod")?.events.result).toBe("ok");
	});

	test("still tries writes where it cannot listen, and the other way round", async () => {
		const deaf = await runCanary(world({ openFails: new Error("no queue for you") }).deps, signal);
		expect(deaf.get("prod")).toMatchObject({
			events: { result: "failed", message: "no queue for you" },
			writes: { result: "ok" },
		});
		const refused: TriedCall = { action: "iam:PutRolePolicy", outcome: "denied", said: "not authorized" };
		const mute = await runCanary(world({ refusedWrites: [refused] }).deps, signal);
		expect(mute.get("prod")).toMatchObject({
			events: { result: "ok" },
			writes: { result: "failed", message: "iam:PutRolePolicy is refused: not authorized" },
		});
	});

	test("that cannot be taken away is named", async () => {
		const outcome = await runCanary(world({ removeFails: new Error("iam:DeleteRole is refused") }).deps, signal);
		expect(outcome.get("prod")?.writes).toMatchObject({
			result: "warning",
			message: expect.stringContaining("left behind: role ecs-access-canary-main in prod: iam:DeleteRole is refused"),
		});
	});

	test("is taken away also after an interruption", async () => {
		const stop = new AbortController();
		const reason = new Error("Ctrl-C");
		const { deps, done } = world({
			onHear: () => {
				stop.abort(reason);
				throw reason;
			},
		});
		await expect(runCanary(deps, stop.signal)).rejects.toBe(reason);
		expect(done.filter((d) => /close|remove/.test(d)).toSorted()).toEqual(["close", `remove ${HOME}`, `remove ${SPOKE}`]);
	});

	test("is not waited for where no event can come from", async () => {
		const { deps, done } = world({ spoke: { partition: "aws-cn", region: "cn-north-1" } });
		const outcome = await runCanary(deps, signal);
		expect(outcome.get("spoke")?.events).toMatchObject({ result: "skipped", message: "no event goes from aws-cn to aws" });
		expect(done).not.toContain(`tag ${SPOKE}`);
	});

	test("stays where it is asked to", async () => {
		const { deps, done } = world();
		await runCanary({ ...deps, keep: true }, signal);
		expect(done.filter((d) => /close|remove/.test(d))).toEqual([]);
	});
});
