import type { AccountId, Arn, Region } from "./ids.ts";
import type { PermittedAction } from "./permissions.ts";

/** What is asked of one account to see whether all is well; but for the canary, nothing of it writes. */
export interface DoctorAccount {
	/** What the clock of AWS says, in milliseconds; null where no answer came at all. Needs no permission. */
	readonly serverTime: (signal: AbortSignal) => Promise<number | null>;
	/** Each read that can be tried without knowing more than the account; the others are left out. */
	readonly tryReads: (signal: AbortSignal) => Promise<readonly TriedCall[]>;
	readonly quotas: (signal: AbortSignal) => Promise<Quotas>;
	/** Null: there is no such queue. */
	readonly queue: (name: string, signal: AbortSignal) => Promise<QueueDepth | null>;
	readonly canary: CanaryRole;
	readonly listener: CanaryListener;
}

/** What became of one call. `unclear`: neither an answer nor a refusal. */
export interface TriedCall {
	readonly action: PermittedAction;
	readonly outcome: "allowed" | "denied" | "unclear";
	/** What AWS said, of what is not allowed. */
	readonly said: string | null;
}

/** Of GetAccountSummary; undefined where AWS does not say. */
export interface Quotas {
	readonly roles: number | undefined;
	readonly rolesQuota: number | undefined;
	readonly inlineSize: number | undefined;
	readonly trustSize: number | undefined;
	readonly attachments: number | undefined;
}

export interface QueueDepth {
	/** About so many wait, those that somebody just looks at among them. */
	readonly messages: number;
	/** The key it is encrypted with, where that is not SQS's own. */
	readonly kmsKey: string | null;
}

/** A role that nobody can assume and that may do nothing, for seeing whether writes work and events come. */
export interface CanaryRole {
	/** Made where it is missing. Throws TerminalError `CanaryTaken` where the name is somebody else's. */
	readonly make: (name: string, signal: AbortSignal) => Promise<Arn>;
	/** Changes a tag: what the event is awaited of. */
	readonly tag: (name: string, nonce: string, signal: AbortSignal) => Promise<void>;
	/** Every other write that leaves it as it was; each that is refused, with what AWS said. */
	readonly tryWrites: (name: string, signal: AbortSignal) => Promise<readonly TriedCall[]>;
	readonly remove: (name: string, signal: AbortSignal) => Promise<void>;
}

/** A queue and a rule on the default bus that hear of tag changes of the canary alone. */
export interface CanaryListener {
	readonly open: (at: ListenAt, signal: AbortSignal) => Promise<void>;
	/** Bodies of what came, waiting up to `waitSeconds` for the first. They stay in the queue, which goes with them. */
	readonly hear: (at: ListenAt, waitSeconds: number, signal: AbortSignal) => Promise<readonly string[]>;
	readonly close: (at: ListenAt, signal: AbortSignal) => Promise<void>;
}

export interface ListenAt {
	/** Of queue and rule. */
	readonly name: string;
	readonly account: AccountId;
	readonly region: Region;
	readonly partition: string;
	/** The canary's. */
	readonly role: string;
}

/** The source mark of what doctor makes; there is no installation's mark, so that no plan ever takes it for its own. */
export const DOCTOR_SOURCE = "ecs-access doctor";
