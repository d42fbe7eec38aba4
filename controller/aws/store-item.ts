import type { AttributeValue } from "@aws-sdk/client-dynamodb";
import { digest } from "../model/digest.ts";
import { TerminalError } from "../model/errors.ts";
import type { Instant, ResourceKey } from "../model/ids.ts";
import type { Clock, StatusChange } from "../model/ports.ts";
import type { HistoryEntry, Status } from "../model/status.ts";
import type { Input } from "./operations.ts";
import { BY_TIME } from "./store-table.ts";

/** Partitions of the table; history has one a resource. */
export const STATUS = "status";
export const CONTROL = "control";

/** Of a transaction, in bytes: 4 MB, less what is not body. */
export const LARGEST_TRANSACTION = 3_500_000;
const MOST_WRITES = 100;
/** An item of DynamoDB holds 400 KB, names and keys included. */
export const LARGEST_ITEM = 380_000;
const LONGEST_OUTCOME = 4_000;

export type Write = NonNullable<Input<"dynamodb:TransactWriteItems">["TransactItems"]>[number];

export function itemKey(pk: string, sk: string): { pk: { S: string }; sk: { S: string } } {
	return { pk: { S: pk }, sk: { S: sk } };
}

/** Everything of one partition, in order. */
export function part(pk: string) {
	return { ConsistentRead: true, KeyConditionExpression: "pk = :pk", ExpressionAttributeValues: { ":pk": { S: pk } } };
}

/** What stands there now is told from what was read by its digest; what is already as wanted passes. */
export function statusWrite({ key: k, before, after }: StatusChange, TableName: string): Write {
	const mark = (status: Status): { S: string } => ({ S: digest(JSON.stringify(status)) });
	const isBefore = before === undefined ? "attribute_not_exists(pk)" : "digest = :before";
	const was = before === undefined ? {} : { ":before": mark(before) };
	if (after === undefined) {
		return {
			Delete: {
				TableName,
				Key: itemKey(STATUS, k),
				ConditionExpression: before === undefined ? isBefore : `attribute_not_exists(pk) OR ${isBefore}`,
				...(before !== undefined && { ExpressionAttributeValues: was }),
			},
		};
	}
	const body = JSON.stringify(after);
	if (Buffer.byteLength(body) > LARGEST_ITEM) {
		throw new TerminalError("StatusTooLarge", `the status of ${k} has ${Buffer.byteLength(body)} bytes`, {
			fix: `a shared store takes ${LARGEST_ITEM} at most: split the policy, so that each has fewer roles`,
		});
	}
	return {
		Put: {
			TableName,
			Item: { ...itemKey(STATUS, k), body: { S: body }, digest: mark(after) },
			ConditionExpression: `${isBefore} OR digest = :after`,
			ExpressionAttributeValues: { ...was, ":after": mark(after) },
		},
	};
}

/** In the size of transactions. */
export function* statusChunks(changes: readonly StatusChange[]): Generator<readonly StatusChange[]> {
	let chunk: StatusChange[] = [];
	let bytes = 0;
	for (const change of changes) {
		const size = change.after === undefined ? 0 : Buffer.byteLength(JSON.stringify(change.after));
		if (chunk.length === MOST_WRITES || (chunk.length > 0 && bytes + size > LARGEST_TRANSACTION)) {
			yield chunk;
			chunk = [];
			bytes = 0;
		}
		chunk.push(change);
		bytes += size;
	}
	if (chunk.length > 0) yield chunk;
}

/** One entry, `most` bytes at most. Throws where it cannot be written as JSON. */
export function entryItem(entry: HistoryEntry, id: string, most: number): Record<string, AttributeValue> {
	return {
		...itemKey(`history/${family(entry.key)}`, id),
		log: { S: "history" },
		key: { S: entry.key },
		at: { S: entry.at },
		body: { S: entryBody(entry, most) },
	};
}

/**
 * An entry as it is kept, `most` bytes at most: documents that are too large are replaced by their size, since the entry
 * itself must not be lost. IAM's own limits keep real ones far below.
 */
function entryBody(entry: HistoryEntry, most: number): string {
	const body = JSON.stringify(entry);
	const bytes = Buffer.byteLength(body);
	if (bytes <= most) return body;
	const note = (value: unknown): unknown => (value == null ? value : { omitted: `${bytes} bytes are too many for the store` });
	const outcome = entry.outcome.length > LONGEST_OUTCOME ? `${entry.outcome.slice(0, LONGEST_OUTCOME)}…` : entry.outcome;
	return JSON.stringify({ ...entry, before: note(entry.before), after: note(entry.after), outcome });
}

/** `Kind/name` of `Kind/name@account`: all instances stand together. */
function family(k: ResourceKey): string {
	return k.replace(/@.*$/, "");
}

/** Newest first. */
export function historyQuery(k: ResourceKey | undefined, since: Instant | undefined, limit: number) {
	const [partition, value] = k === undefined ? ["#log", "history"] : ["pk", `history/${family(k)}`];
	const instance = k !== undefined && k !== family(k);
	const filters = [...(instance ? ["#key = :key"] : []), ...(since === undefined ? [] : ["#at >= :since"])];
	return {
		...(k === undefined ? { IndexName: BY_TIME } : { ConsistentRead: true }),
		ScanIndexForward: false,
		// An entry is appended when, or after, it happened: what is older than `since` by its place is older by itself.
		KeyConditionExpression: `${partition} = :pk${since === undefined ? "" : " AND sk >= :from"}`,
		ExpressionAttributeValues: {
			":pk": { S: value ?? "" },
			...(instance && { ":key": { S: k } }),
			...(since !== undefined && { ":since": { S: since }, ":from": { S: timePart(Date.parse(since)) } }),
		},
		...(filters.length > 0 ? { FilterExpression: filters.join(" AND ") } : { Limit: limit }),
		...((k === undefined || filters.length > 0) && {
			ExpressionAttributeNames: {
				...(k === undefined && { "#log": "log" }),
				...(instance && { "#key": "key" }),
				...(since !== undefined && { "#at": "at" }),
			},
		}),
	};
}

function timePart(ms: number): string {
	return Math.max(0, ms).toString(36).padStart(9, "0");
}

/** Sort keys that grow: the time, a count within it, and chance, so that no two processes make the same. */
export function createIds(clock: Pick<Clock, "millis">): (at: Instant) => string {
	let time = 0;
	let count = 0;
	return (at) => {
		const now = Math.max(clock.millis(), Date.parse(at) || 0);
		// A clock that was set back does not put what comes later before what was.
		count = now > time ? 0 : count + 1;
		time = Math.max(now, time);
		return `${timePart(time)}${count.toString(36).padStart(5, "0")}${crypto.randomUUID().slice(0, 8)}`;
	};
}
