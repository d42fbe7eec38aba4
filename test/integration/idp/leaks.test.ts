import { inspect } from "node:util";
import { afterEach, describe, expect, it } from "vitest";
import type { OAuthClientDriver, OAuthProvider } from "../../../controller/model/oauth-client.ts";
import { Secret } from "../../../controller/model/secret.ts";
import { driverOf, signal } from "./drivers.ts";
import { type Answer, type Loopback, startLoopback } from "./loopback.ts";

const PLANTED = "planted-0f3a";
const ADMINS: Readonly<Record<OAuthProvider, Readonly<Record<string, string>>>> = {
	oidc: { registrationAccessToken: `${PLANTED}-rat` },
	keycloak: { clientId: "rotator", clientSecret: `${PLANTED}-admin` },
	okta: { token: `${PLANTED}-ssws` },
	auth0: { clientId: "rotator", clientSecret: `${PLANTED}-m2m` },
};
const value = new Secret(`${PLANTED}-value`);

let server: Loopback;
afterEach(() => server.close());

/** Lets discovery and logins succeed, and answers the rest with all that was sent, in every field that a provider uses. */
async function echoing(provider: OAuthProvider, status: number): Promise<OAuthClientDriver> {
	const realm = provider === "keycloak" ? "/realms/acme" : "";
	server = await startLoopback((asked, origin): Answer => {
		if (asked.path.endsWith("/openid-configuration")) {
			return { status: 200, json: { issuer: `${origin}${realm}`, token_endpoint: `${origin}/login-or-test` } };
		}
		if (/^\/(login-or-test|oauth\/token)$/.test(asked.path) && asked.body.includes("rotator")) {
			return { status: 200, json: { access_token: `${PLANTED}-access-token`, expires_in: 60 } };
		}
		const sent = `${asked.body} ${asked.headers.authorization}`;
		const basic = Buffer.from(`${asked.headers.authorization}`.replace(/^Basic /, ""), "base64").toString();
		const echo = `${sent} ${basic} ${PLANTED}`;
		const names = [
			"error",
			"error_description",
			"errorCode",
			"errorSummary",
			"message",
			"client_secret",
			"value",
			"id",
			"client_id",
		];
		const json = Object.fromEntries(names.map((name) => [name, name === "error" || name === "errorCode" ? PLANTED : echo]));
		return { status, json, headers: status === 302 ? { location: `${origin}/?secret=${PLANTED}` } : {} };
	});
	const admin = { ...ADMINS[provider], registrationClientUri: `${server.origin}/reg/orders?token=${PLANTED}-query` };
	return driverOf({ provider, issuer: `${server.origin}${realm}`, clientId: "orders" }, admin);
}

function everyCall(driver: OAuthClientDriver): readonly Promise<unknown>[] {
	const own = driver.capabilities.chooses === "caller";
	return [
		driver.list(signal),
		driver.create(own ? value : null, signal),
		driver.create(own ? null : value, signal),
		driver.read(signal),
		driver.test(value, signal),
		driver.activate("one", signal),
		driver.deactivate("one", signal),
		driver.remove("rotated", signal),
		driver.restore(value, signal),
	];
}

describe("no word of an error is a secret", () => {
	for (const provider of ["oidc", "keycloak", "okta", "auth0"] as const) {
		it.each([200, 302, 400, 401, 403, 404, 409, 429, 500])(
			`of ${provider} answering %i with all that it was sent`,
			async (status) => {
				const driver = await echoing(provider, status);
				const thrown = (await Promise.allSettled(everyCall(driver))).flatMap((one) =>
					one.status === "rejected" ? [one.reason] : [],
				);
				expect(thrown.length).toBeGreaterThanOrEqual(3);
				const seen = thrown
					.map((error) => `${inspect(error, { depth: 10, showHidden: true })} ${JSON.stringify(error)} ${error.stack}`)
					.join("\n");
				expect(seen).not.toContain(PLANTED);
				expect(JSON.stringify(server.asked)).toContain(`${PLANTED}-`);
				expect(inspect(driver, { depth: 10, showHidden: true })).not.toContain(PLANTED);
			},
		);
	}
});
