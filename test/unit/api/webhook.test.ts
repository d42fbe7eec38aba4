import { createHmac, randomBytes } from "node:crypto";
import { afterEach, describe, expect, it } from "vitest";
import type { Webhook } from "../../../controller/api/served.ts";
import { Secret } from "../../../controller/model/secret.ts";
import { type ApiWorld, apiWorld, CLOSED, problems, SOUND } from "./world.ts";

let world: ApiWorld;
afterEach(() => world.close());

const SECRET = "It's a Secret to Everybody";
const SIGNING = `whsec_${randomBytes(32).toString("base64")}`;
const hook = (secret: string, branch: string | null = "main"): Webhook => ({ branch, secret: async () => new Secret(secret) });

async function start(webhook: Webhook | null): Promise<void> {
	world = await apiWorld(CLOSED, webhook);
	await world.commit(SOUND);
}

async function post(path: string, payload: Buffer | string, headers: Record<string, string>) {
	const answer = await world.api.inject({
		method: "POST",
		url: path,
		payload,
		headers: { "content-type": "application/json", ...headers },
	});
	return { status: answer.statusCode, json: () => answer.json() };
}

const PUSH = JSON.stringify({ ref: "refs/heads/main", after: "6e263e3", repository: { default_branch: "main" } });
const github = (body: string, { secret = SECRET, event = "push", more = {} } = {}) =>
	post("/webhook/github", body, {
		"x-github-event": event,
		"x-github-delivery": "72d3162e-cc78-11e3-81ab-4c9367dc0958",
		"x-hub-signature-256": `sha256=${createHmac("sha256", secret).update(body).digest("hex")}`,
		...more,
	});

/** As GitLab sends it with a signing token. */
function gitlabSigned(body: string, { secret = SIGNING, at = world.clock.millis(), id = "d1", others = "" } = {}) {
	const time = String(Math.floor(at / 1000));
	const key = Buffer.from(secret.slice("whsec_".length), "base64");
	const signature = createHmac("sha256", key).update(`${id}.${time}.${body}`).digest("base64");
	return post("/webhook/gitlab", body, {
		"x-gitlab-event": "Push Hook",
		"webhook-id": id,
		"webhook-timestamp": time,
		"webhook-signature": `${others}v1,${signature}`,
	});
}

