import type { ConsumerWanted, RotationWanted } from "../../model/rotation.ts";

/** What `spec.consumers` says; the schema leaves it open, since it is a word or a list. */
export type ConsumersSpec =
	| { readonly wanted: RotationWanted["consumers"] }
	| { readonly fault: string; readonly at: number | null };

/** Variables are not filled in yet. */
const VARIABLE = "\\$\\{[^}:]+\\}";
const RULE_ARN = new RegExp(
	`^arn:(?:[a-z-]+|${VARIABLE}):elasticloadbalancing:(?:[a-z0-9-]+|${VARIABLE}):(?:[0-9]{12}|${VARIABLE}):listener-rule/.+$`,
);
/** Of a cluster and a service, as in an AccessPolicy. */
const NAME = /^[A-Za-z0-9_${}.-]{1,255}$/;

/** A list of listener rules alone leaves services to be found. */
export function readConsumers(value: unknown): ConsumersSpec {
	if (value === undefined || value === "Auto") return { wanted: { auto: true, named: [] } };
	if (!Array.isArray(value)) return { fault: `consumers is ${JSON.stringify(value)}, it must be Auto or a list`, at: null };
	if (value.length === 0) return { fault: "consumers is an empty list", at: null };
	const named: ConsumerWanted[] = [];
	for (const [at, entry] of value.entries()) {
		const read = readConsumer(entry);
		if (typeof read === "string") return { fault: read, at };
		named.push(read);
	}
	return { wanted: { auto: !named.some((c) => "service" in c), named } };
}

function readConsumer(value: unknown): ConsumerWanted | string {
	const entry = typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
	const keys = Object.keys(entry);
	const { listenerRule, cluster, service, refresh = "Restart" } = entry;
	if (keys.length === 1 && typeof listenerRule === "string") {
		return RULE_ARN.test(listenerRule) ? { listenerRule } : `"${listenerRule}" is not the ARN of a listener rule`;
	}
	const unknown = keys.find((k) => !["cluster", "service", "refresh"].includes(k));
	if (unknown !== undefined) return `a consumer has no field "${unknown}": { cluster, service, refresh } or { listenerRule }`;
	if (typeof cluster !== "string" || typeof service !== "string" || cluster === "" || service === "")
		return "a consumer is { cluster, service, refresh } or { listenerRule }";
	const wrong = [cluster, service].find((name) => !NAME.test(name));
	if (wrong !== undefined) return `"${wrong}" is not the name of a cluster or service`;
	if (refresh !== "Restart" && refresh !== "Self") return `refresh is ${JSON.stringify(refresh)}, it must be Restart or Self`;
	return { cluster, service, refresh };
}
