import { generateKeyPairSync } from "node:crypto";
import { afterEach, describe, expect, it } from "vitest";
import { createApi } from "../../../controller/api/server.ts";
import { readPause } from "../../../controller/engine/pause.ts";
import { Secret } from "../../../controller/model/secret.ts";
import { type SigningAlb, signingAlb } from "./alb-keys.ts";
import { type ApiWorld, apiWorld, BY_TOKEN, CLOSED, problems, remember, SOUND, TOKEN } from "./world.ts";

const open: { readonly close: () => Promise<void> }[] = [];
afterEach(async () => {
	for (const o of open.splice(0)) await o.close();
});

async function start(...args: Parameters<typeof apiWorld>): Promise<ApiWorld> {
	const world = await apiWorld(...args);
	open.push(world);
	await remember(world.store);
	await world.commit(SOUND);
	return world;
}

async function alb(...args: Parameters<typeof signingAlb>): Promise<SigningAlb> {
	const made = await signingAlb(...args);
	open.push(made);
	return made;
}

const BEARER = { authorization: `Bearer ${TOKEN}` };
const PAUSE = { reason: "incident 4711", until: "2h" };

async function post(world: ApiWorld, path: string, body: unknown, headers: Record<string, string> = {}) {
	const answer = await world.api.inject({
		method: "POST",
		url: `/api/v1/${path}`,
		headers: { "content-type": "application/json", ...headers },
		payload: typeof body === "string" ? body : JSON.stringify(body),
	});
	return { status: answer.statusCode, headers: answer.headers, json: () => answer.json() };
}

async function nothingHappened(world: ApiWorld): Promise<void> {
	expect(await readPause(world.store, world.clock.millis())).toBeNull();
	expect([world.hints, world.asked, world.events.filter((e) => e.type === "act")]).toEqual([[], [], []]);
	expect((await world.store.history({ limit: 100 })).length).toBe(3);
}

describe("writing over HTTP", () => {
	it("is off where nobody was named who may, whatever is sent", async () => {
		const world = await start(CLOSED);
		for (const [path, body] of [
			["sync", {}],
			["pause", PAUSE],
			["resume", { reason: "over" }],
		] as const) {
			const answer = await post(world, path, body, BEARER);
			expect([answer.status, answer.json().error]).toEqual([403, "writing over HTTP is off"]);
			expect(problems("error.json", answer.json())).toEqual([]);
		}
		await nothingHappened(world);
	});

	it("needs the token, whole and alone", async () => {
		const world = await start(BY_TOKEN);
		const wrong = [
			{},
			{ authorization: "Bearer " },
			{ authorization: `Bearer ${TOKEN}0` },
			{ authorization: `Bearer ${TOKEN.slice(1)}` },
			{ authorization: TOKEN },
			{ authorization: `Basic ${TOKEN}` },
			{ "x-amzn-oidc-data": "a.b.c" },
		];
		for (const headers of wrong) {
			const answer = await post(world, "pause", PAUSE, headers as Record<string, string>);
			expect([JSON.stringify(headers), answer.status, answer.headers["www-authenticate"]]).toEqual([
				JSON.stringify(headers),
				401,
				"Bearer",
			]);
		}
		await nothingHappened(world);
		expect((await post(world, "pause", PAUSE, BEARER)).status).toBe(200);
	});

	it("takes a token that was replaced, and no more the one before", async () => {
		let token = TOKEN;
		const world = await start({ ...BY_TOKEN, token: async () => new Secret(token) });
		token = "another-token-of-thirty-two-chars";
		expect((await post(world, "sync", {}, BEARER)).status).toBe(401);
		expect((await post(world, "sync", {}, { authorization: `Bearer ${token}` })).status).toBe(202);
	});

	it("does not begin with a token that can be guessed", async () => {
		const access = { ...CLOSED, token: async () => new Secret("short") };
		await expect(apiWorld(access)).rejects.toThrow("shorter than 24 characters");
	});

	it("is refused to a page of another site, though it has the right to be there", async () => {
		const world = await start(BY_TOKEN);
		expect((await post(world, "pause", PAUSE, { ...BEARER, "sec-fetch-site": "cross-site" })).status).toBe(403);
		expect((await post(world, "pause", PAUSE, { ...BEARER, "sec-fetch-site": "same-site" })).status).toBe(403);
		expect((await post(world, "pause", JSON.stringify(PAUSE), { ...BEARER, "content-type": "text/plain" })).status).toBe(403);
		await nothingHappened(world);
		expect((await post(world, "pause", PAUSE, { ...BEARER, "sec-fetch-site": "same-origin" })).status).toBe(200);
	});

	it("tells who may what must be in a body, and who may not nothing", async () => {
		const world = await start(BY_TOKEN);
		const error = async (path: string, body: unknown, headers = BEARER) =>
			(await post(world, path, body, headers as typeof BEARER)).json().error;
		expect(await error("pause", { until: "2h" })).toBe("the request must have required property 'reason'");
		expect(await error("pause", "")).toBe("the body must hold reason and until");
		expect(await error("pause", { ...PAUSE, reason: " \n " })).toBe("the reason is empty");
		expect(await error("pause", { ...PAUSE, until: "soon" })).toBe('until "soon" is neither a time nor a duration');
		expect(await error("pause", { ...PAUSE, until: "99999999999999d" })).toMatch(/neither a time/);
		expect(await error("pause", { ...PAUSE, until: "30d" })).toMatch(/longer than 7 days/);
		expect(await error("pause", { ...PAUSE, until: "2020-01-01T00:00:00Z" })).toMatch(/over already/);
		expect(await error("pause", { ...PAUSE, force: true })).toMatch(/additional properties/);
		expect(await error("pause", '{"reason":"x","until":"2h","__proto__":{}}')).toBe("the request is not valid");
		expect(await error("pause", "{")).toBe("the request is not valid");
		expect(await error("pause", { reason: "x".repeat(20_000), until: "2h" })).toBe("the body is too large");
		expect(await error("pause", { until: "2h" }, {} as typeof BEARER)).toBe("nobody is signed in");
		await nothingHappened(world);
	});
});

