import type { IncomingHttpHeaders } from "node:http";

/** What a request asks, read off the wire. */
export interface Call {
	/** Account of a SANDBOX key or of a key that AssumeRole gave out; else `other`. */
	readonly account: string;
	/** `iam:CreateRole`: signing name and operation. */
	readonly operation: string;
	readonly protocol: "query" | "json" | "rest";
	/** `RoleName` of an IAM call, for messages. */
	readonly roleName?: string;
}

const CREDENTIAL = /Credential=([^/,\s]+)\/[^/]+\/[^/]+\/([^/]+)\//;
const SANDBOX_KEY = /^SANDBOX(\d{12})$/;

/** The access key id by which `account` is meant. */
export function accessKeyOf(account: string): string {
	return `SANDBOX${account}`;
}

/** Scheduler is the only REST service that this product calls: enough to name its operations. */
const REST: readonly (readonly [method: string, path: RegExp, operation: string])[] = [
	["GET", /^\/schedules\/?$/, "ListSchedules"],
	["GET", /^\/schedules\/[^/]+$/, "GetSchedule"],
	["POST", /^\/schedules\/[^/]+$/, "CreateSchedule"],
	["PUT", /^\/schedules\/[^/]+$/, "UpdateSchedule"],
	["DELETE", /^\/schedules\/[^/]+$/, "DeleteSchedule"],
	["GET", /^\/schedule-groups\/?$/, "ListScheduleGroups"],
];

/** Names the call of a request. `assumed` maps access keys of assumed roles to accounts. */
export function identify(
	method: string,
	url: string,
	headers: IncomingHttpHeaders,
	body: Buffer,
	assumed: ReadonlyMap<string, string>,
): Call {
	const [, key = "", service = "unsigned"] = CREDENTIAL.exec(headers.authorization ?? "") ?? [];
	const account = SANDBOX_KEY.exec(key)?.[1] ?? assumed.get(key) ?? "other";
	const target = headers["x-amz-target"];
	if (typeof target === "string") {
		return { account, operation: `${service}:${target.slice(target.lastIndexOf(".") + 1)}`, protocol: "json" };
	}
	if (headers["content-type"]?.startsWith("application/x-www-form-urlencoded") === true) {
		const form = new URLSearchParams(body.toString());
		const roleName = form.get("RoleName");
		const operation = `${service}:${form.get("Action") ?? "?"}`;
		return { account, operation, protocol: "query", ...(roleName === null ? {} : { roleName }) };
	}
	const path = url.split("?", 1)[0] ?? url;
	const known = REST.find(([verb, pattern]) => verb === method && pattern.test(path));
	return { account, operation: `${service}:${known?.[2] ?? `${method} ${path}`}`, protocol: "rest" };
}

/** True for an operation that may change something. */
export function isWrite(operation: string): boolean {
	const name = operation.slice(operation.indexOf(":") + 1);
	return !/^(Get|List|Describe|BatchGet|Simulate|AssumeRole|Receive|Query|Scan|TransactGet|GET )/.test(name);
}

export interface ShapedError {
	readonly status: number;
	readonly headers: Readonly<Record<string, string>>;
	readonly body: string;
}

/** An error as the service of `call` would send it. */
export function shapedError(call: Call, status: number, code: string, message: string): ShapedError {
	if (call.protocol === "query") {
		const text = message.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
		const type = status < 500 ? "Sender" : "Receiver";
		const error = `<Error><Type>${type}</Type><Code>${code}</Code><Message>${text}</Message></Error>`;
		return {
			status,
			headers: { "content-type": "text/xml", "x-amzn-requestid": REQUEST_ID },
			body: `<ErrorResponse>${error}<RequestId>${REQUEST_ID}</RequestId></ErrorResponse>`,
		};
	}
	return {
		status,
		headers: { "content-type": "application/x-amz-json-1.1", "x-amzn-errortype": code, "x-amzn-requestid": REQUEST_ID },
		body: JSON.stringify({ __type: code, message }),
	};
}

/** Recognisable in a message: the proxy made this answer. */
const REQUEST_ID = "5a4db0c5-0000-4000-8000-000000000000";
