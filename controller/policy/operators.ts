/** The condition operators of IAM, taken apart. Source: IAM User Guide, "IAM JSON policy elements: Condition operators". */

/** How one value of the request is held against one value of the policy. */
type Test = "equals" | "equalsIgnoreCase" | "like" | "arn" | "number" | "date" | "bool" | "binary" | "ip";

/** For numbers and dates. */
type Order = "=" | "<" | "<=" | ">" | ">=";

export interface Operator {
	readonly test: Test | "null";
	readonly order: Order;
	readonly negated: boolean;
	readonly ifExists: boolean;
	readonly each: "all" | "any" | null;
}

const BASE: Readonly<Record<string, readonly [Test | "null", negated: boolean, Order]>> = {
	StringEquals: ["equals", false, "="],
	StringNotEquals: ["equals", true, "="],
	StringEqualsIgnoreCase: ["equalsIgnoreCase", false, "="],
	StringNotEqualsIgnoreCase: ["equalsIgnoreCase", true, "="],
	StringLike: ["like", false, "="],
	StringNotLike: ["like", true, "="],
	// The two ARN operators behave the same, wildcards included.
	ArnEquals: ["arn", false, "="],
	ArnLike: ["arn", false, "="],
	ArnNotEquals: ["arn", true, "="],
	ArnNotLike: ["arn", true, "="],
	NumericEquals: ["number", false, "="],
	NumericNotEquals: ["number", true, "="],
	NumericLessThan: ["number", false, "<"],
	NumericLessThanEquals: ["number", false, "<="],
	NumericGreaterThan: ["number", false, ">"],
	NumericGreaterThanEquals: ["number", false, ">="],
	DateEquals: ["date", false, "="],
	DateNotEquals: ["date", true, "="],
	DateLessThan: ["date", false, "<"],
	DateLessThanEquals: ["date", false, "<="],
	DateGreaterThan: ["date", false, ">"],
	DateGreaterThanEquals: ["date", false, ">="],
	Bool: ["bool", false, "="],
	BinaryEquals: ["binary", false, "="],
	IpAddress: ["ip", false, "="],
	NotIpAddress: ["ip", true, "="],
	Null: ["null", false, "="],
};

/** Null: not an operator that is known here, so nothing may be concluded from it. */
export function operator(written: string): Operator | null {
	const m = /^(?:For(All|Any)Values?:)?([A-Za-z]+?)(IfExists)?$/.exec(written);
	if (m === null) return null;
	const [, each, name = "", ifExists] = m;
	const base = Object.hasOwn(BASE, name) ? BASE[name] : undefined;
	if (base === undefined || (name === "Null" && (ifExists !== undefined || each !== undefined))) return null;
	const [test, negated, order] = base;
	return { test, negated, order, ifExists: ifExists !== undefined, each: each === "All" ? "all" : each === "Any" ? "any" : null };
}

/** Seconds or an ISO 8601 date, in milliseconds; null: neither. */
export function instantOf(text: string): number | null {
	if (/^-?[0-9]+(\.[0-9]+)?$/.test(text)) return Number(text) * 1000;
	if (!/^[0-9]{4}(-[0-9]{2}(-[0-9]{2}(T[0-9:.]+(Z|[+-][0-9:]+)?)?)?)?$/.test(text)) return null;
	// Without a zone it is UTC.
	const ms = Date.parse(/T/.test(text) && !/(Z|[+-][0-9:]+)$/.test(text.slice(10)) ? `${text}Z` : text);
	return Number.isNaN(ms) ? null : ms;
}

export function numberOf(text: string): number | null {
	return /^[+-]?[0-9]+(\.[0-9]+)?$/.test(text.trim()) ? Number(text) : null;
}

interface Network {
	readonly bits: 32 | 128;
	readonly address: bigint;
	readonly prefix: number;
}

/** An address or a CIDR block of IPv4 or IPv6; null: neither. */
export function networkOf(text: string): Network | null {
	const m = /^([0-9a-fA-F:.]+)(?:\/([0-9]{1,3}))?$/.exec(text);
	if (m === null) return null;
	const [, host = "", length] = m;
	const v4 = host.includes(":") ? null : octets(host);
	const address = v4 ?? (host.includes(":") ? groups(host) : null);
	if (address === null) return null;
	const bits = v4 === null ? 128 : 32;
	const prefix = length === undefined ? bits : Number(length);
	return prefix > bits ? null : { bits, address, prefix };
}

export function inNetwork(outer: Network, inner: Network): boolean {
	if (outer.bits !== inner.bits || inner.prefix < outer.prefix) return false;
	const shift = BigInt(outer.bits - outer.prefix);
	return outer.address >> shift === inner.address >> shift;
}

function octets(host: string): bigint | null {
	const parts = host.split(".");
	if (parts.length !== 4 || parts.some((p) => !/^[0-9]{1,3}$/.test(p) || Number(p) > 255)) return null;
	return parts.reduce((sum, p) => (sum << 8n) | BigInt(p), 0n);
}

function groups(host: string): bigint | null {
	const halves = host.split("::");
	if (halves.length > 2) return null;
	const [head = [], tail = []] = halves.map((h) => (h === "" ? [] : h.split(":")));
	const missing = 8 - head.length - tail.length;
	if (halves.length === 2 ? missing < 1 : missing !== 0) return null;
	const parts = [...head, ...Array.from({ length: missing }, () => "0"), ...tail];
	if (parts.some((p) => !/^[0-9a-fA-F]{1,4}$/.test(p))) return null;
	return parts.reduce((sum, p) => (sum << 16n) | BigInt(`0x${p}`), 0n);
}
