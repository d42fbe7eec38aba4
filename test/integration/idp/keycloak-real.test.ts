import { spawn } from "node:child_process";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { OAuthClientDriver } from "../../../controller/model/oauth-client.ts";
import { Secret } from "../../../controller/model/secret.ts";
import { driverOf, failureOf, plain, signal } from "./drivers.ts";

/**
 * Against a real Keycloak, seen with 26.5.6. Not in every run: it wants Java 17 and a distribution of Keycloak, unpacked
 * (the Maven artifact org.keycloak:keycloak-quarkus-dist, type zip).
 *
 *     KEYCLOAK=1 KEYCLOAK_HOME=/opt/keycloak-26.5.6 npx vitest run --project sandbox test/integration/idp/keycloak-real.test.ts
 */
const wanted = process.env.KEYCLOAK === "1";
const ADMIN = { username: "admin", password: "admin-of-a-test" };
const POLICY = {
	policies: [
		{
			name: "rotation",
			enabled: true,
			conditions: [{ condition: "client-access-type", configuration: { type: ["confidential"] } }],
		},
	].map((policy) => ({ ...policy, profiles: ["rotation"] })),
};
const DAY = 86_400;
const periods = { "expiration-period": 29 * DAY, "rotated-expiration-period": 2 * DAY, "remaining-rotation-period": 10 * DAY };
const PROFILES = { profiles: [{ name: "rotation", executors: [{ executor: "secret-rotation", configuration: periods }] }] };

