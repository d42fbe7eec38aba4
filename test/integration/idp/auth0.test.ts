import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { OAuthClientDriver } from "../../../controller/model/oauth-client.ts";
import { Secret } from "../../../controller/model/secret.ts";
import { AUTH0_ADMIN, AUTH0_CLIENT, type Auth0Server, startAuth0 } from "./auth0-server.ts";
import { driverOf, failureOf, plain, signal } from "./drivers.ts";
import { startLoopback } from "./loopback.ts";

const PATCH = `PATCH /api/v2/clients/${AUTH0_CLIENT}`;
const first = new Secret("first-secret");
const second = new Secret("second+secret/with=signs:& spaces");
let auth0: Auth0Server;
let driver: OAuthClientDriver;

function driverWith(admin: Readonly<Record<string, unknown>>, clientId = AUTH0_CLIENT): OAuthClientDriver {
	return driverOf({ provider: "auth0", issuer: auth0.origin, clientId }, admin);
}

beforeEach(async () => {
	auth0 = await startAuth0("first-secret");
	driver = driverWith(AUTH0_ADMIN);
});
afterEach(() => auth0.close());

describe("the secret of an application of Auth0", () => {
	it("becomes the value that we choose, and what it was when it is put back", async () => {
		const made = await driver.create(second, signal);
		expect([made.id, plain(made.value)]).toEqual([null, plain(second)]);
		expect([await driver.test(second, signal), await driver.test(first, signal)]).toEqual(["accepted", "refused"]);

		await driver.restore(first, signal);

		expect([await driver.test(second, signal), await driver.test(first, signal)]).toEqual(["refused", "accepted"]);
		expect(driver.capabilities).toMatchObject({ overlap: "none", chooses: "caller", propagationSeconds: 30 });
	});

	it("can be set again when the answer got lost, by one login", async () => {
		auth0.loseAnswerOf(PATCH);
		expect(await failureOf(driver.create(second, signal))).toMatchObject({ reason: "ProviderBusy" });
		expect(auth0.secret()).toBe(plain(second));
		await driver.create(second, signal);
		expect(auth0.secret()).toBe(plain(second));
		expect(auth0.asked.filter(({ path }) => path === "/oauth/token").length).toBe(1);
	});

	it("is set with a new login where the token has expired", async () => {
		await driver.create(second, signal);
		auth0.expireTokens();
		await driver.restore(first, signal);
		expect(auth0.secret()).toBe("first-secret");
		expect(auth0.asked.filter(({ path }) => path === "/oauth/token").length).toBe(2);
	});

	it("is tested where the grant is not allowed", async () => {
		await auth0.close();
		auth0 = await startAuth0("first-secret", ["authorization_code"]);
		driver = driverWith(AUTH0_ADMIN);
		expect([await driver.test(first, signal), await driver.test(second, signal)]).toEqual(["accepted", "refused"]);
	});

	it("is not called accepted by a provider that never looks at it", async () => {
		const json = { error: "unauthorized_client" };
		const blind = await startLoopback((asked, origin) =>
			asked.path === "/oauth/token"
				? { status: 403, json }
				: { status: 200, json: { issuer: origin, token_endpoint: `${origin}/oauth/token` } },
		);
		const unsure = driverOf({ provider: "auth0", issuer: blind.origin, clientId: AUTH0_CLIENT }, AUTH0_ADMIN);
		expect(await failureOf(unsure.test(first, signal))).toMatchObject({
			message: expect.stringContaining("before it looks at the secret"),
		});
		await blind.close();
	});
});

describe("what Auth0 answers else", () => {
	it("is a wrong admin secret, a scope that is missing, or no such client", async () => {
		const wrong = driverWith({ ...AUTH0_ADMIN, clientSecret: "wrong" });
		expect(await failureOf(wrong.create(second, signal))).toEqual({
			reason: "ProviderRefused",
			message: "Auth0 answered POST /oauth/token with 401 access_denied",
		});
		const words = "Insufficient scope, expected any of: update:client_keys";
		const json = { statusCode: 403, error: "Forbidden", message: words, errorCode: "insufficient_scope" };
		auth0.insteadOf(PATCH, { status: 403, json });
		expect(await failureOf(driver.create(second, signal))).toEqual({
			reason: "ProviderRefused",
			message: `Auth0 answered ${PATCH} with 403`,
		});
		const missing = await failureOf(driverWith(AUTH0_ADMIN, "none").create(second, signal));
		expect(missing).toMatchObject({ reason: "ProviderClientMissing" });
		expect(auth0.secret()).toBe("first-secret");
	});

	it("is throttling, with the time at which it ends", async () => {
		const headers = { "x-ratelimit-limit": "10", "x-ratelimit-remaining": "0", "x-ratelimit-reset": "1795635263" };
		const date = "Wed, 25 Nov 2026 19:34:18 GMT";
		auth0.insteadOf(PATCH, { status: 429, json: { statusCode: 429, error: "Too Many Requests" }, headers: { ...headers, date } });
		expect(await failureOf(driver.create(second, signal))).toMatchObject({ reason: "ProviderBusy", afterSeconds: 5 });
	});
});
