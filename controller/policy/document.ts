/**
 * IAM policy documents as data. The shapes every floor above speaks of; parsing is strict where IAM is strict.
 * Source of the grammar: IAM User Guide, "Grammar of the IAM JSON policy language"; aws-facts §1.
 */

export type Effect = "Allow" | "Deny";

export type PrincipalMap = Readonly<Record<string, string | readonly string[]>>;

export type ConditionValue = string | number | boolean | readonly (string | number | boolean)[];

/** Operator -> key -> value or values, as written. */
export type ConditionBlock = Readonly<Record<string, Readonly<Record<string, ConditionValue>>>>;

export interface Statement {
	readonly Sid?: string;
	readonly Effect: Effect;
	readonly Principal?: "*" | PrincipalMap;
	readonly NotPrincipal?: "*" | PrincipalMap;
	readonly Action?: string | readonly string[];
	readonly NotAction?: string | readonly string[];
	readonly Resource?: string | readonly string[];
	readonly NotResource?: string | readonly string[];
	readonly Condition?: ConditionBlock;
}

/** A document as held by this program: `Statement` is always a list. `Version` absent means 2008-10-17 (aws-facts §1.3). */
export interface PolicyDocument {
	readonly Version?: string;
	readonly Id?: string;
	readonly Statement: readonly Statement[];
}

/** Whether a document holds a Deny: healing never removes one (KINDS.md, Drift). */
export function denies(doc: PolicyDocument): boolean {
	return doc.Statement.some((s) => s.Effect === "Deny");
}
