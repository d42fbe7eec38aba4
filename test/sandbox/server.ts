/**
 * The sandbox's own process, started by `startSandbox`: moto behind the proxy. Prints one JSON line with the endpoint and ends,
 * and moto with it, when its standard input closes: whatever ends the parent, nothing is left running.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, openSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { createProxy } from "./proxy.ts";
import { sandboxDirectory, sandboxPython } from "./venv.ts";

process.stdin.resume();
process.stdin.on("close", () => process.exit(0));
// Ctrl-C reaches the whole process group; the parent decides when we end.
process.on("SIGINT", () => {});

const python = await sandboxPython();
const logs = join(sandboxDirectory, "logs");
mkdirSync(logs, { recursive: true });
const log = join(logs, `moto-${process.pid}.log`);
const moto = spawn(python, ["-m", "launcher"], {
	cwd: fileURLToPath(new URL(".", import.meta.url)),
	stdio: ["pipe", "pipe", openSync(log, "w")],
	// Nothing of the user's AWS set-up may reach moto; compiled files stay out of the tree.
	env: { PATH: process.env.PATH, PYTHONPYCACHEPREFIX: join(sandboxDirectory, "pycache"), AWS_CONFIG_FILE: "/dev/null" },
});
if (moto.stdout === null) throw new Error("moto has no output");
moto.on("exit", (code) => {
	process.stderr.write(`sandbox: moto ended with code ${code}, see ${log}\n`);
	process.exit(1);
});
const [line] = (await once(createInterface(moto.stdout), "line")) as [string];
const { port } = JSON.parse(line) as { port: number };

const proxy = createProxy(port);
proxy.listen(0, "127.0.0.1");
await once(proxy, "listening");
const { port: own } = proxy.address() as AddressInfo;
process.stdout.write(`${JSON.stringify({ endpoint: `http://127.0.0.1:${own}`, log })}\n`);
