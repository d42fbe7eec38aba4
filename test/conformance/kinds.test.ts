import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { loadCatalog } from "../../controller/engine/catalog.ts";
import { KINDS } from "../../controller/kinds/registry.ts";
import { stableJson } from "../../controller/model/digest.ts";
import type { Facts } from "../../controller/model/reference.ts";
import type { Artifact } from "../../controller/model/resource.ts";
import { createCatalogue } from "../../controller/policy/catalogue.ts";

const NOW = "2026-11-24T09:00:00Z";
const root = join(import.meta.dirname, "../..");
const facts: Facts = { now: NOW, get: () => undefined };

const yamlBelow = (folder: string): readonly string[] =>
	readdirSync(join(root, folder), { recursive: true, encoding: "utf8" }).filter((f) => /\.ya?ml$/.test(f));

/** The example repository, read afresh. */
function example() {
	const files = new Map(yamlBelow("policies").map((f) => [f, readFileSync(join(root, "policies", f), "utf8")] as const));
	const artifact: Artifact = {
		revision: { kind: "directory", id: "example" },
		digest: "sha256:0",
		root: "policies",
		files,
		source: "github.com/acme/access//policies",
		partial: null,
	};
	return loadCatalog(artifact, { actions: createCatalogue(), defaults: null, now: NOW });
}

/** Everything a kind says of the example, as text. */
function said(kind: (typeof KINDS)[number]): string {
	const { view } = example();
	return stableJson(
		view
			.ofKind(kind.kind)
			.map((r) => [
				kind.check(r, view),
				kind.instances(r, view).map((i) => [i.key, kind.references(i, view, facts), kind.expand(i, view, facts)]),
			]),
	);
}

describe.each(KINDS.map((k) => [k.kind, k] as const))("%s", (name, kind) => {
	test("has its CustomResourceDefinition and its chapter in the reference", () => {
		expect(existsSync(join(root, `crds/${kind.plural}.ecs-access.dev.yaml`))).toBe(true);
		expect(readFileSync(join(root, "docs/kinds.md"), "utf8")).toContain(`\n## ${name}\n`);
	});

	test("stands in a golden case", () => {
		const texts = yamlBelow("test/golden").map((f) => readFileSync(join(root, "test/golden", f), "utf8"));
		expect(texts.some((t) => t.includes(`kind: ${name}\n`))).toBe(true);
	});

	test("says the same of the same, however often it is asked", () => {
		expect(said(kind)).toBe(said(kind));
		const { view } = example();
		for (const r of view.ofKind(kind.kind)) {
			const before = stableJson(r.spec);
			for (const i of kind.instances(r, view)) {
				const first = stableJson(kind.expand(i, view, facts));
				expect(stableJson(kind.expand(i, view, facts))).toBe(first);
			}
			kind.check(r, view);
			expect(stableJson(r.spec)).toBe(before);
		}
	});
});
