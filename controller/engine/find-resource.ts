import { TerminalError } from "../model/errors.ts";
import type { ResourceKey } from "../model/ids.ts";
import { nearest } from "../model/nearest.ts";

/** Kind of a word: `accesspolicies`, `accesspolicy`, `AccessPolicy`. Throws TerminalError with the nearest kinds. */
export async function kindOf(word: string): Promise<string> {
	const { KIND_SCHEMAS } = await import("../kinds/generated/schemas.ts");
	const wanted = word.toLowerCase();
	const found = KIND_SCHEMAS.find((k) => k.plural === wanted || k.kind.toLowerCase() === wanted);
	if (found !== undefined) return found.kind;
	const [plurals, kinds] = [KIND_SCHEMAS.map((k) => k.plural), KIND_SCHEMAS.map((k) => k.kind)];
	const near = [suggestions(word, plurals), suggestions(word, kinds)].find((found) => found.length > 0) ?? [];
	throw new TerminalError("UnknownKind", `no kind ${JSON.stringify(word)}`, {
		fix: near.length > 0 ? `did you mean ${near.join(" or ")}?` : `the kinds are ${plurals.join(", ")}`,
	});
}

/** A key from `KIND/NAME`, `KIND NAME` or, for an AccessPolicy, `NAME`; the kind in any of its spellings. */
export async function keyOf(words: readonly string[]): Promise<ResourceKey> {
	const [kind = "", ...rest] =
		words.length === 1 && !words[0]?.includes("/") ? ["AccessPolicy", ...words] : words.join("/").split("/");
	// No document's kind: what `triggers apply` does has a history of its own.
	const known = kind.toLowerCase() === "triggers" ? "Triggers" : await kindOf(kind);
	return `${known}/${rest.join("/")}`;
}

/** Known keys that a key names: itself, or all its account instances (`orders-api` -> `orders-api@dev`, `orders-api@prod`). */
export function instancesOf(key: ResourceKey, known: readonly ResourceKey[]): readonly ResourceKey[] {
	return known.filter((k) => k === key || (!key.includes("@") && k.startsWith(`${key}@`)));
}

/** For a key that nothing is known of: the nearest names, or that there are none. */
export function notFound(key: ResourceKey, known: readonly ResourceKey[]): TerminalError {
	const [kind, name = ""] = [key.slice(0, key.indexOf("/")), key.slice(key.indexOf("/") + 1)];
	const names = known.filter((k) => k.startsWith(`${kind}/`)).map((k) => k.slice(kind.length + 1));
	const near = suggestions(name, names);
	const fix = near.length > 0 ? `did you mean ${near.join(" or ")}?` : "ecs-access get lists what is known";
	return new TerminalError("NotFound", `nothing is known of ${key}`, { fix });
}

/** Three names at most: those that begin with the word or hold it, since somebody typed a part, then those a slip away. */
export function suggestions(word: string, names: readonly string[]): readonly string[] {
	const part = word.toLowerCase();
	const whole = part.length < 2 ? [] : names.filter((n) => n.startsWith(part) || (part.length > 3 && n.includes(part)));
	return [...new Set([...whole, ...nearest(word, names, 3)])].slice(0, 3);
}
