/**
 * `npm run generate`: from the CustomResourceDefinitions makes what the program and its users need of them. With `--check`
 * it writes nothing and fails when a file is stale.
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CORE_SCHEMA, load, mergeTag } from "js-yaml";
import { compile } from "json-schema-to-typescript";
import { reference } from "./reference-docs.ts";
import { type Crd, type CrdSchema, envelope, namedDefinitions, type Schema } from "./schema.ts";

const here = import.meta.dirname;
const root = join(here, "..");
const NOTE = "Made from crds/*.yaml by `npm run generate`; do not edit.";

/** What the platform team owns first, then what the service teams write. */
const ORDER = [
	"Installation",
	"Account",
	"AccessPolicy",
	"PermissionSet",
	"AccessGrant",
	"SecretRotation",
	"Guardrail",
	"Approval",
];

function readCrds(): readonly Crd[] {
	return readdirSync(here)
		.filter((f) => f.endsWith(".ecs-access.dev.yaml"))
		.map((f) => load(readFileSync(join(here, f), "utf8"), { schema: CORE_SCHEMA.withTags(mergeTag) }) as Crd)
		.sort((a, b) => ORDER.indexOf(a.spec.names.kind) - ORDER.indexOf(b.spec.names.kind));
}

function specOf(crd: Crd): { readonly schema: CrdSchema; readonly description: string } {
	const version = crd.spec.versions[0];
	const spec = version?.schema.openAPIV3Schema.properties?.spec;
	if (version === undefined || spec === undefined) throw new Error(`${crd.metadata.name} has no spec`);
	return { schema: spec, description: version.schema.openAPIV3Schema.description ?? "" };
}

async function typescript(definitions: Readonly<Record<string, Schema>>): Promise<string> {
	const typed = withConditionBlocks(definitions) as Readonly<Record<string, unknown>>;
	const all: Record<string, unknown> = { $defs: typed, type: "object", additionalProperties: false, properties: {} };
	for (const name of Object.keys(definitions)) (all.properties as Record<string, unknown>)[name] = { $ref: `#/$defs/${name}` };
	const text = await compile(all, "AllSpecs", {
		bannerComment: `/** ${NOTE} */\nimport type { ConditionBlock } from "../../policy/document.ts";\n`,
		style: { useTabs: true, printWidth: 130 },
		strictIndexSignatures: false,
		unknownAny: true,
		additionalProperties: false,
		ignoreMinAndMaxItems: true,
	});
	return readonlyTypes(text);
}

/** A CRD cannot say "a string or a list" of a condition's value; the parser checks it, so the type may say it. */
function withConditionBlocks(schema: unknown): unknown {
	if (Array.isArray(schema)) return schema.map(withConditionBlocks);
	if (schema === null || typeof schema !== "object") return schema;
	return Object.fromEntries(
		Object.entries(schema).map(([key, value]) =>
			key === "conditions"
				? [key, { description: (value as Schema).description, tsType: "ConditionBlock" }]
				: [key, withConditionBlocks(value)],
		),
	);
}

/** Everything read from git is readonly; the index of all definitions was only a vehicle. */
function readonlyTypes(text: string): string {
	return `${text
		.replace(/export interface AllSpecs \{[\s\S]*?\n\}\n/, "")
		.replace(/^(\s+)(\[?["\w-]+(?:: string\])?\??: )/gm, "$1readonly $2")
		.replace(/: (\(.+\)|[\w.]+)\[\]/g, ": readonly $1[]")
		.trim()}\n`;
}

const crds = readCrds();
const kinds = crds.map((crd) => ({ crd, kind: crd.spec.names.kind, plural: crd.spec.names.plural, ...specOf(crd) }));
const definitions = namedDefinitions(kinds.map((k) => k.schema));
const entries = kinds.map((k) => ({ kind: k.kind, plural: k.plural, description: k.description, spec: k.schema.title ?? "" }));

const outputs: Readonly<Record<string, string>> = {
	"controller/model/generated/specs.ts": await typescript(definitions),
	"controller/kinds/generated/schemas.ts": `/** ${NOTE} */
import type { KindSchema, Schema } from "../schema.ts";

export const KIND_SCHEMAS: readonly KindSchema[] = ${JSON.stringify(entries, null, "\t")};

export const DEFINITIONS: Readonly<Record<string, Schema>> = ${JSON.stringify(definitions, null, "\t")};
`,
	"crds/editor-schema.json": `${JSON.stringify(envelope(entries, definitions), null, "\t")}\n`,
	"docs/kinds.md": reference(kinds, NOTE),
};

const check = process.argv.includes("--check");
const stale: string[] = [];
for (const [path, text] of Object.entries(outputs)) {
	const file = join(root, path);
	if (check) {
		if (read(file) !== text) stale.push(path);
	} else {
		writeFileSync(file, text);
	}
}
if (stale.length > 0) {
	process.stderr.write(`stale: ${stale.join(", ")}; run npm run generate\n`);
	process.exitCode = 1;
}

function read(file: string): string | null {
	try {
		return readFileSync(file, "utf8");
	} catch {
		return null;
	}
}
