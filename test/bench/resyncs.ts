/**
 * A controller at rest over `N` policies: resyncs `ROUNDS` times against an account in memory in which nothing is left to
 * do, and prints what the process holds after each, as JSON. `N FILE ROUNDS`, the file from `pure-plan.ts settle`.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createManager } from "../../controller/engine/manager.ts";
import { createPasses } from "../../controller/engine/pass.ts";
import type { Account } from "../../controller/model/account.ts";
import { digest } from "../../controller/model/digest.ts";
import type { AccountAccess, Provider } from "../../controller/model/ports.ts";
import type { Artifact } from "../../controller/model/resource.ts";
import type { RoleState, TargetType } from "../../controller/model/target.ts";
import { createCatalogue } from "../../controller/policy/catalogue.ts";
import { openStore } from "../../controller/store/sqlite.ts";
import { fleetSource } from "./fleet.ts";
import { memoryAccount, observedRole } from "./memory-account.ts";

export interface Resyncs {
	/** MiB resident after each resync. */
	readonly rssMiB: readonly number[];
	readonly heapMiB: readonly number[];
	readonly seconds: readonly number[];
	readonly withWork: number;
}

const ACCOUNT = "123456789012";
const [count, path = "", rounds = "20"] = process.argv.slice(2);
const n = Number(count);
const MiB = 1024 * 1024;
const clock = {
	now: () => new Date().toISOString().replace(/\.\d+Z$/, "Z"),
	millis: () => Date.now(),
	sleep: async () => {},
};
/** As the pages of a sweep hold them, which the product keeps for the time of one: text, parsed when it is asked for. */
const texts = new Map((JSON.parse(readFileSync(path, "utf8")) as [string, RoleState][]).map(([k, v]) => [k, JSON.stringify(v)]));
const rest = memoryAccount(ACCOUNT, n, new Map());
const roleOf = (name: string) => {
	const text = texts.get(name);
	return text === undefined ? undefined : observedRole(ACCOUNT, name, JSON.parse(text) as RoleState);
};
const roles: Provider<"iam.role"> = {
	type: "iam.role",
	observe: async (targets) => targets.map((target) => roleOf(target.name) ?? { target, exists: false }),
	listOwned: async function* () {
		for (const name of texts.keys()) {
			const role = roleOf(name);
			if (role !== undefined) yield role;
		}
	},
	apply: async () => {
		throw new Error("nothing is written here");
	},
};
const access = (account: Account): AccountAccess => {
	const made = rest(account);
	return {
		...made,
		provider: ((type: TargetType) => (type === "iam.role" ? roles : made.provider(type))) as typeof made.provider,
	};
};
const id = digest("fleet");
const artifact: Artifact = {
	revision: { kind: "directory", id },
	digest: id,
	root: "policies",
	files: fleetSource(ACCOUNT, n),
	source: "github.com/acme/access//policies",
	partial: null,
};
const folder = mkdtempSync(join(tmpdir(), "ecs-access-bench-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
const store = openStore({ path: join(folder, "state.sqlite") });
const actions = createCatalogue();
let withWork = 0;
const manager = createManager({
	source: { peek: async () => id, fetch: async () => artifact, fetchRevision: async () => artifact },
	actions,
	passes: createPasses({
		actions,
		access,
		store,
		shared: false,
		newStore: false,
		clock,
		reconcileId: () => "bench",
		leaseRemaining: () => 60_000,
	}),
	store,
	clock,
	random: Math.random,
	pollMs: 15_000,
	again: () => null,
	observe: (e) => {
		if (e.type === "resynced") withWork += e.withWork;
		if (e.type === "resyncFailed") throw e.error;
		if (e.type === "refused") throw new Error(e.message);
	},
});
const signal = new AbortController().signal;
await manager.poll(signal);
const [rssMiB, heapMiB, seconds]: [number[], number[], number[]] = [[], [], []];
for (let k = 0; k < Number(rounds); k++) {
	const began = performance.now();
	await manager.resync(signal);
	seconds.push((performance.now() - began) / 1000);
	rssMiB.push(process.memoryUsage().rss / MiB);
	heapMiB.push(process.memoryUsage().heapUsed / MiB);
}
const result: Resyncs = { rssMiB, heapMiB, seconds, withWork };
process.stdout.write(JSON.stringify(result));
