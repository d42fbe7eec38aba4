import { digest } from "./digest.ts";
import type { Arn, Instant, ResourceKey, Tags } from "./ids.ts";

const PREFIX = "ecs-access.dev/";

/**
 * Tags of a secret: what must outlive a crash and AWS does not tell (aws-facts §6.5). Those of `UNDER_WAY` are taken away
 * when the rotation ends; the rest stay.
 */
export const ROTATION_MARK = {
	/** The rotation's id, which is the ClientRequestToken and so the id of its version too. Set before anything else. */
	id: `${PREFIX}rotation`,
	/** `installation/SecretRotation/name`: whose it is. */
	owner: `${PREFIX}rotation-owner`,
	began: `${PREFIX}rotation-began`,
	/** The version that was current when it began: the way back. */
	previous: `${PREFIX}rotation-previous`,
	/** The provider has the new value since then. */
	set: `${PREFIX}rotation-set`,
	/** The new secret's id at the provider. */
	providerId: `${PREFIX}rotation-provider-id`,
	/** It was accepted, by a real request. */
	tested: `${PREFIX}rotation-tested`,
	/** The first consumer runs with it, and was verified. */
	canary: `${PREFIX}rotation-canary`,
	/** All of them. */
	verified: `${PREFIX}rotation-verified`,
	/** The old one was switched off at its provider. */
	deactivated: `${PREFIX}rotation-deactivated`,
	/** Why it goes back: a reason, then a few words. */
	back: `${PREFIX}rotation-back`,
	/** The labels are back since then: a task that was made before may hold the new value. */
	reverted: `${PREFIX}rotation-reverted`,
	/** The provider has forgotten the new value, or was never told. */
	cleared: `${PREFIX}rotation-cleared`,
	/** When AWSCURRENT moved to `promotedVersion`. Stays, since no API tells it. */
	promotedAt: `${PREFIX}promoted-at`,
	promotedVersion: `${PREFIX}promoted-version`,
	/** When the last rotation that ended well was promoted, and the id of the last that ended. Both stay. */
	rotatedAt: `${PREFIX}rotated-at`,
	last: `${PREFIX}rotation-last`,
	/** When the one was asked for that somebody asked for last: it is done once, whatever rotates after it. Stays. */
	asked: `${PREFIX}rotation-asked`,
	/** Why the last one went back: a reason, then a few words. Stays until one ends well. */
	failed: `${PREFIX}rotation-failed`,
} as const;

/** What is taken away when a rotation has ended. */
export const UNDER_WAY: readonly string[] = [
	ROTATION_MARK.id,
	ROTATION_MARK.owner,
	ROTATION_MARK.began,
	ROTATION_MARK.previous,
	ROTATION_MARK.set,
	ROTATION_MARK.providerId,
	ROTATION_MARK.tested,
	ROTATION_MARK.canary,
	ROTATION_MARK.verified,
	ROTATION_MARK.deactivated,
	ROTATION_MARK.back,
	ROTATION_MARK.reverted,
	ROTATION_MARK.cleared,
];

/** Of a listener rule: the version of the secret that it was given. */
export const RULE_VERSION_MARK = `${PREFIX}secret-version`;

/** Reads the marks of one secret. */
export type RotationMark = keyof typeof ROTATION_MARK;
export function markOf(tags: Tags, mark: RotationMark): string | null {
	return tags[ROTATION_MARK[mark]] ?? null;
}

/**
 * The id of a rotation: the same wish at the same time is the same id, whoever works it out and however often, so a
 * restarted controller goes on with what it began. 64 characters, the most that a ClientRequestToken has (aws-facts §6.1).
 */
export function rotationId(of: {
	readonly installation: string;
	readonly key: ResourceKey;
	readonly secret: Arn;
	/** When it was due, or asked for. */
	readonly at: Instant;
}): string {
	return digest(of).slice("sha256:".length);
}

/** Letters, digits, spaces and a few signs are all that a tag's value takes, 256 at most (Secrets Manager, Tag). */
export function tagText(text: string): string {
	return text.replace(/[^\p{L}\p{Z}\p{N}_.:/=+\-@]/gu, "_").slice(0, 250);
}
