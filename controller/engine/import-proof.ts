import { kindOf } from "../kinds/registry.ts";
import type { RoleWanted } from "../model/desired.ts";
import type { Finding } from "../model/finding.ts";
import type { CatalogView, Instance } from "../model/kind.ts";
import type { Facts } from "../model/reference.ts";
import type { Artifact } from "../model/resource.ts";
import type { Existing } from "../model/target.ts";
import { statementSet } from "../policy/canonical.ts";
import { comparedPart, nameOf } from "./import-roles.ts";

export interface ProofDeps {
	/** Reads the documents; given so that a test can. */
	readonly load: (artifact: Artifact) => {
		readonly view: CatalogView;
		readonly instances: readonly Instance[];
		readonly findings: readonly Finding[];
	};
	readonly facts: Facts;
}

/**
 * Reads written files back and compares what they ask for with the live roles. File name -> why the file is wrong; empty
 * when every file is valid and asks for its role exactly as it is.
 */
export function proveFiles(
	artifact: Artifact,
	files: ReadonlyMap<string, { readonly name: string; readonly managed: boolean }>,
	roles: ReadonlyMap<string, Existing<"iam.role">>,
	deps: ProofDeps,
): ReadonlyMap<string, string> {
	const wrong = new Map<string, string>();
	const fileOf = (path: string): string => (artifact.root === "." ? path : path.slice(artifact.root.length + 1));
	const { view, instances, findings } = deps.load(artifact);
	const blame = (list: readonly Finding[]): void => {
		for (const f of list) {
			// A guardrail's word is the platform team's, not a mistake of the file.
			if (f.severity !== "error" || f.guardrail !== undefined || f.origin === null) continue;
			const file = fileOf(f.origin.path);
			if (files.has(file) && !wrong.has(file)) wrong.set(file, f.message);
		}
	};
	blame(findings);
	const live = new Map([...roles.values()].map((r) => [nameOf(r), r]));
	const proven = new Set<string>();
	for (const instance of instances) {
		const file = fileOf(instance.resource.origin.path);
		const written = files.get(file);
		if (written === undefined || wrong.has(file)) continue;
		const expansion = kindOf(instance.resource.kind).expand(instance, view, deps.facts);
		blame(expansion.findings);
		if (wrong.has(file)) continue;
		const wanted = expansion.desired.flatMap((d) => (d.target.type === "iam.role" ? [d.wanted as RoleWanted] : []));
		const role = live.get(written.name);
		const [one] = wanted;
		if (wanted.length !== (written.managed ? 1 : 0) || role === undefined) wrong.set(file, `it asks for ${wanted.length} roles`);
		else if (one !== undefined) {
			const difference = differs(one, role, instance.account.partition);
			if (difference !== null) wrong.set(file, `it does not say the same of the role's ${difference}`);
		}
		proven.add(file);
	}
	for (const file of files.keys()) if (!proven.has(file) && !wrong.has(file)) wrong.set(file, "it is not read as a policy");
	return wrong;
}

/** The part of the role that a plan would want to change, or null. */
function differs(wanted: RoleWanted, live: Existing<"iam.role">, partition: string): string | null {
	const { state } = live;
	const compared = comparedPart(live);
	const asked = new Set(
		statementSet([{ Version: "2012-10-17", Statement: wanted.statements.map((s) => s.statement) }], partition).keys(),
	);
	const found = new Set(statementSet(Object.values(compared.inline), partition).keys());
	if (asked.symmetricDifference(found).size > 0) return "statements";
	if (new Set(wanted.managedPolicies.map((m) => m.arn)).symmetricDifference(new Set(compared.managedPolicies)).size > 0) {
		return "managed policies";
	}
	const boundary = wanted.permissionsBoundary === "none" ? null : (wanted.permissionsBoundary ?? state.permissionsBoundary);
	if (boundary !== state.permissionsBoundary) return "permissions boundary";
	if (wanted.path !== state.path) return "path";
	if (wanted.trust !== null) return "trust";
	if (wanted.expired.length > 0) return "expired statements";
	return wanted.adopt ? null : "adoption";
}
