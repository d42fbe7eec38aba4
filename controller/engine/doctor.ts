import { TerminalError } from "../model/errors.ts";

/** How a part of the installation was found. `skipped`: it was not looked at, and the message says why. */
export interface Answer {
	readonly result: "ok" | "warning" | "failed" | "skipped";
	/** One line. Text of AWS and of others may be in it: escape before it is shown. */
	readonly message: string;
	/** What to do. */
	readonly fix?: string;
}

export type CheckId =
	| "source"
	| "git"
	| "policies"
	| "mode"
	| "clock"
	| "store"
	| "lease"
	| "pause"
	| "credentials"
	| "permissions"
	| "quotas"
	| "triggers"
	| "queue"
	| "dead-letters"
	| "writes"
	| "events";

export interface Check {
	readonly id: CheckId;
	/** The Account that is looked at; null: the installation as a whole. */
	readonly account: string | null;
	/** What must be well first, of the same account or of the whole; else this is skipped. */
	readonly needs: readonly CheckId[];
	readonly run: (signal: AbortSignal) => Promise<Answer>;
}

export interface Checked extends Answer {
	readonly id: CheckId;
	readonly account: string | null;
}

export function ok(message: string): Answer {
	return { result: "ok", message };
}

export function warning(message: string, fix?: string): Answer {
	return { result: "warning", message, ...(fix !== undefined && { fix }) };
}

export function failed(message: string, fix: string): Answer {
	return { result: "failed", message, fix };
}

export function skipped(message: string, fix?: string): Answer {
	return { result: "skipped", message, ...(fix !== undefined && { fix }) };
}

/**
 * Runs all of them, those that need nothing of one another at the same time; answers in the order given. One that throws
 * has failed, with its error; only an abort rejects. A check must not need one that stands after it.
 */
export async function runChecks(
	checks: readonly Check[],
	options: { readonly progress?: (done: number, total: number) => void },
	signal: AbortSignal,
): Promise<readonly Checked[]> {
	const running = new Map<string, Promise<Checked>>();
	let done = 0;
	const all = checks.map((check) => {
		const needs = check.needs.flatMap((id) => running.get(named(id, check.account)) ?? running.get(named(id, null)) ?? []);
		const answer = answerOf(check, needs, signal).then((a): Checked => {
			done += 1;
			options.progress?.(done, checks.length);
			return { id: check.id, account: check.account, ...a };
		});
		running.set(named(check.id, check.account), answer);
		return answer;
	});
	const settled = await Promise.allSettled(all);
	signal.throwIfAborted();
	return settled.flatMap((s) => (s.status === "fulfilled" ? [s.value] : []));
}

async function answerOf(check: Check, needs: readonly Promise<Checked>[], signal: AbortSignal): Promise<Answer> {
	for (const { id, result } of await Promise.all(needs)) {
		if (result === "failed" || result === "skipped") return skipped(`needs ${id}`);
	}
	try {
		return await check.run(signal);
	} catch (error) {
		if (signal.aborted) throw error;
		return failedBy(error);
	}
}

/** What an error says, in one line. */
export function failedBy(error: unknown): Answer {
	const message = (error instanceof Error ? error.message || error.name : String(error)).split("\n").join("; ");
	const fix = error instanceof TerminalError && error.fix !== undefined ? error.fix.split("\n").join("; ") : AGAIN;
	return failed(message, fix);
}

const AGAIN = "run ecs-access doctor again; if it stays so, the message says what stands against it";

function named(id: CheckId, account: string | null): string {
	return `${id} ${account ?? ""}`;
}
