import type { AccountId, Arn, Region } from "./ids.ts";
import type { Origin } from "./resource.ts";

/** One Account document, or the implicit `default`, with every default filled in. */
export interface Account {
	readonly name: string;
	/** Null only offline and without an Account document: `${account.id}` stays symbolic. */
	readonly accountId: AccountId | null;
	readonly region: Region | null;
	readonly regions: readonly Region[];
	/** Derived from the region's prefix (aws-facts §10). */
	readonly partition: string;
	readonly rolePath: string;
	readonly permissionsBoundary: Arn | null;
	readonly vars: Readonly<Record<string, string>>;
	readonly labels: Readonly<Record<string, string>>;
	readonly deployers: readonly Arn[];
	readonly assumeRole: { readonly roleArn: Arn; readonly externalId?: string } | null;
	readonly origin: Origin | null;
}

/** Who we are in an account, read before anything else. */
export interface Caller {
	readonly accountId: AccountId;
	readonly arn: Arn;
	readonly partition: string;
	readonly alias: string | null;
}
