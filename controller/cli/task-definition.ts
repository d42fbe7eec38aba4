import { TerminalError } from "../model/errors.ts";
import type { Binding } from "../model/target.ts";

/** A value of a JSON document; objects keep the order of their keys. */
type Json = null | boolean | number | string | readonly Json[] | JsonObject;
interface JsonObject {
	readonly [key: string]: Json;
}

/**
 * A task definition with what git says of its roles and secrets; every other field, the order of keys and the
 * indentation stay. `text` is what `register-task-definition --cli-input-json` takes, or what describe-task-definition
 * answers. Throws TerminalError where it is not one, or lacks a container that a secret names.
 */
export function fillTaskDefinition(text: string, binding: Partial<Binding>, file: string): string {
	const document = parse(text, file);
	const inner = isObject(document.taskDefinition) ? document.taskDefinition : document;
	if (!Array.isArray(inner.containerDefinitions)) {
		throw new TerminalError("NotATaskDefinition", `${file} has no list containerDefinitions`, {
			fix: "give the JSON that aws ecs register-task-definition takes",
		});
	}
	const filled = {
		...withRole(withRole(inner, "taskRoleArn", binding.taskRole), "executionRoleArn", binding.executionRole),
		containerDefinitions: fillContainers(inner.containerDefinitions as readonly Json[], binding.secrets ?? {}, file),
	};
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

/** Undefined: git does not say, the field stays. Null: git says none, the field goes. */
function withRole(task: JsonObject, field: string, arn: string | null | undefined): JsonObject {
	if (arn === undefined) return task;
	if (arn !== null) return { ...task, [field]: arn };
	return Object.fromEntries(Object.entries(task).filter(([key]) => key !== field));
}

function fillContainers(containers: readonly Json[], secrets: Binding["secrets"], file: string): readonly Json[] {
	const wanted = Map.groupBy(Object.entries(secrets), ([place]) => place.slice(0, place.indexOf("/")));
	const names = containers.map((c) => (isObject(c) ? c.name : undefined));
	const missing = [...wanted.keys()].filter((name) => !names.includes(name));
	if (missing.length > 0) {
		throw new TerminalError(
			"NoSuchContainer",
			`${file} has no container ${missing.join(", ")}, which a secret of the policy names`,
			{
				fix: `its containers are ${names.join(", ")}`,
			},
		);
	}
	return containers.map((c) => {
		const own = isObject(c) ? wanted.get(String(c.name)) : undefined;
		return !isObject(c) || own === undefined
			? c
			: fillContainer(
					c,
					own.map(([place, from]) => [place.slice(place.indexOf("/") + 1), from]),
				);
	});
}

/** Secrets of the policy replace those of one name, wherever the variable stood; a plain value of that name goes. */
function fillContainer(container: JsonObject, secrets: readonly (readonly [name: string, valueFrom: string])[]): JsonObject {
	const wanted = new Map(secrets);
	const list = (value: Json | undefined): readonly Json[] => (Array.isArray(value) ? value : []);
	const nameOf = (entry: Json): string => (isObject(entry) ? String(entry.name) : "");
	const present = new Set(list(container.secrets).map(nameOf));
	const kept = list(container.secrets).map((s) =>
		isObject(s) && wanted.has(nameOf(s)) ? { ...s, valueFrom: wanted.get(nameOf(s)) ?? "" } : s,
	);
	const added = secrets.filter(([name]) => !present.has(name)).map(([name, valueFrom]) => ({ name, valueFrom }));
	const plain = list(container.environment);
	const rest = plain.filter((e) => !wanted.has(nameOf(e)));
	return { ...container, ...(rest.length < plain.length ? { environment: rest } : {}), secrets: [...kept, ...added] };
}

/** Of the first indented line; a document on one line stays on one line. */
function indentOf(text: string): string | number {
	return /\n([ \t]+)\S/.exec(text)?.[1] ?? (text.trimEnd().includes("\n") ? 2 : 0);
}

function isObject(value: Json | undefined): value is JsonObject {
	return value !== null && typeof value === "object" && !Array.isArray(value);
}

/** The family that a task definition says it is of. Throws TerminalError where the text is no JSON object. */
export function familyOf(text: string, file: string): string | undefined {
	const document = parse(text, file);
	const inner = isObject(document.taskDefinition) ? document.taskDefinition : document;
	return typeof inner.family === "string" ? inner.family : undefined;
}
