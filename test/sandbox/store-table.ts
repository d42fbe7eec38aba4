import { CreateTableCommand, DynamoDBClient } from "@aws-sdk/client-dynamodb";
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
