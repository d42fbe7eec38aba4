/** Colour apart from words: a renderer says what a text means, and only here is it known how that looks. */

export type Style = "add" | "remove" | "change" | "drift" | "foreign" | "error" | "warning" | "note" | "dim" | "bold" | "command";

/** Paints a text that is already escaped and already padded. */
export type Paint = (style: Style | undefined, text: string) => string;

// SGR codes: the sixteen that every terminal theme defines, so that light and dark both stay readable.
const CODES: Readonly<Record<Style, readonly [number, number]>> = {
	add: [32, 39],
	remove: [31, 39],
	change: [33, 39],
	drift: [35, 39],
	foreign: [36, 39],
	error: [31, 39],
	warning: [33, 39],
	note: [36, 39],
	dim: [2, 22],
	bold: [1, 22],
	command: [36, 39],
};

export function createPaint(color: boolean): Paint {
	if (!color) return (_style, text) => text;
	return (style, text) => {
		if (style === undefined || text === "") return text;
		const [open, close] = CODES[style];
		return `\u001b[${open}m${text}\u001b[${close}m`;
	};
}