describe("a webhook of GitHub", () => {
	it("that is signed and tells of the branch makes the source be looked at", async () => {
		await start(hook(SECRET));
		const answer = await github(PUSH);
		expect([answer.status, answer.json()]).toEqual([
			202,
			{ apiVersion: "ecs-access.dev/v1alpha1", kind: "WebhookHeard", looks: true, why: null },
		]);
		expect(problems("webhook-heard.json", answer.json())).toEqual([]);
		expect(world.hints).toEqual([{ type: "source" }]);
	});

	it("is verified as in GitHub's own example", async () => {
		// https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries#testing-the-webhook-payload-validation
		await start(hook("It's a Secret to Everybody"));
		const signature = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
		const answer = await post("/webhook/github", "Hello, World!", { "x-github-event": "ping", "x-hub-signature-256": signature });
		expect(answer.status).toBe(202);
	});

	it("is signed over its bytes, however they are written, and may be a form", async () => {
		await start(hook(SECRET));
		expect((await github(`{ "ref" :\n"refs/heads/main","x":"\\u00e9é" }`)).json().looks).toBe(true);
		const form = `payload=${encodeURIComponent(PUSH)}`;
		expect((await github(form, { more: { "content-type": "application/x-www-form-urlencoded" } })).json().looks).toBe(true);
	});

	it("that is not signed with the secret is refused, before anything of it is read", async () => {
		await start(hook(SECRET));
		const signature = createHmac("sha256", SECRET).update(PUSH).digest("hex");
		const wrong: Readonly<Record<string, Record<string, string>>> = {
			unsigned: { "x-hub-signature-256": "" },
			"of another secret": { "x-hub-signature-256": `sha256=${createHmac("sha256", "other").update(PUSH).digest("hex")}` },
			"by SHA-1": { "x-hub-signature-256": `sha1=${createHmac("sha1", SECRET).update(PUSH).digest("hex")}` },
			shortened: { "x-hub-signature-256": `sha256=${signature.slice(0, 62)}` },
			"the secret itself": { "x-hub-signature-256": "", "x-gitlab-token": SECRET },
		};
		for (const [what, more] of Object.entries(wrong)) {
			expect([what, (await github(PUSH, { more })).status]).toEqual([what, 401]);
			expect([what, (await github("{", { more })).status]).toEqual([what, 401]);
		}
		const other = await post("/webhook/github", PUSH.replace("6e2", "6e3"), {
			"x-github-event": "push",
			"x-hub-signature-256": `sha256=${signature}`,
		});
		expect([other.status, problems("error.json", other.json())]).toEqual([401, []]);
		expect(world.hints).toEqual([]);
		expect(world.events.filter((e) => e.type === "webhook" && e.result !== "refused")).toEqual([]);
	});

	it("of another branch, a tag or another event is heard and nothing more", async () => {
		await start(hook(SECRET));
		for (const ref of ["refs/heads/feature", "refs/tags/main", "refs/heads/main2", undefined]) {
			const answer = await github(JSON.stringify({ ref, repository: { default_branch: "main" } }));
			expect([ref, answer.status, answer.json().looks]).toEqual([ref, 202, false]);
		}
		expect((await github(PUSH, { event: "pull_request" })).json()).toMatchObject({
			looks: false,
			why: "an event that is no push",
		});
		expect(world.hints).toEqual([]);
	});

	it("follows the repository's default branch where the Installation names none", async () => {
		await start(hook(SECRET, null));
		const push = (ref: string, home: string) =>
			github(JSON.stringify({ ref: `refs/heads/${ref}`, repository: { default_branch: home } }));
		expect((await push("main", "trunk")).json().looks).toBe(false);
		expect((await push("trunk", "trunk")).json().looks).toBe(true);
		expect((await github(JSON.stringify({ ref: "refs/heads/any" }))).json().looks).toBe(true);
	});

	it("that is sent a hundred times makes the source be looked at twice: at once, and once after all", async () => {
		await start(hook(SECRET));
		for (let n = 0; n < 100; n++) expect((await github(PUSH)).status).toBe(202);
		expect(world.hints).toHaveLength(1);
		await world.clock.advance(2_000);
		expect(world.hints).toHaveLength(2);
		await world.clock.advance(60_000);
		expect(world.hints).toHaveLength(2);
		await github(PUSH);
		expect(world.hints).toHaveLength(3);
	});

	it("that holds what is no JSON, or too much, is refused", async () => {
		await start(hook(SECRET));
		expect((await github("{")).status).toBe(400);
		expect((await github('"text"')).status).toBe(400);
		expect((await github(" ".repeat(5 * 1024 * 1024 + 1))).status).toBe(413);
		expect((await github(" ".repeat(4 * 1024 * 1024) + PUSH)).json().looks).toBe(true);
	});

	it("is off where the Installation names no secret, and refused while the secret cannot be read", async () => {
		await start(null);
		const off = await github(PUSH);
		expect([off.status, off.json().error]).toEqual([404, "webhooks are off"]);
		await world.close();
		await start({ branch: "main", secret: async () => Promise.reject(new Error("AccessDenied for arn:aws:iam::1:role/x")) });
		const unread = await github(PUSH);
		expect([unread.status, JSON.stringify(unread.json()).includes("arn:")]).toEqual([503, false]);
		expect(world.hints).toEqual([]);
	});
});

describe("a webhook of GitLab", () => {
	const BODY = JSON.stringify({ object_kind: "push", ref: "refs/heads/main", project: { default_branch: "main" } });
	const withToken = (token: string, event = "Push Hook") =>
		post("/webhook/gitlab", BODY, { "x-gitlab-event": event, "x-gitlab-token": token });

	it("with a secret token is let in by the token, whole", async () => {
		await start(hook(SECRET));
		expect((await withToken(SECRET)).json().looks).toBe(true);
		for (const token of ["", SECRET.slice(1), `${SECRET}x`, SECRET.toLowerCase()])
			expect([token, (await withToken(token)).status]).toEqual([token, 401]);
		expect((await withToken(SECRET, "Tag Push Hook")).json().looks).toBe(false);
		expect(world.hints).toHaveLength(1);
	});

	it("with a signing token is verified over id, time and body; one of several signatures is enough", async () => {
		await start(hook(SIGNING));
		expect((await gitlabSigned(BODY)).json().looks).toBe(true);
		expect((await gitlabSigned(BODY, { others: `v1,${Buffer.alloc(32).toString("base64")} v1a,x ` })).status).toBe(202);
		expect((await gitlabSigned(BODY, { secret: `whsec_${randomBytes(32).toString("base64")}` })).status).toBe(401);
		expect((await withToken(SIGNING)).status).toBe(401);
	});

	it("that was signed more than five minutes ago, or will be, is refused", async () => {
		await start(hook(SIGNING));
		const now = world.clock.millis();
		expect((await gitlabSigned(BODY, { at: now - 290_000 })).status).toBe(202);
		for (const at of [now - 310_000, now + 310_000]) expect((await gitlabSigned(BODY, { at })).status).toBe(401);
	});

	it("is let in by no signature made without a key", async () => {
		await start(hook("whsec_"));
		expect((await gitlabSigned(BODY, { secret: "whsec_" })).status).toBe(401);
	});
});
