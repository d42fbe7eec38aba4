import { afterEach, describe, expect, it } from "vitest";
import type { PlanFile } from "../../../controller/model/plan.ts";
import { BILLING, status } from "../cli/state-fixture.ts";
import { planFile } from "../render/fixtures.ts";
import { type ApiWorld, apiWorld, BY_TOKEN, problems, remember, SOUND, TOKEN } from "./world.ts";

let world: ApiWorld;
afterEach(() => world.close());

async function start(...args: Parameters<typeof apiWorld>): Promise<ApiWorld> {
	world = await apiWorld(...args);
	await remember(world.store);
	return world;
}
const get = async (url: string, headers: Record<string, string> = {}) => {
	const answer = await world.api.inject({ method: "GET", url, headers });
	return { status: answer.statusCode, headers: answer.headers, text: answer.body, json: () => answer.json() };
};

describe("resources", () => {
	it("are listed as the command line lists them", async () => {
		await start();
		const answer = await get("/api/v1/resources");
		expect(answer.json()).toEqual({
			apiVersion: "ecs-access.dev/v1alpha1",
			kind: "StatusList",
			items: [BILLING, status("orders-api")],
		});
		expect(problems("status-list.json", answer.json())).toEqual([]);
	});

	it("are chosen by kind, account and readiness, the kind in any of its spellings", async () => {
		await start();
		const names = async (query: string) =>
			(await get(`/api/v1/resources?${query}`)).json().items.map((s: { key: string }) => s.key);
		expect(await names("ready=false")).toEqual(["AccessPolicy/billing"]);
		expect(await names("ready=true&kind=accesspolicies")).toEqual(["AccessPolicy/orders-api"]);
		expect(await names("kind=Installation")).toEqual([]);
		expect(await names("account=dev")).toEqual([]);
	});

	it("come a page at a time, each with the address of the next, until all were there", async () => {
		await start();
		const more = ["a", "b", "c"].map((name) => status(name));
		await world.store.putStatus(more.map((after) => ({ key: after.key, before: undefined, after })));
		const seen: string[] = [];
		for (let url: string | undefined = "/api/v1/resources?limit=2&account=prod"; url !== undefined; ) {
			const answer = await get(url);
			seen.push(...answer.json().items.map((s: { key: string }) => s.key));
			url = /^<([^>]+)>; rel="next"$/.exec(String(answer.headers.link ?? ""))?.[1];
			expect(seen.length).toBeLessThan(10);
		}
		expect(seen).toEqual(["a", "b", "billing", "c", "orders-api"].map((n) => `AccessPolicy/${n}`));
	});

	it("answer by name, with all instances or with one", async () => {
		await start();
		for (const account of ["dev", "prod"]) {
			const after = status(`search@${account}`, { account });
			await world.store.putStatus([{ key: after.key, before: undefined, after }]);
		}
		const keys = async (path: string) => (await get(path)).json().items.map((s: { key: string }) => s.key);
		expect(await keys("/api/v1/resources/AccessPolicy/search")).toEqual(["AccessPolicy/search@dev", "AccessPolicy/search@prod"]);
		expect(await keys("/api/v1/resources/accesspolicies/search@dev")).toEqual(["AccessPolicy/search@dev"]);
	});

	it("that are not known are refused with the nearest names, kinds too", async () => {
		await start();
		for (const tail of ["", "/history"]) {
			const answer = await get(`/api/v1/resources/AccessPolicy/order-api${tail}`);
			expect(answer.status).toBe(404);
			expect(answer.json()).toEqual({ error: "nothing is known of AccessPolicy/order-api", fix: "did you mean orders-api?" });
			expect(problems("error.json", answer.json())).toEqual([]);
		}
		expect((await get("/api/v1/resources/AccesPolicy/a")).json()).toEqual({
			error: 'no kind "AccesPolicy"',
			fix: "did you mean AccessPolicy?",
		});
	});
});

