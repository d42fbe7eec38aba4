import type { Sandbox } from "../sandbox/sandbox.ts";
import { fleetSource, fleetWithoutRoles, rolesAfter, seedOf } from "./fleet.ts";
import { planInMemory } from "./memory-plan.ts";

/**
 * Fills `account` with `n` services and all that the policies of `fleetSource` say of them: the roles are as a plan would
 * leave them, since it is reading that is measured. Returns those policies, by path.
 */
export async function settleFleet(sandbox: Sandbox, account: string, n: number): Promise<ReadonlyMap<string, string>> {
	const files = fleetSource(account, n);
	const { file } = await planInMemory(account, n, files, new Map());
	const { roles = [], ...rest } = fleetWithoutRoles(account, n);
	const settled = [...rolesAfter(file.plans)].map(([name, state]) => seedOf(name, state));
	await sandbox.seed(account, { ...rest, roles: [...roles, ...settled] });
	return files;
}
