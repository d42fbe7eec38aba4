import { afterEach, describe, expect, test } from "vitest";
import { createOutside } from "../../controller/idp/outside.ts";
import { OKTA_APP, OKTA_TOKEN, startOkta } from "../integration/idp/okta-server.ts";
import { type OidcProviderOptions, startOidcProvider } from "../sandbox/oidc-provider.ts";
import { useSandbox } from "../sandbox/use.ts";
import { createRotationWorld, type RotationWorld } from "./rotation-world.ts";
import { findingIds, steps } from "./world.ts";

const sandbox = useSandbox();
const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
	for (const close of closing.splice(0)) await close();
});

/** A client at a real provider that keeps RFC 7592; `portal` and `admin` sign people in with its secret. */
async function atProvider(options: OidcProviderOptions & { readonly rule?: true } = {}) {
	const time = { now: Date.now };
	const provider = await startOidcProvider({ ...options, now: () => time.now() });
	closing.push(provider.close);
	const client = await provider.registerClient();
	const { clientId, clientSecret, ...admin } = client;
	const w = await createRotationWorld(sandbox, {
		services: ["portal", "admin"],
		value: JSON.stringify({ clientId, clientSecret, url: "old" }),
		jsonKey: "clientSecret",
		outside: createOutside(),
	});
	time.now = w.clock.millis;
	const { listenerRules } = await w.seed({
		secrets: [{ name: "oidc-admin", value: JSON.stringify(admin) }],
		...(options.rule === true && { listenerRules: [{ issuer: provider.issuer, clientId, clientSecret }] }),
	});
	const oauthClient = { provider: "oidc", issuer: provider.issuer, clientId, adminSecret: "oidc-admin" };
	w.rotates({
		strategy: { oauthClient },
		derive: { url: "https://${clientId:uri}:${clientSecret:uri}@id" },
		...(options.rule === true && { consumers: listenerRules.map((listenerRule) => ({ listenerRule })) }),
	});
	const accepts = async (secret: string | undefined) =>
		(
			await fetch(`${provider.issuer}/token`, {
				method: "POST",
				headers: { authorization: `Basic ${btoa(`${encodeURIComponent(clientId)}:${encodeURIComponent(secret ?? "")}`)}` },
				body: new URLSearchParams({ grant_type: "client_credentials" }),
			})
		).ok;
	return { w, provider, client, accepts, rule: listenerRules[0] ?? "" };
}

async function expectRotated(w: RotationWorld, services: readonly string[]): Promise<void> {
	const current = await w.version("AWSCURRENT");
	expect(current).toBe(w.next);
	for (const name of services) expect(await w.held(name)).toEqual([current, current]);
}

