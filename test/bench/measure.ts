import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, rmSync } from "node:fs";
import { cpus, loadavg, tmpdir, totalmem } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const PEAK = fileURLToPath(new URL("peak.ts", import.meta.url));
const peakFile = join(tmpdir(), `ecs-access-bench-${process.pid}`);

/** For the environment of a program whose `peakMiB` is to be read afterwards. */
export const measuredEnv = { BENCH_PEAK_FILE: peakFile, NODE_OPTIONS: `--import=${PEAK}` } as const;

/** The peak resident memory of the last program that ended with `measuredEnv`. */
export function peakMiB(): number {
	const kib = Number(readFileSync(peakFile, "utf8"));
	rmSync(peakFile);
	return kib / 1024;
}

export async function timed<T>(work: () => Promise<T>): Promise<{ readonly value: T; readonly seconds: number }> {
	const began = performance.now();
	const value = await work();
	return { value, seconds: (performance.now() - began) / 1000 };
}

/** Runs a program of this Node to its end. Throws when it fails. */
export async function node(args: readonly string[], env: NodeJS.ProcessEnv = process.env): Promise<string> {
	const child = spawn(process.execPath, args, { env, stdio: ["ignore", "pipe", "inherit"] });
	let stdout = "";
	child.stdout.setEncoding("utf8").on("data", (text: string) => {
		stdout += text;
	});
	const [code] = (await once(child, "close")) as [number | null];
	if (code !== 0) throw new Error(`${args.join(" ")} ended with ${code}`);
	return stdout;
}

/**
 * Runs a program of this Node to its end and drops what it prints.
 * @returns seconds by the wall clock, and of processor by all its threads, as the shell counts them
 */
export async function run(args: readonly string[]): Promise<{ readonly seconds: number; readonly cpuSeconds: number }> {
	const child = spawn("sh", ["-c", '"$@" > /dev/null || exit; times', "sh", process.execPath, ...args], {
		stdio: ["ignore", "pipe", "inherit"],
	});
	let stdout = "";
	child.stdout.setEncoding("utf8").on("data", (text: string) => {
		stdout += text;
	});
	const { value, seconds } = await timed(async () => (await once(child, "close")) as [number | null]);
	if (value[0] !== 0) throw new Error(`${args.join(" ")} ended with ${value[0]}`);
	// The second line is of what the shell started: `0m0.074s 0m0.044s`.
	const spent = [...(stdout.split("\n")[1] ?? "").matchAll(/(\d+)m([\d.]+)s/g)];
	return { seconds, cpuSeconds: spent.reduce((sum, [, m, s]) => sum + Number(m) * 60 + Number(s), 0) };
}

export function median(values: readonly number[]): number {
	const sorted = values.toSorted((a, b) => a - b);
	const middle = Math.floor(sorted.length / 2);
	const [low = 0, high = 0] = sorted.length % 2 === 1 ? [sorted[middle], sorted[middle]] : sorted.slice(middle - 1, middle + 1);
	return (low + high) / 2;
}

/** What was measured on what, and how busy it was: a figure without it says nothing. */
export function machine(): string {
	const [first] = cpus();
	const gib = (totalmem() / 2 ** 30).toFixed(0);
	const load = loadavg()[0]?.toFixed(1);
	return `${first?.model.trim() ?? "unknown"}, ${cpus().length} cores, ${gib} GiB, Node ${process.versions.node}, load ${load} at the start`;
}

export interface Row {
	readonly what: string;
	readonly figure: string;
	/** Empty: none was set. */
	readonly target: string;
}

export function table(rows: readonly Row[]): string {
	return [
		"| what | figure | target |",
		"|---|---|---|",
		...rows.map((r) => `| ${r.what} | ${r.figure} | ${r.target} |`),
		"",
	].join("\n");
}
