import { describe, expect, it } from "vitest";
import { createOutside } from "../../../controller/idp/outside.ts";
import type { OAuthProvider } from "../../../controller/model/oauth-client.ts";
import { Secret } from "../../../controller/model/secret.ts";

const issuers: Readonly<Record<OAuthProvider, string>> = {
	oidc: "https://id.acme.io",
	keycloak: "https://id.acme.io/realms/acme",
	okta: "https://acme.okta.com/oauth2/default",
	auth0: "https://acme.eu.auth0.com",
};

function open(provider: OAuthProvider, admin: string) {
	return createOutside().oauthClient({ provider, issuer: issuers[provider], clientId: "orders" }, new Secret(admin));
}

describe("an admin secret", () => {
	it.each([
		["oidc", '{"registrationClientUri":"https://id.acme.io/reg/orders"}', 'has no text under "registrationAccessToken"'],
		["oidc", "{}", 'has no text under "registrationClientUri", "registrationAccessToken"'],
		["keycloak", '{"clientId":"rotator","clientSecret":""}', 'has no text under "clientSecret"'],
		["keycloak", '{"username":"rotator"}', 'has no text under "password"'],
		["okta", '{"token":17}', 'has no text under "token"'],
		["auth0", '{"clientSecret":"planted-value"}', 'has no text under "clientId"'],
		["auth0", "planted-value", 'is no JSON object; it must have "clientId", "clientSecret"'],
		["okta", '["planted-value"]', 'is no JSON object; it must have "token"'],
	] as const)("of %s that is %s is refused by the name of what is missing", (provider, admin, words) => {
		const message = `the admin secret for client orders of ${provider} ${words}`;
		expect(() => open(provider, admin)).toThrow(expect.objectContaining({ reason: "AdminSecretInvalid", message }));
	});

	it("may have keys that nobody asks for", () => {
		expect(open("okta", '{"token":"x","owner":"platform"}').capabilities.overlap).toBe("dual");
		expect(open("keycloak", '{"username":"u","password":"p"}').capabilities.overlap).toBe("none");
	});
});
