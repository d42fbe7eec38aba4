import {
	CORE_SCHEMA,
	constructFromEvents,
	EVENT_ID,
	type Event,
	getScalarValue,
	mergeTag,
	parseEvents,
	SCALAR_STYLE,
	YAMLException,
} from "js-yaml";
import type { FieldPath } from "../model/resource.ts";

/** 1-based. */
interface Position {
	readonly line: number;
	readonly column: number;
}

interface YamlError extends Position {
	readonly message: string;
	readonly fix?: string;
}

/** `key`: the name of the field; `value`: what stands behind it. The same for an item of a list. */
export type Part = "key" | "value";

export interface YamlFile {
	/** One value a document, in order; empty documents are null. Empty when there is an error. */
	readonly documents: readonly unknown[];
	readonly error: YamlError | null;
}

const SCHEMA = CORE_SCHEMA.withTags(mergeTag);
/** Aliases are for a few repeated lines; a file that grows beyond this by them is an attack or a mistake. */
const MOST_NODES = 50_000;
const CORE_TAG = /^!!(str|int|float|bool|null|map|seq)$|^!$/;

/** Reads YAML 1.2 with merge keys. Duplicate keys, custom tags, YAML 1.1 and alias bombs are errors. */
export function readYaml(text: string): YamlFile {
	const refused = forbidden(text);
	if (refused !== null) return { documents: [], error: refused };
	try {
		const events = parseEvents(text, {});
		const error = unsafe(text, events);
		if (error !== null) return { documents: [], error };
		return { documents: constructFromEvents(events, { source: text, schema: SCHEMA, maxTotalMergeKeys: 10_000 }), error: null };
	} catch (cause) {
		return { documents: [], error: syntaxError(text, cause) };
	}
}

function forbidden(text: string): YamlError | null {
	// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
	const at = text.search(/[\x00-\x08\x0B\x0C\x0E-\x1F\uFFFD]/);
	if (at < 0) return null;
	const code = text.charCodeAt(at).toString(16).toUpperCase().padStart(4, "0");
	return {
		...positionAt(text, at),
		message: `not a text file: character U+${code} is not allowed in YAML`,
		fix: "save it as UTF-8",
	};
}

function syntaxError(text: string, cause: unknown): YamlError {
	if (!(cause instanceof YAMLException)) throw cause;
	const at = cause.mark?.position ?? 0;
	const position = positionAt(text, Math.min(at, text.length));
	const line = text.split("\n", position.line)[position.line - 1] ?? "";
	const indent = /^[ ]*\t/.exec(line);
	if (indent !== null) {
		return { line: position.line, column: indent[0].length, message: "a tab is not allowed as indentation", fix: "use spaces" };
	}
	const duplicate = /duplicated mapping key/.test(cause.reason);
	const message = duplicate
		? `duplicate key "${/^[^:\n]*/.exec(text.slice(at))?.[0].trim() ?? ""}"`
		: `not YAML: ${cause.reason}`;
	const fix = duplicate ? "keep one of them" : fixOf(cause.reason, line);
	return fix === undefined ? { ...position, message } : { ...position, message, fix };
}

