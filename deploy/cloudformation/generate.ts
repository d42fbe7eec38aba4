/** `npm run generate`: the templates, made from the code's own tables. With `--check` it writes nothing and fails when one is stale. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { stringify } from "yaml";
import { eventsTemplate } from "./events.ts";
import { hubTemplate } from "./hub.ts";
import { spokeTemplate } from "./spoke.ts";

const NOTE = "# Made by deploy/cloudformation/generate.ts (npm run generate); do not edit.\n";
const TEMPLATES = { "hub.yaml": hubTemplate, "spoke.yaml": spokeTemplate, "events.yaml": eventsTemplate };

const check = process.argv.includes("--check");
const stale: string[] = [];
for (const [name, template] of Object.entries(TEMPLATES)) {
	const path = join(import.meta.dirname, name);
	// AWS reads YAML 1.1, where OFF and yes are booleans.
	const text = `${NOTE}${stringify(template(), { aliasDuplicateObjects: false, compat: "yaml-1.1", lineWidth: 0 })}`;
	if (!check) writeFileSync(path, text);
	else if (!existsSync(path) || readFileSync(path, "utf8") !== text) stale.push(`deploy/cloudformation/${name}`);
}
if (stale.length > 0) {
	process.stderr.write(`stale: ${stale.join(", ")}; run npm run generate\n`);
	process.exitCode = 1;
}
