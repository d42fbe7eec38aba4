/**
 * The pure part of a plan in a process of its own, cold: parse, validate, expand, diff, check. `settle N FILE` writes the
 * roles of an account in which nothing is left to do; `plan N FILE PERCENT` plans against them, with so many of a hundred
 * policies' roles changed by hand, and prints what it took as JSON.
 */
import { readFileSync, writeFileSync } from "node:fs";
import type { RoleState } from "../../controller/model/target.ts";
import { toPolicyDocument } from "../../controller/policy/parse.ts";
import { fleetName } from "../sandbox/fleet.ts";
import { seedDocument } from "../sandbox/seed-data.ts";
import { fleetSource, rolesAfter } from "./fleet.ts";
import { planInMemory } from "./memory-plan.ts";

export interface PurePlan {
	readonly seconds: number;
	readonly cpuSeconds: number;
	readonly peakMiB: number;
	readonly steps: number;
	/** Policies in which there is nothing to do. */
	readonly unchanged: number;
}

const ACCOUNT = "123456789012";
const [mode, count, path = "", percent = "0"] = process.argv.slice(2);
const n = Number(count);
const files = fleetSource(ACCOUNT, n);

if (mode === "settle") {
	const { file } = await planInMemory(ACCOUNT, n, files, new Map());
	writeFileSync(path, JSON.stringify([...rolesAfter(file.plans)]));
} else {
	const settled = new Map(JSON.parse(readFileSync(path, "utf8")) as [string, RoleState][]);
	const { file, seconds, cpuSeconds } = await planInMemory(ACCOUNT, n, files, changed(settled, Number(percent)));
	const result: PurePlan = {
		seconds,
		cpuSeconds,
		peakMiB: process.resourceUsage().maxRSS / 1024,
		steps: file.plans.reduce((sum, p) => sum + p.steps.length, 0),
		unchanged: file.plans.filter((p) => p.steps.length === 0).length,
	};
	process.stdout.write(JSON.stringify(result));
}

/** By hand: a rogue inline policy, a statement taken out of the document, an execution role deleted, in turn. */
function changed(settled: ReadonlyMap<string, RoleState>, percentage: number): ReadonlyMap<string, RoleState> {
	const roles = new Map(settled);
	for (let k = 0; k < (n * percentage) / 100; k++) {
		const name = fleetName(Math.floor((k * 100) / percentage));
		const task = roles.get(`${name}-task`);
		if (task === undefined) throw new Error(`no role ${name}-task`);
		if (k % 3 === 0) {
			const rogue = toPolicyDocument(seedDocument({ Effect: "Allow", Action: "s3:*", Resource: "*" }));
			roles.set(`${name}-task`, { ...task, inline: { ...task.inline, rogue } });
		} else if (k % 3 === 1) {
			const inline = Object.entries(task.inline).map(([key, d]) => [key, { ...d, Statement: d.Statement.slice(1) }]);
			roles.set(`${name}-task`, { ...task, inline: Object.fromEntries(inline) });
		} else {
			roles.delete(`${name}-execution`);
		}
	}
	return roles;
}
