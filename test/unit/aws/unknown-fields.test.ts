import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { DescribeTaskDefinitionCommand, ECSClient } from "@aws-sdk/client-ecs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { describeTaskDefinition, unknownFieldsOf } from "../../../controller/aws/unknown-fields.ts";

let answer: unknown;
const server = createServer((_request, response) => {
	response.setHeader("content-type", "application/x-amz-json-1.1");
	response.end(JSON.stringify(answer));
});
let client: ECSClient;

beforeAll(async () => {
	server.listen(0, "127.0.0.1");
	await once(server, "listening");
	client = new ECSClient({
		region: "eu-west-1",
		endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
		credentials: { accessKeyId: "a", secretAccessKey: "b" },
	});
});

afterAll(() => {
	client.destroy();
	server.close();
});

async function unknownIn(taskDefinition: unknown): Promise<readonly string[]> {
	answer = { taskDefinition, tags: [] };
	const output = await describeTaskDefinition(client, DescribeTaskDefinitionCommand, { taskDefinition: "orders" }, {});
	expect(output.taskDefinition?.family).toBe("orders");
	return unknownFieldsOf(output);
}

const KNOWN = {
	family: "orders",
	registeredAt: 1795574430.21,
	cpu: null,
	volumes: [],
	containerDefinitions: [
		{
			name: "app",
			environment: [{ name: "A", value: "b" }],
			dockerLabels: { any: "label" },
			logConfiguration: { options: { x: "y" } },
		},
	],
};

test("nothing is unknown in a task definition of today", async () => {
	expect(await unknownIn(KNOWN)).toEqual([]);
});

test("what the SDK drops is named by its place, without its value", async () => {
	const [container] = KNOWN.containerDefinitions;
	const next = { ...KNOWN, brandNew: { on: true }, containerDefinitions: [{ ...container, alsoNew: "hunter2" }] };
	expect(await unknownIn(next)).toEqual(["containerDefinitions[0].alsoNew", "brandNew"]);
});
