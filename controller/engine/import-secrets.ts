import type { Account } from "../model/account.ts";
import { parseSecretRef } from "../model/secret-ref.ts";
import type { ImportedSecret } from "./import-document.ts";

export interface ImportedSecrets {
	readonly secrets: readonly ImportedSecret[];
	/** One line a variable that a policy file cannot name. */
	readonly problems: readonly string[];
}

/** Secrets Manager adds six random characters to a secret's name. */
const SUFFIX = /-[A-Za-z0-9]{6}$/;

/**
 * The secrets of a task definition, from `valueFrom` by `container/NAME`, as a policy file names them: by name where the
 * secret lives with the workload, by ARN elsewhere. A pinned version cannot be said.
 */
export function importSecrets(valueFrom: Readonly<Record<string, string>>, account: Account, region: string): ImportedSecrets {
	const secrets: ImportedSecret[] = [];
	const problems: string[] = [];
	for (const [variable, from] of Object.entries(valueFrom).sort(([a], [b]) => (a < b ? -1 : 1))) {
		const slash = variable.indexOf("/");
		const container = variable.slice(0, slash);
		const name = variable.slice(slash + 1);
		const said = express(from, account, region);
		if (typeof said === "string") problems.push(`secret variable ${variable} is not declared here: ${said}`);
		else secrets.push({ container, name, ...said });
	}
	return { secrets, problems };
}

/** The reference in the words of a policy file, or why there are none. */
function express(
	from: string,
	account: Account,
	region: string,
): Pick<ImportedSecret, "secret" | "parameter" | "jsonKey"> | string {
	const ref = parseSecretRef(from);
	if (ref === null) return "its valueFrom is neither a secret nor a parameter";
	if (ref.versionId !== null) return "its task definition pins a version id";
	if (ref.versionStage !== null && ref.versionStage !== "AWSCURRENT") {
		return `its task definition reads the version stage ${ref.versionStage}`;
	}
	const near =
		(ref.partition ?? account.partition) === account.partition &&
		(ref.region ?? region) === region &&
		(ref.account ?? account.accountId) === account.accountId;
	if (ref.store === "secret") {
		const arn = `arn:${ref.partition}:secretsmanager:${ref.region}:${ref.account}:secret:${ref.name}`;
		return { secret: near ? ref.name.replace(SUFFIX, "") : arn, ...(ref.jsonKey !== null && { jsonKey: ref.jsonKey }) };
	}
	// A name of several parts is one with a leading slash; the ARN has that slash either way.
	return { parameter: near ? (ref.name.includes("/") ? `/${ref.name}` : ref.name) : from };
}