describe("a pause over HTTP", () => {
	it("is the pause of the command line: in the store, with its owner, reason and end, and in the history", async () => {
		const world = await start(BY_TOKEN);
		const answer = await post(world, "pause", { reason: "incident\n4711", until: "2h" }, BEARER);
		expect(problems("pause-changed.json", answer.json())).toEqual([]);
		const pause = { by: "bearer token", reason: "incident 4711", since: "2026-11-24T09:00:00Z", until: "2026-11-24T11:00:00Z" };
		expect(answer.json()).toMatchObject({ before: null, after: pause });
		expect(await readPause(world.store, world.clock.millis())).toEqual(pause);
		const [entry] = await world.store.history({ limit: 1 });
		expect(entry).toMatchObject({ event: "paused", actor: "bearer token", why: "incident 4711", key: "Installation/main" });
		const [act] = world.events.filter((e) => e.type === "act");
		expect(entry?.reconcileId).toBe(act?.id);
	});

	it("ends by resume, which asks for everything to be planned; without one nothing is done", async () => {
		const world = await start(BY_TOKEN);
		expect((await post(world, "resume", { reason: "over" }, BEARER)).json()).toMatchObject({ before: null, after: null });
		expect(world.asked).toEqual([]);
		await post(world, "pause", PAUSE, BEARER);
		const answer = await post(world, "resume", { reason: "over" }, BEARER);
		expect(answer.json()).toMatchObject({ before: { reason: "incident 4711" }, after: null });
		expect(await readPause(world.store, world.clock.millis())).toBeNull();
		expect(world.asked).toEqual([null]);
	});

	it("is not ended by who saw another one", async () => {
		const world = await start(BY_TOKEN);
		await post(world, "pause", PAUSE, BEARER);
		const answer = await post(world, "resume", { reason: "over", since: "2026-11-23T09:00:00Z" }, BEARER);
		expect([answer.status, answer.json().error]).toEqual([
			409,
			"it has been paused anew meanwhile, by bearer token: incident 4711",
		]);
		expect(await readPause(world.store, world.clock.millis())).not.toBeNull();
	});

	it("holds on standby too, since the store is shared", async () => {
		const world = await start(BY_TOKEN);
		if (world.served !== null)
			world.served = {
				...world.served,
				manager: null,
				term: { state: "standby", holder: "kim@a", until: "2026-11-24T10:00:00Z" },
			};
		expect((await post(world, "pause", PAUSE, BEARER)).status).toBe(200);
		expect((await post(world, "sync", {}, BEARER)).status).toBe(503);
	});
});

describe("a sync", () => {
	it("of one asks for a pass over each instance of it", async () => {
		const world = await start(BY_TOKEN);
		const answer = await post(world, "sync", { key: "orders-api" }, BEARER);
		expect([answer.status, answer.json().keys]).toEqual([202, ["AccessPolicy/orders-api"]]);
		expect(problems("sync-asked.json", answer.json())).toEqual([]);
		expect([world.asked, world.hints]).toEqual([["AccessPolicy/orders-api"], []]);
		const unknown = await post(world, "sync", { key: "AccessPolicy/order-api" }, BEARER);
		expect([unknown.status, unknown.json().fix]).toEqual([404, "did you mean orders-api?"]);
	});

	it("of all looks at the source as well; no body is needed", async () => {
		const world = await start(BY_TOKEN);
		expect((await post(world, "sync", "", BEARER)).json().keys).toBeNull();
		expect([world.asked, world.hints]).toEqual([[null], [{ type: "source" }]]);
	});
});

