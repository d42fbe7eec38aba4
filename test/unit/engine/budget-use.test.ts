import { afterEach, describe, expect, test } from "vitest";
import { beginToRemember, recordBudget, usedBudget } from "../../../controller/engine/budget-use.ts";
import type { StepRun } from "../../../controller/engine/execute.ts";
import type { Store } from "../../../controller/model/ports.ts";
import { openStore } from "../../../controller/store/sqlite.ts";
import { allow, doc, plan, roleState, wanted } from "../plan/world.ts";
import { tempFolder } from "../source/repository.ts";
import { createFakeClock, type FakeClock } from "./fake-clock.ts";

const DAY = 24 * 3_600_000;
const PROD = { name: "prod", accountId: "123456789012" };
const RENAMED = { name: "production", accountId: "123456789012" };
const OTHER = { name: "prod", accountId: "210987654321" };

const open: Store[] = [];
afterEach(async () => {
	await Promise.all(open.splice(0).map((s) => s.close()));
});

async function world(): Promise<{ readonly store: Store; readonly clock: FakeClock }> {
	const clock = createFakeClock();
	const store = openStore({ path: tempFolder().at("state.sqlite"), now: clock.now });
	open.push(store);
	await beginToRemember(store, clock);
	await clock.advance(DAY);
	return { store, clock };
}

/** A role that lost access just now, in an account of this name. */
function narrowing(account: string): StepRun {
	const live = roleState({ inline: { "ecs-access": doc(allow(["s3:GetObject", "s3:PutObject"], "arn:aws:s3:::catalogue/*")) } });
	const made = { ...plan(wanted(), live), account };
	const [step] = made.steps;
	if (step === undefined) throw new Error("it loses access");
	return { plan: made, step, outcome: { result: "applied", requestId: null }, error: null };
}

async function record(account: typeof PROD, { store, clock }: Awaited<ReturnType<typeof world>>, shown = false): Promise<void> {
	await recordBudget([narrowing(account.name)], { shown, accounts: [{ account }], store, clock });
}

async function narrowings(account: typeof PROD, { store, clock }: Awaited<ReturnType<typeof world>>): Promise<number> {
	return (await usedBudget(store, account, clock.millis())).narrowings;
}

describe("what an account has used up", () => {
	test("is counted by its id: called anew in git it has used as much, and another of its name has not", async () => {
		const w = await world();
		await record(PROD, w);
		expect(await Promise.all([PROD, RENAMED, OTHER].map((a) => narrowings(a, w)))).toEqual([1, 1, 0]);
		// The same role once in 24 hours.
		await record(RENAMED, w);
		expect(await narrowings(PROD, w)).toBe(1);
		await w.clock.advance(DAY);
		expect(await narrowings(PROD, w)).toBe(0);
	});

	test("holds what a version counted that went by the name in git, once", async () => {
		const w = await world();
		const used = (role: string): object => ({ at: w.clock.now(), what: "narrowings", role });
		await w.store.putControl("budget/prod", [used("old-task"), used("orders-api-task")], 0);
		expect(await narrowings(PROD, w)).toBe(2);
		await record(PROD, w);
		expect(await narrowings(PROD, w)).toBe(2);
		expect((await w.store.getControl("budget/prod"))?.version).toBe(1);
	});

	test("binds a controller, which shows its plan to nobody, and not a person who has seen it", async () => {
		const w = await world();
		await record(PROD, w, true);
		expect(await narrowings(PROD, w)).toBe(0);
		await record(PROD, w);
		expect(await narrowings(PROD, w)).toBe(1);
	});

	test("is read only where something counts", async () => {
		const w = await world();
		let reads = 0;
		const store: Store = {
			...w.store,
			getControl: (name) => {
				if (name.startsWith("budget/")) reads++;
				return w.store.getControl(name);
			},
		};
		await recordBudget([narrowing("prod")], { shown: true, accounts: [{ account: PROD }], store, clock: w.clock });
		expect(reads).toBe(0);
	});
});