describe("history", () => {
	it("is told newest first, of all or of one, since a time, and no more than asked for", async () => {
		await start();
		const all = (await get("/api/v1/history")).json();
		expect(problems("history-list.json", all)).toEqual([]);
		expect(all.items.map((e: { at: string }) => e.at)).toEqual([
			"2026-11-24T08:30:00Z",
			"2026-11-24T08:00:05Z",
			"2026-11-24T08:00:00Z",
		]);
		const count = async (url: string) => (await get(url)).json().items.length;
		expect(await count("/api/v1/history?limit=1")).toBe(1);
		expect(await count("/api/v1/history?since=2026-11-24T09:00:05%2B01:00")).toBe(2);
		expect(await count("/api/v1/history?key=AccessPolicy/billing")).toBe(1);
		expect(await count("/api/v1/resources/AccessPolicy/orders-api/history?limit=5")).toBe(2);
	});

	it("of what has no status any more is still told", async () => {
		await start();
		await world.store.putStatus([{ key: "AccessPolicy/billing", before: BILLING, after: undefined }]);
		expect((await get("/api/v1/resources/AccessPolicy/billing/history")).json().items).toHaveLength(1);
	});

	it("is not read where the question is none", async () => {
		await start();
		const bad = async (url: string) => {
			const answer = await get(url);
			expect(answer.status).toBe(400);
			expect(problems("error.json", answer.json())).toEqual([]);
			return answer.json().error;
		};
		expect(await bad("/api/v1/history?limit=0")).toBe("limit must be >= 1");
		expect(await bad("/api/v1/history?limit=100000")).toBe("limit must be <= 1000");
		expect(await bad("/api/v1/history?since=yesterday")).toBe('since "yesterday" is no time');
		expect(await bad("/api/v1/history?sinc=2026")).toMatch(/additional properties/);
	});
});

describe("a plan", () => {
	const PLAN = "/api/v1/resources/AccessPolicy/orders-api/plan";

	it("is made now, of that resource, and is a plan file", async () => {
		await start();
		await world.commit(SOUND);
		const answer = await get(PLAN);
		expect(answer.status).toBe(200);
		expect(problems("plan-file.json", answer.json())).toEqual([]);
		expect(world.planned).toEqual([["AccessPolicy/orders-api"]]);
	});

	it("is shared by those who ask at once or soon after, and made again later", async () => {
		await start();
		await world.commit(SOUND);
		await Promise.all([get(PLAN), get(PLAN), get(PLAN)]);
		expect(world.planned).toHaveLength(1);
		await world.clock.advance(4_000);
		await get(PLAN);
		expect(world.planned).toHaveLength(1);
		await world.clock.advance(2_000);
		await get(PLAN);
		expect(world.planned).toHaveLength(2);
	});

	it("waits its turn: where two are made, a third is refused until they are done", async () => {
		await start();
		await world.commit(SOUND);
		const names = ["a", "b", "c"];
		await world.store.putStatus(names.map((n) => ({ key: `AccessPolicy/${n}`, before: undefined, after: status(n) })));
		const finish: (() => void)[] = [];
		world.plan = () => new Promise<PlanFile>((resolve) => finish.push(() => resolve(planFile([]))));
		const plan = (name: string) => get(`/api/v1/resources/AccessPolicy/${name}/plan`);
		const [a, b] = [plan("a"), plan("b")];
		await expect.poll(() => finish.length).toBe(2);
		const third = await plan("c");
		expect([third.status, third.headers["retry-after"]]).toEqual([429, "5"]);
		for (const f of finish) f();
		expect([(await a).status, (await b).status]).toEqual([200, 200]);
		const again = plan("c");
		await expect.poll(() => finish.length).toBe(3);
		finish[2]?.();
		expect((await again).status).toBe(200);
	});

	it("that failed is not kept, and says nothing of how", async () => {
		await start();
		await world.commit(SOUND);
		const made = world.plan;
		world.plan = async () => {
			throw new Error("ECONNREFUSED 10.0.0.7 with AKIAIOSFODNN7EXAMPLE");
		};
		const failed = await get(PLAN);
		expect(failed.status).toBe(500);
		expect(failed.text).not.toMatch(/ECONN|AKIA|at /);
		const [told] = world.events.filter((e) => e.type === "failed");
		expect(failed.json().fix).toBe(`look for ${told?.id} in the log of the process`);
		world.plan = made;
		expect((await get(PLAN)).status).toBe(200);
	});

	it("is not made before a revision is in force, nor on standby", async () => {
		await start();
		expect((await get(PLAN)).json().error).toBe("no revision is in force yet");
		if (world.served !== null) {
			world.served = {
				...world.served,
				manager: null,
				term: { state: "standby", holder: "kim@a", until: "2026-11-24T10:00:00Z" },
			};
		}
		expect((await get(PLAN)).json().error).toBe("this process stands by: kim@a is the writer");
		expect(world.planned).toEqual([]);
	});
});