function fixOf(reason: string, line: string): string | undefined {
	if (/:\s+[@`]/.test(line)) return "put a value that begins with @ or ` in quotes";
	if (/bad indentation of a mapping entry/.test(reason) && /:\s.*:\s/.test(line)) return 'put a value that holds ": " in quotes';
	if (/:\s+%/.test(line)) return "put a value that begins with % in quotes";
	return undefined;
}

/** What the syntax allows and we do not: tags of others, YAML 1.1, and aliases that grow without bound. */
function unsafe(text: string, events: readonly Event[]): YamlError | null {
	const sizes = new Map<string, number>();
	const open: { readonly anchor: string | null; size: number }[] = [];
	const anchorOf = (e: { readonly anchorStart: number; readonly anchorEnd: number }) =>
		e.anchorStart < 0 ? null : text.slice(e.anchorStart, e.anchorEnd);
	for (const e of events) {
		if (e.type === EVENT_ID.DOCUMENT) {
			sizes.clear();
			open.length = 0;
			open.push({ anchor: null, size: 0 });
			const old = e.directives.find((d) => d.kind === "yaml" && d.version !== "1.2");
			if (old !== undefined) {
				return {
					...positionAt(text, Math.max(0, text.indexOf("%YAML"))),
					message: "only YAML 1.2 is read",
					fix: "delete the %YAML line",
				};
			}
			continue;
		}
		const parent = open.at(-1);
		if (parent === undefined) continue;
		if (e.type === EVENT_ID.POP) {
			open.pop();
			const outer = open.at(-1);
			if (parent.anchor !== null) sizes.set(parent.anchor, parent.size);
			if (outer !== undefined) outer.size += parent.size;
			continue;
		}
		if (e.type === EVENT_ID.ALIAS) {
			const name = anchorOf(e) ?? "";
			if (open.some((o) => o.anchor === name)) {
				return { ...positionAt(text, e.anchorStart - 1), message: `alias *${name} stands within what it names` };
			}
			parent.size += sizes.get(name) ?? 1;
			if (parent.size > MOST_NODES) {
				return {
					...positionAt(text, e.anchorStart - 1),
					message: `aliases grow to more than ${MOST_NODES} values`,
					fix: "write it out",
				};
			}
			continue;
		}
		if (e.tagStart >= 0 && !CORE_TAG.test(text.slice(e.tagStart, e.tagEnd))) {
			return {
				...positionAt(text, e.tagStart),
				message: `custom tag ${text.slice(e.tagStart, e.tagEnd)} is not allowed`,
				fix: "delete the tag",
			};
		}
		const anchor = anchorOf(e);
		if (e.type === EVENT_ID.SCALAR) {
			parent.size++;
			if (anchor !== null) sizes.set(anchor, 1);
		} else {
			open.push({ anchor, size: 1 });
		}
	}
	return null;
}

export interface Located extends Position {
	/** The text as it stands in the file; empty for collections. */
	readonly raw: string;
}

/** Finds where a field stands. Where it is absent: the nearest enclosing node. `text`: its first place within the value. */
export function locate(source: string, document: number, path: FieldPath, part: Part, text?: string): Located {
	return new Locator(source, document).find(path, part, text);
}

/** First and last line of a field with all that is below it. */
export function lineSpan(source: string, document: number, path: FieldPath): { readonly first: number; readonly last: number } {
	return new Locator(source, document).span(path);
}

class Locator {
	readonly #source: string;
	readonly #events: readonly Event[];
	readonly #root: number;
	readonly #anchors = new Map<string, number>();

	constructor(source: string, document: number) {
		this.#source = source;
		const { events, roots } = eventsOf(source);
		this.#events = events;
		this.#root = roots[document] ?? 1;
	}

	find(path: FieldPath, part: Part, text?: string): Located {
		let key = this.#root;
		let value = this.#root;
		for (const step of path) {
			const child = this.#child(this.#resolve(value), step);
			if (child === null) return this.#at(key);
			key = child.key;
			value = child.value;
		}
		if (part === "key") return this.#at(key);
		const start = this.#startOf(value);
		if (start === null) return this.#at(key);
		const e = this.#events[this.#resolve(value)];
		if (text !== undefined && e?.type === EVENT_ID.SCALAR) {
			const within = this.#source.slice(e.valueStart, e.valueEnd).indexOf(text);
			if (within >= 0) return { ...positionAt(this.#source, e.valueStart + within), raw: text };
		}
		return this.#at(value);
	}

	span(path: FieldPath): { readonly first: number; readonly last: number } {
		let at = { key: this.#root, value: this.#root };
		for (const step of path) at = this.#child(this.#resolve(at.value), step) ?? at;
		let end = this.#startOf(at.key) ?? 0;
		for (let i = at.key; i < this.#skip(at.value); i++) {
			const e = this.#events[i];
			if (e?.type === EVENT_ID.SCALAR) end = Math.max(end, e.valueEnd - 1);
			else if (e?.type === EVENT_ID.ALIAS) end = Math.max(end, e.anchorEnd - 1);
		}
		return { first: positionAt(this.#source, this.#startOf(at.key) ?? 0).line, last: positionAt(this.#source, end).line };
	}

	#at(index: number): Located {
		const e = this.#events[index];
		const raw = e?.type === EVENT_ID.SCALAR && e.valueStart >= 0 ? this.#source.slice(e.valueStart, e.valueEnd) : "";
		return { ...positionAt(this.#source, this.#startOf(index) ?? 0), raw };
	}

	/** Null for a value that is not there (`key:` alone). */
	#startOf(index: number): number | null {
		const e = this.#events[index];
		if (e === undefined || e.type === EVENT_ID.DOCUMENT || e.type === EVENT_ID.POP) return null;
		if (e.type === EVENT_ID.ALIAS) return e.anchorStart - 1;
		if (e.type !== EVENT_ID.SCALAR) return e.start;
		if (e.valueStart < 0) return null;
		const quoted = e.style === SCALAR_STYLE.SINGLE_QUOTED || e.style === SCALAR_STYLE.DOUBLE_QUOTED;
		return quoted ? e.valueStart - 1 : e.valueStart;
	}

	#child(parent: number, step: string | number): { readonly key: number; readonly value: number } | null {
		const e = this.#events[parent];
		let i = parent + 1;
		if (e?.type === EVENT_ID.SEQUENCE) {
			for (let n = 0; this.#open(i); n++, i = this.#skip(i)) if (n === step) return { key: i, value: i };
			return null;
		}
		if (e?.type !== EVENT_ID.MAPPING) return null;
		const merged: number[] = [];
		while (this.#open(i)) {
			const value = this.#skip(i);
			const k = this.#events[i];
			const name = k?.type === EVENT_ID.SCALAR ? (k.valueStart < 0 ? "" : getScalarValue(this.#source, k)) : null;
			if (name === String(step)) return { key: i, value };
			if (name === "<<") merged.push(value);
			i = this.#skip(value);
		}
		for (const m of merged) {
			const found = this.#childOfMerge(this.#resolve(m), step);
			if (found !== null) return found;
		}
		return null;
	}

	#childOfMerge(index: number, step: string | number): { readonly key: number; readonly value: number } | null {
		if (this.#events[index]?.type !== EVENT_ID.SEQUENCE) return this.#child(index, step);
		for (let i = index + 1; this.#open(i); i = this.#skip(i)) {
			const found = this.#child(this.#resolve(i), step);
			if (found !== null) return found;
		}
		return null;
	}

	#open(index: number): boolean {
		const e = this.#events[index];
		return e !== undefined && e.type !== EVENT_ID.POP;
	}

	#skip(index: number): number {
		let depth = 0;
		let i = index;
		do {
			const type = this.#events[i]?.type;
			if (type === EVENT_ID.MAPPING || type === EVENT_ID.SEQUENCE) depth++;
			else if (type === EVENT_ID.POP) depth--;
			i++;
		} while (depth > 0 && i < this.#events.length);
		return i;
	}

	#resolve(index: number): number {
		const e = this.#events[index];
		if (e?.type !== EVENT_ID.ALIAS) return index;
		if (this.#anchors.size === 0) {
			for (let i = this.#root; i < this.#events.length; i++) {
				const a = this.#events[i];
				if (a === undefined || a.type === EVENT_ID.DOCUMENT) break;
				if (a.type === EVENT_ID.POP || a.type === EVENT_ID.ALIAS || a.anchorStart < 0) continue;
				this.#anchors.set(this.#source.slice(a.anchorStart, a.anchorEnd), i);
			}
		}
		return this.#anchors.get(this.#source.slice(e.anchorStart, e.anchorEnd)) ?? index;
	}
}

/** Positions are asked for in bursts, of one file: the events and lines of the last one are kept, not those of ten thousand. */
let last: { readonly source: string; readonly events: readonly Event[]; readonly roots: readonly number[] } | null = null;
function eventsOf(source: string): { readonly events: readonly Event[]; readonly roots: readonly number[] } {
	if (last?.source !== source) {
		const events = parseEvents(source, {});
		last = { source, events, roots: events.flatMap((e, i) => (e.type === EVENT_ID.DOCUMENT ? [i + 1] : [])) };
	}
	return last;
}

let lines: { readonly text: string; readonly starts: readonly number[] } | null = null;
function positionAt(text: string, offset: number): Position {
	if (lines?.text !== text) {
		const starts = [0];
		for (let i = text.indexOf("\n"); i >= 0; i = text.indexOf("\n", i + 1)) starts.push(i + 1);
		lines = { text, starts };
	}
	let low = 0;
	let high = lines.starts.length - 1;
	while (low < high) {
		const middle = (low + high + 1) >> 1;
		if ((lines.starts[middle] ?? 0) <= offset) low = middle;
		else high = middle - 1;
	}
	return { line: low + 1, column: offset - (lines.starts[low] ?? 0) + 1 };
}
