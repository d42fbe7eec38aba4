const BLOCK = /-----BEGIN ((?:[A-Z0-9]+ )*PRIVATE KEY)-----(.*?)-----END \1-----/s;
/** As OpenSSH writes it; every reader takes any width up to 76. */
const WIDTH = 64;

export function isPem(text: string): boolean {
	return BLOCK.test(text);
}

/**
 * A private key as ssh and OpenSSL read it. What people paste into a web form has lost its line breaks, or has them as
 * `\n`; both come back right. Anything else stays as it is, for the reader to refuse.
 */
export function pemText(text: string): string {
	const [, label, inside] = BLOCK.exec(text.replaceAll("\\n", "\n")) ?? [];
	if (label === undefined || inside === undefined) return text;
	const end = `-----END ${label}-----\n`;
	// `Proc-Type: …` before an encrypted one: its lines are not ours to join.
	if (inside.includes(":")) return `-----BEGIN ${label}-----${inside.replaceAll("\r\n", "\n")}${end}`;
	const body = inside.replace(/\s+/g, "");
	const lines = body.match(new RegExp(`.{1,${WIDTH}}`, "g")) ?? [];
	return `-----BEGIN ${label}-----\n${lines.join("\n")}\n${end}`;
}
