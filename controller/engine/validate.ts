import type { AnyDesired } from "../model/desired.ts";
import type { Finding } from "../model/finding.ts";
import type { ResourceKey } from "../model/ids.ts";
import type { Instance } from "../model/kind.ts";
import type { Facts } from "../model/reference.ts";
import type { Artifact } from "../model/resource.ts";
import { checkGuardrails } from "../plan/guardrails.ts";
import type { ActionCatalogue } from "../policy/action-catalogue.ts";
import { type Catalog, loadCatalog } from "./catalog.ts";
import { expandInstance } from "./expand.ts";

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
	const findings = expandOffline(catalog, now).flatMap(({ instance, desired, findings: own }) => [
		...own,
		...checkGuardrails({ instance, desired, view: catalog.view, facts, actions, observed: null }),
	]);
	return { findings: inOrder(unique([...catalog.findings, ...findings])), files: artifact.files.size };
}

/**
 * What the source itself gets wrong, its guardrails apart; nothing is read from AWS, or asked of it, where there is any.
 * An error stops also what is `only` a part; beside it stands what is said of that part.
 */
export function mistakesOf(catalog: Catalog, now: string, only?: readonly ResourceKey[]): readonly Finding[] {
	const findings = [...catalog.findings, ...expandOffline(catalog, now).flatMap((e) => e.findings)];
	if (!findings.some(isMistake)) return [];
	const isAsked = (f: Finding): boolean =>
		f.key !== undefined && only?.some((k) => k === f.key || k.startsWith(`${f.key}@`)) === true;
	return inOrder(unique(only === undefined ? findings : findings.filter((f) => f.severity === "error" || isAsked(f))));
}

/** A Deny guardrail is spoken of in the plan; every other error is a mistake in the source. */
export function isMistake(f: Finding): boolean {
	return f.severity === "error" && f.guardrail === undefined;
}

function expandOffline(
	catalog: Catalog,
	now: string,
): readonly { readonly instance: Instance; readonly desired: readonly AnyDesired[]; readonly findings: readonly Finding[] }[] {
	const facts: Facts = { now, get: () => undefined };
	const broken = new Set(catalog.findings.filter((f) => f.severity === "error").map((f) => f.key));
	// What is wrong in itself has been said; what it would grant cannot be known.
	return catalog.instances
		.filter((instance) => !broken.has(instance.resource.key))
		.map((instance) => ({ instance, ...expandInstance(instance, catalog.view, facts) }));
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
