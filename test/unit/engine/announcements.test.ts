import { describe, expect, test } from "vitest";
import { createAnnounce } from "../../../controller/engine/announce.ts";
import { type AnnouncementsEvent, createAnnouncements } from "../../../controller/engine/announcements.ts";
import type { ManagerEvent } from "../../../controller/engine/manager.ts";
import type { Pass } from "../../../controller/engine/pass.ts";
import type { Announcement } from "../../../controller/model/announcement.ts";
import { TerminalError } from "../../../controller/model/errors.ts";
import type { Pause } from "../../../controller/model/halt.ts";
import type { Plan, Step } from "../../../controller/model/plan.ts";
import type { Announced } from "../../../controller/model/ports.ts";
import { change, plan, planFile, role, step } from "../render/fixtures.ts";
import { createFakeClock } from "./fake-clock.ts";

const ROLE = role("orders-task");
const KIM = {
	arn: "arn:aws:sts::123456789012:assumed-role/Admin/kim",
	at: "2026-11-24T08:59:00Z",
	sourceIp: "203.0.113.9",
	userAgent: "aws-cli/2.17",
	action: "iam:PutRolePolicy",
	eventId: "e1",
};
const fix = step(ROLE, {
	why: "drifted",
	effect: "narrows",
	call: { api: "iam:DeleteRolePolicy", input: { RoleName: ROLE.name, PolicyName: "quick-fix" } },
	diff: [change("-", "inline policy", "quick-fix")],
	before: { Statement: [{ Effect: "Allow", Action: "*", Resource: "*", Condition: { StringEquals: { "aws:x": "hush" } } }] },
});
const DRIFT = { target: ROLE, part: 'inline policy "quick-fix"', live: "sha256:1", since: KIM.at, culprit: KIM, recorded: false };

function world() {
	const said: Announcement[] = [];
	let paused: Pause | null = null;
	const tell = createAnnounce({
		installation: "main",
		clock: createFakeClock(),
		paused: () => paused,
		stalled: () => new Map([["AccessPolicy/bad", [{ id: "UnknownField", severity: "error", message: "wrong", origin: null }]]]),
		announce: (a) => void said.push(a),
	});
	const pass = (plans: readonly Plan[], runs: Pass["execution"]["runs"] = [], type: "applied" | "looked" = "applied"): void => {
		const made = {
			file: planFile(plans),
			reconcileId: "r1",
			execution: { runs, notRun: [], waiting: [], interrupted: false },
			lastGood: new Set(),
		} as unknown as Pass;
		tell({ type, pass: made });
	};
	return {
		said,
		types: () => said.splice(0).map((a) => a.type),
		tell: (event: ManagerEvent) => tell(event),
		pass,
		pause: (p: Pause | null) => {
			paused = p;
		},
	};
}

const waiting = (state: "contested" | "failed"): Step => ({
	...fix,
	state: { waiting: state, detail: "kim changed it back 3 times" },
});
const run = (p: Plan, error: Error | null, s = fix): Pass["execution"]["runs"] => [
	{ plan: p, step: s, outcome: error === null ? { result: "applied", requestId: null } : null, error },
];

