import { glob, type Match } from "./faults.ts";
import { type Call, isWrite } from "./wire.ts";

/** Stops one matching call until it is released, so that a test can kill the caller at exactly that point. */
export interface HoldSpec extends Match {
	/** `before` it is carried out, or `after`, when only the answer is missing. Default `before`. */
	readonly when?: "before" | "after";
}

export interface Held {
	readonly operation: string;
}

interface Hold {
	readonly id: string;
	readonly account: string;
	readonly spec: HoldSpec;
	readonly pattern: RegExp;
	readonly reached: PromiseWithResolvers<Held>;
	/** true: go on; false: cut the connection. */
	readonly verdict: PromiseWithResolvers<boolean>;
	seen: number;
	taken: boolean;
}

export interface Holds {
	add(account: string, spec: HoldSpec): string;
	/** Resolves once a call has come to the hold. */
	reached(id: string): Promise<Held>;
	settle(id: string, goOn: boolean): void;
	/** Lets go of whatever waits. */
	clear(account: string): void;
	/** The hold that this call must wait at, if any; at most one call waits at a hold. */
	next(call: Call): { readonly when: "before" | "after"; wait(): Promise<boolean> } | undefined;
}

export function createHolds(): Holds {
	const holds = new Map<string, Hold>();
	let last = 0;
	const find = (id: string): Hold => {
		const hold = holds.get(id);
		if (hold === undefined) throw new Error(`no such hold: ${id}`);
		return hold;
	};
	return {
		add(account, spec) {
			const id = String(++last);
			const hold = { id, account, spec, pattern: glob(spec.operation ?? "*"), seen: 0, taken: false };
			holds.set(id, { ...hold, reached: Promise.withResolvers(), verdict: Promise.withResolvers() });
			return id;
		},
		reached: (id) => find(id).reached.promise,
		settle(id, goOn) {
			const hold = find(id);
			hold.verdict.resolve(goOn);
			holds.delete(id);
		},
		clear(account) {
			for (const hold of holds.values()) {
				if (hold.account !== account) continue;
				hold.verdict.resolve(true);
				holds.delete(hold.id);
			}
		},
		next(call) {
			for (const hold of holds.values()) {
				if (hold.taken || hold.account !== call.account || !hold.pattern.test(call.operation)) continue;
				if (hold.spec.writes === true && !isWrite(call.operation)) continue;
				if (hold.seen++ < (hold.spec.after ?? 0)) continue;
				hold.taken = true;
				return {
					when: hold.spec.when ?? "before",
					wait: () => {
						hold.reached.resolve({ operation: call.operation });
						return hold.verdict.promise;
					},
				};
			}
			return undefined;
		},
	};
}
