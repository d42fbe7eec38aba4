import type { Finding } from "../../model/finding.ts";
import type { AccessPolicySpec } from "../../model/generated/specs.ts";
import { type InterpolationFault, interpolate } from "../../model/interpolate.ts";
import type { Instance } from "../../model/kind.ts";
import type { FieldPath } from "../../model/resource.ts";
import { problem } from "../problem.ts";
import { scopeOf } from "./roles.ts";

type PolicyInstance = Instance<AccessPolicySpec>;
/** Puts values in place, and says what cannot be. */
type Fill = (text: string, path: FieldPath) => string;

export function filler(i: PolicyInstance, findings: Finding[]): Fill {
	const scope = scopeOf(i);
	return (text, path) => {
		if (!text.includes("${")) return text;
		const filled = interpolate(text, scope);
		sayFaults(
			i,
			filled.faults.map((fault) => ({ path, fault })),
			findings,
		);
		return filled.text;
	};
}

export function sayFaults(
	i: PolicyInstance,
	faults: readonly { readonly path: FieldPath; readonly fault: InterpolationFault }[],
	out: Finding[],
): void {
	const r = i.resource;
	for (const { path, fault } of faults) {
		const id = fault.kind === "cluster" ? "AmbiguousCluster" : "UnknownVariable";
		out.push(problem(id, fault.message, r.at(path, "value", fault.text), fault.fix, r.key));
	}
}
