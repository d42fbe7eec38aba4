import { execFileSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

const ROOT = join(import.meta.dirname, "../..");

test("the package holds what init copies, the schemas that output is promised to have, and no test", () => {
	const listed = execFileSync("npm", ["pack", "--dry-run", "--json", "--ignore-scripts"], { cwd: ROOT, encoding: "utf8" });
	const [pack] = JSON.parse(listed) as readonly { readonly files: readonly { readonly path: string }[] }[];
	const paths = pack?.files.map((f) => f.path) ?? [];
	const library = readdirSync(join(ROOT, "policies/platform/permission-sets"));
	const schemas = readdirSync(join(ROOT, "docs/schemas"));
	expect(library.length).toBeGreaterThan(0);
	for (const path of [
		"LICENSE",
		"README.md",
		"crds/editor-schema.json",
		...library.map((f) => `policies/platform/permission-sets/${f}`),
		...schemas.map((f) => `docs/schemas/${f}`),
	]) {
		expect(paths).toContain(path);
	}
	expect(paths.filter((p) => /^(test|controller|\.sandbox|\.ci)\//.test(p))).toEqual([]);
});
