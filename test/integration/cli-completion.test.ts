import { execFileSync } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";

const MAIN = join(import.meta.dirname, "../../controller/main.ts");
const folder = mkdtempSync(join(tmpdir(), "completion-"));
const script = join(folder, "bash");

/** What a real bash would offer behind these words; the last one is being typed. */
function offered(...words: readonly string[]): readonly string[] {
	const line = ["ecs-access", ...words];
	const program = `source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _ecs_access; printf '%s\\n' "\${COMPREPLY[@]}"`;
	return execFileSync("bash", ["--norc", "-c", program, "bash", script, ...line], { encoding: "utf8" })
		.split("\n")
		.filter((l) => l !== "");
}

describe("completion in bash", () => {
	beforeAll(() => {
		writeFileSync(script, execFileSync(process.execPath, [MAIN, "completion", "bash"], { encoding: "utf8" }));
	});

	it("offers every command", () => {
		expect(offered("")).toEqual(expect.arrayContaining(["init", "validate", "plan", "apply", "get", "completion"]));
		expect(offered("va")).toEqual(["validate"]);
	});

	it("offers a command's options, and those of all", () => {
		expect(offered("get", "--s")).toEqual(["--selector", "--state-dir"]);
		expect(offered("validate", "--st")).toEqual(["--strict", "--state-dir"]);
	});

	it("offers the values of an option and of an argument", () => {
		expect(offered("get", "-o", "")).toEqual(["text", "wide", "name", "json", "yaml"]);
		expect(offered("validate", "--format", "s")).toEqual(["sarif"]);
		expect(offered("completion", "")).toEqual(["bash", "zsh", "fish"]);
	});

	it("finds its way behind options and their values", () => {
		expect(offered("--state-dir", "get", "validate", "--stri")).toEqual(["--strict"]);
		expect(offered("policy", "")).toEqual(["compare"]);
		expect(offered("policy", "compare", "--b")).toEqual(["--batch"]);
	});

	it("leaves file names to the shell", () => {
		expect(offered("validate", "")).toEqual([]);
		expect(execFileSync("bash", ["--norc", "-c", `source "${script}"; complete -p ecs-access`], { encoding: "utf8" })).toContain(
			"-o default",
		);
	});
});
