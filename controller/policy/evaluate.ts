import type { AccessSide, Witness } from "./access.ts";
import { list, lowerCase } from "./canonical.ts";
import { allHold, clauses, every, some, type Truth, variableIn } from "./conditions.ts";
import type { PolicyDocument, Statement } from "./document.ts";
import { glob, matches } from "./glob.ts";

export type Decision = "allowed" | "explicitDeny" | "implicitDeny" | "unknown";

/** Whether `${…}` means anything in a document (aws-facts §1.3). */
export function hasVariables(doc: PolicyDocument): boolean {
	return doc.Version === "2012-10-17";
}

/**
 * What IAM answers to a request of the principal, as far as its own policies say: allowed by an identity policy and by the
 * boundary, unless either denies it (IAM User Guide, "Policy evaluation logic"). `unknown` where the answer hangs on a
 * condition operator that is unknown here or on a boundary that could not be read.
 */
export function evaluate(side: AccessSide, request: Witness): Decision {
	const identity = effects(side.documents, request);
	const bounded: Effects =
		side.boundary === null
			? { allow: true, deny: false }
			: side.boundary === "unknown"
				? { allow: null, deny: null }
				: effects([side.boundary], request);
	const deny = some([identity.deny, bounded.deny]);
	const allow = every([identity.allow, bounded.allow]);
	if (deny === true) return "explicitDeny";
	// Whether it is a Deny that refuses or that nothing allows: refused either way.
	if (allow === false) return "implicitDeny";
	return allow === true && deny === false ? "allowed" : "unknown";
}

interface Effects {
	readonly allow: Truth;
	readonly deny: Truth;
}

function effects(docs: readonly PolicyDocument[], request: Witness): Effects {
	const found: { allow: Truth; deny: Truth } = { allow: false, deny: false };
	for (const doc of docs) {
		for (const s of doc.Statement) {
			const which = s.Effect === "Allow" ? "allow" : "deny";
			if (found[which] === true) continue;
			const applied = applies(s, request, hasVariables(doc));
			if (applied !== false) found[which] = applied;
		}
	}
	return found;
}

/** Whether a statement speaks of the request; its principal is not looked at. */
export function applies(s: Statement, request: Witness, variables: boolean): Truth {
	const action = lowerCase(request.action);
	const actions = list(s.Action ?? s.NotAction).some((p) => matches(glob(lowerCase(p), false), action) === true);
	if (actions !== (s.Action !== undefined)) return false;
	const resources = resourceApplies(s, request, variables);
	if (resources === false) return false;
	return every([resources, allHold(clauses(s.Condition), request.context, variables)]);
}

function resourceApplies(s: Statement, request: Witness, variables: boolean): Truth {
	const patterns = s.Resource ?? s.NotResource;
	// A trust policy names none.
	if (patterns === undefined) return true;
	const found = some(list(patterns).map((p) => matches(glob(p, variables), request.resource, variableIn(request.context))));
	return s.Resource !== undefined || found === null ? found : !found;
}
