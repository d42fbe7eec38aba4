import type { Paint, Style } from "./palette.ts";

/** How wide, how loud and in which colours. */
export interface Pen {
	readonly paint: Paint;
	/** Columns of the terminal; what does not fit goes on a line of its own, whole words of AWS are never cut. */
	readonly width: number;
	readonly verbose: boolean;
	/** Our marks in one line, however loud the rest. */
	readonly foldMarks?: boolean;
}

/** A piece of a line, escaped. */
export interface Cell {
	readonly text: string;
	readonly style?: Style;
}

export function cell(text: string, style?: Style): Cell {
	return style === undefined ? { text } : { text, style };
}

/** Where the second column of a change begins, and where a marker does. */
const DETAIL_COLUMN = 57;
export const MARKER_COLUMN = 83;

/** One line of cells; `right` begins at `column`, or after three spaces, or on a line of its own beneath. */
export function row(
	pen: Pen,
	indent: number,
	left: readonly Cell[],
	right: readonly Cell[] = [],
	column = DETAIL_COLUMN,
): string {
	const start = " ".repeat(indent) + join(pen, left);
	if (right.length === 0) return start;
	const leftLength = indent + lengthOf(left);
	const rightLength = lengthOf(right);
	const gap = leftLength + 2 <= column ? column - leftLength : 3;
	if (leftLength + gap + rightLength <= pen.width) return start + " ".repeat(gap) + join(pen, right);
	if (leftLength + 3 + rightLength <= pen.width) return `${start}   ${join(pen, right)}`;
	return `${start}\n${" ".repeat(indent + 4)}${join(pen, right)}`;
}

/** `left` and `right` at the two margins. */
export function spread(pen: Pen, left: readonly Cell[], right: readonly Cell[]): string {
	return row(pen, 0, left, right, pen.width - lengthOf(right));
}

function join(pen: Pen, cells: readonly Cell[]): string {
	return cells.map((c) => pen.paint(c.style, c.text)).join("");
}

function lengthOf(cells: readonly Cell[]): number {
	return cells.reduce((n, c) => n + [...c.text].length, 0);
}
