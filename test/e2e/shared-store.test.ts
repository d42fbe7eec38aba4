import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { DynamoDBClient, PutItemCommand } from "@aws-sdk/client-dynamodb";
import { describe, expect, it } from "vitest";
import { createStoreTable, wipe } from "../sandbox/store-table.ts";
import { useSandbox } from "../sandbox/use.ts";
import { person } from "./cli.ts";
import { accountWith, documentText, policyText, writes } from "./world.ts";

const sandbox = useSandbox();

/** Two people with one repository and one account, and the table that the Installation names. */
async function company(options: { readonly table?: boolean } = {}) {
	const { account, kim, iam } = await accountWith(sandbox, "orders");
	if (options.table !== false) await createStoreTable(sandbox, account);
	const lee = person(sandbox, account, { USER: "lee" });
	for (const who of [kim, lee]) {
		who.write("policies/platform/installation.yaml", documentText("Installation", "main", "{ store: dynamodb://ecs-access }"));
		who.write("policies/orders.yaml", policyText("orders"));
	}
	return { account, kim, lee, iam, table: new DynamoDBClient(sandbox.config(account)) };
}

async function iamWrites(account: string): Promise<readonly string[]> {
	return Object.keys(await writes(sandbox, account)).filter((o) => o.startsWith("iam:"));
}

/** What the store of a controller that is at work says. */
async function controllerAtWork(table: DynamoDBClient): Promise<void> {
	const value = { holder: "controller@task-1 (ecs-access run)", until: "2099-01-01T00:00:00Z", token: "t" };
	const Item = {
		pk: { S: "control" },
		sk: { S: "lease" },
		version: { N: "1" },
		nonce: { S: "n" },
		body: { S: JSON.stringify(value) },
	};
	await table.send(new PutItemCommand({ TableName: "ecs-access", Item }));
}

describe("a shared store", () => {
	it("shows everyone what anyone applied, and nothing is kept on a machine", async () => {
		const { kim, lee } = await company();
		expect(await kim.run("get")).toMatchObject({
			code: 0,
			stderr: expect.stringContaining("nothing is recorded in dynamodb://ecs-access"),
		});
		expect(await kim.run("apply", "--yes")).toMatchObject({ code: 0 });
		expect((await lee.run("get", "-o", "name")).stdout).toBe("AccessPolicy/orders\n");
		const history = JSON.parse((await lee.run("history", "-o", "json")).stdout) as {
			readonly items: readonly { readonly event: string; readonly lease?: number }[];
		};
		expect(history.items.map((e) => e.event)).toEqual(["applied", "intended", "applied", "intended"]);
		expect(new Set(history.items.map((e) => e.lease))).toEqual(new Set([1]));
		expect((await lee.run("describe", "orders")).stdout).toContain("kim");
		expect(await lee.run("plan")).toMatchObject({
			code: 0,
			stdout: expect.stringContaining("Nothing to do"),
		});
		expect(await lee.run("apply", "--yes")).toMatchObject({ code: 0 });
		for (const who of [kim, lee]) {
			const files = existsSync(who.home) ? readdirSync(who.home, { recursive: true, encoding: "utf8" }) : [];
			expect(files.filter((f) => /state\.sqlite|\.writer/.test(f))).toEqual([]);
			expect(existsSync(join(who.home, ".local/state/ecs-access/main"))).toBe(false);
		}
	});

	it("keeps a laptop's apply out while a controller is at work, and says which", async () => {
		const { account, kim, table } = await company();
		await controllerAtWork(table);
		const refused = await kim.run("apply", "--yes");
		expect(refused.code).toBe(1);
		expect(refused.stderr).toContain(
			"another writer is at work: controller@task-1 (ecs-access run), until 2099-01-01T00:00:00Z at the latest",
		);
		expect(await iamWrites(account)).toEqual([]);
	});

	it("lets one of two who apply at once do it, or both in turn, and never both at once", async () => {
		const { kim, lee } = await company();
		const ended = await Promise.all([kim.run("apply", "--yes"), lee.run("apply", "--yes")]);
		expect(ended.map((r) => r.code)).toContain(0);
		const { items } = JSON.parse((await kim.run("history", "-o", "json")).stdout) as {
			readonly items: readonly { readonly lease: number }[];
		};
		// Newest first: what one wrote stands together, before or after what the other wrote.
		expect(items.length).toBeGreaterThanOrEqual(4);
		expect(items.map((e) => e.lease)).toEqual(items.map((e) => e.lease).toSorted((a, b) => b - a));
		expect(await kim.run("plan")).toMatchObject({ code: 0 });
	});

	it("that forgot everything while roles bear our marks stops apply, until a person says that it is new", async () => {
		const { account, kim, table } = await company();
		expect(await kim.run("apply", "--yes")).toMatchObject({ code: 0 });
		await wipe(table);
		kim.write("policies/orders.yaml", policyText("orders", { actions: "s3:PutObject" }));
		await sandbox.resetCounts(account);
		const refused = await kim.run("apply", "--yes");
		expect(refused.code).toBe(1);
		expect(refused.stderr).toContain("the shared store dynamodb://ecs-access remembers nothing, but 1 role bears our marks");
		expect(await iamWrites(account)).toEqual([]);
		// Nor does looking on make it remember.
		kim.write("policies/orders.yaml", policyText("orders"));
		expect((await kim.run("apply", "--yes")).stderr).toContain("nothing is recorded");
		kim.write("policies/orders.yaml", policyText("orders", { actions: "s3:PutObject" }));
		expect(await kim.run("apply", "--yes")).toMatchObject({ code: 1 });
		expect(await kim.run("apply", "--yes", "--new-store")).toMatchObject({ code: 0 });
		expect(await kim.run("apply", "--yes")).toMatchObject({ code: 0 });
	});

	it("that cannot be reached, or is not there, stops plan and apply before anything is written", async () => {
		const { account, kim } = await company({ table: false });
		const missing = await kim.run("apply", "--yes");
		expect(missing.code).toBe(1);
		expect(missing.stderr).toContain("there is no table for the store dynamodb://ecs-access");
		expect(missing.stderr).toContain("aws dynamodb create-table");
		await createStoreTable(sandbox, account);
		await sandbox.fault(account, { kind: "denied", operation: "dynamodb:*" });
		const denied = await kim.run("apply", "--yes");
		expect(denied.code).toBe(1);
		expect(denied.stderr).toContain("dynamodb:GetItem");
		expect(await iamWrites(account)).toEqual([]);
	});

	it("is not asked where the source holds a mistake", async () => {
		const { account, kim } = await company();
		kim.write("policies/bad.yaml", policyText("bad", { actions: "s33:GetObject" }));
		await sandbox.resetCounts(account);
		expect(await kim.run("apply", "--yes")).toMatchObject({ code: 1 });
		expect(await sandbox.counts(account)).toEqual({});
	});
});
