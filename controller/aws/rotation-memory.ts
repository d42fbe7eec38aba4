import type { Arn } from "../model/ids.ts";
import type { ConsumerTask, SecretUse } from "../model/rotation.ts";

/** What the rotations of one process have in common. Nothing of it is lost with it: all can be read again. */
export interface RotationMemory {
	/** Who takes secrets, by account and region. */
	readonly sweeps: Map<string, { readonly at: number; readonly users: Promise<SecretUsers> }>;
	/** By service: its tasks, and what the service was like when they were listed. */
	readonly tasks: Map<Arn, { readonly at: number; readonly signature: string; readonly tasks: readonly ConsumerTask[] }>;
	/** Secrets whose new value is on its way, and not current yet. */
	readonly moving: Set<Arn>;
	/** When the next task may be started, by account and region: restart.ts. */
	readonly launches: Map<string, number>;
}

/** Everything of a region that takes a secret when it starts. */
export interface SecretUsers {
	readonly services: readonly { readonly name: string; readonly refs: readonly Taken[] }[];
	readonly families: readonly { readonly cluster: string | null; readonly family: string; readonly refs: readonly Taken[] }[];
	/** What could not be looked at. */
	readonly unread: readonly string[];
}

/** A reference to a secret, and where it stands. */
export interface Taken extends Pick<SecretUse, "place" | "via"> {
	readonly ref: string;
}

export function createRotationMemory(): RotationMemory {
	return { sweeps: new Map(), tasks: new Map(), moving: new Set(), launches: new Map() };
}
