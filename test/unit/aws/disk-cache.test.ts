import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { createDiskCache } from "../../../controller/aws/disk-cache.ts";

const dir = mkdtempSync(join(tmpdir(), "ecs-access-cache-"));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const isNumber = (v: unknown): v is number => typeof v === "number";
let serial = 0;
const file = (): string => join(dir, "deep", `${serial++}.jsonl`);

test("what one process put there another finds", () => {
	const at = file();
	createDiskCache(at, isNumber).put("a", 1);
	const two = createDiskCache(at, isNumber);
	expect(two.get("a")).toBe(1);
	expect(two.get("b")).toBeUndefined();
});

test("torn, foreign and outdated lines are skipped, and what is put after a torn one is not lost with it", () => {
	const at = file();
	const cache = createDiskCache(at, isNumber);
	cache.put("a", 1);
	appendFileSync(at, '["b",2]\n{"odd":true}\nnull\n["c","a string"]\n["d"');
	cache.put("e", 5);
	const again = createDiskCache(at, isNumber);
	expect(["a", "b", "c", "d", "e"].map((k) => again.get(k))).toEqual([1, 2, undefined, undefined, 5]);
});

test("two writers at once lose nothing", () => {
	const at = file();
	const [one, two] = [createDiskCache(at, isNumber), createDiskCache(at, isNumber)];
	one.get("x");
	two.get("x");
	for (let n = 0; n < 100; n++) {
		one.put(`one-${n}`, n);
		two.put(`two-${n}`, n);
	}
	const all = createDiskCache(at, isNumber);
	for (let n = 0; n < 100; n++) expect([all.get(`one-${n}`), all.get(`two-${n}`)]).toEqual([n, n]);
});

test("a place that cannot be written costs the memory of it, and nothing else", () => {
	const blocked = join(dir, "blocked");
	writeFileSync(blocked, "a file where a folder is wanted");
	const cache = createDiskCache(join(blocked, "x.jsonl"), isNumber);
	cache.put("a", 1);
	expect(cache.get("a")).toBe(1);
	expect(readFileSync(blocked, "utf8")).toBe("a file where a folder is wanted");
});

test("without a file it remembers in memory alone", () => {
	const cache = createDiskCache(null, isNumber);
	cache.put("a", 1);
	expect(cache.get("a")).toBe(1);
});

test("nobody else may read it, and it does not grow for ever", () => {
	const at = file();
	createDiskCache(at, isNumber).put("a", 1);
	expect(statSync(at).mode & 0o077).toBe(0);
	const line = `["${"x".repeat(1_000)}",1]\n`;
	appendFileSync(at, line.repeat(17_500));
	appendFileSync(at, '["newest",2]\n');
	expect(createDiskCache(at, isNumber).get("newest")).toBe(2);
	expect(statSync(at).size).toBeLessThan(10 * 1024 * 1024);
	expect(createDiskCache(at, isNumber).get("newest")).toBe(2);
});
