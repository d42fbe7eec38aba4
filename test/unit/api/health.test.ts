import { afterEach, describe, expect, it } from "vitest";
import { setPause } from "../../../controller/engine/pause.ts";
import { type ApiWorld, apiWorld, problems, remember, SOUND } from "./world.ts";

let world: ApiWorld;
afterEach(() => world.close());

async function ready() {
	const answer = await world.api.inject("/readyz");
	expect(problems("readiness.json", answer.json())).toEqual([]);
	const { reasons, notes, term } = answer.json();
	const names = (list: readonly { readonly reason: string }[]) => list.map((r) => r.reason);
	return { status: answer.statusCode, term, reasons: names(reasons), notes: names(notes), full: answer.json() };
}

describe("readiness", () => {
	it("comes with a revision in force", async () => {
		world = await apiWorld();
		expect(await ready()).toMatchObject({ status: 503, reasons: ["NoRevision"], notes: [] });
		await world.commit(SOUND);
		expect(await ready()).toMatchObject({ status: 200, term: "writing", reasons: [], notes: [] });
	});

	it("says why no revision is in force, where it is known", async () => {
		world = await apiWorld();
		await world.commit({ ...SOUND, "bad.yaml": "kind: [" });
		const { status, full } = await ready();
		expect(status).toBe(503);
		expect(full.reasons[0]).toMatchObject({ reason: "NoRevision", message: expect.stringMatching(/is not YAML$/) });
	});

	it("is there on standby, without a revision", async () => {
		world = await apiWorld();
		if (world.served !== null)
			world.served = {
				...world.served,
				manager: null,
				term: { state: "standby", holder: "kim@a", until: "2026-11-24T10:00:00Z" },
			};
		expect(await ready()).toMatchObject({ status: 200, term: "standby", notes: ["Standby"] });
	});

	it("goes when the store cannot be reached, and the store is asked twice a minute at most", async () => {
		world = await apiWorld();
		await world.commit(SOUND);
		let asked = 0;
		let broken = true;
		const { store } = world;
		const shared = {
			...store,
			getControl: async (name: string) => {
				asked += 1;
				if (broken) throw new Error("no route to dynamodb.eu-west-1.amazonaws.com\n    at x.ts:1");
				return await store.getControl(name);
			},
		};
		if (world.served !== null) world.served = { ...world.served, store: shared };
		for (let n = 0; n < 10; n++) expect(await ready()).toMatchObject({ status: 503, reasons: ["StoreUnreachable"] });
		expect((await ready()).full.reasons[0].message).toBe(":memory:: no route to dynamodb.eu-west-1.amazonaws.com");
		expect(asked).toBe(1);
		broken = false;
		await world.clock.advance(30_000);
		expect(await ready()).toMatchObject({ status: 200 });
		expect(asked).toBe(2);
	});

	it("stays while a newer revision is refused, git is away, events are not heard or a pause holds; each is told", async () => {
		world = await apiWorld();
		await remember(world.store);
		await world.commit(SOUND);
		await world.commit({ ...SOUND, "platform/prod.yaml": "kind: [" });
		await setPause(
			world.store,
			{ by: "kim", reason: "incident", installation: "main", reconcileId: "r" },
			world.clock.millis() + 3_600_000,
			world.clock,
		);
		if (world.served !== null) world.served = { ...world.served, deaf: "no such queue" };
		expect(await ready()).toMatchObject({ status: 200, notes: ["RevisionRefused", "EventsNotHeard", "Paused"] });
	});

	it("is not there while the installation is opened or cannot be, but the process lives", async () => {
		world = await apiWorld();
		world.served = null;
		expect(await ready()).toMatchObject({ status: 503, term: "closed", reasons: ["Starting"] });
		world.trouble = { message: "no credentials", fix: "set AWS_PROFILE" };
		expect((await ready()).full.reasons).toEqual([{ reason: "NotOpen", message: "no credentials", fix: "set AWS_PROFILE" }]);
		expect((await world.api.inject("/healthz")).json()).toEqual({ status: "ok", version: "0.1.0" });
	});
});
