/** A text or value that is no IAM policy document. One line; says where. */
export class InvalidDocumentError extends Error {
	constructor(message: string, options?: { cause?: unknown }) {
		super(message, options);
		this.name = "InvalidDocumentError";
	}
}

/**
 * JSON without the two ways in which JSON.parse loses meaning: of a key given twice it silently keeps the last (IAM forbids
 * it, aws-facts §1.3), and of a number with more digits than a double holds it changes the value; such a number comes back
 * as the string that was written, which IAM reads the same.
 */
export function parseJson(text: string): unknown {
	let value: unknown;
	try {
		value = JSON.parse(text, /[0-9]{16}|[0-9][eE]/.test(text) ? keepDigits : undefined);
	} catch (error) {
		const why = error instanceof Error ? error.message.replace(/\s+/g, " ") : "";
		throw new InvalidDocumentError(`not JSON: ${why.charAt(0).toLowerCase()}${why.slice(1)}`, { cause: error });
	}
	const twice = duplicateKey(text);
	if (twice !== null)
		throw new InvalidDocumentError(`the key ${JSON.stringify(twice.key)} stands twice in one object, ${twice.at}`);
	return value;
}

function keepDigits(_key: string, value: unknown, context?: { readonly source?: string }): unknown {
	const source = context?.source;
	return typeof value === "number" && source !== undefined && String(value) !== source ? source : value;
}

const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\],]/g;

/** Of a text that is JSON. */
function duplicateKey(text: string): { readonly key: string; readonly at: string } | null {
	// One entry an open bracket: the keys seen, or null for a list.
	const open: (Set<string> | null)[] = [];
	let keyNext = false;
	for (const { 0: token, index } of text.matchAll(TOKEN)) {
		switch (token) {
			case "{":
				open.push(new Set());
				keyNext = true;
				break;
			case "[":
				open.push(null);
				keyNext = false;
				break;
			case "}":
			case "]":
				open.pop();
				keyNext = false;
				break;
			case ",":
				keyNext = open.at(-1) instanceof Set;
				break;
			default: {
				const keys = open.at(-1);
				if (!keyNext || !(keys instanceof Set)) break;
				const key = token.includes("\\") ? String(JSON.parse(token)) : token.slice(1, -1);
				if (keys.has(key)) return { key, at: position(text, index) };
				keys.add(key);
				keyNext = false;
			}
		}
	}
	return null;
}

/** 1-based. */
export function position(text: string, index: number): string {
	const before = text.slice(0, index);
	return `line ${before.split("\n").length}, column ${index - before.lastIndexOf("\n")}`;
}
