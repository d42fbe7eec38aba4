import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { CORE_SCHEMA, load, mergeTag } from "js-yaml";
import { describe, expect, test } from "vitest";
import { KIND_SCHEMAS } from "../../../controller/kinds/generated/schemas.ts";
import { type Crd, type CrdSchema, namedDefinitions } from "../../../crds/schema.ts";

const folder = join(import.meta.dirname, "../../../crds");
const crds = readdirSync(folder)
	.filter((f) => f.endsWith(".ecs-access.dev.yaml"))
	.map((file) => ({
		file,
		crd: load(readFileSync(join(folder, file), "utf8"), { schema: CORE_SCHEMA.withTags(mergeTag) }) as Crd &
			Record<string, unknown>,
	}));

/** What a structural schema may hold (Kubernetes, "Specifying a structural schema"). */
const KEYWORDS = new Set(
	"title description type properties required additionalProperties items enum default pattern format minItems minLength maxLength minimum maximum minProperties x-kubernetes-int-or-string x-kubernetes-preserve-unknown-fields".split(
		" ",
	),
);

function problems(schema: CrdSchema, path: string): readonly string[] {
	const out: string[] = [];
	const free = schema["x-kubernetes-int-or-string"] === true || schema["x-kubernetes-preserve-unknown-fields"] === true;
	if (schema.type === undefined && !free) out.push(`${path} has no type`);
	if ((schema.description ?? "") === "") out.push(`${path} has no description`);
	if (schema.properties !== undefined && schema.additionalProperties !== undefined)
		out.push(`${path} has properties and additionalProperties`);
	for (const name of (schema.required as readonly string[] | undefined) ?? [])
		if (schema.properties?.[name] === undefined) out.push(`${path} requires ${name}, which is not there`);
	for (const key of Object.keys(schema)) if (!KEYWORDS.has(key)) out.push(`${path} has the keyword ${key}`);
	if (typeof schema.pattern === "string") new RegExp(schema.pattern, "u");
	for (const [name, field] of Object.entries(schema.properties ?? {})) out.push(...problems(field, `${path}.${name}`));
	if (schema.items !== undefined) out.push(...problems(schema.items, `${path}[]`));
	if (schema.additionalProperties !== undefined) out.push(...problems(schema.additionalProperties, `${path}.*`));
	return out;
}

test("every kind has a definition", () => {
	expect(crds.map((c) => c.crd.spec.names.kind).sort()).toEqual(KIND_SCHEMAS.map((k) => k.kind).toSorted());
});

describe.each(crds)("$file", ({ file, crd }) => {
	const version = crd.spec.versions[0];
	test("is a CustomResourceDefinition of its name", () => {
		expect(crd).toMatchObject({ apiVersion: "apiextensions.k8s.io/v1", kind: "CustomResourceDefinition" });
		expect(`${crd.metadata.name}.yaml`).toBe(file);
		expect(crd.metadata.name).toBe(`${crd.spec.names.plural}.ecs-access.dev`);
		expect(crd.spec.versions.map((v) => v.name)).toEqual(["v1alpha1"]);
	});
	test("is structural, and says what every field means", () => {
		const schema = version?.schema.openAPIV3Schema;
		expect(schema === undefined ? ["no schema"] : problems(schema, crd.spec.names.kind)).toEqual([]);
	});
	test("shows columns that exist in the schema", () => {
		const columns = (version?.additionalPrinterColumns ?? []) as readonly {
			readonly jsonPath: string;
			readonly description: string;
		}[];
		expect(columns.length).toBeGreaterThan(0);
		const spec = version?.schema.openAPIV3Schema.properties?.spec?.properties ?? {};
		for (const { jsonPath } of columns) {
			const field = /^\.spec\.(\w+)$/.exec(jsonPath)?.[1];
			if (field === undefined) expect(jsonPath).toMatch(/^\.(status|metadata)\./);
			else expect(Object.keys(spec)).toContain(field);
		}
	});
});

test("two schemas of one title that differ are refused", () => {
	const spec = (pattern: string): CrdSchema => ({
		title: "A",
		type: "object",
		properties: { b: { title: "B", type: "string", pattern } },
	});
	expect(() => namedDefinitions([spec("a"), { ...spec("b"), title: "C" }])).toThrow("two different schemas have the title B");
});

test("what is not a property is refused in what is generated, and nothing of Kubernetes is left", () => {
	const made = namedDefinitions([
		{
			title: "A",
			type: "object",
			properties: { n: { "x-kubernetes-int-or-string": true }, v: { "x-kubernetes-preserve-unknown-fields": true } },
		},
	]);
	expect(made).toEqual({
		A: { type: "object", properties: { n: { type: ["string", "integer"] }, v: {} }, additionalProperties: false },
	});
});