describe.skipIf(!wanted)("a real Keycloak", () => {
	let origin: string;
	let stop: () => Promise<void>;
	let token: string;
	let driver: OAuthClientDriver;
	const first = new Secret("first secret+with/odd=signs");
	const issuer = () => `${origin}/realms/acme`;

	async function admin(method: string, path: string, body?: unknown): Promise<unknown> {
		const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
		const url = `${origin}/admin/realms${path}`;
		const response = await fetch(url, { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
		if (!response.ok) throw new Error(`${method} ${path}: ${response.status}`);
		const text = await response.text();
		return text === "" ? null : JSON.parse(text);
	}

	async function idOf(clientId: string): Promise<string> {
		const found = (await admin("GET", `/acme/clients?clientId=${clientId}`)) as readonly { readonly id: string }[];
		return found[0]?.id ?? "";
	}

	/** A client with a service account that has these roles of realm-management, and nothing else. */
	async function accountWith(clientId: string, roles: readonly string[]): Promise<Readonly<Record<string, string>>> {
		const clientSecret = `secret-of-${clientId}`;
		await admin("POST", "/acme/clients", { clientId, publicClient: false, serviceAccountsEnabled: true, secret: clientSecret });
		const user = (await admin("GET", `/acme/clients/${await idOf(clientId)}/service-account-user`)) as { readonly id: string };
		const management = await idOf("realm-management");
		const granted = await Promise.all(roles.map((role) => admin("GET", `/acme/clients/${management}/roles/${role}`)));
		await admin("POST", `/acme/users/${user.id}/role-mappings/clients/${management}`, granted);
		return { clientId, clientSecret };
	}

	beforeAll(async () => {
		({ origin, stop } = await startKeycloak(process.env.KEYCLOAK_HOME ?? ""));
		const body = new URLSearchParams({ grant_type: "password", client_id: "admin-cli", ...ADMIN });
		const login = await fetch(`${origin}/realms/master/protocol/openid-connect/token`, { method: "POST", body });
		token = ((await login.json()) as { readonly access_token: string }).access_token;
	}, 180_000);
	afterAll(() => stop?.());

	beforeEach(async () => {
		await admin("DELETE", "/acme").catch(() => undefined);
		await admin("POST", "", { realm: "acme", enabled: true });
		const secret = plain(first);
		await admin("POST", "/acme/clients", { clientId: "orders", publicClient: false, serviceAccountsEnabled: true, secret });
		driver = driverOf(
			{ provider: "keycloak", issuer: issuer(), clientId: "orders" },
			await accountWith("rotator", ["manage-clients", "view-realm"]),
		);
	});

	it("has no overlap without the policy; what was there can be read and put back", async () => {
		expect((await driver.list(signal)).map(({ id }) => id)).toEqual(["current"]);
		expect(driver.capabilities.overlap).toBe("none");
		expect(plain(await driver.read(signal))).toBe(plain(first));
		expect([await driver.test(first, signal), await driver.test(new Secret("wrong"), signal)]).toEqual(["accepted", "refused"]);

		const made = await driver.create(null, signal);

		expect([await driver.test(made.value, signal), await driver.test(first, signal)]).toEqual(["accepted", "refused"]);
		await driver.remove("rotated", signal);
		await driver.restore(first, signal);
		expect([await driver.test(made.value, signal), await driver.test(first, signal)]).toEqual(["refused", "accepted"]);
	});

	it("has a grace under the policy, which a removal ends", async () => {
		await admin("PUT", "/acme/client-policies/profiles", PROFILES);
		await admin("PUT", "/acme/client-policies/policies", POLICY);
		await driver.list(signal);
		expect(driver.capabilities.overlap).toBe("none");

		const made = await driver.create(null, signal);

		const [current, rotated] = await driver.list(signal);
		expect(driver.capabilities).toMatchObject({ maxActive: 2, overlap: "grace" });
		expect(rotated).toMatchObject({ id: "rotated", active: true });
		const grace = Date.parse(rotated?.expiresAt ?? "") - Date.parse(current?.createdAt ?? "");
		expect(Math.abs(grace / 1000 - 2 * DAY)).toBeLessThan(120);
		expect([await driver.test(made.value, signal), await driver.test(first, signal)]).toEqual(["accepted", "accepted"]);

		await driver.remove("rotated", signal);
		await driver.remove("rotated", signal);
		expect([await driver.test(made.value, signal), await driver.test(first, signal)]).toEqual(["accepted", "refused"]);

		await driver.restore(first, signal);
		expect([await driver.test(made.value, signal), await driver.test(first, signal)]).toEqual(["refused", "accepted"]);
	});

	it("promises nothing once the policy is off, nor to one who may not look at it", async () => {
		await admin("PUT", "/acme/client-policies/profiles", PROFILES);
		await admin("PUT", "/acme/client-policies/policies", POLICY);
		await driver.create(null, signal);
		const blind = driverOf(
			{ provider: "keycloak", issuer: issuer(), clientId: "orders" },
			await accountWith("blind", ["manage-clients"]),
		);
		expect((await blind.list(signal)).length).toBe(2);
		expect(blind.capabilities.overlap).toBe("none");
		await driver.list(signal);
		expect(driver.capabilities.overlap).toBe("grace");
		await admin("PUT", "/acme/client-policies/policies", { policies: [] });
		await driver.list(signal);
		expect(driver.capabilities.overlap).toBe("none");
	});

	it("tests the secret of a client that has no service account", async () => {
		await admin("PUT", `/acme/clients/${await idOf("orders")}`, { serviceAccountsEnabled: false });
		expect([await driver.test(first, signal), await driver.test(new Secret("wrong"), signal)]).toEqual(["accepted", "refused"]);
	});

	it("takes a name and password, and refuses an account without the role", async () => {
		const credentials = [{ type: "password", value: "password-of-a-test", temporary: false }];
		const person = { username: "ops", enabled: true, email: "ops@acme.io", firstName: "O", lastName: "P", credentials };
		await admin("POST", "/acme/users", person);
		const named = { username: "ops", password: "password-of-a-test" };
		const one = driverOf({ provider: "keycloak", issuer: issuer(), clientId: "orders" }, named);
		expect(await failureOf(one.list(signal))).toMatchObject({
			reason: "ProviderRefused",
			message: expect.stringContaining("with 403"),
		});
		const [user] = (await admin("GET", "/acme/users?username=ops")) as readonly { readonly id: string }[];
		const management = await idOf("realm-management");
		const role = await admin("GET", `/acme/clients/${management}/roles/manage-clients`);
		await admin("POST", `/acme/users/${user?.id}/role-mappings/clients/${management}`, [role]);
		const other = driverOf({ provider: "keycloak", issuer: issuer(), clientId: "orders" }, named);
		expect(plain(await other.read(signal))).toBe(plain(first));
	});
});

async function startKeycloak(home: string): Promise<{ readonly origin: string; readonly stop: () => Promise<void> }> {
	const port = await freePort();
	const options = ["--features=client-secret-rotation", "--db=dev-mem", "--http-host=127.0.0.1", `--http-port=${port}`];
	const env = { ...process.env, KC_BOOTSTRAP_ADMIN_USERNAME: ADMIN.username, KC_BOOTSTRAP_ADMIN_PASSWORD: ADMIN.password };
	const child = spawn(join(home, "bin", "kc.sh"), ["start-dev", ...options], { env, stdio: "ignore" });
	const ended = new Promise<void>((resolve, reject) => {
		child.once("exit", () => resolve());
		child.once("error", reject);
	});
	ended.catch(() => undefined);
	const origin = `http://127.0.0.1:${port}`;
	const up = async () => {
		for (;;) {
			const answer = await fetch(`${origin}/realms/master`).catch(() => null);
			if (answer?.status === 200) return;
			await pause(500);
		}
	};
	const gone = ended.then(() => {
		throw new Error("Keycloak ended by itself: does KEYCLOAK_HOME name its folder?");
	});
	await Promise.race([up(), gone]);
	gone.catch(() => undefined);
	return {
		origin,
		stop: async () => {
			child.kill();
			await ended;
		},
	};
}

async function freePort(): Promise<number> {
	const server = createServer();
	await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
	const address = server.address();
	await new Promise((resolve) => server.close(resolve));
	return typeof address === "object" && address !== null ? address.port : 0;
}
