import { createHmac } from "node:crypto";
import { request } from "node:http";
import { connect } from "node:net";
import { PutRolePolicyCommand } from "@aws-sdk/client-iam";
import { afterEach, describe, expect, test } from "vitest";
import { createMetrics } from "../../controller/api/metrics.ts";
import type { Access, Served } from "../../controller/api/served.ts";
import { createApi } from "../../controller/api/server.ts";
import { createAccountAccess } from "../../controller/aws/account.ts";
import { createAwsShared } from "../../controller/aws/shared.ts";
import { createPasses } from "../../controller/engine/pass.ts";
import { Secret } from "../../controller/model/secret.ts";
import { createCatalogue } from "../../controller/policy/catalogue.ts";
import { liveRoles } from "../e2e/live.ts";
import { useSandbox } from "../sandbox/use.ts";
import { type ControllerWorld, createControllerWorld } from "../scenarios/controller-world.ts";
import { policy } from "../scenarios/world.ts";
import { signingAlb } from "../unit/api/alb-keys.ts";
import { problems } from "../unit/api/world.ts";

const sandbox = useSandbox();
const actions = createCatalogue();
const TOKEN = "integration-token-0123456789";
const BEARER = { authorization: `Bearer ${TOKEN}` };
const READS = { statements: [{ actions: ["s3:GetObject"], resources: ["arn:aws:s3:::catalogue/*"] }] };
const ANYTHING = JSON.stringify({ Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: "*", Resource: "*" }] });

/** What these tests read of answers; which shape each has, its schema says. */
interface Body {
	readonly plans: readonly { readonly key: string; readonly summary: string }[];
	readonly items: readonly { readonly event: string; readonly actor: string; readonly why: string }[];
	readonly notes: readonly { readonly reason: string }[];
	readonly after: { readonly by: string } | null;
}

const open: { readonly close: () => Promise<void> }[] = [];
afterEach(async () => {
	for (const o of open.splice(0).toReversed()) await o.close();
});

/** A controller over the sandbox, with its HTTP server on a port of this machine. */
async function started(access: Partial<Access> = {}) {
	const world = createControllerWorld(sandbox);
	await world.services("orders", "billing");
	world.write("orders.yaml", policy("orders", READS, { accountRef: "prod" }));
	await world.commit();
	await world.resync();
	const shared = { ...createAwsShared(world.clock), credentials: async () => sandbox.config(world.account).credentials };
	let calls: Parameters<typeof metrics.awsCall>[] = [];
	const planner = createPasses({
		actions,
		access: (account, { revision, reconcileId }) =>
			createAccountAccess({
				account,
				installation: "main",
				reconcileId,
				revision,
				version: "0.0.0",
				clock: world.clock,
				cacheDir: null,
				shared,
				observeCall: (...call) => {
					calls.push(call);
					metrics.awsCall(...call);
				},
			}),
		store: world.store(),
		shared: false,
		newStore: false,
		clock: world.clock,
		reconcileId: () => "reader",
		leaseRemaining: () => 0,
	});
	const served: Served = {
		installation: "main",
		mode: "Enforce",
		store: world.store(),
		storeName: ":memory:",
		term: { state: "writing" },
		manager: world.manager(),
		plan: async (keys, signal) => {
			const { inForce } = world.manager().state();
			if (inForce === null) throw new Error("nothing is in force");
			return (await planner.plan(inForce, { keys: new Set(keys) }, signal)).file;
		},
		webhook: { branch: "main", secret: async () => new Secret("hook") },
		deaf: null,
	};
	const metrics = await createMetrics({ served: () => served, clock: world.clock, version: "0.0.0" });
	const api = await createApi({
		version: "0.0.0",
		clock: world.clock,
		served: () => served,
		trouble: () => null,
		access: { token: async () => new Secret(TOKEN), alb: null, reads: "open", ...access },
		metrics,
		observe: metrics.api,
	});
	const { host, port } = await api.listen("127.0.0.1", 0);
	open.push(api);
	const base = `http://${host}:${port}`;
	const get = async (path: string) => {
		const answer = await fetch(base + path);
		return {
			status: answer.status,
			body: (await answer.json()) as Body,
		};
	};
	const post = async (path: string, body: unknown, headers: Record<string, string> = BEARER) => {
		const answer = await fetch(base + path, {
			method: "POST",
			headers: { "content-type": "application/json", ...headers },
			body: typeof body === "string" ? body : JSON.stringify(body),
		});
		return { status: answer.status, body: (await answer.json()) as Body };
	};
	calls = [];
	return { world, api, base, host, port, get, post, calls: () => calls };
}

