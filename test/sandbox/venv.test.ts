import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { sandboxPython } from "./venv.ts";

const run = promisify(execFile);

test("the sandbox's Python has the moto that the requirements pin, and is made once", async () => {
	const python = await sandboxPython();
	const { stdout } = await run(python, ["-c", "import moto; print(moto.__version__)"]);
	expect(stdout).toBe("5.2.1\n");
	expect(await sandboxPython()).toBe(python);
});

test("without python3 the error says what to install", async () => {
	const directory = await mkdtemp(join(tmpdir(), "sandbox-"));
	const script = `import { sandboxPython } from ${JSON.stringify(fileURLToPath(new URL("venv.ts", import.meta.url)))};
		await sandboxPython(${JSON.stringify(`${directory}/`)}).catch((error) => console.log(error.message));`;
	const { stdout } = await run(process.execPath, ["--input-type=module-typescript", "-e", script], { env: { PATH: directory } });
	expect(stdout).toBe(
		"python3 was not found: the sandbox needs Python 3.10 or newer with venv (on Debian: apt install python3-venv)\n",
	);
	await rm(directory, { recursive: true });
});
