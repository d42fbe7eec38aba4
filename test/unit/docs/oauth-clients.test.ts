import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { createOutside } from "../../../controller/idp/outside.ts";
import type { OAuthProvider } from "../../../controller/model/oauth-client.ts";
import { Secret } from "../../../controller/model/secret.ts";

const page = readFileSync(join(import.meta.dirname, "../../../docs/oauth-clients.md"), "utf8");
const everyKey = ["registrationClientUri", "registrationAccessToken", "clientId", "clientSecret", "token"];
const admin = new Secret(JSON.stringify(Object.fromEntries(everyKey.map((key) => [key, "x"]))));

function row(provider: OAuthProvider): string {
	const client = { provider, issuer: "https://id.acme.io/realms/acme", clientId: "orders" };
	const can = createOutside().oauthClient(client, admin).capabilities;
	const yes = (is: boolean) => (is ? "yes" : "no");
	const cells = [
		provider,
		can.maxActive,
		can.overlap,
		can.chooses,
		yes(can.readsBack),
		yes(can.reversible),
		yes(can.restores),
		`${can.propagationSeconds} s`,
	];
	return `| ${cells.join(" | ")} |`;
}

describe("docs/oauth-clients.md", () => {
	it.each(["oidc", "keycloak", "okta", "auth0"] as const)("says what %s can do", (provider) => {
		expect(page).toContain(row(provider));
	});
});
