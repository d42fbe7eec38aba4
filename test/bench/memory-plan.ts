import { planAll } from "../../controller/engine/plan-all.ts";
import { digest } from "../../controller/model/digest.ts";
import type { PlanFile } from "../../controller/model/plan.ts";
import type { Artifact } from "../../controller/model/resource.ts";
import type { RoleState } from "../../controller/model/target.ts";
import { createCatalogue } from "../../controller/policy/catalogue.ts";
import { memoryAccount } from "./memory-account.ts";

export interface MemoryPlan {
	readonly file: PlanFile;
	readonly seconds: number;
	/** Of the main thread: what the wall clock would show on a machine with nothing else to do. */
	readonly cpuSeconds: number;
}

/**
 * Plans the `n` policies of `files` against an account in memory that holds `roles`. Throws where anything is wrong with
 * them: then it is not a plan that was measured.
 */
export async function planInMemory(
	account: string,
	n: number,
	files: ReadonlyMap<string, string>,
	roles: ReadonlyMap<string, RoleState>,
): Promise<MemoryPlan> {
	const artifact: Artifact = {
		revision: { kind: "directory", id: digest("fleet") },
		digest: digest("fleet"),
		root: "policies",
		files,
		source: "directory",
		partial: null,
	};
	const access = memoryAccount(account, n, roles);
	const began = performance.now();
	const cpuBegan = process.threadCpuUsage();
	const result = await planAll(
		{ artifact, request: { path: "policies", prune: false }, shown: true },
		{
			actions: createCatalogue(),
			access,
			self: async () => ({ accountId: account, region: "eu-west-1" }),
			store: null,
			clock: { now: () => "2026-10-01T12:00:00Z", millis: () => 0, sleep: async () => {} },
			progress: () => {},
		},
		new AbortController().signal,
	);
	const seconds = (performance.now() - began) / 1000;
	const cpu = process.threadCpuUsage(cpuBegan);
	const findings = result.file === null ? result.findings : [result.file, ...result.file.plans].flatMap((p) => p.findings);
	const mistake = findings.find((f) => f.severity === "error");
	if (result.file === null || mistake !== undefined) throw new Error(`the fleet is not what it should be: ${mistake?.message}`);
	return { file: result.file, seconds, cpuSeconds: (cpu.user + cpu.system) / 1e6 };
}
