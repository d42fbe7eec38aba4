import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, test } from "vitest";
import { createManager } from "../../../controller/engine/manager.ts";
import type { Passes } from "../../../controller/engine/pass.ts";
import { createCatalogue } from "../../../controller/policy/catalogue.ts";
import { openStore } from "../../../controller/store/sqlite.ts";
import { createFastClock } from "../../fast-clock.ts";
import { documentOf, policy } from "../../scenarios/world.ts";

const READS = { statements: [{ actions: ["s3:GetObject"], resources: ["arn:aws:s3:::catalogue/*"] }] };

describe("5,000 events for 500 keys in a burst", () => {
	const KEYS = 500;
	const account = "111122223333";

	test("lead to a pass over each key after its last event, never two of one key at once, and leave no memory behind", async () => {
		const running = new Map<string, number>();
		const passed = new Map<string, number>();
		const asked = new Map<string, number>();
		let [twice, events] = [0, 0];
		const passes: Passes = {
			...({} as Passes),
			paused: () => null,
			sweep: async () => {},
			carryOut: async (inForce, { keys }) => {
				const [key = ""] = keys ?? [];
				if (running.has(key)) twice += 1;
				running.set(key, 1);
				const seen = asked.get(key) ?? 0;
				await new Promise((resolve) => setTimeout(resolve, 1));
				passed.set(key, seen);
				running.delete(key);
				return {
					reconcileId: "burst",
					file: { plans: [] },
					failures: new Map(),
					execution: { runs: [], notRun: [], waiting: [], interrupted: false },
					mistaken: new Set(),
					lastGood: inForce.lastGood,
					recorded: null,
				} as unknown as Awaited<ReturnType<Passes["carryOut"]>>;
			},
		};
		const files = new Map<string, string>([
			["platform/installation.yaml", JSON.stringify(documentOf("Installation", "main", { mode: "Enforce" }))],
			["platform/prod.yaml", JSON.stringify(documentOf("Account", "prod", { accountId: account, region: "eu-west-1" }))],
		]);
		for (let n = 0; n < KEYS; n++) {
			files.set(`s${n}.yaml`, JSON.stringify(policy(`s${n}`, READS, { accountRef: "prod" })));
		}
		const artifact = {
			revision: { kind: "commit", id: "1" },
			digest: "sha256:1",
			root: "policies",
			files,
			source: "directory",
			partial: null,
		} as const;
		const manager = createManager({
			source: { peek: async () => "1", fetch: async () => artifact, fetchRevision: async () => artifact },
			actions: createCatalogue(),
			passes,
			store: openStore({ path: ":memory:" }),
			clock: createFastClock(100),
			random: () => 0.5,
			pollMs: 15_000,
			again: () => null,
			observe: () => {},
		});
		await manager.poll(AbortSignal.timeout(20_000));
		const burst = async (): Promise<void> => {
			for (let n = 0; n < 5_000; n++) {
				const s = (n * 7_919) % KEYS;
				asked.set(`AccessPolicy/s${s}`, ++events);
				manager.hint({ type: "iam.role", account, name: `s${s}-task` });
				if (n % 500 === 499) await new Promise((resolve) => setImmediate(resolve));
			}
			const late = (): number => [...asked].filter(([key, last]) => passed.get(key) !== last).length;
			await expect.poll(late, { timeout: 20_000 }).toBe(0);
			await manager.idle();
			expect(manager.state().queue).toEqual({ waiting: 0, running: 0, scheduled: 0 });
		};
		setFlagsFromString("--expose-gc");
		const gc = runInNewContext("gc") as () => void;
		const heap: number[] = [];
		for (let round = 0; round < 6; round++) {
			await burst();
			gc();
			heap.push(process.memoryUsage().heapUsed);
		}
		expect(asked.size).toBe(KEYS);
		expect(twice).toBe(0);
		// 25,000 events after the first 5,000: a hundred bytes an event would be more than this.
		expect((heap.at(-1) ?? 0) - (heap[1] ?? 0)).toBeLessThan(2_000_000);
	});
});
