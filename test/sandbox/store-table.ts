import { BatchWriteItemCommand, CreateTableCommand, DynamoDBClient, ScanCommand } from "@aws-sdk/client-dynamodb";
import { tableDefinition } from "../../controller/aws/store-table.ts";
import type { Sandbox } from "./sandbox.ts";

/** Makes the table of a shared store in an account of the sandbox, as a deployment would. */
export async function createStoreTable(sandbox: Sandbox, account: string, table = "ecs-access"): Promise<void> {
	const client = new DynamoDBClient(sandbox.config(account));
	try {
		await client.send(new CreateTableCommand(tableDefinition(table)));
	} finally {
		client.destroy();
	}
}

/** Its items are lost; the table is there. */
export async function wipe(table: DynamoDBClient): Promise<void> {
	const { Items = [] } = await table.send(new ScanCommand({ TableName: "ecs-access" }));
	const requests = Items.flatMap(({ pk, sk }) =>
		pk === undefined || sk === undefined ? [] : [{ DeleteRequest: { Key: { pk, sk } } }],
	);
	for (let n = 0; n < requests.length; n += 25) {
		await table.send(new BatchWriteItemCommand({ RequestItems: { "ecs-access": requests.slice(n, n + 25) } }));
	}
}
