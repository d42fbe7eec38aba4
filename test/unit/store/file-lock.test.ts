import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Clock } from "../../../controller/model/ports.ts";
import { lockFile } from "../../../controller/store/file-lock.ts";
import { runProgram } from "./child.ts";

let dir: string;
let path: string;
beforeEach(() => {
	dir = mkdtempSync(join(tmpdir(), "lock-"));
	path = join(dir, "cache", "x.lock");
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

/** Each wait is one turn of the event loop, and is counted. */
function countingClock(): { readonly clock: Clock; readonly waits: () => number } {
	let waits = 0;
	return {
		waits: () => waits,
		clock: {
			now: () => "2026-11-24T09:00:00Z",
			millis: () => 0,
			sleep: (_, signal) => {
				waits += 1;
				return new Promise((resolve, reject) => setTimeout(() => (signal.aborted ? reject(signal.reason) : resolve()), 5));
			},
		},
	};
}
const never = new AbortController().signal;

describe("the lock of a file", () => {
	test("is one holder's at a time, in one process too, and passes on when let go", async () => {
		const { clock, waits } = countingClock();
		const release = await lockFile(path, clock, never);
		let got = false;
		const second = lockFile(path, clock, never).then((r) => {
			got = true;
			return r;
		});
		await expect.poll(waits).toBeGreaterThan(3);
		expect(got).toBe(false);
		release();
		release();
		(await second)();
	});

	test("is let go by the system when its holder is killed", async () => {
		const holder = runProgram(
			`await lockFile(${JSON.stringify(path)}, clock, new AbortController().signal); say("locked"); setInterval(() => {}, 1000);`,
		);
		await holder.said(/locked/);
		const { clock, waits } = countingClock();
		const waiting = lockFile(path, clock, never);
		await expect.poll(waits).toBeGreaterThan(3);
		holder.child.kill("SIGKILL");
		(await waiting)();
	});

	test("is waited for no longer than the signal says", async () => {
		const { clock, waits } = countingClock();
		const release = await lockFile(path, clock, never);
		const abort = new AbortController();
		const waiting = lockFile(path, clock, abort.signal).catch((e: Error) => e.message);
		await expect.poll(waits).toBeGreaterThan(0);
		abort.abort(new Error("told to stop"));
		expect(await waiting).toBe("told to stop");
		release();
		await expect(lockFile(path, clock, AbortSignal.abort(new Error("before")))).rejects.toThrow("before");
	});

	test("where there can be none is an error that a person can act on", async () => {
		writeFileSync(join(dir, "cache"), "");
		await expect(lockFile(path, countingClock().clock, never)).rejects.toMatchObject({ reason: "StoreUnwritable" });
	});
});
