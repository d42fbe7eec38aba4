import { Ajv, type ErrorObject, type ValidateFunction } from "ajv";
import { didYouMean } from "../model/nearest.ts";
import type { FieldPath } from "../model/resource.ts";
import { DEFINITIONS, KIND_SCHEMAS } from "./generated/schemas.ts";
import type { Part } from "./yaml.ts";

/** What is wrong with one field, without a place yet. */
export interface Fault {
	readonly id: string;
	readonly message: string;
	readonly fix?: string;
	readonly path: FieldPath;
	readonly part: Part;
}

/** The text of a value as it stands in the file, so that a number that should be quoted can be shown with its zeros. */
export type RawText = (path: FieldPath) => string;

const RFC3339 =
	/^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d+)?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)$/;
const METADATA = {
	type: "object",
	required: ["name"],
	additionalProperties: false,
	properties: {
		name: { type: "string", pattern: "^[a-z0-9]([a-z0-9-]*[a-z0-9])?$", maxLength: 63 },
		labels: { type: "object", additionalProperties: { type: "string" } },
		annotations: { type: "object", additionalProperties: { type: "string" } },
	},
};

/** What a pattern asks for, in words; a pattern without words is shown itself. */
const PATTERN_WORDS: readonly (readonly [pattern: string, words: string])[] = [
	["^[a-z0-9]([a-z0-9-]*[a-z0-9])?$", "lower-case letters, digits and dashes, e.g. orders-api"],
	["^[0-9]{12}$", "twelve digits"],
	["^[1-9][0-9]*(m|h|d)$", "a duration, e.g. 30m, 12h or 14d"],
	["^[1-9][0-9]*(s|m|h|d)$", "a duration, e.g. 30s, 10m, 12h or 14d"],
	["^[a-z]{2,5}(-[a-z]+)+-[0-9]+$", "a region, e.g. eu-west-1"],
	["^[A-Za-z0-9]*$", "letters and digits only"],
	["^sha256:[0-9a-f]{64}$", "the full digest that plan shows: sha256: and 64 hex digits"],
	["^[A-Za-z0-9_${}.-]{1,255}$", "up to 255 letters, digits, dashes and underscores; wildcards are not possible here"],
	["^[A-Za-z0-9_-]{1,255}$", "up to 255 letters, digits, dashes and underscores"],
	["^arn:[a-z-]+:iam::[0-9]{12}:role/.+$", "the ARN of a role"],
	["^arn:[a-z-]+:iam::[0-9]{12}:(role|user)/.+$", "the ARN of a role or user"],
	["^arn:[a-z-]+:iam::([0-9]{12}|aws):policy/.+$", "the ARN of a managed policy"],
	["^/([\\x21-\\x7E]+/)?$", "/, or a path that begins and ends with /"],
	["^sts:[A-Za-z]+$", "an action of sts, e.g. sts:AssumeRole"],
	[
		"^dynamodb://[a-zA-Z0-9_.-]{3,255}(\\?region=[a-z]{2,5}(-[a-z]+)+-[0-9]+)?$",
		"dynamodb:// and the name of a table, and if need be ?region=eu-west-1",
	],
	["^[^:]+$", "a key without a colon"],
];

let ajv: Ajv | null = null;
const compiled = new Map<string, ValidateFunction>();

/** Compiled at first use: a command that reads no documents pays nothing. */
function validator(name: string): ValidateFunction {
	const known = compiled.get(name);
	if (known !== undefined) return known;
	ajv ??= new Ajv({
		allErrors: true,
		verbose: true,
		strict: false,
		// Its optimiser takes longer than it saves: half of the compilation, and nothing that shows over thousands of documents.
		code: { optimize: false },
		formats: { "date-time": (v: string) => RFC3339.test(v) && !Number.isNaN(Date.parse(v)) },
		schemas: [{ $id: "specs", $defs: DEFINITIONS }],
	});
	const made = ajv.compile(name === "metadata" ? METADATA : { $ref: `specs#/$defs/${name}` });
	compiled.set(name, made);
	return made;
}

export function metadataFaults(value: unknown, kind: string, raw: RawText): readonly Fault[] {
	return faults(validator("metadata"), value, ["metadata"], kind, raw);
}

export function specFaults(value: unknown, kind: string, raw: RawText): readonly Fault[] {
	const schema = KIND_SCHEMAS.find((k) => k.kind === kind);
	return schema === undefined ? [] : faults(validator(schema.spec), value, ["spec"], kind, raw);
}

function faults(validate: ValidateFunction, value: unknown, base: FieldPath, kind: string, raw: RawText): readonly Fault[] {
	if (validate(value)) return [];
	return (validate.errors ?? []).map((e) => faultOf(e, base, kind, raw));
}

