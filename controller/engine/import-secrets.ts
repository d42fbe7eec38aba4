import type { Account } from "../model/account.ts";
import type { ImportedSecret } from "./import-document.ts";

export interface ImportedSecrets {
	readonly secrets: readonly ImportedSecret[];
	/** One line a variable that a policy file cannot name. */
	readonly problems: readonly string[];
}

/** `arn:…:secret:NAME-AbCdEf:json-key:version-stage:version-id`; the colons after the name all or none (aws-facts §4.3). */
const SECRET_ARN = /^arn:([^:]+):secretsmanager:([^:]+):([0-9]{12}):secret:([^:]+)(?::([^:]*):([^:]*):([^:]*))?$/;
const PARAMETER_ARN = /^arn:([^:]+):ssm:([^:]+):([0-9]{12}):parameter\/([^:]+)$/;
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
	const secret = SECRET_ARN.exec(from);
	if (secret !== null) {
		const [, partition, itsRegion, itsAccount, full = "", jsonKey = "", stage = "", version = ""] = secret;
		if (version !== "") return "its task definition pins a version id";
		if (stage !== "" && stage !== "AWSCURRENT") return `its task definition reads the version stage ${stage}`;
		const near = partition === account.partition && itsRegion === region && itsAccount === account.accountId;
		const arn = `arn:${partition}:secretsmanager:${itsRegion}:${itsAccount}:secret:${full}`;
		return { secret: near ? full.replace(SUFFIX, "") : arn, ...(jsonKey !== "" && { jsonKey }) };
	}
	const parameter = PARAMETER_ARN.exec(from);
	if (parameter !== null) {
		const [, partition, itsRegion, itsAccount, name = ""] = parameter;
		const near = partition === account.partition && itsRegion === region && itsAccount === account.accountId;
		// The ARN of `/prod/url` has one slash, and so has that of `url`: a name of several parts starts with one.
		return { parameter: near ? (name.includes("/") ? `/${name}` : name) : from };
	}
	if (from.startsWith("arn:")) return "its valueFrom is neither a secret's nor a parameter's ARN";
	return { parameter: from };
}
