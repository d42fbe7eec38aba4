import type { Finding, Severity } from "../model/finding.ts";
import type { StatementSpec } from "../model/generated/specs.ts";
import type { CatalogView } from "../model/kind.ts";
import { nearest } from "../model/nearest.ts";
import type { FieldPath, Resource } from "../model/resource.ts";
import type { ActionCatalogue } from "../policy/action-catalogue.ts";
import { operator } from "../policy/operators.ts";
import { problem } from "./problem.ts";

/** U+0009, 000A, 000D and 0020 to 00FF (aws-facts §1.1). */
const FORBIDDEN = /[^\t\n\r\x20-\xFF]/u;

/** Everything that can be said of statements as they are written, without the account they are for. */
export function checkStatements(
	r: Resource,
	base: FieldPath,
	statements: readonly StatementSpec[],
	c: CatalogView,
): readonly Finding[] {
	const findings: Finding[] = [];
	const sids = new Map<string, number>();
	statements.forEach((s, i) => {
		const path = [...base, i];
		checkOne(r, path, s, c, findings);
		if (s.sid === undefined || s.sid === "") return;
		const first = sids.get(s.sid);
		if (first === undefined) sids.set(s.sid, i);
		else {
			const line = r.at([...base, first, "sid"]).line;
			findings.push(
				problem(
					"DuplicateSid",
					`sid "${s.sid}" is also used in line ${line}`,
					r.at([...path, "sid"], "value"),
					"give it another",
					r.key,
				),
			);
		}
	});
	return findings;
}

function checkOne(r: Resource, path: FieldPath, s: StatementSpec, c: CatalogView, out: Finding[]): void {
	exactlyOne(r, path, s, "actions", "notActions", out);
	exactlyOne(r, path, s, "resources", "notResources", out);
	if (s.effect === "Deny" && s.expiresAt !== undefined) {
		const message = "expiresAt on a Deny would fail open: after it the access is back";
		out.push(
			problem(
				"InvalidStatement",
				message,
				r.at([...path, "expiresAt"]),
				"delete it, and the statement when its time has come",
				r.key,
			),
		);
	}
	for (const field of ["actions", "notActions"] as const) {
		s[field]?.forEach((action, n) => {
			const verdict = actionVerdict(action, c.actions);
			if (verdict === null) return;
			const { id, severity, message, fix } = verdict;
			out.push({ ...problem(id, message, r.at([...path, field, n], "value"), fix, r.key), severity });
		});
	}
	for (const field of ["resources", "notResources"] as const) {
		s[field]?.forEach((resource, n) => {
			const at = [...path, field, n];
			characters(r, at, resource, out);
			const wrong = resource.startsWith("${") ? null : resourceProblem(resource);
			if (wrong !== null) out.push(problem("InvalidStatement", wrong.message, r.at(at, "value"), wrong.fix, r.key));
		});
	}
	checkConditions(r, [...path, "conditions"], s.conditions, out);
}

function exactlyOne(
	r: Resource,
	path: FieldPath,
	s: StatementSpec,
	one: "actions" | "resources",
	other: "notActions" | "notResources",
	out: Finding[],
): void {
	if ((s[one] === undefined) !== (s[other] === undefined)) return;
	const both = s[one] !== undefined;
	const message = both ? `a statement has either ${one} or ${other}, this has both` : `a statement needs ${one} or ${other}`;
	out.push(
		problem(
			"InvalidStatement",
			message,
			both ? r.at([...path, other]) : r.at(path),
			both ? `delete one of them` : `add ${one}`,
			r.key,
		),
	);
}

/** Conditions of a statement, or of a trust policy. */
export function checkConditions(r: Resource, path: FieldPath, block: StatementSpec["conditions"], out: Finding[]): void {
	for (const [name, keys] of Object.entries(block ?? {})) {
		if (operator(name) === null) {
			const [near] = nearest(name, OPERATORS);
			const fix = near === undefined ? "an operator of IAM, e.g. StringEquals" : `did you mean "${near}"?`;
			out.push(problem("InvalidStatement", `no such condition operator: ${name}`, r.at([...path, name]), fix, r.key));
		}
		for (const [key, value] of Object.entries(keys)) {
			const at = [...path, name, key];
			characters(r, at, key, out, "key");
			const values: readonly unknown[] = Array.isArray(value) ? value : [value];
			values.forEach((v, n) => {
				const here = Array.isArray(value) ? [...at, n] : at;
				if (typeof v === "string") characters(r, here, v, out);
				else if (typeof v !== "number" && typeof v !== "boolean") {
					const message = `the value of condition key ${key} must be a string, number or boolean, or a list of them`;
					out.push(problem("InvalidType", message, r.at(here, "value"), undefined, r.key));
				}
			});
		}
	}
}

