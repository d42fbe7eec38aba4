import { describe, expect, it } from "vitest";
import { createCalls } from "../../../controller/aws/call.ts";
import type { Clients } from "../../../controller/aws/clients.ts";
import { createLimiter } from "../../../controller/aws/limiter.ts";
import { createFakeClock } from "../engine/fake-clock.ts";

/** AWS that answers as it is told, one answer a call, each after 50 ms. */
function world(answers: readonly (object | Error)[]) {
	const clock = createFakeClock();
	const told: string[] = [];
	const left = [...answers];
	const clients = {
		send: async () => {
			await clock.sleep(50, new AbortController().signal);
			const next = left.shift() ?? {};
			if (next instanceof Error) throw next;
			return next;
		},
	} as unknown as Clients;
	const { call } = createCalls({
		clients,
		limiter: createLimiter(clock),
		clock,
		random: () => 0.5,
		account: () => "123456789012",
		caller: () => null,
		rolePath: "/",
		observeCall: (op, outcome, ms, requests) => void told.push(`${op} ${outcome} ${ms} ${requests}`),
	});
	return { clock, told, call };
}

const throttle = Object.assign(new Error("Rate exceeded"), { name: "ThrottlingException", $metadata: { attempts: 2 } });
const denied = Object.assign(new Error("no"), { name: "AccessDeniedException", $metadata: { attempts: 1, httpStatusCode: 403 } });

describe("a call to AWS is told of", () => {
	it("each attempt by itself, without the time that it waited for its turn", async () => {
		const { clock, told, call } = world([throttle, { $metadata: { attempts: 1 } }]);
		const done = call("iam:GetRole", "global", { RoleName: "a" }, new AbortController().signal);
		await clock.advance(60_000);
		await done;
		expect(told).toEqual(["iam:GetRole throttled 50 2", "iam:GetRole ok 50 1"]);
	});

	it("when there is no answer, or none that counts", async () => {
		const broken = Object.assign(new Error("oops"), { name: "ServiceFailure", $metadata: { attempts: 2, httpStatusCode: 500 } });
		const { clock, told, call } = world([broken, { $metadata: { attempts: 1 } }]);
		const done = call("iam:GetRole", "global", { RoleName: "a" }, new AbortController().signal);
		await clock.advance(60_000);
		await done;
		expect(told).toEqual(["iam:GetRole error 50 2", "iam:GetRole ok 50 1"]);
	});

	it("when it is refused", async () => {
		const { clock, told, call } = world([denied]);
		const done = call("iam:GetRole", "global", { RoleName: "a" }, new AbortController().signal).catch((e: Error) => e);
		await clock.advance(60_000);
		expect(await done).toBeInstanceOf(Error);
		expect(told).toEqual(["iam:GetRole refused 50 1"]);
	});

	it("not when it was called off before its turn came", async () => {
		const { told, call } = world([]);
		await expect(call("iam:GetRole", "global", { RoleName: "a" }, AbortSignal.abort(new Error("stop")))).rejects.toThrow("stop");
		expect(told).toEqual([]);
	});
});
