import type { Caller } from "../model/account.ts";
import type { Clock } from "../model/ports.ts";
import { type Agents, type Credentials, createAgents } from "./clients.ts";
import { defaultCredentials, remembered } from "./credentials.ts";
import { createLimiter, type Limiter } from "./limiter.ts";
import { createRotationMemory, type RotationMemory } from "./rotation-memory.ts";

/** What passes have in common: sockets, credentials and each account's pace. One for a process. */
export interface AwsShared {
	readonly agents: Agents;
	readonly credentials: () => Promise<Credentials>;
	readonly limiter: (account: string) => Limiter;
	readonly assumed: (account: string, make: () => () => Promise<Credentials>) => () => Promise<Credentials>;
	readonly refusedSince: Map<string, number>;
	/** Whose an access key is, by its id: that never changes, so it is asked once. */
	readonly identities: Map<string, Caller>;
	/** What rotations of one process have in common. */
	readonly rotations: RotationMemory;
	readonly close: () => void;
}

export function createAwsShared(clock: Clock): AwsShared {
	const agents = createAgents();
	const limiters = new Map<string, Limiter>();
	const assumed = new Map<string, () => Promise<Credentials>>();
	return {
		agents,
		credentials: remembered(defaultCredentials(), clock),
		limiter: (account) => {
			const limiter = limiters.get(account) ?? createLimiter(clock);
			limiters.set(account, limiter);
			return limiter;
		},
		assumed: (account, make) => {
			const known = assumed.get(account) ?? remembered(make(), clock);
			assumed.set(account, known);
			return known;
		},
		refusedSince: new Map(),
		identities: new Map(),
		rotations: createRotationMemory(),
		close: agents.close,
	};
}
