/** `npm run bench [calls|pure|commands|rotations|resyncs]`: measures and prints the figures of docs/bench.md. Asserts nothing: tests do that. */
import { callFigures } from "./calls.ts";
import { machine, type Row, table } from "./measure.ts";
import { commandFigures, pureFigures, resyncFigures } from "./pure.ts";
import { rotationFigures } from "./rotations.ts";

const asked = process.argv.slice(2);
const wants = (part: string): boolean => asked.length === 0 || asked.includes(part);

const header = `${new Date().toISOString().slice(0, 10)}, ${machine()}`;
const rows: Row[] = [];
if (wants("commands")) rows.push(...(await commandFigures()));
if (wants("pure")) rows.push(...(await pureFigures()));
// Twenty resyncs of ten thousand policies take several minutes: only where they are asked for.
if (asked.includes("resyncs")) rows.push(await resyncFigures());
const calls = wants("calls") ? await callFigures() : null;
if (calls !== null) rows.push(...calls.rows);
const rotations = wants("rotations") ? await rotationFigures() : null;
if (rotations !== null) rows.push(...rotations.rows);
process.stdout.write(`${header}\n\n${table(rows)}`);
for (const [what, counts] of Object.entries({ ...calls?.counts, ...rotations?.counts })) {
	const lines = Object.entries(counts).sort(([a], [b]) => (a < b ? -1 : 1));
	process.stdout.write(`\n${what}\n${lines.map(([operation, n]) => `  ${String(n).padStart(5)}  ${operation}\n`).join("")}`);
}
