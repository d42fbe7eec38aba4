/**
 * Patterns of IAM: `*` any characters, `?` one character. Of the `${…}` in a document of 2012: `${*}`, `${?}` and `${$}` are
 * that character itself; what holds a colon is a policy variable, some string unknown here but everywhere the same; any
 * other (`${account.id}`) is a value of this program's Account that is not known offline, and may be any string.
 */

type Token =
	| { readonly is: "char"; readonly char: string }
	| { readonly is: "one" }
	| { readonly is: "any" }
	| { readonly is: "unknown"; readonly name: string; readonly variable: boolean };

export interface Glob {
	/** As written. */
	readonly text: string;
	readonly tokens: readonly Token[];
	/** Neither `*`, `?` nor anything unknown: the only string it matches, else null. */
	readonly literal: string | null;
}

const plain = new Map<string, Glob>();
const withVariables = new Map<string, Glob>();

/** `variables` false: a document of 2008, or an action, where `${` is plain text. */
export function glob(text: string, variables: boolean): Glob {
	const of = variables && text.includes("${") ? withVariables : plain;
	const known = of.get(text);
	if (known !== undefined) return known;
	const made = compile(text, variables);
	// Bounded, because a controller runs for months; a plan of 10,000 roles meets fewer.
	if (of.size > 50_000) of.clear();
	of.set(text, made);
	return made;
}

const ANY: Token = { is: "any" };
const ONE: Token = { is: "one" };
const chars = new Map<string, Token>();

/** One for each character there is: the ARNs of ten thousand policies are a million of them. */
function charToken(char: string): Token {
	const known = chars.get(char) ?? { is: "char", char };
	if (!chars.has(char)) chars.set(char, known);
	return known;
}

function compile(text: string, variables: boolean): Glob {
	const tokens: Token[] = [];
	let literal: string | null = "";
	for (let i = 0; i < text.length; i++) {
		const end = variables && text.startsWith("${", i) ? text.indexOf("}", i) : -1;
		const inner = end < 0 ? null : text.slice(i + 2, end);
		let token: Token;
		if (inner === "*" || inner === "?" || inner === "$") token = charToken(inner);
		else if (inner !== null) token = { is: "unknown", name: inner, variable: inner.includes(":") };
		else if (text[i] === "*") token = ANY;
		else if (text[i] === "?") token = ONE;
		else token = charToken(text.charAt(i));
		if (inner !== null) i = end;
		// `**` is `*`, and `*?` is `?*`: runs of wildcards get one spelling.
		if (token.is === "any" && tokens.at(-1)?.is === "any") continue;
		if (token.is === "one" && tokens.at(-1)?.is === "any") tokens.splice(-1, 0, token);
		else tokens.push(token);
		literal = token.is === "char" && literal !== null ? literal + token.char : null;
	}
	return { text, tokens, literal };
}

/**
 * Whether the string is matched, given the values of policy variables; null: a variable has no value here. What is not
 * known offline matches anything.
 */
export function matches(
	g: Glob,
	value: string,
	variable: (name: string) => string | undefined = () => undefined,
): boolean | null {
	if (g.literal !== null) return g.literal === value;
	let tokens = g.tokens;
	if (tokens.some((t) => t.is === "unknown")) {
		const filled: Token[] = [];
		for (const t of tokens) {
			if (t.is !== "unknown") filled.push(t);
			else if (!t.variable) filled.push(ANY);
			else {
				const v = variable(t.name);
				if (v === undefined) return null;
				for (const char of v) filled.push(charToken(char));
			}
		}
		tokens = filled;
	}
	return wildcard(tokens, value);
}

function wildcard(tokens: readonly Token[], value: string): boolean {
	let t = 0;
	let v = 0;
	let star = -1;
	let resume = 0;
	while (v < value.length) {
		const token = tokens[t];
		if (token?.is === "any") {
			star = t++;
			resume = v;
		} else if (token !== undefined && (token.is === "one" || (token.is === "char" && token.char === value[v]))) {
			t++;
			v++;
		} else if (star >= 0) {
			t = star + 1;
			v = ++resume;
		} else return false;
	}
	while (tokens[t]?.is === "any") t++;
	return t === tokens.length;
}