describe("the client secret at a provider that has one at a time", () => {
	test("is asked for, tested, made current, given to the load balancer and to the consumers; derived keys follow", async () => {
		const { w, client, accepts, rule } = await atProvider({ rule: true });
		await w.ask();
		const before = await w.plan();
		expect(findingIds(before)).toEqual(["RotationNoOverlap"]);
		const view = await w.go((v) => v.phase === "waiting");
		expect(view.phase).toBe("waiting");
		const value = await w.value();
		expect(value.clientSecret).not.toBe(client.clientSecret);
		expect(value).toMatchObject({
			clientId: client.clientId,
			url: `https://${encodeURIComponent(client.clientId)}:${encodeURIComponent(value.clientSecret ?? "")}@id`,
		});
		expect([await accepts(value.clientSecret), await accepts(client.clientSecret)]).toEqual([true, false]);
		expect(await sandbox.clientSecrets(w.account)).toEqual({ [rule]: value.clientSecret });
		await expectRotated(w, ["portal", "admin"]);
		await w.pass(86_401);
		expect((await w.go()).phase).toBe("idle");
	});

	test("whose answer is lost is asked for again, and not made twice", async () => {
		const { w, provider, accepts } = await atProvider();
		await w.ask();
		await w.go((v) => v.phase === "begun" && v.lines.some((l) => l.words.startsWith("make")));
		provider.loseNextAnswer("PUT");
		const view = await w.go((v) => v.phase === "waiting");
		expect(view.phase).toBe("waiting");
		expect(await accepts((await w.value()).clientSecret)).toBe(true);
		await expectRotated(w, ["portal", "admin"]);
	});

	test("that is accepted after half a minute is waited for, and nothing is current before", async () => {
		const { w, accepts } = await atProvider({ acceptAfterMs: 30_000 });
		const old = await w.version("AWSCURRENT");
		await w.ask();
		await w.go((v) => v.phase === "set");
		expect(await w.version("AWSCURRENT")).toBe(old);
		const view = await w.go((v) => v.phase === "waiting", 80);
		expect(view.phase).toBe("waiting");
		expect(await accepts((await w.value()).clientSecret)).toBe(true);
	});

	test("whose registration token is replaced at each update: the admin secret follows", async () => {
		const { w } = await atProvider({ tokenAtUpdate: true });
		await w.ask();
		expect((await w.go((v) => v.phase === "waiting")).phase).toBe("waiting");
		await w.pass(86_401);
		await w.go();
		await w.ask("again");
		expect((await w.go((v) => v.phase === "waiting")).phase).toBe("waiting");
	});

	test("has no way back once the provider has forgotten it: the roll stands still and says so", async () => {
		const { w } = await atProvider();
		await w.ask();
		await w.go((v) => v.phase === "set");
		await sandbox.deployments(w.account, { fail: [{ secret: { id: "signing", version: w.next } }] });
		await expect(w.go((v) => v.phase === "waiting", 40)).rejects.toThrow(/has not ended/);
		const [step] = steps(await w.plan());
		expect(step?.state).toMatchObject({ waiting: "failed", detail: expect.stringContaining("only who made the value") });
		expect(await w.version("AWSCURRENT")).toBe(w.next);
	});
});

describe("the client secret at a provider that has two", () => {
	async function atOkta() {
		const okta = await startOkta("first-secret-of-the-app");
		closing.push(okta.close);
		const w = await createRotationWorld(sandbox, {
			services: ["portal", "admin"],
			value: JSON.stringify({ clientId: OKTA_APP, clientSecret: "first-secret-of-the-app" }),
			jsonKey: "clientSecret",
			outside: createOutside(),
		});
		await w.seed({ secrets: [{ name: "okta-admin", value: JSON.stringify({ token: OKTA_TOKEN }) }] });
		const oauthClient = { provider: "okta", issuer: okta.issuer, clientId: OKTA_APP, adminSecret: "okta-admin" };
		w.rotates({ strategy: { oauthClient } });
		const active = () => okta.secrets.map((s) => `${s.id} ${s.status}`);
		return { w, okta, active };
	}

	test("stays good until all have the new one; then it is switched off, and later deleted", async () => {
		const { w, active } = await atOkta();
		await w.ask();
		expect((await w.go((v) => v.phase === "waiting")).phase).toBe("waiting");
		await expectRotated(w, ["portal", "admin"]);
		expect(active()).toEqual(["ocs1 ACTIVE", "ocs2 ACTIVE"]);
		await w.pass(86_401);
		await w.step();
		expect(active()).toEqual(["ocs1 INACTIVE", "ocs2 ACTIVE"]);
		await w.pass(86_401);
		expect((await w.go()).phase).toBe("idle");
		expect(active()).toEqual(["ocs2 ACTIVE"]);
	});

	test("is what all go back to when a consumer fails, and the new one is removed", async () => {
		const { w, active } = await atOkta();
		const old = await w.version("AWSCURRENT");
		await w.ask();
		await w.go((v) => v.phase === "tested");
		await sandbox.deployments(w.account, { fail: [{ taskDefinition: "portal:*", secret: { id: "signing", version: w.next } }] });
		const view = await w.go(() => false, 120);
		expect(view.phase).toBe("failed");
		expect(await w.version("AWSCURRENT")).toBe(old);
		for (const name of ["portal", "admin"]) expect(await w.held(name)).toEqual([old, old]);
		expect(active()).toEqual(["ocs1 ACTIVE"]);
	});
});
