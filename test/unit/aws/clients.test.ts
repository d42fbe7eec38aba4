import { execFile } from "node:child_process";
import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { createAgents, createClients } from "../../../controller/aws/clients.ts";

const signal = AbortSignal.timeout(20_000);
const IDENTITY =
	"<GetCallerIdentityResponse><GetCallerIdentityResult><Account>1</Account></GetCallerIdentityResult></GetCallerIdentityResponse>";
let seen: IncomingHttpHeaders[] = [];
let answers = true;
const server = createServer((request, response) => {
	seen.push(request.headers);
	if (answers) response.setHeader("content-type", "text/xml").end(IDENTITY);
});
const agents = createAgents();

beforeAll(async () => {
	await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
	process.env.AWS_ENDPOINT_URL = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(() => {
	seen = [];
	answers = true;
});
afterAll(() => {
	agents.close();
	server.closeAllConnections();
	server.close();
	delete process.env.AWS_ENDPOINT_URL;
});

function clients(partition: string, requestTimeout?: number) {
	return createClients({
		credentials: async () => ({ accessKeyId: "AKIATEST", secretAccessKey: "secret" }),
		agents,
		partition,
		region: "eu-west-1",
		userAgent: [
			["ecs-access", "0.1.0"],
			["reconcile", "r-1"],
			["revision", "3f2a91c"],
		],
		...(requestTimeout !== undefined && { requestTimeout }),
	});
}

test("the program, the pass and the commit travel in the user agent, where CloudTrail records them", async () => {
	await clients("aws").send("sts:GetCallerIdentity", null, {}, signal);
	expect(seen[0]?.["user-agent"]).toMatch(/ecs-access\/0\.1\.0 reconcile\/r-1 revision\/3f2a91c$/);
});

test.each([
	["aws", "us-east-1"],
	["aws-cn", "cn-north-1"],
	["aws-us-gov", "us-gov-west-1"],
	["aws-eusc", "eusc-de-east-1"],
])("in partition %s IAM is signed for %s, whatever the account's region", async (partition, region) => {
	await clients(partition)
		.send("iam:ListAccountAliases", "global", {}, signal)
		.catch(() => {});
	expect(seen[0]?.authorization).toContain(`/${region}/iam/`);
});

test("a call is signed for the region it names, else for the account's", async () => {
	const c = clients("aws");
	await c.send("ecs:ListClusters", "us-west-2", {}, signal).catch(() => {});
	await c.send("sts:GetCallerIdentity", null, {}, signal);
	expect(seen.map((h) => h.authorization?.match(/\/([a-z0-9-]+)\/(?:ecs|sts)\//)?.[1])).toEqual(
		expect.arrayContaining(["us-west-2", "eu-west-1"]),
	);
});

test("a call that nobody answers ends, after as many attempts as the SDK may make", async () => {
	answers = false;
	await expect(clients("aws", 200).send("sts:GetCallerIdentity", null, {}, signal)).rejects.toMatchObject({
		name: "TimeoutError",
	});
	expect(seen).toHaveLength(2);
});

test("no part of the SDK is loaded before something is asked of AWS", async () => {
	const account = fileURLToPath(new URL("../../../controller/aws/process.ts", import.meta.url));
	const program = `
		import { createRequire } from "node:module";
		const { createAws } = await import(${JSON.stringify(account)});
		createAws({ clock: { now: () => "", millis: () => 0, sleep: async () => {} }, cacheDir: null, version: "0", reconcileId: "r", installation: () => "main", revision: () => "x" });
		const loaded = Object.keys(createRequire(import.meta.url).cache).filter((f) => f.includes("@aws-sdk") || f.includes("@smithy"));
		console.log(JSON.stringify(loaded));
	`;
	const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", program], {
		cwd: import.meta.dirname,
	});
	expect(JSON.parse(stdout)).toEqual([]);
});
