import { describe, expect, test } from "vitest";
import { execute } from "../../../controller/engine/execute.ts";
import { planFileOf } from "../../../controller/engine/plan-file.ts";
import type { Halt } from "../../../controller/model/halt.ts";
import type { AccountAccess, Provider } from "../../../controller/model/ports.ts";
import { openStore } from "../../../controller/store/sqlite.ts";
import { artifact } from "../kinds/world.ts";
import { allow, desire, doc, NOW, observe, plan, ROLE, role, roleState, wanted, wants } from "../plan/world.ts";
import { tempFolder } from "../source/repository.ts";
import { createFakeClock } from "./fake-clock.ts";

const PAUSED: Halt = { waiting: "paused", detail: "paused by kim" };

/** Carries out a plan of two roles, two steps each; `halted` is asked before each write. */
async function carryOut(halted: () => Promise<Halt | null>) {
	const other = { ...ROLE, name: "billing-task" };
	const drifted = roleState({
		inline: { "ecs-access": doc(allow("s3:GetObject", "arn:aws:s3:::catalogue/*")), a: doc(allow("*")) },
	});
	const w = wanted({ statements: [wants(allow("s3:PutObject", "arn:aws:s3:::catalogue/*"))] });
	const made = plan(w, drifted, {
		desired: [desire(w), desire(w, other)],
		observed: observe(role(drifted), role(drifted, { name: other.name })),
	});
	const fake = createFakeClock();
	// Waits for IAM take no time here.
	const clock = { ...fake, sleep: (ms: number) => fake.advance(ms) };
	const store = openStore({ path: tempFolder().at("state.sqlite"), now: clock.now });
	const written: string[] = [];
	const provider = {
		apply: async (step: { readonly id: string }) => {
			written.push(step.id);
			return { result: "applied", requestId: null } as const;
		},
	} as unknown as Provider;
	const file = planFileOf(artifact({}), [made], {
		createdAt: NOW,
		request: { path: "policies", prune: false },
		installation: "main",
		accounts: [],
		findings: [],
		unpruned: null,
		reads: { roles: 0, services: 0, calls: 0, milliseconds: 0 },
	});
	const execution = await execute(
		file,
		{
			access: () => ({ provider: () => provider }) as unknown as AccountAccess,
			actor: () => "kim",
			store,
			clock,
			reconcileId: "r",
			progress: () => {},
			leaseRemaining: () => 60_000,
			halted,
		},
		new AbortController().signal,
	);
	const history = await store.history({ limit: 100 });
	await store.close();
	return { steps: made.steps, execution, written, history };
}

describe("a pause that is set while a plan is carried out", () => {
	test("lets what was written stand, and everything after it waits, with nothing of it in the history", async () => {
		let asked = 0;
		const { steps, execution, written, history } = await carryOut(async () => (++asked > 1 ? PAUSED : null));
		expect(steps.length).toBeGreaterThanOrEqual(4);
		expect(written).toEqual([steps[0]?.id]);
		expect(history.map((e) => e.event)).toEqual(["applied", "intended"]);
		expect(execution.waiting.map((w) => w.step.state)).toContainEqual(PAUSED);
		expect(execution.waiting.length + execution.notRun.length).toBe(steps.length - 1);
		expect(execution.runs.every((r) => r.error === null)).toBe(true);
	});

	test("that cannot be known of stops every write, and is an error", async () => {
		const { execution, written } = await carryOut(() => Promise.reject(new Error("the table does not answer")));
		expect(written).toEqual([]);
		expect(execution.runs.map((r) => r.error?.message)).toEqual(["the table does not answer"]);
	});
});
