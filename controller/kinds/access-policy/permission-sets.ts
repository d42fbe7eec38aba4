import type { Finding } from "../../model/finding.ts";
import type { ParamSpec, PermissionSetSpec, PermissionSetUseSpec } from "../../model/generated/specs.ts";
import { interpolate, isSymbolic, type Scope } from "../../model/interpolate.ts";
import type { CatalogView } from "../../model/kind.ts";
import { didYouMean } from "../../model/nearest.ts";
import type { FieldPath, Resource } from "../../model/resource.ts";
import { problem } from "../problem.ts";

type PermissionSet = Resource<PermissionSetSpec>;

/** One use of a set in a role, with its parameters' values; what is wrong with them is in `findings`. */
export interface SetUse {
	readonly set: PermissionSet;
	readonly params: ReadonlyMap<string, string>;
}

export function resolveSet(
	r: Resource,
	path: FieldPath,
	use: PermissionSetUseSpec,
	scope: Scope,
	c: CatalogView,
	findings: Finding[],
): SetUse | null {
	const set = c.get(`PermissionSet/${use.name}`) as PermissionSet | undefined;
	if (set === undefined) {
		if (c.broken.has(`PermissionSet/${use.name}`)) return null;
		const known = c.ofKind("PermissionSet").map((s) => s.metadata.name);
		const fix = didYouMean(use.name, known) ?? (known.length === 0 ? "there is none" : `sets: ${known.join(", ")}`);
		findings.push(problem("UnknownReference", `no PermissionSet "${use.name}"`, r.at([...path, "name"], "value"), fix, r.key));
		return null;
	}
	const declared = set.spec.params ?? {};
	const given = use.params ?? {};
	const params = new Map<string, string>();
	for (const name of Object.keys(given)) {
		if (Object.hasOwn(declared, name)) continue;
		const fix = didYouMean(name, Object.keys(declared)) ?? `parameters: ${Object.keys(declared).join(", ") || "none"}`;
		const message = `PermissionSet "${use.name}" has no parameter "${name}"`;
		findings.push(problem("InvalidParameter", message, r.at([...path, "params", name]), fix, r.key));
	}
	for (const [name, param] of Object.entries(declared)) {
		const raw = (Object.hasOwn(given, name) ? given[name] : undefined) ?? param.default;
		if (raw === undefined) {
			const message = `PermissionSet "${use.name}" needs the parameter "${name}"`;
			findings.push(problem("InvalidParameter", message, r.at([...path, "params"]), `add ${name} to params`, r.key));
			continue;
		}
		const at = [...path, "params", name];
		const { text, faults } = interpolate(String(raw), scope);
		for (const f of faults) findings.push(problem("UnknownVariable", f.message, r.at(at, "value", f.text), f.fix, r.key));
		const wrong = faults.length > 0 ? null : parameterProblem(text, param);
		if (wrong !== null) {
			const message = `parameter "${name}" of PermissionSet "${use.name}" is "${text}", ${wrong.message}`;
			findings.push(problem("InvalidParameter", message, r.at(at, "value"), wrong.fix, r.key));
		}
		params.set(name, text);
	}
	return { set, params };
}

/** Judged after interpolation: what would reach IAM. A value that stands for any account's cannot be judged. */
export function parameterProblem(value: string, param: ParamSpec): { readonly message: string; readonly fix?: string } | null {
	if (isSymbolic(value)) return null;
	if (param.allowWildcards !== true && /[*?$]/.test(value)) {
		return { message: "wildcards and variables are refused", fix: "name one thing; the set may say allowWildcards: true" };
	}
	if (param.type === "integer" && !/^-?[0-9]+$/.test(value)) return { message: "it must be a whole number" };
	if (param.type === "arn" && !/^arn:[^:]+:[^:]+:[^:]*:[^:]*:.+$/.test(value)) return { message: "it must be an ARN" };
	if (param.enum !== undefined && !param.enum.includes(value)) {
		return { message: `it must be one of ${param.enum.join(", ")}`, ...fixFor(value, param.enum) };
	}
	if (param.pattern !== undefined && !patternOf(param.pattern)?.test(value)) return { message: `it must match ${param.pattern}` };
	return null;
}

function fixFor(value: string, known: readonly string[]): { readonly fix?: string } {
	const fix = didYouMean(value, known);
	return fix === undefined ? {} : { fix };
}

const patterns = new Map<string, RegExp | null>();
/** Null: not a regular expression. */
export function patternOf(source: string): RegExp | null {
	let known = patterns.get(source);
	if (known === undefined) {
		try {
			known = new RegExp(source, "u");
		} catch {
			known = null;
		}
		patterns.set(source, known);
	}
	return known;
}
