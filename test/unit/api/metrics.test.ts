import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { createMetrics, waitingReasons } from "../../../controller/api/metrics.ts";
import type { Waiting } from "../../../controller/model/plan.ts";
import { WAITS_FOR, waitingWord } from "../../../controller/plan/render/words.ts";
import { BILLING, entry, status } from "../cli/state-fixture.ts";
import { role } from "../render/fixtures.ts";
import { type ApiWorld, apiWorld, remember, SOUND } from "./world.ts";

let world: ApiWorld;
afterEach(() => world.close());

/** Of the text as Prometheus reads it: `name{labels}` -> value. */
async function samples(): Promise<Readonly<Record<string, number>>> {
	const answer = await world.api.inject("/metrics");
	expect([answer.statusCode, answer.headers["content-type"]]).toEqual([200, "text/plain; version=0.0.4; charset=utf-8"]);
	const lines = answer.body.split("\n").filter((l) => l !== "" && !l.startsWith("#"));
	return Object.fromEntries(
		lines.map((l) => {
			const space = l.lastIndexOf(" ");
			return [l.slice(0, space).replace(/^ecs_access_/, ""), Number(l.slice(space + 1))];
		}),
	);
}

const stalled = status("c", {
	conditions: [
		{ type: "Ready", status: "False", reason: "Contested", message: "", lastTransitionTime: "2026-11-24T10:00:00Z" },
		{ type: "Stalled", status: "True", reason: "Contested", message: "", lastTransitionTime: "2026-11-24T10:00:00Z" },
		{ type: "Drifted", status: "True", reason: "DriftSeen", message: "", lastTransitionTime: "2026-11-24T10:00:00Z" },
	],
	summary: "waits: contested, not ours",
});

