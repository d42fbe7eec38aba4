import type { AttributeValue } from "@aws-sdk/client-dynamodb";
import { TerminalError } from "../model/errors.ts";
import type { ResourceKey } from "../model/ids.ts";
import { type Clock, MOST_ENTRIES, type StatusChange, type Store } from "../model/ports.ts";
import type { HistoryEntry, Status } from "../model/status.ts";
import { storeUrl, type TableRef } from "../model/store-url.ts";
import { AwsError, awsCode } from "./errors.ts";
import type { CallAws, Input } from "./operations.ts";
import {
	CONTROL,
	createIds,
	entryItem,
	historyQuery,
	itemKey,
	LARGEST_ITEM,
	LARGEST_TRANSACTION,
	part,
	STATUS,
	statusChunks,
	statusWrite,
	type Write,
} from "./store-item.ts";
import { createTableCommand } from "./store-table.ts";

type Item = Readonly<Record<string, AttributeValue>>;

export interface DynamoStoreDeps {
	readonly call: CallAws;
	readonly clock: Clock;
	readonly ref: TableRef;
	/** False: a reader, for whom a table that nobody wrote to yet is no store. */
	readonly make: boolean;
}

const SCHEMA = 1;
/** Writes of which the outcome is unknown are sent again: each is made so that twice is as once. */
const ATTEMPTS = 3;
const BACKOFF_MS = 300;

/**
 * The shared store: one DynamoDB table (store-table.ts). Items by pk and sk: `status` KEY, `control` NAME, `history/KIND/NAME`
 * by time, `meta` once. Status and control state are written under a condition, history is only added to. Reads are
 * consistent, but for history across keys, which comes from an index and may lag by a moment.
 *
 * Null for a reader where nothing was ever written. A table that cannot be reached is a transient error, one that is not
 * there a TerminalError `StoreMissing`.
 */
/** Up to here single reads are fewer bytes and no more time than a page of all. */
const SINGLE_GETS = 10;

