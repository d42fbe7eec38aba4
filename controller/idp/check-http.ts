import type { HttpCheck } from "../model/oauth-client.ts";
import { failureCode } from "./http.ts";

const TIMEOUT_MILLISECONDS = 10_000;

/**
 * GETs an address once, without credentials and without following a redirect, and looks at the status alone. Null: as
 * expected; else words such as `https://orders.internal/healthz answered 503, and 200 was expected`. Nothing is thrown but
 * the reason of an abort. Query and credentials of the address are in no words.
 */
export async function checkHttp(
	check: HttpCheck,
	signal: AbortSignal,
	timeoutMilliseconds = TIMEOUT_MILLISECONDS,
): Promise<string | null> {
	const url = URL.parse(check.url);
	if (url === null || !/^https?:$/.test(url.protocol)) return "the address to check is no http or https URL";
	if (url.username !== "" || url.password !== "") return "the address to check holds credentials, which are not sent";
	const shown = `${url.origin}${url.pathname}`;
	try {
		const within = AbortSignal.any([signal, AbortSignal.timeout(timeoutMilliseconds)]);
		const response = await fetch(url, { redirect: "manual", signal: within });
		await response.body?.cancel();
		return response.status === check.expectStatus
			? null
			: `${shown} answered ${response.status}, and ${check.expectStatus} was expected`;
	} catch (thrown) {
		signal.throwIfAborted();
		return `${shown} did not answer: ${failureCode(thrown)}`;
	}
}
