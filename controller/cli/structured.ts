/** A value as JSON or YAML text, ending with a line feed. The same value in both, whatever else was asked for. */
export async function structured(format: "json" | "yaml", value: unknown): Promise<string> {
	if (format === "json") return `${JSON.stringify(value, null, 2)}\n`;
	const { stringify } = await import("yaml");
	return stringify(value, { lineWidth: 0, aliasDuplicateObjects: false });
}
