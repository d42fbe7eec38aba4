import { PassThrough } from "node:stream";
import { describe, expect, it } from "vitest";
import { type Asking, ask } from "../../../controller/cli/prompt.ts";

function asking(isTTY: boolean, signal: AbortSignal = new AbortController().signal): Asking & { readonly stdin: PassThrough } {
	return { stdin: Object.assign(new PassThrough(), { isTTY }), stderr: { isTTY }, terminal: new PassThrough(), signal };
}

describe("a question", () => {
	it("is answered by y or yes, and by anything else with no", async () => {
		for (const [typed, answer] of [
			["y", true],
			["YES", true],
			["", false],
			["n", false],
			["yess", false],
		] as const) {
			const deps = asking(true);
			const answered = ask(deps, "Apply?", "--yes");
			deps.stdin.write(`${typed}\n`);
			expect(await answered).toBe(answer);
		}
	});

	it("without a terminal is an error that names the flag", async () => {
		await expect(ask(asking(false), "Apply 3 steps?", "--yes")).rejects.toMatchObject({
			reason: "NoTerminal",
			message: 'cannot ask "Apply 3 steps?": there is no terminal',
			fix: "give --yes to go on without the question",
		});
	});

	it("ends with Ctrl-C", async () => {
		const abort = new AbortController();
		const answered = ask(asking(true, abort.signal), "Apply?", "--yes");
		abort.abort();
		await expect(answered).rejects.toMatchObject({ name: "AbortError" });
	});
});
