/** `${username}`, `${password:uri}`. */
const PLACE = /\$\{([^}:]+)(?::([^}]*))?\}/g;

/** The one filter: what goes into an address must not end it. */
const FILTERS: Readonly<Record<string, (value: string) => string>> = { uri: encodeURIComponent };

/** What is wrong with the templates among themselves, each with its key; empty: nothing. */
export function deriveFaults(
	derive: Readonly<Record<string, string>>,
): readonly { readonly key: string; readonly fault: string }[] {
	const faults = Object.entries(derive).flatMap(([key, template]) => {
		const rest = template.replace(PLACE, "");
		if (rest.includes("${")) return [{ key, fault: "a ${ is not closed" }];
		const unknown = placesOf(template).find(({ filter }) => filter !== null && !(filter in FILTERS));
		return unknown === undefined ? [] : [{ key, fault: `no filter is named "${unknown.filter}": uri` }];
	});
	const looped = Object.keys(derive).find((key) => orderOf(derive, key, []) === null);
	return looped === undefined ? faults : [...faults, { key: looped, fault: "it is made from itself" }];
}

/** Keys that a template takes. */
function keysIn(template: string): readonly string[] {
	return placesOf(template).map((p) => p.key);
}

/**
 * The keys of a secret with the derived ones made anew, each after those that it is made from. Throws a RangeError that
 * names a key that is missing or is no text or number, never a value.
 */
export function deriveKeys(
	values: Readonly<Record<string, unknown>>,
	derive: Readonly<Record<string, string>>,
): Readonly<Record<string, unknown>> {
	const out: Record<string, unknown> = { ...values };
	const made = new Set<string>();
	for (const wanted of Object.keys(derive)) {
		for (const key of orderOf(derive, wanted, []) ?? []) {
			if (made.has(key)) continue;
			made.add(key);
			out[key] = (derive[key] ?? "").replace(PLACE, (_whole, from: string, filter: string | undefined) => {
				const value = out[from];
				if (typeof value !== "string" && typeof value !== "number")
					throw new RangeError(`key "${key}" is made from "${from}", which the secret does not hold as text or number`);
				return (filter === undefined ? (text: string) => text : (FILTERS[filter] ?? ((text: string) => text)))(String(value));
			});
		}
	}
	return out;
}

function placesOf(template: string): readonly { readonly key: string; readonly filter: string | null }[] {
	return [...template.matchAll(PLACE)].map((m) => ({ key: m[1] ?? "", filter: m[2] ?? null }));
}

/** The derived keys up to this one, in the order in which they are made; null: a circle. */
function orderOf(derive: Readonly<Record<string, string>>, key: string, above: readonly string[]): readonly string[] | null {
	if (above.includes(key)) return null;
	const template = derive[key];
	if (template === undefined) return [];
	const below = keysIn(template).map((k) => orderOf(derive, k, [...above, key]));
	return below.some((b) => b === null) ? null : [...below.flatMap((b) => b ?? []), key];
}
