import { DEFINITIONS, KIND_SCHEMAS } from "../kinds/generated/schemas.ts";
import type { Schema } from "../kinds/schema.ts";
import { TerminalError } from "../model/errors.ts";
import { nearest } from "../model/nearest.ts";

const METADATA: Schema = {
	description: "Who the document is.",
	type: "object",
	required: ["name"],
	properties: {
		name: { description: "A DNS-1123 label, unique per kind.", type: "string" },
		labels: { description: "To select by.", type: "object", additionalProperties: { type: "string" } },
		annotations: {
			description: "To remark. ecs-access.dev/renamed-from names the policy's old name: its roles are kept as they are.",
			type: "object",
			additionalProperties: { type: "string" },
		},
	},
};

/**
 * What a kind or a field means, as `kubectl explain` shows it. `path` is `KIND` or `KIND.spec.field.…`, the kind in any
 * spelling; `[]` and `[0]` after a list are allowed. Throws TerminalError with the nearest for what does not exist.
 */
export function explainPath(path: string): string {
	const [word = "", ...steps] = path.split(".").map((s) => s.replace(/\[\d*\]$/, ""));
	const kind = findKind(word);
	const spec = { ...DEFINITIONS[kind.spec], description: kind.description };
	let schema: Schema = {
		description: kind.description,
		type: "object",
		required: ["metadata", "spec"],
		properties: { metadata: METADATA, spec },
	};
	let name = kind.kind;
	let required = false;
	for (const step of steps) {
		const within = fieldsOf(schema);
		const next =
			within.properties?.[step] ?? (typeof within.additionalProperties === "object" ? within.additionalProperties : undefined);
		if (next === undefined) throw unknownField(step, name, within);
		required = within.required?.includes(step) ?? false;
		schema = resolved(next);
		name = `${name}.${step}`;
	}
	return text(kind.kind, name, schema, required);
}

function findKind(word: string): (typeof KIND_SCHEMAS)[number] {
	const wanted = word.toLowerCase();
	const kind = KIND_SCHEMAS.find((k) => k.kind.toLowerCase() === wanted || k.plural === wanted);
	if (kind !== undefined) return kind;
	const kinds = KIND_SCHEMAS.map((k) => k.kind);
	throw new TerminalError("UnknownKind", `no kind "${word}"`, { fix: guess(word, kinds, "kinds") });
}

function unknownField(step: string, parent: string, schema: Schema): TerminalError {
	const known = Object.keys(schema.properties ?? {});
	const message = `no field "${step}" in ${parent}`;
	if (known.length === 0) return new TerminalError("UnknownField", message, { fix: `${parent} has no fields` });
	return new TerminalError("UnknownField", message, { fix: guess(step, known, "fields") });
}

function guess(word: string, known: readonly string[], what: string): string {
	const [near] = nearest(word, known);
	return near === undefined ? `${what}: ${known.join(", ")}` : `did you mean "${near}"?`;
}

/** A reference with what stands beside it: the description at the use wins. */
function resolved(schema: Schema): Schema {
	if (schema.$ref === undefined) return schema;
	const { $ref, ...beside } = schema;
	return { ...DEFINITIONS[$ref.replace("#/$defs/", "")], ...beside };
}

/** Where the fields are: those of a list's items, or of a map's values when they are what one would write next. */
function fieldsOf(schema: Schema): Schema {
	const own = resolved(schema);
	return own.items === undefined ? own : fieldsOf(own.items);
}

function text(kind: string, name: string, schema: Schema, required: boolean): string {
	const lines = [`KIND:     ${kind}`, "VERSION:  ecs-access.dev/v1alpha1", ""];
	const field = name === kind ? "" : (name.split(".").at(-1) ?? "");
	if (field !== "")
		lines.push(`FIELD:    ${field} <${typeText(schema)}>${required ? " -required-" : ""}`, `PATH:     ${name}`, "");
	lines.push("DESCRIPTION:", ...wrap(schema.description ?? "", "    "));
	if (schema.enum !== undefined) lines.push("", `VALUES:   ${schema.enum.map(String).join(", ")}`);
	if (schema.default !== undefined) lines.push("", `DEFAULT:  ${JSON.stringify(schema.default)}`);
	const within = fieldsOf(schema);
	const fields = Object.entries(within.properties ?? {});
	if (fields.length > 0) lines.push("", "FIELDS:");
	for (const [key, value] of fields) {
		const own = resolved(value);
		lines.push(`    ${key} <${typeText(own)}>${within.required?.includes(key) ? " -required-" : ""}`);
		lines.push(...wrap(own.description ?? "", "        "), "");
	}
	if (fields.length > 0) lines.pop();
	return `${lines.join("\n")}\n`;
}

function typeText(schema: Schema): string {
	const own = resolved(schema);
	if (own.items !== undefined) return `[]${typeText(own.items)}`;
	if (typeof own.additionalProperties === "object") return `map[string]${typeText(own.additionalProperties)}`;
	if (own.format === "date-time") return "time";
	if (own.type === undefined) return "value or []value";
	return typeof own.type === "string" ? own.type : own.type.join(" or ");
}

function wrap(description: string, indent: string): readonly string[] {
	const lines: string[] = [];
	let line = indent;
	for (const word of description.split(/\s+/)) {
		if (line.length + word.length > 96 && line.trim() !== "") {
			lines.push(line.trimEnd());
			line = indent;
		}
		line += `${word} `;
	}
	return [...lines, line.trimEnd()];
}
