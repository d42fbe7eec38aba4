import { describe, expect, test } from "vitest";
import { createCalls } from "../../../controller/aws/call.ts";
import { createLimiter } from "../../../controller/aws/limiter.ts";
import type { Clock } from "../../../controller/model/ports.ts";

const signal = new AbortController().signal;

/** Time that passes only by sleeping. */
function virtualClock(): Clock & { readonly slept: number[] } {
	let now = 1_000_000;
	const slept: number[] = [];
	return {
		slept,
		now: () => new Date(now).toISOString(),
		millis: () => now,
		sleep: async (ms, s) => {
			s.throwIfAborted();
			slept.push(ms);
			now += ms;
		},
	};
}

const throttle = (): Error => Object.assign(new Error("Rate exceeded"), { name: "Throttling", $metadata: { attempts: 2 } });

describe("the limiter", () => {
	test("lets a burst through without waiting", async () => {
		const clock = virtualClock();
		const limiter = createLimiter(clock);
		await Promise.all(Array.from({ length: 50 }, () => limiter.run("ecs-read", async () => {}, signal)));
		expect(clock.slept).toEqual([]);
	});

	test("spaces what comes after a burst by the rate", async () => {
		const clock = virtualClock();
		const limiter = createLimiter(clock);
		const before = clock.millis();
		for (let n = 0; n < 130; n++) await limiter.run("iam-write", async () => {}, signal);
		// 30 at once, then 100 at 10 a second rising by one a second: well over 5 s, and not over 10.
		expect(clock.millis() - before).toBeGreaterThan(5_000);
		expect(clock.millis() - before).toBeLessThanOrEqual(10_000);
	});

	test("halves on a throttle, once for throttles that come together, and recovers by one a second", async () => {
		const clock = virtualClock();
		const limiter = createLimiter(clock);
		limiter.throttled("iam-read");
		limiter.throttled("iam-read");
		limiter.throttled("iam-read");
		expect(limiter.rates()["iam-read"]).toBe(10);
		expect(limiter.rates()["iam-write"]).toBe(10);
		await clock.sleep(1_000, signal);
		limiter.throttled("iam-read");
		expect(limiter.rates()["iam-read"]).toBe(5);
		for (let n = 0; n < 3; n++) {
			await clock.sleep(1_000, signal);
			await limiter.run("iam-read", async () => {}, signal);
		}
		expect(limiter.rates()["iam-read"]).toBe(8);
	});

	test("never falls to a standstill and never rises beyond its ceiling", async () => {
		const clock = virtualClock();
		const limiter = createLimiter(clock);
		for (let n = 0; n < 20; n++) {
			await clock.sleep(1_000, signal);
			limiter.throttled("iam-write");
		}
		expect(limiter.rates()["iam-write"]).toBe(0.5);
		for (let n = 0; n < 100; n++) {
			await clock.sleep(1_000, signal);
			await limiter.run("iam-write", async () => {}, signal);
		}
		expect(limiter.rates()["iam-write"]).toBe(20);
	});

	test("keeps the lanes apart, and no more calls in flight than a lane takes", async () => {
		const limiter = createLimiter(virtualClock());
		let inFlight = 0;
		let most = 0;
		const held = Promise.withResolvers<void>();
		const calls = Array.from({ length: 40 }, () =>
			limiter.run(
				"ecs-read",
				async () => {
					most = Math.max(most, ++inFlight);
					await held.promise;
					inFlight--;
				},
				signal,
			),
		);
		await limiter.run("iam-read", async () => {}, signal);
		held.resolve();
		await Promise.all(calls);
		expect(most).toBe(16);
	});

	test("gives up its place in the queue when it is aborted", async () => {
		const limiter = createLimiter(virtualClock());
		const stop = new AbortController();
		stop.abort(new Error("interrupted"));
		await expect(limiter.run("other", async () => {}, stop.signal)).rejects.toThrow("interrupted");
	});
});

