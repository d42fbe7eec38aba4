import type { Instant } from "./ids.ts";
import type { Secret } from "./secret.ts";

/** The identity providers that there is a driver for; `oidc` is any that keeps RFC 7592. */
export type OAuthProvider = "oidc" | "keycloak" | "okta" | "auth0";

/** Which client at which provider, as git says it. */
export interface OAuthClient {
	readonly provider: OAuthProvider;
	/** `https://id.acme.io`, without a slash at its end. */
	readonly issuer: string;
	readonly clientId: string;
}

/**
 * What a provider can do with the secrets of a client, as data: the planner decides by it and promises no more
 * (aws-facts §6.6).
 */
export interface OAuthCapabilities {
	/** Secrets that can be good at one time. */
	readonly maxActive: 1 | 2;
	/** `dual`: both until one is taken away. `grace`: the old one for a while, as the provider is set. `none`: new means old is dead. */
	readonly overlap: "dual" | "grace" | "none";
	/** Who makes the value. What the server makes exists in its answer alone, unless `readsBack`. */
	readonly chooses: "caller" | "server";
	/** The current value can be asked for again, so a lost answer is no lost secret. */
	readonly readsBack: boolean;
	/** The old one can be switched off and on again before it is deleted. */
	readonly reversible: boolean;
	/** The value of before can be made the current one again: the way back where only one is good at a time. */
	readonly restores: boolean;
	/** Seconds that a new secret may take until it is accepted. */
	readonly propagationSeconds: number;
}

/** A secret as the provider lists it, never its value. */
export interface OAuthSecret {
	readonly id: string;
	readonly createdAt: Instant | null;
	readonly active: boolean;
	/** When the provider ends it by itself: of the old one in its grace. */
	readonly expiresAt?: Instant;
}

/**
 * One client at one provider. Every method is safe to repeat, but `create` where the server chooses: ask `list` first.
 * Throws TerminalError where a person must act (`ProviderRefused`, `ProviderClientMissing`, `ProviderAddressInvalid`,
 * `AdminSecretInvalid`), WaitingError `ProviderBusy` where it is throttled, down, or its answer got lost; no error holds a
 * value or a token.
 */
export interface OAuthClientDriver {
	/** Of some providers known only after a `list` (Keycloak's grace hangs on a policy); until then they promise less. */
	readonly capabilities: OAuthCapabilities;
	/**
	 * What the admin secret must hold from now on, where the provider replaced our credential while we used it (RFC 7592 §3);
	 * else null, or no such method. To be asked after every other call, also one that failed, and to be written into Secrets
	 * Manager before anything else: what it held before is dead.
	 */
	readonly adminNow?: () => Secret | null;
	/** Empty where the provider has no list (one secret, no id). */
	readonly list: (signal: AbortSignal) => Promise<readonly OAuthSecret[]>;
	/**
	 * A new secret: of this value where the caller chooses, else null. `id` null where the provider names none. After a lost
	 * answer of one that chooses and `readsBack`, what `read` gives is the new one if it is not the value of before; another
	 * `create` would end the old one's grace.
	 */
	readonly create: (value: Secret | null, signal: AbortSignal) => Promise<{ readonly id: string | null; readonly value: Secret }>;
	/** The current value, where the provider tells it. Throws where it does not: see `readsBack`. */
	readonly read: (signal: AbortSignal) => Promise<Secret>;
	/** Whether the token endpoint takes it, by a real client_credentials request; once, without waiting. */
	readonly test: (value: Secret, signal: AbortSignal) => Promise<"accepted" | "refused">;
	readonly deactivate: (id: string, signal: AbortSignal) => Promise<void>;
	readonly activate: (id: string, signal: AbortSignal) => Promise<void>;
	/** Of a secret that is not there: nothing to do. An active one is deactivated first where the provider asks it. */
	readonly remove: (id: string, signal: AbortSignal) => Promise<void>;
	/**
	 * Makes the value of before the current one again, where there is no second secret to fall back to. Keycloak takes it
	 * although it chooses by itself; TerminalError `ProviderRefused` where the provider does not.
	 */
	readonly restore: (value: Secret, signal: AbortSignal) => Promise<void>;
}

/** Everything that is asked of the world outside AWS. */
export interface Outside {
	/**
	 * `admin`: what the admin secret holds, as it stands in Secrets Manager, in the form of docs/oauth-clients.md. Asks
	 * nobody yet. TerminalError `AdminSecretInvalid`, `ProviderAddressInvalid`.
	 */
	readonly oauthClient: (client: OAuthClient, admin: Secret) => OAuthClientDriver;
	/** GETs an address. Null: it answered the status that was expected; else what it did, in words. */
	readonly checkHttp: (check: HttpCheck, signal: AbortSignal) => Promise<string | null>;
}

/** `spec.verify.http`. */
export interface HttpCheck {
	readonly url: string;
	readonly expectStatus: number;
}
