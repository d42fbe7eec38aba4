import { kindOf } from "../kinds/registry.ts";
import type { Finding } from "../model/finding.ts";
import type { ResourceKey } from "../model/ids.ts";
import type { Facts } from "../model/reference.ts";
import type { Artifact } from "../model/resource.ts";
import { checkGuardrails } from "../plan/guardrails.ts";
import type { ActionCatalogue } from "../policy/action-catalogue.ts";
import { loadCatalog } from "./catalog.ts";

/**
 * Everything that can be said of a source without AWS: its documents, what they say of one another, and what the
 * guardrails say of the access they ask for. Findings in the order of files and lines. Reads and writes nothing.
 */
export function validateArtifact(
	artifact: Artifact,
	options: {
		readonly actions: ActionCatalogue;
		readonly now: string;
		readonly only?: readonly ResourceKey[];
	},
): { readonly findings: readonly Finding[]; readonly files: number } {
	const { actions, now, only } = options;
	const catalog = loadCatalog(artifact, { actions, defaults: null, now, ...(only === undefined ? {} : { only }) });
	const facts: Facts = { now, get: () => undefined };
	const findings = [...catalog.findings];
	const broken = new Set(findings.filter((f) => f.severity === "error").map((f) => f.key));
	for (const instance of catalog.instances) {
		// What is wrong in itself has been said; what it would grant cannot be known.
		if (broken.has(instance.resource.key)) continue;
		const { desired, findings: own } = kindOf(instance.resource.kind).expand(instance, catalog.view, facts);
		findings.push(...own, ...checkGuardrails({ instance, desired, view: catalog.view, facts, actions, observed: null }));
	}
	return { findings: inOrder(unique(findings)), files: artifact.files.size };
}

/** A finding of a shared document is met once an instance. */
function unique(findings: readonly Finding[]): readonly Finding[] {
	const seen = new Map<string, Finding>();
	for (const f of findings) {
		const id = `${f.id}|${f.origin?.path}:${f.origin?.line}:${f.origin?.column}|${f.message}`;
		if (!seen.has(id)) seen.set(id, f);
	}
	return [...seen.values()];
}

function inOrder(findings: readonly Finding[]): readonly Finding[] {
	const at = (f: Finding): readonly [string, number, number] => [
		f.origin?.path ?? "",
		f.origin?.line ?? 0,
		f.origin?.column ?? 0,
	];
	return [...findings].sort((a, b) => {
		const [pa, la, ca] = at(a);
		const [pb, lb, cb] = at(b);
		return pa < pb ? -1 : pa > pb ? 1 : la - lb || ca - cb;
	});
}