describe("what is announced", () => {
	test("of a healing: the drift with who made it, and the step, by name and never by content", () => {
		const w = world();
		const p = plan("orders", "heal", [fix], { drifts: [DRIFT] });
		w.pass([p], run(p, null));
		expect(w.said.map((a) => a.type)).toEqual(["Drift Detected", "Step Applied"]);
		expect(w.said[1]).toMatchObject({
			resources: ["arn:aws:iam::123456789012:role/ecs-access/orders-task"],
			detail: {
				installation: "main",
				message: "applied iam:DeleteRolePolicy on role orders-task (drifted): - inline policy quick-fix",
				key: "AccessPolicy/orders",
				account: "prod",
				accountId: "123456789012",
				api: "iam:DeleteRolePolicy",
				why: "drifted",
				effect: "narrows",
				reconcileId: "r1",
				planId: p.id,
				actor: "arn:aws:iam::123456789012:user/kim",
				culprit: KIM,
				since: KIM.at,
			},
		});
		expect(JSON.stringify(w.said)).not.toContain("hush");
	});

	test("of a drift that was recorded before: nothing; of one that is left so: that it waits", () => {
		const w = world();
		w.pass([plan("orders", "heal", [fix], { drifts: [{ ...DRIFT, recorded: true }] })], [], "looked");
		expect(w.types()).toEqual([]);
		const held = { ...fix, state: { waiting: "hold", detail: "held" } } as const;
		w.pass([plan("orders", "heal", [held], { drifts: [DRIFT] })], [], "looked");
		expect(w.said[0]?.detail.message).toContain(
			'has changed by arn:aws:sts::123456789012:assumed-role/Admin/kim: inline policy "quick-fix" was added; it waits: hold',
		);
	});

	test("of an end in time: the step and that access has expired", () => {
		const w = world();
		const expired = { ...fix, why: "expired" } as const;
		const p = plan("orders", "expire", [expired]);
		w.pass([p], run(p, null, expired));
		expect(w.types()).toEqual(["Step Applied", "Access Expired"]);
	});

	test("of a contest and a stall: once while it stands, and again when it comes again", () => {
		const w = world();
		const contest = plan("orders", "heal", [waiting("contested")], { drifts: [{ ...DRIFT, recorded: true }] });
		for (let n = 0; n < 3; n++) w.pass([contest], [], n === 0 ? "applied" : "looked");
		expect(w.said.map((a) => [a.type, a.detail.reason, a.detail.culprit?.arn])).toEqual([
			["Resource Contested", "Contested", KIM.arn],
		]);
		w.said.length = 0;
		w.pass([plan("orders", "unchanged", [])]);
		w.pass([contest]);
		expect(w.types()).toEqual(["Resource Contested"]);
		const p = plan("billing", "update", [fix]);
		const denied = new TerminalError("AccessDenied", "not authorized");
		for (let n = 0; n < 2; n++) w.pass([p], run(p, denied));
		expect(w.types()).toEqual(["Step Failed", "Resource Stalled", "Step Failed"]);
		w.pass([p], run(p, new Error("throttled")));
		expect(w.types()).toEqual(["Step Failed"]);
	});

	test("of revisions and pauses: each when it begins and when it ends", () => {
		const w = world();
		const admitted: ManagerEvent = { type: "admitted", revision: "3f2a91c", keys: 2, changed: 1 };
		w.tell(admitted);
		w.tell(admitted);
		expect(w.said.map((a) => [a.type, a.detail.message])).toEqual([
			["Revision Admitted", "revision 3f2a91c is in force: 2 resources, 1 of them changed"],
			["Resource Stalled", "AccessPolicy/bad: wrong"],
		]);
		w.said.length = 0;
		w.tell({ type: "refused", revision: "bad", reason: "InvalidYaml", message: "not YAML", findings: [], byWord: false });
		expect(w.types()).toEqual(["Revision Refused"]);
		w.pause({ by: "kim@laptop", reason: "incident", since: "2026-11-24T09:00:00Z", until: "2026-11-24T11:00:00Z" });
		w.pass([]);
		w.pass([]);
		expect(w.said).toMatchObject([{ type: "Paused", detail: { actor: "kim@laptop", until: "2026-11-24T11:00:00Z" } }]);
		w.said.length = 0;
		w.pause(null);
		w.pass([]);
		expect(w.types()).toEqual(["Resumed"]);
	});
});

describe("what is to be announced", () => {
	const announcement = (n: number): Announcement =>
		({ type: "Paused", at: "2026-11-24T09:00:00Z", resources: [], detail: { message: String(n) } }) as unknown as Announcement;

	function sending(answer: (batch: readonly Announcement[]) => readonly Announced[]) {
		const clock = createFakeClock();
		const events: AnnouncementsEvent[] = [];
		const sent: string[] = [];
		const stop = new AbortController();
		const announcements = createAnnouncements({
			announcer: {
				announce: async (batch) => {
					const answers = answer(batch);
					sent.push(...batch.filter((_, n) => answers[n]?.result === "sent").map((a) => a.detail.message));
					return answers;
				},
			},
			clock,
			observe: (e) => void events.push(e),
		});
		const ended = announcements.run(stop.signal);
		return {
			...announcements,
			clock,
			events,
			sent,
			stop: () => {
				stop.abort();
				return ended;
			},
		};
	}

	test("goes out in order, behind what is worked at", async () => {
		const s = sending((batch) => batch.map(() => ({ result: "sent" })));
		for (let n = 0; n < 250; n++) s.add(announcement(n));
		await s.clock.advance(1);
		expect(s.sent).toEqual(Array.from({ length: 250 }, (_, n) => String(n)));
		await s.stop();
	});

	test("comes again after an outage that is told of once, and nothing is lost", async () => {
		let down = true;
		const s = sending((batch) => {
			if (down) throw new Error("no answer");
			return batch.map(() => ({ result: "sent" }));
		});
		s.add(announcement(1));
		await s.clock.advance(10 * 60_000);
		expect(s.events.map((e) => e.type)).toEqual(["unheard"]);
		down = false;
		await s.clock.advance(60_000);
		expect(s.sent).toEqual(["1"]);
		await s.stop();
	});

	test("is given up where it is refused, or comes back again and again, alone", async () => {
		const s = sending((batch) =>
			batch.map((a) =>
				a.detail.message === "large"
					? { result: "refused", why: "too large" }
					: a.detail.message === "odd"
						? { result: "retry", why: "InternalFailure" }
						: { result: "sent" },
			),
		);
		for (const message of ["large", "odd", "fine"]) s.add({ ...announcement(0), detail: { message } as Announcement["detail"] });
		await s.clock.advance(1);
		await s.clock.advance(60 * 60_000);
		expect(s.sent).toEqual(["fine"]);
		expect(s.events.flatMap((e) => (e.type === "lost" ? [e.why] : []))).toEqual(["too large", "InternalFailure"]);
		expect(s.waiting()).toBe(0);
		await s.stop();
	});

	test("never fills the memory: the oldest is lost, and that is told", async () => {
		const s = sending(() => {
			throw new Error("no answer");
		});
		for (let n = 0; n < 5_003; n++) s.add(announcement(n));
		expect(s.waiting()).toBe(5_000);
		expect(s.events.filter((e) => e.type === "lost")).toHaveLength(3);
		await s.stop();
	});
});
