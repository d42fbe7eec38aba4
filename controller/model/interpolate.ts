import type { Account } from "./account.ts";
import { didYouMean } from "./nearest.ts";

/** What an interpolation may speak of. Null: not here (`cluster` null: the workloads have several, or none). */
export interface Scope {
	readonly account: Account | null;
	readonly policy: string | null;
	readonly cluster: string | null;
	/** Inside a PermissionSet: its parameters' values. */
	readonly params: ReadonlyMap<string, string> | null;
}

export interface InterpolationFault {
	/** The whole `${…}`, to find its place. */
	readonly text: string;
	readonly kind: "unknown" | "variable" | "cluster" | "unclosed";
	readonly message: string;
	readonly fix?: string;
}

export interface Interpolated {
	readonly text: string;
	readonly faults: readonly InterpolationFault[];
}

const NAMES: readonly string[] = ["account.id", "account.region", "account.partition", "policy.name", "workload.cluster"];
const NONE: readonly InterpolationFault[] = [];

/**
 * KINDS.md, Interpolation. What holds a colon is a policy variable of IAM and passes untouched, as do `${*}`, `${?}`, `${$}`.
 * Offline and without an Account `${account.…}` stays as it is and stands for any.
 */
export function interpolate(text: string, scope: Scope): Interpolated {
	let open = text.indexOf("${");
	if (open < 0) return { text, faults: NONE };
	const faults: InterpolationFault[] = [];
	let out = "";
	let done = 0;
	while (open >= 0) {
		const close = text.indexOf("}", open);
		if (close < 0) {
			faults.push({ text: text.slice(open), kind: "unclosed", message: `"${text.slice(open)}" has no closing brace` });
			break;
		}
		const whole = text.slice(open, close + 1);
		const value = lookUp(whole.slice(2, -1), scope);
		out += text.slice(done, open);
		if (typeof value === "string") out += value;
		else {
			faults.push({ text: whole, ...value });
			out += whole;
		}
		done = close + 1;
		open = text.indexOf("${", done);
	}
	return { text: out + text.slice(done), faults };
}

/** True where something stands for any value, because the account is not known. */
export function isSymbolic(text: string): boolean {
	return text.includes("${account.");
}

type Miss = Omit<InterpolationFault, "text">;

function lookUp(name: string, scope: Scope): string | Miss {
	if (name.includes(":") || name === "*" || name === "?" || name === "$") return `\${${name}}`;
	const { account } = scope;
	const symbolic = `\${${name}}`;
	switch (name) {
		case "account.id":
			return account?.accountId ?? symbolic;
		case "account.region":
			return account?.region ?? symbolic;
		case "account.partition":
			return account?.partition ?? symbolic;
		case "policy.name":
			return scope.policy ?? symbolic;
		case "workload.cluster":
			return scope.cluster ?? clusterMiss();
	}
	if (name.startsWith("account.vars.")) return variable(name.slice("account.vars.".length), scope);
	if (name.startsWith("param.")) return parameter(name.slice("param.".length), scope);
	const known = [...NAMES, ...Object.keys(account?.vars ?? {}).map((v) => `account.vars.${v}`)];
	if (scope.params !== null) known.push(...[...scope.params.keys()].map((p) => `param.${p}`));
	const near = didYouMean(name, known);
	return {
		kind: "unknown",
		message: `unknown variable "\${${name}}"`,
		fix: near ?? `known: ${NAMES.join(", ")}, account.vars.NAME; a variable of IAM has a colon, e.g. \${aws:PrincipalTag/team}`,
	};
}

function clusterMiss(): Miss {
	return {
		kind: "cluster",
		message: `"\${workload.cluster}" stands for no one cluster: the workloads name several or none`,
		fix: "write the cluster's name, or split the policy",
	};
}

/** The account of the caller has no document, hence no variables: it must not be written to IAM as it stands. */
function variable(name: string, { account }: Scope): string | Miss {
	if (account === null || (account.origin === null && account.accountId === null)) return `\${account.vars.${name}}`;
	const value = Object.hasOwn(account.vars, name) ? account.vars[name] : undefined;
	if (value !== undefined) return value;
	return {
		kind: "variable",
		message: `Account "${account.name}" has no variable "${name}"`,
		fix: didYouMean(name, Object.keys(account.vars)) ?? "add it to the Account's vars",
	};
}

function parameter(name: string, { params }: Scope): string | Miss {
	const value = params?.get(name);
	if (value !== undefined) return value;
	if (params === null) {
		return { kind: "unknown", message: `"\${param.${name}}" means something only inside a PermissionSet` };
	}
	return { kind: "unknown", message: `unknown parameter "${name}"`, fix: didYouMean(name, params.keys()) ?? "add it to params" };
}
