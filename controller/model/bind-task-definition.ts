import { TerminalError } from "./errors.ts";
import type { Binding } from "./target.ts";

/** A value of a JSON document; objects keep the order of their keys. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
export interface JsonObject {
	readonly [key: string]: Json;
}

/**
 * A task definition, as RegisterTaskDefinition takes it, with what git says of its roles and secrets; all else stays. `what`
 * names it in messages. Throws TerminalError where it has no containers, or lacks one that a secret names.
 */
export function bindTaskDefinition(task: JsonObject, binding: Partial<Binding>, what: string): JsonObject {
	if (!Array.isArray(task.containerDefinitions)) {
		throw new TerminalError("NotATaskDefinition", `${what} has no list containerDefinitions`, {
			fix: "give the JSON that aws ecs register-task-definition takes",
		});
	}
	return {
		...withRole(withRole(task, "taskRoleArn", binding.taskRole), "executionRoleArn", binding.executionRole),
		containerDefinitions: fillContainers(task.containerDefinitions as readonly Json[], binding.secrets ?? {}, what),
	};
}

/** Undefined: git does not say, the field stays. Null: git says none, the field goes. */
function withRole(task: JsonObject, field: string, arn: string | null | undefined): JsonObject {
	if (arn === undefined) return task;
	if (arn !== null) return { ...task, [field]: arn };
	return Object.fromEntries(Object.entries(task).filter(([key]) => key !== field));
}

function fillContainers(containers: readonly Json[], secrets: Binding["secrets"], what: string): readonly Json[] {
	const wanted = Map.groupBy(Object.entries(secrets), ([place]) => place.slice(0, place.indexOf("/")));
	const names = containers.map((c) => (isObject(c) ? c.name : undefined));
	const missing = [...wanted.keys()].filter((name) => !names.includes(name));
	if (missing.length > 0) {
		throw new TerminalError(
			"NoSuchContainer",
			`${what} has no container ${missing.join(", ")}, which a secret of the policy names`,
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

export function isObject(value: Json | undefined): value is JsonObject {
	return value !== null && typeof value === "object" && !Array.isArray(value);
}