const OPERATORS: readonly string[] = [
	...["String", "Numeric", "Date", "Arn", "Binary"].flatMap((t) => [`${t}Equals`, `${t}NotEquals`]),
	...["StringLike", "StringNotLike", "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase", "ArnLike", "ArnNotLike"],
	...["NumericLessThan", "NumericLessThanEquals", "NumericGreaterThan", "NumericGreaterThanEquals"],
	...["DateLessThan", "DateLessThanEquals", "DateGreaterThan", "DateGreaterThanEquals"],
	...["Bool", "IpAddress", "NotIpAddress", "Null"],
];

/** One finding a string, at its first forbidden character. */
export function characters(r: Resource, path: FieldPath, text: string, out: Finding[], part: "key" | "value" = "value"): void {
	const found = FORBIDDEN.exec(text)?.[0];
	if (found === undefined) return;
	const code = (found.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0");
	const message = `IAM does not allow the character "${found}" (U+${code}) in a policy`;
	const fix = QUOTES.has(found) ? "use a straight quote" : DASHES.has(found) ? "use a plain dash" : undefined;
	out.push(problem("InvalidCharacter", message, r.at(path, part, found), fix, r.key));
}

const QUOTES: ReadonlySet<string> = new Set("“”„‘’‚");
const DASHES: ReadonlySet<string> = new Set("–—‑−");

/** IAM takes "*" or an ARN of six parts; null: nothing wrong. */
export function resourceProblem(resource: string): { readonly message: string; readonly fix?: string } | null {
	if (resource === "*") return null;
	const parts = resource.replace(/\$\{[^}]*\}/g, "x").split(":");
	if (parts[0] === "arn" && parts.length >= 6) return null;
	if (parts[0] === "arn") {
		return {
			message: `resource "${resource}" is not a whole ARN`,
			fix: "arn:PARTITION:SERVICE:REGION:ACCOUNT:RESOURCE, parts may be empty",
		};
	}
	return { message: `resource "${resource}" is neither an ARN nor "*"` };
}

interface ActionVerdict {
	readonly id: string;
	readonly severity: Severity;
	readonly message: string;
	readonly fix?: string;
}

/** A thousand policies use a few hundred actions: each is looked up once. */
const verdicts = new WeakMap<ActionCatalogue, Map<string, ActionVerdict | null>>();

function actionVerdict(action: string, catalogue: ActionCatalogue): ActionVerdict | null {
	let known = verdicts.get(catalogue);
	if (known === undefined) {
		known = new Map();
		verdicts.set(catalogue, known);
	}
	let verdict = known.get(action);
	if (verdict === undefined) {
		verdict = judge(action, catalogue);
		known.set(action, verdict);
	}
	return verdict;
}

function judge(action: string, catalogue: ActionCatalogue): ActionVerdict | null {
	const error = (id: string, message: string, fix?: string): ActionVerdict => ({
		id,
		severity: "error",
		message,
		...(fix === undefined ? {} : { fix }),
	});
	if (action === "*") return null;
	if (action.includes("${"))
		return error("InvalidStatement", `interpolation is not possible in an action: ${action}`, "write the action");
	const [service = "", name, ...rest] = action.split(":");
	if (name === undefined || name === "" || service === "" || rest.length > 0) {
		return error("InvalidStatement", `action "${action}" must be SERVICE:ACTION`, "e.g. s3:GetObject");
	}
	if (!/^[A-Za-z0-9*?:_-]+$/.test(action))
		return error("InvalidStatement", `action "${action}" holds what no action has`, "e.g. s3:GetObject");
	const wild = /[*?]/.test(action);
	if (!/[*?]/.test(service) && !catalogue.isService(service)) {
		const near = catalogue.nearest(action);
		if (near !== null) return error("UnknownService", `no such service: ${service}`, `did you mean ${near}?`);
		return {
			id: "UnknownService",
			severity: "warning",
			message: `service ${service} is not in the catalogue of actions`,
			fix: "check the name; a service newer than this release is not known yet",
		};
	}
	if (!wild && !catalogue.has(action)) {
		const near = catalogue.nearest(action);
		return error("UnknownAction", `no such action: ${action}`, near === null ? undefined : `did you mean ${near}?`);
	}
	if (wild && catalogue.matching(action).length === 0) {
		return { id: "MatchesNothing", severity: "warning", message: `${action} matches no action`, fix: "delete it or correct it" };
	}
	return null;
}
