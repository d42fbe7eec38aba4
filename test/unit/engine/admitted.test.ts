import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Admitted, lossesOf } from "../../../controller/engine/admission.ts";
import { admitWord, giveAdmitWord, readAdmitted, rememberAdmitted } from "../../../controller/engine/admitted.ts";
import type { Clock, Store } from "../../../controller/model/ports.ts";
import { openStore } from "../../../controller/store/sqlite.ts";

const BEFORE: Admitted = { revision: "a".repeat(40), platform: true, installation: true, guardrails: 2 };
const NEXT = "b".repeat(40);
const WORD = { by: "kim@laptop", reason: "a leaked key was dropped", installation: "main", reconcileId: "r1" };
const clock: Clock = { now: () => "2026-11-24T09:00:00Z", millis: () => 0, sleep: async () => {} };

let store: Store;
beforeEach(async () => {
	store = openStore({ path: ":memory:" });
	await store.append([{ ...entry(), key: "AccessPolicy/orders" }]);
	await rememberAdmitted(store, BEFORE);
});
afterEach(() => store.close());

function entry() {
	const { by: actor, reason: why, reconcileId } = WORD;
	const rest = { account: "prod", revision: "x", planId: null, api: null, target: null, before: null, after: null };
	return { at: clock.now(), actor, why, reconcileId, event: "applied" as const, outcome: "applied", ...rest };
}

const give = (revision = NEXT, before = BEFORE, s = store) =>
	giveAdmitWord(s, WORD, { revision, before, losses: [{ reason: "NotDescendant", message: "m" }] }, clock);

describe("a person's word for a revision", () => {
	test("holds for that revision, and stands in the history with who, why and over what", async () => {
		expect(await admitWord(store)).toBeNull();
		await give();
		expect(await admitWord(store)).toBe(NEXT);
		expect((await store.history({ key: "Installation/main", limit: 9 }))[0]).toMatchObject({
			event: "admitted",
			actor: "kim@laptop",
			why: "a leaked key was dropped",
			revision: NEXT,
			before: { revision: BEFORE.revision },
			after: { revision: NEXT, accepts: ["NotDescendant"] },
		});
	});

	test("ends when a revision is admitted, that one or another: the same words need to be said again", async () => {
		await give();
		await rememberAdmitted(store, { ...BEFORE, revision: NEXT });
		expect(await admitWord(store)).toBeNull();
	});

	test("is replaced by a later one", async () => {
		await give();
		await give("c".repeat(40));
		expect(await admitWord(store)).toBe("c".repeat(40));
	});

	test("gets through between two that speak at once", async () => {
		let others = 2;
		const busy: Store = { ...store, putControl: async (...args) => (others-- > 0 ? false : store.putControl(...args)) };
		await give(NEXT, BEFORE, busy);
		expect(await admitWord(store)).toBe(NEXT);
		await expect(give(NEXT, BEFORE, { ...store, putControl: async () => false })).rejects.toThrow("again and again");
	});

	test.each([null, {}, { revision: 7 }, "x", { revision: NEXT }])("that cannot be read is none: %j", async (value) => {
		await store.putControl("admit-word", value, 0);
		expect(await admitWord(store)).toBeNull();
	});

	test("makes no history in a store that remembers nothing, which must be told from a new one", async () => {
		const fresh = openStore({ path: ":memory:" });
		await rememberAdmitted(fresh, BEFORE);
		await give(NEXT, BEFORE, fresh);
		expect([await fresh.empty(), await admitWord(fresh), await readAdmitted(fresh)]).toEqual([true, NEXT, BEFORE]);
		await fresh.close();
	});
});

test("what a revision loses is said in full, not the first of it alone", () => {
	const after: Admitted = { revision: NEXT, platform: false, installation: false, guardrails: 0 };
	expect(lossesOf(after, BEFORE, false).map((l) => l.reason)).toEqual([
		"NotDescendant",
		"PlatformLost",
		"InstallationLost",
		"GuardrailsLost",
	]);
	expect(lossesOf(after, null, false)).toEqual([]);
	expect(lossesOf({ ...BEFORE, guardrails: 1 }, BEFORE, true)).toEqual([]);
});