const inline = async (world: ControllerWorld) => Object.keys((await liveRoles(world.iam))["orders-task"]?.inline ?? {});
const changeByHand = (world: ControllerWorld) =>
	world.iam.send(new PutRolePolicyCommand({ RoleName: "orders-task", PolicyName: "quick-fix", PolicyDocument: ANYTHING }));

describe("the HTTP server of a controller", () => {
	test("shows a hand-made change in a plan without writing, and heals it when it is asked to sync", async () => {
		const { world, base, get, post, calls } = await started();
		await changeByHand(world);
		const plan = await get("/api/v1/resources/AccessPolicy/orders/plan");
		expect(problems("plan-file.json", plan.body)).toEqual([]);
		expect(plan.body.plans.map((p) => [p.key, p.summary])).toEqual([["AccessPolicy/orders", "heal"]]);
		expect(await inline(world)).toEqual(expect.arrayContaining(["quick-fix"]));
		expect(calls().some(([op, outcome]) => op === "iam:GetRole" && outcome === "ok")).toBe(true);

		expect((await post("/api/v1/sync", { key: "orders" }, {})).status).toBe(401);
		expect((await post("/api/v1/sync", { key: "orders" })).status).toBe(202);
		await expect.poll(() => inline(world)).toEqual(["ecs-access"]);
		await world.idle();
		const history = await get("/api/v1/resources/AccessPolicy/orders/history?limit=1");
		expect(problems("history-list.json", history.body)).toEqual([]);
		expect(history.body.items[0]).toMatchObject({ event: "applied", api: "iam:DeleteRolePolicy", why: "drifted" });
		const status = await get("/api/v1/resources/AccessPolicy/orders");
		expect(problems("status-list.json", status.body)).toEqual([]);
		const overview = await get("/api/v1/status");
		expect(problems("controller-status.json", overview.body)).toEqual([]);
		expect(overview.body).toMatchObject({
			ready: true,
			accounts: [{ name: "prod", error: null }],
			resources: { recorded: 1, ready: 1 },
		});
		const body = await (await fetch(`${base}/metrics`)).text();
		expect(body).toMatch(/^ecs_access_aws_calls_total\{operation="iam:GetRole",outcome="ok"\} [1-9]/m);
		expect(body).toMatch(/^ecs_access_resync_age_seconds\{account="prod"\} \d/m);
	});

	test("stops all writing at the word of a person whom the load balancer signed in, until it is taken back", async () => {
		const balancer = await signingAlb();
		open.push(balancer);
		const { world, get, post } = await started({ token: null, alb: balancer.identity });
		// As a load balancer sends it, with tokens and cookies beside it.
		const signedIn = {
			"x-amzn-oidc-data": balancer.claims(),
			"x-amzn-oidc-accesstoken": "t".repeat(11_000),
			cookie: `AWSELBAuthSessionCookie-0=${"c".repeat(16_000)}`,
		};
		expect((await post("/api/v1/pause", { reason: "incident 4711", until: "7d" }, BEARER)).status).toBe(401);
		const paused = await post("/api/v1/pause", { reason: "incident 4711", until: "7d" }, signedIn);
		expect([paused.status, paused.body.after?.by]).toEqual([200, "kim@acme.example (00u1kim)"]);
		await changeByHand(world);
		await post("/api/v1/sync", { key: "orders" }, signedIn);
		await world.idle();
		expect(await inline(world)).toEqual(expect.arrayContaining(["quick-fix"]));
		expect((await get("/readyz")).body.notes.map((n) => n.reason)).toContain("Paused");

		expect((await post("/api/v1/resume", { reason: "it is over" }, signedIn)).status).toBe(200);
		await expect.poll(() => inline(world), { timeout: 20_000 }).toEqual(["ecs-access"]);
		const { items } = (await get("/api/v1/history?key=Installation/main")).body;
		expect(items.map((e) => [e.event, e.actor, e.why])).toEqual([
			["resumed", "kim@acme.example (00u1kim)", "it is over"],
			["paused", "kim@acme.example (00u1kim)", "incident 4711"],
		]);
	});

	test("hears a signed push, sent in pieces, and the commit is applied though no poll was due", async () => {
		const { world, host, port } = await started();
		world.write("billing.yaml", policy("billing", READS, { accountRef: "prod" }));
		const body = JSON.stringify({ ref: "refs/heads/main", repository: { default_branch: "main" } });
		const push = (signature: string) =>
			new Promise<number>((resolve, reject) => {
				const sent = request(
					{
						host,
						port,
						method: "POST",
						path: "/webhook/github",
						headers: { "content-type": "application/json", "x-github-event": "push", "x-hub-signature-256": signature },
					},
					(answer) => {
						answer.resume();
						resolve(answer.statusCode ?? 0);
					},
				);
				sent.on("error", reject);
				for (const piece of [body.slice(0, 7), body.slice(7, 30), body.slice(30)]) sent.write(piece);
				sent.end();
			});
		await world.commit({ unseen: true });
		expect(await push(`sha256=${"0".repeat(64)}`)).toBe(401);
		await world.idle();
		expect(Object.keys(await liveRoles(world.iam))).not.toContain("billing-task");
		expect(await push(`sha256=${createHmac("sha256", "hook").update(body).digest("hex")}`)).toBe(202);
		await expect.poll(async () => Object.keys(await liveRoles(world.iam))).toContain("billing-task");
	});

	test("answers what is no HTTP in its own words, and refuses an address that is taken", async () => {
		const { host, port } = await started();
		const answer = await new Promise<string>((resolve, reject) => {
			let text = "";
			const socket = connect(port, host, () => socket.write("GARBAGE\r\n\r\n"));
			socket.on("data", (d) => {
				text += d;
			});
			socket.on("end", () => resolve(text));
			socket.on("error", reject);
		});
		expect(answer).toMatch(/^HTTP\/1\.1 400 /);
		expect(JSON.parse(answer.split("\r\n\r\n")[1] ?? "")).toEqual({
			error: "the request is not HTTP",
			fix: "see docs/http-api.md",
		});
		const second = await createApi({
			version: "0",
			clock: { now: () => "", millis: () => 0, sleep: async () => {} },
			served: () => null,
			trouble: () => null,
			access: { token: null, alb: null, reads: "open" },
			metrics: { contentType: "text/plain", text: async () => "" },
			observe: () => {},
		});
		open.push(second);
		await expect(second.listen(host, port)).rejects.toMatchObject({ code: "EADDRINUSE" });
	});

	test("ends though a client keeps its connection and another waits for an answer", async () => {
		const { api, get, host, port } = await started();
		await get("/healthz");
		const half = connect(port, host, () =>
			half.write("POST /api/v1/sync HTTP/1.1\r\nhost: localhost\r\ncontent-length: 100\r\n\r\n{"),
		);
		await new Promise((resolve) => half.once("connect", resolve));
		const ended = new Promise<void>((resolve) => half.once("close", () => resolve()));
		half.on("error", () => {});
		half.resume();
		await api.close();
		await ended;
		await expect(get("/healthz")).rejects.toThrow();
	});
});