describe("a call", () => {
	const calls = (answers: (() => Promise<unknown>)[], clock = virtualClock()) => {
		let sent = 0;
		const made = createCalls({
			clients: {
				send: async () => {
					const answer = answers[Math.min(sent++, answers.length - 1)];
					return (await answer?.()) as never;
				},
			},
			limiter: createLimiter(clock),
			clock,
			random: () => 0.5,
			account: () => "123456789012",
			caller: () => null,
			rolePath: "/",
		});
		return { ...made, sent: () => sent, clock };
	};
	const reject = (error: unknown) => () => Promise.reject(error);
	const answer = async () => ({ $metadata: { attempts: 1 } });
	const reset = Object.assign(new Error("socket hang up"), {
		name: "TimeoutError",
		code: "ECONNRESET",
		$metadata: { attempts: 2 },
	});

	test("that is throttled is sent again, later each time, and every attempt is counted", async () => {
		const { call, counts, clock } = calls([reject(throttle()), reject(throttle()), reject(throttle()), answer]);
		await call("iam:PutRolePolicy", "global", { RoleName: "r", PolicyName: "p", PolicyDocument: "{}" }, signal);
		expect(counts().get("iam:PutRolePolicy")).toBe(7);
		expect(clock.slept.filter((ms) => [500, 1_000, 2_000].includes(ms))).toEqual([500, 1_000, 2_000]);
	});

	test("that reads is sent again after a failure on the way; one that writes is not, since it may have been carried out", async () => {
		const read = calls([reject(reset), answer]);
		await read.call("iam:GetRole", "global", { RoleName: "r" }, signal);
		expect(read.sent()).toBe(2);
		const write = calls([reject(reset), answer]);
		await expect(write.call("iam:DeleteRole", "global", { RoleName: "r" }, signal)).rejects.toMatchObject({ name: "AwsError" });
		expect(write.sent()).toBe(1);
	});

	test("that is refused is not sent again", async () => {
		const { call, sent } = calls([reject(Object.assign(new Error("no"), { name: "AccessDenied" }))]);
		await expect(call("iam:GetRole", "global", { RoleName: "r" }, signal)).rejects.toMatchObject({ reason: "AccessDenied" });
		expect(sent()).toBe(1);
	});

	test("that asks who we are, where nobody answers, fails in seconds", async () => {
		const refused = Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED" });
		for (const [error, most] of [
			[refused, 2],
			[reset, 2],
			[Object.assign(new Error("no page here"), { name: "NotFound", $metadata: { httpStatusCode: 404 } }), 3],
		] as const) {
			const { call, sent, clock } = calls([reject(error)]);
			const before = clock.millis();
			await expect(call("sts:GetCallerIdentity", "eu-west-1", {}, signal)).rejects.toMatchObject({ name: "AwsError" });
			expect(sent()).toBe(most);
			expect(clock.millis() - before).toBeLessThan(5_000);
		}
		const throttled = calls([reject(throttle()), reject(throttle()), reject(throttle()), answer]);
		await throttled.call("sts:GetCallerIdentity", "eu-west-1", {}, signal);
		expect(throttled.sent()).toBe(4);
	});

	test("to what is no URL is not sent again, and says which setting is wrong", async () => {
		const { call, sent } = calls([reject(Object.assign(new TypeError("Invalid URL"), { code: "ERR_INVALID_URL" }))]);
		await expect(call("sts:GetCallerIdentity", "eu-west-1", {}, signal)).rejects.toMatchObject({
			reason: "InvalidEndpoint",
			fix: expect.stringContaining("AWS_ENDPOINT_URL"),
		});
		expect(sent()).toBe(1);
	});

	test("ends before its deadline even when AWS throttles for ever", async () => {
		const { call, clock } = calls([reject(throttle())]);
		const before = clock.millis();
		await expect(call("iam:DeleteRole", "global", { RoleName: "r" }, signal)).rejects.toMatchObject({ reason: "Throttled" });
		expect(clock.millis() - before).toBeLessThanOrEqual(60_000);
	});
});
