/** Loaded before a measured program (`--import`): leaves its peak memory, in KiB, in the file that the environment names. */
import { writeFileSync } from "node:fs";

const file = process.env.BENCH_PEAK_FILE;
if (file !== undefined) process.on("exit", () => writeFileSync(file, String(process.resourceUsage().maxRSS)));
