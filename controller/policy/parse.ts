import type { PolicyDocument, Statement } from "./document.ts";
import { InvalidDocumentError, parseJson, position } from "./json.ts";

/** `identity`: what a role carries. `trust`: who may assume it. `any`: either, or a policy of a resource. */
export type DocumentKind = "identity" | "trust" | "any";

/** U+0009, 000A, 000D, 0020-00FF (aws-facts §1.1). */
const FORBIDDEN = /[^\t\n\r\u0020-\u00ff]/u;

const ELEMENTS = new Set([
	"Sid",
	"Effect",
	"Principal",
	"NotPrincipal",
	"Action",
	"NotAction",
	"Resource",
	"NotResource",
	"Condition",
]);
const PRINCIPALS = new Set(["AWS", "Service", "Federated", "CanonicalUser"]);

/**
 * A policy document from its JSON text, strict where IAM is: characters, duplicate keys, the grammar of the elements
 * (IAM User Guide, "Grammar of the IAM JSON policy language"). Throws InvalidDocumentError.
 */
export function parsePolicyDocument(text: string, options: { readonly kind?: DocumentKind } = {}): PolicyDocument {
	const bad = FORBIDDEN.exec(text);
	if (bad !== null) {
		throw new InvalidDocumentError(`IAM does not accept the character ${codePoint(bad[0])}, ${position(text, bad.index)}`);
	}
	return toPolicyDocument(parseJson(text), options.kind ?? "any");
}

/** The same from a value that is parsed already, decoded from AWS or built. Throws InvalidDocumentError. */
export function toPolicyDocument(value: unknown, kind: DocumentKind = "any"): PolicyDocument {
	const doc = object(value, "the document");
	for (const key of Object.keys(doc)) {
		if (key !== "Version" && key !== "Id" && key !== "Statement") fail("the document", `unknown element ${quoted(key)}`);
	}
	const { Version, Id } = doc;
	if (Version !== undefined && Version !== "2008-10-17" && Version !== "2012-10-17") {
		fail("Version", `expected "2012-10-17" or "2008-10-17", got ${quoted(Version)}`);
	}
	if (doc.Statement === undefined) fail("the document", "Statement is missing");
	const many = Array.isArray(doc.Statement);
	const values: readonly unknown[] = Array.isArray(doc.Statement) ? doc.Statement : [doc.Statement];
	if (values.length === 0) fail("Statement", "at least one statement is needed");
	const statements = values.map((s, i) => toStatement(s, many ? `Statement[${i}]` : "Statement", kind));
	const sids = new Set<string>();
	for (const { Sid } of statements) {
		if (Sid === undefined || Sid === "") continue;
		if (sids.has(Sid)) fail("Statement", `the Sid ${quoted(Sid)} stands twice`);
		sids.add(Sid);
	}
	return {
		...(Version !== undefined && { Version: text(Version, "Version") }),
		...(Id !== undefined && { Id: text(Id, "Id") }),
		Statement: statements,
	};
}

