import type { TestProject } from "vitest/node";
import { startSandbox } from "./sandbox.ts";

declare module "vitest" {
	interface ProvidedContext {
		readonly sandboxEndpoint: string;
	}
}

/** One sandbox for all test files; each takes accounts of its own from it (`useSandbox().newAccount()`). */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
	const sandbox = await startSandbox();
	project.provide("sandboxEndpoint", sandbox.endpoint);
	return sandbox.stop;
}
