import { createAccountAccess, type ReadProgress } from "../../../controller/aws/account.ts";
import { type AwsShared, createAwsShared } from "../../../controller/aws/shared.ts";
import type { Account } from "../../../controller/model/account.ts";
import type { AccountAccess, Clock } from "../../../controller/model/ports.ts";
import type { Sandbox } from "../../sandbox/sandbox.ts";

const INSTALLATION = "main";

/** The real clock; sleeps a hundredth, so that a test of backing off takes no minute. */
const hurriedClock: Clock = {
	now: () => new Date().toISOString().replace(/\.\d+Z$/, "Z"),
	millis: () => Date.now(),
	sleep: (ms, signal) =>
		new Promise((resolve, reject) => {
			signal.throwIfAborted();
			const timer = setTimeout(resolve, ms / 100);
			signal.addEventListener("abort", () => {
				clearTimeout(timer);
				reject(signal.reason);
			});
		}),
};

/** One pass over a sandbox account, with credentials of `as` (default: the account's own). */
export function accessTo(
	sandbox: Sandbox,
	account: Account,
	more: {
		readonly as?: string;
		readonly cacheDir?: string;
		readonly clock?: Clock;
		readonly progress?: (p: ReadProgress) => void;
		readonly requestTimeout?: number;
	} = {},
): AccountAccess {
	process.env.AWS_ENDPOINT_URL = sandbox.endpoint;
	const clock = more.clock ?? hurriedClock;
	return createAccountAccess({
		account,
		installation: INSTALLATION,
		reconcileId: "test",
		revision: "3f2a91c",
		version: "0.0.0",
		clock,
		cacheDir: more.cacheDir ?? null,
		shared: sharedOf(sandbox, more.as ?? account.accountId ?? "", clock),
		random: () => 0.5,
		...(more.requestTimeout !== undefined && { requestTimeout: more.requestTimeout }),
		...(more.progress !== undefined && { progress: more.progress }),
	});
}

function sharedOf(sandbox: Sandbox, as: string, clock: Clock): AwsShared {
	const { credentials } = sandbox.config(as);
	return { ...createAwsShared(clock), credentials: async () => credentials };
}
