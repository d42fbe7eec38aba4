import fc from "fast-check";
import { afterEach, describe, expect, test } from "vitest";
import { createExpiryTimers, datesOf, type ExpiryDeps, nextMoments } from "../../../controller/engine/expiry.ts";
import type { Pause } from "../../../controller/model/halt.ts";
import { catalog, DEV, doc, type Files, PROD, policy } from "../kinds/world.ts";
import { createFakeClock, type FakeClock } from "./fake-clock.ts";

const START = Date.parse("2026-11-24T09:00:00Z");
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

const ALLOW = 'actions: [s3:GetObject], resources: ["arn:aws:s3:::x/*"]';
const statement = (expiresAt: string): string => `- { ${ALLOW}, expiresAt: "${expiresAt}" }`;

function moments(files: Files): readonly string[] {
	return nextMoments(datesOf(catalog(files)), START).map((m) => `${new Date(m.at).toISOString().slice(0, 16)} ${m.key}`);
}

describe("the moments of a catalog", () => {
	test("are the ends of statements, its own and those of the sets it uses, and of its grants also their beginnings", () => {
		const files = {
			"platform/prod.yaml": PROD,
			"platform/sets/queue.yaml": doc("PermissionSet", "queue", `statements:\n  ${statement("2026-11-26T00:00:00Z")}`),
			"orders.yaml": policy(
				`taskRole:\n  permissionSets: [{ name: queue }]\n  statements:\n    ${statement("2026-11-25T00:00:00Z")}`,
			),
			"billing.yaml": policy(`taskRole:\n  statements:\n    - { ${ALLOW} }`, "billing"),
			"grant.yaml": doc(
				"AccessGrant",
				"incident",
				`policyRef: billing\nreason: "4711"\nstartsAt: 2026-11-24T10:00:00+00:00\nexpiresAt: 2026-11-24T12:00:00Z\nstatements: [{ ${ALLOW} }]`,
			),
		};
		expect(moments(files)).toEqual([
			"2026-11-24T10:00 AccessPolicy/billing",
			"2026-11-24T12:00 AccessPolicy/billing",
			"2026-11-25T00:00 AccessPolicy/orders",
			"2026-11-26T00:00 AccessPolicy/orders",
		]);
	});

	test("are of every instance of a policy, and only those that are still to come", () => {
		const files = {
			"platform/prod.yaml": PROD,
			"platform/dev.yaml": DEV,
			"orders.yaml": policy(
				`accountRefs: [prod, dev]\ntaskRole:\n  statements:\n    ${statement("2026-11-24T09:00:00Z")}\n    ${statement("2026-11-24T09:01:00Z")}`,
			),
		};
		expect(moments(files)).toEqual(["2026-11-24T09:01 AccessPolicy/orders@prod", "2026-11-24T09:01 AccessPolicy/orders@dev"]);
	});

	test("are the ends of exceptions, of Approvals, and of the freeze that holds or comes next", () => {
		const files = {
			"platform/prod.yaml": PROD,
			"platform/installation.yaml": doc("Installation", "main", 'windows: [{ kind: Deny, cron: "0 10 * * *", duration: 2h }]'),
			"platform/guardrails.yaml": doc(
				"Guardrail",
				"base",
				'enforcement: Deny\nrules: [{ id: no-iam, denyActions: ["iam:*"] }]\nexceptions: [{ policy: orders, rule: no-iam, reason: old, expiresAt: "2026-11-24T11:00:00Z" }]',
			),
			"platform/approvals/a.yaml": doc(
				"Approval",
				"a",
				`approvalId: "sha256:${"0".repeat(64)}"\nreason: ok\nexpiresAt: "2026-11-24T11:30:00Z"`,
			),
			"orders.yaml": policy(`taskRole:\n  statements:\n    - { ${ALLOW} }`),
		};
		expect(moments(files)).toEqual(["2026-11-24T11:00 AccessPolicy/orders", "2026-11-24T11:30 null", "2026-11-24T12:00 null"]);
	});
});

const running: AbortController[] = [];
afterEach(() => {
	for (const r of running.splice(0)) r.abort();
});

/** A policy of one statement for each time, which ends then; what was asked for, with when. */
function world(times: readonly number[], more: Partial<ExpiryDeps> = {}) {
	const clock = createFakeClock(START);
	const fired: { readonly key: string | null; readonly at: number }[] = [];
	const files: Record<string, string> = { "platform/prod.yaml": PROD };
	for (const [n, at] of times.entries()) {
		files[`p${n}.yaml`] = policy(`taskRole:\n  statements:\n    ${statement(new Date(at).toISOString())}`, `p${n}`);
	}
	const loaded = catalog(files);
	const timers = createExpiryTimers({
		clock,
		catalog: () => loaded,
		paused: () => null,
		readPause: async () => null,
		fire: (key) => fired.push({ key, at: clock.millis() }),
		...more,
	});
	const stop = new AbortController();
	running.push(stop);
	return { clock, fired, start: () => timers.run(stop.signal), stop: () => stop.abort() };
}

