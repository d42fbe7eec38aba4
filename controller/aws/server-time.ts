import type { Region } from "../model/ids.ts";
import { dateOf } from "./answered-at.ts";
import type { Credentials } from "./clients.ts";

/** A clock is asked, nothing else: whoever cannot answer in this time has none to speak of. */
const TIMEOUT_MS = 5_000;

/**
 * What AWS's clock says, in milliseconds, from the Date header of any answer of STS, a refusal among them; whole seconds.
 * Null where none came. It needs the header itself, which no output of the SDK holds.
 */
export async function serverTime(
	region: Region | null,
	credentials: () => Promise<Credentials>,
	signal: AbortSignal,
): Promise<number | null> {
	const sdk = await import("@aws-sdk/client-sts");
	const client = new sdk.STSClient({
		...(region !== null && { region }),
		credentials,
		maxAttempts: 1,
		requestHandler: { connectionTimeout: TIMEOUT_MS, requestTimeout: TIMEOUT_MS, throwOnRequestTimeout: true },
	});
	let date: string | undefined;
	client.middlewareStack.add(
		(next) => async (args) => {
			const result = await next(args);
			date = dateOf(result.response) ?? date;
			return result;
		},
		{ step: "deserialize", priority: "low", name: "ecs-access-date" },
	);
	try {
		await client.send(new sdk.GetCallerIdentityCommand({}), { abortSignal: signal });
	} catch (error) {
		if (signal.aborted) throw error;
	} finally {
		client.destroy();
	}
	const told = Date.parse(date ?? "");
	return Number.isNaN(told) ? null : told;
}
