import { DynamoDBClient, PutItemCommand, ScanCommand, UpdateTableCommand } from "@aws-sdk/client-dynamodb";
import { describe, expect, test } from "vitest";
import { createAws } from "../../../controller/aws/process.ts";
import { createClock } from "../../../controller/cli/clock.ts";
import { TerminalError } from "../../../controller/model/errors.ts";
import type { Clock, Store } from "../../../controller/model/ports.ts";
import { acquireLease } from "../../../controller/store/lease.ts";
import { anEntry, aStatus, put } from "../../conformance/store.ts";
import { createStoreTable } from "../../sandbox/store-table.ts";
import { useSandbox } from "../../sandbox/use.ts";

const sandbox = useSandbox();
const TABLE = { table: "ecs-access", region: null };
const signal = AbortSignal.timeout(55_000);
/** The real clock; waiting takes a hundredth, so that a test of trying again takes no minute. */
const clock: Clock = { ...createClock(), sleep: (ms, s) => createClock().sleep(ms / 100, s) };

async function place(make = true) {
	const account = sandbox.newAccount();
	Object.assign(process.env, sandbox.env(account));
	if (make) await createStoreTable(sandbox, account);
	return { account, client: new DynamoDBClient(sandbox.config(account)), ...opener() };
}

function opener() {
	const aws = createAws({
		clock,
		cacheDir: null,
		version: "0.0.0",
		reconcileId: "test",
		installation: () => "main",
		revision: () => "none",
	});
	const open = async (): Promise<Store> => {
		const store = await aws.openStore(TABLE, { make: true }, signal);
		if (store === null) throw new Error("not made");
		return store;
	};
	return { aws, open };
}

describe("answers that are lost after the write", () => {
	test("change nothing: each write is done once, and told as done", async () => {
		const { account, open } = await place();
		const store = await open();
		// Both attempts of the SDK, so that our own must find out.
		const lose = (operation: string) => sandbox.fault(account, { kind: "lostAnswer", operation, times: 2 });
		await lose("dynamodb:PutItem");
		expect(await store.putControl("pause", { by: "anna" }, 0)).toBe(true);
		expect(await store.getControl("pause")).toEqual({ value: { by: "anna" }, version: 1 });
		await lose("dynamodb:PutItem");
		await store.append([anEntry("AccessPolicy/a", "2026-11-24T09:00:00Z")]);
		await lose("dynamodb:TransactWriteItems");
		await store.append(["1", "2", "3"].map((n) => anEntry("AccessPolicy/b", "2026-11-24T09:00:00Z", n)));
		expect((await store.history({ limit: 10 })).map((e) => e.outcome)).toEqual(["3", "2", "1", "applied"]);
		await lose("dynamodb:PutItem");
		await put(store, aStatus("AccessPolicy/a"));
		await lose("dynamodb:DeleteItem");
		const before = await store.getStatus("AccessPolicy/a");
		expect(await store.putStatus([{ key: "AccessPolicy/a", before, after: undefined }])).toEqual([]);
		expect(await store.listStatus()).toEqual([]);
	});

	test("of making the store leave it fresh for who made it", async () => {
		const { account, open } = await place();
		await sandbox.fault(account, { kind: "lostAnswer", operation: "dynamodb:PutItem", times: 2 });
		expect([(await open()).fresh, (await open()).fresh]).toEqual([true, false]);
	});

	test("of a third of all calls keep the lease with its holder", async () => {
		const { account, open } = await place();
		const store = await open();
		await sandbox.fault(account, { kind: "lostAnswer", operation: "dynamodb:PutItem", probability: 0.3 });
		const options = { name: "lease", ttlSeconds: 180, callTimeoutSeconds: 60, watchSeconds: 0, clock };
		const lease = await acquireLease(store, { ...options, holder: "anna" }, signal);
		if ("heldBy" in lease) throw new Error("held");
		for (let n = 0; n < 20; n++) expect(await lease.renew()).toBe(true);
		expect(await acquireLease(await open(), { ...options, holder: "ben" }, signal)).toMatchObject({ heldBy: "anna" });
		await lease.release();
		const next = await acquireLease(store, { ...options, holder: "ben" }, signal);
		expect("heldBy" in next ? 0 : next.fence).toBeGreaterThan(lease.fence);
	});
});

