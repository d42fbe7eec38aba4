import { TerminalError, WaitingError } from "../model/errors.ts";
import type { OAuthClientDriver, Outside } from "../model/oauth-client.ts";
import type { OAuthStep, RotationCall } from "../model/rotation.ts";
import { ROTATION_MARK } from "../model/rotation-marks.ts";
import type { Secret } from "../model/secret.ts";
import type { CallAws } from "./operations.ts";
import { keyOf, putPending, readVersion, regionOf, withheld, withKeys } from "./secret-value.ts";
import { readSecret } from "./secrets.ts";

export type OAuthCall = Extract<RotationCall, { readonly input: OAuthStep }>;

export function isOAuthCall(call: RotationCall): call is OAuthCall {
	return call.api.startsWith("oauth:");
}

export interface OAuthDeps {
	readonly call: CallAws;
	readonly outside: Outside;
}

/** Clocks differ: what the provider made a little before our intent is ours, if nobody knows it. */
const SKEW_MS = 60_000;
/** Between two requests with a value that is not accepted yet. */
const AGAIN_SECONDS = 5;

/** Does what a step asks of the provider. Answers marks beyond the step's own. */
export async function runOAuth(call: OAuthCall, deps: OAuthDeps, signal: AbortSignal): Promise<Readonly<Record<string, string>>> {
	const { input } = call;
	const adminId = input.adminSecret;
	const region = regionOf(input.secret);
	const driver = deps.outside.oauthClient(input.client, await readSecret(deps.call, adminId, region, signal));
	try {
		return await run(call, driver, deps, signal);
	} finally {
		// What it held before is dead (RFC 7592 §3): kept before anything else is done, also after a failure.
		const now = driver.adminNow?.() ?? null;
		if (now !== null) await keepAdmin(adminId, region, now, deps.call);
	}
}

async function run(
	call: OAuthCall,
	driver: OAuthClientDriver,
	deps: OAuthDeps,
	signal: AbortSignal,
): Promise<Readonly<Record<string, string>>> {
	const { input } = call;
	switch (call.api) {
		case "oauth:CreateSecret":
			return create(input, driver, deps, signal);
		case "oauth:TestSecret": {
			const value = await pendingKey(input, deps, signal);
			if ((await driver.test(value, signal)) === "accepted") return {};
			throw new WaitingError("NotAcceptedYet", `${input.client.issuer} does not accept the new value yet`, AGAIN_SECONDS);
		}
		case "oauth:DeactivateOld":
			for (const { id, active } of await old(input, driver, signal)) if (active) await driver.deactivate(id, signal);
			return {};
		case "oauth:RemoveOld":
			for (const { id } of await old(input, driver, signal)) await driver.remove(id, signal);
			return {};
		case "oauth:RemoveNew":
			await removeNew(input, driver, deps, signal);
			return {};
	}
}

async function create(
	input: OAuthStep,
	driver: OAuthClientDriver,
	deps: OAuthDeps,
	signal: AbortSignal,
): Promise<Readonly<Record<string, string>>> {
	// Some providers say only then what they can do.
	await driver.list(signal);
	const { capabilities } = driver;
	if (capabilities.chooses === "caller") {
		// The value stands in our version, so a driver knows the secret that a lost answer left behind.
		const value = await pendingKey(input, deps, signal);
		const made = await driver.create(value, signal);
		return made.id === null ? {} : { [ROTATION_MARK.providerId]: made.id };
	}
	const current = await readVersion(input.secret, { VersionStage: "AWSCURRENT" }, deps.call, signal);
	const known = keyOf(current, input.key, input.secret);
	const there = capabilities.readsBack ? await driver.read(signal) : null;
	// The provider has another one than we know: an answer was lost, and this is what it said.
	const lost = there !== null && !there.test((v) => known.test((k) => k === v));
	const made = lost && there !== null ? { id: null, value: there } : await driver.create(null, signal);
	const next = withKeys(current, { [input.key]: made.value }, input.derive, input.secret);
	await putPending(input.secret, input.version, next, deps.call, signal);
	return made.id === null ? {} : { [ROTATION_MARK.providerId]: made.id };
}

/** All but the new one, and only what was there before it. */
async function old(input: OAuthStep, driver: OAuthClientDriver, signal: AbortSignal) {
	if (input.providerId === null && driver.capabilities.maxActive > 1) {
		throw new TerminalError("ProviderIdUnknown", `which secret of client ${input.client.clientId} is the new one is not known`, {
			fix: "retire the old one at the provider by hand, then remove the rotation's tags from the secret",
		});
	}
	return (await driver.list(signal)).filter((s) => s.id !== input.providerId && !isSince(s.createdAt, input.began));
}

async function removeNew(input: OAuthStep, driver: OAuthClientDriver, deps: OAuthDeps, signal: AbortSignal): Promise<void> {
	const listed = await driver.list(signal);
	if (driver.capabilities.overlap === "dual") {
		const made = listed.filter(
			(s) => s.id === input.providerId || (input.providerId === null && isSince(s.createdAt, input.began)),
		);
		for (const { id } of made) await driver.remove(id, signal);
		return;
	}
	const before = await readVersion(input.secret, { VersionId: input.previous }, deps.call, signal);
	await driver.restore(keyOf(before, input.key, input.secret), signal);
}

async function pendingKey(input: OAuthStep, deps: OAuthDeps, signal: AbortSignal): Promise<Secret> {
	return keyOf(await readVersion(input.secret, { VersionId: input.version }, deps.call, signal), input.key, input.secret);
}

function isSince(createdAt: string | null, began: string): boolean {
	return createdAt !== null && Date.parse(createdAt) >= Date.parse(began) - SKEW_MS;
}

/** Not with the caller's signal: the provider has forgotten the old one, whoever interrupts. */
async function keepAdmin(id: string, region: string, value: Secret, call: CallAws): Promise<void> {
	const signal = AbortSignal.timeout(30_000);
	try {
		await call("secretsmanager:PutSecretValue", region, { SecretId: id, SecretString: value.use((v) => v) }, signal);
	} catch (error) {
		throw withheld(error, value, id);
	}
}