describe("metrics", () => {
	it("count passes, how long keys waited, and what the queue holds", async () => {
		world = await apiWorld();
		const pass = (outcome: "done" | "terminal", waitedMs: number) =>
			world.metrics.manager({
				type: "pass",
				account: "prod",
				pass: { key: "AccessPolicy/a", outcome, waitedMs, tookMs: 2_000, error: null },
			});
		pass("done", 40);
		pass("done", 900);
		pass("terminal", 0);
		expect(await samples()).toMatchObject({
			'passes_total{outcome="done"}': 2,
			'passes_total{outcome="terminal"}': 1,
			'queue_wait_seconds_bucket{le="0.1"}': 2,
			queue_wait_seconds_count: 3,
			pass_seconds_sum: 6,
			'queue_keys{state="waiting"}': 0,
		});
	});

	it("count calls to AWS by operation, throttles apart, and what the SDK sent again", async () => {
		world = await apiWorld();
		world.metrics.awsCall("iam:GetRole", "ok", 120, 1);
		world.metrics.awsCall("iam:GetRole", "throttled", 30, 2);
		world.metrics.awsCall("ecs:DescribeServices", "error", 10, 1);
		expect(await samples()).toMatchObject({
			'aws_calls_total{operation="iam:GetRole",outcome="ok"}': 1,
			'aws_calls_total{operation="iam:GetRole",outcome="throttled"}': 1,
			'aws_calls_total{operation="ecs:DescribeServices",outcome="error"}': 1,
			'aws_resent_total{operation="iam:GetRole"}': 1,
			'aws_call_seconds_count{service="iam"}': 2,
		});
	});

	it("count each drift once, its healing, and steps, as they come into the history", async () => {
		world = await apiWorld();
		await remember(world.store);
		await world.store.append([
			entry("2026-11-24T08:40:00Z", { event: "drifted", why: "named" }),
			entry("2026-11-24T08:41:00Z", { event: "failed", why: "drifted" }),
			entry("2026-11-24T08:41:00Z", { event: "intended", why: "drifted" }),
		]);
		expect(await samples()).toMatchObject({
			drift_seen_total: 1,
			drift_healed_total: 1,
			'steps_total{outcome="applied"}': 2,
			'steps_total{outcome="failed"}': 1,
		});
	});

	it("say how many resources are well, drifted, stalled and waiting, and for what", async () => {
		world = await apiWorld();
		await remember(world.store);
		await world.store.putStatus([{ key: stalled.key, before: undefined, after: stalled }]);
		expect(await samples()).toMatchObject({
			'resources{ready="true"}': 1,
			'resources{ready="false"}': 2,
			resources_drifted: 1,
			'resources_stalled{reason="Contested"}': 1,
			'resources_waiting{reason="approval"}': 1,
			'resources_waiting{reason="contested"}': 1,
			'resources_waiting{reason="not ours"}': 1,
		});
	});

	it("ask the store only after something has happened, and not more often than every 30 s", async () => {
		world = await apiWorld();
		await remember(world.store);
		let asked = 0;
		const { store } = world;
		if (world.served !== null)
			world.served = {
				...world.served,
				store: {
					...store,
					listStatus: () => {
						asked += 1;
						return store.listStatus();
					},
				},
			};
		for (let n = 0; n < 20; n++) {
			await samples();
			await world.clock.advance(15_000);
		}
		expect(asked).toBe(1);
		const happen = () =>
			world.metrics.manager({ type: "resynced", account: "prod", keys: 2, withWork: 0, calls: 4, milliseconds: 9 });
		await store.putStatus([{ key: BILLING.key, before: BILLING, after: undefined }]);
		happen();
		expect(await samples()).toMatchObject({ 'resources{ready="true"}': 1, 'resources{ready="false"}': 0 });
		for (let n = 0; n < 4; n++) {
			happen();
			await samples();
			await world.clock.advance(5_000);
		}
		expect(asked).toBe(2);
		await world.clock.advance(10_000);
		await samples();
		expect(asked).toBe(3);
	});

	it("go on with what was known while the store does not answer", async () => {
		world = await apiWorld();
		await remember(world.store);
		await samples();
		const { store } = world;
		if (world.served !== null)
			world.served = { ...world.served, store: { ...store, listStatus: () => Promise.reject(new Error("away")) } };
		expect(await samples()).toMatchObject({ 'resources{ready="true"}': 1 });
	});

	it("tell of the revision in force, its age, and that a newer one is refused", async () => {
		world = await apiWorld();
		expect(await samples()).toMatchObject({ revision_age_seconds: Number.NaN, revision_refused: 0 });
		await world.commit(SOUND);
		await world.commit({ ...SOUND, "platform/prod.yaml": "kind: [" });
		expect(await samples()).toMatchObject({
			revision_age_seconds: 3_600,
			'revision_info{revision="3f2a91c0000000000000000000000000000000000"}': 1,
			revision_refused: 1,
			'revisions_refused_total{reason="InvalidYaml"}': 1,
			'account_readable{account="prod"}': 1,
		});
	});

	it("tell of the lease, of events by kind, of deafness and of webhooks", async () => {
		world = await apiWorld();
		world.metrics.consumer({ type: "heard", hints: 2, eventId: "e" });
		world.metrics.consumer({ type: "unknown", source: "aws.ec2", detailType: "x" });
		world.metrics.consumer({ type: "malformed", messageId: "m", why: "no JSON" });
		await world.api.inject({ method: "POST", url: "/webhook/github" });
		if (world.served !== null) world.served = { ...world.served, deaf: "no such queue" };
		expect(await samples()).toMatchObject({
			lease_held: 1,
			'term{state="writing"}': 1,
			'term{state="standby"}': 0,
			'events_total{kind="hint"}': 1,
			'events_total{kind="unknown"}': 1,
			'events_total{kind="malformed"}': 1,
			events_deaf: 1,
			'http_requests_total{route="/webhook/github",status="404"}': 1,
		});
		world.served = null;
		expect(await samples()).toMatchObject({ lease_held: 0, 'term{state="closed"}': 1 });
	});

	it("tell how long ago all of an account was looked at, from the manager's own word", async () => {
		world = await apiWorld();
		const { served } = world;
		if (served?.manager == null) throw new Error("nothing is served");
		const { manager } = served;
		const resynced = new Map([["prod", "2026-11-24T08:58:00Z"]]);
		world.served = { ...served, manager: { ...manager, state: () => ({ ...manager.state(), resynced }) } };
		expect(await samples()).toMatchObject({ 'resync_age_seconds{account="prod"}': 120 });
	});

	it("of the process are there, and two registries are apart", async () => {
		world = await apiWorld();
		const other = await createMetrics({ served: () => null, clock: world.clock, version: "9" });
		world.metrics.awsCall("iam:GetRole", "ok", 1, 1);
		expect(await other.text()).not.toContain("iam:GetRole");
		const text = await samples();
		expect(text.process_resident_memory_bytes).toBeGreaterThan(0);
		expect(Object.keys(text).some((k) => k.startsWith("nodejs_eventloop_lag"))).toBe(true);
	});

	it("of what waits have no id in a label, whatever it waits for", async () => {
		world = await apiWorld();
		const all = Object.keys(WAITS_FOR) as Waiting[];
		const words = [...new Set(all.map((w) => waitingWord(w, role("a"))))];
		expect(waitingReasons(`waits: ${words.join(", ")}`)).toEqual(words);
		expect(waitingReasons("waits: approval b04d77e1, approval 00000000, freeze")).toEqual(["approval", "freeze"]);
		expect(waitingReasons("as git says")).toEqual([]);
	});

	it("are the ones that the documentation has, all of them", async () => {
		world = await apiWorld();
		const page = readFileSync(join(import.meta.dirname, "../../../docs/http-api.md"), "utf8");
		const documented = [...page.matchAll(/^\| `(ecs_access_\w+)`/gm)].map(([, name]) => name);
		const own = world.metrics.names().filter((n) => n.startsWith("ecs_access_"));
		expect(own.length).toBeGreaterThan(20);
		expect(documented.toSorted()).toEqual([...own].toSorted());
	});
});
