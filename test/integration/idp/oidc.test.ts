import { afterEach, describe, expect, it } from "vitest";
import { Secret } from "../../../controller/model/secret.ts";
import {
	type OidcProvider,
	type OidcProviderOptions,
	type RegisteredClient,
	startOidcProvider,
} from "../../sandbox/oidc-provider.ts";
import { driverOf, failureOf, plain, signal } from "./drivers.ts";
import { type Answer, startLoopback } from "./loopback.ts";

let provider: OidcProvider;
afterEach(() => provider.close());

async function started(options: OidcProviderOptions = {}, metadata?: Parameters<OidcProvider["registerClient"]>[0]) {
	provider = await startOidcProvider(options);
	const client = await provider.registerClient(metadata);
	return { client, driver: driverFor(client), first: new Secret(client.clientSecret) };
}

function driverFor(client: RegisteredClient, changed: Readonly<Record<string, unknown>> = {}) {
	const { registrationClientUri, registrationAccessToken } = client;
	const admin = { note: "kept", registrationClientUri, registrationAccessToken, ...changed };
	return driverOf({ provider: "oidc", issuer: provider.issuer, clientId: client.clientId }, admin);
}

describe("a client of a real oidc-provider", () => {
	it("gets another secret, and the old one is dead", async () => {
		const { driver, first } = await started();
		expect(await driver.test(first, signal)).toBe("accepted");
		expect(await driver.test(new Secret("wrong"), signal)).toBe("refused");

		const made = await driver.create(null, signal);

		expect(made.id).toBeNull();
		expect(plain(made.value)).not.toBe(plain(first));
		expect(await driver.test(made.value, signal)).toBe("accepted");
		expect(await driver.test(first, signal)).toBe("refused");
		expect(driver.capabilities).toMatchObject({ maxActive: 1, overlap: "none", chooses: "server", readsBack: true });
		expect(driver.adminNow?.()).toBeNull();
	});

	it("keeps its other metadata", async () => {
		const { client, driver } = await started({}, { client_name: "orders", redirect_uris: ["https://orders.acme.io/cb"] });
		await driver.create(null, signal);
		const headers = { authorization: `Bearer ${client.registrationAccessToken}` };
		const after = await (await fetch(client.registrationClientUri, { headers })).json();
		expect(after).toMatchObject({
			client_name: "orders",
			redirect_uris: ["https://orders.acme.io/cb"],
			grant_types: ["client_credentials"],
		});
	});

	it("is read back where the answer got lost", async () => {
		const { driver, first } = await started();
		provider.loseNextAnswer("PUT");
		expect(await failureOf(driver.create(null, signal))).toMatchObject({ reason: "ProviderBusy", afterSeconds: 30 });

		const read = await driver.read(signal);

		expect(plain(read)).not.toBe(plain(first));
		expect(await driver.test(read, signal)).toBe("accepted");
	});

	it("gives the registration access token that takes the place of ours", async () => {
		const { client, driver } = await started({ tokenAtUpdate: true });
		await driver.create(null, signal);

		const admin = JSON.parse(plain(driver.adminNow?.()) ?? "{}");

		expect(admin).toMatchObject({ note: "kept", registrationClientUri: client.registrationClientUri });
		expect(admin.registrationAccessToken).not.toBe(client.registrationAccessToken);
		await driver.create(null, signal);
		const stale = driverFor(client, admin);
		expect(await failureOf(stale.read(signal))).toMatchObject({ reason: "ProviderRefused" });
		const fresh = driverFor(client, JSON.parse(plain(driver.adminNow?.()) ?? "{}"));
		expect(await fresh.test(await fresh.read(signal), signal)).toBe("accepted");
	});

	it("is told apart from a provider that keeps the secret at an update", async () => {
		const { driver, first } = await started({ secretAtUpdate: false });
		const failure = await failureOf(driver.create(null, signal));
		expect(failure).toMatchObject({ reason: "ProviderRefused", message: expect.stringContaining("keeps the secret") });
		expect(await driver.test(first, signal)).toBe("accepted");
	});

	it("leaves its secret out of the update, so that a provider may issue another", async () => {
		const { client } = await started();
		let secret = "first";
		const strict = await startLoopback((asked): Answer => {
			if (asked.method === "PUT" && !("client_secret" in JSON.parse(asked.body))) secret = "second";
			const times = { client_id_issued_at: 1, client_secret_expires_at: 0 };
			return { status: 200, json: { client_id: client.clientId, client_secret: secret, scope: "a b", ...times } };
		});
		const driver = driverFor(client, { registrationClientUri: `${strict.origin}/register/orders` });
		expect(plain((await driver.create(null, signal)).value)).toBe("second");
		expect(JSON.parse(strict.asked[1]?.body ?? "")).toEqual({ client_id: client.clientId, scope: "a b" });
		await strict.close();
	});

	it("is refused until the provider knows its secret everywhere", async () => {
		let now = 0;
		const { driver, first } = await started({ acceptAfterMs: 30_000, now: () => now });
		const { value } = await driver.create(null, signal);
		expect(await driver.test(value, signal)).toBe("refused");
		expect(await driver.test(first, signal)).toBe("accepted");
		now = 30_000;
		expect(await driver.test(value, signal)).toBe("accepted");
		expect(await driver.test(first, signal)).toBe("refused");
	});

	it("is tested by Basic once where that is taken, and by the form after it where not", async () => {
		const { driver, first } = await started();
		await driver.test(first, signal);
		expect(provider.tokenRequests()).toBe(1);
		await driver.test(new Secret("wrong"), signal);
		expect(provider.tokenRequests()).toBe(3);
	});

	it("has its secret tested although it may not use the grant", async () => {
		const of = {
			grant_types: ["authorization_code"],
			response_types: ["code" as const],
			redirect_uris: ["https://orders.acme.io/cb"],
		};
		const { driver, first } = await started({}, of);
		expect(await driver.test(first, signal)).toBe("accepted");
		expect(await driver.test(new Secret("wrong"), signal)).toBe("refused");
	});

	it("cannot be managed with a token that is none, or of another client", async () => {
		const { client } = await started();
		const other = await provider.registerClient();
		const wrong = driverFor(client, { registrationAccessToken: "wrong" });
		expect(await failureOf(wrong.create(null, signal))).toEqual({
			reason: "ProviderRefused",
			message: `the OpenID provider answered GET /reg/${client.clientId} with 401 invalid_token`,
		});
		const { registrationClientUri, registrationAccessToken } = other;
		const foreign = driverFor(client, { registrationClientUri, registrationAccessToken });
		expect(await failureOf(foreign.create(null, signal))).toMatchObject({ reason: "AdminSecretInvalid" });
	});

	it("refuses what its capabilities say it cannot", async () => {
		const { driver, first } = await started();
		const asked = [
			driver.create(first, signal),
			driver.restore(first, signal),
			driver.remove("1", signal),
			driver.deactivate("1", signal),
		];
		for (const work of asked) expect(await failureOf(work)).toMatchObject({ reason: "ProviderRefused" });
		expect(await driver.list(signal)).toEqual([]);
		expect(await driver.test(first, signal)).toBe("accepted");
	});
});