/**
 * Whether every string of `inner` is one of `outer`: exact for patterns without anything unknown. A policy variable is
 * contained in `*` and in itself. `lenient`: what is not known offline counts as contained, on either side.
 */
export function contains(outer: Glob, inner: Glob, lenient = false): boolean {
	// By identity, not by text: `${aws:username}` is plain text in a document of 2008.
	if (outer === inner || (outer.tokens.length === 1 && outer.tokens[0]?.is === "any")) return true;
	if (inner.literal !== null && outer.literal !== null) return inner.literal === outer.literal;
	if (inner.literal !== null && !outer.tokens.some((t) => t.is === "unknown")) return wildcard(outer.tokens, inner.literal);
	return new Containment(outer.tokens, inner.tokens, lenient).holds();
}

/** Stands for a character that neither pattern names: what holds for it holds for every other in its place. */
const FRESH: Token = { is: "char", char: "" };
/** Beyond this many steps the answer is "not contained", which is the safe one. No pattern met in practice needs 1,000. */
const MOST_STEPS = 20_000;

/** Runs `outer` as an automaton over every shape of string that `inner` can take. */
class Containment {
	readonly #outer: readonly Token[];
	readonly #inner: readonly Token[];
	readonly #lenient: boolean;
	readonly #seen = new Set<string>();
	#steps = 0;

	constructor(outer: readonly Token[], inner: readonly Token[], lenient: boolean) {
		this.#outer = outer;
		this.#inner = inner;
		this.#lenient = lenient;
	}

	holds(): boolean {
		return this.#walk(0, this.#closure([0]));
	}

