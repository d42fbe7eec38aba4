import { canonicalText } from "../policy/canonical.ts";
import { compareDocuments, type Verdict } from "../policy/compare.ts";
import { InvalidDocumentError, parseJson } from "../policy/json.ts";
import { parsePolicyDocument, toPolicyDocument } from "../policy/parse.ts";

/** `ecs-access policy compare`: the verdict on two IAM documents, or on a stream of pairs. */
export type Comparison = { readonly verdict: Verdict } | { readonly error: string };

/** Two documents as JSON text. An invalid one is an answer, never a throw; it says which of the two it is. */
export function comparePolicies(oldText: string, newText: string): Comparison {
	return compareValues(
		() => [parseJson(oldText), parsePolicyDocument(oldText)],
		() => [parseJson(newText), parsePolicyDocument(newText)],
	);
}

/**
 * `{"old": …, "new": …}` a line in, one Comparison a line out, in order; the documents are objects or JSON in a string.
 * `input` is stdin or any stream of text; `write` may return a promise, which is waited for (back pressure).
 */
export async function runBatch(
	input: AsyncIterable<string | Uint8Array>,
	write: (line: string) => void | Promise<void>,
	signal?: AbortSignal,
): Promise<void> {
	for await (const line of lines(input)) {
		signal?.throwIfAborted();
		if (line.trim() === "") continue;
		await write(`${JSON.stringify(compareLine(line))}\n`);
	}
}

function compareLine(line: string): Comparison {
	let pair: unknown;
	try {
		pair = parseJson(line);
	} catch (error) {
		return failure(error, "the line");
	}
	if (pair === null || typeof pair !== "object" || Array.isArray(pair))
		return { error: 'the line: expected {"old": …, "new": …}' };
	for (const side of ["old", "new"] as const) if (!Object.hasOwn(pair, side)) return { error: `the line: "${side}" is missing` };
	const { old, new: next } = pair as { readonly old: unknown; readonly new: unknown };
	return compareValues(
		() => document(old),
		() => document(next),
	);
}

type Read = () => readonly [value: unknown, document: ReturnType<typeof toPolicyDocument>];

function document(value: unknown): ReturnType<Read> {
	return typeof value === "string" ? [parseJson(value), parsePolicyDocument(value)] : [value, toPolicyDocument(value)];
}

function compareValues(old: Read, next: Read): Comparison {
	let a: ReturnType<Read>;
	let b: ReturnType<Read>;
	try {
		a = old();
	} catch (error) {
		return failure(error, "old");
	}
	try {
		b = next();
	} catch (error) {
		return failure(error, "new");
	}
	const verdict = compareDocuments(a[1], b[1]);
	// A document in hand has its statements in a list always: whether it was written so is seen in the value only.
	const identical = verdict === "identical" && canonicalText(a[0]) === canonicalText(b[0]);
	return { verdict: verdict === "identical" && !identical ? "equivalent" : verdict };
}

function failure(error: unknown, which: string): Comparison {
	if (!(error instanceof InvalidDocumentError)) throw error;
	return { error: `${which}: ${error.message}` };
}

async function* lines(input: AsyncIterable<string | Uint8Array>): AsyncGenerator<string> {
	const decoder = new TextDecoder();
	let rest = "";
	for await (const chunk of input) {
		rest += typeof chunk === "string" ? chunk : decoder.decode(chunk, { stream: true });
		const parts = rest.split("\n");
		rest = parts.pop() ?? "";
		yield* parts;
	}
	rest += decoder.decode();
	if (rest !== "") yield rest;
}
