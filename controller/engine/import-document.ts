import { Document, isMap, isScalar, type Scalar, visit } from "yaml";
import { list } from "../policy/canonical.ts";
import type { Statement } from "../policy/document.ts";

/** A secret as a policy file names it; never its value. */
export interface ImportedSecret {
	readonly container: string;
	readonly name: string;
	readonly secret?: string;
	readonly parameter?: string;
	readonly jsonKey?: string;
}

export interface ImportedRoleRef {
	readonly name: string;
	/** `/` is the default of an Unmanaged role and is not written. */
	readonly path: string;
}

export interface ImportedEntry {
	/** Null: the Account's own. */
	readonly region: string | null;
	readonly cluster: string | null;
	readonly services: readonly string[];
	readonly taskFamilies: readonly string[];
	readonly executionRole: ImportedRoleRef | null;
	readonly secrets: readonly ImportedSecret[];
}

interface ImportedStatement {
	readonly statement: Statement;
	/** Comment above it; empty: none. */
	readonly comment: string;
}

export type ImportedTaskRole =
	| {
			readonly mode: "Managed";
			readonly name: string;
			readonly path: string;
			/** Null: nothing is said; `none`: there is none, and the Account's default is not to be put there. */
			readonly permissionsBoundary: string | null;
			readonly statements: readonly ImportedStatement[];
			readonly managedPolicies: readonly string[];
	  }
	| { readonly mode: "Unmanaged"; readonly name: string; readonly path: string };

export interface ImportedPolicy {
	/** Comment lines at the head of the file. */
	readonly header: readonly string[];
	readonly name: string;
	readonly accountRef: string | null;
	readonly entries: readonly ImportedEntry[];
	readonly taskRole: ImportedTaskRole;
	readonly executionRole: ImportedRoleRef | null;
	readonly secrets: readonly ImportedSecret[];
}

const MANAGEMENT_COMMENT = " true: remove what others add to this role by hand";

/** One AccessPolicy as YAML: block style, one thing a line, the same text for the same input. */
export function importedYaml(p: ImportedPolicy): string {
	const statements = p.taskRole.mode === "Managed" ? p.taskRole.statements : [];
	const doc = new Document(
		{
			apiVersion: "ecs-access.dev/v1alpha1",
			kind: "AccessPolicy",
			metadata: { name: p.name },
			spec: {
				...(p.accountRef !== null && { accountRef: p.accountRef }),
				workloads: p.entries.map((e) => ({
					...(e.region !== null && { region: e.region }),
					...(e.cluster !== null && { cluster: e.cluster }),
					...(e.services.length > 0 && { services: e.services }),
					...(e.taskFamilies.length > 0 && { taskFamilies: e.taskFamilies }),
					...(e.executionRole !== null && { executionRole: unmanaged(e.executionRole) }),
					...(e.secrets.length > 0 && { secrets: e.secrets }),
				})),
				taskRole: taskRole(p.taskRole),
				...(p.executionRole !== null && { executionRole: unmanaged(p.executionRole) }),
				...(p.secrets.length > 0 && { secrets: p.secrets }),
				management: { exclusive: false },
			},
		},
		// Readers of YAML 1.1 would take `on`, `1:30` or a bare date for something else than text.
		{ version: "1.2", compat: "yaml-1.1", aliasDuplicateObjects: false },
	);
	for (const [n, { comment }] of statements.entries()) {
		const node = doc.getIn(["spec", "taskRole", "statements", n]);
		if (comment !== "" && isMap(node)) node.commentBefore = ` ${comment}`;
		quoteStrings(doc, ["spec", "taskRole", "statements", n, "conditions"]);
	}
	const exclusive = doc.getIn(["spec", "management", "exclusive"], true);
	if (isScalar(exclusive)) exclusive.comment = MANAGEMENT_COMMENT;
	doc.commentBefore = p.header.map((line) => ` ${line}`).join("\n");
	visit(doc, {
		Scalar: (_, scalar: Scalar) => {
			if (typeof scalar.value === "string" && UNPRINTABLE.test(scalar.value)) scalar.type = "QUOTE_DOUBLE";
		},
	});
	// Folding would spread one change of a long value over several lines.
	return doc.toString({ lineWidth: 0, blockQuote: false }).replaceAll(UNPRINTABLE_ALL, escaped);
}

const UNPRINTABLE = /[\x7F-\x9F]/;
const UNPRINTABLE_ALL = new RegExp(UNPRINTABLE, "g");

/** IAM takes these characters in a document (aws-facts §1.1); YAML takes them as escapes only, in double quotes. */
function escaped(character: string): string {
	return `\\x${character.charCodeAt(0).toString(16).toUpperCase()}`;
}

function unmanaged(role: ImportedRoleRef): Readonly<Record<string, string>> {
	return { mode: "Unmanaged", name: role.name, ...(role.path !== "/" && { path: role.path }) };
}

function taskRole(role: ImportedTaskRole): Readonly<Record<string, unknown>> {
	if (role.mode === "Unmanaged") return unmanaged(role);
	return {
		mode: "Managed",
		name: role.name,
		path: role.path,
		adopt: true,
		trust: { mode: "Preserve" },
		...(role.permissionsBoundary !== null && { permissionsBoundary: role.permissionsBoundary }),
		...(role.statements.length > 0 && { statements: role.statements.map((s) => statementFields(s.statement)) }),
		...(role.managedPolicies.length > 0 && { managedPolicies: role.managedPolicies }),
	};
}

function statementFields(s: Statement): Readonly<Record<string, unknown>> {
	// An operator without keys says nothing.
	const conditions = Object.fromEntries(Object.entries(s.Condition ?? {}).filter(([, keys]) => Object.keys(keys).length > 0));
	return {
		...(s.Sid !== undefined && { sid: s.Sid }),
		...(s.Effect === "Deny" && { effect: s.Effect }),
		...(s.Action !== undefined && { actions: list(s.Action) }),
		...(s.NotAction !== undefined && { notActions: list(s.NotAction) }),
		...(s.Resource !== undefined && { resources: list(s.Resource) }),
		...(s.NotResource !== undefined && { notResources: list(s.NotResource) }),
		...(Object.keys(conditions).length > 0 && { conditions }),
	};
}

/** Condition values are text to IAM: quoted, `"true"` and `"2027-01-31"` stay what they are in every reader's eyes. */
function quoteStrings(doc: Document, path: readonly (string | number)[]): void {
	const node = doc.getIn(path);
	if (!isMap(node)) return;
	visit(node, {
		Scalar: (key, scalar: Scalar) => {
			if (key !== "key" && typeof scalar.value === "string") scalar.type = "QUOTE_DOUBLE";
		},
	});
}
