import { describe, expect, test } from "vitest";
import { useSandbox } from "../sandbox/use.ts";
import { createRotationWorld } from "./rotation-world.ts";
import { calls, findingIds } from "./world.ts";

const sandbox = useSandbox();

describe("a rotation", () => {
	test("makes a value, makes it current, restarts one consumer and then the rest, and lets the old value go", async () => {
		const w = await createRotationWorld(sandbox);
		expect(w.view(await w.plan())).toMatchObject({ phase: "idle", dueAt: null });
		await w.ask();
		const before = await w.plan();
		expect(calls(before)).toEqual(["secretsmanager:TagResource"]);
		expect(w.view(before)).toMatchObject({ phase: "due", because: "asked for by kim: a test" });
		expect(w.view(before).consumers.map((c) => [c.name, c.wave, c.state])).toEqual([
			["prod/api", 1, "restart"],
			["prod/jobs", 2, "restart"],
			["prod/web", 3, "restart"],
		]);
		const old = await w.version("AWSCURRENT");
		const waiting = await w.go();
		expect(waiting.phase).toBe("waiting");
		expect(waiting.consumers.map((c) => [c.name, c.current, c.stale, c.state])).toEqual([
			["prod/api", null, null, "current"],
			["prod/jobs", null, null, "current"],
			["prod/web", null, null, "current"],
		]);
		const current = await w.version("AWSCURRENT");
		expect(current).toMatch(/^[0-9a-f]{64}$/);
		expect(await w.version("AWSPREVIOUS")).toBe(old);
		for (const name of ["api", "web", "jobs"]) expect(await w.held(name)).toEqual([current, current]);
		expect(await w.value()).toEqual({ signingKey: expect.stringMatching(/^.{40}$/), other: "kept" });
		await w.pass(86_400);
		expect((await w.go()).phase).toBe("idle");
		expect(Object.keys(await w.tags()).sort()).toEqual([
			"promoted-at",
			"promoted-version",
			"rotated-at",
			"rotation-asked",
			"rotation-last",
		]);
		expect(findingIds(await w.plan())).toEqual([]);
	});
});