describe("the state of the process", () => {
	it("says what is in force, what waits and how many resources are well", async () => {
		await start();
		await world.commit(SOUND);
		const answer = (await get("/api/v1/status")).json();
		expect(problems("controller-status.json", answer)).toEqual([]);
		expect(answer).toMatchObject({
			installation: "main",
			mode: "Enforce",
			term: { state: "writing" },
			ready: true,
			revision: "3f2a91c0000000000000000000000000000000000",
			pause: null,
			queue: { waiting: 0, running: 0, scheduled: 0 },
			accounts: [{ name: "prod", accountId: "123456789012", resynced: null, error: null }],
			resources: { recorded: 2, ready: 1, notReady: 1, stalled: 0, drifted: 0 },
		});
	});

	it("says of the source what is in force, and why a newer revision is not", async () => {
		await start();
		await world.commit(SOUND);
		await world.commit({ ...SOUND, "platform/installation.yaml": "kind: [" });
		const answer = (await get("/api/v1/source")).json();
		expect(problems("source-status.json", answer)).toEqual([]);
		expect(answer.inForce).toMatchObject({ source: "github.com/acme/access//policies", resources: 0, stalled: [] });
		expect(answer.refused).toMatchObject({ reason: "InvalidYaml", findings: [{ id: "InvalidYaml", severity: "error" }] });
	});

	it("names what stalls in the revision that is in force", async () => {
		await start();
		const bad = { apiVersion: "ecs-access.dev/v1alpha1", kind: "AccessPolicy", metadata: { name: "bad" }, spec: { surprise: 1 } };
		await world.commit({ ...SOUND, "bad.yaml": bad });
		const answer = (await get("/api/v1/source")).json();
		expect(problems("source-status.json", answer)).toEqual([]);
		expect(answer.inForce.stalled[0]).toMatchObject({ key: "AccessPolicy/bad" });
		expect(answer.inForce.stalled[0].findings.length).toBeGreaterThan(0);
	});

	it("is not there while nothing is open: the reason is", async () => {
		await start();
		world.served = null;
		for (const url of ["/api/v1/status", "/api/v1/source", "/api/v1/resources", "/api/v1/history"]) {
			const answer = await get(url);
			expect([url, answer.status, answer.json().error]).toEqual([url, 503, "the installation is being opened"]);
		}
		world.trouble = { message: "no credentials", fix: "set AWS_PROFILE" };
		expect((await get("/api/v1/status")).json()).toEqual({ error: "no credentials", fix: "set AWS_PROFILE" });
		expect((await get("/healthz")).status).toBe(200);
	});
});

describe("every answer", () => {
	it("forbids to make a page of it, to keep it and to guess what it is", async () => {
		await start();
		for (const url of ["/healthz", "/metrics", "/api/v1/resources", "/nowhere", "/api/v1/history?limit=x"]) {
			const { headers } = await get(url);
			expect([url, headers["cache-control"], headers["x-content-type-options"], headers["content-security-policy"]]).toEqual([
				url,
				"no-store",
				"nosniff",
				"default-src 'none'; frame-ancestors 'none'",
			]);
		}
	});

	it("to what is not there names the nearest address, or all of them", async () => {
		await start();
		expect((await get("/api/v1/statuss")).json().fix).toBe("did you mean /api/v1/status?");
		expect((await get("/")).json().fix).toMatch(/^there are \/api\/v1\/history, .*\/webhook\/gitlab$/);
		const answer = await world.api.inject({ method: "DELETE", url: "/api/v1/resources" });
		expect([answer.statusCode, answer.json().error]).toEqual([405, "DELETE is not for /api/v1/resources"]);
		expect((await get("/%E0%A4%A")).status).toBe(400);
	});

	it("of a server on loopback is for this machine alone, under its own name", async () => {
		await start();
		expect((await get("/api/v1/resources", { host: "evil.example" })).status).toBe(403);
		expect((await get("/api/v1/resources", { host: "127.0.0.1:8080" })).status).toBe(200);
		expect((await get("/api/v1/resources", { host: "[::1]:8080" })).status).toBe(200);
	});

	it("below /api/ needs a name where reading is guarded; health and metrics do not", async () => {
		await start({ ...BY_TOKEN, reads: "guarded" });
		expect((await get("/api/v1/resources")).status).toBe(401);
		expect((await get("/api/v1/resources", { authorization: `Bearer ${TOKEN}` })).status).toBe(200);
		expect((await get("/healthz")).status).toBe(200);
		expect((await get("/metrics")).status).toBe(200);
	});

	it("is told of with its route, and never with what was sent", async () => {
		await start();
		await get("/api/v1/resources/AccessPolicy/orders-api?x=geheim", { authorization: "Bearer geheim" });
		expect(JSON.stringify(world.events)).not.toContain("geheim");
		expect(world.events.at(-1)).toMatchObject({ type: "request", route: "/api/v1/resources/:kind/:name", status: 200 });
	});
});