function faultOf(e: ErrorObject, base: FieldPath, kind: string, raw: RawText): Fault {
	const path = [...base, ...pointer(e.instancePath)];
	const where = fieldText(kind, path);
	const name = String(path.at(-1));
	switch (e.keyword) {
		case "additionalProperties": {
			const field = String(e.params.additionalProperty);
			const known = Object.keys((e.parentSchema as { properties?: object } | undefined)?.properties ?? {});
			const fix = didYouMean(field, known) ?? `known fields: ${known.join(", ")}`;
			return { id: "UnknownField", message: `unknown field "${field}" in ${where}`, fix, path: [...path, field], part: "key" };
		}
		case "required": {
			const field = String(e.params.missingProperty);
			return { id: "MissingField", message: `${where} needs the field "${field}"`, path, part: "key" };
		}
		case "enum": {
			const allowed = (e.params.allowedValues as readonly unknown[]).map(String);
			const message = `${where} is ${show(e.data)}, it must be ${allowed.length > 1 ? "one of " : ""}${allowed.join(", ")}`;
			const fix = typeof e.data === "string" ? didYouMean(e.data, allowed) : undefined;
			return { id: "InvalidValue", message, ...(fix === undefined ? {} : { fix }), path, part: "value" };
		}
		case "type":
			return typeFault(e, path, where, raw);
		case "pattern": {
			const pattern = String(e.params.pattern);
			const words = PATTERN_WORDS.find(([p]) => p === pattern)?.[1] ?? `text that matches ${pattern}`;
			return { id: "InvalidValue", message: `${where} is ${show(e.data)}, it must be ${words}`, path, part: "value" };
		}
		case "format":
			return {
				id: "InvalidTime",
				message: `${where} is ${show(e.data)}, it must be a time with a zone, e.g. 2027-01-31T00:00:00Z`,
				path,
				part: "value",
			};
		case "minLength":
		case "minItems":
		case "minProperties":
			return { id: "InvalidValue", message: `${where} must not be empty`, path, part: "value" };
		case "maxLength": {
			const length = String(e.data).length;
			const message = `${where} is ${length} characters long, ${String(e.params.limit)} are allowed`;
			return { id: "InvalidValue", message, path, part: "value" };
		}
		default:
			return { id: "InvalidValue", message: `${where} (${name}) ${e.message ?? "is not valid"}`, path, part: "value" };
	}
}

function typeFault(e: ErrorObject, path: FieldPath, where: string, raw: RawText): Fault {
	const wanted: readonly string[] = Array.isArray(e.params.type) ? e.params.type : [String(e.params.type)];
	const fault = { id: "InvalidType", path, part: "value" as const };
	if (e.data === null) {
		const message = `${where} is empty, it must be ${typeWords(wanted)}`;
		return { ...fault, message, fix: "give it a value or delete the line" };
	}
	const scalar = typeof e.data !== "object";
	if (wanted.includes("string") && scalar) {
		const text = raw(path) || String(e.data);
		return { ...fault, message: `${where} is a ${typeof e.data}, it must be a string`, fix: `write "${text}" in quotes` };
	}
	if (wanted[0] === "array" && scalar) {
		return { ...fault, message: `${where} must be a list`, fix: `write [${raw(path) || String(e.data)}]` };
	}
	const fix =
		typeof e.data === "string" && (wanted[0] === "boolean" || wanted[0] === "integer") ? "write it without quotes" : undefined;
	const found = Array.isArray(e.data) ? "a list" : scalar ? show(e.data) : "a map";
	return { ...fault, message: `${where} is ${found}, it must be ${typeWords(wanted)}`, ...(fix === undefined ? {} : { fix }) };
}

function typeWords(types: readonly string[]): string {
	const words: Readonly<Record<string, string>> = {
		array: "a list",
		object: "a map",
		string: "a string",
		boolean: "true or false",
		integer: "a whole number",
	};
	return types.map((t) => words[t] ?? t).join(" or ");
}

/** `AccessPolicy.spec.taskRole.statements[0]`. */
function fieldText(kind: string, path: FieldPath): string {
	return path.reduce<string>((text, step) => (typeof step === "number" ? `${text}[${step}]` : `${text}.${step}`), kind);
}

function show(value: unknown): string {
	const text = JSON.stringify(value) ?? String(value);
	return text.length > 80 ? `${text.slice(0, 77)}…` : text;
}

/** JSON pointer to path. A map key of digits alone reads as an index, and is found all the same: places compare as text. */
function pointer(text: string): FieldPath {
	return text
		.split("/")
		.slice(1)
		.map((s) => s.replaceAll("~1", "/").replaceAll("~0", "~"))
		.map((s) => (/^\d+$/.test(s) ? Number(s) : s));
}