export async function openDynamoStore(deps: DynamoStoreDeps, signal: AbortSignal): Promise<Store | null> {
	const { ref, clock } = deps;
	const TableName = ref.table;
	const closed = new AbortController();
	const call: CallAws = async (op, place, input, s) => {
		try {
			return await deps.call(op, place, input, s);
		} catch (error) {
			throw storeError(error, ref);
		}
	};
	const get = async (pk: string, sk: string, s = closed.signal): Promise<Item | undefined> =>
		(await call("dynamodb:GetItem", ref.region, { TableName, Key: itemKey(pk, sk), ConsistentRead: true }, s)).Item;
	const put = (item: Item, condition: Condition = {}, s = closed.signal): Promise<unknown> =>
		call("dynamodb:PutItem", ref.region, { TableName, Item: item, ...condition }, s);
	const transact = (writes: Write[], token: string): Promise<unknown> =>
		call("dynamodb:TransactWriteItems", ref.region, { TransactItems: writes, ClientRequestToken: token }, closed.signal);
	async function* query(
		input: Omit<Input<"dynamodb:Query">, "TableName" | "ExclusiveStartKey">,
	): AsyncGenerator<Item, void, undefined> {
		let start: Record<string, AttributeValue> | undefined;
		do {
			const page = await call(
				"dynamodb:Query",
				ref.region,
				{ TableName, ...input, ...(start !== undefined && { ExclusiveStartKey: start }) },
				closed.signal,
			);
			yield* page.Items ?? [];
			start = page.LastEvaluatedKey;
		} while (start !== undefined);
	}
	const again = <T>(work: () => Promise<T>, also?: string): Promise<T> => repeat(work, clock, closed.signal, also);

	/** One change; false when somebody else was first. */
	const setStatus = async (change: StatusChange): Promise<boolean> => {
		const { Put, Delete } = statusWrite(change, TableName);
		try {
			await again(async () => {
				if (Put !== undefined) await call("dynamodb:PutItem", ref.region, Put, closed.signal);
				if (Delete !== undefined) await call("dynamodb:DeleteItem", ref.region, Delete, closed.signal);
			});
			return true;
		} catch (error) {
			if (awsCode(error) === "ConditionalCheckFailed") return false;
			throw error;
		}
	};
	/** Together in one call; where one of them is refused, each by itself. */
	const setStatuses = async (changes: readonly StatusChange[]): Promise<readonly ResourceKey[]> => {
		if (changes.length > 1) {
			const token = crypto.randomUUID();
			try {
				await again(() =>
					transact(
						changes.map((c) => statusWrite(c, TableName)),
						token,
					),
				);
				return [];
			} catch (error) {
				if (awsCode(error) !== "TransactionCanceled") throw error;
			}
		}
		const done = await Promise.all(changes.map(setStatus));
		return changes.flatMap((c, i) => (done[i] ? [] : [c.key]));
	};
	const nextId = createIds(clock);

	const fresh = await again(() => openMeta(signal));
	if (fresh === null) return null;
	return {
		fresh,
		getStatus: async (k) => {
			const item = await get(STATUS, k);
			return item === undefined ? undefined : parse<Status>(item, ref);
		},
		getStatuses: async (keys) => {
			const wanted = new Set(keys);
			// A page of all of them holds some hundreds, and is one call.
			const items =
				wanted.size > SINGLE_GETS
					? await Array.fromAsync(query(part(STATUS)))
					: (await Promise.all([...wanted].map((k) => get(STATUS, k)))).filter((i) => i !== undefined);
			return new Map(items.map((i) => parse<Status>(i, ref)).flatMap((s) => (wanted.has(s.key) ? [[s.key, s] as const] : [])));
		},
		listStatus: async () => {
			const out: Status[] = [];
			for await (const item of query(part(STATUS))) out.push(parse<Status>(item, ref));
			return out;
		},
		putStatus: async (changes) => {
			const refused: ResourceKey[] = [];
			for (const chunk of statusChunks(changes)) refused.push(...(await setStatuses(chunk)));
			return refused;
		},
		append: async (entries) => {
			if (entries.length === 0) return;
			if (entries.length > MOST_ENTRIES) throw new RangeError(`expected at most ${MOST_ENTRIES} entries, got ${entries.length}`);
			const most = Math.min(LARGEST_ITEM, Math.floor(LARGEST_TRANSACTION / entries.length));
			// All is made before anything is sent. The same item written twice is one item.
			const items = entries.map((e) => entryItem(e, nextId(e.at), most));
			const [first] = items;
			if (items.length === 1 && first !== undefined) await again(() => put(first));
			else {
				const token = crypto.randomUUID();
				await again(
					() =>
						transact(
							items.map((Item) => ({ Put: { TableName, Item } })),
							token,
						),
					// Nothing is asked of what is there, so this only means that it collided or was throttled.
					"TransactionCanceled",
				);
			}
		},
		history: async ({ key: k, since, limit }) => {
			const out: HistoryEntry[] = [];
			for await (const item of query(historyQuery(k, since, limit))) {
				if (out.length === limit) break;
				out.push(parse<HistoryEntry>(item, ref));
			}
			return out;
		},
		getControl: async (name) => {
			const item = await get(CONTROL, name);
			return item === undefined ? undefined : { value: parse<unknown>(item, ref), version: Number(item.version?.N) };
		},
		putControl: async (name, value, expected) => {
			const nonce = crypto.randomUUID();
			const item = {
				...itemKey(CONTROL, name),
				body: { S: JSON.stringify(value ?? null) },
				version: { N: String(expected + 1) },
				nonce: { S: nonce },
			};
			const condition: Condition =
				expected === 0
					? { ConditionExpression: "attribute_not_exists(pk)" }
					: { ConditionExpression: "version = :v", ExpressionAttributeValues: { ":v": { N: String(expected) } } };
			try {
				await again(() => put(item, condition));
				return true;
			} catch (error) {
				if (awsCode(error) !== "ConditionalCheckFailed") throw error;
				// Refused by our own write, when the answer to it was lost.
				return (await get(CONTROL, name))?.nonce?.S === nonce;
			}
		},
		empty: async () => {
			for await (const _ of query({ ...part(STATUS), Limit: 1 })) return false;
			for await (const _ of query(historyQuery(undefined, undefined, 1))) return false;
			return true;
		},
		close: async () => closed.abort(new Error(`store ${storeUrl(ref)} is closed`)),
	};

	/** True when made now, by us; null when it is not there and is not to be made. */
	async function openMeta(s: AbortSignal): Promise<boolean | null> {
		const found = await get("meta", "meta", s);
		if (found !== undefined) return known(found);
		if (!deps.make) return null;
		const nonce = crypto.randomUUID();
		const item = { ...itemKey("meta", "meta"), schema: { N: String(SCHEMA) }, made: { S: clock.now() }, nonce: { S: nonce } };
		try {
			await again(() => put(item, { ConditionExpression: "attribute_not_exists(pk)" }, s));
			return true;
		} catch (error) {
			if (awsCode(error) !== "ConditionalCheckFailed") throw error;
			const theirs = await get("meta", "meta", s);
			return theirs?.nonce?.S === nonce || (theirs !== undefined && known(theirs));
		}
	}

	/** False: somebody made it before. */
	function known(meta: Item): false {
		const schema = Number(meta.schema?.N);
		if (schema <= SCHEMA) return false;
		throw new TerminalError(
			"StoreNewer",
			`store ${storeUrl(ref)} has schema version ${schema}, and this ecs-access knows ${SCHEMA} at most`,
			{ fix: "use the newer ecs-access that wrote it" },
		);
	}
}

interface Condition {
	readonly ConditionExpression?: string;
	readonly ExpressionAttributeValues?: Record<string, AttributeValue>;
}

/** Sends again what failed for a reason that may pass; below, the call layer has paced it and waited out throttles. */
async function repeat<T>(work: () => Promise<T>, clock: Clock, signal: AbortSignal, also?: string): Promise<T> {
	for (let attempt = 1; ; attempt++) {
		try {
			return await work();
		} catch (error) {
			const refused = awsCode(error) === "ConditionalCheckFailed" || awsCode(error) === "TransactionCanceled";
			const passing = error instanceof AwsError && (!refused || awsCode(error) === also);
			if (!passing || attempt === ATTEMPTS) throw error;
			await clock.sleep(BACKOFF_MS * 2 ** attempt * (0.5 + Math.random() / 2), signal);
		}
	}
}

function parse<T>(item: Item, ref: TableRef): T {
	try {
		return JSON.parse(item.body?.S ?? "") as T;
	} catch (cause) {
		throw new TerminalError("StoreCorrupt", `store ${storeUrl(ref)} is damaged: item ${item.pk?.S} ${item.sk?.S} is not JSON`, {
			cause,
			fix: "restore the table to a point in time before, or delete that item",
		});
	}
}

function storeError(error: unknown, ref: TableRef): unknown {
	if (awsCode(error) !== "ResourceNotFound") return error;
	return new TerminalError("StoreMissing", `there is no table for the store ${storeUrl(ref)}`, {
		cause: error,
		fix: `check name, region and account, or create it: ${createTableCommand(ref)}`,
	});
}
