/** Lines in a fence: cut between them, the fence is closed again. */
export interface Block {
	/** Up to and with the opening fence. */
	readonly open: string;
	readonly lines: readonly string[];
	readonly close: string;
}

export interface Comment {
	readonly head: string;
	readonly table: { readonly header: readonly string[]; readonly rows: readonly string[] };
	readonly details: { readonly open: string; readonly blocks: readonly Block[]; readonly close: string };
	readonly foot: string;
}

/** Said beneath the head as soon as anything is left out. */
const TOP_NOTICE = "> **Shortened:** the whole plan does not fit into a comment; `ecs-access plan` prints all of it.";

/**
 * The comment under `limit` characters. Head and foot are whole; of the middle, the details go first, from their end,
 * then the rows of the table from theirs; each cut says what is missing, and none falls into a fence or a row.
 */
export function fit(comment: Comment, limit: number): string {
	const whole = assemble(comment, comment.table.rows, comment.details.blocks.map(blockText), false);
	if (whole.length < limit) return whole;
	const { rows, left: forRows } = fitRows(comment, limit);
	const blocks =
		rows.length < comment.table.rows.length ? [cutNotice(comment.details.blocks.length, "step")] : fitBlocks(comment, forRows);
	return assemble(comment, rows.length < comment.table.rows.length ? [...rows, rowNotice(comment, rows)] : rows, blocks, true);
}

function assemble(c: Comment, rows: readonly string[], blocks: readonly string[], short: boolean): string {
	const parts = [
		c.head,
		...(short ? [TOP_NOTICE] : []),
		...(rows.length === 0 ? [] : [[...c.table.header, ...rows].join("\n")]),
		...(blocks.length === 0 ? [] : [[c.details.open, "", blocks.join("\n\n"), "", c.details.close].join("\n")]),
		c.foot,
	];
	return `${parts.join("\n\n")}\n`;
}

/** As many rows as fit while some of the details still may; `left` is what remains for those. */
function fitRows(c: Comment, limit: number): { readonly rows: readonly string[]; readonly left: number } {
	// The notices are part of what must fit; counted once, at their longest.
	const fixed =
		assemble(c, [], [cutNotice(c.details.blocks.length, "step")], true).length + c.table.header.join("\n").length + 2 + RESERVE;
	const rows: string[] = [];
	let left = limit - fixed;
	for (const row of c.table.rows) {
		if (row.length + 1 > left) break;
		rows.push(row);
		left -= row.length + 1;
	}
	return { rows, left };
}

/** Room for a row's notice and a block's. */
const RESERVE = 400;

function fitBlocks(c: Comment, room: number): readonly string[] {
	const texts: string[] = [];
	let left = room;
	for (const [i, block] of c.details.blocks.entries()) {
		const text = blockText(block);
		if (text.length + 2 <= left) {
			texts.push(text);
			left -= text.length + 2;
			continue;
		}
		const part = partOf(block, left);
		if (part !== null) texts.push(part);
		const missing = c.details.blocks.length - i - (part === null ? 0 : 1);
		return missing === 0 ? texts : [...texts, cutNotice(missing, "step")];
	}
	return texts;
}

/** The beginning of a block with its fence closed and the cut named; null where not even a few lines fit. */
function partOf(block: Block, room: number): string | null {
	const lines: string[] = [];
	let left = room - block.open.length - block.close.length - RESERVE / 2;
	for (const line of block.lines) {
		if (line.length + 1 > left) break;
		lines.push(line);
		left -= line.length + 1;
	}
	if (lines.length < 3) return null;
	return [block.open, ...lines, block.close, `*… ${block.lines.length - lines.length} lines of this are left out.*`].join("\n");
}

function blockText(block: Block): string {
	return [block.open, ...block.lines, block.close].join("\n");
}

function cutNotice(n: number, what: string): string {
	return `*… ${n} more section${n === 1 ? "" : "s"} of ${what}s left out here.*`;
}

function rowNotice(c: Comment, rows: readonly string[]): string {
	return `| *… ${c.table.rows.length - rows.length} more rows left out here* | | | | |`;
}
