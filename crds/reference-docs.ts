import type { CrdSchema } from "./schema.ts";

export interface DocumentedKind {
	readonly kind: string;
	readonly plural: string;
	readonly description: string;
	readonly schema: CrdSchema;
}

/** `docs/kinds.md`: every field of every kind, in one table a kind. */
export function reference(kinds: readonly DocumentedKind[], note: string): string {
	const parts = [
		`<!-- ${note} -->`,
		"# The kinds",
		"",
		"Every document has `apiVersion: ecs-access.dev/v1alpha1`, `kind`, `metadata.name` (a DNS-1123 label, unique per kind),",
		"optional `metadata.labels` and `metadata.annotations`, and `spec`. Several documents may share a file (`---`). Unknown",
		"fields and duplicate keys are errors. `ecs-access explain KIND.spec.FIELD` shows the same on a terminal.",
		"",
		"`Installation`, `Account`, `Guardrail` and `Approval` count only below `platform/` in the source root.",
		"",
		`Contents: ${kinds.map((k) => `[${k.kind}](#${k.kind.toLowerCase()})`).join(", ")}`,
	];
	for (const k of kinds) {
		parts.push("", `## ${k.kind}`, "", sentence(k.description), "", "| field | type | default | meaning |", "|---|---|---|---|");
		rows(k.schema, "spec", new Set(), parts);
	}
	return `${parts.join("\n")}\n`;
}

function rows(schema: CrdSchema, path: string, seen: Set<string>, out: string[]): void {
	const required = new Set((schema.required as readonly string[] | undefined) ?? []);
	for (const [name, field] of Object.entries(schema.properties ?? {})) {
		const here = `${path}.${name}`;
		const title = titleWithin(field);
		const again = title !== undefined && seen.has(title);
		const type = typeText(field);
		const meaning = again ? `${field.description ?? ""} Fields as above (${title}).` : (field.description ?? "");
		const fallback =
			field.default === undefined ? (required.has(name) ? "required" : "") : `\`${JSON.stringify(field.default)}\``;
		out.push(`| \`${here}\` | ${cell(type)} | ${cell(fallback)} | ${cell(meaning)} |`);
		if (again) continue;
		if (title !== undefined) seen.add(title);
		descend(field, here, seen, out);
	}
}

function descend(field: CrdSchema, path: string, seen: Set<string>, out: string[]): void {
	if (field.properties !== undefined) rows(field, path, seen, out);
	else if (field.items !== undefined) descend(field.items, `${path}[]`, seen, out);
	else if (field.additionalProperties !== undefined) descend(field.additionalProperties, `${path}.NAME`, seen, out);
}

function titleWithin(field: CrdSchema): string | undefined {
	return field.title ?? field.items?.title ?? field.additionalProperties?.title;
}

function typeText(field: CrdSchema): string {
	if (field.enum !== undefined) return (field.enum as readonly unknown[]).map(String).join(", ");
	if (field.items !== undefined) return `list of ${typeText(field.items)}`;
	if (field.additionalProperties !== undefined) return `map of ${typeText(field.additionalProperties)}`;
	if (field["x-kubernetes-int-or-string"]) return "string or integer";
	if (field["x-kubernetes-preserve-unknown-fields"]) return "value or list of values";
	return field.format === "date-time" ? "time" : (field.type ?? "any");
}

function sentence(text: string): string {
	return /[.!?]$/.test(text) ? text : `${text}.`;
}

function cell(text: string): string {
	return text.replaceAll("|", "\\|").replaceAll("\n", " ");
}
