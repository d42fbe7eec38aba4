import { describe } from "vitest";
import { accountOf } from "../account.ts";
import { accessTo } from "../integration/aws/access.ts";
import { useSandbox } from "../sandbox/use.ts";
import { isWrite } from "../sandbox/wire.ts";
import { createMemoryWorld } from "./memory-world.ts";
import { INSTALLATION, type RoleWorld, roleProviderConforms } from "./provider.ts";

describe("roles in memory", () => {
	const world = createMemoryWorld("123456789012", INSTALLATION);
	roleProviderConforms(() => ({
		account: world.account,
		provider: world.provider,
		put: async (name, state) => void world.roles.set(name, state),
		writes: async () => world.written.length,
	}));
});

describe("roles in AWS", () => {
	const sandbox = useSandbox();
	const account = sandbox.newAccount();
	const world: RoleWorld = {
		account,
		provider: () => accessTo(sandbox, accountOf(account)).provider("iam.role"),
		put: async (name, state) => {
			await sandbox.seed(account, {
				roles: [
					{
						name,
						path: state.path,
						trust: state.trust,
						inline: state.inline,
						attached: state.managedPolicies,
						tags: state.tags,
						...(state.permissionsBoundary !== null && { boundary: state.permissionsBoundary }),
					},
				],
			});
		},
		writes: async () =>
			Object.entries(await sandbox.counts(account))
				.filter(([operation]) => isWrite(operation))
				.reduce((sum, [, n]) => sum + n, 0),
	};
	roleProviderConforms(() => world);
});
