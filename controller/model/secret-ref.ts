import type { SecretRef } from "./target.ts";

/**
 * The `valueFrom` of a task definition, taken apart (aws-facts §4.3). What git wants has the same form, with an ARN whose
 * suffix may be missing, so that wanted and live are compared part by part and a wanted one can be written as it is.
 */
export interface SecretParts {
	readonly store: "secret" | "parameter";
	/** Null: a parameter given by its name, which lies where the task runs. */
	readonly partition: string | null;
	readonly region: string | null;
	readonly account: string | null;
	/** Of a secret: with its six-character suffix where it is written; of a parameter: without a leading slash. */
	readonly name: string;
	readonly jsonKey: string | null;
	/** A pinned version: such a secret is never refreshed by a restart. */
	readonly versionStage: string | null;
	readonly versionId: string | null;
}

/** Null: neither a secret nor a parameter. */
export function parseSecretRef(text: SecretRef): SecretParts | null {
	if (!text.startsWith("arn:")) {
		if (text === "" || text.includes(":")) return null;
		const at = { partition: null, region: null, account: null };
		return { store: "parameter", ...at, name: text.replace(/^\//, ""), jsonKey: null, versionStage: null, versionId: null };
	}
	const [, partition = "", service, region = "", account = "", ...rest] = text.split(":");
	const place = { partition, region, account };
	if (service === "ssm") {
		const name = /^parameter\/?(.+)$/.exec(rest.join(":"))?.[1];
		if (name === undefined) return null;
		return { store: "parameter", ...place, name, jsonKey: null, versionStage: null, versionId: null };
	}
	const [type, name, jsonKey, stage, id, ...more] = rest;
	if (service !== "secretsmanager" || type !== "secret" || name === undefined || name === "" || more.length > 0) return null;
	return { store: "secret", ...place, name, jsonKey: jsonKey || null, versionStage: stage || null, versionId: id || null };
}

/** `arn:…:secret:NAME`, with `:KEY::` where one key is taken. */
export function formatSecretRef(parts: {
	readonly store: "secret" | "parameter";
	readonly partition: string;
	readonly region: string;
	readonly account: string;
	readonly name: string;
	readonly jsonKey: string | null;
}): SecretRef {
	const at = `${parts.region}:${parts.account}`;
	if (parts.store === "parameter") return `arn:${parts.partition}:ssm:${at}:parameter/${parts.name.replace(/^\//, "")}`;
	const key = parts.jsonKey === null ? "" : `:${parts.jsonKey}::`;
	return `arn:${parts.partition}:secretsmanager:${at}:secret:${parts.name}${key}`;
}

export interface SecretMatch {
	readonly matches: boolean;
	/** The live one names a version: right today, and never refreshed. */
	readonly pinned: boolean;
}

/**
 * Whether what the task definition injects is what git wants. A suffix that one side does not write is not compared; a
 * parameter without an ARN lies in the region and account of the task.
 */
export function matchSecretRef(
	wanted: SecretRef,
	live: SecretRef,
	task: { readonly region: string; readonly account: string },
): SecretMatch {
	const w = parseSecretRef(wanted);
	const l = parseSecretRef(live);
	if (w === null || l === null) return { matches: wanted === live, pinned: false };
	const matches = isSame(w, l, task) && w.jsonKey === l.jsonKey;
	return { matches, pinned: l.versionStage !== null || l.versionId !== null };
}

/** Whether two references speak of one secret or parameter, whatever key and version of it. */
export function sameSecret(a: SecretRef, b: SecretRef, task: { readonly region: string; readonly account: string }): boolean {
	const [x, y] = [parseSecretRef(a), parseSecretRef(b)];
	return x !== null && y !== null && isSame(x, y, task);
}

function isSame(a: SecretParts, b: SecretParts, task: { readonly region: string; readonly account: string }): boolean {
	return (
		a.store === b.store &&
		(a.region ?? task.region) === (b.region ?? task.region) &&
		(a.account ?? task.account) === (b.account ?? task.account) &&
		(a.partition === null || b.partition === null || a.partition === b.partition) &&
		sameName(a, b)
	);
}

/** Secrets Manager adds a dash and six random characters to the name (aws-facts §4.3). */
const SUFFIX = /-[A-Za-z0-9]{6}$/;

function sameName(a: SecretParts, b: SecretParts): boolean {
	if (a.name === b.name) return true;
	if (a.store !== "secret") return false;
	const withoutA = a.name.replace(SUFFIX, "");
	const withoutB = b.name.replace(SUFFIX, "");
	return withoutA === b.name || a.name === withoutB;
}
