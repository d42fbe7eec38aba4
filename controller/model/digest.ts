import { createHash } from "node:crypto";
import type { Digest } from "./ids.ts";

/** JSON with object keys sorted at every depth and `undefined` left out: equal values give equal text. */
export function stableJson(value: unknown): string {
	if (Array.isArray(value)) return `[${value.map((v) => stableJson(v ?? null)).join(",")}]`;
	if (value !== null && typeof value === "object") {
		const entries = Object.entries(value)
			.filter(([, v]) => v !== undefined)
			.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
		return `{${entries.map(([k, v]) => `${JSON.stringify(k)}:${stableJson(v)}`).join(",")}}`;
	}
	return JSON.stringify(value);
}

export function digest(value: unknown): Digest {
	return `sha256:${createHash("sha256")
		.update(typeof value === "string" ? value : stableJson(value))
		.digest("hex")}`;
}

/** The first eight hex digits, as shown to a person. */
export function shortDigest(d: Digest): string {
	return d.replace(/^sha256:/, "").slice(0, 8);
}