describe("an identity of a load balancer", () => {
	const act = async (world: ApiWorld, claims: string) => post(world, "pause", PAUSE, { "x-amzn-oidc-data": claims });

	it("that is verified is the actor of what it asks for", async () => {
		const balancer = await alb();
		const world = await start({ ...CLOSED, alb: balancer.identity });
		expect((await act(world, balancer.claims())).status).toBe(200);
		expect((await readPause(world.store, world.clock.millis()))?.by).toBe("kim@acme.example (00u1kim)");
		expect((await act(world, balancer.claims({ email: undefined, sub: "00u2\nsam" }))).status).toBe(200);
		expect((await readPause(world.store, world.clock.millis()))?.by).toBe("00u2?sam");
		expect(balancer.asked()).toBe(1);
	});

	it("is refused where anything of it is another's, or has ended", async () => {
		const balancer = await alb();
		const other = await alb();
		const world = await start({ ...CLOSED, alb: balancer.identity });
		const thief = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
		const past = Math.floor(Date.now() / 1000) - 60;
		const [head = "", body = "", signature = ""] = balancer.claims().split(".");
		const sam = Buffer.from(JSON.stringify({ sub: "sam", exp: past + 600, iss: balancer.identity.issuer })).toString("base64");
		const wrong: Readonly<Record<string, string>> = {
			"another load balancer's ARN": balancer.claims({}, { signer: balancer.identity.signer.replace("50dc", "60dc") }),
			"another key under the same id": balancer.claims({}, {}, thief),
			"a key of another load balancer": other.claims(),
			"another issuer": balancer.claims({ iss: "https://evil.example" }),
			"another client": balancer.claims({}, { client: "other" }),
			"an end that has passed": balancer.claims({ exp: past }, { exp: past }),
			"no end": balancer.claims({ exp: undefined }, { exp: undefined }),
			"no subject": balancer.claims({ sub: "" }),
			"no signature": `${head}.${body}.`,
			"another body": `${head}.${sam}.${signature}`,
			"the algorithm none": balancer.claims({}, { alg: "none" }),
			"no key id": balancer.claims({}, { kid: "../../evil" }),
			nonsense: "x",
		};
		for (const [what, claims] of Object.entries(wrong)) {
			const answer = await act(world, claims);
			expect([what, answer.status, answer.json().error]).toEqual([what, 401, "the load balancer's claims cannot be verified"]);
		}
		await nothingHappened(world);
	});

	it("may be asked for a claim: who does not hold it may not write", async () => {
		const balancer = await alb({ claim: { name: "groups", values: ["platform"] } });
		const world = await start({ ...CLOSED, alb: balancer.identity });
		for (const groups of [undefined, "sales", ["sales"], { platform: true }]) {
			expect([groups, (await act(world, balancer.claims({ groups }))).status]).toEqual([groups, 403]);
		}
		await nothingHappened(world);
		expect((await act(world, balancer.claims({ groups: ["sales", "platform"] }))).status).toBe(200);
	});

	it("of made-up key ids asks for no more than twenty keys a minute", async () => {
		const balancer = await alb();
		const world = await start({ ...CLOSED, alb: balancer.identity });
		for (let n = 0; n < 30; n++) await act(world, balancer.claims({}, { kid: crypto.randomUUID() }));
		expect(balancer.asked()).toBe(20);
		await world.clock.advance(61_000);
		expect((await act(world, balancer.claims())).status).toBe(200);
	});

	it("cannot be asked for where the ARN is no load balancer's, or its keys are not known", async () => {
		const identity = { signer: "arn:aws:iam::1:role/x", issuer: "https://a", clientId: "b", claim: null };
		const deps = {
			version: "0",
			served: () => null,
			trouble: () => null,
			metrics: { contentType: "text/plain", text: async () => "" },
			observe: () => {},
		};
		const make = (signer: string) =>
			createApi({
				...deps,
				clock: { now: () => "", millis: () => 0, sleep: async () => {} },
				access: { ...CLOSED, alb: { ...identity, signer } },
			});
		await expect(make("arn:aws:iam::1:role/x")).rejects.toThrow(/is no ARN of a load balancer/);
		await expect(make("arn:aws-us-gov:elasticloadbalancing:us-gov-west-1:1:loadbalancer/app/a/b")).rejects.toThrow(
			/is not known/,
		);
	});
});
