import { type AddressInfo, createServer, type Server } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { checkHttp } from "../../../controller/idp/check-http.ts";
import { createHttp } from "../../../controller/idp/http.ts";
import { failureOf, signal } from "./drivers.ts";
import { type Answer, type Asked, type Loopback, startLoopback } from "./loopback.ts";

const opened: Loopback[] = [];
const holes: Server[] = [];
afterEach(async () => {
	for (const server of opened.splice(0)) await server.close();
	for (const hole of holes.splice(0)) hole.close();
});

async function server(answer: (asked: Asked) => Answer): Promise<Loopback> {
	const started = await startLoopback(answer);
	opened.push(started);
	return started;
}

/** Takes connections and never answers. */
async function silent(): Promise<string> {
	const hole = createServer();
	await new Promise<void>((resolve) => hole.listen(0, "127.0.0.1", resolve));
	holes.push(hole);
	return `http://127.0.0.1:${(hole.address() as AddressInfo).port}`;
}

const http = createHttp({ name: "the provider", fix: "look" }, 5_000);

describe("a request to a provider", () => {
	it("does not follow a redirect with its credentials", async () => {
		const there = await server(() => ({ status: 200, json: {} }));
		const here = await server(() => ({ status: 307, headers: { location: `${there.origin}/stolen` } }));
		const request = { method: "POST", url: `${here.origin}/token?x=1`, headers: { authorization: "Bearer t" } } as const;
		expect(await failureOf(http.send(request, signal))).toEqual({
			reason: "ProviderRefused",
			message: "the provider redirects POST /token, and credentials are not sent on",
		});
		expect(there.asked.length).toBe(0);
	});

	it("goes to https alone, but for loopback, and never with credentials in its address", async () => {
		for (const url of [
			"http://id.acme.io/x",
			"http://127.0.0.1.acme.io/x",
			"ftp://id.acme.io",
			"https://u:p@id.acme.io/",
			"id.acme.io",
		]) {
			const failure = await failureOf(http.send({ method: "GET", url }, signal));
			expect(failure).toEqual({
				reason: "ProviderAddressInvalid",
				message: "the address of the provider is no https URL without credentials",
			});
		}
	});

	it("reads no more than a MiB", async () => {
		const large = await server(() => ({ status: 200, json: "x".repeat(1024 * 1024) }));
		const failure = await failureOf(http.call({ method: "GET", url: `${large.origin}/large` }, signal));
		expect(failure).toEqual({
			reason: "ProviderRefused",
			message: "the provider answered GET /large with more than 1048576 bytes",
		});
	});

	it("ends when its time runs out, when nobody listens, and when the work is given up", async () => {
		const hole = await silent();
		const hasty = createHttp({ name: "the provider", fix: "look" }, 50);
		expect(await failureOf(hasty.send({ method: "GET", url: `${hole}/slow` }, signal))).toEqual({
			reason: "ProviderBusy",
			message: "the provider did not answer GET /slow: time ran out",
			afterSeconds: 30,
		});
		const given = new AbortController();
		const work = http.send({ method: "GET", url: `${hole}/slow` }, given.signal);
		given.abort(new Error("the process ends"));
		await expect(work).rejects.toThrow("the process ends");
		const closed = await startLoopback(() => ({ status: 200 }));
		await closed.close();
		const failure = await failureOf(http.send({ method: "GET", url: `${closed.origin}/x` }, signal));
		expect(failure.message).toBe("the provider did not answer GET /x: ECONNREFUSED");
	});

	it.each([
		[{ "retry-after": "7" }, 7],
		[{ "retry-after": "0" }, 1],
		[{ "retry-after": "86400" }, 900],
		[{ "retry-after": "soon" }, 30],
		[{}, 30],
	])("waits as long as %o says", async (headers, seconds) => {
		const busy = await server(() => ({ status: 503, headers }));
		const failure = await failureOf(http.send({ method: "GET", url: `${busy.origin}/x` }, signal));
		expect(failure).toMatchObject({ reason: "ProviderBusy", afterSeconds: seconds });
	});
});

describe("the check of an address", () => {
	it("is content with the status that was expected, and says any other", async () => {
		const orders = await server((asked) => ({ status: asked.path === "/healthz" ? 200 : 503 }));
		expect(await checkHttp({ url: `${orders.origin}/healthz`, expectStatus: 200 }, signal)).toBeNull();
		expect(await checkHttp({ url: `${orders.origin}/down`, expectStatus: 503 }, signal)).toBeNull();
		const words = `${orders.origin}/down answered 503, and 200 was expected`;
		expect(await checkHttp({ url: `${orders.origin}/down?key=planted`, expectStatus: 200 }, signal)).toBe(words);
	});

	it("follows no redirect", async () => {
		const there = await server(() => ({ status: 200 }));
		const here = await server(() => ({ status: 302, headers: { location: there.origin } }));
		expect(await checkHttp({ url: `${here.origin}/`, expectStatus: 200 }, signal)).toContain("answered 302");
		expect(there.asked.length).toBe(0);
	});

	it("says why nothing was answered", async () => {
		const hole = await silent();
		expect(await checkHttp({ url: `${hole}/x`, expectStatus: 200 }, signal, 50)).toBe(`${hole}/x did not answer: time ran out`);
		expect(await checkHttp({ url: "orders.internal/healthz", expectStatus: 200 }, signal)).toBe(
			"the address to check is no http or https URL",
		);
		const credentials = await checkHttp({ url: "https://user:planted@orders.internal/", expectStatus: 200 }, signal);
		expect(credentials).toBe("the address to check holds credentials, which are not sent");
	});
});
