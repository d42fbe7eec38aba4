import { createServer } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { useSandbox } from "../sandbox/use.ts";
import type { Running } from "./cli.ts";
import { accountWith, documentText, policyText } from "./world.ts";

/** What `run` answers over HTTP. */

const sandbox = useSandbox();
const running: Running[] = [];
afterEach(async () => {
	for (const r of running) r.kill("SIGKILL");
	await Promise.all(running.splice(0).map((r) => r.ended));
});

async function served(...flags: readonly string[]) {
	const { account, kim } = await accountWith(sandbox, "orders");
	kim.write("policies/platform/installation.yaml", documentText("Installation", "main", "{ mode: Enforce }"));
	kim.write("policies/platform/prod.yaml", documentText("Account", "prod", `{ accountId: "${account}", region: eu-west-1 }`));
	kim.write("policies/orders.yaml", policyText("orders"));
	kim.write("token", "0123456789abcdef0123456789abcdef\n");
	const run = kim.start("run", "--path", "policies", "--poll", "1", "--http", "127.0.0.1:0", ...flags);
	running.push(run);
	await run.says("serving HTTP");
	const port = /"port":(\d+)/.exec(run.said())?.[1];
	const base = `http://127.0.0.1:${port}`;
	const get = async (path: string) => fetch(`${base}${path}`);
	const post = async (path: string, body: object, headers: Readonly<Record<string, string>> = {}) =>
		fetch(`${base}${path}`, {
			method: "POST",
			body: JSON.stringify(body),
			headers: { "content-type": "application/json", ...headers },
		});
	return { kim, run, get, post };
}

describe("run over HTTP", () => {
	test("is ready once a revision is in force, and tells status, plan, history and figures", async () => {
		const { run, get } = await served();
		await run.says("iam:PutRolePolicy");
		await expect.poll(async () => (await get("/readyz")).status).toBe(200);
		expect((await get("/healthz")).status).toBe(200);
		const list = JSON.stringify(await (await get("/api/v1/resources")).json());
		expect(list).toContain("AccessPolicy/orders");
		const plan = await get("/api/v1/resources/AccessPolicy/orders/plan");
		expect(plan.status).toBe(200);
		expect(JSON.stringify(await (await get("/api/v1/history")).json())).toContain("iam:CreateRole");
		const metrics = await (await get("/metrics")).text();
		expect(metrics).toContain('operation="iam:CreateRole"');
		expect((await get("/api/v1/resources/AccessPolicy/order")).status).toBe(404);
	});

	test("takes a pause from whoever has the token, and from nobody else", async () => {
		const { kim, run, get, post } = await served("--token-file", "token");
		await run.says("iam:PutRolePolicy");
		const pause = { reason: "incident 4711", until: new Date(Date.now() + 3_600_000).toISOString().replace(/\.\d+Z$/, "Z") };
		expect((await post("/api/v1/pause", pause)).status).toBe(401);
		const by = { authorization: "Bearer 0123456789abcdef0123456789abcdef" };
		expect((await post("/api/v1/pause", pause, by)).status).toBe(200);
		expect((await kim.run("plan")).stdout).toContain("incident 4711");
		expect(JSON.stringify(await (await get("/api/v1/status")).json())).toContain("incident 4711");
		expect((await post("/api/v1/resume", { reason: "over" }, by)).status).toBe(200);
		expect((await kim.run("plan")).stdout).not.toContain("incident 4711");
	});

	test("writes nothing for anybody without a token or a load balancer", async () => {
		const { post } = await served();
		expect((await post("/api/v1/sync", {}, { authorization: "Bearer x" })).status).toBeGreaterThanOrEqual(401);
	});

	test("says when the address that was asked for is taken", async () => {
		const { kim } = await accountWith(sandbox, "orders");
		const taken = createServer().listen(0, "127.0.0.1");
		await new Promise((resolve) => taken.once("listening", resolve));
		const { port } = taken.address() as { readonly port: number };
		const { code, stderr } = await kim.run("run", "--http", `127.0.0.1:${port}`);
		taken.close();
		expect(code).toBe(1);
		expect(stderr).toContain("HTTP cannot be served");
	});
});
