import type { OAuthCapabilities, OAuthProvider } from "./oauth-client.ts";

/**
 * What each provider can do (aws-facts §6.6). Keycloak's is that of a realm without the client policy `secret-rotation`,
 * which is how it comes; with it the old secret lives on for as long as the policy says, and less was promised.
 */
export const OAUTH_CAPABILITIES: Readonly<Record<OAuthProvider, OAuthCapabilities>> = {
	oidc: {
		maxActive: 1,
		overlap: "none",
		chooses: "server",
		readsBack: true,
		reversible: false,
		restores: false,
		propagationSeconds: 0,
	},
	keycloak: {
		maxActive: 1,
		overlap: "none",
		chooses: "server",
		readsBack: true,
		reversible: false,
		restores: true,
		propagationSeconds: 0,
	},
	okta: {
		maxActive: 2,
		overlap: "dual",
		chooses: "caller",
		readsBack: false,
		reversible: true,
		restores: false,
		propagationSeconds: 0,
	},
	auth0: {
		maxActive: 1,
		overlap: "none",
		chooses: "caller",
		readsBack: false,
		reversible: false,
		restores: true,
		propagationSeconds: 30,
	},
};
