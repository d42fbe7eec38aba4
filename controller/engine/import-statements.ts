import { list, statementSet } from "../policy/canonical.ts";
import type { PolicyDocument, Statement } from "../policy/document.ts";

/** The statements of a role's inline documents as one list, each once, or why YAML cannot say them. */
export type ImportedStatements =
	| { readonly statements: ReadonlyMap<string, Statement>; readonly reason: null }
	| { readonly statements: null; readonly reason: string };

/** Statement ids that IAM takes; unique in a document. */
const SID = /^[A-Za-z0-9]+$/;
/** What the interpolation of a policy lets through untouched (KINDS.md): variables with a colon, and IAM's own escapes. */
const PASSES = /:|^[*?$]$/;

/**
 * The union of the documents' statements, by canonical text, in the order of the documents' names: what a policy file says.
 * Ids that are invalid or taken are dropped, for they have no meaning (aws-facts §1.3).
 */
export function importStatements(inline: Readonly<Record<string, PolicyDocument>>, partition: string): ImportedStatements {
	const documents = Object.entries(inline).sort(([a], [b]) => (a < b ? -1 : 1));
	for (const [name, document] of documents) {
		const reason = inexpressible(document);
		if (reason !== null) return { statements: null, reason: `inline policy "${name}" ${reason}` };
	}
	const taken = new Set<string>();
	const statements = new Map<string, Statement>();
	for (const [key, statement] of statementSet(
		documents.map(([, d]) => d),
		partition,
	)) {
		const { Sid: sid, ...rest } = statement;
		const keeps = sid !== undefined && SID.test(sid) && !taken.has(sid);
		if (keeps) taken.add(sid);
		statements.set(key, keeps ? { Sid: sid, ...rest } : rest);
	}
	return { statements, reason: null };
}

function inexpressible(document: PolicyDocument): string | null {
	for (const s of document.Statement) {
		if (s.Principal !== undefined || s.NotPrincipal !== undefined) return "names a principal";
		if ((s.Action === undefined) === (s.NotAction === undefined))
			return "has a statement without exactly one of Action and NotAction";
		if ((s.Resource === undefined) === (s.NotResource === undefined)) {
			return "has a statement without exactly one of Resource and NotResource";
		}
		const texts = textsOf(s).filter((text) => text.includes("${"));
		if (texts.length === 0) continue;
		if (document.Version !== "2012-10-17") {
			return `has version ${document.Version ?? "2008-10-17"}, where "\${" is literal text and not a policy variable`;
		}
		for (const text of texts) {
			for (const [whole, name] of text.matchAll(/\$\{([^}]*)\}?/g)) {
				if (!whole.endsWith("}") || !PASSES.test(name ?? ""))
					return `holds ${whole}, which a policy file reads as a variable of its own`;
			}
		}
	}
	return null;
}

/** Every text of a statement in which IAM or this program could see a variable. */
function textsOf(s: Statement): readonly string[] {
	const conditions = Object.entries(s.Condition ?? {}).flatMap(([operator, keys]) => [
		operator,
		...Object.entries(keys).flatMap(([key, values]) => [key, ...(Array.isArray(values) ? values : [values]).map(String)]),
	]);
	return [...list(s.Action), ...list(s.NotAction), ...list(s.Resource), ...list(s.NotResource), ...conditions];
}
