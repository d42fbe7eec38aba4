import type { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import type { Region } from "../model/ids.ts";
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

const answered = new WeakMap<object, number>();

/** Notes of each answer of a client what AWS's clock said: to be asked with `answeredAt`. */
export function noteServerTime(client: SecretsManagerClient): void {
	client.middlewareStack.add(
		(next) => async (args) => {
			const result = await next(args);
			const told = Date.parse(dateOf(result.response) ?? "");
			if (!Number.isNaN(told)) answered.set(result.output, told);
			return result;
		},
		{ step: "initialize", name: "ecs-access-answered" },
	);
}

/** When AWS gave this answer, by its own clock, in milliseconds; whole seconds. Null: it was not noted. */
export function answeredAt(output: object): number | null {
	return answered.get(output) ?? null;
}

function dateOf(response: unknown): string | undefined {
	const { headers } = (response ?? {}) as { readonly headers?: Readonly<Record<string, string>> };
	return Object.entries(headers ?? {}).find(([name]) => name.toLowerCase() === "date")?.[1];
}
