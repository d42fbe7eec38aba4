import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { OAuthClientDriver } from "../../../controller/model/oauth-client.ts";
import { Secret } from "../../../controller/model/secret.ts";
import { driverOf, failureOf, plain, signal } from "./drivers.ts";
import { OKTA_APP, OKTA_TOKEN, type OktaServer, startOkta } from "./okta-server.ts";

const SECRETS = `/api/v1/apps/${OKTA_APP}/credentials/secrets`;
const first = new Secret("first-secret-of-the-app");
const second = new Secret("second+secret of/the=app:&");
let okta: OktaServer;
let driver: OAuthClientDriver;

function driverWith(admin: Readonly<Record<string, unknown>>, clientId = OKTA_APP): OAuthClientDriver {
	return driverOf({ provider: "okta", issuer: okta.issuer, clientId }, admin);
}

beforeEach(async () => {
	okta = await startOkta("first-secret-of-the-app");
	driver = driverWith({ token: OKTA_TOKEN });
});
afterEach(() => okta.close());

describe("the secrets of an app of Okta", () => {
	it("are two for a while: made, tested, switched off, on, and removed", async () => {
		const made = await driver.create(second, signal);
		expect(made.id).toBe("ocs2");
		expect(plain(made.value)).toBe(plain(second));
		expect(await driver.list(signal)).toEqual([
			{ id: "ocs1", createdAt: "2026-01-01T00:00:00Z", active: true },
			{ id: "ocs2", createdAt: "2026-01-02T00:00:00Z", active: true },
		]);
		expect([await driver.test(first, signal), await driver.test(second, signal)]).toEqual(["accepted", "accepted"]);

		await driver.deactivate("ocs1", signal);
		await driver.deactivate("ocs1", signal);
		expect(okta.asked.filter(({ path }) => path.endsWith("/lifecycle/deactivate")).length).toBe(1);
		expect(await driver.test(first, signal)).toBe("refused");
		await driver.activate("ocs1", signal);
		expect(await driver.test(first, signal)).toBe("accepted");

		await driver.remove("ocs1", signal);
		await driver.remove("ocs1", signal);
		expect((await driver.list(signal)).map(({ id }) => id)).toEqual(["ocs2"]);
		expect(driver.capabilities).toMatchObject({ maxActive: 2, overlap: "dual", chooses: "caller", reversible: true });
	});

	it.each([true, false])("are not made twice when the answer got lost, values told in lists: %s", async (told) => {
		okta.tellValues(told);
		okta.loseAnswerOf(`POST ${SECRETS}`);
		const lost = await failureOf(driver.create(second, signal));
		expect(lost).toMatchObject({ reason: "ProviderBusy", message: expect.stringContaining("it may have been done") });
		expect(okta.secrets.length).toBe(2);

		expect(await driver.create(second, signal)).toMatchObject({ id: "ocs2" });

		expect(okta.secrets.length).toBe(2);
		expect(okta.asked.filter(({ method, path }) => method === "POST" && path === SECRETS).length).toBe(1);
	});

	it("are switched on again where the value that is wanted is there", async () => {
		await driver.create(second, signal);
		await driver.deactivate("ocs2", signal);
		expect(await driver.create(second, signal)).toMatchObject({ id: "ocs2" });
		expect(await driver.test(second, signal)).toBe("accepted");
	});

	it("are not more than two", async () => {
		await driver.create(second, signal);
		const third = new Secret("third-secret-of-the-app");
		expect(await failureOf(driver.create(third, signal))).toMatchObject({
			reason: "ProviderRefused",
			message: `client ${OKTA_APP} of Okta has 2 secrets already`,
		});
		// The list was read before somebody made the second one.
		okta.insteadOf(`GET ${SECRETS}`, { status: 200, json: [] });
		expect(await failureOf(driver.create(third, signal))).toMatchObject({
			message: expect.stringContaining("2 secrets already"),
		});
	});

	it("are tested where the grant is not allowed", async () => {
		okta.allowGrant(false);
		expect(await driver.test(first, signal)).toBe("accepted");
		expect(await driver.test(second, signal)).toBe("refused");
	});

	it("cannot be tested at the org's own authorization server", async () => {
		const words =
			"Client Credentials requests to the Org Authorization Server must use the private_key_jwt token_endpoint_auth_method";
		okta.insteadOf("POST /oauth2/default/v1/token", { status: 401, json: { error: "invalid_client", error_description: words } });
		expect(await failureOf(driver.test(first, signal))).toMatchObject({
			message: expect.stringContaining("wants private_key_jwt"),
		});
	});
});

describe("what Okta answers else", () => {
	it("is throttling, with the time at which it ends", async () => {
		const headers = { "x-rate-limit-reset": "1795635318", date: "Wed, 25 Nov 2026 19:34:18 GMT" };
		const json = { errorCode: "E0000047", errorSummary: "API call exceeded rate limit due to too many requests." };
		okta.insteadOf(`GET ${SECRETS}`, { status: 429, json, headers });
		expect(await failureOf(driver.list(signal))).toEqual({
			reason: "ProviderBusy",
			message: `Okta throttles us: it answered GET ${SECRETS} with 429`,
			afterSeconds: 1795635318 - Date.parse("2026-11-25T19:34:18Z") / 1000,
		});
	});

	it("is no token of ours, no such app, or trouble of its own", async () => {
		expect(await failureOf(driverWith({ token: "wrong" }).list(signal))).toEqual({
			reason: "ProviderRefused",
			message: `Okta answered GET ${SECRETS} with 401 E0000011`,
		});
		const missing = await failureOf(driverWith({ token: OKTA_TOKEN }, "0oanone").list(signal));
		expect(missing).toMatchObject({ reason: "ProviderClientMissing", message: expect.stringContaining("404 E0000007") });
		okta.insteadOf(`GET ${SECRETS}`, { status: 503 });
		expect(await failureOf(driver.list(signal))).toMatchObject({ reason: "ProviderBusy", afterSeconds: 30 });
		expect(await failureOf(driver.activate("none", signal))).toMatchObject({ reason: "ProviderClientMissing" });
	});
});