function toStatement(value: unknown, at: string, kind: DocumentKind): Statement {
	const s = object(value, at);
	for (const key of Object.keys(s)) {
		if (!ELEMENTS.has(key)) fail(at, `unknown element ${quoted(key)}`);
	}
	if (s.Sid !== undefined) text(s.Sid, `${at}.Sid`);
	if (s.Effect === undefined) fail(at, "Effect is missing");
	if (s.Effect !== "Allow" && s.Effect !== "Deny") {
		fail(`${at}.Effect`, `expected "Allow" or "Deny", got ${quoted(s.Effect)}`);
	}
	oneOf(s, "Action", "NotAction", at, "required");
	oneOf(s, "Resource", "NotResource", at, kind === "identity" ? "required" : kind === "trust" ? "forbidden" : "optional");
	oneOf(s, "Principal", "NotPrincipal", at, kind === "trust" ? "required" : kind === "identity" ? "forbidden" : "optional");
	for (const element of ["Action", "NotAction"]) {
		for (const [action, where] of texts(s[element], `${at}.${element}`)) {
			if (action !== "*" && !/^[^\s:]+:[^\s:]+$/.test(action)) {
				fail(where, `expected "*" or "service:action", got ${quoted(action)}`);
			}
		}
	}
	for (const element of ["Resource", "NotResource"]) {
		for (const [resource, where] of texts(s[element], `${at}.${element}`)) {
			if (kind === "identity" && !/^(\*$|arn:|\$\{)/.test(resource))
				fail(where, `expected "*" or an ARN, got ${quoted(resource)}`);
		}
	}
	for (const element of ["Principal", "NotPrincipal"]) principal(s[element], `${at}.${element}`, kind);
	condition(s.Condition, `${at}.Condition`);
	// Checked element by element just above.
	return s as unknown as Statement;
}

function oneOf(
	s: Readonly<Record<string, unknown>>,
	element: string,
	not: string,
	at: string,
	need: "required" | "optional" | "forbidden",
): void {
	const given = [element, not].filter((e) => s[e] !== undefined);
	if (given.length === 2) fail(at, `${element} and ${not} exclude each other`);
	if (given.length === 0 && need === "required") fail(at, `${element} or ${not} is missing`);
	if (given.length === 1 && need === "forbidden") {
		fail(
			at,
			`${given[0]} has no place here: ${element === "Principal" ? "a role's own policy names no principal" : "a trust policy names no resource"}`,
		);
	}
}

function* texts(value: unknown, at: string): Generator<readonly [string, string]> {
	if (value === undefined) return;
	if (Array.isArray(value) && value.length === 0) fail(at, "the list is empty");
	if (!Array.isArray(value)) return yield [nonEmpty(value, at), at];
	for (const [i, v] of value.entries()) yield [nonEmpty(v, `${at}[${i}]`), `${at}[${i}]`];
}

function principal(value: unknown, at: string, kind: DocumentKind): void {
	if (value === undefined || value === "*") return;
	if (typeof value === "string") fail(at, `expected "*" or an object, got ${quoted(value)}`);
	const entries = Object.entries(object(value, at));
	// An empty principal is nobody, never everybody; outside of a trust policy it is let through to be compared as that.
	if (entries.length === 0 && kind === "trust") fail(at, "names nobody");
	for (const [type, ids] of entries) {
		if (!PRINCIPALS.has(type)) fail(at, `unknown kind of principal ${quoted(type)}`);
		if (Array.isArray(ids) && ids.length === 0 && kind !== "trust") continue;
		for (const _ of texts(ids, `${at}.${type}`));
	}
}

function condition(value: unknown, at: string): void {
	if (value === undefined) return;
	for (const [operator, keys] of Object.entries(object(value, at))) {
		if (!/^(For(All|Any)Values?:)?[A-Za-z]+$/.test(operator)) fail(at, `expected an operator, got ${quoted(operator)}`);
		for (const [key, values] of Object.entries(object(keys, `${at}.${operator}`))) {
			if (key === "") fail(`${at}.${operator}`, "a condition key is empty");
			nonEmpty(key, `${at}.${operator}`);
			for (const v of Array.isArray(values) ? values : [values]) {
				if (typeof v === "number" || typeof v === "boolean") continue;
				text(v, `${at}.${operator}.${key}`);
			}
		}
	}
}

function object(value: unknown, at: string): Readonly<Record<string, unknown>> {
	if (value === null || typeof value !== "object" || Array.isArray(value)) fail(at, `expected an object, got ${quoted(value)}`);
	return value as Readonly<Record<string, unknown>>;
}

function text(value: unknown, at: string): string {
	if (typeof value !== "string") fail(at, `expected a string, got ${quoted(value)}`);
	const bad = FORBIDDEN.exec(value);
	if (bad !== null) fail(at, `IAM does not accept the character ${codePoint(bad[0])} in ${quoted(value)}`);
	return value;
}

function nonEmpty(value: unknown, at: string): string {
	const s = text(value, at);
	if (s === "") fail(at, "the string is empty");
	return s;
}

function fail(at: string, why: string): never {
	throw new InvalidDocumentError(`${at}: ${why}`);
}

function codePoint(char: string): string {
	return `U+${(char.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}`;
}

/** Short, on one line. What is nested is not written out: it may be nested without end. */
function quoted(value: unknown): string {
	if (Array.isArray(value)) return value.length === 0 ? "an empty list" : "a list";
	if (value !== null && typeof value === "object") return "an object";
	const s = JSON.stringify(value) ?? String(value);
	return s.length > 80 ? `${s.slice(0, 77)}…` : s;
}
