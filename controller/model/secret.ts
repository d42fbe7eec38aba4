/** Node's hook for console.log and util.inspect, by its registered symbol: this floor imports nothing of Node. */
const INSPECT = Symbol.for("nodejs.util.inspect.custom");

/**
 * A value that must never be printed: every way of turning it into text gives `[secret]`. Values found in a task
 * definition's `environment` are of this type from the moment they are read.
 */
export class Secret {
	readonly #value: string;
	constructor(value: string) {
		this.#value = value;
	}
	/** Looks at the value without letting it out: the answer must not contain it. */
	test(predicate: (value: string) => boolean): boolean {
		return predicate(this.#value);
	}
	/** Hands the value to the one place that must send it on; nothing of it may end in what is shown, logged or stored. */
	use<R>(work: (value: string) => R): R {
		return work(this.#value);
	}
	toString(): string {
		return "[secret]";
	}
	toJSON(): string {
		return "[secret]";
	}
	[INSPECT](): string {
		return "[secret]";
	}
}
