import type { PolicyDocument } from "./document.ts";

/** The text that is written to AWS. */
export function minified(doc: PolicyDocument): string {
	return JSON.stringify(doc);
}

/** Characters that IAM counts against a quota: all but white space, of all documents together (aws-facts §2). */
export function countedSize(docs: readonly PolicyDocument[]): number {
	return docs.reduce((sum, doc) => sum + minified(doc).replace(/[\t\n\r ]+/g, "").length, 0);
}
