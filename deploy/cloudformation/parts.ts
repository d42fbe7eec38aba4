import type { PolicyDocument } from "../../controller/policy/document.ts";

/** A part of a template, as JSON: intrinsic functions in their long form. */
export type Part = string | number | boolean | readonly Part[] | { readonly [key: string]: Part };

export interface Template {
	readonly AWSTemplateFormatVersion: "2010-09-09";
	readonly Description: string;
	readonly Parameters: Readonly<Record<string, Part>>;
	readonly Mappings?: Part;
	readonly Conditions?: Part;
	readonly Resources: Readonly<Record<string, Part>>;
	readonly Outputs?: Part;
}

export const ref = (name: string): Part => ({ Ref: name });
export const att = (name: string, attribute: string): Part => ({ "Fn::GetAtt": [name, attribute] });
export const sub = (text: string): Part => ({ "Fn::Sub": text });
export const when = (condition: string, yes: Part, no: Part = { Ref: "AWS::NoValue" }): Part => ({
	"Fn::If": [condition, yes, no],
});

/** Stands in an IAM document for a parameter that is a list of ARNs. */
export const LIST = "@@";

/** An IAM document with what CloudFormation fills in: `${…}` of its own, and lists that are parameters. */
export function filled(value: unknown): Part {
	if (Array.isArray(value)) {
		const [only, ...more] = value;
		return typeof only === "string" && only.startsWith(LIST) && more.length === 0
			? ref(only.slice(LIST.length))
			: value.map(filled);
	}
	if (typeof value === "object" && value !== null)
		return Object.fromEntries(Object.entries(value).map(([key, v]) => [key, filled(v)]));
	if (typeof value === "string") return value.includes("${") ? sub(value) : value;
	return value as Part;
}

export function managedPolicy(name: string, path: string, description: string, document: PolicyDocument): Part {
	return {
		Type: "AWS::IAM::ManagedPolicy",
		Properties: { ManagedPolicyName: sub(name), Path: path, Description: description, PolicyDocument: filled(document) },
	};
}

export const parameter = (description: string, more: Readonly<Record<string, Part>> = {}): Part => ({
	Type: "String",
	Description: description,
	...more,
});

export const INSTALLATION = parameter("metadata.name of the Installation: it names everything here.", {
	Default: "main",
	AllowedPattern: "[a-z0-9]([a-z0-9-]*[a-z0-9])?",
	// The longest name, of a forwarder in ap-northeast-1, is 64 characters: IAM takes no more.
	MaxLength: 30,
});
