/** `${username}`, `${password:uri}`. */
const PLACE = /\$\{([^}:]+)(?::([^}]*))?\}/g;

/** The one filter: what goes into an address must not end it. */
const FILTERS: ReadonlyMap<string, (value: string) => string> = new Map([["uri", encodeURIComponent]]);

/** Bytes of a secret (Secrets Manager, SecretString), so at least as many characters. */
const LONGEST = 65_536;

/** What is wrong with the templates among themselves, each with its key; empty: nothing. */
export function deriveFaults(
	derive: Readonly<Record<string, string>>,
): readonly { readonly key: string; readonly fault: string }[] {
	const faults = Object.entries(derive).flatMap(([key, template]) => {
		const rest = template.replace(PLACE, "");
		if (rest.includes("${")) return [{ key, fault: "a ${ is not closed" }];
		const unknown = placesOf(template).find(({ filter }) => filter !== null && !FILTERS.has(filter));
		return unknown === undefined ? [] : [{ key, fault: `no filter is named "${unknown.filter}": uri` }];
	});
	const { looped } = orderOf(derive);
	return looped === null ? faults : [...faults, { key: looped, fault: "it is made from itself" }];
}

/** Keys that a template takes. */
function keysIn(template: string): readonly string[] {
	return placesOf(template).map((p) => p.key);
}

/**
 * The keys of a secret with the derived ones made anew, each after those that it is made from. Throws a RangeError that
 * names a key that is missing, is no text or number, or becomes too long; never a value.
 */
export function deriveKeys(
	values: Readonly<Record<string, unknown>>,
	derive: Readonly<Record<string, string>>,
): Readonly<Record<string, unknown>> {
	const out = new Map(Object.entries(values));
	for (const key of orderOf(derive).order) {
		const made = (derive[key] ?? "").replace(PLACE, (_whole, from: string, filter: string | undefined) => {
			const value = out.get(from);
			if (typeof value !== "string" && typeof value !== "number")
				throw new RangeError(`key "${key}" is made from "${from}", which the secret does not hold as text or number`);
			const text = String(value);
			return filter === undefined ? text : (FILTERS.get(filter)?.(text) ?? text);
		});
		if (made.length > LONGEST) throw new RangeError(`key "${key}" becomes longer than a secret may be`);
		out.set(key, made);
	}
	return Object.fromEntries(out);
}

function placesOf(template: string): readonly { readonly key: string; readonly filter: string | null }[] {
	return [...template.matchAll(PLACE)].map((m) => ({ key: m[1] ?? "", filter: m[2] ?? null }));
}

/**
 * The derived keys, each after those that it is made from; `looped`: one that is made from itself, by whatever way. Each is
 * looked at once, since git says how many there are. Names may be those of an object's own methods.
 */
function orderOf(derive: Readonly<Record<string, string>>): {
	readonly order: readonly string[];
	readonly looped: string | null;
} {
	const templates = new Map(Object.entries(derive));
	const done = new Set<string>();
	const above = new Set<string>();
	let looped: string | null = null;
	const visit = (key: string): void => {
		const template = templates.get(key);
		if (template === undefined || done.has(key)) return;
		if (above.has(key)) {
			looped ??= key;
			return;
		}
		above.add(key);
		for (const from of keysIn(template)) visit(from);
		above.delete(key);
		done.add(key);
	};
	for (const key of templates.keys()) visit(key);
	return { order: [...done], looped };
}