describe("the timers", () => {
	test("ask for a key when its time has come, not before, and once", async () => {
		const { clock, fired, start } = world([START + 90_000]);
		void start();
		await clock.advance(89_999);
		expect(fired).toEqual([]);
		await clock.advance(1);
		expect(fired).toEqual([{ key: "AccessPolicy/p0", at: START + 90_000 }]);
		await clock.advance(24 * HOUR);
		expect(fired).toHaveLength(1);
	});

	test("at any times, ask for each key at its time to the millisecond, in order", async () => {
		await fc.assert(
			fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 6 * HOUR }), { minLength: 1, maxLength: 5 }), async (offsets) => {
				const { clock, fired, start, stop } = world(offsets.map((o) => START + o));
				void start();
				await clock.advance(6 * HOUR);
				stop();
				const wanted = offsets.map((o, n) => ({ key: `AccessPolicy/p${n}`, at: START + o }));
				expect(fired.toSorted((a, b) => (String(a.key) < String(b.key) ? -1 : 1))).toEqual(wanted);
			}),
			{ numRuns: 20 },
		);
	});

	test("notice within seconds that the clock was set forward over a moment", async () => {
		const { clock, fired, start } = world([START + 5 * HOUR]);
		let ahead = 0;
		const jumping: FakeClock = { ...clock, millis: () => clock.millis() + ahead };
		const timers = world([START + 5 * HOUR], { clock: jumping, fire: (key) => fired.push({ key, at: jumping.millis() }) });
		void start();
		void timers.start();
		await clock.advance(30_000);
		ahead = 6 * HOUR;
		await clock.advance(5_000);
		expect(fired.map((f) => f.key)).toEqual(["AccessPolicy/p0"]);
	});

	test("tell a moment again that the clock was set back over: one pass too many does no harm, one too few would", async () => {
		const base = createFakeClock(START);
		let back = 0;
		const jumping: FakeClock = { ...base, millis: () => base.millis() - back };
		const { fired, start } = world([START + HOUR], { clock: jumping });
		void start();
		await base.advance(HOUR + MINUTE);
		expect(fired).toHaveLength(1);
		back = 2 * HOUR;
		await base.advance(3 * HOUR);
		expect(fired).toHaveLength(2);
	});

	test("know a new catalog at the next look, and ask for nothing while there is none", async () => {
		let inForce: ReturnType<typeof catalog> | null = null;
		const { clock, fired, start } = world([], { catalog: () => inForce });
		void start();
		await clock.advance(5 * MINUTE);
		expect(fired).toEqual([]);
		const at = new Date(START + 5 * MINUTE + 8_000).toISOString();
		inForce = catalog({ "platform/prod.yaml": PROD, "p.yaml": policy(`taskRole:\n  statements:\n    ${statement(at)}`, "late") });
		await clock.advance(8_000);
		expect(fired).toEqual([{ key: "AccessPolicy/late", at: START + 5 * MINUTE + 8_000 }]);
	});

	test("end when they are told to", async () => {
		const { clock, start, stop } = world([START + HOUR]);
		const ended = start();
		await clock.advance(MINUTE);
		stop();
		await expect(ended).resolves.toBeUndefined();
	});
});

describe("while paused", () => {
	const pause: Pause = { by: "kim", reason: "4711", since: "2026-11-24T08:00:00Z", until: "2026-11-24T12:00:00Z" };

	test("the timers ask for everything once when it was ended, within seconds, and do not read the store before a pause is known", async () => {
		let known: Pause | null = null;
		let stored: Pause | null = pause;
		let reads = 0;
		const { clock, fired, start } = world([], {
			paused: () => known,
			readPause: async () => {
				reads++;
				return stored;
			},
		});
		void start();
		await clock.advance(HOUR);
		expect(reads).toBe(0);
		known = pause;
		await clock.advance(HOUR);
		expect(reads).toBeGreaterThan(200);
		expect(fired).toEqual([]);
		stored = null;
		await clock.advance(5_000);
		expect(fired.map((f) => f.key)).toEqual([null]);
		// Until a pass has seen it.
		await clock.advance(MINUTE);
		expect(fired).toHaveLength(1);
	});

	test("a store that does not answer is asked again", async () => {
		let answers = false;
		const { clock, fired, start } = world([], {
			paused: () => pause,
			readPause: async () => {
				if (!answers) throw new Error("unreachable");
				return null;
			},
		});
		void start();
		await clock.advance(MINUTE);
		expect(fired).toEqual([]);
		answers = true;
		await clock.advance(MINUTE);
		expect(fired.map((f) => f.key)).toEqual([null]);
	});
});
