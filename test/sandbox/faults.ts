import { type Call, isWrite, type ShapedError, shapedError } from "./wire.ts";

/**
 * - `throttle`, `serverError` (500), `unavailable` (503), `denied`, `expiredToken`: answered by the proxy, nothing is forwarded
 * - `reset`: the connection is cut, nothing is forwarded
 * - `hang`: no answer, ever, nothing is forwarded
 * - `lostAnswer`: forwarded and carried out, then the connection is cut
 */
export type FaultKind = "throttle" | "serverError" | "unavailable" | "denied" | "expiredToken" | "reset" | "hang" | "lostAnswer";

/** Which calls of an account are meant. */
export interface Match {
	/** `iam:PutRolePolicy`; `*` stands for any run of characters. Default: every call. */
	readonly operation?: string;
	/** Only calls that may change something. Default false. */
	readonly writes?: boolean;
	/** Leaves the first so many matching calls alone. Default 0. */
	readonly after?: number;
}

export interface Fault extends Match {
	readonly kind: FaultKind;
	/** How many matching calls it hits. Default: all. */
	readonly times?: number;
	/** 0 to 1: the share of matching calls that it hits. Default 1. */
	readonly probability?: number;
}

interface Armed {
	readonly account: string;
	readonly fault: Fault;
	readonly pattern: RegExp;
	seen: number;
	hits: number;
}

export interface Faults {
	add(account: string, fault: Fault): void;
	clear(account: string): void;
	/** The fault that befalls this call, if any. Counts the call. */
	next(call: Call): FaultKind | undefined;
}

/** The pattern of a glob whose only wildcard is `*`. */
export function glob(pattern: string): RegExp {
	return new RegExp(`^${pattern.replace(/[.+?^${}()|[\]\\]/g, "\\$&").replaceAll("*", ".*")}$`);
}

export function createFaults(random: () => number = Math.random): Faults {
	let armed: Armed[] = [];
	return {
		add(account, fault) {
			armed.push({ account, fault, pattern: glob(fault.operation ?? "*"), seen: 0, hits: 0 });
		},
		clear(account) {
			armed = armed.filter((one) => one.account !== account);
		},
		next(call) {
			for (const one of armed) {
				const { fault } = one;
				if (one.account !== call.account || !one.pattern.test(call.operation)) continue;
				if (fault.writes === true && !isWrite(call.operation)) continue;
				one.seen++;
				if (one.seen <= (fault.after ?? 0) || one.hits >= (fault.times ?? Number.POSITIVE_INFINITY)) continue;
				if (random() >= (fault.probability ?? 1)) continue;
				one.hits++;
				return fault.kind;
			}
			return undefined;
		},
	};
}

/** The answer of a fault that answers; undefined for those that cut or hang. */
export function faultAnswer(kind: FaultKind, call: Call, caller: string): ShapedError | undefined {
	const query = call.protocol === "query";
	switch (kind) {
		case "throttle":
			// IAM and STS say Throttling, not ThrottlingException (aws-facts §3.1).
			return query
				? shapedError(call, 400, "Throttling", "Rate exceeded")
				: shapedError(call, call.protocol === "rest" ? 429 : 400, "ThrottlingException", "Rate exceeded");
		case "serverError":
			return query
				? shapedError(call, 500, "ServiceFailure", "The request processing has failed because of an unknown error.")
				: shapedError(call, 500, "ServerException", "Service Unavailable. Please try again later.");
		case "unavailable":
			return shapedError(call, 503, query ? "ServiceUnavailable" : "ServiceUnavailableException", "Service Unavailable");
		case "expiredToken":
			return query
				? shapedError(call, 403, "ExpiredToken", "The security token included in the request is expired")
				: shapedError(call, 400, "ExpiredTokenException", "The security token included in the request is expired");
		case "denied": {
			const resource = call.roleName === undefined ? "*" : `role ${call.roleName}`;
			const { operation } = call;
			const message = `User: ${caller} is not authorized to perform: ${operation} on resource: ${resource} because no identity-based policy allows the ${operation} action`;
			return query ? shapedError(call, 403, "AccessDenied", message) : shapedError(call, 400, "AccessDeniedException", message);
		}
		case "reset":
		case "hang":
		case "lostAnswer":
			return undefined;
	}
}
