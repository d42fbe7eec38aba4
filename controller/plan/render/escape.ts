/**
 * Values from AWS and from git are other people's text. Each surface has its own way to be lied to: a terminal obeys
 * control characters, Markdown obeys pipes and mentions, a workflow log obeys `::`. Nothing unescaped is ever printed.
 */

/** Control (ANSI, NUL, DEL, C1), format (bidi overrides, zero width) and line separators, made visible. */
export function escapeTerminal(text: string): string {
	return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (c) => {
		if (c === "\n") return "\\n";
		if (c === "\t") return "\\t";
		const code = c.codePointAt(0) ?? 0;
		if (code < 0x100) return `\\x${code.toString(16).padStart(2, "0")}`;
		return code < 0x10000 ? `\\u${code.toString(16).padStart(4, "0")}` : `\\u{${code.toString(16)}}`;
	});
}

/** Text that a Markdown renderer shows as it is, also in a table cell: no mark-up, no HTML, no mention, no link. */
export function escapeMarkdown(text: string): string {
	return (
		escapeTerminal(text)
			.replace(/&/g, "&amp;")
			.replace(/</g, "&lt;")
			.replace(/>/g, "&gt;")
			.replace(/[\\`*_[\]|~#]/g, "\\$&")
			// A mention notifies a person wherever the `@` begins a word, so it must not stay one token.
			.replace(/@/g, "&#64;")
			// Bare addresses become links.
			.replace(/\b(https?|ftp):\/\//gi, "$1&#58;//")
			.replace(/\bwww\./gi, "www&#46;")
	);
}

/** A code span whose fence is longer than any run of backticks inside; the pipe is escaped for tables. */
export function markdownCode(text: string): string {
	const clean = escapeTerminal(text);
	const longest = Math.max(0, ...(clean.match(/`+/g) ?? []).map((run) => run.length));
	const fence = "`".repeat(longest + 1);
	const pad = longest > 0 || clean.startsWith(" ") || clean === "" ? " " : "";
	return `${fence}${pad}${clean.replace(/\|/g, "\\|")}${pad}${fence}`;
}

/** A fence longer than any run of backticks in the lines it holds. */
export function markdownFence(lines: readonly string[]): string {
	const longest = Math.max(2, ...lines.flatMap((l) => l.match(/`+/g) ?? []).map((run) => run.length));
	return "`".repeat(longest + 1);
}

/** GitHub workflow commands: the message. https://docs.github.com/actions/reference/workflow-commands-for-github-actions */
export function escapeWorkflowData(text: string): string {
	return text.replace(/%/g, "%25").replace(/\r/g, "%0D").replace(/\n/g, "%0A");
}

/** GitHub workflow commands: a property's value. */
export function escapeWorkflowProperty(text: string): string {
	return escapeWorkflowData(text).replace(/:/g, "%3A").replace(/,/g, "%2C");
}

/** XML text and attribute values; characters XML 1.0 cannot carry at all are made visible first. */
export function escapeXml(text: string): string {
	return escapeTerminal(text)
		.replace(/&/g, "&amp;")
		.replace(/</g, "&lt;")
		.replace(/>/g, "&gt;")
		.replace(/"/g, "&quot;")
		.replace(/'/g, "&apos;");
}
