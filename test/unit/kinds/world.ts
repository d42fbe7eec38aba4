import { type Catalog, loadCatalog } from "../../../controller/engine/catalog.ts";
import { kindOf } from "../../../controller/kinds/registry.ts";
import type { AnyDesired, RoleWanted } from "../../../controller/model/desired.ts";
import type { Finding } from "../../../controller/model/finding.ts";
import { type Fact, type Facts, type Reference, referenceId } from "../../../controller/model/reference.ts";
import type { Artifact } from "../../../controller/model/resource.ts";
import { createCatalogue } from "../../../controller/policy/catalogue.ts";

export const NOW = "2026-11-24T09:00:00Z";
export const actions = createCatalogue();

export const PROD = `apiVersion: ecs-access.dev/v1alpha1
kind: Account
metadata: { name: prod, labels: { env: prod } }
spec: { accountId: "123456789012", region: eu-west-1, vars: { env: prod } }
`;
export const DEV = `apiVersion: ecs-access.dev/v1alpha1
kind: Account
metadata: { name: dev, labels: { env: dev } }
spec: { accountId: "210987654321", region: eu-central-1, regions: [eu-central-1, eu-west-1], vars: { env: dev } }
`;

/** A document; the spec begins in line 4. */
export function doc(kind: string, name: string, spec: string): string {
	return `apiVersion: ecs-access.dev/v1alpha1\nkind: ${kind}\nmetadata: { name: ${name} }\nspec:\n${spec
		.split("\n")
		.map((l) => (l === "" ? l : `  ${l}`))
		.join("\n")}\n`;
}

export function policy(spec: string, name = "orders"): string {
	return doc("AccessPolicy", name, spec);
}

export type Files = Readonly<Record<string, string>>;

export function artifact(files: Files, root = "policies"): Artifact {
	return {
		revision: { kind: "directory", id: "sha256:0" },
		digest: "sha256:0",
		root,
		files: new Map(Object.entries(files)),
		source: "directory",
		partial: null,
	};
}

export function catalog(
	files: Files,
	more: { readonly only?: readonly string[]; readonly defaults?: { accountId: string; region: string } } = {},
): Catalog {
	return loadCatalog(artifact(files), {
		actions,
		now: NOW,
		defaults: more.defaults ?? null,
		...(more.only === undefined ? {} : { only: more.only }),
	});
}

export function facts(known: readonly (readonly [Reference, Fact])[] = [], now = NOW): Facts {
	const byId = new Map(known.map(([ref, fact]) => [referenceId(ref), fact]));
	return { now, get: (ref) => byId.get(referenceId(ref)) };
}

export interface Expanded {
	readonly desired: readonly AnyDesired[];
	readonly findings: readonly Finding[];
	readonly keys: readonly string[];
}

/** Everything that a source asks for, with all that is said of it, each thing once. */
export function expandAll(files: Files, known: Facts = facts(), defaults?: { accountId: string; region: string }): Expanded {
	const { view, instances, findings } = catalog(files, defaults === undefined ? {} : { defaults });
	const expansions = instances.map((i) => kindOf(i.resource.kind).expand(i, view, known));
	return {
		desired: expansions.flatMap((e) => e.desired),
		findings: [...findings, ...expansions.flatMap((e) => e.findings)],
		keys: instances.map((i) => i.key),
	};
}

/** `policies/a.yaml:5:3 error UnknownField message -> fix`. */
export function lines(findings: readonly Finding[]): readonly string[] {
	const text = findings.map((f) => {
		const place = f.origin === null ? "-" : `${f.origin.path}:${f.origin.line}:${f.origin.column}`;
		return `${place} ${f.severity} ${f.id} ${f.message}${f.fix === undefined ? "" : ` -> ${f.fix}`}`;
	});
	return [...new Set(text)];
}

export function role(desired: readonly AnyDesired[], name: string): RoleWanted {
	const found = desired.find((d) => d.target.type === "iam.role" && d.target.name === name);
	if (found === undefined) throw new Error(`no role ${name} among ${desired.map((d) => d.target.name).join(", ")}`);
	return found.wanted as RoleWanted;
}
