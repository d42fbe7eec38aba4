import type { CreateTableCommandInput } from "@aws-sdk/client-dynamodb";
import { storeUrl, type TableRef } from "../model/store-url.ts";
import type { CallAws } from "./operations.ts";

/** All history, in the order of appending. */
export const BY_TIME = "by-time";

/**
 * The table of a shared store. Making it is the deployment's job; this says what it must be. One table, paid by request:
 * with 2 KB a history entry and two entries a step, 10,000 steps a month cost some 0.05 USD, the status of 1,000 resources
 * written every hour some 3 USD, and a lease renewed twice a minute some 0.06 USD. Nothing expires: history is for audits.
 */
export function tableDefinition(table: string) {
	return {
		TableName: table,
		BillingMode: "PAY_PER_REQUEST",
		AttributeDefinitions: [
			{ AttributeName: "pk", AttributeType: "S" },
			{ AttributeName: "sk", AttributeType: "S" },
			{ AttributeName: "log", AttributeType: "S" },
		],
		KeySchema: [
			{ AttributeName: "pk", KeyType: "HASH" },
			{ AttributeName: "sk", KeyType: "RANGE" },
		],
		GlobalSecondaryIndexes: [
			{
				IndexName: BY_TIME,
				KeySchema: [
					{ AttributeName: "log", KeyType: "HASH" },
					{ AttributeName: "sk", KeyType: "RANGE" },
				],
				Projection: { ProjectionType: "ALL" },
			},
		],
		DeletionProtectionEnabled: true,
	} as const satisfies CreateTableCommandInput;
}

/** The command that makes it. */
export function createTableCommand(ref: TableRef): string {
	const d = tableDefinition(ref.table);
	const region = ref.region === null ? "" : ` --region ${ref.region}`;
	const json = (value: unknown): string => `'${JSON.stringify(value)}'`;
	return [
		`aws dynamodb create-table${region} --table-name ${ref.table} --billing-mode ${d.BillingMode} --deletion-protection-enabled`,
		`--attribute-definitions ${json(d.AttributeDefinitions)} --key-schema ${json(d.KeySchema)}`,
		`--global-secondary-indexes ${json(d.GlobalSecondaryIndexes)}`,
	].join(" ");
}

/** What is wrong with the table, each with what to do; empty when nothing is. Rejects where it cannot be looked at. */
export async function checkTable(call: CallAws, ref: TableRef, signal: AbortSignal): Promise<readonly string[]> {
	const wanted = tableDefinition(ref.table);
	const { Table: found } = await call("dynamodb:DescribeTable", ref.region, { TableName: ref.table }, signal);
	const keys = (
		schema: readonly { readonly AttributeName?: string | undefined; readonly KeyType?: string | undefined }[] | undefined,
	): string => (schema ?? []).map((k) => `${k.AttributeName} ${k.KeyType}`).join(", ");
	const name = storeUrl(ref);
	const out: string[] = [];
	if (found?.TableStatus !== "ACTIVE" && found?.TableStatus !== "UPDATING") {
		out.push(`${name} is ${found?.TableStatus ?? "unknown"}, not ACTIVE: wait until it is`);
	}
	if (keys(found?.KeySchema) !== keys(wanted.KeySchema)) {
		out.push(`${name} has the key (${keys(found?.KeySchema)}): make another table: ${createTableCommand(ref)}`);
	}
	const [index] = wanted.GlobalSecondaryIndexes;
	const has = found?.GlobalSecondaryIndexes?.find((i) => i.IndexName === index.IndexName);
	if (has === undefined) out.push(`${name} has no index ${index.IndexName}: make another table: ${createTableCommand(ref)}`);
	else if (keys(has.KeySchema) !== keys(index.KeySchema) || has.Projection?.ProjectionType !== index.Projection.ProjectionType) {
		out.push(`${name} has an index ${index.IndexName} of another kind: delete it and make it anew, with all attributes`);
	}
	if (found?.DeletionProtectionEnabled !== true) {
		out.push(
			`${name} may be deleted by accident, pauses and history with it: aws dynamodb update-table --table-name ${ref.table} --deletion-protection-enabled`,
		);
	}
	return out;
}
