import { TerminalError } from "../model/errors.ts";
import type { Provider } from "../model/ports.ts";

/** Secrets that are rotated: what they are like, and each step of a rotation. */
export function createSecretProvider(): Provider<"secretsmanager.secret"> {
	return {
		type: "secretsmanager.secret",
		observe: async (targets) => targets.map((target) => ({ target, exists: false })),
		apply: async (step) => {
			throw new TerminalError("Refused", `will not ${step.call.api} on ${step.target.name}: nothing rotates secrets yet`);
		},
		listOwned: async function* () {},
	};
}
