import { canonicalText, sameCanonically } from "./canonical.ts";
import type { PolicyDocument } from "./document.ts";

/** `equivalent`: written otherwise, means the same; never written back (it would burn write quota for nothing). */
export type Verdict = "identical" | "equivalent" | "different";

/**
 * Whether two documents are the same JSON value (white space and the order of object keys apart), mean the same by
 * canonical form (aws-facts §1.3), or neither. `partition` is the account's own (see canonicalDocument).
 */
export function compareDocuments(a: PolicyDocument, b: PolicyDocument, partition = "aws"): Verdict {
	if (a === b) return "identical";
	if (!sameCanonically(a, b, partition)) return "different";
	return canonicalText(a) === canonicalText(b) ? "identical" : "equivalent";
}
