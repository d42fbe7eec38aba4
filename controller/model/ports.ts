import type { Account, Caller } from "./account.ts";
import type { Announcement } from "./announcement.ts";
import type { Instant, ResourceKey } from "./ids.ts";
import type { Step } from "./plan.ts";
import type { Fact, Reference } from "./reference.ts";
import type { Artifact } from "./resource.ts";
import type { HistoryEntry, Status } from "./status.ts";
import type { Observed, Target, TargetType } from "./target.ts";

export interface Clock {
	readonly now: () => Instant;
	/** Milliseconds since the epoch. */
	readonly millis: () => number;
	/** Rejects with the signal's reason. */
	readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
}

/**
 * Observe and apply for one target type. The contract, held by test/conformance: observe never writes; apply compares
 * the precondition with a fresh read (under 5 s old) and throws ConflictError when it does not match; applying what is
 * already so succeeds; an object without our mark is never touched (but for steps whose `why` is `adopted`).
 */
export interface Provider<T extends TargetType = TargetType> {
	readonly type: T;
	/** Many targets at once; answers in the same order. Sweeps or reads singly as costs tell, one projection for both. */
	readonly observe: (targets: readonly Target<T>[], signal: AbortSignal) => Promise<readonly Observed<T>[]>;
	readonly apply: (step: Step, signal: AbortSignal) => Promise<Outcome>;
	/** Everything that bears a mark of this installation. */
	readonly listOwned: (installation: string, signal: AbortSignal) => AsyncIterable<Observed<T>>;
}

/** `applied`: written now. `already`: it was so. An unknown outcome is an error, never an Outcome. */
export interface Outcome {
	readonly result: "applied" | "already";
	readonly requestId: string | null;
}

export interface InUse {
	/** `service prod/a`, `running task …`, `Scheduler schedule …`; empty only when everything was looked at. */
	readonly by: readonly string[];
	readonly unread: readonly string[];
}

/** Everything about one account, behind one credential. Made afresh for each pass: reads are remembered within it. */
export interface AccountAccess {
	readonly account: Account;
	/** Throws when there are no credentials, when they are expired, or when the id is not the declared one. */
	readonly caller: (signal: AbortSignal) => Promise<Caller>;
	readonly provider: <T extends TargetType>(type: T) => Provider<T>;
	readonly resolve: (refs: readonly Reference[], signal: AbortSignal) => Promise<readonly Fact[]>;
	/** Who or what still names a role; always read afresh (KINDS.md, Deletion). */
	readonly inUse: (roleName: string, signal: AbortSignal) => Promise<InUse>;
	/** From here on nothing read before counts for a write: roles are read again, and who we are is asked again. */
	readonly readAgain: () => void;
	/** Every service of the account's regions (or of the named clusters and services), and the families that schedules start. */
	readonly discover: (
		filter: { readonly clusters: readonly string[]; readonly services: readonly string[] },
		signal: AbortSignal,
	) => Promise<readonly DiscoveredWorkload[]>;
	readonly counts: () => { readonly calls: number; readonly roles: number; readonly services: number };
}

/** One workload that runs today, for `import`. */
export interface DiscoveredWorkload {
	readonly kind: "service" | "family";
	readonly region: string;
	/** Null for a family that no schedule ties to a cluster. */
	readonly cluster: string | null;
	readonly name: string;
	readonly taskRole: string | null;
	readonly executionRole: string | null;
	/** `valueFrom` by `container/NAME`. */
	readonly secrets: Readonly<Record<string, string>>;
	/** Why it could not be read; its other fields are then empty. */
	readonly unread: string | null;
}

/** What one transaction of DynamoDB holds: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html */
export const MOST_ENTRIES = 100;

/** Puts `after` in the place of `before`; undefined: there is none. */
export interface StatusChange {
	readonly key: ResourceKey;
	/** As it was read. */
	readonly before: Status | undefined;
	readonly after: Status | undefined;
}

/**
 * What is remembered between runs (ARCHITECTURE.md, The one idea). Every answer is what stands there now, whoever wrote
 * it; every write is safe when its promise resolves. Rejects with a TerminalError where a person must act; any other
 * error is transient, and the write may or may not have been done.
 */
export interface Store {
	readonly getStatus: (key: ResourceKey) => Promise<Status | undefined>;
	/** Those of these keys that there are. */
	readonly getStatuses: (keys: readonly ResourceKey[]) => Promise<ReadonlyMap<ResourceKey, Status>>;
	/** In the order of keys. */
	readonly listStatus: () => Promise<readonly Status[]>;
	/**
	 * Compare-and-set, each change by itself. Answers the keys that somebody else changed since they were read: these were
	 * not written. What already is as wanted is no conflict. A key may occur once.
	 */
	readonly putStatus: (changes: readonly StatusChange[]) => Promise<readonly ResourceKey[]>;
	/** Appends all or none; at most MOST_ENTRIES. */
	readonly append: (entries: readonly HistoryEntry[]) => Promise<void>;
	/** Newest first, in the order of appending. `Kind/name` takes in its instances `Kind/name@account`; `since` is included. */
	readonly history: (filter: {
		readonly key?: ResourceKey;
		readonly since?: Instant;
		readonly limit: number;
	}) => Promise<readonly HistoryEntry[]>;
	readonly getControl: (name: string) => Promise<{ readonly value: unknown; readonly version: number } | undefined>;
	/** Compare-and-set; `expected` 0: must not exist. False when somebody else was first. */
	readonly putControl: (name: string, value: unknown, expected: number) => Promise<boolean>;
	/**
	 * No status and no history: nothing was ever recorded, or it was lost. A shared store that is empty while roles bear our
	 * marks means paused (ARCHITECTURE.md, Applying safely).
	 */
	readonly empty: () => Promise<boolean>;
	readonly close: () => Promise<void>;
	/** True when this process made the store: nothing was remembered before. */
	readonly fresh: boolean;
}

/** What became of one announcement. `refused`: it would be so again. */
export type Announced = { readonly result: "sent" } | { readonly result: "retry" | "refused"; readonly why: string };

/** Where what was done and seen is told of, for whoever listens. */
export interface Announcer {
	/** One answer each, in the same order. Rejects where none was taken. */
	readonly announce: (announcements: readonly Announcement[], signal: AbortSignal) => Promise<readonly Announced[]>;
}

export interface Source {
	readonly fetch: (signal: AbortSignal) => Promise<Artifact>;
}

/** One message of the event queue, as it came. */
export interface QueueMessage {
	readonly id: string;
	readonly body: string;
	/** What it is removed by; good until it becomes visible again. */
	readonly receipt: string;
}

/**
 * Where EventBridge puts what happened. At least once, in any order; what is not removed comes again, and in the end goes
 * to the dead-letter queue.
 */
export interface EventQueue {
	/** As it is shown. */
	readonly name: string;
	/** Up to ten, waiting up to `waitSeconds` (at most 20) for the first; none where nothing came. */
	readonly receive: (waitSeconds: number, signal: AbortSignal) => Promise<readonly QueueMessage[]>;
	/** What was not removed for a reason of the queue's own comes again. */
	readonly remove: (messages: readonly QueueMessage[], signal: AbortSignal) => Promise<void>;
}
