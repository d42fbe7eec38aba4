import type { Account } from "../model/account.ts";
import type { DoctorAccount } from "../model/doctor.ts";
import { TerminalError } from "../model/errors.ts";
import type { AccountId, Region } from "../model/ids.ts";
import { partitionOf } from "../model/partition.ts";
import type { AccountAccess, Announcer, EventQueue, Store } from "../model/ports.ts";
import type { Secret } from "../model/secret.ts";
import { storeUrl, type TableRef } from "../model/store-url.ts";
import { type AccountAccessOptions, accountCalls, createAccountAccess, userAgentOf } from "./account.ts";
import { createAnnouncer } from "./announcer.ts";
import { createCalls } from "./call.ts";
import { createClients } from "./clients.ts";
import { createDoctorAccount } from "./doctor.ts";
import { createEventQueue } from "./event-queue.ts";
import type { CallAws } from "./operations.ts";
import { readSecret } from "./secrets.ts";
import { createAwsShared } from "./shared.ts";

/** An answer of DynamoDB takes milliseconds, and a renewal of the lease must not hang. */
const STORE_TIMEOUT_MS = 3_000;

/** What an access is for, where that is not the process as a whole. */
export interface AccessOf {
	readonly reconcileId: string;
	readonly revision: string;
	/** It reads all of the account, and writes nothing. */
	readonly lean?: boolean;
}

/** AWS for a process: the accesses of its passes share sockets, credentials and pace. */
export interface Aws {
	/** Afresh for each pass: what it reads, it remembers. `of`: the pass, where it is not the process as a whole. */
	readonly access: (account: Account, of?: AccessOf) => AccountAccess;
	/** Who and where we are by the environment alone, for a repository that names no Account. */
	readonly self: (signal: AbortSignal) => Promise<{ readonly accountId: AccountId; readonly region: Region }>;
	/** The shared store of an Installation, by the environment's own credentials; see store-dynamodb.ts. */
	readonly openStore: (ref: TableRef, options: { readonly make: boolean }, signal: AbortSignal) => Promise<Store | null>;
	/** What is wrong with the table of a shared store, each with what to do; for doctor. */
	readonly checkStore: (ref: TableRef, signal: AbortSignal) => Promise<readonly string[]>;
	/** The event queue of an installation, by the environment's own credentials. */
	readonly eventQueue: (home: { readonly queue: string; readonly region: Region }) => EventQueue;
	/** Where an installation tells what was done and seen, by the environment's own credentials. */
	readonly announcer: (home: { readonly bus: string; readonly region: Region }) => Announcer;
	/**
	 * A secret of the installation's own, by name or ARN, with the environment's own credentials; by name in `region`, null:
	 * the environment's. Errors as of secrets.ts.
	 */
	readonly readSecret: (id: string, region: Region | null, signal: AbortSignal) => Promise<Secret>;
	/** What doctor asks of an account, beyond what a pass does. */
	readonly doctor: (account: Account) => DoctorAccount;
	readonly close: () => void;
}

export interface AwsOptions
	extends Pick<AccountAccessOptions, "version" | "reconcileId" | "clock" | "cacheDir" | "progress" | "observeCall" | "outside"> {
	/** Asked when an access is made: both are known only once a source was read. */
	readonly installation: () => string;
	readonly revision: () => string;
}

export function createAws(options: AwsOptions): Aws {
	const shared = createAwsShared(options.clock);
	const access: Aws["access"] = (account, of) =>
		createAccountAccess({
			...options,
			account,
			shared,
			installation: options.installation(),
			revision: of?.revision ?? options.revision(),
			...(of !== undefined && { reconcileId: of.reconcileId, lean: of.lean === true }),
		});
	/** By the environment's own credentials; `pace` is shared by all of one name. */
	const ownCalls = (pace: string, region: Region | null, more: { readonly requestTimeout?: number } = {}): CallAws =>
		createCalls({
			clients: createClients({
				credentials: shared.credentials,
				agents: shared.agents,
				partition: partitionOf(region ?? ""),
				region,
				userAgent: userAgentOf({ ...options, revision: options.revision() }),
				...more,
			}),
			limiter: shared.limiter(pace),
			clock: options.clock,
			random: Math.random,
			account: () => null,
			caller: () => null,
			rolePath: "/",
			...(options.observeCall !== undefined && { observeCall: options.observeCall }),
		}).call;
	const storeCalls = (ref: TableRef): CallAws => ownCalls(storeUrl(ref), ref.region, { requestTimeout: STORE_TIMEOUT_MS });
	return {
		access,
		openStore: async (ref, { make }, signal) => {
			const { openDynamoStore } = await import("./store-dynamodb.ts");
			return openDynamoStore({ call: storeCalls(ref), clock: options.clock, ref, make }, signal);
		},
		checkStore: async (ref, signal) => {
			const { checkTable } = await import("./store-table.ts");
			return checkTable(storeCalls(ref), ref, signal);
		},
		self: async (signal) => {
			const region = await environmentRegion();
			if (region === null) {
				throw new TerminalError("NoRegion", "no region is set", {
					fix: "set AWS_REGION, or region in the profile or in an Account",
				});
			}
			const { accountId } = await access(undeclared(region)).caller(signal);
			return { accountId, region };
		},
		eventQueue: ({ queue, region }) => createEventQueue({ call: ownCalls("queue", region), name: queue, region }),
		announcer: ({ bus, region }) => createAnnouncer({ call: ownCalls("announce", region), bus, region }),
		readSecret: (id, region, signal) => readSecret(ownCalls("secrets", region), id, region, signal),
		doctor: (account) => {
			const of = { ...options, account, revision: options.revision() };
			const { acting } = accountCalls(of, shared, () => undefined);
			return createDoctorAccount({ call: acting.call, account, clock: options.clock, credentials: shared.credentials });
		},
		close: shared.close,
	};
}

/** The account of the environment's credentials, before anything is known of it. */
function undeclared(region: Region): Account {
	return {
		name: "default",
		accountId: null,
		region,
		regions: [region],
		partition: partitionOf(region),
		rolePath: "/",
		permissionsBoundary: null,
		vars: {},
		labels: {},
		deployers: [],
		assumeRole: null,
		origin: null,
	};
}

/** The region that the environment or profile says; null when none does. */
async function environmentRegion(): Promise<Region | null> {
	const sdk = await import("@aws-sdk/client-sts");
	try {
		return await new sdk.STSClient({}).config.region();
	} catch {
		return null;
	}
}
