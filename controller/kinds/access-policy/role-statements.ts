import type { WantedStatement } from "../../model/desired.ts";
import type { Finding } from "../../model/finding.ts";
import type { AccessGrantSpec, AccessPolicySpec, StatementSpec } from "../../model/generated/specs.ts";
import type { Instant, ResourceKey } from "../../model/ids.ts";
import type { Scope } from "../../model/interpolate.ts";
import type { CatalogView, Instance } from "../../model/kind.ts";
import type { FieldPath, Resource } from "../../model/resource.ts";
import type { Statement } from "../../policy/document.ts";
import { problem, warning } from "../problem.ts";
import { type CompileFault, compileStatement, instant } from "../statement-compile.ts";
import { resolveSet } from "./permission-sets.ts";
import { type ResolvedRole, scopeOf } from "./roles.ts";

export interface RoleStatements {
	readonly statements: readonly WantedStatement[];
	readonly expired: readonly WantedStatement[];
}

/** What git gives a managed role now: its own statements, its sets', and for a task role its grants'. */
export function roleStatements(
	i: Instance<AccessPolicySpec>,
	role: ResolvedRole,
	c: CatalogView,
	now: Instant,
	findings: Finding[],
): RoleStatements {
	const scope = scopeOf(i);
	const all: WantedStatement[] = [];
	const r = i.resource;
	role.use.spec.permissionSets?.forEach((use, n) => {
		const resolved = resolveSet(r, [...role.use.path, "permissionSets", n], use, scope, c, findings);
		if (resolved === null) return;
		const own = { ...scope, params: resolved.params };
		addStatements(
			{ from: resolved.set, base: ["spec", "statements"], list: resolved.set.spec.statements, scope: own, until: null, now },
			all,
			findings,
		);
	});
	addStatements(
		{ from: r, base: [...role.use.path, "statements"], list: role.use.spec.statements ?? [], scope, until: null, now },
		all,
		findings,
	);
	if (role.use.use === "task") {
		for (const g of grantsOf(r.metadata.name, c)) {
			if (g.spec.startsAt !== undefined && instant(g.spec.startsAt) > now) continue;
			const until = instant(g.spec.expiresAt);
			addStatements({ from: g, base: ["spec", "statements"], list: g.spec.statements, scope, until, now }, all, findings);
		}
	}
	const over = (w: WantedStatement) => w.expiresAt !== null && w.expiresAt <= now;
	return { statements: uniqueSids(all.filter((w) => !over(w))), expired: all.filter(over) };
}

interface Part {
	/** The document the statements stand in. */
	readonly from: Resource;
	readonly base: FieldPath;
	readonly list: readonly StatementSpec[];
	readonly scope: Scope;
	readonly until: Instant | null;
	readonly now: Instant;
}

function addStatements(part: Part, out: WantedStatement[], findings: Finding[]): void {
	const { from, base, scope, until, now } = part;
	const source: ResourceKey | null = from.kind === "AccessPolicy" ? null : from.key;
	part.list.forEach((spec, n) => {
		const { statement, expiresAt, faults } = compileStatement(spec, scope, until);
		const path = [...base, n];
		for (const f of faults) findings.push(...faultFinding(from, path, f));
		out.push({ statement, origin: from.at(path), expiresAt, from: source });
		if (until === null && expiresAt !== null && expiresAt <= now) findings.push(expiredStatement(from, path, spec, expiresAt));
	});
}

/** What a PermissionSet gets wrong by itself is said once, by its own check. */
function faultFinding(from: Resource, path: FieldPath, { path: within, fault }: CompileFault): readonly Finding[] {
	if (from.kind === "PermissionSet" && (fault.kind === "unknown" || fault.kind === "unclosed")) return [];
	const ids = {
		cluster: "AmbiguousCluster",
		resource: "InvalidStatement",
		date: "InvalidTime",
		unknown: "UnknownVariable",
		unclosed: "UnknownVariable",
		variable: "UnknownVariable",
	};
	return [
		problem(
			ids[fault.kind],
			fault.message,
			from.at([...path, ...within], "value", fault.text === "" ? undefined : fault.text),
			fault.fix,
			from.key,
		),
	];
}

function expiredStatement(from: Resource, path: FieldPath, spec: StatementSpec, at: Instant): Finding {
	const { first, last } = from.lines(path);
	const name = spec.sid === undefined || spec.sid === "" ? "a statement" : `statement ${spec.sid}`;
	const lines = first === last ? `line ${first}` : `lines ${first}-${last}`;
	return warning("Expired", `${name} ended at ${at}`, from.at(path), `delete ${lines} of ${from.origin.path}`, from.key);
}

const grants = new WeakMap<CatalogView, ReadonlyMap<string, readonly Resource<AccessGrantSpec>[]>>();
function grantsOf(policy: string, c: CatalogView): readonly Resource<AccessGrantSpec>[] {
	let known = grants.get(c);
	if (known === undefined) {
		known = Map.groupBy(c.ofKind<AccessGrantSpec>("AccessGrant"), (g) => g.spec.policyRef);
		grants.set(c, known);
	}
	return known.get(policy) ?? [];
}

/** IAM wants them unique within a document, and they mean nothing else: a set used twice gets a number. */
function uniqueSids(list: readonly WantedStatement[]): readonly WantedStatement[] {
	const used = new Set<string>();
	return list.map((w) => {
		const sid = w.statement.Sid;
		if (sid === undefined) return w;
		let name = sid;
		for (let n = 2; used.has(name); n++) name = `${sid}${n}`;
		used.add(name);
		if (name === sid) return w;
		const statement: Statement = { ...w.statement, Sid: name };
		return { ...w, statement };
	});
}
