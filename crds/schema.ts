/** From the structural schema of a CustomResourceDefinition to JSON Schema, which ajv and editors understand. */

export interface CrdSchema {
	readonly title?: string;
	readonly description?: string;
	readonly type?: string;
	readonly properties?: Readonly<Record<string, CrdSchema>>;
	readonly additionalProperties?: CrdSchema;
	readonly items?: CrdSchema;
	readonly default?: unknown;
	readonly "x-kubernetes-int-or-string"?: boolean;
	readonly "x-kubernetes-preserve-unknown-fields"?: boolean;
	readonly [keyword: string]: unknown;
}

export interface Crd {
	readonly metadata: { readonly name: string };
	readonly spec: {
		readonly names: { readonly kind: string; readonly plural: string };
		readonly versions: readonly {
			readonly name: string;
			readonly additionalPrinterColumns?: readonly unknown[];
			readonly schema: { readonly openAPIV3Schema: CrdSchema };
		}[];
	};
}

export type Schema = Readonly<Record<string, unknown>>;

/**
 * Every schema with a title becomes a definition of that name, and a reference where it is used. Two schemas of one title
 * must be equal: the statement of a policy, of a set and of a grant are one thing, written in three files.
 */
export function namedDefinitions(specs: readonly CrdSchema[]): Readonly<Record<string, Schema>> {
	const definitions: Record<string, Schema> = {};
	for (const spec of specs) convert(spec, definitions);
	return definitions;
}

function convert(schema: CrdSchema, definitions: Record<string, Schema>): Schema {
	const { title, properties, additionalProperties, items, ...rest } = schema;
	const out: Record<string, unknown> = {};
	for (const [key, value] of Object.entries(rest)) if (!key.startsWith("x-kubernetes-")) out[key] = value;
	if (schema["x-kubernetes-int-or-string"]) out.type = ["string", "integer"];
	if (properties !== undefined) {
		out.properties = Object.fromEntries(Object.entries(properties).map(([name, s]) => [name, convert(s, definitions)]));
		out.additionalProperties = false;
	} else if (additionalProperties !== undefined) {
		out.additionalProperties = convert(additionalProperties, definitions);
	}
	if (items !== undefined) out.items = convert(items, definitions);
	if (title === undefined) return out;
	const known = definitions[title];
	if (known !== undefined && JSON.stringify(known) !== JSON.stringify(out)) {
		throw new Error(`two different schemas have the title ${title}`);
	}
	definitions[title] = out;
	return { $ref: `#/$defs/${title}` };
}

/** One schema for a whole file, for yaml-language-server: what `spec` may hold follows `kind`. */
export function envelope(
	kinds: readonly { readonly kind: string; readonly description: string; readonly spec: string }[],
	definitions: Readonly<Record<string, Schema>>,
): Schema {
	return {
		$schema: "http://json-schema.org/draft-07/schema#",
		title: "ecs-access",
		type: "object",
		required: ["apiVersion", "kind", "metadata", "spec"],
		properties: {
			apiVersion: { const: "ecs-access.dev/v1alpha1", description: "The version of the kinds." },
			kind: { enum: kinds.map((k) => k.kind), description: kinds.map((k) => `${k.kind}: ${k.description}`).join("\n") },
			metadata: {
				type: "object",
				required: ["name"],
				additionalProperties: false,
				properties: {
					name: {
						type: "string",
						pattern: "^[a-z0-9]([a-z0-9-]*[a-z0-9])?$",
						maxLength: 63,
						description: "Unique per kind.",
					},
					labels: { type: "object", additionalProperties: { type: "string" }, description: "To select by." },
					annotations: { type: "object", additionalProperties: { type: "string" }, description: "To remark." },
				},
			},
			spec: { type: "object" },
		},
		additionalProperties: false,
		allOf: kinds.map((k) => ({
			if: { properties: { kind: { const: k.kind } }, required: ["kind"] },
			// biome-ignore lint/suspicious/noThenProperty: the keyword of JSON Schema
			then: { properties: { spec: { $ref: `#/$defs/${k.spec}` } } },
		})),
		$defs: definitions,
	};
}
