import { TerminalError } from "./errors.ts";
import type { Region } from "./ids.ts";

/** A shared store, as an Installation names it. */
export interface TableRef {
	readonly table: string;
	/** Null: the region of the environment. */
	readonly region: Region | null;
}

/** `dynamodb://TABLE` or `dynamodb://TABLE?region=REGION`, of the form that the Installation's schema holds it to. */
export function parseStoreUrl(url: string): TableRef {
	const [, table, region] = /^dynamodb:\/\/([\w.-]+)(?:\?region=([a-z0-9-]+))?$/.exec(url) ?? [];
	if (table === undefined) {
		throw new TerminalError("InvalidStore", `${JSON.stringify(url)} is not a store`, {
			fix: "write dynamodb://TABLE in the Installation",
		});
	}
	return { table, region: region ?? null };
}

export function storeUrl(ref: TableRef): string {
	return `dynamodb://${ref.table}${ref.region === null ? "" : `?region=${ref.region}`}`;
}