	#walk(from: number, start: readonly number[]): boolean {
		let states = start;
		for (let i = from; i < this.#inner.length; i++) {
			if (states.length === 0) return false;
			const token = this.#inner[i];
			if (token?.is !== "any") {
				states = this.#step(states, token?.is === "one" ? FRESH : (token ?? FRESH));
				continue;
			}
			// Any number of fresh characters; the sets of states repeat after at most as many as `outer` is long.
			const shapes = new Set<string>();
			for (;;) {
				const key = `${i}:${states.join()}`;
				if (shapes.has(key)) return true;
				shapes.add(key);
				if (++this.#steps > MOST_STEPS) return false;
				if (!this.#seen.has(key)) {
					this.#seen.add(key);
					if (!this.#walk(i + 1, states)) return false;
				}
				states = this.#step(states, FRESH);
			}
		}
		return states.includes(this.#outer.length);
	}

	#step(states: readonly number[], input: Token): readonly number[] {
		const next: number[] = [];
		for (const s of states) {
			const token = this.#outer[s];
			if (token === undefined) continue;
			if (input.is === "unknown") {
				if (token.is === "any") next.push(s);
				else if (token.is === "unknown" && token.name === input.name) next.push(s + 1);
			} else if (token.is === "any" || (this.#open(token) && !isColon(input))) next.push(s);
			else if (token.is === "one" || (token.is === "char" && input.is === "char" && token.char === input.char)) next.push(s + 1);
		}
		// Leniently, a value that is not known may spell out any part of `outer` between two colons.
		if (this.#lenient && input.is === "unknown" && !input.variable) {
			for (const s of states) {
				next.push(s);
				for (let at = s; at < this.#outer.length && !isColon(this.#outer[at]); ) next.push(++at);
			}
		}
		return this.#closure(next);
	}

	/** Leniently, an unknown value in `outer` matches like `*`, but for a colon. */
	#open(token: Token): boolean {
		return this.#lenient && token.is === "unknown" && !token.variable;
	}

	#closure(states: readonly number[]): readonly number[] {
		const all = new Set<number>();
		for (let s of states) {
			all.add(s);
			for (let token = this.#outer[s]; token !== undefined && (token.is === "any" || this.#open(token)); token = this.#outer[s])
				all.add(++s);
		}
		return [...all].sort((a, b) => a - b);
	}
}

function isColon(t: Token | undefined): boolean {
	return t?.is === "char" && t.char === ":";
}

/** Whether some string is matched by both: exact for patterns without anything unknown, else "perhaps" is yes. */
export function intersects(a: Glob, b: Glob): boolean {
	if (a.literal !== null && b.literal !== null) return a.literal === b.literal;
	return sameStart(a, b) && meeting(a, b)[0] === 1;
}

/** Cheap, and enough for nearly all pairs: the characters before the first wildcard must agree. */
function sameStart(a: Glob, b: Glob): boolean {
	for (let i = 0; ; i++) {
		const s = a.tokens[i];
		const t = b.tokens[i];
		if (s?.is !== "char" || t?.is !== "char") return true;
		if (s.char !== t.char) return false;
	}
}

/** One entry a pair of positions: 1 where what remains of both has a string in common. */
function meeting(a: Glob, b: Glob): Uint8Array {
	const width = b.tokens.length + 1;
	const table = new Uint8Array((a.tokens.length + 1) * width);
	for (let i = a.tokens.length; i >= 0; i--) {
		for (let j = b.tokens.length; j >= 0; j--) {
			const s = a.tokens[i];
			const t = b.tokens[j];
			const at = i * width + j;
			let met = s === undefined && t === undefined;
			// Skip the open one, or let it take what the other says.
			if (isOpen(s)) met ||= table[at + width] === 1 || (t !== undefined && table[at + 1] === 1);
			if (isOpen(t)) met ||= table[at + 1] === 1 || (s !== undefined && table[at + width] === 1);
			if (!met && s !== undefined && t !== undefined && agree(s, t)) met = table[at + width + 1] === 1;
			table[at] = met ? 1 : 0;
		}
	}
	return table;
}

/** What stands for `*` and for an unknown value in an example: it is given the value's name, or null for `*`. */
export type Filler = (name: string | null) => string;

/** A string that both match, or null when there is none. Where both leave it open, `fill` says what stands there. */
export function meet(a: Glob, b: Glob, fill: Filler = () => "x"): string | null {
	if (!sameStart(a, b)) return null;
	const table = meeting(a, b);
	if (table[0] !== 1) return null;
	const width = b.tokens.length + 1;
	const can = (i: number, j: number) => i <= a.tokens.length && j < width && table[i * width + j] === 1;
	let text = "";
	let i = 0;
	let j = 0;
	for (;;) {
		const s = a.tokens[i];
		const t = b.tokens[j];
		if (s === undefined && t === undefined) return text;
		if (isOpen(s) && isOpen(t)) {
			// Whichever stays takes the filling as well.
			text += fill(s?.is === "unknown" ? s.name : t?.is === "unknown" ? t.name : null);
			if (can(i + 1, j + 1)) {
				i++;
				j++;
			} else if (can(i + 1, j)) i++;
			else j++;
		} else if (isOpen(s) && can(i + 1, j)) i++;
		else if (isOpen(t) && can(i, j + 1)) j++;
		else if (isOpen(s)) {
			text += character(t);
			j++;
		} else if (isOpen(t)) {
			text += character(s);
			i++;
		} else {
			text += character(s?.is === "char" ? s : t);
			i++;
			j++;
		}
	}
}

function isOpen(t: Token | undefined): boolean {
	return t?.is === "any" || t?.is === "unknown";
}

function agree(s: Token, t: Token): boolean {
	if (s.is === "char" && t.is === "char") return s.char === t.char;
	return !isOpen(s) && !isOpen(t);
}

function character(t: Token | undefined): string {
	return t?.is === "char" ? t.char : "x";
}

/** A string that the pattern matches. */
export function instance(g: Glob, fill: Filler = () => "x"): string {
	return g.tokens
		.map((t) => (t.is === "char" ? t.char : t.is === "one" ? "x" : fill(t.is === "unknown" ? t.name : null)))
		.join("");
}
