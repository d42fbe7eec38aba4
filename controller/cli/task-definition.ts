import { bindTaskDefinition, isObject, type Json, type JsonObject } from "../model/bind-task-definition.ts";
import { TerminalError } from "../model/errors.ts";
import type { Binding } from "../model/target.ts";

/**
 * A task definition with what git says of its roles and secrets; every other field, the order of keys and the
 * indentation stay. `text` is what `register-task-definition --cli-input-json` takes, or what describe-task-definition
 * answers. Throws TerminalError where it is not one, or lacks a container that a secret names.
 */
export function fillTaskDefinition(text: string, binding: Partial<Binding>, file: string): string {
	const document = parse(text, file);
	const inner = isObject(document.taskDefinition) ? document.taskDefinition : document;
	const filled = bindTaskDefinition(inner, binding, file);
	const result = inner === document ? filled : { ...document, taskDefinition: filled };
	return `${JSON.stringify(result, null, indentOf(text))}${text.endsWith("\n") ? "\n" : ""}`;
}

function parse(text: string, file: string): JsonObject {
	let value: Json;
	try {
		value = JSON.parse(text) as Json;
	} catch (cause) {
		throw new TerminalError("NotJson", `${file} is not JSON: ${cause instanceof Error ? cause.message : String(cause)}`, {
			cause,
		});
	}
	if (!isObject(value)) throw new TerminalError("NotATaskDefinition", `${file} is not a JSON object`);
	return value;
}

/** Of the first indented line; a document on one line stays on one line. */
function indentOf(text: string): string | number {
	return /\n([ \t]+)\S/.exec(text)?.[1] ?? (text.trimEnd().includes("\n") ? 2 : 0);
}

/** The family that a task definition says it is of. Throws TerminalError where the text is no JSON object. */
export function familyOf(text: string, file: string): string | undefined {
	const document = parse(text, file);
	const inner = isObject(document.taskDefinition) ? document.taskDefinition : document;
	return typeof inner.family === "string" ? inner.family : undefined;
}
