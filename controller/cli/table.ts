import { escapeTerminal } from "../plan/render/escape.ts";

/** Columns two spaces apart, as wide as their widest cell; the last one is not padded. Cells are escaped. */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
	const cells = [header, ...rows.map((r) => r.map(escapeTerminal))];
	const widths = header.map((_, i) => Math.max(...cells.map((r) => [...(r[i] ?? "")].length)));
	const line = (r: readonly string[]): string =>
		r
			.map((c, i) => (i === r.length - 1 ? c : c.padEnd(widths[i] ?? 0)))
			.join("  ")
			.trimEnd();
	return `${cells.map(line).join("\n")}\n`;
}

/** `41d`, `3h`, `12m`, `5s`: one unit, as kubectl does beyond the first minutes. */
export function age(from: string, now: string): string {
	const seconds = Math.max(0, Math.floor((Date.parse(now) - Date.parse(from)) / 1000));
	if (Number.isNaN(seconds)) return "?";
	if (seconds < 120) return `${seconds}s`;
	if (seconds < 7200) return `${Math.floor(seconds / 60)}m`;
	if (seconds < 172_800) return `${Math.floor(seconds / 3600)}h`;
	return `${Math.floor(seconds / 86_400)}d`;
}
