/** The pure part of a plan, and what short commands of the real program take. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { fleetSource } from "./fleet.ts";
import { median, node, type Row, run } from "./measure.ts";
import type { PurePlan } from "./pure-plan.ts";
import type { Resyncs } from "./resyncs.ts";

const MAIN = fileURLToPath(new URL("../../controller/main.ts", import.meta.url));
const PURE_PLAN = fileURLToPath(new URL("pure-plan.ts", import.meta.url));
const RESYNC = fileURLToPath(new URL("resyncs.ts", import.meta.url));
/** Of each figure, so that one disturbance does not decide it. */
const RUNS = 10;
const PURE_RUNS = 5;

export async function pureFigures(): Promise<readonly Row[]> {
	const folder = mkdtempSync(join(tmpdir(), "ecs-access-bench-"));
	try {
		const rows: Row[] = [];
		for (const [n, target] of [
			[1_000, "under 1 s, under 1 GiB"],
			[10_000, "under 10 s, under 1 GiB"],
		] as const) {
			const settled = join(folder, `settled-${n}.json`);
			await node([PURE_PLAN, "settle", String(n), settled]);
			for (const percent of [0, 10]) {
				const runs: PurePlan[] = [];
				for (let k = 0; k < PURE_RUNS; k++) {
					runs.push(JSON.parse(await node([PURE_PLAN, "plan", String(n), settled, String(percent)])) as PurePlan);
				}
				rows.push({ what: `pure part, ${words(n, percent, runs)}`, figure: figure(runs), target });
			}
		}
		return rows;
	} finally {
		rmSync(folder, { recursive: true, force: true });
	}
}

/** MiB of heap that the controller at rest is given (`NODE_OPTIONS`); Node's own default grows to gigabytes before it collects. */
const HEAP_MIB = 250;
const RESYNCS = 20;

/** What a controller over 10,000 policies holds, from its first resync to its last. */
export async function resyncFigures(): Promise<Row> {
	const folder = mkdtempSync(join(tmpdir(), "ecs-access-bench-"));
	try {
		const settled = join(folder, "settled.json");
		await node([PURE_PLAN, "settle", "10000", settled]);
		const heap = [`--max-old-space-size=${HEAP_MIB}`, "--max-semi-space-size=8"];
		const { rssMiB, seconds } = JSON.parse(await node([...heap, RESYNC, "10000", settled, String(RESYNCS)])) as Resyncs;
		const [first = 0, last = 0] = [rssMiB[0], rssMiB.at(-1)];
		const figure = `${Math.max(...rssMiB).toFixed(0)} MiB at most, ${first.toFixed(0)} after the first, ${last.toFixed(0)} after the last; ${median(seconds).toFixed(0)} s each`;
		return { what: `${RESYNCS} resyncs of 10,000 policies, heap of ${HEAP_MIB} MiB`, figure, target: "under 400 MiB, flat" };
	} finally {
		rmSync(folder, { recursive: true, force: true });
	}
}

export async function commandFigures(): Promise<readonly Row[]> {
	const folder = mkdtempSync(join(tmpdir(), "ecs-access-bench-"));
	try {
		for (const [path, text] of [...fleetSource("123456789012", 46)]) {
			mkdirSync(dirname(join(folder, path)), { recursive: true });
			writeFileSync(join(folder, path), text);
		}
		return [
			await command("`ecs-access --version`", "under 150 ms", ["--version"]),
			await command("`ecs-access validate` of 50 files", "under 1 s", ["validate", folder]),
		];
	} finally {
		rmSync(folder, { recursive: true, force: true });
	}
}

async function command(what: string, target: string, args: readonly string[]): Promise<Row> {
	// The first fills Node's compile cache, once in the life of an installation.
	await run([MAIN, ...args]);
	const runs: Awaited<ReturnType<typeof run>>[] = [];
	for (let k = 0; k < RUNS; k++) runs.push(await run([MAIN, ...args]));
	const wall = runs.map((r) => r.seconds);
	const ms = (s: number): string => `${(s * 1000).toFixed(0)} ms`;
	const figure = `${ms(median(wall))} (fastest ${ms(Math.min(...wall))}, of ${RUNS}), processor ${ms(median(runs.map((r) => r.cpuSeconds)))}`;
	return { what, figure, target };
}

function words(n: number, percent: number, runs: readonly PurePlan[]): string {
	const policies = `${n.toLocaleString("en")} policies`;
	return percent === 0 ? `${policies}, unchanged` : `${policies}, ${percent} % changed (${runs[0]?.steps} steps)`;
}

function figure(runs: readonly PurePlan[]): string {
	const of = (pick: (r: PurePlan) => number): readonly number[] => runs.map(pick);
	const wall = of((r) => r.seconds);
	return [
		`${median(wall).toFixed(2)} s (fastest ${Math.min(...wall).toFixed(2)}, of ${runs.length})`,
		`main thread ${median(of((r) => r.cpuSeconds)).toFixed(2)} s`,
		`${Math.max(...of((r) => r.peakMiB)).toFixed(0)} MiB`,
	].join(", ");
}
