/**
 * Three classes decide what happens next; anything else is transient and backs off. Messages: lower case, no full stop,
 * the object, the wrong value, what to do.
 */

/** A commit or a person must act. */
export class TerminalError extends Error {
	/** CamelCase, for the Stalled condition. */
	readonly reason: string;
	/** What to do, one line. */
	readonly fix: string | undefined;
	constructor(reason: string, message: string, options?: { cause?: unknown; fix?: string }) {
		super(message, options);
		this.name = "TerminalError";
		this.reason = reason;
		this.fix = options?.fix;
	}
}

/** Something else must happen first. */
export class WaitingError extends Error {
	readonly reason: string;
	readonly afterSeconds: number;
	constructor(reason: string, message: string, afterSeconds: number, options?: { cause?: unknown }) {
		super(message, options);
		this.name = "WaitingError";
		this.reason = reason;
		this.afterSeconds = afterSeconds;
	}
}

/** The world moved between plan and write: plan again. */
export class ConflictError extends Error {
	constructor(message: string, options?: { cause?: unknown }) {
		super(message, options);
		this.name = "ConflictError";
	}
}

/** What was thrown, as an error: anything may be thrown. */
export function asError(thrown: unknown): Error {
	return thrown instanceof Error ? thrown : new Error(String(thrown));
}
