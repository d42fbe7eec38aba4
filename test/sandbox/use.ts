import { inject } from "vitest";
import { connectSandbox, type Sandbox } from "./sandbox.ts";

/** The sandbox of this test run. */
export function useSandbox(): Sandbox {
	return connectSandbox(inject("sandboxEndpoint"));
}