describe("a table", () => {
	test("that is not there is named, with the command that makes it", async () => {
		const { open } = await place(false);
		const error = await open().catch((e: unknown) => e);
		expect(error).toBeInstanceOf(TerminalError);
		expect(error).toMatchObject({ reason: "StoreMissing", message: "there is no table for the store dynamodb://ecs-access" });
		expect((error as TerminalError).fix).toContain("aws dynamodb create-table --table-name ecs-access");
	});

	test("that nobody wrote to is no store for a reader, and stays as it is", async () => {
		const { aws, client } = await place();
		expect(await aws.openStore(TABLE, { make: false }, signal)).toBeNull();
		expect((await client.send(new ScanCommand({ TableName: "ecs-access" }))).Count).toBe(0);
	});

	test("that cannot be reached is no reason to guess: a passing error, nothing else", async () => {
		const { account, aws, open } = await place();
		const store = await open();
		await sandbox.fault(account, { kind: "reset", operation: "dynamodb:*" });
		for (const work of [
			() => store.getControl("pause"),
			() => store.putControl("pause", true, 0),
			() => store.listStatus(),
			() => store.append([anEntry("AccessPolicy/a", "2026-11-24T09:00:00Z")]),
			() => aws.openStore(TABLE, { make: false }, signal),
		]) {
			const error = await work().then(
				() => null,
				(e: unknown) => e,
			);
			expect(error).toBeInstanceOf(Error);
			expect(error).not.toBeInstanceOf(TerminalError);
			expect(String(error)).toContain("table ecs-access");
		}
	});

	test("that is throttled is waited for", async () => {
		const { account, open } = await place();
		const store = await open();
		await sandbox.fault(account, { kind: "throttle", operation: "dynamodb:*", times: 5 });
		expect(await store.putControl("x", 1, 0)).toBe(true);
		expect((await store.getControl("x"))?.value).toBe(1);
	});

	test("written by a newer version is refused, saying so", async () => {
		const { client, open } = await place();
		const Item = { pk: { S: "meta" }, sk: { S: "meta" }, schema: { N: "7" } };
		await client.send(new PutItemCommand({ TableName: "ecs-access", Item }));
		await expect(open()).rejects.toThrow("store dynamodb://ecs-access has schema version 7, and this ecs-access knows 1 at most");
	});

	test("whose item is not JSON is damaged, saying which", async () => {
		const { client, open } = await place();
		const store = await open();
		const Item = { pk: { S: "control" }, sk: { S: "pause" }, version: { N: "1" }, body: { S: "{" } };
		await client.send(new PutItemCommand({ TableName: "ecs-access", Item }));
		await expect(store.getControl("pause")).rejects.toMatchObject({ reason: "StoreCorrupt" });
	});

	test("is checked for what it must be", async () => {
		const { aws, client } = await place();
		expect(await aws.checkStore(TABLE, signal)).toEqual([]);
		await client.send(new UpdateTableCommand({ TableName: "ecs-access", DeletionProtectionEnabled: false }));
		expect(await aws.checkStore(TABLE, signal)).toEqual([expect.stringContaining("may be deleted by accident")]);
	});
});

test("an entry too large for an item is kept without its documents, and says how large they were", async () => {
	const { open } = await place();
	const store = await open();
	const huge = { Statement: ["x".repeat(500_000)] };
	await store.append([{ ...anEntry("AccessPolicy/a", "2026-11-24T09:00:00Z"), before: null, after: huge }]);
	const [entry] = await store.history({ limit: 1 });
	expect([entry?.before, entry?.after]).toEqual([null, { omitted: expect.stringMatching(/^500\d{3} bytes are too many/) }]);
	const status = aStatus("AccessPolicy/a", "y".repeat(500_000));
	await expect(put(store, status)).rejects.toMatchObject({ reason: "StatusTooLarge" });
});

test("four hundred statuses are written in four calls, and read in as many pages as they take", async () => {
	const { account, open } = await place();
	const store = await open();
	await sandbox.resetCounts(account);
	const keys = Array.from({ length: 400 }, (_, n) => `AccessPolicy/p${n}`);
	expect(await store.putStatus(keys.map((key) => ({ key, before: undefined, after: aStatus(key) })))).toEqual([]);
	expect(await store.listStatus()).toHaveLength(400);
	const { "dynamodb:TransactWriteItems": writes, "dynamodb:Query": reads, ...others } = await sandbox.counts(account);
	expect([writes, others]).toEqual([4, {}]);
	expect(reads).toBeLessThanOrEqual(3);
});
