import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { OAuthClientDriver } from "../../../controller/model/oauth-client.ts";
import { Secret } from "../../../controller/model/secret.ts";
import { driverOf, failureOf, plain, signal } from "./drivers.ts";
import { KEYCLOAK_ADMIN, type KeycloakServer, startKeycloak } from "./keycloak-server.ts";

const first = new Secret("first-secret");
let keycloak: KeycloakServer;
let driver: OAuthClientDriver;

beforeEach(async () => {
	keycloak = await startKeycloak("first-secret");
	driver = driverOf({ provider: "keycloak", issuer: keycloak.issuer, clientId: "orders" }, KEYCLOAK_ADMIN);
});
afterEach(() => keycloak.close());

describe("the secret of a client of Keycloak, as it speaks", () => {
	it("has no overlap without the policy, and can be put back", async () => {
		expect(await driver.list(signal)).toEqual([{ id: "current", createdAt: "2026-11-25T19:34:18Z", active: true }]);
		expect(driver.capabilities).toMatchObject({ maxActive: 1, overlap: "none" });
		const made = await driver.create(null, signal);
		expect([await driver.test(made.value, signal), await driver.test(first, signal)]).toEqual(["accepted", "refused"]);
		await driver.restore(first, signal);
		expect([await driver.test(made.value, signal), await driver.test(first, signal)]).toEqual(["refused", "accepted"]);
	});

	it("has a grace under the policy, until the rotated one is removed", async () => {
		keycloak.policy(true);
		await driver.list(signal);
		expect(driver.capabilities.overlap).toBe("none");
		const made = await driver.create(null, signal);
		const listed = await driver.list(signal);
		expect(driver.capabilities).toMatchObject({ maxActive: 2, overlap: "grace", reversible: false });
		expect(listed[1]).toEqual({
			id: "rotated",
			createdAt: "2026-11-25T19:33:20Z",
			active: true,
			expiresAt: "2100-01-01T00:00:00Z",
		});
		expect([await driver.test(made.value, signal), await driver.test(first, signal)]).toEqual(["accepted", "accepted"]);

		await driver.remove("rotated", signal);
		await driver.remove("rotated", signal);

		expect(await driver.test(first, signal)).toBe("refused");
		expect((await driver.list(signal)).length).toBe(1);
	});

	it("is not promised a grace where the policy is off by now, or may not be looked at", async () => {
		keycloak.policy(true);
		await driver.create(null, signal);
		keycloak.viewRealm(false);
		await driver.list(signal);
		expect(driver.capabilities.overlap).toBe("none");
		keycloak.viewRealm(true);
		keycloak.policy(false);
		await driver.list(signal);
		expect(driver.capabilities.overlap).toBe("none");
	});

	it("is read back where the answer got lost", async () => {
		keycloak.loseAnswerOf("POST /admin/realms/acme/clients/57d53ee4-7de7-4816-83d8-7743f71d7ff9/client-secret");
		expect(await failureOf(driver.create(null, signal))).toMatchObject({ reason: "ProviderBusy" });
		expect(plain(await driver.read(signal))).toBe(keycloak.secret());
		expect(keycloak.secret()).not.toBe("first-secret");
	});

	it("is tested where the client has no service account", async () => {
		keycloak.grant(false);
		expect([await driver.test(first, signal), await driver.test(new Secret("wrong"), signal)]).toEqual(["accepted", "refused"]);
	});

	it("needs a client, a realm and an admin that are there", async () => {
		const none = driverOf({ provider: "keycloak", issuer: keycloak.issuer, clientId: "none" }, KEYCLOAK_ADMIN);
		expect(await failureOf(none.list(signal))).toMatchObject({ reason: "ProviderClientMissing" });
		const wrong = driverOf(
			{ provider: "keycloak", issuer: keycloak.issuer, clientId: "orders" },
			{ ...KEYCLOAK_ADMIN, clientSecret: "x" },
		);
		expect(await failureOf(wrong.list(signal))).toMatchObject({
			reason: "ProviderRefused",
			message: expect.stringContaining("with 401"),
		});
		const nowhere = () => driverOf({ provider: "keycloak", issuer: keycloak.origin, clientId: "orders" }, KEYCLOAK_ADMIN);
		expect(nowhere).toThrow(/is no realm of Keycloak/);
		expect(await failureOf(driver.remove("current", signal))).toMatchObject({ reason: "ProviderRefused" });
	});
});
