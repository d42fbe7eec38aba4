import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { existingFiles, writeAll } from "../../../controller/cli/write-files.ts";
import { TerminalError } from "../../../controller/model/errors.ts";

const signal = new AbortController().signal;
let dir: string;

beforeEach(async () => {
	dir = await mkdtemp(join(tmpdir(), "import-"));
});
afterEach(async () => {
	await rm(dir, { recursive: true });
});

test("every file is there afterwards, and nothing else", async () => {
	const out = join(dir, "policies", "team");
	await writeAll(
		out,
		new Map([
			["a.yaml", "a\n"],
			["b.yaml", "b\n"],
		]),
		{ replace: false },
		signal,
	);
	expect((await readdir(out)).sort()).toEqual(["a.yaml", "b.yaml"]);
	expect(await readFile(join(out, "b.yaml"), "utf8")).toBe("b\n");
});

test("where one file exists, none is written and it stays as it was", async () => {
	await writeFile(join(dir, "b.yaml"), "mine");
	const files = new Map([
		["a.yaml", "a"],
		["b.yaml", "b"],
		["c.yaml", "c"],
	]);
	expect(await existingFiles(dir, [...files.keys()])).toEqual(["b.yaml"]);
	await expect(writeAll(dir, files, { replace: false }, signal)).rejects.toThrow(TerminalError);
	expect(await readdir(dir)).toEqual(["b.yaml"]);
	expect(await readFile(join(dir, "b.yaml"), "utf8")).toBe("mine");
});

test("a link that leads nowhere counts as a file that exists, and is not followed", async () => {
	await symlink(join(dir, "elsewhere"), join(dir, "a.yaml"));
	expect(await existingFiles(dir, ["a.yaml"])).toEqual(["a.yaml"]);
	await expect(writeAll(dir, new Map([["a.yaml", "a"]]), { replace: false }, signal)).rejects.toThrow(TerminalError);
	expect(await readdir(dir)).toEqual(["a.yaml"]);
});

test("where replacing fails half-way, what was replaced is as it was", async () => {
	await writeFile(join(dir, "a.yaml"), "mine");
	await mkdir(join(dir, "b.yaml"));
	const files = new Map([
		["a.yaml", "a"],
		["b.yaml", "b"],
		["c.yaml", "c"],
	]);
	await expect(writeAll(dir, files, { replace: true }, signal)).rejects.toThrow();
	expect((await readdir(dir)).sort()).toEqual(["a.yaml", "b.yaml"]);
	expect(await readFile(join(dir, "a.yaml"), "utf8")).toBe("mine");
});

test("with replace, what exists is overwritten and what does not is made", async () => {
	await writeFile(join(dir, "a.yaml"), "mine");
	await writeAll(
		dir,
		new Map([
			["a.yaml", "a"],
			["b.yaml", "b"],
		]),
		{ replace: true },
		signal,
	);
	expect(await readFile(join(dir, "a.yaml"), "utf8")).toBe("a");
	expect((await readdir(dir)).sort()).toEqual(["a.yaml", "b.yaml"]);
});

test("an interrupt before the last file is written leaves nothing", async () => {
	await expect(writeAll(dir, new Map([["a.yaml", "a"]]), { replace: false }, AbortSignal.abort())).rejects.toThrow();
	expect(await readdir(dir)).toEqual([]);
});
