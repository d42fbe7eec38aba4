/** Starts a sandbox for the image: writes a repository into a folder, prints the environment on one line, and stays. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { documentText, policyText } from "../e2e/world.ts";
import { startSandbox } from "../sandbox/sandbox.ts";
import { serviceSeed, taskDefinitionSeed } from "../sandbox/seed-data.ts";

const folder = process.argv[2] ?? "";
const sandbox = await startSandbox();
const account = sandbox.newAccount();
await sandbox.seed(account, {
	clusters: [{ name: "prod" }],
	taskDefinitions: [taskDefinitionSeed("orders", {})],
	services: [serviceSeed("prod", "orders")],
});
mkdirSync(join(folder, "platform"), { recursive: true });
writeFileSync(join(folder, "platform/main.yaml"), documentText("Installation", "main", "{ mode: Enforce }"));
writeFileSync(
	join(folder, "platform/prod.yaml"),
	documentText("Account", "prod", `{ accountId: "${account}", region: eu-west-1 }`),
);
writeFileSync(join(folder, "orders.yaml"), policyText("orders"));
const env = Object.entries(sandbox.env(account)).filter(([, value]) => value !== "");
process.stdout.write(`${env.map(([name, value]) => `${name}=${value}`).join(" ")}\n`);
setInterval(() => {}, 60_000);
