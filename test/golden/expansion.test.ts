import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { expandAll, lines } from "../unit/kinds/world.ts";

/**
 * `access-policy/<case>/`: the files of a source, and in `expansion.json` what they ask for and what is said of them.
 * `UPDATE_GOLDEN=1` writes the latter anew: read the difference before committing it.
 */
const root = join(import.meta.dirname, "access-policy");
const cases = readdirSync(root).filter((name) => statSync(join(root, name)).isDirectory());

test.each(cases)("%s", (name) => {
	const folder = join(root, name);
	const paths = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((p) => p.endsWith(".yaml"));
	expect(paths.length).toBeGreaterThan(0);
	const { keys, desired, findings } = expandAll(Object.fromEntries(paths.map((p) => [p, readFileSync(join(folder, p), "utf8")])));
	expect(lines(findings).filter((l) => l.includes(" error "))).toEqual([]);
	const text = `${JSON.stringify({ instances: keys, findings: lines(findings), desired }, origins, "\t")}\n`;
	const golden = join(folder, "expansion.json");
	if (process.env.UPDATE_GOLDEN === "1") {
		mkdirSync(dirname(golden), { recursive: true });
		writeFileSync(golden, text);
	}
	expect(text).toBe(readFileSync(golden, "utf8"));
});

/** A place on one line, as a person reads it. */
function origins(key: string, value: unknown): unknown {
	if (key !== "origin" || value === null || typeof value !== "object") return value;
	const { path, line, column } = value as { readonly path: string; readonly line: number; readonly column: number };
	return `${path}:${line}:${column}`;
}
